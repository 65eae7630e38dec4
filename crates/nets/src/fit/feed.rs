//! What a training is fed with, step by step: batches and learning rates.

use std::ops::Range;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::tensor::Device;

use super::{OfStep, Share, Supervised};

/// The batches of the steps that are left.
pub(super) struct Batches<N: Supervised> {
    pub(super) task: Arc<N::Task>,
    pub(super) of: OfStep<N::Batch>,
    pub(super) device: Device,
    pub(super) steps: Range<u64>,
}

struct Coming<'b, N: Supervised> {
    steps: Range<u64>,
    from: &'b Batches<N>,
}

impl<N: Supervised> Batches<N> {
    fn of_steps(&self, steps: Range<u64>) -> Self {
        Self {
            task: Arc::clone(&self.task),
            of: Arc::clone(&self.of),
            device: self.device.clone(),
            steps,
        }
    }
}

impl<N: Supervised> DataLoader<Share<N>> for Batches<N> {
    fn iter<'b>(&'b self) -> Box<dyn DataLoaderIterator<Share<N>> + 'b> {
        Box::new(Coming {
            steps: self.steps.clone(),
            from: self,
        })
    }

    fn num_items(&self) -> usize {
        (self.steps.end - self.steps.start) as usize
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Share<N>>> {
        let mut moved = self.of_steps(self.steps.clone());
        moved.device = device.clone();
        Arc::new(moved)
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Share<N>>> {
        let first = self.steps.start;
        Arc::new(self.of_steps(first + start as u64..first + end as u64))
    }
}

impl<N: Supervised> Iterator for Coming<'_, N> {
    type Item = Result<Share<N>, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let iteration = self.steps.next()?;
        let Batches {
            task, of, device, ..
        } = self.from;
        let batch = Arc::new(of(iteration));
        let share = Share::whole(iteration, Arc::clone(task), batch, device);
        Some(Ok(share))
    }
}

impl<N: Supervised> DataLoaderIterator<Share<N>> for Coming<'_, N> {
    fn progress(&self) -> Progress {
        let unit = Some("steps".to_owned());
        Progress::new(self.steps.start as usize, self.steps.end as usize, unit)
    }
}

/// What is validated: nothing.
pub(super) struct NoBatches;

impl DataLoader<()> for NoBatches {
    fn iter<'b>(&'b self) -> Box<dyn DataLoaderIterator<()> + 'b> {
        Box::new(Self)
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<()>> {
        Arc::new(Self)
    }

    fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<()>> {
        Arc::new(Self)
    }
}

impl Iterator for NoBatches {
    type Item = Result<(), DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl DataLoaderIterator<()> for NoBatches {
    fn progress(&self) -> Progress {
        Progress::new(0, 0, None)
    }
}

/// A learning rate by the number of the step.
#[derive(Clone)]
pub(super) struct ByStep {
    next: u64,
    rate: OfStep<f64>,
}

const NEXT: &str = "next";

impl ByStep {
    pub(super) fn new(next: u64, rate: OfStep<f64>) -> Self {
        Self { next, rate }
    }
}

impl LrScheduler for ByStep {
    fn step(&mut self) -> f64 {
        self.next += 1;
        (self.rate)(self.next - 1)
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(NEXT, self.next)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.next = record.scalar(NEXT).unwrap_or(self.next);
    }
}
