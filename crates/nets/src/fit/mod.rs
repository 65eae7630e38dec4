//! The loop in which nets learn from batches, on burn-train.
//!
//! It knows no tree, file, clock or terminal: a [`Watch`] says when to stop and takes what is to be kept. An epoch of
//! burn-train is what lies between two such moments; nothing that a training leaves depends on where they are.

mod feed;
pub(crate) mod gradients;
mod records;
mod share;
mod shown;
mod strategy;
#[cfg(test)]
pub(crate) mod tests;
mod wrapped;

use std::error::Error;
use std::sync::Arc;

use burn::module::{Module, ModuleDisplay};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Tensor};
use burn::train::{Learner, SupervisedTraining, TrainingStrategy};
use thiserror::Error;

use self::feed::{Batches, ByStep, NoBatches};
use self::shown::{Journal, Quiet, Shown};
use self::strategy::ByInterval;
use self::wrapped::Wrapped;
use crate::adam::AdamRates;
use crate::sgd::SgdRates;
use crate::weights::{self, Weights, WeightsError};

pub(crate) use self::share::part;
pub use self::share::{Meeting, Share};

/// A net that learns from batches.
pub trait Supervised: Module + ModuleDisplay + 'static {
    /// What its losses read beside weights and batches.
    type Task: Send + Sync + 'static;
    /// The numbers of a step.
    type Batch: Send + Sync + 'static;
    /// What workers tell each other in the middle of a step.
    type Word: Clone + Send + 'static;
    /// The losses of a step.
    type Losses: NamedLosses;

    /// How many items of a batch workers can divide among them.
    fn items(batch: &Self::Batch) -> usize;

    /// The losses of a share, and their sum; no sum where there is nothing to learn from. Those of all shares add up
    /// to those of the batch. Running statistics may move.
    ///
    /// # Errors
    /// [`TrainingError`].
    fn losses(
        &mut self,
        share: &Share<Self>,
    ) -> Result<(Self::Losses, Option<Tensor<1>>), TrainingError>;
}

/// Losses with names.
pub trait NamedLosses: Copy + Default + Send + Sync + 'static {
    /// Their names.
    const NAMES: &'static [&'static str];

    /// Their values, in the order of the names.
    fn values(&self) -> Vec<f64>;

    /// Losses of these values.
    fn of(values: &[f64]) -> Self;
}

impl NamedLosses for f64 {
    const NAMES: &'static [&'static str] = &["loss"];

    fn values(&self) -> Vec<f64> {
        vec![*self]
    }

    fn of(values: &[f64]) -> Self {
        values.first().copied().unwrap_or_default()
    }
}

/// A number for every step, counted from 0.
pub type OfStep<T> = Arc<dyn Fn(u64) -> T + Send + Sync>;

/// How weights follow their gradients.
#[derive(Clone)]
pub enum Rule {
    /// Gradient descent with momentum, and its learning rate.
    Sgd(SgdRates, OfStep<f64>),
    /// Adam.
    Adam(AdamRates),
}

/// A training.
pub struct Plan<N: Supervised> {
    /// What the losses read.
    pub task: N::Task,
    /// Number of steps.
    pub steps: u64,
    /// How weights follow their gradients.
    pub rule: Rule,
    /// The batch of every step.
    pub batches: OfStep<N::Batch>,
    /// Devices without automatic differentiation. The first keeps the weights; each has a share of every batch.
    pub devices: Vec<Device>,
}

/// Where a training stands: all that it needs to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State<L> {
    /// Number of steps done.
    pub done: u64,
    /// Weights by name, running statistics included.
    pub weights: Weights,
    /// What the optimiser remembers: velocities by the names of weights, or `first.<name>` and `second.<name>` of Adam.
    pub moments: Weights,
    /// Number of steps that Adam made.
    pub steps: u32,
    /// The losses of every step, as far back as they were kept.
    pub losses: Vec<L>,
}

/// Who looks after a training: asked between steps on its thread, told of steps on another one.
pub trait Watch<L>: Send + Sync + 'static {
    /// Asked before every step: whether to stop.
    fn stops(&self) -> bool;

    /// Asked after every step: whether it is time to keep the state.
    fn is_due(&self) -> bool;

    /// Takes the state of a training that is not done.
    ///
    /// # Errors
    /// Why it cannot be kept, which ends the training.
    fn keep(&self, state: &State<L>) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Told after every step.
    fn progress(&self, done: u64, all: u64);

    /// Told every loss of the step that makes `done`.
    fn curve(&self, name: &str, done: u64, value: f64);
}

/// A step that led nowhere.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TrainingError {
    /// A loss is infinite or no number.
    #[error("the loss of {term} is {value} in iteration {iteration}")]
    NotFinite {
        /// Which loss.
        term: &'static str,
        /// Its value.
        value: f64,
        /// Number of the step.
        iteration: u64,
    },
}

/// Why a training ended before its last step.
#[derive(Debug, Error)]
pub enum FitError {
    /// The watch stopped it.
    #[error("stopped on request")]
    Stopped,
    /// A step failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The state it was to go on from is of another net.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The watch could not keep a state.
    #[error(transparent)]
    Kept(Box<dyn Error + Send + Sync>),
    /// burn gave up.
    #[error("the training ended: {0}")]
    Burn(String),
}

/// Trains a net that lies on a device without automatic differentiation, from its beginning or a state; gives it back
/// there with its last state.
///
/// # Errors
/// [`FitError`].
///
/// # Panics
/// When the plan has no device.
pub fn fit<N: Supervised>(
    net: N,
    from: Option<State<N::Losses>>,
    plan: Plan<N>,
    watch: &Arc<dyn Watch<N::Losses>>,
) -> Result<(N, State<N::Losses>), FitError> {
    let devices: Vec<Device> = plan.devices.iter().map(|d| d.clone().autodiff()).collect();
    let mut net = net.to_device(&plan.devices[0]).train();
    let (mut optimiser, clip, rate): (ModuleOptimizer, _, OfStep<f64>) = match plan.rule {
        Rule::Sgd(rates, rate) => (rates.into(), rates.clip_norm, rate),
        Rule::Adam(rates) => (rates.into(), None, Arc::new(move |_| rates.learning_rate)),
    };
    let (mut done, mut losses) = (0, Vec::new());
    if let Some(state) = from {
        net = weights::apply(net, &state.weights)?;
        optimiser = records::remembering(optimiser, &state.moments, state.steps, &net)?;
        (done, losses) = (state.done, state.losses);
    }
    let batches = Batches {
        task: Arc::new(plan.task),
        of: plan.batches,
        device: devices[0].clone(),
        steps: done..plan.steps,
    };
    let strategy = Arc::new(ByInterval {
        watch: Arc::clone(watch),
        all: plan.steps,
        devices,
        begun: (done, losses),
        ended: None.into(),
    });
    let journal = Journal::new(Arc::clone(watch), done, plan.steps);
    // With a logger and a renderer of ours burn-train touches neither folder nor terminal.
    let mut training =
        SupervisedTraining::<Wrapped<N>>::new("", Arc::new(batches), Arc::new(NoBatches))
            .with_application_logger(None)
            .with_metric_logger(Quiet)
            .renderer(Box::new(journal))
            .with_training_strategy(TrainingStrategy::Custom(strategy.clone()));
    for place in 0..N::Losses::NAMES.len() {
        training = training.metric_train_numeric(Shown::new::<N::Losses>(place));
    }
    let learner = Learner::new(Wrapped::new(net, clip), optimiser, ByStep::new(done, rate));
    let result = training.launch(learner);
    if let Some(error) = result.error {
        return Err(FitError::Burn(error.to_string()));
    }
    let ended = strategy.ended();
    let state = ended.unwrap_or_else(|| Err(FitError::Burn("without a word".to_owned())))?;
    Ok((result.model.net, state))
}
