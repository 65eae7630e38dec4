//! What can be set in a spec: groups of params, most of them the input of a stage.

use retrial_core::params::NONE;
use retrial_core::{param_groups, params, words};
use retrial_detect::Scaling;
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
        /// Rows of the test file with a normal or an anomalous digit.
        Test = "test",
        /// For making choices: rows of the training file behind all that were trained on or held out. Every digit that
        /// is neither normal nor anomalous stands in for an anomaly.
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
        /// By those of the batch, as published, which couples the items of a batch.
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
        /// Found by an encoder of the loss of `izi_f`.
        Encoder = "encoder",
    }
}

words! {
    /// How an item and the image found for it become a residual.
    pub(super) enum Residual {
        /// Sum of absolute differences.
        L1 = "l1",
        /// Sum of squared differences; a detector without a net takes its root.
        L2 = "l2",
        /// By the place where differences gather: blurred, squared, averaged under a window, of which the largest value
        /// counts.
        Local = "local",
        /// The same divided by the item's ink, so that thin and thick strokes are judged alike.
        LocalPerInk = "local_per_ink" was "local_relative",
    }
}

params! {
    /// How a trial scores.
    pub(super) struct Scoring {
        /// How an item is scored.
        method: word(Method) = Method::Anogan,
        /// Where latents begin. An encoder gives one start, so it goes with one of `search_restarts`.
        search_start: word(Start) = Start::Normal,
        /// Weight λ of the discrimination loss in the score of `anogan`; `none` for `lambda`.
        score_lambda: float_or_none(0.0..=1.0) = NONE,
        /// How differences count in R, and in D of `ziz`, `izi` and `izi_f`. The local ones go neither with `ganomaly`
        /// nor with `ink`.
        residual: word(Residual) = Residual::L1,
        /// Principal components of `pca`, fewer than `train_items`.
        components: int(1..=200) = 20,
        /// Share of normal items that the threshold may flag, judged on held-out normal items.
        target_fpr was "false_positive_rate": float(0.001..=0.5) = 0.05,
        /// Members of an ensemble of `ziz`, `izi` and `izi_f`: generators with an encoder each, trained under the seeds
        /// s, s + 1000, s + 2000 …, whose scores are averaged.
        ensemble_size was "restarts": int(1..=64) = 1,
        /// A threshold given in advance, such as a published one.
        fixed_threshold: float_or_none(1e-9..=1e12) = NONE,
        /// Whether pictures are left beside the record.
        pictures: flag = false,
    }
}

params! {
    /// What is normal, how it is given to the nets, and their size.
    pub(super) struct Normal {
        /// Digits that are normal; none is anomalous, too.
        normal_digits: ints(0..=9) = [7, 8],
        /// The first so many normal rows of the training file.
        train_items: int(2..=60_000) = 400,
        /// Grey levels as the nets see them.
        scaling: word(Scaling) = Scaling::Tanh,
        /// Side of the images of the nets, px: 28, 32 or 64. Digits are resized to it.
        image_size: int(28..=64) = 64,
        /// Bicubic kernel of the resize: −0.75 without antialiasing, as published, −0.5 with it.
        bicubic_a: float(-0.75..=-0.5) = -0.75,
        /// Largest random shift of a training image in each epoch, px of the original.
        shift_px: float(0.0..=8.0) = 0.0,
        /// Largest random turn of a training image in each epoch, degrees.
        rotation_deg: float(0.0..=45.0) = 0.0,
        /// Channels of the layer next to the image, doubled at every halving; 64 as published.
        base_channels was "width": int(1..=256) = 16,
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
        /// Where judged rows come from.
        evaluation_split was "evaluation": word(Evaluation) = Evaluation::Test,
    }
}

params! {
    /// The training of the GAN.
    pub(super) struct Gan {
        /// Passes over the training items.
        epochs: int(1..=100_000) = 130,
        /// Images a training step, no more than `train_items`.
        batch_size: int(2..=4096) = 32,
        /// Learning rate of the generator.
        learning_rate_g: float(0.0..=1.0) = 1e-3,
        /// Learning rate of the discriminator.
        learning_rate_d: float(0.0..=1.0) = 1e-4,
        /// Decay of Adam's first moment, in both nets.
        beta1: float(0.0..=0.9999) = 0.5,
        /// Decay of Adam's second moment, in both nets.
        beta2: float(0.0..=0.999_999) = 0.999,
        /// What weights start from.
        initialisation: word(Initialisation) = Initialisation::Torch,
        /// What stands behind the discriminator's convolutions.
        discriminator_norm: word(Normalisation) = Normalisation::Batch,
        /// Losses of the two nets.
        loss: word(Loss) = Loss::CrossEntropy,
        /// One-sided label smoothing of cross entropy: the discriminator is asked for 1 less this of real images
        /// (Salimans et al. 2016, arXiv:1606.03498).
        label_smoothing was "real_label": float(0.0..=0.5) = 0.0,
        /// Standard deviation of noise on every image that the discriminator sees.
        instance_noise: float(0.0..=10.0) = 0.0,
    }
}

params! {
    /// The search for latents.
    pub(super) struct Search {
        /// Most evaluations of a latent.
        search_iterations: int(0..=100_000) = 150,
        /// Adam's learning rate in the search; L-BFGS has none.
        search_learning_rate: float(0.0..=10.0) = 0.03,
        /// Weight λ of the discrimination loss in the search, and in the score; at 0 the discriminator is not
        /// evaluated.
        lambda was "search_lambda": float(0.0..=1.0) = 0.1,
        /// Moments by which the nets normalise in the search. Those of the batch go neither with `search_tolerance`,
        /// nor with several `search_restarts`, nor with `lbfgs`: each would change what all items of the batch share.
        search_batch_norm: word(SearchNorm) = SearchNorm::Running,
        /// Items searched together, each with all its restarts.
        search_batch_size was "search_batch": int(1..=1024) = 32,
        /// How latents are moved.
        search_optimiser was "search_method": word(Optimiser) = Optimiser::Adam,
        /// Searches an item, of which the one with the least search loss counts.
        search_restarts was "restarts": int(1..=64) = 1,
        /// A latent stops when its loss falls by less than this share in 25 evaluations; 0 never.
        search_tolerance: float(0.0..=0.5) = 0.0,
    }
}

params! {
    /// The training of an encoder or of GANomaly.
    pub(super) struct Encoding {
        /// Passes of the encoder's or GANomaly's training, by Adam with β 0.5 and 0.999.
        encoder_epochs: int(1..=100_000) = 100,
        /// Images a step of that training.
        encoder_batch_size: int(2..=4096) = 32,
        /// Learning rate of that training.
        encoder_learning_rate: float(0.0..=1.0) = 1e-3,
    }
}

params! {
    /// The loss of f-AnoGAN's encoder.
    pub(super) struct Features {
        /// Weight κ of the features in `izi_f`.
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
            target_fpr: self.scoring.target_fpr,
        }
    }

    /// The weight of D in the score.
    pub(super) fn score_lambda(&self) -> f64 {
        self.scoring.score_lambda.unwrap_or(self.search.lambda)
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
