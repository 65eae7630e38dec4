//! What is shown of a training: burn-train's metrics and renderer, led to a [`Watch`].

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{
    Metric, MetricAttributes, MetricDefinition, MetricId, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use super::{NamedLosses, Watch};

/// One of the losses as a metric.
#[derive(Clone)]
pub(super) struct Shown {
    name: MetricName,
    place: usize,
    state: NumericMetricState,
}

/// The losses of a step by their places.
pub(super) struct Listed(pub(super) Vec<f64>);

impl Shown {
    pub(super) fn new<L: NamedLosses>(place: usize) -> Self {
        Self {
            name: Arc::new(L::NAMES[place].to_owned()),
            place,
            state: NumericMetricState::new(),
        }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(4)
    }
}

impl Metric for Shown {
    type Input = Listed;

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        let attributes = NumericAttributes {
            unit: None,
            higher_is_better: false,
        };
        attributes.into()
    }

    fn update(
        &mut self,
        losses: &Listed,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        if let Some(loss) = losses.0.get(self.place) {
            self.state.update(*loss, 1);
        }
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for Shown {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

/// The renderer: it tells a watch of steps and their losses.
pub(super) struct Journal<L> {
    watch: Arc<dyn Watch<L>>,
    done: u64,
    all: u64,
    metrics: Vec<MetricDefinition>,
}

impl<L> Journal<L> {
    pub(super) fn new(watch: Arc<dyn Watch<L>>, done: u64, all: u64) -> Self {
        Self {
            watch,
            done,
            all,
            metrics: Vec::new(),
        }
    }

    fn name(&self, id: &MetricId) -> Option<&MetricName> {
        let own = self.metrics.iter().find(|own| own.metric_id == *id)?;
        Some(&own.name)
    }
}

impl<L: 'static> MetricsRendererTraining for Journal<L> {
    fn update_train(&mut self, state: MetricState) {
        // Means of an epoch come as another kind of entry.
        if let MetricState::Numeric(entry, Some(value @ NumericEntry::Aggregated { .. })) = state
            && let Some(name) = self.name(&entry.metric_id)
        {
            self.watch.curve(name, self.done + 1, value.current());
        }
    }

    fn update_valid(&mut self, _: MetricState) {}

    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl<L: 'static> TrainingProgressLogger for Journal<L> {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _: usize) {}

    fn start_split(&mut self, _: &str, _: usize) {}

    fn update_split(&mut self, steps: usize) {
        self.done = steps as u64;
        self.watch.progress(self.done, self.all);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _: String) {}
}

impl<L: 'static> MetricsRendererEvaluation for Journal<L> {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl<L: 'static> EvaluationProgressLogger for Journal<L> {
    fn start_global_progress(&mut self, _: usize) {}

    fn start_test(&mut self, _: &str, _: usize) {}

    fn update_test_progress(&mut self, _: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _: String) {}
}

impl<L: 'static> MetricsRenderer for Journal<L> {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, metric: MetricDefinition) {
        self.metrics.push(metric);
    }
}

/// The logger: without one burn-train writes files.
pub(super) struct Quiet;

impl MetricLogger for Quiet {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
