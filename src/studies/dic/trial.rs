//! What a trial does: correlate every image of a series and compare with the truth.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use retrial_core::params::{ParamValue, Params};
use retrial_data::{Content, ImageSeries};
use retrial_dic::{
    Accept, Borders, Criterion, DicError, ErrorStatistics, ErrorSummary, Field, GaussianFilter,
    Gradient, Grid, Guess, InitialGuess, InstructionSet, LastEvaluation, Optimiser,
    ReferenceStrategy, Settings, ShapeOrder, SplineDegree, Split, Status, SubsetShape, Wanted,
    advise_series,
};
use retrial_store::Tree;

use super::output::{self, ImageResult};
use super::{foretold, resolution, stated};
use crate::execute::context::{Context, TrialError};
use crate::execute::provenance::cpu_seconds;

/// Shortest time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

pub(super) fn run(context: &mut Context) -> Result<(), TrialError> {
    let checkpoint = context.resume()?;
    let Content::Series(series) = context.data()? else {
        return Err(TrialError::Other(
            "the data set holds no image series".to_owned(),
        ));
    };
    let settings = advised(context, &series, settings(context.params())?)?;
    let clock = Instant::now();
    let mut speeds = Vec::new();
    let (results, resumed) = match settings.reference_strategy {
        ReferenceStrategy::First => {
            from_first(context, &series, &settings, checkpoint, &mut speeds)?
        }
        ReferenceStrategy::Previous | ReferenceStrategy::Automatic => {
            (from_previous(context, &series, &settings, &mut speeds)?, 0)
        }
    };
    let seconds = clock.elapsed().as_secs_f64();
    let computed: usize = results[resumed..]
        .iter()
        .map(|r| r.field.points.len())
        .sum();
    leave(context, &series, &settings, &results)?;
    context.metric("points_per_second", computed as f64 / seconds)?;
    context.metric("points_per_cpu_second", median(speeds))
}

/// The settings that suit the series, as far as the param `advice` asks for them.
fn advised(
    context: &mut Context,
    series: &ImageSeries,
    settings: Settings,
) -> Result<Settings, TrialError> {
    let word = context.word("advice")?;
    let wanted = Wanted {
        filter: word != "none",
        order: word == "filter_and_order",
    };
    let settings = if wanted.filter {
        let image = |index: usize| Ok::<_, DicError>(series.images[index].image.clone());
        let count = series.images.len();
        advise_series(&series.reference, count, image, None, &settings, wanted)?.settings
    } else {
        settings
    };
    let sigma_px = settings.prefilter.map_or(0.0, |filter| filter.sigma_px);
    context.metric("chosen_order", f64::from(settings.shape_order as u8))?;
    context.metric("chosen_sigma_px", sigma_px)?;
    Ok(settings)
}

/// The value in the middle; `NaN` where there is none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Points of an image by the CPU seconds since `before`, of all threads.
fn speed(field: &Field, before: f64) -> f64 {
    // The clock of the process counts microseconds.
    field.points.len() as f64 / (cpu_seconds() - before).max(1e-6)
}

/// Every image against the first, with a checkpoint now and then.
fn from_first(
    context: &mut Context,
    series: &ImageSeries,
    settings: &Settings,
    checkpoint: Option<Tree>,
    speeds: &mut Vec<f64>,
) -> Result<(Vec<ImageResult>, usize), TrialError> {
    let reference = retrial_dic::prepare(&series.reference, None, settings)?;
    let mut results = match checkpoint {
        Some(tree) => output::from_tree(&tree)?,
        None => Vec::new(),
    };
    let resumed = results.len();
    let mut saved = Instant::now();
    for (index, image) in series.images.iter().enumerate().skip(resumed) {
        context.stop_point()?;
        let guess = results
            .last()
            .map_or(Guess::Phase, |last| Guess::Field(&last.field));
        let before = cpu_seconds();
        let field = retrial_dic::correlate(&reference, &image.image, guess)?;
        speeds.push(speed(&field, before));
        results.push(ImageResult {
            name: image.name.clone(),
            field,
        });
        context.progress(index as u64 + 1, series.images.len() as u64, "images");
        if saved.elapsed() >= CHECKPOINT_EVERY && index + 1 < series.images.len() {
            context.checkpoint(index as u64, output::fields_tree(&results)?)?;
            saved = Instant::now();
        }
    }
    Ok((results, resumed))
}

/// Every image against the one before. Begun anew after a kill: what has to be carried from image
/// to image lives inside the engine.
fn from_previous(
    context: &Context,
    series: &ImageSeries,
    settings: &Settings,
    speeds: &mut Vec<f64>,
) -> Result<Vec<ImageResult>, TrialError> {
    let mut results = Vec::new();
    let images = series
        .images
        .iter()
        .map(|image| Ok::<_, DicError>(image.image.clone()));
    let total = series.images.len() as u64;
    let mut stopped = false;
    let mut before = cpu_seconds();
    retrial_dic::correlate_series(&series.reference, images, None, settings, |index, field| {
        speeds.push(speed(&field, before));
        results.push(ImageResult {
            name: series.images[index].name.clone(),
            field,
        });
        context.progress(index as u64 + 1, total, "images");
        if context.stop_point().is_err() {
            stopped = true;
            return ControlFlow::Break(());
        }
        before = cpu_seconds();
        ControlFlow::Continue(())
    })?;
    if stopped {
        return Err(TrialError::Stopped);
    }
    Ok(results)
}

/// Metrics, tables and fields of a finished correlation.
fn leave(
    context: &mut Context,
    series: &ImageSeries,
    settings: &Settings,
    results: &[ImageResult],
) -> Result<(), TrialError> {
    let accept = if context.word("accept")? == "measured" {
        Accept::Measured
    } else {
        Accept::Converged
    };
    let margin = usize::try_from(context.int("margin_px")?).unwrap_or(0);
    let (width, height) = (series.reference.width(), series.reference.height());
    let inside = |x: usize, y: usize| {
        x >= margin && y >= margin && x + margin < width && y + margin < height
    };
    let mut pooled = ErrorStatistics::new(accept);
    let mut summaries: Vec<Option<ErrorSummary>> = Vec::new();
    for (image, result) in series.images.iter().zip(results) {
        let mut single = ErrorStatistics::new(accept);
        for point in &result.field.points {
            if !inside(point.x, point.y) {
                continue;
            }
            if let Some((u, v)) = image.truth.at(point.x as f64, point.y as f64) {
                pooled.add_point(point, u, v);
                single.add_point(point, u, v);
            }
        }
        summaries.push(single.summary());
    }
    if let Some(summary) = pooled.summary() {
        for (name, value) in [
            ("rmse", summary.rmse),
            ("mae", summary.mae),
            ("abs_error_std", summary.abs_error_std),
            ("bias_u", summary.u.bias),
            ("bias_v", summary.v.bias),
            ("random_error_u", summary.u.random_error),
            ("random_error_v", summary.v.random_error),
            ("points", summary.points as f64),
            ("failed_points", summary.failed as f64),
            ("mean_icgn_iterations", summary.mean_icgn_iterations),
            ("max_icgn_iterations", summary.max_icgn_iterations as f64),
        ] {
            context.metric(name, value)?;
        }
        foretold::leave(context, series, settings, summary.rmse)?;
    } else {
        leave_without_truth(context, results)?;
    }
    context.metric("mean_zncc", mean_zncc(results.iter().map(|r| &r.field)))?;
    let stated = match settings.reference_strategy {
        ReferenceStrategy::First => {
            stated::leave(context, series, settings, results, &summaries, inside)?
        }
        // The uncertainty of one step is not that of their sum.
        ReferenceStrategy::Previous | ReferenceStrategy::Automatic => Vec::new(),
    };
    resolution::leave(context, series, settings, &summaries)?;
    context.table(
        "images",
        &output::images_table(series, results, &summaries, &stated)?,
    )?;
    context.table("field", &output::field_table(series, results)?)?;
    context.arrays("fields", &output::fields_tree(results)?)
}

/// What can be said of a series whose displacements nobody knows.
fn leave_without_truth(context: &mut Context, results: &[ImageResult]) -> Result<(), TrialError> {
    let points = || results.iter().flat_map(|result| &result.field.points);
    let converged = points().filter(|p| p.status == Status::Converged).count();
    let iterations: usize = points().map(|p| p.icgn_iterations).sum();
    let most = points().map(|p| p.icgn_iterations).max().unwrap_or(0);
    let all = points().count();
    context.metric("points", converged as f64)?;
    context.metric("failed_points", (all - converged) as f64)?;
    context.metric("mean_icgn_iterations", iterations as f64 / all as f64)?;
    context.metric("max_icgn_iterations", most as f64)
}

/// Mean correlation coefficient of the converged points.
pub(super) fn mean_zncc<'a>(fields: impl Iterator<Item = &'a Field>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for point in fields.flat_map(|field| &field.points) {
        if point.status == Status::Converged {
            sum += point.zncc;
            count += 1;
        }
    }
    sum / count as f64
}

/// The engine's settings from the trial's params.
pub(super) fn settings(params: &Params) -> Result<Settings, TrialError> {
    let wrong = |name: &str| TrialError::Other(format!("the param `{name}` cannot be used"));
    let size = |name: &str| match params.get(name) {
        Some(ParamValue::Int(value)) => usize::try_from(*value).map_err(|_| wrong(name)),
        _ => Err(wrong(name)),
    };
    let float = |name: &str| {
        params
            .get(name)
            .and_then(ParamValue::as_f64)
            .ok_or_else(|| wrong(name))
    };
    let word = |name: &str| match params.get(name) {
        Some(ParamValue::Text(word)) => Ok(word.as_str()),
        _ => Err(wrong(name)),
    };
    let sigma_px = float("prefilter_sigma_px")?;
    let window_px = size("prefilter_window_px")?;
    Ok(Settings {
        subset_size_px: size("subset_size_px")?,
        subset_shape: match word("subset_shape")? {
            "circle" => SubsetShape::Circle,
            _ => SubsetShape::Square,
        },
        step_px: size("step_px")?,
        grid: match word("grid")? {
            "published" => Grid::Published,
            _ => Grid::Full,
        },
        shape_order: match size("order")? {
            0 => ShapeOrder::Zero,
            1 => ShapeOrder::One,
            _ => ShapeOrder::Two,
        },
        borders: Borders::Whole,
        split: Split::None,
        prefilter: (sigma_px > 0.0).then_some(GaussianFilter {
            sigma_px,
            window_px,
        }),
        spline_degree: match size("spline_degree")? {
            5 => SplineDegree::Five,
            _ => SplineDegree::Three,
        },
        gradient: match word("gradient")? {
            "prewitt" => Gradient::Prewitt,
            "prewitt_unscaled" => Gradient::PrewittUnscaled,
            _ => Gradient::Spline,
        },
        criterion: match word("criterion")? {
            "ssd" => Criterion::Ssd,
            "nssd" => Criterion::Nssd,
            "pssdab" => Criterion::Pssdab,
            _ => Criterion::Znssd,
        },
        optimiser: match word("optimiser")? {
            "ic_lm" => Optimiser::IcLm,
            "forward_gn" => Optimiser::ForwardGn,
            _ => Optimiser::IcGn,
        },
        reference_strategy: match word("reference_strategy")? {
            "previous" => ReferenceStrategy::Previous,
            "automatic" => ReferenceStrategy::Automatic,
            _ => ReferenceStrategy::First,
        },
        initial_guess: match word("initial_guess")? {
            "per_subset" => InitialGuess::PerSubset,
            "led" => InitialGuess::Led,
            "tiles" => InitialGuess::Tiles,
            "features" => InitialGuess::Features,
            _ => InitialGuess::Shared,
        },
        stop_value: float("stop_value")?,
        iteration_limit: size("iteration_limit")?,
        last_evaluation: match word("last_evaluation")? {
            "after_update" => LastEvaluation::AfterUpdate,
            _ => LastEvaluation::BeforeUpdate,
        },
        min_zncc: float("min_zncc")?,
        instruction_set: InstructionSet::Best,
    })
}
