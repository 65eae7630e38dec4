//! What is said of the scores: metrics, tables, pictures.

use retrial_core::params::ParamValue;
use retrial_detect::{DetectError, Items as Rows};
use retrial_detect::{
    bootstrap, confusion, correlation, generator, precision_recall, roc, threshold,
};
use retrial_store::csv::Table;

use super::items::{Items, Part};
use super::pictures;
use super::score::{Scored, Scores};
use super::search::Searched;
use super::settings::words;
use super::train::{Trained, drawn_from};
use crate::execute::context::{Context, TrialError};

/// Below this loss the discriminator has won.
const COLLAPSED: f64 = 1e-3;
/// Images that judge a generator.
const DRAWN: usize = 400;
/// Neighbours that judge a generator.
const NEIGHBOURS: usize = 5;

pub(super) fn leave(
    context: &mut Context,
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
    first_scores(context, items, scored)?;
    let labels = &items.test.anomalous;
    let both = labels.iter().any(|a| *a) && labels.iter().any(|a| !*a);
    if both {
        detection(context, items, scored)?;
    }
    fixed_threshold(context, scores, labels)?;
    if !scored.validation.score.is_empty() {
        chosen_threshold(context, scored, labels)?;
    }
    if let Some(trained) = &scored.trained {
        quality(context, items, trained)?;
    }
    if let Some(searched) = &scored.searched
        && both
    {
        iterations(context, searched, labels)?;
    }
    context.metric("evaluations", scored.evaluations)?;
    context.metric("seconds_per_evaluation", scored.seconds)?;
    context.metric("seconds_per_image", scored.seconds * scored.evaluations)?;
    if !is_choice(context, scores.len())? {
        scores_table(context, items, scored)?;
    }
    if matches!(
        context.params().get("pictures"),
        Some(ParamValue::Bool(true))
    ) {
        pictures::leave(context, items, scored)?;
    }
    Ok(())
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
    let interval =
        bootstrap::interval(score, labels, resampling, &mut stream, roc::auroc).map_err(words)?;
    context.metric("auroc", interval.estimate)?;
    context.metric("auroc_low", interval.lower)?;
    context.metric("auroc_high", interval.upper)?;
    let ap = precision_recall::average_precision(score, labels).map_err(words)?;
    context.metric("average_precision", ap)?;
    let best = precision_recall::best_f1(score, labels).map_err(words)?;
    context.metric("f1_max", best.f1)?;
    let at_1 = roc::true_positive_rate_at(score, labels, 0.01).map_err(words)?;
    context.metric("tpr_at_fpr_1", at_1)?;
    context.metric(
        "auroc_residual",
        roc::auroc(residual, labels).map_err(words)?,
    )?;
    if !discrimination.is_empty() {
        let alone = roc::auroc(discrimination, labels).map_err(words)?;
        context.metric("auroc_discrimination", alone)?;
    }
    let ink = roc::auroc(&items.ink(&items.test), labels).map_err(words)?;
    context.metric("auroc_ink", ink)?;
    for digit in 0..10_u8 {
        if let Some(auroc) = against(&items.test, score, digit) {
            context.metric(&format!("auroc_against_{digit}"), auroc.map_err(words)?)?;
        }
    }
    if !discrimination.is_empty() {
        reweighted(context, &scored.test, labels)?;
    }
    match is_choice(context, score.len())? {
        true => Ok(()),
        false => curves(context, score, labels),
    }
}

/// Rows up to which a trial that serves a choice leaves its scores and curves.
const CHOICE_ROWS: usize = 1000;

/// Whether metrics are enough: thousands of held-out rows would fill the records.
fn is_choice(context: &Context, rows: usize) -> Result<bool, TrialError> {
    Ok(context.word("evaluation")? == "validation" && rows > CHOICE_ROWS)
}

/// The curves behind the areas.
fn curves(context: &mut Context, score: &[f64], labels: &[bool]) -> Result<(), TrialError> {
    let curve = roc::curve(score, labels).map_err(words)?;
    let table = Table::new()
        .with(
            "false_positive_rate",
            curve
                .iter()
                .map(|p| p.false_positive_rate)
                .collect::<Vec<_>>(),
        )?
        .with(
            "true_positive_rate",
            curve
                .iter()
                .map(|p| p.true_positive_rate)
                .collect::<Vec<_>>(),
        )?;
    context.table("roc", &table)?;
    let curve = precision_recall::curve(score, labels).map_err(words)?;
    let table = Table::new()
        .with("recall", curve.iter().map(|p| p.recall).collect::<Vec<_>>())?
        .with(
            "precision",
            curve.iter().map(|p| p.precision).collect::<Vec<_>>(),
        )?;
    context.table("precision_recall", &table)
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
fn reweighted(context: &mut Context, scores: &Scores, labels: &[bool]) -> Result<(), TrialError> {
    let lambdas: Vec<f64> = (0..=20).map(|step| f64::from(step) / 20.0).collect();
    let (mut aurocs, mut precisions) = (Vec::new(), Vec::new());
    for lambda in &lambdas {
        let pairs = scores.residual.iter().zip(&scores.discrimination);
        let score: Vec<f64> = pairs
            .map(|(r, d)| (1.0 - lambda) * r + lambda * d)
            .collect();
        aurocs.push(roc::auroc(&score, labels).map_err(words)?);
        precisions.push(precision_recall::average_precision(&score, labels).map_err(words)?);
    }
    let table = Table::new()
        .with("lambda", lambdas)?
        .with("auroc", aurocs)?
        .with("average_precision", precisions)?;
    context.table("reweighted", &table)
}

fn ink(context: &mut Context, items: &Items, scored: &Scored) -> Result<(), TrialError> {
    let ink = items.ink(&items.test);
    match correlation::pearson(&scored.test.score, &ink) {
        Ok(r) => context.metric("ink_correlation", r),
        // One item, or equal scores: no correlation is defined.
        Err(_) => Ok(()),
    }
}

/// The scores of the first five items, beside those of an empty picture.
fn first_scores(context: &mut Context, items: &Items, scored: &Scored) -> Result<(), TrialError> {
    let lambda = context.float("lambda")?;
    let ink = items.ink(&items.test);
    for (at, (score, ink)) in scored.test.score.iter().zip(ink).take(5).enumerate() {
        context.metric(&format!("score_{}", at + 1), *score)?;
        context.metric(&format!("ink_score_{}", at + 1), (1.0 - lambda) * ink)?;
    }
    Ok(())
}

fn fixed_threshold(
    context: &mut Context,
    scores: &[f64],
    labels: &[bool],
) -> Result<(), TrialError> {
    let threshold = context.float("fixed_threshold")?;
    if threshold == 0.0 {
        return Ok(());
    }
    let counts = confusion::at_threshold(scores, labels, threshold).map_err(words)?;
    defined(context, "accuracy_at_fixed", counts.accuracy())?;
    defined(context, "true_positive_rate_at_fixed", counts.recall())?;
    defined(
        context,
        "false_positive_rate_at_fixed",
        counts.false_positive_rate(),
    )
}

/// A threshold from the held-out normal items alone, and what it does to the judged ones.
fn chosen_threshold(
    context: &mut Context,
    scored: &Scored,
    labels: &[bool],
) -> Result<(), TrialError> {
    let rate = context.float("false_positive_rate")?;
    let Ok(threshold) = threshold::conformal(&scored.validation.score, rate) else {
        // Too few held-out items for so small a rate: no threshold is given.
        return Ok(());
    };
    let counts = confusion::at_threshold(&scored.test.score, labels, threshold).map_err(words)?;
    context.metric("threshold", threshold)?;
    defined(context, "f1", counts.f1())?;
    defined(context, "true_positive_rate", counts.recall())?;
    defined(
        context,
        "false_positive_rate_found",
        counts.false_positive_rate(),
    )
}

/// A metric where it has a value: a rate of an empty class has none.
fn defined(context: &mut Context, name: &str, value: f64) -> Result<(), TrialError> {
    match value.is_nan() {
        true => Ok(()),
        false => context.metric(name, value),
    }
}

/// How well the generator draws, and how the training went.
fn quality(context: &mut Context, items: &Items, trained: &Trained) -> Result<(), TrialError> {
    let losses = &trained.losses;
    if let Some(last) = losses.last() {
        context.metric("d_loss", last.discriminator)?;
        context.metric("g_loss", last.generator)?;
    }
    let collapsed = losses.iter().position(|l| l.discriminator < COLLAPSED);
    context.metric(
        "epoch_of_collapse",
        collapsed.map_or(-1.0, |at| at as f64 + 1.0),
    )?;
    let column = |value: fn(&retrial_nets::anogan::EpochLosses) -> f64| {
        losses.iter().map(value).collect::<Vec<f64>>()
    };
    let table = Table::new()
        .with("epoch", (1..=losses.len() as i64).collect::<Vec<_>>())?
        .with("d_loss", column(|l| l.discriminator))?
        .with("g_loss", column(|l| l.generator))?
        .with("d_of_real", column(|l| l.real))?
        .with("d_of_fake", column(|l| l.fake))?;
    context.table("training", &table)?;
    let area = items.size * items.size;
    let known = &items.train.pixels[..DRAWN.min(items.train.len()) * area];
    let drawn = drawn_from(&trained.training, context.seed(), DRAWN);
    let quality = generator::quality(
        Rows::new(known, area).map_err(words)?,
        Rows::new(&drawn, area).map_err(words)?,
        NEIGHBOURS,
    );
    // Fewer items than neighbours: nothing is said.
    let Ok(quality) = quality else { return Ok(()) };
    context.metric("density", quality.density)?;
    context.metric("coverage", quality.coverage)?;
    context.metric("spread_ratio", quality.spread_ratio())?;
    let nearness = quality.drawn_to_training / quality.training_to_training;
    context.metric("drawn_to_training", nearness)
}

/// AUROC while the search goes on.
fn iterations(
    context: &mut Context,
    searched: &Searched,
    labels: &[bool],
) -> Result<(), TrialError> {
    let lambda = context.float("lambda")?;
    let mut columns: [Vec<f64>; 3] = Default::default();
    for (residual, discrimination) in searched.residual.iter().zip(&searched.discrimination) {
        let pairs = residual.iter().zip(discrimination);
        let score: Vec<f64> = pairs
            .map(|(r, d)| (1.0 - lambda) * r + lambda * d)
            .collect();
        columns[0].push(roc::auroc(&score, labels).map_err(words)?);
        columns[1].push(retrial_core::statistics::mean(residual));
        columns[2].push(retrial_core::statistics::mean(discrimination));
    }
    let [auroc, residual, discrimination] = columns;
    let iterations = searched.iterations.iter().map(|&at| at as i64);
    let table = Table::new()
        .with("iteration", iterations.collect::<Vec<_>>())?
        .with("auroc", auroc)?
        .with("residual", residual)?
        .with("discrimination", discrimination)?;
    context.table("iterations", &table)
}

fn scores_table(context: &mut Context, items: &Items, scored: &Scored) -> Result<(), TrialError> {
    let parts = [
        ("test", &items.test, &scored.test),
        ("validation", &items.validation, &scored.validation),
    ];
    let numbers = |of: fn(&Scores) -> &Vec<f64>| {
        let column = |(_, part, scores): &(&str, &Part, &Scores)| {
            let mut values = of(scores).clone();
            values.resize(part.len(), f64::NAN);
            values
        };
        parts.iter().flat_map(column).collect::<Vec<f64>>()
    };
    let each = |of: fn(&Part, usize) -> i64| {
        let column = |(_, part, _): &(&str, &Part, &Scores)| {
            (0..part.len()).map(|at| of(part, at)).collect::<Vec<i64>>()
        };
        parts.iter().flat_map(column).collect::<Vec<i64>>()
    };
    let names = parts
        .iter()
        .flat_map(|(name, part, _)| vec![(*name).to_owned(); part.len()]);
    let class = parts.iter().flat_map(|(_, part, _)| {
        let word = |a: &bool| if *a { "anomalous" } else { "normal" }.to_owned();
        part.anomalous.iter().map(word).collect::<Vec<String>>()
    });
    let ink = parts.iter().flat_map(|(_, part, _)| items.ink(part));
    let table = Table::new()
        .with("item", each(|_, at| at as i64 + 1))?
        .with("row", each(|part, at| part.rows[at] as i64))?
        .with("part", names.collect::<Vec<_>>())?
        .with("label", each(|part, at| i64::from(part.labels[at])))?
        .with("class", class.collect::<Vec<_>>())?
        .with("residual", numbers(|s| &s.residual))?
        .with("discrimination", numbers(|s| &s.discrimination))?
        .with("score", numbers(|s| &s.score))?
        .with("ink", ink.collect::<Vec<f64>>())?;
    context.table("scores", &table)
}
