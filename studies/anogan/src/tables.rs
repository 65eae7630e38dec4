//! What the study `anogan` declares of itself, and which params do not fit together.

use retrial_core::declare::{concat, count};
use retrial_core::metric::TableDef;
use retrial_core::params::Params;
use retrial_core::study::{Conflict, StudyInfo};
use retrial_image::resize::Bicubic;

use super::params::{
    All, Gan, Judged, Method, Normal, Optimiser, Scoring, Search, SearchNorm, Start,
};
use super::{judge, maps, pictures};

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "anogan",
    revision: 2,
    amendments: &[],
    work: "Schlegl T., Seeböck P., Waldstein S.M., Schmidt-Erfurth U., Langs G. (2017) \
           \"Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker \
           Discovery\", IPMI 2017, arXiv:1703.05921, as reproduced on MNIST by the program \
           AnoGAN-pytorch (wsj-create, commit 246ea56, 2023)",
    deterministic: false,
    uses_device: true,
    cpu_methods: super::BASELINES,
    content_kinds: &["digits"],
    params: All::PARAMS,
    metrics: judge::metric::ALL,
    tables: &concat::<_, { count(TABLES) }>(TABLES),
    files: &[maps::MAPS],
    conflicts,
};

const TABLES: &[&[TableDef]] = &[judge::TABLES, pictures::TABLES];

fn conflicts(params: &Params) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut clash = |param, message: String| conflicts.push(Conflict { param, message });
    let Ok(All {
        scoring,
        normal,
        judged,
        gan,
        search,
        ..
    }) = All::read(params)
    else {
        return conflicts;
    };
    let size = normal.image_size;
    if ![28, 32, 64].contains(&size) {
        clash(
            Normal::image_size,
            format!("{size} is none of 28, 32 and 64"),
        );
    }
    let a = normal.bicubic_a;
    if Bicubic::from_a(a).is_none() {
        clash(Normal::bicubic_a, format!("{a} is neither −0.75 nor −0.5"));
    }
    let mut digits = judged.anomalous_digits.iter();
    if let Some(both) = digits.find(|digit| normal.normal_digits.contains(digit)) {
        let message = format!("digit {both} is among the normal digits, too");
        clash(Judged::anomalous_digits, message);
    }
    for (param, digits) in [
        (Normal::normal_digits, &normal.normal_digits),
        (Judged::anomalous_digits, &judged.anomalous_digits),
    ] {
        let mut numbered = digits.iter().enumerate();
        if let Some((i, digit)) = numbered.find(|(i, digit)| digits[..*i].contains(digit)) {
            let message = format!(
                "digit {digit} stands there twice, the second time as number {}",
                i + 1
            );
            clash(param, message);
        }
    }
    if search.search_batch_norm == SearchNorm::Batch {
        let needs = "search_batch_norm is `batch`";
        if search.search_tolerance != 0.0 {
            let why = "a latent that stops would change the scores of the others";
            clash(Search::search_tolerance, format!("{needs}: {why}"));
        }
        if search.search_restarts != 1 {
            let why = "restarts would change the statistics of the batch";
            clash(Search::search_restarts, format!("{needs}: {why}"));
        }
        if search.search_optimiser == Optimiser::Lbfgs {
            let why = "L-BFGS needs losses that belong to one latent";
            clash(Search::search_optimiser, format!("{needs}: {why}"));
        }
    }
    if scoring.search_start == Start::Encoder && search.search_restarts != 1 {
        clash(
            Search::search_restarts,
            "an encoder gives one start".to_owned(),
        );
    }
    let method = scoring.method;
    if scoring.residual.norm().is_none() && matches!(method, Method::Ganomaly | Method::Ink) {
        let message = format!("the score of {method} compares no images place by place");
        clash(Scoring::residual, message);
    }
    let (items, batch) = (normal.train_items, gan.batch_size);
    let trains_gan = matches!(
        method,
        Method::Anogan | Method::Ziz | Method::Izi | Method::IziF
    );
    if batch > items && trains_gan {
        let message = format!("{batch} images a step, but {items} to train on");
        clash(Gan::batch_size, message);
    }
    let components = scoring.components;
    if method == Method::Pca && components >= items {
        let message = format!(
            "{components} components, but the {items} train_items have {} at most",
            items - 1
        );
        clash(Scoring::components, message);
    }
    conflicts
}
