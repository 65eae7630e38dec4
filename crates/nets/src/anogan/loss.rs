//! What the two nets of a GAN minimise.

use burn::tensor::{Tensor, activation};

use crate::ops::reduce::mean;

/// The pair of losses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GanLoss {
    /// Cross entropy of the logits, the generator's in its non-saturating form.
    ///
    /// # Source
    /// Goodfellow et al. 2014, arXiv:1406.2661, section 3; `real_label` below one is the one-sided
    /// smoothing of Salimans et al. 2016, arXiv:1606.03498, section 3.4.
    CrossEntropy {
        /// What the discriminator is asked to say of real images, in 0..=1.
        real_label: f64,
    },
    /// Hinge loss.
    ///
    /// # Source
    /// Miyato et al. 2018, arXiv:1802.05957, Eq. (16) and (17).
    Hinge,
}

impl GanLoss {
    /// The discriminator's loss, a scalar.
    pub(crate) fn of_discriminator(self, real: Tensor<1>, fake: Tensor<1>) -> Tensor<1> {
        match self {
            Self::CrossEntropy { real_label } => {
                cross_entropy(real, real_label) + cross_entropy(fake, 0.0)
            }
            Self::Hinge => mean(activation::relu(-real + 1.0)) + mean(activation::relu(fake + 1.0)),
        }
    }

    /// The generator's loss, a scalar.
    pub(crate) fn of_generator(self, fake: Tensor<1>) -> Tensor<1> {
        match self {
            Self::CrossEntropy { .. } => cross_entropy(fake, 1.0),
            Self::Hinge => -mean(fake),
        }
    }
}

/// Mean of `max(x, 0) − x·label + ln(1 + e^−|x|)`, which no logit overflows.
fn cross_entropy(logits: Tensor<1>, label: f64) -> Tensor<1> {
    let positive = activation::relu(logits.clone());
    let rest = (-logits.clone().abs()).exp().log1p();
    mean(positive - logits * label + rest)
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::anogan::training::scalar;

    fn logits(values: &[f32]) -> Tensor<1> {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Tensor::from_data(data, &crate::testing::device())
    }

    /// `−label ln σ(x) − (1 − label) ln(1 − σ(x))`, in double precision.
    fn entropy(x: f64, label: f64) -> f64 {
        let p = 1.0 / (1.0 + (-x).exp());
        -label * p.ln() - (1.0 - label) * (1.0 - p).ln()
    }

    fn near(found: Tensor<1>, expected: f64) {
        let found = scalar(found);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn hinge_asks_for_a_margin_of_one() {
        // By hand: (0 + 0.5 + 2) / 3 for the real ones, (0 + 1.5) / 2 for the fakes.
        let (real, fake) = (logits(&[2.0, 0.5, -1.0]), logits(&[-3.0, 0.5]));
        near(
            GanLoss::Hinge.of_discriminator(real, fake.clone()),
            2.5 / 3.0 + 0.75,
        );
        near(GanLoss::Hinge.of_generator(fake), 1.25);
    }

    #[test]
    fn smoothing_lowers_the_label_of_real_images_only() {
        let loss = GanLoss::CrossEntropy { real_label: 0.9 };
        let (real, fake) = (logits(&[2.0, -0.5]), logits(&[0.3, -1.2]));
        let expected = (entropy(2.0, 0.9) + entropy(-0.5, 0.9)) / 2.0
            + (entropy(f64::from(0.3_f32), 0.0) + entropy(f64::from(-1.2_f32), 0.0)) / 2.0;
        near(loss.of_discriminator(real, fake.clone()), expected);
        let expected = (entropy(f64::from(0.3_f32), 1.0) + entropy(f64::from(-1.2_f32), 1.0)) / 2.0;
        near(loss.of_generator(fake), expected);
    }

    #[test]
    fn large_logits_overflow_nothing() {
        let loss = GanLoss::CrossEntropy { real_label: 1.0 };
        near(
            loss.of_discriminator(logits(&[-500.0]), logits(&[500.0])),
            1000.0,
        );
        near(
            loss.of_discriminator(logits(&[500.0]), logits(&[-500.0])),
            0.0,
        );
    }
}
