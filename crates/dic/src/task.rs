//! One subset to be matched, and what all optimisers share.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (11), (13), (19) to (23).

use serde::{Deserialize, Serialize};

use crate::cholesky::Cholesky;
use crate::criterion::{Evaluation, normal_entry};
use crate::dispatch::Dispatch;
use crate::pair::{LARGEST_OFFSET, Moments, Offsets, Pair, Products};
use crate::settings::{Settings, ShapeOrder};
use crate::shape::{
    PARAMETERS, Parameters, active, compose_inverse, convergence_norm, displacement,
};
use crate::status::Status;

/// Smallest ratio of `Σ f_x²` and `Σ f_y²`, either way: below it one of them is rounding.
const SMALLEST_GRADIENT: f64 = 1e-8;

/// What became of one subset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Match {
    pub(crate) p: Parameters,
    pub(crate) zncc: f64,
    pub(crate) icgn_iterations: usize,
    #[serde(with = "crate::float")]
    pub(crate) convergence_norm: f64,
    pub(crate) status: Status,
}

impl Match {
    /// Displacement to the right, px.
    pub(crate) fn u(&self) -> f64 {
        let [u, _] = displacement(&self.p);
        u
    }

    /// Displacement downwards, px.
    pub(crate) fn v(&self) -> f64 {
        let [_, v] = displacement(&self.p);
        v
    }

    /// A point that was never iterated.
    pub(crate) fn without_iteration(p: Parameters, status: Status) -> Self {
        Self {
            p,
            zncc: 0.0,
            icgn_iterations: 0,
            convergence_norm: 0.0,
            status,
        }
    }
}

/// One subset to be matched, with what its reference side contributes to every iteration.
pub(crate) struct Task<'a> {
    pub(crate) dispatch: Dispatch,
    pub(crate) pair: &'a Pair<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) moments: Moments,
    pub(crate) guess: &'a Parameters,
    /// The number of pixels.
    pub(crate) count: f64,
    /// `Σ (f − f̄)²` up to which a subset is flat.
    pub(crate) flat: f64,
}

impl Task<'_> {
    /// The factor of the normal equations, their diagonal enlarged by the fraction `damping`.
    pub(crate) fn factor(&self, damping: f64) -> Result<Cholesky, Status> {
        self.check_reference()?;
        let factor = match self.settings.shape_order {
            ShapeOrder::Zero => self.factor_of::<2>(damping),
            ShapeOrder::One => self.factor_of::<6>(damping),
            ShapeOrder::Two => self.factor_of::<PARAMETERS>(damping),
        };
        factor.ok_or(Status::IllConditioned)
    }

    fn factor_of<const N: usize>(&self, damping: f64) -> Option<Cholesky> {
        let mut matrix = [[0.0; N]; N];
        let used = active(self.settings.shape_order);
        for (k, (row, &i)) in matrix.iter_mut().zip(used).enumerate() {
            for (value, &j) in row.iter_mut().zip(&used[..=k]) {
                let criterion = self.settings.criterion;
                *value = normal_entry(criterion, &self.moments, self.count, (i, j));
            }
            row[k] *= 1.0 + damping;
        }
        Cholesky::of(&matrix)
    }

    /// Refuses a reference subset without contrast in two directions.
    pub(crate) fn check_reference(&self) -> Result<(), Status> {
        let energy = self.moments.energy;
        if !energy.is_finite() {
            return Err(Status::Diverged);
        }
        if energy <= self.flat {
            return Err(Status::FlatSubset);
        }
        let (x, y) = (self.moments.hessian(0, 0), self.moments.hessian(6, 6));
        if x.min(y) <= SMALLEST_GRADIENT * x.max(y) {
            return Err(Status::IllConditioned);
        }
        Ok(())
    }

    pub(crate) fn offsets(&self) -> Offsets {
        let mean = self.moments.mean as f32;
        Offsets {
            reference: mean,
            deformed: mean,
        }
    }

    /// The sums at parameters `p`, with a better offset if the one given would cost precision.
    pub(crate) fn products(
        &self,
        p: &Parameters,
        offsets: &mut Offsets,
    ) -> Result<Products, Status> {
        let order = self.settings.shape_order;
        let products = |offsets: Offsets| {
            let found = self.dispatch.products(self.pair, order, offsets, p);
            found.ok_or(Status::OutOfImage)
        };
        let found = products(*offsets)?;
        let is_first = offsets.deformed == offsets.reference;
        let energy = self.evaluation(&found, *offsets).energy();
        if is_first && found.sum_gg > LARGEST_OFFSET * energy {
            offsets.deformed += (found.sum_g / self.count) as f32;
            return products(*offsets);
        }
        Ok(found)
    }

    pub(crate) fn evaluation<'b>(
        &'b self,
        products: &'b Products,
        offsets: Offsets,
    ) -> Evaluation<'b> {
        Evaluation {
            moments: &self.moments,
            products,
            offsets,
            count: self.count,
        }
    }

    /// The correlation coefficient, unless the deformed subset has no contrast.
    pub(crate) fn checked_zncc(&self, here: &Evaluation<'_>) -> Result<f64, Status> {
        if here.energy() <= self.flat {
            return Err(Status::FlatSubset);
        }
        let zncc = here.zncc();
        if !zncc.is_finite() {
            return Err(Status::Diverged);
        }
        Ok(zncc.clamp(-1.0, 1.0))
    }

    /// The update of Eq. (19): `dp = −H⁻¹ Σ J r`.
    pub(crate) fn solve(&self, factor: &Cholesky, here: &Evaluation<'_>) -> Parameters {
        let descent = here.descent(self.settings.criterion);
        let used = active(self.settings.shape_order);
        let mut step = [0.0; PARAMETERS];
        for (value, &i) in step.iter_mut().zip(used) {
            *value = descent[i];
        }
        factor.solve(&mut step);
        let mut dp = [0.0; PARAMETERS];
        for (value, &i) in step.iter().zip(used) {
            dp[i] = *value;
        }
        dp
    }

    /// The convergence norm of an update in px.
    pub(crate) fn norm(&self, dp: &Parameters) -> f64 {
        convergence_norm(dp, self.settings.half_px() as f64)
    }

    /// `W(p) ∘ W(dp)⁻¹`, if it stays within the search range.
    pub(crate) fn updated(&self, p: &Parameters, dp: &Parameters) -> Result<Parameters, Status> {
        compose_inverse(self.settings.shape_order, p, dp)
            .filter(|p| self.is_within(p))
            .ok_or(Status::Diverged)
    }

    /// Whether all parameters are finite and the displacement is within a subset of the guess.
    pub(crate) fn is_within(&self, p: &Parameters) -> bool {
        let search = self.settings.side_px() as f64;
        let ([u, v], [start_u, start_v]) = (displacement(p), displacement(self.guess));
        p.iter().all(|value| value.is_finite())
            && (u - start_u).abs() <= search
            && (v - start_v).abs() <= search
    }
}
