//! A net as a model of burn-train.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer, OptimizerRecord};
use burn::tensor::ExecutionError;
use burn::train::metric::Adaptor;
use burn::train::{InferenceStep, ItemLazy, Learner, LearnerModel, TrainOutput, TrainStep};

use super::gradients::clipped;
use super::shown::Listed;
use super::{NamedLosses, Share, Supervised, TrainingError};

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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = laid;
    }

    fn take(&self) -> Laid {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

/// What came of a step.
pub(super) struct Outcome<L>(pub(super) Result<L, TrainingError>);

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

    /// The net of another worker: its running statistics are left behind.
    pub(super) fn apart(mut self) -> Self {
        self.aside = Aside::default();
        self
    }

    /// What the optimiser of a learner remembers: burn lends it to `optimize` alone.
    pub(super) fn record(learner: &mut Learner<Self>) -> OptimizerRecord
    where
        Self: LearnerModel,
    {
        let aside = learner.model().aside;
        aside.lay(Laid::Asked);
        learner.optimizer_step(GradientsParams::new());
        match aside.take() {
            Laid::Record(record) => record,
            _ => OptimizerRecord::default(),
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
