//! The uncertainty of measured points.

use rayon::prelude::*;
use retrial_image::GrayImage;

use super::misfit::add_misfit;
use super::sensitivity::{PointSensitivity, Sensitivity};
use super::value::PointUncertainty;
use crate::error::{DicError, check_positive};
use crate::field::{Field, PointResult};
use crate::gaussian::GaussianFilter;
use crate::reference::check_pair;
use crate::settings::{Settings, ShapeOrder};
use crate::shape::deformation_gradient;
use crate::status::Status;
use crate::trust::median;

/// Share of noise in the Hessian above which the uncertainty of a point is not known.
const LARGEST_NOISE_SHARE: f64 = 0.8;

/// Share of a subset's pixels that must be left as degrees of freedom to take the noise from its
/// residual.
const LEAST_FREEDOM: f64 = 0.25;

/// Share of a residual that is noise at least, however much of it the filter explains.
const LEAST_NOISE: f64 = 0.15;

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

/// The uncertainty of every point of a field measured with the reference of `sensitivity`.
///
/// `None` where the point did not converge. A converged point without an uncertainty loses that status: it
/// becomes [`Status::Uncertain`] where noise makes up most of the gradient or the subset is too small to tell the
/// noise, [`Status::IllConditioned`] where its grey values do not fix all parameters.
///
/// # Errors
/// [`DicError::UncertaintySize`] when the field has another number of points,
/// [`DicError::NotPositive`] for a known noise that is none.
pub fn uncertainty(
    sensitivity: &Sensitivity,
    field: &mut Field,
    noise: NoiseLevel,
) -> Result<Vec<Option<PointUncertainty>>, DicError> {
    check_sizes(sensitivity, field)?;
    if let NoiseLevel::Known(level) = noise {
        check_positive("noise", level)?;
    }
    let inner = match noise {
        NoiseLevel::Known(_) => None,
        NoiseLevel::Residual => inner_noise(sensitivity, field),
    };
    let at = |i: usize| {
        let point = &field.points[i];
        let known = known_at(sensitivity, field, i).ok_or(Status::IllConditioned)?;
        let level = match noise {
            NoiseLevel::Known(level) => Some(level),
            NoiseLevel::Residual if touches_rim(sensitivity, point) => {
                inner.or_else(|| noise_at(sensitivity, known, point))
            }
            NoiseLevel::Residual => noise_at(sensitivity, known, point),
        };
        let stated = level.and_then(|level| of_point(sensitivity, known, level));
        let stated = stated.ok_or(Status::Uncertain)?;
        Ok(in_the_deformed_image(
            stated,
            known,
            point,
            &sensitivity.settings,
        ))
    };
    let converged = |i: usize| field.points[i].status == Status::Converged;
    let points = (0..field.points.len()).into_par_iter().with_min_len(1024);
    let found: Vec<Option<Result<PointUncertainty, Status>>> =
        points.map(|i| converged(i).then(|| at(i))).collect();
    let mut stated = Vec::with_capacity(found.len());
    for (point, found) in field.points.iter_mut().zip(found) {
        if let Some(Err(status)) = found {
            point.status = status;
        }
        stated.push(found.and_then(Result::ok));
    }
    add_misfit(field, &sensitivity.settings, &mut stated);
    Ok(stated)
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
        || is_near(x + point.u(), width)
        || is_near(y + point.v(), height)
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
    let size = sensitivity.settings.side_px() as f64;
    if known.freedom < LEAST_FREEDOM * size * size {
        return None;
    }
    // Eq. (13): Σ (f'/f̃ − g'/g̃)² = 2 (1 − zncc), here in grey levels of the reference.
    let squares = 2.0 * known.energy * (1.0 - point.zncc).max(0.0);
    let change = FilterChange::of(&sensitivity.settings, known, point);
    let from_filter = change.map_or(0.0, |change| change.residual);
    let from_noise = (squares - from_filter).max(LEAST_NOISE * squares);
    let half = sensitivity.settings.half_px() as f64;
    let [u_x, u_y, v_x, v_y] = point.gradient().as_array();
    let interpolated = sensitivity.noise.interpolated_over(
        (point.u(), half * (u_x.abs() + u_y.abs())),
        (point.v(), half * (v_x.abs() + v_y.abs())),
    );
    Some((from_noise / known.freedom / (sensitivity.noise.filtered + interpolated)).sqrt())
}

/// The difference that the prefilter alone makes between both pictures: it has one width in both, but the pattern
/// has another scale in the deformed one.
///
/// Seen from the reference, the filter of covariance `Σ` blurs the deformed picture by `F⁻¹ Σ F⁻ᵀ`; the difference
/// `ΔΣ` adds `½ ΔΣ : ∇∇f` to it.
struct FilterChange {
    /// Of `[f_xx, f_xy, f_yy]`.
    weights: [f64; 3],
    /// Squares of the difference, in grey levels of the reference, less what the match takes of them.
    residual: f64,
    /// What the series leaves of its first term.
    damping: f64,
}

impl FilterChange {
    /// `None` where there is no difference to be told.
    ///
    /// Where the deformed picture is blurred more, the series `exp(−a) − 1 = −a + …` is summed as for a pattern with
    /// a Gaussian spectrum.
    fn of(settings: &Settings, known: &PointSensitivity, point: &PointResult) -> Option<Self> {
        let (Some(filter), 0) = (settings.prefilter, point.reference_changes) else {
            return None;
        };
        let inverse = inverse_stretch(point)?;
        let variance = filter.sigma_px.powi(2);
        let [xx, xy, yy] = [inverse[0] - 1.0, inverse[1], inverse[2] - 1.0].map(|v| variance * v);
        let weights = [0.5 * xx, xy, 0.5 * yy];
        let mut first = 0.0;
        for (row, weight) in known.bends.iter().zip(weights) {
            for (value, other) in row.iter().zip(weights) {
                first += weight * other * value;
            }
        }
        if known.energy <= 0.0 || first <= 0.0 {
            return None;
        }
        // ⟨a²⟩ = ¾ κ² for a = ½ δ ω² and a normal ω with κ = δ ⟨ω²⟩, and ⟨(1 − exp(−a))²⟩ follows.
        let scaled = (4.0 / 3.0 * first / known.energy).sqrt();
        // Below, the sum is all rounding.
        let residual = if xx + yy < 0.0 || scaled < 1e-4 {
            first
        } else {
            known.energy * (1.0 - 2.0 / (1.0 + scaled).sqrt() + 1.0 / (1.0 + 2.0 * scaled).sqrt())
        };
        Some(Self {
            weights,
            residual,
            damping: (residual / first).sqrt(),
        })
    }

    /// How far it moves `[u, u_x, u_y, v, v_x, v_y]` in the reference, px and 1.
    fn moved(&self, known: &PointSensitivity) -> [f64; 6] {
        let mut moved = [0.0; 6];
        for (bend, weight) in known.moved_by_bends.iter().zip(self.weights) {
            for (sum, value) in moved.iter_mut().zip(bend) {
                *sum += self.damping * weight * value;
            }
        }
        moved
    }
}

/// `F⁻¹ F⁻ᵀ` as `[xx, xy, yy]`; `None` where a subset is turned inside out.
fn inverse_stretch(point: &PointResult) -> Option<[f64; 3]> {
    let [[a, b], [c, d]] = deformation_gradient(&point.p);
    let det = a * d - b * c;
    let square = det * det;
    (det > 0.0).then(|| [d * d + b * b, -(d * c + b * a), c * c + a * a].map(|v| v / square))
}

/// The uncertainty of a displacement from that of the parameters in the reference, `F C Fᵀ`: a match corrects the
/// place in the reference that the deformed subset shows.
///
/// The noise of the deformed image counts by the number of its pixels that the subset covers, `det F` of the
/// reference's, and the filter takes less of it where the pattern is stretched. What the filter makes of the two
/// scales of the pattern moves the match as well.
///
/// Of a chain of references, the noise of the first and of the last image remains, each seen at the size of the
/// last: the noise of a reference between moves the point away in one pair of images and back in the next. The
/// subset is taken up again around whole pixels, half a pixel aside in the mean over both axes, and the noise
/// of that share of its pixels does not cancel.
fn in_the_deformed_image(
    stated: PointUncertainty,
    known: &PointSensitivity,
    point: &PointResult,
    settings: &Settings,
) -> PointUncertainty {
    let [[a, b], [c, d]] = deformation_gradient(&point.p);
    let growth = |side: usize| match point.reference_changes {
        0 => {
            let shown = filter_passes(known, point, side) / (a * d - b * c).clamp(0.1, 10.0);
            (0.5 + 0.5 * shown).sqrt()
        }
        changes => (1.0 + 0.5 / settings.side_px() as f64 * changes as f64).sqrt(),
    };
    let [across, down] = [growth(0), growth(1)];
    let (uu, vv) = ((across * stated.u).powi(2), (down * stated.v).powi(2));
    let uv = stated.correlation_uv * across * stated.u * down * stated.v;
    let change = FilterChange::of(settings, known, point);
    let [m_u, m_ux, m_uy, m_v, m_vx, m_vy] = change.map_or([0.0; 6], |change| change.moved(known));
    let (moved_u, moved_v) = (a * m_u + b * m_v, c * m_u + d * m_v);
    let variance_u = (a * a * uu + 2.0 * a * b * uv + b * b * vv).max(0.0) + moved_u * moved_u;
    let variance_v = (c * c * uu + 2.0 * c * d * uv + d * d * vv).max(0.0) + moved_v * moved_v;
    let both = a * c * uu + (a * d + b * c) * uv + b * d * vv + moved_u * moved_v;
    let gradient = stated.gradient.map(|[ux, uy, vx, vy]| {
        let [ux, uy, vx, vy] = [across * ux, across * uy, down * vx, down * vy];
        [
            (a * ux).hypot(b * vx).hypot(a * m_ux + b * m_vx),
            (a * uy).hypot(b * vy).hypot(a * m_uy + b * m_vy),
            (c * ux).hypot(d * vx).hypot(c * m_ux + d * m_vx),
            (c * uy).hypot(d * vy).hypot(c * m_uy + d * m_vy),
        ]
    });
    let (u, v) = (variance_u.sqrt(), variance_v.sqrt());
    let correlation = both / (u * v);
    PointUncertainty {
        u,
        v,
        // Without noise there is nothing to correlate.
        correlation_uv: if correlation.is_finite() {
            correlation.clamp(-1.0, 1.0)
        } else {
            stated.correlation_uv
        },
        gradient,
        ..stated
    }
}

/// How much more of the noise of the deformed image than of the reference's passes the filter, along `u` or `v`:
/// `|I + c Σ| / |I + c F⁻¹ Σ F⁻ᵀ|`, its root, for a pattern with a Gaussian spectrum, where the sums `H` and `M`
/// without and with the filter tell `c`.
fn filter_passes(known: &PointSensitivity, point: &PointResult, side: usize) -> f64 {
    // H / M = 1 + c σ².
    let taken = known.per_middle[side] / known.per_hessian[side];
    let Some([xx, xy, yy]) = inverse_stretch(point) else {
        return 1.0;
    };
    let more = (taken - 1.0).max(0.0);
    let deformed = (1.0 + more * xx) * (1.0 + more * yy) - (more * xy).powi(2);
    (1.0 + more) / deformed.max(f64::MIN_POSITIVE).sqrt()
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
        misfit: None,
    })
}
