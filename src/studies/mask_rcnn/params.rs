//! What can be set in a spec.

use retrial_core::declare::{flag, int, ints, number, word};
use retrial_core::params::Param;

pub(super) const PARAMS: &[Param] = &[
    // Pictures.
    word(
        "split",
        &["cameras", "frames"],
        "Pictures that are judged: of other cameras and days than those trained on (`test_presets`, and \
         the last quarter by number of sets without presets), or every fourth picture. Generated \
         scenes have no camera: every fourth is judged.",
    ),
    ints(
        "test_presets",
        &[10, 11],
        (0, 999),
        "Camera presets that are judged where `split` is `cameras`.",
    ),
    int(
        "image_width",
        160,
        (32, 2048),
        "Columns of the pictures of the nets.",
    ),
    int(
        "image_height",
        128,
        (32, 2048),
        "Rows of the pictures of the nets.",
    ),
    word(
        "input",
        &["gray", "temperature"],
        "What the nets see: grey values of the camera's picture, or temperatures between \
         `coldest_c` and `hottest_c` where the camera gave them.",
    ),
    number(
        "coldest_c",
        -20.0,
        (-80.0, 400.0),
        "Temperature shown as black, °C.",
    ),
    number(
        "hottest_c",
        60.0,
        (-70.0, 600.0),
        "Temperature shown as white, °C.",
    ),
    int(
        "least_instances",
        10,
        (1, 100_000),
        "Classes with fewer labelled objects are left out.",
    ),
    int(
        "train_pictures",
        0,
        (0, 1_000_000),
        "Training pictures, drawn evenly; 0 for all.",
    ),
    // The net.
    word(
        "method",
        &["mask_rcnn", "faster_rcnn", "classical"],
        "Detector: with a mask head, without, or k-means and maximum entropy with moment \
         invariants and a support vector machine.",
    ),
    word(
        "backbone",
        &[
            "resnet18",
            "resnet34",
            "resnet50",
            "resnet101",
            "efficientnet_lite0",
        ],
        "Blocks of the body.",
    ),
    int(
        "width",
        16,
        (4, 128),
        "Channels of the body's first stage; 64 as published. `efficientnet_lite0` has its own.",
    ),
    word(
        "normalisation",
        &["batch", "running"],
        "Normalisation in training: by the moments of the batch, or by running ones that stay.",
    ),
    int(
        "pyramid_channels",
        32,
        (4, 1024),
        "Channels of the feature pyramid.",
    ),
    int(
        "representation",
        128,
        (4, 4096),
        "Features of a region in the box head.",
    ),
    number(
        "anchor_px",
        8.0,
        (4.0, 256.0),
        "Side of the smallest anchors; doubled at every level.",
    ),
    number(
        "canonical_px",
        64.0,
        (8.0, 1024.0),
        "Side of a region that is read at stride 16; 224 as published.",
    ),
    int("mask_channels", 32, (4, 1024), "Channels of the mask head."),
    int(
        "mask_convolutions",
        4,
        (1, 8),
        "Convolutions of the mask head.",
    ),
    // Pretraining.
    word(
        "pretraining",
        &["none", "uniform", "similarity", "imagenet"],
        "What the body has seen before: nothing, pictures of the source domain drawn alike, or \
         drawn by their similarity to the training pictures; or what those who trained the data \
         set's weights had seen, ImageNet.",
    ),
    word(
        "texture",
        &["properties", "matrix"],
        "What of the grey-level co-occurrence matrix is compared: six properties, or the matrix.",
    ),
    int("texture_levels", 32, (2, 256), "Grey levels of the matrix."),
    flag(
        "texture_standardised",
        true,
        "Whether features are divided by their standard deviation.",
    ),
    number(
        "bandwidth",
        1.0,
        (1e-6, 1e6),
        "h of exp(−d² / h²); 1 as published.",
    ),
    word(
        "reduction",
        &["mean", "max", "to_mean"],
        "From the similarities to all target pictures to one weight.",
    ),
    int(
        "source_draws",
        8000,
        (1, 10_000_000),
        "Pictures drawn from the source domain, with replacement.",
    ),
    int(
        "source_epochs",
        5,
        (1, 1000),
        "Passes over the pictures drawn.",
    ),
    int(
        "source_batch",
        64,
        (2, 4096),
        "Pictures a step of the pretraining.",
    ),
    number(
        "source_learning_rate",
        0.05,
        (0.0, 10.0),
        "Learning rate of the pretraining; falls as a cosine.",
    ),
    // Training of the detector.
    int("iterations", 800, (1, 10_000_000), "Steps."),
    int("batch_size", 8, (1, 256), "Pictures a step."),
    number("learning_rate", 0.02, (0.0, 10.0), "Learning rate."),
    number(
        "momentum",
        0.9,
        (0.0, 0.9999),
        "Momentum; 0.99 as published.",
    ),
    number(
        "weight_decay",
        1e-4,
        (0.0, 1.0),
        "Share of a weight added to its gradient.",
    ),
    number(
        "clip_norm",
        5.0,
        (0.0, 1e9),
        "Largest norm of the gradients; 0 for any.",
    ),
    int(
        "warm_up",
        50,
        (0, 1_000_000),
        "Steps over which the learning rate rises from a hundredth.",
    ),
    number(
        "first_decay",
        0.7,
        (0.0, 1.0),
        "Share of the steps behind which the rate is a tenth; 1 never.",
    ),
    number(
        "second_decay",
        0.9,
        (0.0, 1.0),
        "Share of the steps behind which it is a hundredth; 1 never.",
    ),
    int(
        "frozen_parts",
        0,
        (0, 5),
        "Parts of the body that stay: the stem, then stages.",
    ),
    word(
        "match_rule",
        &["torchvision", "published"],
        "What an anchor answers for: thresholds 0.7 and 0.3, or the publication's one of 0.5 without a \
         band that is ignored.",
    ),
    int(
        "anchors_drawn",
        64,
        (2, 100_000),
        "Anchors of a picture that the losses look at.",
    ),
    int(
        "regions_drawn",
        48,
        (2, 100_000),
        "Proposals of a picture that the losses look at.",
    ),
    int(
        "train_proposals",
        200,
        (1, 100_000),
        "Proposals of a training picture.",
    ),
    // Augmentation.
    flag(
        "flip",
        true,
        "Whether half of the training pictures are mirrored.",
    ),
    number(
        "gain",
        0.2,
        (0.0, 0.9),
        "Largest change of the contrast, as a share.",
    ),
    number(
        "offset",
        0.1,
        (0.0, 1.0),
        "Largest change of the brightness, of a range of 1.",
    ),
    number(
        "inversion",
        0.0,
        (0.0, 1.0),
        "Share of the training pictures whose temperatures are turned round.",
    ),
    number(
        "rotation_deg",
        0.0,
        (0.0, 90.0),
        "Largest rotation, degrees.",
    ),
    number(
        "shear",
        0.0,
        (0.0, 0.5),
        "Largest shear, px of x a px of y.",
    ),
    number(
        "rescale",
        0.0,
        (0.0, 0.5),
        "Largest change of the scale, as a share.",
    ),
    // Masks.
    word(
        "mask_training",
        &["joint", "alone"],
        "Masks are learnt with the boxes, or behind them on features of a detector that stays.",
    ),
    word(
        "mask_predictor",
        &["per_class", "agnostic", "transfer"],
        "Last weights of the mask head: one set a class, one for all, or made from the box head's.",
    ),
    word(
        "transfer_from",
        &["both", "class", "box"],
        "Weights of the box head that describe a class.",
    ),
    int(
        "transfer_layers",
        2,
        (1, 3),
        "Layers of the weight transfer function.",
    ),
    word(
        "transfer_between",
        &["leaky_relu", "relu"],
        "What stands between them.",
    ),
    flag(
        "transfer_gradient",
        false,
        "Whether the mask loss reaches the box head through the transfer; matters in joint training.",
    ),
    word(
        "transfer_form",
        &["plain", "residual"],
        "Transferred weights as they are, or added to weights that all classes share.",
    ),
    flag(
        "transfer_perceptron",
        false,
        "Whether a class-agnostic perceptron draws beside the transfer.",
    ),
    int(
        "masks_per_class",
        0,
        (0, 100_000),
        "Training pictures a class whose masks are known; 0 for all.",
    ),
    int(
        "class_without_masks",
        0,
        (0, 1000),
        "The class, from 1, whose masks are unknown in training; 0 for none.",
    ),
    int(
        "mask_iterations",
        600,
        (1, 1_000_000),
        "Steps of the mask head alone.",
    ),
    int(
        "mask_batch",
        16,
        (1, 4096),
        "Regions a step of the mask head alone.",
    ),
    number(
        "mask_learning_rate",
        1e-3,
        (0.0, 1.0),
        "Learning rate of the mask head alone, by Adam.",
    ),
    int(
        "mask_jitters",
        3,
        (1, 64),
        "Moved boxes of every object that the mask head alone sees.",
    ),
    int(
        "classes_with_masks",
        0,
        (0, 1000),
        "Number of classes, drawn, whose masks are known in training; 0 for all.",
    ),
    // Parts.
    flag(
        "parts",
        false,
        "Whether a head is trained, behind the boxes, that divides devices into parts.",
    ),
    int(
        "part_iterations",
        600,
        (1, 1_000_000),
        "Steps of the parts head.",
    ),
    number(
        "part_learning_rate",
        1e-3,
        (0.0, 1.0),
        "Learning rate of the parts head, by Adam.",
    ),
    // Detection.
    int(
        "proposals",
        100,
        (1, 100_000),
        "Proposals of a picture; 300 as published.",
    ),
    int(
        "detections",
        100,
        (1, 10_000),
        "Most detections of a picture.",
    ),
    number(
        "confidence",
        0.05,
        (0.0, 1.0),
        "Least confidence of a detection.",
    ),
    number(
        "nms",
        0.5,
        (0.0, 1.0),
        "Overlap above which the less confident box of a class is dropped.",
    ),
    number(
        "mask_threshold",
        0.5,
        (0.0, 1.0),
        "Least probability of a pixel of a mask.",
    ),
];
