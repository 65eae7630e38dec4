//! Correlation criteria from the sums of one evaluation: the value to be minimised, the right side
//! and the matrix of the normal equations.
//!
//! With the linear relation `g ≈ a f + b` of the grey values, SSD fixes `a = 1` and `b = 0`, NSSD
//! takes `a` from the lengths of the vectors, ZNSSD `a` and `b` from their standard deviations and
//! means, and PSSDab solves for both together with the shape parameters.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (11), (13), (19), (20) for ZNSSD; Pan et
//! al. 2010, doi:10.1364/AO.49.005501 for the other criteria and how they are related.

use crate::pair::{Moments, Offsets, Products};
use crate::settings::Criterion;
use crate::shape::{PARAMETERS, Parameters};

/// One evaluation of a subset: sums of both sides and the pixels that were summed.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub(crate) moments: &'a Moments,
    pub(crate) products: &'a Products,
    pub(crate) offsets: Offsets,
    pub(crate) count: f64,
}

impl Evaluation<'_> {
    /// `ḡ'`.
    fn mean(&self) -> f64 {
        self.products.sum_g / self.count
    }

    /// `Σ (g' − ḡ')²`.
    pub(crate) fn energy(&self) -> f64 {
        self.products.sum_gg - self.products.sum_g * self.mean()
    }

    /// The correlation coefficient; not clamped, and not finite for a flat subset.
    pub(crate) fn zncc(&self) -> f64 {
        self.products.sum_fg / (self.moments.energy * self.energy()).sqrt()
    }

    /// `Σ f²`, `Σ g²` and `Σ f g` of the grey values themselves.
    fn raw_products(&self) -> (f64, f64, f64) {
        let (f, g) = (self.moments.mean, f64::from(self.offsets.deformed));
        let (sums, n) = (self.products, self.count);
        (
            self.moments.energy + n * f * f,
            sums.sum_gg + 2.0 * g * sums.sum_g + n * g * g,
            sums.sum_fg + f * sums.sum_g + n * f * g,
        )
    }

    /// What the criterion minimises, without unit.
    ///
    /// ZNSSD and NSSD lie in `0..=4`, PSSDab in `0..=1`; SSD is divided by `Σ (f − f̄)²`.
    pub(crate) fn value(&self, criterion: Criterion) -> f64 {
        let zncc = self.zncc();
        match criterion {
            Criterion::Znssd => 2.0 * (1.0 - zncc),
            Criterion::Pssdab => 1.0 - zncc * zncc,
            Criterion::Nssd => {
                let (ff, gg, fg) = self.raw_products();
                2.0 * (1.0 - fg / (ff * gg).sqrt())
            }
            Criterion::Ssd => {
                let shift = self.moments.mean - f64::from(self.offsets.deformed);
                let squares = self.products.sum_gg + self.moments.energy
                    - 2.0 * self.products.sum_fg
                    - 2.0 * shift * self.products.sum_g
                    + self.count * shift * shift;
                squares / self.moments.energy
            }
        }
    }

    /// `−Σ J r` of the criterion's residual `r`, in units of the reference image. Eq. (19)
    pub(crate) fn descent(&self, criterion: Criterion) -> Parameters {
        let (moments, sums) = (self.moments, self.products);
        let mean = self.mean();
        let (ratio, centred) = match criterion {
            Criterion::Znssd => ((moments.energy / self.energy()).sqrt(), true),
            Criterion::Pssdab => (moments.energy / sums.sum_fg, true),
            Criterion::Nssd => {
                let (ff, gg, _) = self.raw_products();
                ((ff / gg).sqrt(), false)
            }
            Criterion::Ssd => (1.0, false),
        };
        let mut out = [0.0; PARAMETERS];
        for (i, value) in out.iter_mut().enumerate() {
            *value = if centred {
                ratio * (sums.sum_jg[i] - mean * moments.sum_j[i]) - moments.sum_jf[i]
            } else {
                let g = sums.sum_jg[i] + f64::from(self.offsets.deformed) * moments.sum_j[i];
                ratio * g - (moments.sum_jf[i] + moments.mean * moments.sum_j[i])
            };
        }
        out
    }
}

/// An entry of the matrix of the normal equations: of `Σ Jᵀ J`, and for PSSDab of what is left of it
/// once gain and offset are eliminated.
pub(crate) fn normal_entry(
    criterion: Criterion,
    moments: &Moments,
    count: f64,
    (i, j): (usize, usize),
) -> f64 {
    let entry = moments.hessian(i, j);
    if criterion != Criterion::Pssdab {
        return entry;
    }
    entry
        - moments.sum_j[i] * moments.sum_j[j] / count
        - moments.sum_jf[i] * moments.sum_jf[j] / moments.energy
}
