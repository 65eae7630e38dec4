//! Support vector machines, one for each class against the rest, on scaled features.
//!
//! The machines are fitted by `linfa-svm`; scaling, classes and confidences are here.
//!
//! # Source
//! Cortes & Vapnik 1995, doi:10.1007/BF00994018.

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_svm::Svm;
use ndarray::{Array1, Array2, ArrayView1};

use crate::ClassicalError;
use crate::error::finite;

/// How alike two rows of features are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// Their scalar product.
    Linear,
    /// `exp(−γ ‖a − b‖²)`; without a γ one over the number of features.
    Rbf {
        /// γ.
        gamma: Option<f64>,
    },
}

/// How the machines are fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SvmSettings {
    /// How alike rows are.
    pub kernel: Kernel,
    /// What a row on the wrong side costs. Each side of a machine bears half of the cost,
    /// whatever the number of its rows.
    pub cost: f64,
}

impl Default for SvmSettings {
    fn default() -> Self {
        Self {
            kernel: Kernel::Rbf { gamma: None },
            cost: 10.0,
        }
    }
}

/// Machines that name the class of a row of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    classes: Vec<usize>,
    /// One for each class; none when there is one class only.
    machines: Vec<Svm<f64, bool>>,
}

/// Fits one machine for each class that occurs.
///
/// # Shapes
/// - `rows`: `[sample, feature]`
/// - `classes`: `[sample]`
///
/// # Errors
/// [`ClassicalError::TooFew`] without a sample, [`ClassicalError::Length`] when rows and classes
/// do not fit, [`ClassicalError::NotFinite`], [`ClassicalError::Setting`] for a cost or γ that is
/// not above zero, [`ClassicalError::Machine`].
pub fn fit_classifier(
    rows: &[f64],
    dimension: usize,
    classes: &[usize],
    settings: &SvmSettings,
) -> Result<Classifier, ClassicalError> {
    check(rows, dimension, classes, settings)?;
    let n = classes.len();
    let column = |feature: usize| rows[feature..].iter().step_by(dimension);
    let mean = |feature| column(feature).sum::<f64>() / n as f64;
    let mean: Vec<f64> = (0..dimension).map(mean).collect();
    let deviation = |feature: usize| {
        let squares: f64 = column(feature).map(|v| (v - mean[feature]).powi(2)).sum();
        match (squares / n as f64).sqrt() {
            0.0 => 1.0,
            deviation => deviation,
        }
    };
    let mut occurring = classes.to_vec();
    occurring.sort_unstable();
    occurring.dedup();
    let mut classifier = Classifier {
        deviation: (0..dimension).map(deviation).collect(),
        mean,
        classes: occurring,
        machines: Vec::new(),
    };
    if classifier.classes.len() > 1 {
        let scaled: Vec<f64> = rows
            .chunks_exact(dimension)
            .flat_map(|row| classifier.scaled(row))
            .collect();
        for &class in &classifier.classes {
            let machine = machine(&scaled, dimension, classes, class, settings)?;
            classifier.machines.push(machine);
        }
    }
    Ok(classifier)
}

impl Classifier {
    /// The classes it tells apart, ascending.
    #[must_use]
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }

    /// Signed distance from the border of each class, above zero inside, in units of the margin.
    ///
    /// # Errors
    /// [`ClassicalError::Length`] or [`ClassicalError::NotFinite`].
    pub fn decisions(&self, row: &[f64]) -> Result<Vec<f64>, ClassicalError> {
        if row.len() != self.mean.len() {
            return Err(ClassicalError::Length {
                what: "features",
                expected: self.mean.len(),
                got: row.len(),
            });
        }
        finite("feature", row)?;
        if self.machines.is_empty() {
            return Ok(vec![1.0]);
        }
        let scaled: Array1<f64> = self.scaled(row).collect();
        let decision = |machine: &Svm<f64, bool>| machine.weighted_sum(&scaled) - machine.rho;
        Ok(self.machines.iter().map(decision).collect())
    }

    /// Confidence in each of the [`classes`](Self::classes), with sum 1.
    ///
    /// The normalised exponentials of the decisions: they rank, and are no frequencies.
    ///
    /// # Errors
    /// As [`decisions`](Self::decisions).
    pub fn confidences(&self, row: &[f64]) -> Result<Vec<f64>, ClassicalError> {
        let decisions = self.decisions(row)?;
        let peak = decisions.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = decisions.iter().map(|d| (d - peak).exp()).collect();
        let sum: f64 = weights.iter().sum();
        Ok(weights.iter().map(|weight| weight / sum).collect())
    }

    /// The likeliest class and the confidence in it; the lower of equally likely ones.
    ///
    /// # Errors
    /// As [`decisions`](Self::decisions).
    pub fn classify(&self, row: &[f64]) -> Result<(usize, f64), ClassicalError> {
        let confidences = self.confidences(row)?;
        let mut best = (0, f64::NEG_INFINITY);
        for (&class, confidence) in self.classes.iter().zip(confidences) {
            if confidence > best.1 {
                best = (class, confidence);
            }
        }
        Ok(best)
    }

    fn scaled(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let scales = self.mean.iter().zip(&self.deviation);
        let scaled = row.iter().zip(scales).map(|(v, (m, d))| (v - m) / d);
        scaled.collect::<Vec<_>>().into_iter()
    }
}

fn machine(
    scaled: &[f64],
    dimension: usize,
    classes: &[usize],
    class: usize,
    settings: &SvmSettings,
) -> Result<Svm<f64, bool>, ClassicalError> {
    let fault = |reason: String| ClassicalError::Machine { class, reason };
    let n = classes.len();
    let is_own: Array1<bool> = classes.iter().map(|&other| other == class).collect();
    let own = is_own.iter().filter(|is| **is).count();
    let rows = Array2::from_shape_vec((n, dimension), scaled.to_vec())
        .map_err(|error| fault(error.to_string()))?;
    let cost = |side: usize| settings.cost * n as f64 / (2 * side) as f64;
    let params = Svm::<f64, bool>::params().pos_neg_weights(cost(own), cost(n - own));
    let params = match settings.kernel {
        Kernel::Linear => params.linear_kernel(),
        Kernel::Rbf { gamma } => {
            params.gaussian_kernel(gamma.map_or(dimension as f64, |g| 1.0 / g))
        }
    };
    // Finer than the margin needs, and far from where the solver would creep.
    let params = params.eps(1e-4);
    let machine = params
        .fit(&Dataset::new(rows, is_own))
        .map_err(|error| fault(error.to_string()))?;
    // A solver that overflowed leaves no number behind.
    let middle = machine.weighted_sum(&ArrayView1::from(&vec![0.0; dimension]));
    match (middle - machine.rho).is_finite() {
        true => Ok(machine),
        false => Err(fault("its border is not a number".to_owned())),
    }
}

fn check(
    rows: &[f64],
    dimension: usize,
    classes: &[usize],
    settings: &SvmSettings,
) -> Result<(), ClassicalError> {
    let positive = |name, got: f64| match got > 0.0 && got.is_finite() {
        true => Ok(()),
        false => Err(ClassicalError::Setting { name, got }),
    };
    positive("the number of features", dimension as f64)?;
    positive("the cost", settings.cost)?;
    if let Kernel::Rbf { gamma: Some(gamma) } = settings.kernel {
        positive("γ", gamma)?;
    }
    if classes.is_empty() {
        return Err(ClassicalError::TooFew {
            what: "samples",
            least: 1,
            got: 0,
        });
    }
    if rows.len() != classes.len() * dimension {
        return Err(ClassicalError::Length {
            what: "features of all samples",
            expected: classes.len() * dimension,
            got: rows.len(),
        });
    }
    finite("feature", rows)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use retrial_seed::Seed;

    use super::*;

    const LINEAR: SvmSettings = SvmSettings {
        kernel: Kernel::Linear,
        cost: 10.0,
    };

    /// Clouds around three corners; the second feature has a thousand times the unit.
    fn clouds(name: &str, n: usize) -> (Vec<f64>, Vec<usize>) {
        let corners = [[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]];
        let mut noise = Seed(2).stream(name);
        let classes: Vec<usize> = (0..n).map(|i| [7, 2, 40][i % 3]).collect();
        let row = |i: usize| {
            let [x, y] = corners[i % 3];
            [x + noise.normal(), 1e3 * (y + noise.normal())]
        };
        ((0..n).flat_map(row).collect(), classes)
    }

    #[test]
    fn clouds_are_told_apart() {
        let (rows, classes) = clouds("training", 90);
        let (unseen, truth) = clouds("unseen", 300);
        for settings in [LINEAR, SvmSettings::default()] {
            let classifier = fit_classifier(&rows, 2, &classes, &settings).unwrap();
            assert_eq!(classifier.classes(), [2, 7, 40]);
            let right = unseen.chunks_exact(2).zip(&truth).filter(|(row, truth)| {
                let (class, confidence) = classifier.classify(row).unwrap();
                assert!((1.0 / 3.0..=1.0).contains(&confidence));
                class == **truth
            });
            let right = right.count();
            assert!(right >= 285, "{right} of 300");
        }
    }

    #[test]
    fn a_ring_needs_a_kernel() {
        let mut stream = Seed(8).stream("ring");
        let (mut rows, mut classes) = (Vec::new(), Vec::new());
        for i in 0..120 {
            let (radius, angle) = ((1 + 3 * (i % 2)) as f64, stream.uniform() * 6.3);
            rows.extend([radius * angle.cos(), radius * angle.sin()]);
            classes.push(i % 2);
        }
        let right = |settings: &SvmSettings| {
            let classifier = fit_classifier(&rows, 2, &classes, settings).unwrap();
            let pairs = rows.chunks_exact(2).zip(&classes);
            let right = pairs.filter(|(row, class)| classifier.classify(row).unwrap().0 == **class);
            right.count()
        };
        assert_eq!(right(&SvmSettings::default()), 120);
        assert!(right(&LINEAR) < 100, "{}", right(&LINEAR));
    }

    #[test]
    fn the_margin_of_four_points_by_hand() {
        // −3 and −1 against 1 and 3: scaled by √5, so the border is 0 and the margin ±1.
        let rows = [-3.0, -1.0, 1.0, 3.0];
        let settings = SvmSettings {
            cost: 1e3,
            ..LINEAR
        };
        let classifier = fit_classifier(&rows, 1, &[0, 0, 1, 1], &settings).unwrap();
        for (x, want) in [(1.0, 1.0), (-1.0, -1.0), (0.0, 0.0), (2.5, 2.5)] {
            let decisions = classifier.decisions(&[x]).unwrap();
            assert!((decisions[1] - want).abs() < 1e-3, "{x}: {decisions:?}");
            assert!((decisions[0] + want).abs() < 1e-3, "{x}: {decisions:?}");
        }
    }

    #[test]
    fn one_class_and_features_without_spread() {
        let classifier = fit_classifier(&[1.0, 2.0], 1, &[3, 3], &LINEAR).unwrap();
        assert_eq!(classifier.classify(&[9.0]), Ok((3, 1.0)));
        let rows = [5.0, 0.0, 5.0, 1.0];
        let classifier = fit_classifier(&rows, 2, &[0, 1], &LINEAR).unwrap();
        assert_eq!(classifier.classify(&[5.0, 0.9]).unwrap().0, 1);
    }

    #[test]
    fn what_cannot_be_fitted() {
        let fit = |rows: &[f64], dimension, classes: &[usize], settings| {
            fit_classifier(rows, dimension, classes, &settings).is_err()
        };
        assert!(fit(&[], 1, &[], LINEAR));
        assert!(fit(&[1.0], 1, &[0, 1], LINEAR));
        assert!(fit(&[1.0, f64::NAN], 1, &[0, 1], LINEAR));
        assert!(fit(
            &[1.0, 2.0],
            1,
            &[0, 1],
            SvmSettings {
                cost: 0.0,
                ..LINEAR
            }
        ));
        let classifier = fit_classifier(&[1.0, 2.0], 1, &[0, 1], &LINEAR).unwrap();
        assert!(classifier.classify(&[1.0, 2.0]).is_err());
    }
}
