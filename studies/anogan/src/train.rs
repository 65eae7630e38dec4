//! The stage `train`: generator and discriminator against each other.

use std::time::{Duration, Instant};

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_net_study::{device, stage_tree};
use retrial_nets::anogan::{EpochLosses, GanTraining, TrainingState};
use retrial_runner::{Built, Context, TrialError, Work, stage};
use retrial_seed::Seed;
use retrial_store::{Array, Tree};

use super::items::{Items, TrainingSet};
use super::params::{Gan, Normal};
use super::settings;

/// Shortest time between checkpoints.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// Images in a picture of samples: eight rows of eight.
pub(super) const SAMPLES: usize = 64;
/// Epochs after which samples are drawn, and the last one.
const SAMPLED: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000];

const LOSSES: [&str; 4] = ["d_loss", "g_loss", "d_of_real", "d_of_fake"];

/// What the stage reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) normal: &'p Normal,
    pub(super) gan: &'p Gan,
}

/// What the stage leaves.
pub(super) struct Trained {
    /// The id of the stage.
    pub(super) id: String,
    pub(super) training: GanTraining,
    pub(super) losses: Vec<EpochLosses>,
    /// Epoch and grey samples `[item, size, size]`.
    pub(super) samples: Vec<(u64, Vec<u8>)>,
}

impl Trained {
    /// Length of a latent.
    pub(super) fn latent_size(&self) -> usize {
        self.training.generator().frozen().latent_size()
    }
}

/// A training under way.
struct Progress {
    losses: Vec<EpochLosses>,
    samples: Vec<(u64, Vec<u8>)>,
}

pub(super) fn train(
    context: &mut Context,
    input: Input<'_>,
    items: &TrainingSet,
    seed: u64,
) -> Result<Trained, TrialError> {
    let what = StageInput {
        name: "train",
        params: [input.normal.pairs(), input.gan.pairs()].concat(),
        inputs: &[],
        data: vec![items.digest()],
        seed: Some(seed),
    };
    let Built { id, tree } = stage(context, &what, |work| build(work, input, items))?;
    let mut training = fresh(input, Seed(seed), context.device())?;
    let progress = restore(&mut training, &tree, items.form.size)?;
    Ok(Trained {
        id,
        training,
        losses: progress.losses,
        samples: progress.samples,
    })
}

fn fresh(input: Input<'_>, seed: Seed, device: &str) -> Result<GanTraining, TrialError> {
    GanTraining::new(
        settings::architecture(input.normal, input.gan.discriminator_norm),
        settings::gan(input.gan),
        input.gan.initialisation,
        seed,
        &device::open(device)?,
    )
    .map_err(TrialError::of)
}

fn build(work: &Work, input: Input<'_>, items: &TrainingSet) -> Result<Tree, TrialError> {
    let epochs = input.gan.epochs as u64;
    let movement = (input.normal.shift_px, input.normal.rotation_deg);
    let mut training = fresh(input, work.seed, &work.device)?;
    let mut progress = match work.resume()? {
        Some((_, tree)) => restore(&mut training, &tree, items.form.size)?,
        None => Progress {
            losses: Vec::new(),
            samples: Vec::new(),
        },
    };
    let mut saved = Instant::now();
    for epoch in progress.losses.len() as u64 + 1..=epochs {
        if let Err(stopped) = work.stop_point() {
            // What was reached is not lost.
            if epoch > 1 {
                work.checkpoint(
                    epoch - 1,
                    to_tree(&training.state(), &progress, items.form.size)?,
                )?;
            }
            return Err(stopped);
        }
        let losses = if movement == (0.0, 0.0) {
            training.epoch(epoch, &items.part.pixels)
        } else {
            let mut stream = work.seed.stream(&format!("move {epoch}"));
            training.epoch(epoch, &items.moved(movement, &mut stream)?)
        };
        if !(losses.discriminator.is_finite() && losses.generator.is_finite()) {
            let (d, g) = (losses.discriminator, losses.generator);
            return Err(TrialError::Other(format!(
                "the training broke down in epoch {epoch}: loss of the discriminator {d}, of the \
                 generator {g}; smaller learning rates may help"
            )));
        }
        progress.losses.push(losses);
        if SAMPLED.contains(&epoch) || epoch == epochs {
            progress.samples.push((epoch, draw(&training, work.seed)));
        }
        work.progress(epoch, epochs, "epochs");
        if saved.elapsed() >= CHECKPOINT_EVERY && epoch < epochs {
            work.checkpoint(
                epoch,
                to_tree(&training.state(), &progress, items.form.size)?,
            )?;
            saved = Instant::now();
        }
    }
    to_tree(&training.state(), &progress, items.form.size)
}

/// Samples of the same latents at every epoch.
fn draw(training: &GanTraining, seed: Seed) -> Vec<u8> {
    let drawn = drawn_from(training, seed, SAMPLES);
    drawn.into_iter().map(Items::drawn_grey).collect()
}

/// Images of a generator by its running statistics, in the nets' scaling.
pub(crate) fn drawn_from(training: &GanTraining, seed: Seed, count: usize) -> Vec<f32> {
    let mut stream = seed.stream("samples");
    let length = training.generator().frozen().latent_size() * count;
    let latents: Vec<f32> = (0..length).map(|_| stream.normal() as f32).collect();
    training.draw(&latents)
}

fn to_tree(state: &TrainingState, progress: &Progress, size: usize) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    stage_tree::insert_weights(&mut tree, "weights", &state.weights)?;
    stage_tree::insert_weights(&mut tree, "moments", &state.moments)?;
    stage_tree::set_number(&mut tree, "steps", u64::from(state.steps))?;
    let columns: [fn(&EpochLosses) -> f64; 4] =
        [|l| l.discriminator, |l| l.generator, |l| l.real, |l| l.fake];
    for (name, column) in LOSSES.iter().zip(columns) {
        let values = progress.losses.iter().map(column).collect();
        stage_tree::insert_list(&mut tree, &format!("losses/{name}"), values)?;
    }
    for (epoch, samples) in &progress.samples {
        let array = Array::new([SAMPLES, size, size], samples.clone())?;
        tree.insert(&format!("samples/{epoch:06}"), array)?;
    }
    Ok(tree)
}

fn restore(training: &mut GanTraining, tree: &Tree, size: usize) -> Result<Progress, TrialError> {
    let state = TrainingState {
        weights: stage_tree::weights(tree, "weights")?,
        moments: stage_tree::weights(tree, "moments")?,
        steps: u32::try_from(stage_tree::number(tree, "steps")?).unwrap_or(u32::MAX),
    };
    training.restore(&state).map_err(TrialError::of)?;
    let mut columns = Vec::with_capacity(LOSSES.len());
    for name in LOSSES {
        columns.push(tree.values::<f64>(&format!("losses/{name}"))?);
    }
    let losses = (0..columns[0].len()).map(|at| EpochLosses {
        discriminator: columns[0][at],
        generator: columns[1][at],
        real: columns[2][at],
        fake: columns[3][at],
    });
    let losses = losses.collect();
    let mut samples = Vec::new();
    for (path, _) in tree.arrays() {
        let epoch = path
            .strip_prefix("samples/")
            .and_then(|epoch| epoch.parse().ok());
        if let Some(epoch) = epoch {
            let grey = tree.values::<u8>(path)?;
            debug_assert_eq!(grey.len(), SAMPLES * size * size);
            samples.push((epoch, grey.to_vec()));
        }
    }
    Ok(Progress { losses, samples })
}
