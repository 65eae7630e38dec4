//! A batch, and its parts among workers.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use burn::tensor::{Device, Tensor};

use super::Supervised;

/// What one worker computes of a step: all of it where there is one.
pub struct Share<N: Supervised> {
    /// Number of the step, from 0.
    pub iteration: u64,
    /// What the losses read beside weights and batch.
    pub task: Arc<N::Task>,
    /// The whole batch.
    pub batch: Arc<N::Batch>,
    /// Items of the batch that are this worker's.
    pub items: Range<usize>,
    /// Its device, with automatic differentiation.
    pub device: Device,
    /// Where it meets the other workers.
    pub meeting: Meeting<N::Word>,
}

/// Where the workers of a step tell each other something.
pub struct Meeting<W> {
    to: Vec<Sender<W>>,
    from: Vec<Receiver<W>>,
}

impl<N: Supervised> Share<N> {
    /// The whole of a step.
    pub fn whole(
        iteration: u64,
        task: Arc<N::Task>,
        batch: Arc<N::Batch>,
        device: &Device,
    ) -> Self {
        Self {
            iteration,
            task,
            items: 0..N::items(&batch),
            batch,
            device: device.clone(),
            meeting: Meeting::alone(),
        }
    }

    /// The whole of a step cut into shares of nearly equal size, one a device; fewer where items are fewer.
    pub(super) fn divided(self, devices: &[Device]) -> Vec<Self> {
        let all = self.items.len();
        let count = devices.len().min(all).max(1);
        let meetings = Meeting::of(count).into_iter().enumerate();
        let one = |((place, meeting), device): ((usize, Meeting<N::Word>), &Device)| Self {
            iteration: self.iteration,
            task: Arc::clone(&self.task),
            batch: Arc::clone(&self.batch),
            items: place * all / count..(place + 1) * all / count,
            device: device.clone(),
            meeting,
        };
        meetings.zip(devices).map(one).collect()
    }

    /// The mean over this share as its part of the mean over the batch.
    pub(crate) fn part(&self, mean: Tensor<1>) -> Tensor<1> {
        part(mean, self.items.len(), N::items(&self.batch))
    }
}

/// The mean over `own` numbers as their part of the mean over `all`.
pub(crate) fn part(mean: Tensor<1>, own: usize, all: usize) -> Tensor<1> {
    if own == all {
        return mean;
    }
    mean * (own as f64 / all as f64)
}

impl<W: Clone> Meeting<W> {
    /// That of a worker without others.
    fn alone() -> Self {
        let (to, from) = channel();
        Self {
            to: vec![to],
            from: vec![from],
        }
    }

    /// One for every worker.
    fn of(workers: usize) -> Vec<Self> {
        let mut meetings: Vec<Self> = (0..workers)
            .map(|_| Self {
                to: Vec::new(),
                from: Vec::new(),
            })
            .collect();
        for speaker in 0..workers {
            for listener in 0..workers {
                let (to, from) = channel();
                meetings[speaker].to.push(to);
                meetings[listener].from.push(from);
            }
        }
        meetings
    }

    /// What every worker says, in the order of their places; waits until all have spoken.
    ///
    /// # Panics
    /// When another worker did.
    #[must_use]
    pub fn all(&self, own: &W) -> Vec<W> {
        for to in &self.to {
            // One that went away is noticed below.
            let _ = to.send(own.clone());
        }
        let hear = |from: &Receiver<W>| from.recv().expect("a worker that gives up ends the step");
        self.from.iter().map(hear).collect()
    }
}
