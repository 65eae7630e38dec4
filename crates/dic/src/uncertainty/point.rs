//! The uncertainty of measured points.

use retrial_core::image::GrayImage;

use super::sensitivity::{PointSensitivity, Sensitivity};
use crate::correlate::{Field, PointResult};
use crate::error::DicError;
use crate::filter::GaussianFilter;
use crate::recover::median;
use crate::reference::check_pair;
use crate::settings::{Settings, ShapeOrder, check_positive};
use crate::status::Status;

/// Share of noise in the Hessian above which the uncertainty of a point is not known.
const LARGEST_NOISE_SHARE: f64 = 0.8;

/// Share of a subset's pixels that must be left as degrees of freedom to take the noise from its
/// residual.
const LEAST_FREEDOM: f64 = 0.25;

/// Where the noise is taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoiseLevel {
    /// From the residual of each subset; where a subset holds pixels that the filter does not know for what lies
    /// beyond the border of either picture, the median of the other ones.
    Residual,
    /// Standard deviation of the white noise of one image in grey levels of the reference, the
    /// same in both, such as from [`noise_of_pair`].
    Known(f64),
}

/// Standard uncertainty of one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointUncertainty {
    /// Of `u` in px.
    pub u: f64,
    /// Of `v` in px.
    pub v: f64,
    /// Correlation coefficient of the errors of `u` and `v`, in `-1..=1`.
    pub correlation_uv: f64,
    /// Of `[u_x, u_y, v_x, v_y]`; `None` for order 0, which has none.
    pub gradient: Option<[f64; 4]>,
    /// The white noise of one image that was assumed, in grey levels of the reference before the
    /// prefilter, as if both images had the same.
    pub noise: f64,
}

/// The uncertainty of every point of a field measured with the reference of `sensitivity`.
///
/// `None` where the point did not converge, or where noise makes up most of the gradient.
///
/// # Errors
/// [`DicError::UncertaintySize`] when the field has another number of points,
/// [`DicError::NotPositive`] for a known noise that is none.
pub fn uncertainty(
    sensitivity: &Sensitivity,
    field: &Field,
    noise: NoiseLevel,
) -> Result<Vec<Option<PointUncertainty>>, DicError> {
    check_sizes(sensitivity, field)?;
    if let NoiseLevel::Known(level) = noise {
        check_positive("noise", level)?;
    }
    let each = (0..field.points.len()).map(|i| (&field.points[i], known_at(sensitivity, field, i)));
    let inner = match noise {
        NoiseLevel::Known(_) => None,
        NoiseLevel::Residual => inner_noise(sensitivity, field),
    };
    Ok(each
        .map(|(point, known)| {
            let known = known.filter(|_| point.status == Status::Converged)?;
            let level = match noise {
                NoiseLevel::Known(level) => level,
                NoiseLevel::Residual if touches_rim(sensitivity, point) => {
                    inner.or_else(|| noise_at(sensitivity, known, point))?
                }
                NoiseLevel::Residual => noise_at(sensitivity, known, point)?,
            };
            let stated = of_point(sensitivity, known, level)?;
            Some(composed(stated, point, &sensitivity.settings))
        })
        .collect())
}

/// The white noise of one image in grey levels of the reference: the median over all converged
/// points of what their residuals say, or `None` without a converged point.
///
/// # Errors
/// [`DicError::UncertaintySize`] when the field has another number of points.
pub fn residual_noise(sensitivity: &Sensitivity, field: &Field) -> Result<Option<f64>, DicError> {
    check_sizes(sensitivity, field)?;
    Ok(inner_noise(sensitivity, field).or_else(|| noise_where(sensitivity, field, |_| true)))
}

/// The median noise of the points whose subset holds no pixel that the filter does not know.
fn inner_noise(sensitivity: &Sensitivity, field: &Field) -> Option<f64> {
    noise_where(sensitivity, field, |point| !touches_rim(sensitivity, point))
}

fn noise_where(
    sensitivity: &Sensitivity,
    field: &Field,
    is_chosen: impl Fn(&PointResult) -> bool,
) -> Option<f64> {
    let each = (0..field.points.len()).map(|i| (&field.points[i], known_at(sensitivity, field, i)));
    let levels = each.filter_map(|(point, known)| {
        let is_seen = point.status == Status::Converged && is_chosen(point);
        noise_at(sensitivity, known.filter(|_| is_seen)?, point)
    });
    median(levels.collect())
}

/// Whether the subset of a point holds pixels of either picture, or interpolates between some, that the
/// filter cannot know.
fn touches_rim(sensitivity: &Sensitivity, point: &PointResult) -> bool {
    let settings = &sensitivity.settings;
    let rim = settings.prefilter.map_or(0, GaussianFilter::rim_px) as f64;
    if rim == 0.0 {
        return false;
    }
    let half = settings.half_px() as f64;
    let is_near = |place: f64, n: usize| place - half < rim || place + half > n as f64 - 1.0 - rim;
    let (x, y) = (point.x as f64, point.y as f64);
    let (width, height) = sensitivity.size;
    is_near(x, width)
        || is_near(y, height)
        || is_near(x + point.p[0], width)
        || is_near(y + point.p[6], height)
}

/// Standard deviation of the white noise of one image, in grey levels, from two pictures of the
/// same still scene: that of their difference by `√2`.
///
/// A change of the mean brightness is taken out; anything else that changed counts as noise.
///
/// # Errors
/// [`DicError::ImageSize`] and [`DicError::NonFinitePixel`].
pub fn noise_of_pair(first: &GrayImage, second: &GrayImage) -> Result<f64, DicError> {
    check_pair(first, second)?;
    let differences = || {
        let pairs = first.pixels().iter().zip(second.pixels());
        pairs.map(|(a, b)| f64::from(*b) - f64::from(*a))
    };
    let count = first.pixels().len() as f64;
    let mean = differences().sum::<f64>() / count;
    let squares: f64 = differences().map(|d| (d - mean).powi(2)).sum();
    Ok((squares / (count - 1.0).max(1.0) / 2.0).sqrt())
}

fn check_sizes(sensitivity: &Sensitivity, field: &Field) -> Result<(), DicError> {
    let (expected, got) = (field.points.len(), sensitivity.points.len());
    if expected == got {
        Ok(())
    } else {
        Err(DicError::UncertaintySize { expected, got })
    }
}

/// How strongly noise moves a point: as the subset was matched, if this pair of images cut it.
fn known_at<'a>(
    sensitivity: &'a Sensitivity,
    field: &'a Field,
    i: usize,
) -> Option<&'a PointSensitivity> {
    let cut = field.cut_sensitivity.get(&i);
    cut.or(sensitivity.points[i].as_ref())
}

/// The noise of one image by the residual of one point.
fn noise_at(
    sensitivity: &Sensitivity,
    known: &PointSensitivity,
    point: &PointResult,
) -> Option<f64> {
    let size = sensitivity.settings.subset_size_px as f64;
    if known.freedom < LEAST_FREEDOM * size * size {
        return None;
    }
    // Eq. (13): Σ (f'/f̃ − g'/g̃)² = 2 (1 − zncc), here in grey levels of the reference.
    let squares = 2.0 * known.energy * (1.0 - point.zncc).max(0.0);
    let interpolated = sensitivity.noise.interpolated(point.p[0], point.p[6]);
    Some((squares / known.freedom / (sensitivity.noise.filtered + interpolated)).sqrt())
}

/// The uncertainty of a displacement that is composed over changes of the reference.
///
/// The noise of a reference between moves the point away in one pair of images and back in the
/// next: of a chain, the noise of the first and of the last image remains, each seen at the size
/// of the last. The subset is taken up again around whole pixels, half a pixel aside in the mean
/// over both axes, and the noise of that share of its pixels does not cancel.
fn composed(
    stated: PointUncertainty,
    point: &PointResult,
    settings: &Settings,
) -> PointUncertainty {
    if point.reference_changes == 0 {
        return stated;
    }
    let share = 0.5 / settings.subset_size_px as f64;
    let growth = (1.0 + share * point.reference_changes as f64).sqrt();
    let [u_x, u_y, v_x, v_y] = [1, 2, 7, 8].map(|k| point.p[k]);
    // F C Fᵀ with F = I + ∇u.
    let (a, b, c, d) = (1.0 + u_x, u_y, v_x, 1.0 + v_y);
    let (uu, vv) = (stated.u.powi(2), stated.v.powi(2));
    let uv = stated.correlation_uv * stated.u * stated.v;
    let u = (a * a * uu + 2.0 * a * b * uv + b * b * vv).max(0.0).sqrt();
    let v = (c * c * uu + 2.0 * c * d * uv + d * d * vv).max(0.0).sqrt();
    let both = a * c * uu + (a * d + b * c) * uv + b * d * vv;
    let gradient = stated.gradient.map(|[ux, uy, vx, vy]| {
        let turned = [
            (a * ux).hypot(b * vx),
            (a * uy).hypot(b * vy),
            (c * ux).hypot(d * vx),
            (c * uy).hypot(d * vy),
        ];
        turned.map(|value| growth * value)
    });
    PointUncertainty {
        u: growth * u,
        v: growth * v,
        correlation_uv: (both / (u * v)).clamp(-1.0, 1.0),
        gradient,
        noise: stated.noise,
    }
}

/// The uncertainty where each image has white noise of that standard deviation.
fn of_point(
    sensitivity: &Sensitivity,
    known: &PointSensitivity,
    level: f64,
) -> Option<PointUncertainty> {
    let variance = level * level;
    let noise = &sensitivity.noise;
    let mut factors = [0.0; 2];
    for (side, factor) in factors.iter_mut().enumerate() {
        let in_hessian = variance * noise.gradient * known.per_hessian[side];
        if in_hessian > LARGEST_NOISE_SHARE {
            return None;
        }
        // Of the products of noise with noise only those of different images remain: half.
        let in_middle = 0.5 * variance * noise.product * known.per_middle[side];
        *factor = (1.0 - in_middle).max(0.0).sqrt() / (1.0 - in_hessian);
    }
    let scale = (2.0 * variance).sqrt();
    let deviation =
        |index: usize, side: usize| scale * factors[side] * known.covariance[index].sqrt();
    // Diagonal of the upper triangle: 0, 6, 11, 15, 18, 20; u with v: 3.
    let product = (known.covariance[0] * known.covariance[15]).sqrt();
    let gradient = [
        deviation(6, 0),
        deviation(11, 0),
        deviation(18, 1),
        deviation(20, 1),
    ];
    Some(PointUncertainty {
        u: deviation(0, 0),
        v: deviation(15, 1),
        correlation_uv: (known.covariance[3] / product).clamp(-1.0, 1.0),
        gradient: (sensitivity.settings.shape_order != ShapeOrder::Zero).then_some(gradient),
        noise: level,
    })
}
