//! The losses of a detector.

use burn::tensor::{Int, Tensor, TensorData, activation};

use crate::ops::reduce::{log_softmax, mean, total};

/// The absolute error above which the loss of a box is linear.
///
/// # Source
/// torchvision's detectors; Girshick 2015, arXiv:1504.08083, Eq. (3), has 1.
const BETA: f64 = 1.0 / 9.0;

/// Σ of the smooth absolute errors: `e² / 2β` below β, `|e| − β / 2` above.
pub(crate) fn smooth_l1<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> Tensor<1> {
    let error = (found - expected).abs();
    // min(e, β) (e − min(e, β) / 2) / β is both pieces at once.
    let inner = error.clone().clamp_max(BETA);
    total(inner.clone() * (error - inner * 0.5) / BETA)
}

/// Mean binary cross entropy of logits.
pub(crate) fn binary_cross_entropy<const D: usize>(
    logits: Tensor<D>,
    expected: Tensor<D>,
) -> Tensor<1> {
    // max(x, 0) − x t + ln(1 + e^(−|x|)), which does not overflow.
    let tail = logits.clone().abs().neg().exp().log1p();
    mean(activation::relu(logits.clone()) - logits * expected + tail)
}

/// Mean cross entropy of class logits `[n, class]`.
pub(crate) fn cross_entropy(logits: Tensor<2>, classes: &[usize]) -> Tensor<1> {
    let device = logits.device();
    let classes: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
    let n = classes.len();
    let classes = Tensor::<2, Int>::from_data(TensorData::new(classes, [n, 1]), &device);
    -mean(log_softmax(logits).gather(1, classes))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::weights::values;

    fn row(numbers: &[f32]) -> Tensor<1> {
        Tensor::from_data(
            TensorData::new(numbers.to_vec(), [numbers.len()]),
            &crate::testing::device(),
        )
    }

    fn one(loss: Tensor<1>) -> f64 {
        f64::from(values(loss)[0])
    }

    #[test]
    fn both_pieces_of_the_smooth_error() {
        let loss = one(smooth_l1(row(&[0.05, 0.0, 2.0]), row(&[0.0, 0.0, 1.0])));
        let expected = 0.05_f64 * 0.05 * 4.5 + (1.0 - 0.5 / 9.0);
        assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
    }

    #[test]
    fn binary_cross_entropy_of_large_logits_stays_finite() {
        let loss = one(binary_cross_entropy(
            row(&[200.0, -200.0]),
            row(&[1.0, 1.0]),
        ));
        assert!((loss - 100.0).abs() < 1e-4, "{loss}");
        let loss = one(binary_cross_entropy(row(&[0.0]), row(&[0.3])));
        assert!((loss - 2.0_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn cross_entropy_of_a_certain_answer() {
        let logits = row(&[0.0, 50.0, 0.0, 0.0, 0.0, 0.0]).reshape([2, 3]);
        let loss = one(cross_entropy(logits, &[1, 2]));
        assert!((loss - 0.5 * 3.0_f64.ln()).abs() < 1e-6, "{loss}");
    }
}
