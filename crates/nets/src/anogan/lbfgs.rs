//! Limited-memory BFGS for one latent, driven from outside: it says where to evaluate next and is
//! told what was found there, so that many latents share one evaluation of the nets.
//!
//! # Source
//! Nocedal & Wright 2006, Numerical Optimization, doi:10.1007/978-0-387-40065-5, algorithms 7.4
//! (two-loop recursion) and 3.1 (backtracking by Armijo's condition).

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 10;
/// Share of the expected decrease that a step must bring (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Length of the first step, in latents' standard deviations.
const FIRST_STEP: f64 = 0.5;

/// The search of one latent.
#[derive(Clone, Debug)]
pub(crate) struct Lbfgs {
    at: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    step: f64,
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl Lbfgs {
    pub(crate) fn new(start: &[f32]) -> Self {
        let zero = vec![0.0; start.len()];
        Self {
            at: start.iter().copied().map(f64::from).collect(),
            loss: f64::INFINITY,
            gradient: zero.clone(),
            direction: zero,
            step: 0.0,
            pairs: VecDeque::new(),
        }
    }

    /// Where to evaluate next.
    pub(crate) fn trial(&self) -> Vec<f32> {
        self.ahead().into_iter().map(|x| x as f32).collect()
    }

    /// The best latent so far.
    pub(crate) fn best(&self) -> Vec<f32> {
        self.at.iter().map(|&x| x as f32).collect()
    }

    fn ahead(&self) -> Vec<f64> {
        let pairs = self.at.iter().zip(&self.direction);
        pairs.map(|(x, d)| x + self.step * d).collect()
    }

    /// Takes note of the loss and the gradient at [`Lbfgs::trial`].
    pub(crate) fn observe(&mut self, loss: f64, gradient: &[f32]) {
        let gradient: Vec<f64> = gradient.iter().copied().map(f64::from).collect();
        let slope = dot(&self.gradient, &self.direction);
        // A loss that is no number is no decrease.
        let decreased = loss <= self.loss + SUFFICIENT * self.step * slope;
        if self.loss.is_finite() && !decreased {
            self.step *= 0.5;
            if self.step < 1e-4 {
                // The curvature misled (the loss has kinks): begin again along the gradient.
                self.pairs.clear();
                self.aim();
            }
            return;
        }
        if self.loss.is_finite() {
            let moved: Vec<f64> = self.direction.iter().map(|d| self.step * d).collect();
            let changed: Vec<f64> = gradient
                .iter()
                .zip(&self.gradient)
                .map(|(new, old)| new - old)
                .collect();
            self.at = self.ahead();
            if dot(&moved, &changed) > 1e-10 * dot(&changed, &changed) {
                if self.pairs.len() == MEMORY {
                    self.pairs.pop_front();
                }
                self.pairs.push_back((moved, changed));
            }
        }
        self.loss = loss;
        self.gradient = gradient;
        self.aim();
    }

    /// The next direction, by the two-loop recursion.
    fn aim(&mut self) {
        let mut q = self.gradient.clone();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (moved, changed) in self.pairs.iter().rev() {
            let alpha = dot(moved, &q) / dot(moved, changed);
            add(&mut q, changed, -alpha);
            factors.push(alpha);
        }
        if let Some((moved, changed)) = self.pairs.back() {
            let scale = dot(moved, changed) / dot(changed, changed);
            q.iter_mut().for_each(|x| *x *= scale);
        }
        for ((moved, changed), alpha) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let beta = dot(changed, &q) / dot(moved, changed);
            add(&mut q, moved, alpha - beta);
        }
        self.direction = q.into_iter().map(|x| -x).collect();
        let length = dot(&self.direction, &self.direction).sqrt();
        self.step = if self.pairs.is_empty() && length > 0.0 {
            FIRST_STEP / length
        } else {
            1.0
        };
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>()
}

fn add(to: &mut [f64], what: &[f64], factor: f64) {
    for (x, y) in to.iter_mut().zip(what) {
        *x += factor * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_rosenbrocks_valley() {
        // f = (1 − x)² + 100 (y − x²)², whose minimum is at (1, 1).
        let mut search = Lbfgs::new(&[-1.2, 1.0]);
        for _ in 0..200 {
            let at = search.trial();
            let (x, y) = (f64::from(at[0]), f64::from(at[1]));
            let loss = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
            let dx = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
            let dy = 200.0 * (y - x * x);
            search.observe(loss, &[dx as f32, dy as f32]);
        }
        let best = search.best();
        assert!(
            (best[0] - 1.0).abs() < 1e-3 && (best[1] - 1.0).abs() < 1e-3,
            "{best:?}"
        );
    }
}
