//! The loop against one by hand, stopped and resumed, and divided among workers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor, TensorData, activation};
use retrial_seed::Seed;

use super::*;
use crate::adam::Adam;
use crate::weights::{Path, collect, values};

/// A small net with running means of its inner layer.
#[derive(Module, Debug)]
struct Small {
    inner: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    outer: Param<Tensor<2>>,
    running: Param<Tensor<1>>,
}

const READ: usize = 5;
const INNER: usize = 16;
const WRITTEN: usize = 3;
const ROWS: usize = 12;
const STEPS: u64 = 40;

/// Rows in, rows out.
#[derive(Clone)]
struct Rows {
    given: Vec<f32>,
    expected: Vec<f32>,
}

impl Small {
    fn new() -> Self {
        let device = crate::testing::device();
        let matrix = |name: &str, shape: [usize; 2]| {
            let data = TensorData::new(normal(name, shape[0] * shape[1]), shape);
            Param::from_tensor(Tensor::<2>::from_data(data, &device))
        };
        Self {
            inner: matrix("inner", [READ, INNER]),
            bias: Param::from_tensor(Tensor::zeros([INNER], &device)),
            outer: matrix("outer", [INNER, WRITTEN]),
            running: Param::from_tensor(Tensor::zeros([INNER], &device)).set_require_grad(false),
        }
    }

    fn loss(&mut self, rows: &Rows, device: &Device) -> Tensor<1> {
        let count = rows.given.len() / READ;
        let tensor = |values: &Vec<f32>, width: usize| {
            let data = TensorData::new(values.clone(), [count, width]);
            Tensor::<2>::from_data(data, device)
        };
        let given = tensor(&rows.given, READ);
        let inner = activation::relu(given.matmul(self.inner.val()) + self.bias.val().unsqueeze());
        let mean = inner.clone().mean_dim(0).reshape([INNER]).detach();
        let moved = |old: Tensor<1>| old.detach() * 0.9 + mean * 0.1;
        self.running = self.running.clone().map(moved).set_require_grad(false);
        let found = inner.matmul(self.outer.val());
        let errors = (found - tensor(&rows.expected, WRITTEN)).square();
        errors
            .reshape([count * WRITTEN, 1])
            .mean_dim(0)
            .reshape([1])
    }
}

impl Supervised for Small {
    type Task = ();
    type Batch = Rows;
    type Word = usize;
    type Losses = f64;

    fn items(batch: &Rows) -> usize {
        batch.given.len() / READ
    }

    fn losses(&mut self, share: &Share<Self>) -> Result<(f64, Option<Tensor<1>>), TrainingError> {
        let counts = share.meeting.all(&share.items.len());
        assert_eq!(counts.iter().sum::<usize>(), ROWS);
        let (items, batch) = (share.items.clone(), &share.batch);
        let rows = Rows {
            given: batch.given[items.start * READ..items.end * READ].to_vec(),
            expected: batch.expected[items.start * WRITTEN..items.end * WRITTEN].to_vec(),
        };
        let loss = share.part(self.loss(&rows, &share.device));
        let value = f64::from(values(loss.clone().detach())[0]);
        if !value.is_finite() {
            let (term, iteration) = ("rows", share.iteration);
            return Err(TrainingError::NotFinite {
                term,
                value,
                iteration,
            });
        }
        Ok((value, Some(loss)))
    }
}

fn normal(name: &str, count: usize) -> Vec<f32> {
    let mut stream = Seed(5).stream(name);
    (0..count).map(|_| stream.normal() as f32).collect()
}

fn rows(iteration: u64) -> Rows {
    Rows {
        given: normal(&format!("given {iteration}"), ROWS * READ),
        expected: normal(&format!("expected {iteration}"), ROWS * WRITTEN),
    }
}

fn rate(iteration: u64) -> f64 {
    0.05 * 0.5 * (1.0 + (std::f64::consts::PI * iteration as f64 / STEPS as f64).cos())
}

const SGD: SgdRates = SgdRates {
    momentum: 0.9,
    weight_decay: 1e-3,
    clip_norm: None,
};
const ADAM: AdamRates = AdamRates {
    learning_rate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
};

fn rules() -> Vec<Rule> {
    let clipped = SgdRates {
        clip_norm: Some(0.5),
        ..SGD
    };
    vec![
        Rule::Sgd(SGD, Arc::new(rate)),
        Rule::Sgd(clipped, Arc::new(rate)),
        Rule::Adam(ADAM),
    ]
}

/// Stops after so many steps, keeps a state every so many, and notes what it is told.
struct Owner<L> {
    stop_after: u64,
    every: u64,
    begun: AtomicU64,
    kept: Mutex<Vec<State<L>>>,
    told: Mutex<Vec<(u64, u64)>>,
    curves: Mutex<Vec<(String, u64, f64)>>,
}

impl<L: NamedLosses> Owner<L> {
    fn new(stop_after: u64, every: u64) -> Arc<Self> {
        Arc::new(Self {
            stop_after,
            every,
            begun: AtomicU64::new(0),
            kept: Mutex::default(),
            told: Mutex::default(),
            curves: Mutex::default(),
        })
    }

    fn kept(&self) -> Vec<State<L>> {
        self.kept.lock().expect("nobody panicked").clone()
    }
}

impl<L: NamedLosses> Watch<L> for Owner<L> {
    fn stops(&self) -> bool {
        self.begun.fetch_add(1, Ordering::SeqCst) >= self.stop_after
    }

    fn is_due(&self) -> bool {
        self.begun.load(Ordering::SeqCst).is_multiple_of(self.every)
    }

    fn keep(&self, state: &State<L>) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.every == 1 {
            return Err("the disk is full".into());
        }
        self.kept
            .lock()
            .expect("nobody panicked")
            .push(state.clone());
        Ok(())
    }

    fn progress(&self, done: u64, all: u64) {
        self.told.lock().expect("nobody panicked").push((done, all));
    }

    fn curve(&self, name: &str, done: u64, value: f64) {
        let point = (name.to_owned(), done, value);
        self.curves.lock().expect("nobody panicked").push(point);
    }
}

const NEVER: u64 = u64::MAX;

/// A net trained on one batch again and again.
pub(crate) fn trained<N: Supervised>(
    net: N,
    task: N::Task,
    rule: Rule,
    batch: N::Batch,
    steps: u64,
) -> Result<(N, State<N::Losses>), FitError>
where
    N::Batch: Clone,
{
    let batches = Arc::new(move |_| batch.clone());
    divided(net, task, rule, batches, steps, 1)
}

/// A net trained by so many workers on one device.
pub(crate) fn divided<N: Supervised>(
    net: N,
    task: N::Task,
    rule: Rule,
    batches: OfStep<N::Batch>,
    steps: u64,
    workers: usize,
) -> Result<(N, State<N::Losses>), FitError> {
    let plan = Plan {
        task,
        steps,
        rule,
        batches,
        devices: vec![crate::testing::device(); workers],
    };
    let owner: Arc<dyn Watch<N::Losses>> = Owner::new(NEVER, NEVER);
    fit(net, None, plan, &owner)
}

fn small(
    rule: Rule,
    from: Option<State<f64>>,
    workers: usize,
    owner: &Arc<Owner<f64>>,
) -> Result<State<f64>, FitError> {
    let plan = Plan {
        task: (),
        steps: STEPS,
        rule,
        batches: Arc::new(rows),
        devices: vec![crate::testing::device(); workers],
    };
    let watch: Arc<dyn Watch<f64>> = Arc::<Owner<f64>>::clone(owner);
    let (net, state) = fit(Small::new(), from, plan, &watch)?;
    assert_eq!(collect(&net), state.weights);
    Ok(state)
}

fn straight(rule: Rule) -> State<f64> {
    small(rule, None, 1, &Owner::new(NEVER, NEVER)).expect("finite")
}

/// A step of SGD as it is written.
struct ByHand<'h> {
    path: Path,
    velocities: &'h mut BTreeMap<String, Tensor<1>>,
    gradients: &'h Gradients,
    rate: f64,
    scale: f64,
}

impl ModuleMapper for ByHand<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = tensor.grad(self.gradients) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let (shape, name) = (tensor.shape(), self.path.name());
        let weights: Tensor<1> = tensor.inner().reshape([shape.num_elements()]);
        let gradient: Tensor<1> = gradient.reshape([shape.num_elements()]);
        let gradient = match self.scale {
            1.0 => gradient,
            scale => gradient * scale,
        };
        let gradient = gradient + weights.clone() * SGD.weight_decay;
        let velocity = match self.velocities.remove(&name) {
            Some(old) => old * SGD.momentum + gradient,
            None => gradient,
        };
        let weights = weights - velocity.clone() * self.rate;
        self.velocities.insert(name, velocity);
        let tensor = Tensor::from_inner(weights.reshape(shape)).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}

/// The loop by hand: weights, what the optimiser remembers, losses.
fn by_hand(rule: &Rule) -> (Weights, BTreeMap<String, Vec<f32>>, Vec<f64>) {
    let device = crate::testing::device().autodiff();
    let mut net = Small::new().train();
    let mut adam = Adam::new(ADAM);
    let (mut velocities, mut losses) = (BTreeMap::new(), Vec::new());
    for iteration in 0..STEPS {
        let loss = net.loss(&rows(iteration), &device);
        losses.push(f64::from(values(loss.clone().detach())[0]));
        let gradients = loss.backward();
        net = match rule {
            Rule::Adam(_) => adam.step(net, &gradients),
            Rule::Sgd(rates, rate) => {
                let mut squares = BTreeMap::new();
                let mut square = |name: &str, gradient: Option<Vec<f32>>| {
                    let gradient = gradient.expect("every weight has a gradient");
                    let squares_of = gradient.iter().map(|&v| f64::from(v) * f64::from(v));
                    squares.insert(name.to_owned(), squares_of.sum::<f64>());
                };
                square("bias", net.bias.val().grad(&gradients).map(values));
                square("inner", net.inner.val().grad(&gradients).map(values));
                square("outer", net.outer.val().grad(&gradients).map(values));
                let norm = squares.values().sum::<f64>().sqrt();
                let scale = rates
                    .clip_norm
                    .map_or(1.0, |largest| (largest / norm).min(1.0));
                net.map(&mut ByHand {
                    path: Path::default(),
                    velocities: &mut velocities,
                    gradients: &gradients,
                    rate: rate(iteration),
                    scale,
                })
            }
        };
    }
    let of_adam = adam.state().into_iter();
    let of_adam = of_adam.map(|(name, array)| (name, array.values));
    let velocities = velocities.into_iter();
    let moments = velocities.map(|(name, velocity)| (name, values(velocity)));
    (collect(&net), moments.chain(of_adam).collect(), losses)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn bits_are_those_of_a_loop_by_hand() {
    for rule in rules() {
        let (weights, moments, losses) = by_hand(&rule);
        let state = straight(rule);
        assert_eq!(state.done, STEPS);
        assert_eq!(state.losses, losses);
        for (name, array) in &state.weights {
            assert_eq!(bits(&array.values), bits(&weights[name].values), "{name}");
        }
        assert_eq!(state.weights.len(), weights.len());
        for (name, array) in &state.moments {
            assert_eq!(bits(&array.values), bits(&moments[name]), "{name}");
            assert_eq!(array.shape, [array.values.len()]);
        }
        assert_eq!(state.moments.len(), moments.len());
    }
}

#[test]
fn a_training_stopped_at_any_step_and_resumed_has_the_same_bits() {
    for rule in rules() {
        let whole = straight(rule.clone());
        for stop_after in [1, 17, STEPS - 1] {
            let owner = Owner::new(stop_after, NEVER);
            let ended = small(rule.clone(), None, 1, &owner);
            assert!(matches!(ended, Err(FitError::Stopped)), "{ended:?}");
            let kept = owner.kept();
            assert_eq!(kept.len(), 1, "once, as it stops");
            assert_eq!(kept[0].done, stop_after);
            let rest = small(
                rule.clone(),
                kept.into_iter().next(),
                1,
                &Owner::new(NEVER, 9),
            );
            assert_eq!(rest.expect("finite"), whole);
        }
    }
}

#[test]
fn a_watch_is_told_every_step_and_loss_and_keeps_what_is_due() {
    let owner = Owner::new(NEVER, 10);
    let state = small(Rule::Adam(ADAM), None, 1, &owner).expect("finite");
    let told = owner.told.lock().expect("nobody panicked");
    assert_eq!(
        *told,
        (1..=STEPS).map(|done| (done, STEPS)).collect::<Vec<_>>()
    );
    let curve = |(place, &loss): (usize, &f64)| ("loss".to_owned(), place as u64 + 1, loss);
    let curves: Vec<_> = state.losses.iter().enumerate().map(curve).collect();
    assert_eq!(*owner.curves.lock().expect("nobody panicked"), curves);
    let kept: Vec<u64> = owner.kept().iter().map(|state| state.done).collect();
    assert_eq!(kept, [10, 20, 30], "and not what is done");
    assert_eq!(owner.kept()[1].steps, 20);
    assert_eq!(owner.kept()[1].losses, state.losses[..20]);
}

#[test]
fn a_training_stopped_before_its_first_step_keeps_nothing() {
    let owner = Owner::new(0, NEVER);
    let ended = small(Rule::Adam(ADAM), None, 1, &owner);
    assert!(matches!(ended, Err(FitError::Stopped)), "{ended:?}");
    assert_eq!(owner.kept(), []);
}

#[test]
fn a_loss_that_is_no_number_ends_the_training_with_its_step() {
    let owner = Owner::new(NEVER, NEVER);
    let rule = Rule::Sgd(SGD, Arc::new(|step| if step == 3 { f64::MAX } else { 0.0 }));
    let ended = small(rule, None, 1, &owner).expect_err("infinite");
    let FitError::Training(TrainingError::NotFinite { iteration, .. }) = ended else {
        panic!("{ended}");
    };
    assert_eq!(iteration, 4);
    assert_eq!(owner.kept(), []);
}

#[test]
fn a_state_that_cannot_be_kept_ends_the_training() {
    let ended = small(Rule::Adam(ADAM), None, 1, &Owner::new(NEVER, 1));
    assert_eq!(ended.expect_err("full").to_string(), "the disk is full");
}

#[test]
fn a_state_of_another_net_is_refused_by_name() {
    let state = straight(Rule::Adam(ADAM));
    let refused = |state: State<f64>| {
        let ended = small(Rule::Adam(ADAM), Some(state), 1, &Owner::new(NEVER, NEVER));
        ended.expect_err("refused").to_string()
    };
    let mut other = state.clone();
    other.weights.remove("outer");
    assert!(refused(other).contains("`outer`"));
    let mut other = state;
    let array = other.moments["first.outer"].clone();
    other.moments.insert("first.third".to_owned(), array);
    assert!(refused(other).contains("`first.third`"));
}

#[test]
fn workers_repeat_bit_by_bit_and_differ_from_one_in_the_order_of_sums_alone() {
    for rule in rules() {
        let one = straight(rule.clone());
        for workers in [2, 3] {
            let train = || small(rule.clone(), None, workers, &Owner::new(NEVER, NEVER));
            let several = train().expect("finite");
            assert_eq!(train().expect("finite"), several);
            for (name, array) in &several.weights {
                if name == "running" {
                    continue;
                }
                for (a, b) in array.values.iter().zip(&one.weights[name].values) {
                    assert!((a - b).abs() < 1e-4, "{name}: {a} {b}");
                }
            }
            for (a, b) in several.losses.iter().zip(&one.losses) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
