//! The stage `pretrain`: the backbone, trained on a source domain before.

use std::time::{Duration, Instant};

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_data::LabelledPictures;
use retrial_net_study::{device, stage_tree};
use retrial_nets::mask_rcnn::ClassifierTraining;
use retrial_nets::sgd::SgdRates;
use retrial_nets::weights::Weights;
use retrial_runner::{Built, Context, TrialError, Work, stage};
use retrial_seed::Stream;
use retrial_similarity::{draw, tally};
use retrial_store::{Array, Tree};

use super::imagenet;
use super::input_values::lumas;
use super::items::{Given, Items, TrainingSet, picture};
use super::params::{BackboneParams, Pretraining, PretrainingKind};
use super::settings;
use super::source;

/// Shortest time between checkpoints.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
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

/// What the stage reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) backbone: &'p BackboneParams,
    pub(super) pretraining: &'p Pretraining,
}

/// What the stage leaves.
pub(super) struct Pretrained {
    /// The id of the stage.
    pub(super) id: String,
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
    input: Input<'_>,
    items: &Items,
) -> Result<Pretrained, TrialError> {
    let kind = input.pretraining.pretraining;
    let (given, train) = (&items.given, &items.train);
    let source = || given.source.iter().map(|(_, digest)| digest.clone());
    let what = StageInput {
        name: "pretrain",
        params: [input.backbone.pairs(), input.pretraining.pairs()].concat(),
        inputs: &[],
        data: match kind {
            PretrainingKind::Nothing => Vec::new(),
            PretrainingKind::Imagenet => {
                let weights = given.weights.iter();
                weights.map(|file| file.digest.clone()).collect()
            }
            PretrainingKind::Uniform => source().collect(),
            PretrainingKind::Similarity => source().chain([train.digest.clone()]).collect(),
        },
        seed: Some(context.seed().0),
    };
    let Built { id, tree } = stage(context, &what, |work| match kind {
        // The stage is nothing then, but its id is an input of the next.
        PretrainingKind::Nothing => Ok(Tree::new()),
        PretrainingKind::Imagenet => imagenet::backbone(input.backbone, given, &work.device),
        PretrainingKind::Uniform => build(work, input, given, None),
        PretrainingKind::Similarity => build(work, input, given, Some(train)),
    })?;
    let backbone = stage_tree::weights(&tree, "weights")?;
    let drawn = match kind {
        PretrainingKind::Nothing | PretrainingKind::Imagenet => None,
        PretrainingKind::Uniform | PretrainingKind::Similarity => Some(SourceSample::read(&tree)?),
    };
    Ok(Pretrained {
        id,
        // That of a classifier has a last layer beside its backbone.
        backbone: backbone
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

fn build(
    work: &Work,
    input: Input<'_>,
    given: &Given,
    targets: Option<&TrainingSet>,
) -> Result<Tree, TrialError> {
    let Some((source, _)) = &given.source else {
        return Err(TrialError::Other(NO_SOURCE.to_owned()));
    };
    let params = input.pretraining;
    let weights = source::weights(params, targets, source)?;
    let mut stream = work.seed.stream("source draw");
    let drawn = draw(&weights, params.source_samples, &mut stream);
    let side = (source.train.height, source.train.width);
    let (batch, epochs) = (params.source_batch_size, params.source_epochs);
    let mut training = ClassifierTraining::new(
        settings::backbone(input.backbone),
        source.classes.len(),
        RATES,
        &mut work.seed.stream("init classifier"),
        &device::open(&work.device)?,
    );
    let mut done = 0;
    if let Some((round, tree)) = work.resume()? {
        done = round;
        let velocities = stage_tree::weights(&tree, "velocities")?;
        training
            .restore(&stage_tree::weights(&tree, "weights")?, &velocities)
            .map_err(TrialError::of)?;
    }
    let a_pass = drawn.len().div_ceil(batch) as u64;
    let all = a_pass * epochs as u64;
    let mut saved = Instant::now();
    let rate = params.source_learning_rate;
    let mut order = Vec::new();
    for iteration in done..all {
        if let Err(stopped) = work.stop_point() {
            if iteration > 0 {
                work.checkpoint(iteration, to_tree(&training)?)?;
            }
            return Err(stopped);
        }
        let (epoch, place) = (iteration / a_pass, iteration % a_pass);
        if place == 0 || order.is_empty() {
            order = drawn.clone();
            work.seed
                .stream(&format!("source shuffle {epoch}"))
                .shuffle(&mut order);
        }
        let first = place as usize * batch;
        let own = &order[first..order.len().min(first + batch)];
        let mut stream = work.seed.stream(&format!("source flip {iteration}"));
        let (images, labels) = images(&source.train, own, Some(&mut stream));
        // Loshchilov & Hutter 2017, arXiv:1608.03983, Eq. (5), without restarts.
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * iteration as f64 / all as f64).cos());
        training
            .step(iteration, rate * cosine, side, &images, &labels)
            .map_err(TrialError::of)?;
        work.progress(iteration + 1, all, "pretraining steps");
        if saved.elapsed() >= CHECKPOINT_EVERY && iteration + 1 < all {
            work.checkpoint(iteration + 1, to_tree(&training)?)?;
            saved = Instant::now();
        }
    }
    let mut right = 0;
    let numbers: Vec<usize> = (0..source.val.labels.len()).collect();
    for own in numbers.chunks(batch) {
        let (images, labels) = images(&source.val, own, None);
        right += training.right(side, &images, &labels);
    }
    let mut tree = to_tree(&training)?;
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

fn to_tree(training: &ClassifierTraining) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    stage_tree::insert_weights(&mut tree, "weights", &training.weights())?;
    stage_tree::insert_weights(&mut tree, "velocities", &training.velocities())?;
    Ok(tree)
}

/// Source pictures as the nets see them, grey as infrared pictures are, half of them mirrored.
fn images(
    set: &LabelledPictures,
    numbers: &[usize],
    mut flips: Option<&mut Stream>,
) -> (Vec<f32>, Vec<usize>) {
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
    (values, labels.collect())
}
