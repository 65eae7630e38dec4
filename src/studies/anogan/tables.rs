//! The tables of the study `anogan`: metrics, the tables its trials leave, its stages.

use retrial_core::declare::{column, fact, higher, lower};
use retrial_core::metric::{Direction, MetricDef, TableDef};
use retrial_core::params::{ParamValue, Params};
use retrial_core::study::{Conflict, StageDef, StudyInfo};

use super::params::PARAMS;

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "anogan",
    revision: 1,
    amendments: &[],
    work: "Schlegl T., Seeböck P., Waldstein S.M., Schmidt-Erfurth U., Langs G. (2017) \
           \"Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker \
           Discovery\", IPMI 2017, arXiv:1703.05921, as reproduced on MNIST by the program \
           AnoGAN-pytorch (wsj-create, commit 246ea56, 2023)",
    deterministic: false,
    uses_device: true,
    cpu_methods: super::BASELINES,
    content_kinds: &["digits"],
    params: PARAMS,
    metrics: METRICS,
    tables: TABLES,
    stages: STAGES,
    conflicts,
};

/// Params of the data that training sees.
macro_rules! training_data {
    ($($more:literal),* $(,)?) => {
        &[
            "normal_digits", "train_items", "scaling", "image_size", "bicubic_a", "shift_px",
            "rotation_deg", "width", "latent_size", $($more),*
        ]
    };
}

const STAGES: &[StageDef] = &[
    StageDef {
        name: "train",
        params: training_data!(
            "epochs",
            "batch_size",
            "learning_rate_g",
            "learning_rate_d",
            "beta1",
            "beta2",
            "initialisation",
            "discriminator_norm",
            "loss",
            "real_label",
            "instance_noise",
        ),
        inputs: &[],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "encode",
        params: &[
            "method",
            "encoder_epochs",
            "encoder_batch_size",
            "encoder_learning_rate",
            "kappa",
        ],
        inputs: &["train"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "ganomaly",
        params: training_data!(
            "encoder_epochs",
            "encoder_batch_size",
            "encoder_learning_rate"
        ),
        inputs: &[],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "search",
        params: SEARCH,
        inputs: &["train"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "search_from_encoder",
        params: SEARCH,
        inputs: &["train", "encode"],
        uses_data: true,
        uses_seed: true,
    },
];

const SEARCH: &[&str] = &[
    "anomalous_digits",
    "validation_items",
    "test_items",
    "evaluation",
    "search_iterations",
    "search_learning_rate",
    "search_lambda",
    "search_batch_norm",
    "search_batch",
    "search_method",
    "restarts",
    "search_tolerance",
];

const METRICS: &[MetricDef] = &[
    higher(
        "auroc",
        "Area under the ROC curve: the chance that an anomalous item scores above a normal one.",
    ),
    higher(
        "auroc_low",
        "Lower bound of the 95 % bootstrap interval of `auroc` over items.",
    ),
    higher("auroc_high", "Upper bound of that interval."),
    higher(
        "average_precision",
        "Area under the precision-recall curve, by steps.",
    ),
    higher(
        "f1_max",
        "Largest F1 over all thresholds, chosen on the judged items: a bound, not a result.",
    ),
    higher(
        "tpr_at_fpr_1",
        "Share of anomalies found where 1 % of the normal items are flagged.",
    ),
    higher(
        "auroc_against_0",
        "AUROC against normal items of digit 0 only.",
    ),
    higher(
        "auroc_against_1",
        "AUROC against normal items of digit 1 only.",
    ),
    higher(
        "auroc_against_2",
        "AUROC against normal items of digit 2 only.",
    ),
    higher(
        "auroc_against_3",
        "AUROC against normal items of digit 3 only.",
    ),
    higher(
        "auroc_against_4",
        "AUROC against normal items of digit 4 only.",
    ),
    higher(
        "auroc_against_5",
        "AUROC against normal items of digit 5 only.",
    ),
    higher(
        "auroc_against_6",
        "AUROC against normal items of digit 6 only.",
    ),
    higher(
        "auroc_against_7",
        "AUROC against normal items of digit 7 only.",
    ),
    higher(
        "auroc_against_8",
        "AUROC against normal items of digit 8 only.",
    ),
    higher(
        "auroc_against_9",
        "AUROC against normal items of digit 9 only.",
    ),
    higher("auroc_residual", "AUROC of the residual loss alone."),
    higher(
        "auroc_discrimination",
        "AUROC of the discrimination loss alone.",
    ),
    higher(
        "auroc_ink",
        "AUROC of the ink Σ|x| on the same items, without any net.",
    ),
    fact(
        "ink_correlation",
        "Pearson correlation of the score with the ink Σ|x|.",
    ),
    fact(
        "threshold",
        "Threshold chosen on the held-out normal items.",
    ),
    higher("f1", "F1 at `threshold`."),
    higher(
        "true_positive_rate",
        "Share of anomalies above `threshold`.",
    ),
    lower(
        "false_positive_rate_found",
        "Share of normal judged items above `threshold`.",
    ),
    higher(
        "accuracy_at_fixed",
        "Share of items on the right side of `fixed_threshold`.",
    ),
    higher(
        "true_positive_rate_at_fixed",
        "Share of anomalies above `fixed_threshold`.",
    ),
    lower(
        "false_positive_rate_at_fixed",
        "Share of normal items above `fixed_threshold`.",
    ),
    fact("score_1", "Score of the first judged item."),
    fact("score_2", "Score of the second judged item."),
    fact("score_3", "Score of the third judged item."),
    fact("score_4", "Score of the fourth judged item."),
    fact("score_5", "Score of the fifth judged item."),
    fact(
        "ink_score_1",
        "(1 − λ) times the ink of the first judged item: its score if nothing were drawn.",
    ),
    fact("ink_score_2", "The same of the second judged item."),
    fact("ink_score_3", "The same of the third judged item."),
    fact("ink_score_4", "The same of the fourth judged item."),
    fact("ink_score_5", "The same of the fifth judged item."),
    lower("d_loss", "The discriminator's loss in the last epoch."),
    lower("g_loss", "The generator's loss in the last epoch."),
    fact(
        "epoch_of_collapse",
        "First epoch in which the discriminator's loss fell below 0.001; −1 if none did.",
    ),
    higher(
        "density",
        "How densely generated images lie among training images; 1 is what the training images do among themselves.",
    ),
    higher(
        "coverage",
        "Share of training images with a generated one nearby.",
    ),
    higher(
        "spread_ratio",
        "Mean distance between generated images over that between training images; near 0, the generator draws one image.",
    ),
    lower(
        "drawn_to_training",
        "Mean distance of a generated image to the nearest training image, over that between training images.",
    ),
    fact(
        "evaluations",
        "Evaluations of the nets per scored item, on average.",
    ),
    MetricDef {
        name: "seconds_per_image",
        unit: "s",
        direction: Direction::Lower,
        repeatable: false,
        doc: "CPU time to score one image, on this machine.",
    },
    MetricDef {
        name: "seconds_per_evaluation",
        unit: "s",
        direction: Direction::Lower,
        repeatable: false,
        doc: "CPU time of one evaluation of one image, on this machine.",
    },
];

const TABLES: &[TableDef] = &[
    TableDef {
        name: "scores",
        columns: &[
            column("item", "Place among the items of its part, from 1."),
            column("row", "Row of the file, from 0."),
            column("part", "test: judged; validation: held-out normal."),
            column("label", "Digit."),
            column("class", "normal or anomalous."),
            column("residual", "Residual loss R."),
            column(
                "discrimination",
                "Discrimination loss D; empty where the method has none.",
            ),
            column("score", "Score."),
            column(
                "ink",
                "Σ|x − black|, or Σ|x| where the scaling has no black.",
            ),
        ],
        doc: "One row an item.",
    },
    TableDef {
        name: "training",
        columns: &[
            column("epoch", "Epoch, from 1."),
            column("d_loss", "Mean loss of the discriminator."),
            column("g_loss", "Mean loss of the generator."),
            column(
                "d_of_real",
                "Mean probability that the discriminator gives to real images.",
            ),
            column(
                "d_of_fake",
                "Mean probability that it gives to generated images.",
            ),
        ],
        doc: "One row an epoch of the GAN.",
    },
    TableDef {
        name: "iterations",
        columns: &[
            column("iteration", "Iterations of the search so far."),
            column("auroc", "AUROC of the scores at that moment."),
            column("residual", "Mean residual loss."),
            column("discrimination", "Mean discrimination loss."),
        ],
        doc: "How a search goes on.",
    },
    TableDef {
        name: "reweighted",
        columns: &[
            column("lambda", "Weight of D in the score."),
            column("auroc", "AUROC."),
            column("average_precision", "Average precision."),
        ],
        doc: "The same R and D weighted otherwise: no new search.",
    },
    TableDef {
        name: "roc",
        columns: &[
            column("false_positive_rate", "Share of normal items flagged."),
            column("true_positive_rate", "Share of anomalies flagged."),
        ],
        doc: "The ROC curve.",
    },
    TableDef {
        name: "precision_recall",
        columns: &[
            column("recall", "Share of anomalies flagged."),
            column("precision", "Share of flagged items that are anomalous."),
        ],
        doc: "The precision-recall curve.",
    },
    TableDef {
        name: "samples",
        columns: &[
            column("epoch", "Epoch, from 1."),
            column(
                "picture",
                "File: 32 images of the same latents, by running moments.",
            ),
        ],
        doc: "What the generator draws, by epoch.",
    },
    TableDef {
        name: "nearest",
        columns: &[
            column("items", "Number of items shown."),
            column(
                "picture",
                "File: judged items, the image found for each, the difference.",
            ),
        ],
        doc: "What a score is made of.",
    },
    TableDef {
        name: "film",
        columns: &[
            column("iterations", "Iterations shown, separated by blanks."),
            column(
                "picture",
                "File: a row an item; the item, then its image at each of the iterations.",
            ),
        ],
        doc: "A latent search over time.",
    },
];

fn conflicts(params: &Params) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut clash = |param, message: String| conflicts.push(Conflict { param, message });
    let number = |name| params.get(name).and_then(ParamValue::as_f64);
    let is = |name, word: &str| matches!(params.get(name), Some(ParamValue::Text(w)) if w == word);
    if let Some(size) = number("image_size")
        && ![28.0, 32.0, 64.0].contains(&size)
    {
        clash("image_size", format!("{size} is none of 28, 32 and 64"));
    }
    if let Some(a) = number("bicubic_a")
        && a != -0.75
        && a != -0.5
    {
        clash("bicubic_a", format!("{a} is neither −0.75 nor −0.5"));
    }
    if let (Some(ParamValue::List(normal)), Some(ParamValue::List(anomalous))) =
        (params.get("normal_digits"), params.get("anomalous_digits"))
        && let Some(both) = anomalous.iter().find(|digit| normal.contains(digit))
    {
        clash(
            "anomalous_digits",
            format!("digit {both} is among the normal digits, too"),
        );
    }
    for param in ["normal_digits", "anomalous_digits"] {
        if let Some(ParamValue::List(digits)) = params.get(param)
            && let Some((i, digit)) =
                (digits.iter().enumerate()).find(|(i, digit)| digits[..*i].contains(digit))
        {
            clash(
                param,
                format!(
                    "digit {digit} stands there twice, the second time as number {}",
                    i + 1
                ),
            );
        }
    }
    if is("search_batch_norm", "batch") {
        for (param, why) in [
            (
                "search_tolerance",
                "a latent that stops would change the scores of the others",
            ),
            (
                "restarts",
                "restarts would change the statistics of the batch",
            ),
        ] {
            let idle = if param == "restarts" { 1.0 } else { 0.0 };
            if number(param).is_some_and(|value| value != idle) {
                clash(param, format!("search_batch_norm is `batch`: {why}"));
            }
        }
        if is("search_method", "lbfgs") {
            let why = "search_batch_norm is `batch`: L-BFGS needs losses that belong to one latent";
            clash("search_method", why.to_owned());
        }
    }
    if is("search_start", "encoder") && number("restarts").is_some_and(|n| n != 1.0) {
        clash("restarts", "an encoder gives one start".to_owned());
    }
    if is("residual", "local") || is("residual", "local_relative") {
        for method in ["ganomaly", "ink"] {
            if is("method", method) {
                let message = format!("the score of {method} compares no images place by place");
                clash("residual", message);
            }
        }
    }
    let sizes = (number("train_items"), number("batch_size"));
    if let (Some(items), Some(batch)) = sizes
        && batch > items
        && ["anogan", "ziz", "izi", "izi_f"]
            .iter()
            .any(|word| is("method", word))
    {
        clash(
            "batch_size",
            format!("{batch} images a step, but {items} to train on"),
        );
    }
    if let (Some(items), Some(components)) = (sizes.0, number("components"))
        && is("method", "pca")
        && components >= items
    {
        let most = items - 1.0;
        clash(
            "components",
            format!("{components} components, but the {items} train_items have {most} at most"),
        );
    }
    conflicts
}
