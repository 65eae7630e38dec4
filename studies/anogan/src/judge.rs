//! What is said of the scores: metrics, tables, pictures.

use retrial_core::metric::MetricDef;
use retrial_core::{metrics, rows};
use retrial_detect::{DetectError, Items as Rows};
use retrial_detect::{
    bootstrap, confusion, correlation, generator, precision_recall, roc, threshold,
};
use retrial_runner::{Context, TrialError};

use super::items::{Items, Part};
use super::params::{All, Evaluation};
use super::pictures;
use super::score::{Scored, Scores, weighted};
use super::search::Searched;
use super::train::{Trained, drawn_from};

/// Below this loss the discriminator has won.
const COLLAPSED: f64 = 1e-3;
/// Images that judge a generator.
const DRAWN: usize = 400;
/// Neighbours that judge a generator.
const NEIGHBOURS: usize = 5;

metrics! {
    /// What is measured of the scores of a trial.
    pub(super) mod metric {
        /// Area under the ROC curve: the chance that an anomalous item scores above a normal one.
        auroc: higher,
        /// Lower bound of the 95 % interval of `auroc` over items, by 2,000 bootstrap draws within each class. It says
        /// nothing of other trainings; seeds do.
        auroc_low: higher,
        /// Upper bound of that interval.
        auroc_high: higher,
        /// Area under the precision-recall curve, by steps.
        average_precision: higher,
        /// Largest F1 over all thresholds, chosen on the judged items: a bound, not a result.
        f1_max: higher,
        /// Share of anomalies found where 1 % of the normal items are flagged.
        tpr_at_fpr_001 = "tpr_at_fpr_0.01" was "tpr_at_fpr_1": higher,
        /// AUROC of the residual loss alone.
        auroc_residual: higher,
        /// AUROC of the discrimination loss alone.
        auroc_discrimination: higher,
        /// AUROC of the ink of the same items, without any net.
        auroc_ink: higher,
        /// Pearson correlation of the score with the ink.
        ink_correlation: fact,
        /// Conformal quantile of the held-out normal items at `target_fpr`; needs at least 1 / rate − 1 of
        /// them.
        threshold: fact,
        /// F1 at `threshold`.
        f1: higher,
        /// Share of anomalies above `threshold`.
        true_positive_rate: higher,
        /// Share of normal judged items above `threshold`.
        false_positive_rate was "false_positive_rate_found": lower,
        /// Share of items on the right side of `fixed_threshold`.
        accuracy_at_fixed: higher,
        /// Share of anomalies above `fixed_threshold`.
        true_positive_rate_at_fixed: higher,
        /// Share of normal items above `fixed_threshold`.
        false_positive_rate_at_fixed: lower,
        /// Score of the first judged item.
        score_1: fact,
        /// Score of the second judged item.
        score_2: fact,
        /// Score of the third judged item.
        score_3: fact,
        /// Score of the fourth judged item.
        score_4: fact,
        /// Score of the fifth judged item.
        score_5: fact,
        /// The discriminator's loss in the last epoch.
        d_loss: lower,
        /// The generator's loss in the last epoch.
        g_loss: lower,
        /// First epoch in which the discriminator's loss fell below 0.001; −1 if none did.
        epoch_of_collapse: fact,
        /// How densely 400 generated images lie among up to 400 training images (Naeem et al. 2020, arXiv:2002.09797;
        /// five neighbours, L2 on pixels); 1 is what the training images do among themselves.
        density: higher,
        /// Share of those training images with a generated one nearby.
        coverage: higher,
        /// Mean distance between generated images over that between training images; near 0, the generator draws
        /// one image.
        pairwise_distance_ratio was "spread_ratio": higher,
        /// Mean distance of a generated image to the nearest training image, over that between training images.
        nearest_distance_ratio was "drawn_to_training": lower,
        /// Evaluations of the nets an item, over all its restarts; 1 without a search.
        evaluations: fact,
        /// `seconds_per_evaluation` times `evaluations`.
        seconds_per_image: lower "s" measured,
        /// CPU time an item, all threads, of one evaluation; of a detector without a net, fitting included.
        seconds_per_evaluation: lower "s" measured,
    }
}

rows! {
    /// What is said of a training, its scores and what they tell apart.
    pub(super) const TABLES;

    /// One row an item.
    pub(super) struct ScoreRow in "scores" {
        /// Place among the items of its part, from 1.
        item: usize;
        /// Row of the file, from 0.
        row: usize;
        /// test: judged; validation: held-out normal.
        part: &'static str;
        /// Digit.
        label: usize;
        /// normal or anomalous.
        class: &'static str;
        /// Residual loss R.
        residual: f64;
        /// Discrimination loss D; `NaN` where the method has none.
        discrimination: f64;
        /// Score.
        score: f64;
        /// Σ|x − black|, or Σ|x| where the scaling has no black.
        ink: f64;
        /// (1 − λ) times the ink: the score of `anogan` if nothing were drawn and D were nothing.
        ink_score: f64;
    }

    /// AUROC of the anomalies against the normal items of one digit only.
    pub(super) struct LabelRow in "auroc_by_label" {
        /// Digit of the normal items.
        label: usize;
        /// AUROC.
        auroc: f64;
    }

    /// One row an epoch of the GAN.
    pub(super) struct TrainingRow in "training" {
        /// Epoch, from 1.
        epoch: usize;
        /// Mean loss of the discriminator.
        d_loss: f64;
        /// Mean loss of the generator.
        g_loss: f64;
        /// Mean probability that the discriminator gives to real images.
        d_of_real: f64;
        /// Mean probability that it gives to generated images.
        d_of_fake: f64;
    }

    /// How a search goes on, at the iterations 0, 1, 2, 5, 10, … and the last.
    pub(super) struct IterationRow in "iterations" {
        /// Iterations of the search so far.
        iteration: usize;
        /// AUROC of the scores at that moment.
        auroc: f64;
        /// Mean residual loss.
        residual: f64;
        /// Mean discrimination loss.
        discrimination: f64;
    }

    /// The same R and D weighted otherwise, λ from 0 to 1 by 0.05: no new search.
    pub(super) struct LambdaSweepRow in "lambda_sweep" was "reweighted" {
        /// Weight of D in the score.
        score_lambda was "lambda": f64;
        /// AUROC.
        auroc: f64;
        /// Average precision.
        average_precision: f64;
    }

    /// The ROC curve.
    pub(super) struct RocRow in "roc" {
        /// Share of normal items flagged.
        false_positive_rate: f64;
        /// Share of anomalies flagged.
        true_positive_rate: f64;
    }

    /// The precision-recall curve.
    pub(super) struct PrecisionRecallRow in "precision_recall" {
        /// Share of anomalies flagged.
        recall: f64;
        /// Share of flagged items that are anomalous.
        precision: f64;
    }
}

/// The scores of the first items.
const FIRST_SCORES: [MetricDef; 5] = [
    metric::score_1,
    metric::score_2,
    metric::score_3,
    metric::score_4,
    metric::score_5,
];

/// Reports the metrics, tables and pictures of a trial.
pub(super) fn judge(
    context: &mut Context,
    params: &All,
    items: &Items,
    scored: &Scored,
) -> Result<(), TrialError> {
    let scores = &scored.test.score;
    if let Some(bad) = scores.iter().position(|score| !score.is_finite()) {
        return Err(TrialError::Other(format!(
            "the score of item {} is {}",
            bad + 1,
            scores[bad]
        )));
    }
    ink(context, items, scored)?;
    for (metric, score) in FIRST_SCORES.into_iter().zip(scores) {
        context.metric(metric, *score)?;
    }
    let lambda = params.score_lambda();
    let labels = &items.test.anomalous;
    let both = labels.iter().any(|a| *a) && labels.iter().any(|a| !*a);
    if both {
        detection(context, items, scored)?;
        if !is_choice(params.judged.evaluation_split, scores.len()) {
            curves(context, scores, labels)?;
        }
    }
    if let Some(threshold) = params.scoring.fixed_threshold {
        at_fixed_threshold(context, threshold, scores, labels)?;
    }
    if !scored.validation.score.is_empty() {
        chosen_threshold(context, params.scoring.target_fpr, scored, labels)?;
    }
    if let Some(trained) = &scored.trained {
        quality(context, items, trained)?;
    }
    if let Some(searched) = &scored.searched
        && both
    {
        iterations(context, lambda, searched, labels)?;
    }
    context.metric(metric::evaluations, scored.evaluations)?;
    context.metric(metric::seconds_per_evaluation, scored.seconds)?;
    context.metric(
        metric::seconds_per_image,
        scored.seconds * scored.evaluations,
    )?;
    scores_table(context, lambda, items, scored)?;
    match params.scoring.pictures {
        true => pictures::draw(context, items, scored),
        false => Ok(()),
    }
}

/// Area under the ROC curve, and everything else that compares the two classes.
fn detection(context: &mut Context, items: &Items, scored: &Scored) -> Result<(), TrialError> {
    let Scores {
        residual,
        discrimination,
        score,
    } = &scored.test;
    let labels = &items.test.anomalous;
    let mut stream = context.seed().stream("bootstrap");
    let resampling = bootstrap::Resampling::default();
    let interval = bootstrap::interval(score, labels, resampling, &mut stream, roc::auroc)
        .map_err(TrialError::of)?;
    context.metric(metric::auroc, interval.estimate)?;
    context.metric(metric::auroc_low, interval.lower)?;
    context.metric(metric::auroc_high, interval.upper)?;
    let ap = precision_recall::average_precision(score, labels).map_err(TrialError::of)?;
    context.metric(metric::average_precision, ap)?;
    let best = precision_recall::best_f1(score, labels).map_err(TrialError::of)?;
    context.metric(metric::f1_max, best.f1)?;
    let at_1 = roc::true_positive_rate_at(score, labels, 0.01).map_err(TrialError::of)?;
    context.metric(metric::tpr_at_fpr_001, at_1)?;
    let alone = roc::auroc(residual, labels).map_err(TrialError::of)?;
    context.metric(metric::auroc_residual, alone)?;
    if !discrimination.is_empty() {
        let alone = roc::auroc(discrimination, labels).map_err(TrialError::of)?;
        context.metric(metric::auroc_discrimination, alone)?;
    }
    let ink = roc::auroc(&items.ink(&items.test), labels).map_err(TrialError::of)?;
    context.metric(metric::auroc_ink, ink)?;
    let mut rows = Vec::new();
    for digit in 0..=9 {
        if let Some(auroc) = against(&items.test, score, digit) {
            rows.push(LabelRow {
                label: digit.into(),
                auroc: auroc.map_err(TrialError::of)?,
            });
        }
    }
    context.rows(&rows)?;
    if !discrimination.is_empty() {
        lambda_sweep(context, &scored.test, labels)?;
    }
    Ok(())
}

/// Rows up to which a trial that serves a choice leaves its curves.
const CHOICE_ROWS: usize = 1000;

/// Whether metrics and scores are enough: the curves of thousands of held-out rows follow from them.
fn is_choice(evaluation: Evaluation, rows: usize) -> bool {
    evaluation == Evaluation::Validation && rows > CHOICE_ROWS
}

/// The curves behind the areas.
fn curves(context: &mut Context, score: &[f64], labels: &[bool]) -> Result<(), TrialError> {
    let curve = roc::curve(score, labels).map_err(TrialError::of)?;
    let rows = curve.iter().map(|point| RocRow {
        false_positive_rate: point.false_positive_rate,
        true_positive_rate: point.true_positive_rate,
    });
    context.rows(&rows.collect::<Vec<_>>())?;
    let curve = precision_recall::curve(score, labels).map_err(TrialError::of)?;
    let rows = curve.iter().map(|point| PrecisionRecallRow {
        recall: point.recall,
        precision: point.precision,
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// AUROC with the normal items of one digit only; `None` where there is none.
fn against(part: &Part, score: &[f64], digit: u8) -> Option<Result<f64, DetectError>> {
    let kept = |at: &usize| part.anomalous[*at] || part.labels[*at] == digit;
    let kept: Vec<usize> = (0..part.len()).filter(kept).collect();
    let labels: Vec<bool> = kept.iter().map(|&at| part.anomalous[at]).collect();
    if labels.iter().all(|anomalous| *anomalous) {
        return None;
    }
    let score: Vec<f64> = kept.iter().map(|&at| score[at]).collect();
    Some(roc::auroc(&score, &labels))
}

/// Other weights of the same losses.
fn lambda_sweep(context: &mut Context, scores: &Scores, labels: &[bool]) -> Result<(), TrialError> {
    let lambdas = (0..=20).map(|step| f64::from(step) / 20.0);
    let rows = lambdas.map(|lambda| {
        let score = weighted(lambda, &scores.residual, &scores.discrimination);
        Ok(LambdaSweepRow {
            score_lambda: lambda,
            auroc: roc::auroc(&score, labels).map_err(TrialError::of)?,
            average_precision: precision_recall::average_precision(&score, labels)
                .map_err(TrialError::of)?,
        })
    });
    context.rows(&rows.collect::<Result<Vec<_>, TrialError>>()?)
}

fn ink(context: &mut Context, items: &Items, scored: &Scored) -> Result<(), TrialError> {
    let ink = items.ink(&items.test);
    match correlation::pearson(&scored.test.score, &ink) {
        Ok(r) => context.metric(metric::ink_correlation, r),
        // One item, or equal scores: no correlation is defined.
        Err(_) => Ok(()),
    }
}

fn at_fixed_threshold(
    context: &mut Context,
    threshold: f64,
    scores: &[f64],
    labels: &[bool],
) -> Result<(), TrialError> {
    let counts = confusion::at_threshold(scores, labels, threshold).map_err(TrialError::of)?;
    context.metric_if_any(metric::accuracy_at_fixed, known(counts.accuracy()))?;
    context.metric_if_any(metric::true_positive_rate_at_fixed, known(counts.recall()))?;
    context.metric_if_any(
        metric::false_positive_rate_at_fixed,
        known(counts.false_positive_rate()),
    )
}

/// A threshold from the held-out normal items alone, and what it does to the judged ones.
fn chosen_threshold(
    context: &mut Context,
    rate: f64,
    scored: &Scored,
    labels: &[bool],
) -> Result<(), TrialError> {
    let Ok(threshold) = threshold::conformal(&scored.validation.score, rate) else {
        // Too few held-out items for so small a rate: no threshold is given.
        return Ok(());
    };
    let counts =
        confusion::at_threshold(&scored.test.score, labels, threshold).map_err(TrialError::of)?;
    context.metric(metric::threshold, threshold)?;
    context.metric_if_any(metric::f1, known(counts.f1()))?;
    context.metric_if_any(metric::true_positive_rate, known(counts.recall()))?;
    context.metric_if_any(
        metric::false_positive_rate,
        known(counts.false_positive_rate()),
    )
}

/// A rate, unless its class is empty.
fn known(rate: f64) -> Option<f64> {
    (!rate.is_nan()).then_some(rate)
}

/// How well the generator draws, and how the training went.
fn quality(context: &mut Context, items: &Items, trained: &Trained) -> Result<(), TrialError> {
    let losses = &trained.losses;
    if let Some(last) = losses.last() {
        context.metric(metric::d_loss, last.discriminator)?;
        context.metric(metric::g_loss, last.generator)?;
    }
    let collapsed = losses.iter().position(|l| l.discriminator < COLLAPSED);
    context.metric(
        metric::epoch_of_collapse,
        collapsed.map_or(-1.0, |at| at as f64 + 1.0),
    )?;
    let rows = (1..).zip(losses).map(|(epoch, losses)| TrainingRow {
        epoch,
        d_loss: losses.discriminator,
        g_loss: losses.generator,
        d_of_real: losses.real,
        d_of_fake: losses.fake,
    });
    context.rows(&rows.collect::<Vec<_>>())?;
    let area = items.size * items.size;
    let known = &items.train.part.pixels[..DRAWN.min(items.train.part.len()) * area];
    let drawn = drawn_from(&trained.training, context.seed(), DRAWN);
    let quality = generator::quality(
        Rows::new(known, area).map_err(TrialError::of)?,
        Rows::new(&drawn, area).map_err(TrialError::of)?,
        NEIGHBOURS,
    );
    // Fewer items than neighbours: nothing is said.
    let Ok(quality) = quality else { return Ok(()) };
    context.metric(metric::density, quality.density)?;
    context.metric(metric::coverage, quality.coverage)?;
    context.metric(metric::pairwise_distance_ratio, quality.spread_ratio())?;
    let nearness = quality.drawn_to_training / quality.training_to_training;
    context.metric(metric::nearest_distance_ratio, nearness)
}

/// AUROC while the search goes on.
fn iterations(
    context: &mut Context,
    lambda: f64,
    searched: &Searched,
    labels: &[bool],
) -> Result<(), TrialError> {
    let losses = searched.residual.iter().zip(&searched.discrimination);
    let rows = searched.iterations.iter().zip(losses);
    let rows = rows.map(|(&iteration, (residual, discrimination))| {
        let score = weighted(lambda, residual, discrimination);
        Ok(IterationRow {
            iteration: iteration as usize,
            auroc: roc::auroc(&score, labels).map_err(TrialError::of)?,
            residual: retrial_core::statistics::mean(residual),
            discrimination: retrial_core::statistics::mean(discrimination),
        })
    });
    context.rows(&rows.collect::<Result<Vec<_>, TrialError>>()?)
}

fn scores_table(
    context: &mut Context,
    lambda: f64,
    items: &Items,
    scored: &Scored,
) -> Result<(), TrialError> {
    let mut rows = Vec::new();
    for (name, part, scores) in [
        ("test", &items.test, &scored.test),
        ("validation", &items.validation, &scored.validation),
    ] {
        let ink = items.ink(part);
        let value = |of: &[f64], at: usize| of.get(at).copied().unwrap_or(f64::NAN);
        rows.extend((0..part.len()).map(|at| ScoreRow {
            item: at + 1,
            row: part.rows[at],
            part: name,
            label: part.labels[at].into(),
            class: match part.anomalous[at] {
                true => "anomalous",
                false => "normal",
            },
            residual: value(&scores.residual, at),
            discrimination: value(&scores.discrimination, at),
            score: value(&scores.score, at),
            ink: ink[at],
            ink_score: (1.0 - lambda) * ink[at],
        }));
    }
    context.rows(&rows)
}
