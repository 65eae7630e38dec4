//! burn-train's dashboard, which `--tui` shows: curves, their last values, how far the trial is, keys to stop it.

use std::panic::{AssertUnwindSafe, catch_unwind, take_hook};
use std::sync::Arc;

use burn_train::Interrupter;
use burn_train::logger::TrainingProgressLogger as _;
use burn_train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{MetricState, MetricsRenderer as _, MetricsRendererTraining as _};
use retrial_runner::Dashboard;
use retrial_runner::signals::Asked;

/// Opens it for the trial of that name.
#[must_use]
pub fn open(trial: &str) -> Box<dyn Dashboard> {
    let stop = Interrupter::new();
    Box::new(Open {
        trial: trial.to_owned(),
        renderer: Some(TuiMetricsRendererWrapper::new(stop.clone(), None)),
        stop,
        part: Part::default(),
        curves: Vec::new(),
    })
}

struct Open {
    trial: String,
    /// Nothing once a person chose to kill the run.
    renderer: Option<TuiMetricsRendererWrapper>,
    /// Set by the key that asks for a stop.
    stop: Interrupter,
    part: Part,
    /// All values of every curve, for the renderer of the next part.
    curves: Vec<(Arc<String>, Vec<f64>)>,
}

/// The part of the trial that is at work.
#[derive(Default)]
struct Part {
    done: u64,
    total: u64,
    unit: String,
}

impl Open {
    /// Tells the renderer something. It panics in whatever is told it after its key to kill the run.
    fn tell(&mut self, what: impl FnOnce(&mut TuiMetricsRendererWrapper)) {
        let Some(renderer) = &mut self.renderer else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(|| what(renderer))).is_err() {
            self.close();
            // Its hook, which keeps silent about panics, would stay.
            drop(take_hook());
        }
    }

    /// Gives the terminal back.
    fn close(&mut self) {
        let renderer = self.renderer.take();
        // One that was killed panics here, too.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(renderer)));
    }

    /// A renderer for the next part, since one estimates the time that is left from its own first step on and cannot
    /// be told that another count begins.
    fn begin_part(&mut self) {
        if self.renderer.is_none() {
            return;
        }
        self.close();
        let before = usize::try_from(self.part.done - 1).ok();
        self.renderer = Some(TuiMetricsRendererWrapper::new(self.stop.clone(), before));
        for (name, values) in std::mem::take(&mut self.curves) {
            self.tell(|renderer| {
                renderer.register_metric(definition(&name));
                for &value in &values {
                    renderer.update_train(state(&name, value));
                }
            });
            self.curves.push((name, values));
        }
    }

    /// The line above its counts.
    fn label(&self) -> String {
        let Part { done, total, unit } = &self.part;
        match (self.stop.should_stop(), *total) {
            (true, _) => "the trial ends at its next good moment".to_owned(),
            (false, 0) => self.trial.clone(),
            (false, _) => format!("{done}/{total} {unit}, {}", self.trial),
        }
    }
}

impl Dashboard for Open {
    fn progress(&mut self, done: u64, total: u64, unit: &str) {
        // Its bars divide by the total, and count from the first unit that is done.
        if done == 0 || total < done {
            return;
        }
        let part = &mut self.part;
        let goes_on = part.unit == unit && part.total == total && part.done <= done;
        *part = Part {
            done,
            total,
            unit: unit.to_owned(),
        };
        if !goes_on {
            self.begin_part();
        }
        let label = self.label();
        let [done, total] = [done, total].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        self.tell(|renderer| {
            // Without epochs it takes its outer count from the inner one, the first time after each start.
            renderer.start(0, 0, None, Some(&label));
            renderer.start_split("train", total);
            renderer.update_split(done);
        });
    }

    fn curve(&mut self, name: &str, _done: u64, value: f64) {
        let known = self.curves.iter().position(|(own, _)| **own == name);
        let at = known.unwrap_or_else(|| {
            let name = Arc::new(name.to_owned());
            self.tell(|renderer| renderer.register_metric(definition(&name)));
            self.curves.push((name, Vec::new()));
            self.curves.len() - 1
        });
        let (name, values) = &mut self.curves[at];
        values.push(value);
        let state = state(name, value);
        self.tell(|renderer| renderer.update_train(state));
    }

    fn asked(&mut self) -> Option<Asked> {
        let label = self.label();
        // Only a renderer that is told something says that the run is to be killed.
        self.tell(|renderer| renderer.start(0, 0, None, Some(&label)));
        match (&self.renderer, self.stop.should_stop()) {
            // Asked for again and again, which ends the trial at once.
            (None, _) => Some(Asked::Stop),
            (Some(_), true) => Some(Asked::StopSoon),
            (Some(_), false) => None,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

fn definition(name: &Arc<String>) -> MetricDefinition {
    MetricDefinition {
        metric_id: MetricId::new(name.clone()),
        name: name.clone(),
        description: None,
        attributes: NumericAttributes::default().into(),
    }
}

fn state(name: &Arc<String>, value: f64) -> MetricState {
    let text = match value.abs() {
        0.0 | 1e-3..1e6 => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    };
    let entry = MetricEntry::new(
        MetricId::new(name.clone()),
        SerializedEntry::new(text.clone(), text),
    );
    MetricState::Numeric(entry, Some(NumericEntry::Value(value)))
}
