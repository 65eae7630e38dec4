//! From the uncertainty of displacements to that of strains.
//!
//! Neighbouring subsets share pixels, so their random errors are alike. Where the texture is the
//! same everywhere, the error of a displacement is the image noise times the gradient, summed with
//! the weight that each pixel of the subset has in the displacement of its centre; the correlation
//! of two points is the autocorrelation of these weights at their distance. For orders 0 and 1 of
//! a square subset that is the shared area, `(1 − |Δx|/S)(1 − |Δy|/S)`.

use super::tensor::{DisplacementGradient, StrainMeasure};
use crate::pixel_weights::pixel_weights;
use crate::settings::Settings;
use crate::uncertainty::PointUncertainty;

/// Step of the numerical derivative of a strain by the gradient.
const DERIVATIVE_STEP: f64 = 1e-5;

/// Standard uncertainties of a strain, from the noise of the images alone.
///
/// Model: errors of the displacements have the covariance of [`PointUncertainty`]; those of two
/// points are correlated by the pixels that their subsets share, as if the texture were the same
/// everywhere; the strain is linear in the gradient over the size of its uncertainty. A bias by
/// interpolation, or by a field that subset or window cannot follow, is not in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrainUncertainty {
    /// Standard uncertainties of `[u_x, u_y, v_x, v_y]`.
    pub gradient: [f64; 4],
    /// Covariance of the same.
    pub covariance: [[f64; 4]; 4],
    /// Of the tensor along `x`.
    pub xx: f64,
    /// Of the tensor along `y`.
    pub yy: f64,
    /// Of the shear.
    pub xy: f64,
    /// Of the larger principal value.
    pub first: f64,
    /// Of the smaller principal value.
    pub second: f64,
}

/// Correlation of the errors of two points of the grid.
#[derive(Clone, Debug)]
pub(crate) struct Overlap {
    /// Places of the grid in each direction that are tabulated.
    reach: usize,
    table: Vec<f64>,
}

impl Overlap {
    /// The correlations of all points of a window of `points × points`.
    pub(crate) fn new(settings: &Settings, points: usize) -> Self {
        let size = settings.side_px();
        let weights = pixel_weights(size, settings.subset_shape, settings.shape_order);
        let energy: f64 = weights.iter().map(|w| w * w).sum();
        let product = |dx: usize, dy: usize| -> f64 {
            if dx >= size || dy >= size {
                return 0.0;
            }
            let rows = (0..size - dy).map(|y| {
                let first = &weights[y * size + dx..(y + 1) * size];
                let second = &weights[(y + dy) * size..(y + dy + 1) * size - dx];
                first.iter().zip(second).map(|(a, b)| a * b).sum::<f64>()
            });
            rows.sum::<f64>() / energy
        };
        let table = (0..points)
            .flat_map(|dv| (0..points).map(move |du| (du, dv)))
            .map(|(du, dv)| {
                let far = |places: usize| places.saturating_mul(settings.step_px);
                product(far(du), far(dv))
            })
            .collect();
        Self {
            reach: points,
            table,
        }
    }

    fn at(&self, du: i32, dv: i32) -> f64 {
        let (du, dv) = (du.unsigned_abs() as usize, dv.unsigned_abs() as usize);
        self.table[dv * self.reach + du]
    }
}

/// Covariance of `[u_x, u_y, v_x, v_y]` that a window of points with these weights gives.
pub(crate) fn gradient_covariance(
    points: &[(PointUncertainty, i32, i32)],
    weights: &[[f64; 2]],
    overlap: &Overlap,
) -> [[f64; 4]; 4] {
    // Each point contributes weight × uncertainty to the two derivatives of u and of v.
    let shares: Vec<[f64; 4]> = points
        .iter()
        .zip(weights)
        .map(|((one, ..), w)| [w[0] * one.u, w[1] * one.u, w[0] * one.v, w[1] * one.v])
        .collect();
    let mean_uv = points
        .iter()
        .map(|(one, ..)| one.correlation_uv)
        .sum::<f64>()
        / points.len() as f64;
    let mut sums = [[0.0; 4]; 4];
    for (p, first) in points.iter().zip(&shares) {
        let mut around = [0.0; 4];
        for (q, second) in points.iter().zip(&shares) {
            let correlation = overlap.at(p.1 - q.1, p.2 - q.2);
            for (sum, share) in around.iter_mut().zip(second) {
                *sum += correlation * share;
            }
        }
        for (row, share) in sums.iter_mut().zip(first) {
            for (sum, value) in row.iter_mut().zip(&around) {
                *sum += share * value;
            }
        }
    }
    for (i, row) in sums.iter_mut().enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            if (i < 2) != (j < 2) {
                *value *= mean_uv;
            }
        }
    }
    sums
}

/// The uncertainty of the strain of a gradient with that covariance.
pub(crate) fn propagate(
    measure: StrainMeasure,
    gradient: &DisplacementGradient,
    covariance: &[[f64; 4]; 4],
) -> Option<StrainUncertainty> {
    let at = |side: usize, step: f64| {
        let mut moved = gradient.as_array();
        moved[side] += step;
        measure.of(&DisplacementGradient::from_array(moved))
    };
    let mut jacobian = [[0.0; 4]; 3];
    let [along_x, along_y, shear] = &mut jacobian;
    let columns = along_x.iter_mut().zip(along_y).zip(shear);
    for (side, ((xx, yy), xy)) in columns.enumerate() {
        let (after, before) = (at(side, DERIVATIVE_STEP)?, at(side, -DERIVATIVE_STEP)?);
        *xx = (after.xx - before.xx) / (2.0 * DERIVATIVE_STEP);
        *yy = (after.yy - before.yy) / (2.0 * DERIVATIVE_STEP);
        *xy = (after.xy - before.xy) / (2.0 * DERIVATIVE_STEP);
    }
    let deviation = |row: &[f64; 4]| {
        let mut variance = 0.0;
        for i in 0..4 {
            for j in 0..4 {
                variance += row[i] * covariance[i][j] * row[j];
            }
        }
        variance.max(0.0).sqrt()
    };
    // The change of a principal value is the component of the change along its direction.
    let (sin, cos) = measure.of(gradient)?.principal().angle.sin_cos();
    let along = |cos: f64, sin: f64| {
        let mut row = [0.0; 4];
        for (side, value) in row.iter_mut().enumerate() {
            *value = cos * cos * jacobian[0][side]
                + sin * sin * jacobian[1][side]
                + 2.0 * cos * sin * jacobian[2][side];
        }
        deviation(&row)
    };
    let unit = |side: usize| covariance[side][side].max(0.0).sqrt();
    Some(StrainUncertainty {
        covariance: *covariance,
        gradient: [unit(0), unit(1), unit(2), unit(3)],
        xx: deviation(&jacobian[0]),
        yy: deviation(&jacobian[1]),
        xy: deviation(&jacobian[2]),
        first: along(cos, sin),
        second: along(-sin, cos),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ShapeOrder;

    fn settings(size_px: usize, step_px: usize, shape_order: ShapeOrder) -> Settings {
        Settings {
            step_px,
            shape_order,
            ..Settings::default().with_side_px(size_px)
        }
    }

    fn point(u: f64, v: f64, correlation_uv: f64) -> PointUncertainty {
        PointUncertainty {
            u,
            v,
            correlation_uv,
            gradient: None,
            noise: 1.0,
            misfit: None,
        }
    }

    #[test]
    fn squares_of_order_one_are_correlated_by_their_shared_area() {
        let overlap = Overlap::new(&settings(21, 5, ShapeOrder::One), 6);
        for du in 0..6_i32 {
            for dv in 0..6_i32 {
                let share = |d: i32| (1.0 - f64::from(5 * d) / 21.0).max(0.0);
                let expected = share(du) * share(dv);
                assert!((overlap.at(-du, dv) - expected).abs() < 1e-12, "{du} {dv}");
            }
        }
    }

    /// The weights of order 2 change sign, so they are correlated over a shorter distance than the
    /// shared area says.
    #[test]
    fn order_two_is_correlated_over_a_shorter_distance() {
        let overlap = Overlap::new(&settings(21, 5, ShapeOrder::Two), 5);
        assert!((overlap.at(0, 0) - 1.0).abs() < 1e-12);
        for places in 1..4 {
            let area = 1.0 - 5.0 * f64::from(places) / 21.0;
            let found = overlap.at(places, 0);
            assert!(found < area - 0.1, "{places}: {found} {area}");
        }
        assert!(overlap.at(4, 0).abs() < 0.1);
    }

    /// Independent points: `σ² Σ a²`. Two points with a correlation of one half: `σ² (2 a² (1 − ½))`.
    #[test]
    fn the_variance_of_a_sum_follows_the_correlation() {
        let apart = Overlap::new(&settings(5, 5, ShapeOrder::One), 3);
        let points = [
            (point(0.01, 0.02, 0.0), -1, 0),
            (point(0.01, 0.02, 0.0), 1, 0),
        ];
        let weights = [[-0.1, 0.0], [0.1, 0.0]];
        let covariance = gradient_covariance(&points, &weights, &apart);
        assert!(
            (covariance[0][0] - 2.0 * 1e-6).abs() < 1e-15,
            "{covariance:?}"
        );
        assert!((covariance[2][2] - 8.0 * 1e-6).abs() < 1e-15);
        assert_eq!(covariance[0][2], 0.0);
        let shared = Overlap::new(&settings(21, 5, ShapeOrder::One), 3);
        let covariance = gradient_covariance(&points, &weights, &shared);
        let correlation = 1.0 - 10.0 / 21.0;
        assert!((covariance[0][0] - 2e-6 * (1.0 - correlation)).abs() < 1e-15);
    }

    /// With unit covariance the small strain xx has the uncertainty of u_x, the shear that of
    /// ½ (u_y + v_x), and Green-Lagrange xx = u_x + ½ (u_x² + v_x²) its linear form.
    #[test]
    fn propagation_is_the_linear_form() {
        let gradient = DisplacementGradient {
            u_x: 0.2,
            u_y: 0.0,
            v_x: 0.1,
            v_y: 0.0,
        };
        let mut covariance = [[0.0; 4]; 4];
        for (i, row) in covariance.iter_mut().enumerate() {
            row[i] = 1e-8;
        }
        let small = propagate(StrainMeasure::Small, &gradient, &covariance).expect("not folded");
        assert!((small.xx - 1e-4).abs() < 1e-11 && (small.gradient[0] - 1e-4).abs() < 1e-15);
        assert!((small.xy - 1e-4 / 2.0_f64.sqrt()).abs() < 1e-11);
        let green =
            propagate(StrainMeasure::GreenLagrange, &gradient, &covariance).expect("not folded");
        assert!((green.xx - 1e-4 * 1.2_f64.hypot(0.1)).abs() < 1e-11);
        assert!(green.first > 0.0 && green.second > 0.0);
    }
}
