//! The strain at every point of a field.

use rayon::prelude::*;

use super::fit::{StrainWindow, derivative_weights};
use super::propagate::{Overlap, StrainUncertainty, gradient_covariance, propagate};
use super::tensor::{DisplacementGradient, StrainMeasure, StrainTensor};
use crate::error::DicError;
use crate::field::{Field, PointResult};
use crate::neighbours::PointGrid;
use crate::part::Cut;
use crate::settings::Settings;
use crate::shape::displacement_at;
use crate::split::{LEAST_JUMP, UNUSUAL};
use crate::status::Status;
use crate::trust::median;
use crate::uncertainty::PointUncertainty;

/// Strain at every point of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct StrainField {
    /// Which tensor.
    pub measure: StrainMeasure,
    /// Length of the virtual strain gauge in px; see [`StrainWindow::gauge_px`].
    pub gauge_px: usize,
    /// One result a point, in the order of the field.
    pub points: Vec<StrainPoint>,
}

/// Strain at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrainPoint {
    /// Column of the point in the reference image, px.
    pub x: usize,
    /// Row of the point in the reference image, px.
    pub y: usize,
    /// The strain, or why there is none.
    pub strain: Result<Strain, StrainFault>,
}

/// A strain and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strain {
    /// The fitted displacement gradient.
    pub gradient: DisplacementGradient,
    /// The tensor of the measure asked for.
    pub tensor: StrainTensor,
    /// Converged points in the window.
    pub points: usize,
    /// Standard uncertainties, where those of the displacements were given for every point used.
    pub uncertainty: Option<StrainUncertainty>,
}

/// Why a point has no strain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrainFault {
    /// The displacement of the point itself did not converge.
    PointFailed,
    /// Fewer points of its window converged, on its side of a discontinuity, than the window asks for.
    TooFewPoints,
    /// The points of its window lie so that they do not fix the polynomial.
    IllPlaced,
    /// The fitted gradient folds the material over: `det F ≤ 0`.
    Folded,
}

impl StrainFault {
    /// The stable `snake_case` name for files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PointFailed => "point_failed",
            Self::TooFewPoints => "too_few_points",
            Self::IllPlaced => "ill_placed",
            Self::Folded => "folded",
        }
    }
}

impl StrainPoint {
    /// `measured`, or the name of the fault.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.strain.map_or_else(StrainFault::name, |_| "measured")
    }
}

/// Fits the window of every point and takes the strain of the gradient.
///
/// Only converged points enter a fit. A window that holds a subset which was
/// [divided](crate::Split::Automatic) ends at the discontinuity: of its points only those enter that
/// the centre reaches from neighbour to neighbour without a jump of the displacement. Points that lie on no grid are gathered by cells of one step,
/// one a cell, and fitted where they are. `settings` are those of the correlation: they hold the step
/// and the subset. With `uncertainties`, one a point of the field, every strain gets its own; see
/// [`StrainUncertainty`] for the model.
///
/// # Errors
/// [`DicError::StrainWindow`], [`DicError::LeastShare`] and [`DicError::NotPositive`] for a window
/// that is none, [`DicError::StrainWindowExceedsField`] for one that no point of the field can fill,
/// [`DicError::UncertaintySize`] when `uncertainties` has another length than the field.
pub fn strain_field(
    field: &Field,
    settings: &Settings,
    window: &StrainWindow,
    measure: StrainMeasure,
    uncertainties: Option<&[Option<PointUncertainty>]>,
) -> Result<StrainField, DicError> {
    settings.check()?;
    window.check()?;
    if let Some(uncertainties) = uncertainties
        && uncertainties.len() != field.points.len()
    {
        return Err(DicError::UncertaintySize {
            expected: field.points.len(),
            got: uncertainties.len(),
        });
    }
    let nodes: Vec<(usize, usize)> = field.points.iter().map(|p| (p.x, p.y)).collect();
    window.check_field(&nodes, settings)?;
    let work = Work {
        field,
        window,
        measure,
        grid: PointGrid::new(&nodes, settings.step_px),
        overlap: uncertainties.map(|_| Overlap::new(settings, window.points)),
        uncertainties,
        jump_px: None,
    };
    let work = Work {
        jump_px: work.smallest_jump(),
        ..work
    };
    let points = (0..nodes.len())
        .into_par_iter()
        .with_min_len(16)
        .map(|i| StrainPoint {
            x: nodes[i].0,
            y: nodes[i].1,
            strain: work.strain(i),
        })
        .collect();
    Ok(StrainField {
        measure,
        gauge_px: window.gauge_px(settings),
        points,
    })
}

/// What every point needs.
struct Work<'a> {
    field: &'a Field,
    window: &'a StrainWindow,
    measure: StrainMeasure,
    grid: PointGrid,
    overlap: Option<Overlap>,
    uncertainties: Option<&'a [Option<PointUncertainty>]>,
    /// The smallest jump between neighbours that ends a window, px; `None` where no subset was
    /// divided.
    jump_px: Option<f64>,
}

impl Work<'_> {
    fn converged(&self, i: usize) -> bool {
        self.field.points[i].status == Status::Converged
    }

    /// By how much the fields of two points disagree half way between them, px.
    fn contradiction(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (&self.field.points[i], &self.field.points[j]);
        let half = |from: usize, to: usize| 0.5 * (to as f64 - from as f64);
        let (dx, dy) = (half(a.x, b.x), half(a.y, b.y));
        let (of_a, of_b) = (
            displacement_at(&a.p, dx, dy),
            displacement_at(&b.p, -dx, -dy),
        );
        (of_a.0 - of_b.0).hypot(of_a.1 - of_b.1)
    }

    fn smallest_jump(&self) -> Option<f64> {
        let points = &self.field.points;
        if !points.iter().any(|point| point.cut == Cut::Split) {
            return None;
        }
        let usual = |(across, down): (isize, isize)| {
            let beside = |i: usize| self.grid.at(i, across, down).map(|j| (i, j));
            let pairs = (0..points.len()).filter_map(beside);
            let measured = pairs.filter(|&(i, j)| self.converged(i) && self.converged(j));
            median(measured.map(|(i, j)| self.contradiction(i, j)).collect()).unwrap_or(0.0)
        };
        Some((UNUSUAL * usual((1, 0)).max(usual((0, 1)))).max(LEAST_JUMP))
    }

    /// The points of a window, the centre among them, that it reaches from neighbour to neighbour
    /// without a jump.
    fn reached(&self, near: &[(usize, i32, i32)], jump_px: f64) -> Vec<(usize, i32, i32)> {
        let half = (self.window.points / 2) as i32;
        let side = 2 * half + 1;
        let place = |du: i32, dv: i32| {
            let is_inside = du.abs() <= half && dv.abs() <= half;
            is_inside.then_some(((dv + half) * side + du + half) as usize)
        };
        let mut members = vec![None; (side * side) as usize];
        for (k, &(_, du, dv)) in near.iter().enumerate() {
            if let Some(place) = place(du, dv) {
                members[place] = Some(k);
            }
        }
        let mut is_reached: Vec<bool> =
            near.iter().map(|&(_, du, dv)| du == 0 && dv == 0).collect();
        let mut ends: Vec<usize> = (0..near.len()).filter(|&k| is_reached[k]).collect();
        while let Some(end) = ends.pop() {
            let (i, du, dv) = near[end];
            for (across, down) in [(1, 0), (0, 1), (-1, 0), (0, -1)] {
                let beside = place(du + across, dv + down).and_then(|place| members[place]);
                if let Some(k) = beside
                    && !is_reached[k]
                    && self.contradiction(i, near[k].0) < jump_px
                {
                    is_reached[k] = true;
                    ends.push(k);
                }
            }
        }
        let kept = near.iter().zip(is_reached).filter(|(_, reached)| *reached);
        kept.map(|(each, _)| *each).collect()
    }

    fn strain(&self, i: usize) -> Result<Strain, StrainFault> {
        let point = |j: usize| -> &PointResult { &self.field.points[j] };
        if !self.converged(i) {
            return Err(StrainFault::PointFailed);
        }
        let mut near: Vec<(usize, i32, i32)> = self
            .grid
            .within(i, self.window.points / 2)
            .filter(|&(j, ..)| self.converged(j))
            .collect();
        if let Some(jump_px) = self.jump_px
            && near.iter().any(|&(j, ..)| point(j).cut == Cut::Split)
        {
            near = self.reached(&near, jump_px);
        }
        if near.len() < self.window.least_points() {
            return Err(StrainFault::TooFewPoints);
        }
        let offsets: Vec<(f64, f64)> = near
            .iter()
            .map(|&(j, ..)| {
                let (there, here) = (point(j), point(i));
                (
                    there.x as f64 - here.x as f64,
                    there.y as f64 - here.y as f64,
                )
            })
            .collect();
        let weights = derivative_weights(&offsets, self.window).ok_or(StrainFault::IllPlaced)?;
        let mut gradient = [0.0; 4];
        for (&(j, ..), weight) in near.iter().zip(&weights) {
            // The weights add up to zero, so the displacement of the centre may be taken away.
            let u = point(j).u() - point(i).u();
            let v = point(j).v() - point(i).v();
            gradient[0] += weight[0] * u;
            gradient[1] += weight[1] * u;
            gradient[2] += weight[0] * v;
            gradient[3] += weight[1] * v;
        }
        let gradient = DisplacementGradient::from_array(gradient);
        let tensor = self.measure.of(&gradient).ok_or(StrainFault::Folded)?;
        Ok(Strain {
            gradient,
            tensor,
            points: near.len(),
            uncertainty: self.uncertainty(&near, &weights, &gradient),
        })
    }

    fn uncertainty(
        &self,
        near: &[(usize, i32, i32)],
        weights: &[[f64; 2]],
        gradient: &DisplacementGradient,
    ) -> Option<StrainUncertainty> {
        let (overlap, all) = (self.overlap.as_ref()?, self.uncertainties?);
        let points: Vec<(PointUncertainty, i32, i32)> = near
            .iter()
            .map(|&(j, du, dv)| all[j].map(|one| (one, du, dv)))
            .collect::<Option<_>>()?;
        let covariance = gradient_covariance(&points, weights, overlap);
        propagate(self.measure, gradient, &covariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{affine, translation};
    use crate::strain::{FitOrder, WindowWeights};

    /// A field of 15 × 13 points with step 5 whose displacement is `(u, v)(x, y)`.
    fn field(displacement: impl Fn(f64, f64) -> (f64, f64)) -> Field {
        let points = (0..13).flat_map(|row| (0..15).map(move |column| (column, row)));
        let points = points.map(|(column, row)| {
            let (x, y) = (20 + 5 * column, 30 + 5 * row);
            let (u, v) = displacement(x as f64, y as f64);
            PointResult::new((x, y), translation(u, v), Status::Converged)
        });
        Field::new(points.collect())
    }

    fn settings() -> Settings {
        Settings {
            step_px: 5,
            ..Settings::default().with_side_px(21)
        }
    }

    /// 12 % along x, rotated by 25°: the same Green-Lagrange strain everywhere, holes or not.
    #[test]
    fn a_uniform_large_strain_is_found_at_every_point_that_can_have_one() {
        let (sin, cos) = 25_f64.to_radians().sin_cos();
        let mut field = field(|x, y| {
            let (a, b) = (1.12 * x, 0.97 * y);
            (cos * a - sin * b - x, sin * a + cos * b - y)
        });
        for (i, point) in field.points.iter_mut().enumerate() {
            if i % 7 == 3 {
                point.p = [1e3; 12];
                point.status = Status::LowCorrelation;
            }
        }
        for order in [FitOrder::One, FitOrder::Two] {
            let window = StrainWindow {
                points: 5,
                order,
                weights: WindowWeights::Gaussian { sigma_px: 8.0 },
                least_share: 0.25,
            };
            let measure = StrainMeasure::GreenLagrange;
            let strains =
                strain_field(&field, &settings(), &window, measure, None).expect("valid settings");
            assert_eq!(strains.gauge_px, 41);
            for (point, strain) in field.points.iter().zip(&strains.points) {
                match strain.strain {
                    Ok(found) => {
                        assert!((found.tensor.xx - 0.5 * (1.12_f64.powi(2) - 1.0)).abs() < 1e-10);
                        assert!((found.tensor.yy - 0.5 * (0.97_f64.powi(2) - 1.0)).abs() < 1e-10);
                        assert!(found.tensor.xy.abs() < 1e-10);
                    }
                    Err(fault) => match fault {
                        StrainFault::PointFailed => assert_ne!(point.status, Status::Converged),
                        StrainFault::TooFewPoints => {
                            // Corners alone: nine places, of which some failed.
                            let edge = |at: usize, low: usize, high: usize| {
                                at < low + 10 || at > high - 10
                            };
                            assert!(edge(point.x, 20, 90) && edge(point.y, 30, 90));
                        }
                        other => panic!("{other:?}"),
                    },
                }
            }
            let measured = strains.points.iter().filter(|p| p.strain.is_ok()).count();
            assert!(measured > 150, "{measured}");
        }
    }

    /// Two halves that move apart: beside the crack every window holds points of one half alone.
    #[test]
    fn windows_end_at_a_crack() {
        let jump = |x: f64| if x < 52.0 { 0.0 } else { 0.5 };
        let mut field = field(|x, y| (0.01 * x + jump(x), -0.003 * y));
        for point in &mut field.points {
            point.p = affine([point.u(), 0.01, 0.0], [point.v(), 0.0, -0.003]);
        }
        let window = StrainWindow {
            points: 5,
            least_share: 0.3,
            ..StrainWindow::default()
        };
        let worst = |field: &Field| {
            let strains = strain_field(field, &settings(), &window, StrainMeasure::Small, None)
                .expect("valid settings");
            let errors = strains.points.iter().map(|point| {
                let tensor = point.strain.expect("enough points on either side").tensor;
                (tensor.xx - 0.01).abs().max((tensor.yy + 0.003).abs())
            });
            errors.fold(0.0, f64::max)
        };
        let whole = worst(&field);
        for point in &mut field.points {
            if point.x.abs_diff(52) < 10 {
                point.cut = Cut::Split;
            }
        }
        let divided = worst(&field);
        assert!(whole > 0.02 && divided < 1e-12, "{whole} {divided}");
    }

    /// Inside, a window of order 2 gives the slope of a cubic less its cubic part; here the field
    /// is quadratic, which order 1 also meets inside but not at the border.
    #[test]
    fn order_two_follows_a_quadratic_up_to_the_border() {
        let field = field(|x, y| (1e-5 * x * x, -2e-5 * x * y));
        for (order, exact_at_border) in [(FitOrder::One, false), (FitOrder::Two, true)] {
            let window = StrainWindow {
                points: 5,
                order,
                ..StrainWindow::default()
            };
            let strains = strain_field(&field, &settings(), &window, StrainMeasure::Small, None)
                .expect("valid settings");
            let error = |i: usize| {
                let at = &strains.points[i];
                let found = at.strain.expect("enough points").tensor.xx;
                (found - 2e-5 * at.x as f64).abs()
            };
            assert!(error(6 * 15 + 7) < 1e-13, "{order:?}");
            assert_eq!(error(6 * 15) < 1e-13, exact_at_border, "{order:?}");
        }
    }

    #[test]
    fn a_window_without_enough_points_says_so() {
        let mut field = field(|x, _| (0.01 * x, 0.0));
        for point in &mut field.points {
            if point.y != 55 {
                point.status = Status::OutOfImage;
            }
        }
        let window = StrainWindow {
            points: 3,
            least_share: 0.2,
            ..StrainWindow::default()
        };
        let strains = strain_field(&field, &settings(), &window, StrainMeasure::Small, None)
            .expect("valid settings");
        assert_eq!(strains.points.len(), field.points.len());
        for point in &strains.points {
            let expected = if point.y != 55 {
                StrainFault::PointFailed
            } else if point.x == 20 || point.x == 90 {
                StrainFault::TooFewPoints
            } else {
                StrainFault::IllPlaced
            };
            assert_eq!(point.strain.map(|_| ()), Err(expected), "{point:?}");
            assert_eq!(point.status(), expected.name());
        }
    }

    #[test]
    fn windows_that_are_none_are_refused() {
        let field = field(|_, _| (0.0, 0.0));
        let with = |window: StrainWindow| {
            strain_field(&field, &settings(), &window, StrainMeasure::Small, None).map(|_| ())
        };
        let window = StrainWindow::default();
        for points in [0, 1, 4, 503, usize::MAX] {
            assert_eq!(
                with(StrainWindow { points, ..window }),
                Err(DicError::StrainWindow { points })
            );
        }
        assert_eq!(
            with(StrainWindow {
                least_share: 1.5,
                ..window
            }),
            Err(DicError::LeastShare { value: 1.5 })
        );
        let weights = WindowWeights::Gaussian { sigma_px: 0.0 };
        assert!(with(StrainWindow { weights, ..window }).is_err());
    }
}
