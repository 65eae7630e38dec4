//! What is found of one deformed image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::part::Cut;
use crate::remainder::Remainder;
use crate::shape::{Parameters, displacement};
use crate::status::Status;
use crate::strain::DisplacementGradient;
use crate::task::Match;
use crate::uncertainty::PointSensitivity;

/// The result at every point of one deformed image.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// One result a point, in the order of [`Reference::points`](crate::Reference::points).
    pub points: Vec<PointResult>,
    /// How strongly noise moves the points whose subset this pair of images cut, by their index.
    pub(crate) cut_sensitivity: BTreeMap<usize, PointSensitivity>,
    /// What the residuals say of the errors, one a point; empty where they are not known.
    pub(crate) remainders: Vec<Option<Remainder>>,
}

/// The result at one point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PointResult {
    /// Column of the point in the first reference image, px.
    pub x: usize,
    /// Row of the point in the first reference image, px.
    pub y: usize,
    /// Displacement and its derivatives at the point, from the first reference image; by name [`u`](Self::u),
    /// [`v`](Self::v), [`gradient`](Self::gradient) and [`curvature`](Self::curvature).
    ///
    /// Always finite. Unless the status is [`Status::Converged`] this is the last estimate, which
    /// may be far off.
    pub p: Parameters,
    /// Correlation coefficient of the subsets in `-1..=1`; `0` where none was computed.
    pub zncc: f64,
    /// Passes over the deformed subset.
    pub icgn_iterations: usize,
    /// Size of the last update in px; see [`Settings::stop_value`](crate::Settings::stop_value).
    #[serde(with = "crate::float")]
    pub convergence_norm: f64,
    /// Whether to believe it.
    pub status: Status,
    /// Whether the subset was cut, and by what.
    pub cut: Cut,
    /// Share of the pixels of a whole subset that took part, in `0..=1`.
    pub share: f64,
    /// Changes of the reference image that the displacement is composed over: `0` where the
    /// subset was matched with the first image itself.
    pub reference_changes: usize,
}

impl PointResult {
    /// The result at `(x, y)` px of a whole subset matched with the reference itself, without a correlation
    /// coefficient or an iteration.
    #[must_use]
    pub fn new((x, y): (usize, usize), p: Parameters, status: Status) -> Self {
        Self {
            x,
            y,
            p,
            zncc: 0.0,
            icgn_iterations: 0,
            convergence_norm: 0.0,
            status,
            cut: Cut::Whole,
            share: 1.0,
            reference_changes: 0,
        }
    }

    /// Displacement to the right, px.
    #[must_use]
    pub fn u(&self) -> f64 {
        let [u, _] = displacement(&self.p);
        u
    }

    /// Displacement downwards, px.
    #[must_use]
    pub fn v(&self) -> f64 {
        let [_, v] = displacement(&self.p);
        v
    }

    /// First derivatives of the displacement, px a px; zero where the shape function has order 0.
    #[must_use]
    pub fn gradient(&self) -> DisplacementGradient {
        let [_, u_x, u_y, _, _, _, _, v_x, v_y, ..] = self.p;
        DisplacementGradient { u_x, u_y, v_x, v_y }
    }

    /// Second derivatives of the displacement, px a px²; zero below order 2.
    #[must_use]
    pub fn curvature(&self) -> Curvature {
        let [_, _, _, u_xx, u_xy, u_yy, _, _, _, v_xx, v_xy, v_yy] = self.p;
        Curvature {
            u_xx,
            u_xy,
            u_yy,
            v_xx,
            v_xy,
            v_yy,
        }
    }
}

/// Second derivatives of the displacement by the position in the reference picture, px a px².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curvature {
    /// `∂²u/∂x²`.
    pub u_xx: f64,
    /// `∂²u/∂x∂y`.
    pub u_xy: f64,
    /// `∂²u/∂y²`.
    pub u_yy: f64,
    /// `∂²v/∂x²`.
    pub v_xx: f64,
    /// `∂²v/∂x∂y`.
    pub v_xy: f64,
    /// `∂²v/∂y²`.
    pub v_yy: f64,
}

impl Field {
    /// A field of these points.
    #[must_use]
    pub fn new(points: Vec<PointResult>) -> Self {
        Self {
            points,
            cut_sensitivity: BTreeMap::new(),
            remainders: Vec::new(),
        }
    }

    /// The number of points with that status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.points
            .iter()
            .filter(|point| point.status == status)
            .count()
    }
}

pub(crate) fn point_result(place: (usize, usize), result: &Match) -> PointResult {
    PointResult {
        zncc: result.zncc,
        icgn_iterations: result.icgn_iterations,
        convergence_norm: result.convergence_norm,
        ..PointResult::new(place, result.p, result.status)
    }
}
