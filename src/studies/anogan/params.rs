//! What can be set in a spec.

use retrial_core::declare::{flag, int, ints, number, word};
use retrial_core::params::Param;

pub(super) const PARAMS: &[Param] = &[
    word(
        "method",
        &[
            "anogan",
            "ziz",
            "izi",
            "izi_f",
            "ganomaly",
            "ink",
            "mean_image",
            "nearest_neighbour",
            "pca",
        ],
        "How an item is scored: by latent search, by an encoder trained with one of the losses of \
         f-AnoGAN, by GANomaly, or by a detector without a net.",
    ),
    // What is normal, and how it is given to the nets.
    ints("normal_digits", &[7, 8], (0, 9), "Digits that are normal."),
    ints(
        "anomalous_digits",
        &[2],
        (0, 9),
        "Digits that are anomalous.",
    ),
    int(
        "train_items",
        400,
        (2, 60_000),
        "The first so many normal rows of the training file.",
    ),
    int(
        "validation_items",
        200,
        (0, 20_000),
        "The next so many normal rows, held out: thresholds are chosen on them.",
    ),
    int(
        "test_items",
        600,
        (1, 10_000),
        "The first so many rows that are judged.",
    ),
    word(
        "evaluation",
        &["test", "validation"],
        "Judged rows: normal and anomalous digits of the test file; or, for making choices, rows \
         of the training file behind all others, every digit that is neither normal nor \
         anomalous standing in for an anomaly.",
    ),
    word(
        "scaling",
        &["tanh", "unit", "raw255"],
        "Grey levels as the nets see them: in −1..1, normalised by MNIST's constants, or those \
         constants on undivided grey levels, as published.",
    ),
    int(
        "image_size",
        64,
        (28, 64),
        "Side of the images of the nets: 28, 32 or 64.",
    ),
    number(
        "bicubic_a",
        -0.75,
        (-0.75, -0.5),
        "Bicubic kernel of the resize: −0.75 without antialias, −0.5 with.",
    ),
    number(
        "shift_px",
        0.0,
        (0.0, 8.0),
        "Largest random shift of a training image, px.",
    ),
    number(
        "rotation_deg",
        0.0,
        (0.0, 45.0),
        "Largest random turn of a training image, degrees.",
    ),
    // The GAN.
    int(
        "width",
        16,
        (1, 256),
        "Channels next to the image; doubled at every halving.",
    ),
    int("latent_size", 20, (1, 1000), "Length of a latent."),
    int(
        "epochs",
        130,
        (1, 100_000),
        "Passes over the training items.",
    ),
    int("batch_size", 32, (2, 4096), "Images a training step."),
    number(
        "learning_rate_g",
        1e-3,
        (0.0, 1.0),
        "Learning rate of the generator.",
    ),
    number(
        "learning_rate_d",
        1e-4,
        (0.0, 1.0),
        "Learning rate of the discriminator.",
    ),
    number("beta1", 0.5, (0.0, 0.9999), "Decay of Adam's first moment."),
    number(
        "beta2",
        0.999,
        (0.0, 0.999_999),
        "Decay of Adam's second moment.",
    ),
    word(
        "initialisation",
        &["torch", "dcgan"],
        "What weights start from.",
    ),
    word(
        "discriminator_norm",
        &["batch", "none", "spectral"],
        "What stands behind the discriminator's convolutions.",
    ),
    word(
        "loss",
        &["cross_entropy", "hinge"],
        "Losses of the two nets.",
    ),
    number(
        "real_label",
        1.0,
        (0.5, 1.0),
        "What the discriminator shall say of real images.",
    ),
    number(
        "instance_noise",
        0.0,
        (0.0, 10.0),
        "Standard deviation of noise on every image that the discriminator sees.",
    ),
    // The search.
    int(
        "search_iterations",
        150,
        (0, 100_000),
        "Most evaluations of a latent.",
    ),
    number(
        "search_learning_rate",
        0.03,
        (0.0, 10.0),
        "Learning rate of the search by Adam.",
    ),
    number(
        "search_lambda",
        0.1,
        (0.0, 1.0),
        "Weight λ of the discrimination loss in the search.",
    ),
    word(
        "search_batch_norm",
        &["running", "batch"],
        "Normalisation in the search: by running moments, or by those of the batch, as published.",
    ),
    int("search_batch", 32, (1, 1024), "Images searched together."),
    word(
        "search_method",
        &["adam", "lbfgs"],
        "How latents are moved.",
    ),
    word(
        "search_start",
        &["normal", "encoder"],
        "Where latents begin: drawn, or found by an encoder.",
    ),
    int(
        "restarts",
        1,
        (1, 64),
        "Of a search: starts per item, of which the best is kept. Of the methods ziz, izi and \
         izi_f: generators with an encoder each, trained under the seeds s, s + 1000, s + 2000 …, \
         whose scores are averaged.",
    ),
    number(
        "search_tolerance",
        0.0,
        (0.0, 0.5),
        "A latent stops when its loss falls by less than this share in 25 evaluations; 0 never.",
    ),
    // Encoders.
    int(
        "encoder_epochs",
        100,
        (1, 100_000),
        "Passes of the encoder's or GANomaly's training.",
    ),
    int(
        "encoder_batch_size",
        32,
        (2, 4096),
        "Images a step of the encoder's training.",
    ),
    number(
        "encoder_learning_rate",
        1e-3,
        (0.0, 1.0),
        "Learning rate of the encoder.",
    ),
    number(
        "kappa",
        1.0,
        (0.0, 100.0),
        "Weight κ of the features in izi_f.",
    ),
    // The score.
    number(
        "lambda",
        0.1,
        (0.0, 1.0),
        "Weight λ of the discrimination loss in the score.",
    ),
    word(
        "residual",
        &["l1", "l2", "local", "local_relative"],
        "Differences count by themselves; squared; by the place where they gather (blurred, \
         squared, averaged under a window, of which the largest value counts); or so, and the \
         score divided by the item's ink, so that thin and thick strokes are judged alike.",
    ),
    int(
        "components",
        20,
        (1, 200),
        "Principal components of the baseline pca.",
    ),
    number(
        "false_positive_rate",
        0.05,
        (0.001, 0.5),
        "Share of normal items that the threshold may flag, judged on held-out normal items.",
    ),
    number(
        "fixed_threshold",
        0.0,
        (0.0, 1e12),
        "A threshold given in advance, such as a published one; 0 for none.",
    ),
    flag(
        "pictures",
        false,
        "Whether pictures are left beside the record.",
    ),
];
