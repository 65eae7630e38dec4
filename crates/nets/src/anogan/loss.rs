//! What the two nets of a GAN minimise.

use burn::tensor::{Tensor, activation};

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
            Self::Hinge => {
                activation::relu(-real + 1.0).mean() + activation::relu(fake + 1.0).mean()
            }
        }
    }

    /// The generator's loss, a scalar.
    pub(crate) fn of_generator(self, fake: Tensor<1>) -> Tensor<1> {
        match self {
            Self::CrossEntropy { .. } => cross_entropy(fake, 1.0),
            Self::Hinge => -fake.mean(),
        }
    }
}

/// Mean of `max(x, 0) − x·label + ln(1 + e^−|x|)`, which no logit overflows.
fn cross_entropy(logits: Tensor<1>, label: f64) -> Tensor<1> {
    let positive = activation::relu(logits.clone());
    let rest = (-logits.clone().abs()).exp().log1p();
    (positive - logits * label + rest).mean()
}
