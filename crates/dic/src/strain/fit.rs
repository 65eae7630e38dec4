//! The displacement gradient at a point, by least squares over the points of a window.
//!
//! # Source
//! Pan, Xie, Guo & Hua 2007, doi:10.1117/1.2714926 (local least squares on a window of points);
//! window and gauge length as in the DIC Good Practices Guide, doi:10.32720/idics/gpg.ed1.

use crate::cholesky::Cholesky;
use crate::error::{DicError, check_positive};
use crate::neighbours::PointGrid;
use crate::settings::{Settings, setters};
use crate::shape::PARAMETERS;

/// The points that a strain is fitted to, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StrainWindow {
    /// Points along each side of the square window; odd, 3 to 501.
    pub points: usize,
    /// Degree of the polynomial.
    pub order: FitOrder,
    /// How much each point counts.
    pub weights: WindowWeights,
    /// Share of the window's points that must have converged, above 0 and at most 1.
    ///
    /// Windows at the border of the field are cut: an edge keeps half of them, a corner a quarter.
    pub least_share: f64,
}

setters! {
    StrainWindow;
    with_points: points: usize;
    with_order: order: FitOrder;
    with_weights: weights: WindowWeights;
    with_least_share: least_share: f64;
}

/// Most points along a side: what is tabulated of a window grows with their square.
const MAX_POINTS: usize = 501;

/// Degree of the polynomial of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitOrder {
    /// A plane: 3 coefficients a component.
    One,
    /// A quadratic surface: 6 coefficients. Follows curved fields better, and is noisier at the
    /// border, where the window is not symmetric.
    Two,
}

/// How much a point counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WindowWeights {
    /// All alike.
    Uniform,
    /// `exp(−½ r² / sigma_px²)` at the distance `r` from the centre.
    Gaussian {
        /// Standard deviation in px.
        sigma_px: f64,
    },
}

impl StrainWindow {
    /// Length of the virtual strain gauge in px: `(points − 1) · step + subset size`, the pixels
    /// that a strain depends on.
    ///
    /// # Source
    /// DIC Good Practices Guide 2018, doi:10.32720/idics/gpg.ed1, section 5.4.
    #[must_use]
    pub fn gauge_px(&self, settings: &Settings) -> usize {
        (self.points - 1)
            .saturating_mul(settings.step_px)
            .saturating_add(settings.side_px())
    }

    pub(crate) fn check(&self) -> Result<(), DicError> {
        if !(3..=MAX_POINTS).contains(&self.points) || self.points.is_multiple_of(2) {
            return Err(DicError::StrainWindow {
                points: self.points,
            });
        }
        if !(self.least_share > 0.0 && self.least_share <= 1.0) {
            return Err(DicError::LeastShare {
                value: self.least_share,
            });
        }
        match self.weights {
            WindowWeights::Uniform => Ok(()),
            WindowWeights::Gaussian { sigma_px } => check_positive("sigma_px", sigma_px),
        }
    }

    /// Whether this window can hold as many points of a field as it asks for, by the centres `(x, y)` of the
    /// field's [points](crate::Reference::points).
    ///
    /// # Errors
    /// [`DicError::StrainWindowExceedsField`] where it cannot, so that no point would have a strain.
    pub fn check_field(
        &self,
        points: &[(usize, usize)],
        settings: &Settings,
    ) -> Result<(), DicError> {
        let (columns, rows) = PointGrid::new(points, settings.step_px).size();
        let least = self.least_points();
        let most = columns.min(self.points) * rows.min(self.points);
        let most = most.min(points.len());
        if most >= least {
            return Ok(());
        }
        Err(DicError::StrainWindowExceedsField {
            points: self.points,
            least,
            columns,
            rows,
            most,
        })
    }

    /// Points a window must hold.
    pub(crate) fn least_points(&self) -> usize {
        let share = (self.least_share * (self.points * self.points) as f64).ceil() as usize;
        share.max(self.order.coefficients())
    }
}

impl Default for StrainWindow {
    fn default() -> Self {
        Self {
            points: 11,
            order: FitOrder::One,
            weights: WindowWeights::Uniform,
            least_share: 0.25,
        }
    }
}

impl FitOrder {
    fn coefficients(self) -> usize {
        match self {
            Self::One => 3,
            Self::Two => 6,
        }
    }
}

/// What every point contributes to `∂/∂x` and `∂/∂y` at the centre, in 1/px, or `None` when the
/// points do not fix the polynomial, such as points of one line.
///
/// `offsets` are px from the centre.
pub(crate) fn derivative_weights(
    offsets: &[(f64, f64)],
    window: &StrainWindow,
) -> Option<Vec<[f64; 2]>> {
    let count = window.order.coefficients();
    let reach = offsets
        .iter()
        .fold(0.0_f64, |most, (x, y)| most.max(x.abs()).max(y.abs()));
    if offsets.len() < count || reach <= 0.0 {
        return None;
    }
    let terms: Vec<([f64; 6], f64)> = offsets
        .iter()
        .map(|&(x, y)| {
            let weight = match window.weights {
                WindowWeights::Uniform => 1.0,
                WindowWeights::Gaussian { sigma_px } => {
                    (-0.5 * (x * x + y * y) / (sigma_px * sigma_px)).exp()
                }
            };
            let (x, y) = (x / reach, y / reach);
            ([1.0, x, y, x * x, x * y, y * y], weight)
        })
        .collect();
    let mut normal = [[0.0; PARAMETERS]; PARAMETERS];
    for (term, weight) in &terms {
        for i in 0..count {
            for j in 0..count {
                normal[i][j] += weight * term[i] * term[j];
            }
        }
    }
    let factor = Cholesky::new(count, &normal)?;
    let row = |index: usize| {
        let mut unit = [0.0; PARAMETERS];
        unit[index] = 1.0 / reach;
        factor.solve(&mut unit);
        unit
    };
    let (along_x, along_y) = (row(1), row(2));
    let product = |row: &[f64; PARAMETERS], term: &[f64; 6]| -> f64 {
        row.iter().zip(term).take(count).map(|(a, b)| a * b).sum()
    };
    Some(
        terms
            .iter()
            .map(|(term, weight)| {
                [
                    weight * product(&along_x, term),
                    weight * product(&along_y, term),
                ]
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(reach: i32, step: f64) -> Vec<(f64, f64)> {
        (-reach..=reach)
            .flat_map(|j| (-reach..=reach).map(move |i| (step * f64::from(i), step * f64::from(j))))
            .collect()
    }

    /// The slope of a full window of one line of `n` points is `Σ x y / Σ x²`.
    #[test]
    fn a_full_window_of_order_one_has_the_textbook_weights() {
        let offsets = square(2, 5.0);
        let weights = derivative_weights(&offsets, &StrainWindow::default()).expect("regular");
        assert_eq!(weights.len(), offsets.len());
        let squares: f64 = offsets.iter().map(|(x, _)| x * x).sum();
        for (&(x, y), weight) in offsets.iter().zip(&weights) {
            assert!((weight[0] - x / squares).abs() < 1e-14);
            assert!((weight[1] - y / squares).abs() < 1e-14);
        }
    }

    #[test]
    fn polynomials_of_the_order_are_differentiated_exactly_on_any_points() {
        let offsets: Vec<(f64, f64)> = square(3, 4.0)
            .into_iter()
            .enumerate()
            .filter(|(i, (x, _))| i % 5 != 2 && *x > -9.0)
            .map(|(_, offset)| offset)
            .collect();
        for (order, quadratic) in [(FitOrder::One, 0.0), (FitOrder::Two, 1.0)] {
            for weights in [
                WindowWeights::Uniform,
                WindowWeights::Gaussian { sigma_px: 6.0 },
            ] {
                let window = StrainWindow {
                    order,
                    weights,
                    ..StrainWindow::default()
                };
                let found = derivative_weights(&offsets, &window).expect("regular");
                let value = |x: f64, y: f64| {
                    7.0 + 0.02 * x - 0.03 * y + quadratic * (1e-3 * x * x - 2e-3 * x * y + y * y)
                };
                let slope = |side: usize| -> f64 {
                    let each = offsets.iter().zip(&found);
                    each.map(|(&(x, y), w)| w[side] * value(x, y)).sum()
                };
                assert!((slope(0) - 0.02).abs() < 1e-11, "{order:?} {weights:?}");
                assert!((slope(1) + 0.03).abs() < 1e-11, "{order:?} {weights:?}");
            }
        }
    }

    #[test]
    fn points_of_one_line_fix_no_plane() {
        let line: Vec<(f64, f64)> = (-3..=3).map(|i| (f64::from(i), f64::from(i))).collect();
        assert!(derivative_weights(&line, &StrainWindow::default()).is_none());
    }
}
