//! The stated uncertainties of a series against its errors, and against the bound of the images.

use retrial_data::{ImageSeries, Truth};
use retrial_dic::{
    DicError, ErrorSummary, Field, NoiseLevel, PointUncertainty, Settings, StrainMeasure,
    StrainPoint, StrainWindow, image_quality, prepare, residual_noise, sensitivity, strain_field,
    uncertainty,
};
use retrial_runner::{Context, TrialError};

use super::metrics::metric;
use super::output::ImageResult;

/// Multiples of a standard deviation that hold 68.27 % and 95 % of normal errors.
const REACHES: [f64; 2] = [1.0, 1.959_964];

/// Shift to both sides over which the imposed displacement is differentiated, px.
const DIFFERENCE_PX: f64 = 1.0;

/// What is stated of one image.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatedImage {
    /// White noise of one image by the residuals, grey levels of the reference.
    pub(super) noise: f64,
    /// Root mean squares of the stated uncertainties, px.
    pub(super) u: f64,
    pub(super) v: f64,
    /// Root mean squares of the bounds, px.
    pub(super) bound_u: f64,
    pub(super) bound_v: f64,
    /// Shares of errors within one and 1.96 standard uncertainties.
    pub(super) coverage: [f64; 2],
}

/// Takes the uncertainties of every image and reports their metrics.
pub(super) fn report(
    context: &mut Context,
    series: &ImageSeries,
    settings: &Settings,
    results: &[ImageResult],
    summaries: &[Option<ErrorSummary>],
    inside: impl Fn(usize, usize) -> bool,
) -> Result<Vec<StatedImage>, TrialError> {
    let reference = prepare(&series.reference, None, settings).map_err(TrialError::of)?;
    let sensitivity = sensitivity(&reference).map_err(TrialError::of)?;
    let (mut all, mut strains) = (Coverage::default(), Coverage::default());
    let mut images = Vec::new();
    for (image, result) in series.images.iter().zip(results) {
        let noise = residual_noise(&sensitivity, &result.field).map_err(TrialError::of)?;
        let noise = noise.unwrap_or(f64::NAN);
        let mut field = result.field.clone();
        let stated = uncertainty(&sensitivity, &mut field, NoiseLevel::Residual);
        let stated = stated.map_err(TrialError::of)?;
        let mut one = Coverage::default();
        let mut squares = Squares::default();
        for (point, known) in result.field.points.iter().zip(&stated) {
            let Some(known) = known.filter(|_| inside(point.x, point.y)) else {
                continue;
            };
            squares.add(known.u, known.v);
            if let Some((u, v)) = image.truth.at(point.x as f64, point.y as f64) {
                one.add((point.u() - u) / known.u);
                one.add((point.v() - v) / known.v);
            }
        }
        all.join(&one);
        add_strains(
            &mut strains,
            settings,
            &image.truth,
            &field,
            &stated,
            &inside,
        )?;
        let mut bounds = Squares::default();
        if noise > 0.0 {
            let quality = image_quality(&series.reference, None, settings, noise);
            let quality = quality.map_err(TrialError::of)?;
            for point in quality.points.iter().filter(|p| inside(p.x, p.y)) {
                bounds.add(point.bound.0, point.bound.1);
            }
        }
        images.push(StatedImage {
            noise,
            u: squares.root().0,
            v: squares.root().1,
            bound_u: bounds.root().0,
            bound_v: bounds.root().1,
            coverage: one.shares(),
        });
    }
    let mean = |value: fn(&StatedImage) -> f64| {
        let squares: f64 = images.iter().map(|image| value(image).powi(2)).sum();
        (squares / images.len() as f64).sqrt()
    };
    let (bound_u, bound_v) = (mean(|i| i.bound_u), mean(|i| i.bound_v));
    for (metric, value) in [
        (metric::noise_sd, mean(|i| i.noise)),
        (metric::uncertainty_u, mean(|i| i.u)),
        (metric::uncertainty_v, mean(|i| i.v)),
        (metric::bound_u, bound_u),
        (metric::bound_v, bound_v),
    ] {
        context.metric(metric, value)?;
    }
    if all.count > 0 {
        let [narrow, wide] = all.shares();
        context.metric(metric::coverage_68, narrow)?;
        context.metric(metric::coverage_95, wide)?;
    }
    if strains.count > 0 {
        let [narrow, wide] = strains.shares();
        context.metric(metric::strain_coverage_68, narrow)?;
        context.metric(metric::strain_coverage_95, wide)?;
    }
    let known: Vec<&ErrorSummary> = summaries.iter().flatten().collect();
    if !known.is_empty() {
        let within = |value: fn(&ErrorSummary) -> f64| {
            let squares: f64 = known.iter().map(|s| value(s).powi(2)).sum();
            (squares / known.len() as f64).sqrt()
        };
        let worst = |value: fn(&ErrorSummary) -> f64| {
            known.iter().map(|s| value(s).abs()).fold(0.0, f64::max)
        };
        context.metric(metric::max_abs_bias_u, worst(|s| s.u.bias))?;
        context.metric(metric::max_abs_bias_v, worst(|s| s.v.bias))?;
        let (u, v) = (within(|s| s.u.random_error), within(|s| s.v.random_error));
        context.metric(metric::random_over_bound_u, u / bound_u)?;
        context.metric(metric::random_over_bound_v, v / bound_v)?;
    }
    Ok(images)
}

/// Adds the strains of one image, small strain over the default window.
fn add_strains(
    coverage: &mut Coverage,
    settings: &Settings,
    truth: &Truth,
    field: &Field,
    stated: &[Option<PointUncertainty>],
    inside: &impl Fn(usize, usize) -> bool,
) -> Result<(), TrialError> {
    let window = StrainWindow::default();
    let strains = match strain_field(field, settings, &window, StrainMeasure::Small, Some(stated)) {
        // A coarse grid has no strain over the default window.
        Err(DicError::StrainWindowExceedsField { .. }) => return Ok(()),
        found => found.map_err(TrialError::of)?,
    };
    for point in strains.points.iter().filter(|p| inside(p.x, p.y)) {
        let Some(([xx, yy, xy], strain)) = imposed_strain(truth, point).zip(point.strain.ok())
        else {
            continue;
        };
        if let Some(known) = strain.uncertainty {
            coverage.add((strain.tensor.xx - xx) / known.xx);
            coverage.add((strain.tensor.yy - yy) / known.yy);
            coverage.add((strain.tensor.xy - xy) / known.xy);
        }
    }
    Ok(())
}

/// Imposed small strain `[xx, yy, xy]` at a point, by central differences.
fn imposed_strain(truth: &Truth, point: &StrainPoint) -> Option<[f64; 3]> {
    let (x, y) = (point.x as f64, point.y as f64);
    let d = DIFFERENCE_PX;
    let (left, right) = (truth.at(x - d, y)?, truth.at(x + d, y)?);
    let (above, below) = (truth.at(x, y - d)?, truth.at(x, y + d)?);
    let slope = |a: f64, b: f64| (b - a) / (2.0 * d);
    Some([
        slope(left.0, right.0),
        slope(above.1, below.1),
        0.5 * (slope(above.0, below.0) + slope(left.1, right.1)),
    ])
}

/// How many errors lie within their stated uncertainty.
#[derive(Clone, Copy, Debug, Default)]
struct Coverage {
    within: [usize; 2],
    count: usize,
}

impl Coverage {
    fn add(&mut self, ratio: f64) {
        if ratio.is_finite() {
            self.count += 1;
            for (within, reach) in self.within.iter_mut().zip(REACHES) {
                *within += usize::from(ratio.abs() <= reach);
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        for (within, more) in self.within.iter_mut().zip(other.within) {
            *within += more;
        }
    }

    fn shares(&self) -> [f64; 2] {
        self.within.map(|within| within as f64 / self.count as f64)
    }
}

/// Mean squares of pairs.
#[derive(Clone, Copy, Debug, Default)]
struct Squares {
    u: f64,
    v: f64,
    count: usize,
}

impl Squares {
    fn add(&mut self, u: f64, v: f64) {
        self.u += u * u;
        self.v += v * v;
        self.count += 1;
    }

    fn root(&self) -> (f64, f64) {
        let count = self.count as f64;
        ((self.u / count).sqrt(), (self.v / count).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_what_lies_within() {
        let mut coverage = Coverage::default();
        for ratio in [0.0, -0.9, 1.5, -1.95, 2.5, f64::NAN] {
            coverage.add(ratio);
        }
        let mut twice = coverage;
        twice.join(&coverage);
        assert_eq!(twice.count, 10);
        assert_eq!(twice.shares(), [0.4, 0.8]);
    }
}
