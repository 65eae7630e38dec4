//! What can be set in a spec: groups of params, most of them the input of a stage.

use retrial_core::declare::in_order;
use retrial_core::params::Param;
use retrial_core::resize::Scaling;
use retrial_core::{param_groups, params, words};
use retrial_nets::anogan::{Initialisation, Normalisation};

use super::encoders::{self, EncoderMethod};
use super::{choose, train};

words! {
    /// How an item is scored.
    pub(super) enum Method {
        /// By latent search.
        Anogan = "anogan",
        /// By an encoder trained on the latents of generated images.
        Ziz = "ziz",
        /// By an encoder trained on images.
        Izi = "izi",
        /// By an encoder trained on images and their features.
        IziF = "izi_f",
        /// By GANomaly.
        Ganomaly = "ganomaly",
        /// By the sum of grey levels.
        Ink = "ink",
        /// By the distance to the mean image.
        MeanImage = "mean_image",
        /// By the distance to the nearest training image.
        NearestNeighbour = "nearest_neighbour",
        /// By what principal components leave.
        Pca = "pca",
    }
}

words! {
    /// Which rows are judged.
    pub(super) enum Evaluation {
        /// Rows of the test file.
        Test = "test",
        /// Rows of the training file behind all others.
        Validation = "validation",
    }
}

words! {
    /// The losses of a GAN.
    pub(super) enum Loss {
        /// Cross entropy.
        CrossEntropy = "cross_entropy",
        /// Hinge.
        Hinge = "hinge",
    }
}

words! {
    /// How the nets normalise in a search.
    pub(super) enum SearchNorm {
        /// By running moments.
        Running = "running",
        /// By those of the batch.
        Batch = "batch",
    }
}

words! {
    /// How latents are moved.
    pub(super) enum Optimiser {
        /// By Adam.
        Adam = "adam",
        /// By L-BFGS.
        Lbfgs = "lbfgs",
    }
}

words! {
    /// Where latents begin.
    pub(super) enum Start {
        /// Drawn.
        Normal = "normal",
        /// Found by an encoder.
        Encoder = "encoder",
    }
}

words! {
    /// How an item and the image found for it become a residual.
    pub(super) enum Residual {
        /// Sum of absolute differences.
        L1 = "l1",
        /// Sum of squared differences.
        L2 = "l2",
        /// The place where differences gather.
        Local = "local",
        /// The same over the item's ink.
        LocalRelative = "local_relative",
    }
}

params! {
    /// How a trial scores.
    pub(super) struct Scoring {
        /// How an item is scored: by latent search, by an encoder trained with one of the losses of
        /// f-AnoGAN, by GANomaly, or by a detector without a net.
        method: word(Method) = Method::Anogan,
        /// Where latents begin: drawn, or found by an encoder.
        search_start: word(Start) = Start::Normal,
        /// Weight λ of the discrimination loss in the score.
        lambda: float(0.0..=1.0) = 0.1,
        /// Differences count by themselves; squared; by the place where they gather (blurred,
        /// squared, averaged under a window, of which the largest value counts); or so, and the
        /// score divided by the item's ink, so that thin and thick strokes are judged alike.
        residual: word(Residual) = Residual::L1,
        /// Principal components of the baseline pca.
        components: int(1..=200) = 20,
        /// Share of normal items that the threshold may flag, judged on held-out normal items.
        false_positive_rate: float(0.001..=0.5) = 0.05,
        /// A threshold given in advance, such as a published one; 0 for none.
        fixed_threshold: float(0.0..=1e12) = 0.0,
        /// Whether pictures are left beside the record.
        pictures: flag = false,
    }
}

params! {
    /// What is normal, how it is given to the nets, and their size.
    pub(super) struct Normal {
        /// Digits that are normal.
        normal_digits: ints(0..=9) = [7, 8],
        /// The first so many normal rows of the training file.
        train_items: int(2..=60_000) = 400,
        /// Grey levels as the nets see them: in −1..1, normalised by MNIST's constants, or those
        /// constants on undivided grey levels, as published.
        scaling: word(Scaling) = Scaling::Tanh,
        /// Side of the images of the nets: 28, 32 or 64.
        image_size: int(28..=64) = 64,
        /// Bicubic kernel of the resize: −0.75 without antialias, −0.5 with.
        bicubic_a: float(-0.75..=-0.5) = -0.75,
        /// Largest random shift of a training image, px.
        shift_px: float(0.0..=8.0) = 0.0,
        /// Largest random turn of a training image, degrees.
        rotation_deg: float(0.0..=45.0) = 0.0,
        /// Channels next to the image; doubled at every halving.
        width: int(1..=256) = 16,
        /// Length of a latent.
        latent_size: int(1..=1000) = 20,
    }
}

params! {
    /// Which items are held out and judged.
    pub(super) struct Judged {
        /// Digits that are anomalous.
        anomalous_digits: ints(0..=9) = [2],
        /// The next so many normal rows, held out: thresholds are chosen on them.
        validation_items: int(0..=20_000) = 200,
        /// The first so many rows that are judged.
        test_items: int(1..=10_000) = 600,
        /// Judged rows: normal and anomalous digits of the test file; or, for making choices, rows
        /// of the training file behind all others, every digit that is neither normal nor
        /// anomalous standing in for an anomaly.
        evaluation: word(Evaluation) = Evaluation::Test,
    }
}

params! {
    /// The training of the GAN.
    pub(super) struct Gan {
        /// Passes over the training items.
        epochs: int(1..=100_000) = 130,
        /// Images a training step.
        batch_size: int(2..=4096) = 32,
        /// Learning rate of the generator.
        learning_rate_g: float(0.0..=1.0) = 1e-3,
        /// Learning rate of the discriminator.
        learning_rate_d: float(0.0..=1.0) = 1e-4,
        /// Decay of Adam's first moment.
        beta1: float(0.0..=0.9999) = 0.5,
        /// Decay of Adam's second moment.
        beta2: float(0.0..=0.999_999) = 0.999,
        /// What weights start from.
        initialisation: word(Initialisation) = Initialisation::Torch,
        /// What stands behind the discriminator's convolutions.
        discriminator_norm: word(Normalisation) = Normalisation::Batch,
        /// Losses of the two nets.
        loss: word(Loss) = Loss::CrossEntropy,
        /// What the discriminator shall say of real images.
        real_label: float(0.5..=1.0) = 1.0,
        /// Standard deviation of noise on every image that the discriminator sees.
        instance_noise: float(0.0..=10.0) = 0.0,
    }
}

params! {
    /// The search for latents.
    pub(super) struct Search {
        /// Most evaluations of a latent.
        search_iterations: int(0..=100_000) = 150,
        /// Learning rate of the search by Adam.
        search_learning_rate: float(0.0..=10.0) = 0.03,
        /// Weight λ of the discrimination loss in the search.
        search_lambda: float(0.0..=1.0) = 0.1,
        /// Normalisation in the search: by running moments, or by those of the batch, as published.
        search_batch_norm: word(SearchNorm) = SearchNorm::Running,
        /// Images searched together.
        search_batch: int(1..=1024) = 32,
        /// How latents are moved.
        search_method: word(Optimiser) = Optimiser::Adam,
        /// Of a search: starts per item, of which the best is kept. Of the methods ziz, izi and
        /// izi_f: generators with an encoder each, trained under the seeds s, s + 1000, s + 2000 …,
        /// whose scores are averaged.
        restarts: int(1..=64) = 1,
        /// A latent stops when its loss falls by less than this share in 25 evaluations; 0 never.
        search_tolerance: float(0.0..=0.5) = 0.0,
    }
}

params! {
    /// The training of an encoder or of GANomaly.
    pub(super) struct Encoding {
        /// Passes of the encoder's or GANomaly's training.
        encoder_epochs: int(1..=100_000) = 100,
        /// Images a step of the encoder's training.
        encoder_batch_size: int(2..=4096) = 32,
        /// Learning rate of the encoder.
        encoder_learning_rate: float(0.0..=1.0) = 1e-3,
    }
}

params! {
    /// The loss of f-AnoGAN's encoder.
    pub(super) struct Features {
        /// Weight κ of the features in izi_f.
        kappa: float(0.0..=100.0) = 1.0,
    }
}

param_groups! {
    /// All params of a trial.
    pub(super) struct All {
        scoring: Scoring,
        normal: Normal,
        judged: Judged,
        gan: Gan,
        search: Search,
        encoding: Encoding,
        features: Features,
    }
}

impl All {
    /// What the rows are chosen by.
    pub(super) fn rows(&self) -> choose::Rows<'_> {
        choose::Rows {
            normal: &self.normal,
            judged: &self.judged,
            false_positive_rate: self.scoring.false_positive_rate,
        }
    }

    /// What the training of the GAN reads.
    pub(super) fn training(&self) -> train::Input<'_> {
        train::Input {
            normal: &self.normal,
            gan: &self.gan,
        }
    }

    /// What the training of an encoder reads.
    pub(super) fn encoder(&self, method: EncoderMethod) -> encoders::Input<'_> {
        encoders::Input {
            training: self.training(),
            method,
            encoding: &self.encoding,
            features: &self.features,
        }
    }
}

/// The table of all params. Its order enters the ids of trials.
pub(super) const PARAMS: &[Param] = &in_order(
    All::TABLES,
    [
        Scoring::method,
        Normal::normal_digits,
        Judged::anomalous_digits,
        Normal::train_items,
        Judged::validation_items,
        Judged::test_items,
        Judged::evaluation,
        Normal::scaling,
        Normal::image_size,
        Normal::bicubic_a,
        Normal::shift_px,
        Normal::rotation_deg,
        Normal::width,
        Normal::latent_size,
        Gan::epochs,
        Gan::batch_size,
        Gan::learning_rate_g,
        Gan::learning_rate_d,
        Gan::beta1,
        Gan::beta2,
        Gan::initialisation,
        Gan::discriminator_norm,
        Gan::loss,
        Gan::real_label,
        Gan::instance_noise,
        Search::search_iterations,
        Search::search_learning_rate,
        Search::search_lambda,
        Search::search_batch_norm,
        Search::search_batch,
        Search::search_method,
        Scoring::search_start,
        Search::restarts,
        Search::search_tolerance,
        Encoding::encoder_epochs,
        Encoding::encoder_batch_size,
        Encoding::encoder_learning_rate,
        Features::kappa,
        Scoring::lambda,
        Scoring::residual,
        Scoring::components,
        Scoring::false_positive_rate,
        Scoring::fixed_threshold,
        Scoring::pictures,
    ],
);
