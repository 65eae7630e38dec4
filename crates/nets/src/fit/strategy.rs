//! The loop itself, as a strategy of burn-train.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::data::dataloader::DataLoaderIterator;
use burn::module::Module as _;
use burn::optim::GradientsAccumulator;
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, Interrupter, Learner, LearnerEvent, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainOutput, TrainStep, TrainingComponents,
    TrainingItem, ValidLoader,
};

use super::wrapped::{Outcome, Wrapped};
use super::{FitError, NamedLosses, Share, State, Supervised, TrainingError, Watch, records};
use crate::weights;

/// The strategy: an epoch ends where the watch is due or stops.
pub(super) struct ByInterval<N: Supervised> {
    pub(super) watch: Arc<dyn Watch<N::Losses>>,
    pub(super) all: u64,
    /// With automatic differentiation.
    pub(super) devices: Vec<Device>,
    /// Steps done before, and their losses.
    pub(super) begun: (u64, Vec<N::Losses>),
    pub(super) ended: Mutex<Option<Ended<N>>>,
}

type Ended<N> = Result<State<<N as Supervised>::Losses>, FitError>;

/// A training at work.
struct Standing<'b, N: Supervised> {
    learner: Learner<Wrapped<N>>,
    batches: Box<dyn DataLoaderIterator<Share<N>> + 'b>,
    done: u64,
    losses: Vec<N::Losses>,
}

/// Why an epoch ended.
enum Pause {
    Done,
    Due,
    Stopped,
    Failed(TrainingError),
    /// The interrupter knows why.
    Broken,
}

impl<N: Supervised> SupervisedLearningStrategy<Wrapped<N>> for ByInterval<N> {
    fn fit(
        &self,
        components: TrainingComponents<Wrapped<N>>,
        learner: Learner<Wrapped<N>>,
        train: TrainLoader<Wrapped<N>>,
        _: ValidLoader<Wrapped<N>>,
        first: usize,
    ) -> (Wrapped<N>, SupervisedTrainingEventProcessor<Wrapped<N>>) {
        let interrupter = components.interrupter;
        let mut events = components.event_processor;
        let (done, losses) = self.begun.clone();
        let mut standing = Standing {
            learner,
            batches: train.iter(),
            done,
            losses,
        };
        let mut epoch = first;
        let ended = loop {
            let total_items = self.all as usize;
            let mut tell = |event| interrupter.fail_on_error(events.process_train(event));
            tell(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items,
            });
            let pause = self.epoch(&mut standing, &interrupter, &mut tell);
            tell(LearnerEvent::EndSplit(epoch));
            tell(LearnerEvent::EndEpoch(epoch));
            interrupter.fail_on_error(events.flush());
            if let Some(ended) = self.paused(pause, &mut standing) {
                break ended;
            }
            epoch += 1;
        };
        *self.slot() = Some(ended);
        (standing.learner.model(), events)
    }
}

impl<N: Supervised> ByInterval<N> {
    fn slot(&self) -> MutexGuard<'_, Option<Ended<N>>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the training ended, once it has.
    pub(super) fn ended(&self) -> Option<Ended<N>> {
        self.slot().take()
    }

    fn epoch(
        &self,
        standing: &mut Standing<'_, N>,
        interrupter: &Interrupter,
        tell: &mut impl FnMut(LearnerEvent<Outcome<N::Losses>>),
    ) -> Pause {
        loop {
            if standing.done >= self.all {
                return Pause::Done;
            }
            if self.watch.stops() {
                return Pause::Stopped;
            }
            let Some(Ok(share)) = standing.batches.next() else {
                return Pause::Broken;
            };
            let learner = &mut standing.learner;
            let TrainOutput { grads, item } = self.output(learner, share);
            let losses = match item.0 {
                Ok(losses) => losses,
                Err(error) => return Pause::Failed(error),
            };
            learner.lr_step();
            learner.optimizer_step(grads);
            standing.done += 1;
            standing.losses.push(losses);
            let rate = learner.lr_current();
            let number = Some(standing.done as usize);
            let progress = standing.batches.progress();
            let item = TrainingItem::new(Outcome(Ok(losses)), progress, number, Some(rate));
            tell(LearnerEvent::ProcessedItem(item));
            let is_due = self.watch.is_due();
            if interrupter.should_stop() {
                return Pause::Broken;
            }
            if is_due && standing.done < self.all {
                return Pause::Due;
            }
        }
    }

    /// Keeps the state where it has to be kept; how the training ends, if it does.
    fn paused(&self, pause: Pause, standing: &mut Standing<'_, N>) -> Option<Ended<N>> {
        match pause {
            Pause::Done => Some(state(standing)),
            Pause::Due => self.keep(standing).err().map(Err),
            Pause::Stopped if standing.done == 0 => Some(Err(FitError::Stopped)),
            Pause::Stopped => Some(Err(self.keep(standing).err().unwrap_or(FitError::Stopped))),
            Pause::Failed(error) => Some(Err(error.into())),
            Pause::Broken => Some(Err(FitError::Burn("a step has no batch".to_owned()))),
        }
    }

    fn keep(&self, standing: &mut Standing<'_, N>) -> Result<(), FitError> {
        let state = state(standing)?;
        self.watch.keep(&state).map_err(FitError::Kept)
    }

    /// Losses and gradients of a step, each device computing its share.
    fn output(
        &self,
        learner: &Learner<Wrapped<N>>,
        step: Share<N>,
    ) -> TrainOutput<Outcome<N::Losses>> {
        if self.devices.len() == 1 {
            return learner.train_step(step);
        }
        let shares = step.divided(&self.devices);
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let start = |(place, share): (usize, Share<N>)| {
                let model = learner.model();
                scope.spawn(move || {
                    // Running statistics are those of the first device.
                    let model = match place {
                        0 => model,
                        _ => model.apart().fork(&share.device),
                    };
                    TrainStep::step(&model, share)
                })
            };
            let workers: Vec<_> = shares.into_iter().enumerate().map(start).collect();
            let end = |worker: std::thread::ScopedJoinHandle<'_, _>| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().map(end).collect()
        });
        let model = learner.model();
        let mut sum = GradientsAccumulator::new();
        let mut losses = Ok(N::Losses::default());
        for TrainOutput { grads, item } in outputs {
            sum.accumulate(&model, grads.to_device(&self.devices[0], &model));
            losses = losses.and_then(|losses| Ok(plus(losses, item.0?)));
        }
        TrainOutput {
            grads: sum.grads(),
            item: Outcome(losses),
        }
    }
}

fn plus<L: NamedLosses>(one: L, other: L) -> L {
    let both = one.values().into_iter().zip(other.values());
    L::of(&both.map(|(a, b)| a + b).collect::<Vec<f64>>())
}

/// Where the training stands.
fn state<N: Supervised>(standing: &mut Standing<'_, N>) -> Ended<N> {
    let record = Wrapped::record(&mut standing.learner);
    let net = standing.learner.model().net;
    let (moments, steps) = records::moments(record, &net)?;
    Ok(State {
        done: standing.done,
        weights: weights::collect(&net),
        moments,
        steps,
        losses: standing.losses.clone(),
    })
}
