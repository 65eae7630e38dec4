//! What a trial does: correlate every image of a series and compare with the truth.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use retrial_core::declare::ParamGroup as _;
use retrial_core::statistics::upper_median;
use retrial_data::{Content, ImageSeries};
use retrial_dic::{
    AdviceScope, Borders, DicError, ErrorStatistics, ErrorSummary, Field, GaussianFilter, Guess,
    InstructionSet, ReferenceStrategy, Settings, ShapeOrder, SplineDegree, Split, Status,
    advise_series,
};
use retrial_runner::{Context, TrialError, cpu_seconds, typed};
use retrial_store::Tree;

use super::metrics::metric;
use super::output::{self, ImageResult};
use super::tables::{AutoSettings, Correlation};
use super::{prediction, resolution, uncertainty};

/// Shortest time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

pub(super) fn run(context: &mut Context) -> Result<(), TrialError> {
    let params = typed(context.params(), Correlation::read)?;
    let checkpoint = context.resume()?;
    let Content::Series(series) = context.data()? else {
        return Err(TrialError::Other(
            "the data set holds no image series".to_owned(),
        ));
    };
    let settings = chosen(context, params.auto_settings, &series, settings(&params)?)?;
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
    report(context, &params, &series, &settings, &results)?;
    context.metric(metric::points_per_second, computed as f64 / seconds)?;
    context.metric(
        metric::points_per_cpu_second,
        upper_median(speeds).unwrap_or(f64::NAN),
    )
}

/// The settings that suit the series, as far as the param `auto_settings` asks for them.
fn chosen(
    context: &mut Context,
    automatic: AutoSettings,
    series: &ImageSeries,
    settings: Settings,
) -> Result<Settings, TrialError> {
    let scope = AdviceScope {
        filter: automatic != AutoSettings::Nothing,
        order: automatic == AutoSettings::FilterAndOrder,
    };
    let settings = if scope.filter {
        let image = |index: usize| Ok::<_, DicError>(series.images[index].image.clone());
        let count = series.images.len();
        let advice = advise_series(&series.reference, count, image, None, &settings, scope);
        advice.map_err(TrialError::of)?.settings
    } else {
        settings
    };
    let sigma_px = settings.prefilter.map_or(0.0, |filter| filter.sigma_px);
    context.metric(metric::chosen_order, f64::from(settings.shape_order as u8))?;
    context.metric(metric::chosen_sigma_px, sigma_px)?;
    Ok(settings)
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
    let reference = retrial_dic::prepare(&series.reference, None, settings);
    let reference = reference.map_err(TrialError::of)?;
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
        let field = retrial_dic::correlate(&reference, &image.image, guess);
        let field = field.map_err(TrialError::of)?;
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
    let walked =
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
        });
    walked.map_err(TrialError::of)?;
    if stopped {
        return Err(TrialError::Stopped);
    }
    Ok(results)
}

/// Reports metrics, tables and fields of a finished correlation.
fn report(
    context: &mut Context,
    params: &Correlation,
    series: &ImageSeries,
    settings: &Settings,
    results: &[ImageResult],
) -> Result<(), TrialError> {
    let (accept, margin) = (params.error_points, params.margin_px);
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
        for (metric, value) in [
            (metric::rmse, summary.rmse),
            (metric::mae_magnitude, summary.mae),
            (metric::abs_error_std_magnitude, summary.abs_error_std),
            (metric::bias_u, summary.u.bias),
            (metric::bias_v, summary.v.bias),
            (metric::random_error_u, summary.u.random_error),
            (metric::random_error_v, summary.v.random_error),
            (metric::points, summary.points as f64),
            (metric::excluded_points, summary.failed as f64),
            (metric::mean_icgn_iterations, summary.mean_icgn_iterations),
            (
                metric::max_icgn_iterations,
                summary.max_icgn_iterations as f64,
            ),
        ] {
            context.metric(metric, value)?;
        }
        prediction::report(context, series, settings, summary.rmse)?;
    } else {
        without_truth(context, results)?;
    }
    context.metric(
        metric::mean_zncc,
        mean_zncc(results.iter().map(|r| &r.field)),
    )?;
    let stated = match settings.reference_strategy {
        ReferenceStrategy::First => {
            uncertainty::report(context, series, settings, results, &summaries, inside)?
        }
        // The uncertainty of one step is not that of their sum.
        ReferenceStrategy::Previous | ReferenceStrategy::Automatic => Vec::new(),
    };
    resolution::report(context, series, settings, &summaries)?;
    context.rows(&output::image_rows(series, results, &summaries, &stated))?;
    context.rows(&output::field_rows(series, results))?;
    context.arrays(output::FIELDS, &output::fields_tree(results)?)
}

/// What can be said of a series whose displacements nobody knows.
fn without_truth(context: &mut Context, results: &[ImageResult]) -> Result<(), TrialError> {
    let points = || results.iter().flat_map(|result| &result.field.points);
    let converged = points().filter(|p| p.status == Status::Converged).count();
    let iterations: usize = points().map(|p| p.icgn_iterations).sum();
    let most = points().map(|p| p.icgn_iterations).max().unwrap_or(0);
    let all = points().count();
    context.metric(metric::points, converged as f64)?;
    context.metric(metric::excluded_points, (all - converged) as f64)?;
    context.metric(metric::mean_icgn_iterations, iterations as f64 / all as f64)?;
    context.metric(metric::max_icgn_iterations, most as f64)
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
pub(super) fn settings(params: &Correlation) -> Result<Settings, TrialError> {
    let wrong = |name: &str| TrialError::Other(format!("the param `{name}` cannot be used"));
    let filter = GaussianFilter {
        sigma_px: params.prefilter_sigma_px,
        window_px: params.prefilter_window_px,
    };
    Ok(Settings::default()
        .with_side_px(params.subset_size_px)
        .with_subset_shape(params.subset_shape)
        .with_step_px(params.step_px)
        .with_grid(params.grid)
        .with_shape_order(ShapeOrder::of(params.order).ok_or_else(|| wrong(Correlation::order))?)
        .with_borders(Borders::Whole)
        .with_split(Split::None)
        .with_prefilter((filter.sigma_px > 0.0).then_some(filter))
        .with_spline_degree(
            SplineDegree::of(params.spline_degree)
                .ok_or_else(|| wrong(Correlation::spline_degree))?,
        )
        .with_gradient(params.gradient)
        .with_criterion(params.criterion)
        .with_optimiser(params.optimiser)
        .with_reference_strategy(params.reference_strategy)
        .with_initial_guess(params.initial_guess)
        .with_stop_value(params.stop_value)
        .with_iteration_limit(params.iteration_limit)
        .with_last_evaluation(params.last_evaluation)
        .with_min_zncc(params.min_zncc)
        .with_instruction_set(InstructionSet::Best))
}
