//! The stage `pretrain`: the backbone, trained on a source domain before.

use std::sync::{Arc, Mutex, PoisonError};

use retrial_data::{LabelledPictures, LabelledSet, WeightsFile};
use retrial_net_study::training::{self, Layout};
use retrial_net_study::{device, stage_tree};
use retrial_nets::fit::{Plan, Rule};
use retrial_nets::mask_rcnn::{Classifier, LabelledBatch};
use retrial_nets::sgd::SgdRates;
use retrial_nets::weights::Weights;
use retrial_runner::{Built, Context, Reads, StageData, TrialError, Work, stage};
use retrial_seed::{Seed, Stream};
use retrial_similarity::{draw, tally};
use retrial_store::{Array, Tree};

use super::imagenet::{self, NO_WEIGHTS};
use super::input_values::lumas;
use super::items::{Items, Source, TrainingSet, picture};
use super::params::{BackboneParams, Pretraining, PretrainingKind};
use super::settings;
use super::source;

const LAYOUT: Layout = Layout {
    losses: &[],
    unit: "pretraining steps",
};
/// Most-drawn classes that are listed.
const LISTED: usize = 10;
/// Of so many weights one is kept for the histogram.
const KEPT: usize = 4;
/// Why there is no pretraining without one.
pub(super) const NO_SOURCE: &str = "pretraining needs a source domain, and the data set of this experiment has none; one that has is \
     `infrared-transfer`";
/// Rates of the pretraining beside its learning rate.
const RATES: SgdRates = SgdRates {
    momentum: 0.9,
    weight_decay: 1e-4,
    clip_norm: None,
};

type Params<'p> = (&'p BackboneParams, &'p Pretraining);
type Input<'r> = Reads<Params<'r>, (), Domain<'r>>;

/// What a pretraining reads of the data.
enum Domain<'d> {
    Nothing,
    Imagenet(&'d WeightsFile),
    Uniform(&'d Source),
    Similarity(&'d Source, &'d TrainingSet),
}

impl<'d> Domain<'d> {
    fn of(kind: PretrainingKind, items: &'d Items) -> Result<Self, TrialError> {
        let given = &items.given;
        let missing = |what: &str| TrialError::Other(what.to_owned());
        let source = || given.source.as_ref().ok_or_else(|| missing(NO_SOURCE));
        let weights = || given.weights.as_ref().ok_or_else(|| missing(NO_WEIGHTS));
        Ok(match kind {
            PretrainingKind::Nothing => Self::Nothing,
            PretrainingKind::Imagenet => Self::Imagenet(weights()?),
            PretrainingKind::Uniform => Self::Uniform(source()?),
            PretrainingKind::Similarity => Self::Similarity(source()?, &items.train),
        })
    }
}

impl StageData for Domain<'_> {
    fn digests(&self) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Imagenet(file) => vec![file.digest.clone()],
            Self::Uniform((_, digest)) => vec![digest.clone()],
            Self::Similarity((_, digest), train) => vec![digest.clone(), train.digest.clone()],
        }
    }
}

/// What the stage leaves.
pub(super) struct Pretrained {
    /// Weights of the backbone by the names of a detector's, `body.…`; none without pretraining.
    pub(super) backbone: Weights,
    pub(super) drawn: Option<SourceSample>,
}

/// What is said of the draw and of the classifier.
pub(super) struct SourceSample {
    pub(super) effective_sample_share: f64,
    pub(super) distinct_share: f64,
    pub(super) accuracy: f64,
    /// Weights times their number.
    pub(super) weights: Vec<f64>,
    /// Most-drawn classes and how often.
    pub(super) classes: Vec<(usize, usize)>,
}

pub(super) fn pretrain(
    context: &mut Context,
    params: Params<'_>,
    items: &Items,
) -> Result<Built<Pretrained>, TrialError> {
    let seed = context.seed().0;
    let reads = Reads {
        params,
        stages: (),
        data: Domain::of(params.1.pretraining, items)?,
    };
    stage(context, "pretrain", Some(seed), &reads, build, open)
}

fn build(work: &Work, input: &Input<'_>) -> Result<Tree, TrialError> {
    match input.data {
        // The stage is nothing then, but its id is an input of the next.
        Domain::Nothing => Ok(Tree::new()),
        Domain::Imagenet(file) => imagenet::backbone(input.params.0, file, &work.device),
        Domain::Uniform(source) => train(work, input.params, source, None),
        Domain::Similarity(source, items) => train(work, input.params, source, Some(items)),
    }
}

fn open(_: &Work, input: &Input<'_>, tree: &Tree) -> Result<Pretrained, TrialError> {
    let drawn = match input.data {
        Domain::Nothing | Domain::Imagenet(_) => None,
        Domain::Uniform(_) | Domain::Similarity(..) => Some(SourceSample::read(tree)?),
    };
    Ok(Pretrained {
        // That of a classifier has a last layer beside its backbone.
        backbone: stage_tree::weights(tree, "weights")?
            .into_iter()
            .filter(|(name, _)| name.starts_with("body."))
            .collect(),
        drawn,
    })
}

impl SourceSample {
    fn read(tree: &Tree) -> Result<Self, TrialError> {
        let facts = tree.values::<f64>("facts")?;
        let pairs = tree.values::<f64>("classes")?;
        Ok(Self {
            effective_sample_share: facts[0],
            distinct_share: facts[1],
            accuracy: facts[2],
            weights: tree.values::<f64>("source_weights")?.to_vec(),
            classes: pairs
                .chunks_exact(2)
                .map(|p| (p[0] as usize, p[1] as usize))
                .collect(),
        })
    }
}

fn train(
    work: &Work,
    (backbone, params): Params<'_>,
    (source, _): &Source,
    targets: Option<&TrainingSet>,
) -> Result<Tree, TrialError> {
    let weights = source::weights(params, targets, source)?;
    let mut stream = work.seed.stream("source draw");
    let drawn = draw(&weights, params.source_samples, &mut stream);
    let batch = params.source_batch_size;
    let devices = device::open_all(&work.device)?;
    let device = devices[0].clone();
    let mut stream = work.seed.stream("init classifier");
    let backbone = settings::backbone(backbone);
    let classes = source.classes.len();
    let net = Classifier::new(backbone, classes, &mut stream, &device);
    let batches = Batches {
        source: Arc::clone(source),
        drawn: drawn.clone(),
        batch,
        seed: work.seed,
        order: Mutex::default(),
    };
    let all = batches.a_pass() * params.source_epochs as u64;
    let rate = params.source_learning_rate;
    // Loshchilov & Hutter 2017, arXiv:1608.03983, Eq. (5), without restarts.
    let cosine = move |iteration: u64| {
        0.5 * (1.0 + (std::f64::consts::PI * iteration as f64 / all as f64).cos())
    };
    let plan = Plan {
        task: backbone.normalisation,
        iterations: all,
        rule: Rule::Sgd(RATES, Arc::new(move |iteration| rate * cosine(iteration))),
        batches: Arc::new(move |iteration| batches.of(iteration)),
        patience: None,
        devices,
    };
    let trained = training::train(work, &LAYOUT, net, plan, ToString::to_string)?;
    let mut right = 0;
    let numbers: Vec<usize> = (0..source.val.labels.len()).collect();
    for own in numbers.chunks(batch) {
        right += trained.net.right(&images(&source.val, own, None), &device);
    }
    let mut tree = trained.tree;
    let sources = source.train.labels.len();
    let classes = drawn
        .iter()
        .map(|&item| usize::from(source.train.labels[item]));
    let most = tally(classes).most_drawn.into_iter().take(LISTED);
    let pairs = most
        .flat_map(|(class, draws)| [class as f64, draws as f64])
        .collect();
    stage_tree::insert_list(&mut tree, "classes", pairs)?;
    let all_weights = weights
        .normalised()
        .iter()
        .step_by(KEPT)
        .map(|w| w * sources as f64);
    stage_tree::insert_list(&mut tree, "source_weights", all_weights.collect())?;
    let facts = vec![
        weights.effective_sample_size() / sources as f64,
        tally(drawn.iter().copied()).distinct() as f64 / sources as f64,
        right as f64 / numbers.len().max(1) as f64,
    ];
    tree.insert("facts", Array::list(facts)?)?;
    Ok(tree)
}

/// The source pictures of every step: passes over those drawn, each in an order of its own.
struct Batches {
    source: Arc<LabelledSet>,
    drawn: Vec<usize>,
    batch: usize,
    seed: Seed,
    /// That of the last pass asked for, and which it is.
    order: Mutex<Option<(u64, Vec<usize>)>>,
}

impl Batches {
    /// Steps of a pass.
    fn a_pass(&self) -> u64 {
        self.drawn.len().div_ceil(self.batch) as u64
    }

    fn of(&self, iteration: u64) -> LabelledBatch {
        let (pass, place) = (iteration / self.a_pass(), iteration % self.a_pass());
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if order.as_ref().is_none_or(|(own, _)| *own != pass) {
            let mut numbers = self.drawn.clone();
            self.seed
                .stream(&format!("source shuffle {pass}"))
                .shuffle(&mut numbers);
            *order = Some((pass, numbers));
        }
        let numbers = order.as_ref().map_or(&[][..], |(_, numbers)| numbers);
        let first = place as usize * self.batch;
        let own = &numbers[first..numbers.len().min(first + self.batch)];
        let mut stream = self.seed.stream(&format!("source flip {iteration}"));
        images(&self.source.train, own, Some(&mut stream))
    }
}

/// Source pictures as the nets see them, grey as infrared pictures are, half of them mirrored.
fn images(
    set: &LabelledPictures,
    numbers: &[usize],
    mut flips: Option<&mut Stream>,
) -> LabelledBatch {
    let (height, width) = (set.height, set.width);
    let length = 3 * height * width;
    let mut values = Vec::with_capacity(numbers.len() * length);
    for &number in numbers {
        let pixels = &set.pixels[number * length..(number + 1) * length];
        let mut gray: Vec<f32> = lumas(pixels).map(|luma| luma / 255.0).collect();
        if flips.as_mut().is_some_and(|stream| stream.uniform() < 0.5) {
            for row in gray.chunks_mut(width) {
                row.reverse();
            }
        }
        values.extend(picture(&gray, height, width).values);
    }
    let labels = numbers
        .iter()
        .map(|&number| usize::from(set.labels[number]));
    LabelledBatch {
        height,
        width,
        values,
        classes: labels.collect(),
    }
}
