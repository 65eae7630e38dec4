//! The loop itself, as a strategy of burn-train.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer, OptimizerRecord};
use burn::tensor::{Device, ExecutionError};
use burn::train::metric::Adaptor;
use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, ItemLazy, Learner, LearnerEvent,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainOutput,
    TrainStep, TrainingComponents, TrainingItem, ValidLoader,
};

use super::gradients::clipped;
use super::shown::Listed;
use super::{
    FitError, NamedLosses, OfStep, Share, State, Supervised, TrainingError, Watch, records,
};
use crate::weights;

/// A net as burn-train sees it.
#[derive(Module, Debug)]
pub(super) struct Wrapped<N: Module> {
    pub(super) net: N,
    #[module(skip)]
    aside: Aside,
    #[module(skip)]
    clip: Option<f64>,
}

/// What passes between a step, the optimiser and the strategy beside gradients.
#[derive(Clone, Default)]
struct Aside(Arc<Mutex<Laid>>);

#[derive(Default)]
enum Laid {
    #[default]
    Nothing,
    /// The net after its forward pass, whose running statistics moved.
    Net(Box<dyn Any + Send>),
    /// The strategy asks for what the optimiser remembers.
    Asked,
    Record(OptimizerRecord),
}

impl Aside {
    fn lay(&self, laid: Laid) {
        *open(&self.0) = laid;
    }

    fn take(&self) -> Laid {
        std::mem::take(&mut *open(&self.0))
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of a step.
pub(super) struct Outcome<L>(Result<L, TrainingError>);

impl<L: NamedLosses> ItemLazy for Outcome<L> {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl<L: NamedLosses> Adaptor<Listed> for Outcome<L> {
    fn adapt(&self) -> Listed {
        Listed(self.0.as_ref().map(L::values).unwrap_or_default())
    }
}

impl<N: Module> Wrapped<N> {
    pub(super) fn new(net: N, clip: Option<f64>) -> Self {
        Self {
            net,
            aside: Aside::default(),
            clip,
        }
    }
}

impl<N: Supervised> TrainStep for Wrapped<N> {
    type Input = Share<N>;
    type Output = Outcome<N::Losses>;

    fn step(&self, share: Share<N>) -> TrainOutput<Self::Output> {
        let mut net = self.net.clone();
        let mut grads = GradientsParams::new();
        let losses = net.losses(&share).map(|(losses, sum)| {
            if let Some(sum) = sum {
                grads = GradientsParams::from_grads(sum.backward(), &self.net);
            }
            self.aside.lay(Laid::Net(Box::new(net)));
            losses
        });
        TrainOutput {
            grads,
            item: Outcome(losses),
        }
    }

    fn optimize(
        mut self,
        optimiser: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        mut grads: GradientsParams,
    ) -> Self {
        match self.aside.take() {
            Laid::Asked => {
                self.aside.lay(Laid::Record(optimiser.to_record()));
                return self;
            }
            Laid::Net(net) => {
                if let Ok(net) = net.downcast() {
                    self.net = *net;
                }
            }
            Laid::Nothing | Laid::Record(_) => {}
        }
        if let Some(largest) = self.clip {
            grads = clipped(&self.net, grads, largest);
        }
        optimiser.step(rate, self, grads)
    }
}

/// Nothing is validated while a net is trained.
impl<N: Supervised> InferenceStep for Wrapped<N> {
    type Input = ();
    type Output = ();

    fn step(&self, (): ()) {}
}

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
        *open(&self.ended) = Some(ended);
        (standing.learner.model(), events)
    }
}

impl<N: Supervised> ByInterval<N> {
    /// How the training ended, once it has.
    pub(super) fn ended(&self) -> Option<Ended<N>> {
        open(&self.ended).take()
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
                let mut model = learner.model();
                if place > 0 {
                    // Running statistics are those of the first device.
                    model.aside = Aside::default();
                }
                scope.spawn(move || {
                    if place > 0 {
                        model = model.fork(&share.device);
                    }
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
    let learner = &mut standing.learner;
    // burn lends its optimiser to `optimize` alone.
    let aside = learner.model().aside;
    aside.lay(Laid::Asked);
    learner.optimizer_step(GradientsParams::new());
    let record = match aside.take() {
        Laid::Record(record) => record,
        _ => OptimizerRecord::default(),
    };
    let net = learner.model().net;
    let (moments, steps) = records::moments(record, &net)?;
    Ok(State {
        done: standing.done,
        weights: weights::collect(&net),
        moments,
        steps,
        losses: standing.losses.clone(),
    })
}
