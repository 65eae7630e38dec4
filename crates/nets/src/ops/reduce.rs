//! Sums, means and the logarithm of softmax, with the same bits in every build of burn's CPU backend.
//!
//! burn-flex adds along the last axis, and over whole tensors, in one lane or in as many as the vector unit has, as its
//! cargo feature `simd` says. A first or a middle axis it adds one value after the other, whatever its features. So
//! everything here reduces such an axis: a sum begins at zero and takes the values from left to right, in `f32`; a mean
//! is that sum divided by the count. Gradients are those of burn.
//!
//! A gradient is a sum, too, where a value was broadcast: along the last axis it has to be broadcast on an axis that
//! another one follows. burn's `softmax` outside automatic differentiation, its matrix products and its sums of
//! selected rows have the same bits in every build.

use burn::tensor::{Tensor, activation};

/// The sum of all values.
pub(crate) fn total<const D: usize>(values: Tensor<D>) -> Tensor<1> {
    let count = values.shape().num_elements();
    let sum = values.reshape([count, 1]).sum_dim(0).reshape([1]);
    match count {
        // The sum of nothing is −0, as that of Rust's iterators.
        0 => -sum,
        _ => sum,
    }
}

/// The mean of all values.
pub(crate) fn mean<const D: usize>(values: Tensor<D>) -> Tensor<1> {
    let count = values.shape().num_elements();
    values.reshape([count, 1]).mean_dim(0).reshape([1])
}

/// The sum of every row.
///
/// # Shapes
/// - `rows`: `[n, m]`, result: `[n]`
pub(crate) fn row_sums(rows: Tensor<2>) -> Tensor<1> {
    let [n, m] = rows.dims();
    rows.reshape([n, m, 1]).sum_dim(1).reshape([n])
}

/// The mean of every row.
///
/// # Shapes
/// - `rows`: `[n, m]`, result: `[n]`
pub(crate) fn row_means(rows: Tensor<2>) -> Tensor<1> {
    let [n, m] = rows.dims();
    rows.reshape([n, m, 1]).mean_dim(1).reshape([n])
}

/// The mean of every column of each table.
///
/// # Shapes
/// - `tables`: `[n, row, column]`, result: `[n, column]`
pub(crate) fn column_means(tables: Tensor<3>) -> Tensor<2> {
    let [n, rows, columns] = tables.dims();
    let tables = tables.reshape([n, rows, columns, 1]);
    tables.mean_dim(1).reshape([n, columns])
}

/// The logarithm of the softmax of every row, `[n, m]`.
pub(crate) fn log_softmax(rows: Tensor<2>) -> Tensor<2> {
    let [n, m] = rows.dims();
    activation::log_softmax(rows.reshape([n, m, 1]), 1).reshape([n, m])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use retrial_seed::Seed;

    use super::*;
    use crate::weights::values;

    /// Nothing, one value, and a vector's width or several of them, more or less one.
    const LENGTHS: [usize; 9] = [0, 1, 15, 16, 31, 32, 33, 1000, 4097];

    /// Numbers of very different sizes, so that the order in which they are added is felt.
    fn drawn(name: &str, count: usize) -> Vec<f32> {
        let mut stream = Seed(1).stream(name);
        let mut number = || (4.0 * stream.normal()).exp() * stream.normal();
        (0..count).map(|_| number() as f32).collect()
    }

    /// The CPU: other devices add in an order of their own.
    fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(numbers.to_vec(), shape);
        Tensor::from_data(data, &Device::flex().autodiff()).require_grad()
    }

    fn in_order<'n>(numbers: impl IntoIterator<Item = &'n f32>) -> f32 {
        numbers.into_iter().fold(0.0, |sum, number| sum + number)
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    /// The values of what `of` makes, and the gradient of their sum weighed by `weights`.
    fn both<const A: usize, const B: usize>(
        of: impl Fn(Tensor<A>) -> Tensor<B>,
        x: Tensor<A>,
        weights: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let made = of(x.clone());
        let weights = TensorData::new(weights.to_vec(), made.dims());
        let loss = total(made.clone() * Tensor::from_data(weights, &x.device()));
        let gradient = x.grad(&loss.backward()).expect("a gradient");
        (values(made.detach()), values(gradient))
    }

    #[track_caller]
    fn same(found: (Vec<f32>, Vec<f32>), expected: (Vec<f32>, Vec<f32>)) {
        assert_eq!(bits(&found.0), bits(&expected.0), "values");
        assert_eq!(bits(&found.1), bits(&expected.1), "gradient");
    }

    #[test]
    fn whole_tensors_are_added_from_left_to_right() {
        for n in LENGTHS.into_iter().skip(1) {
            let numbers = drawn("whole", n);
            let sum = in_order(&numbers);
            let found = both(total, tensor(&numbers, [n]), &[0.3]);
            same(found, (vec![sum], vec![0.3; n]));
            let found = both(mean, tensor(&numbers, [n]), &[0.3]);
            let share = (1.0 / n as f64) as f32 * 0.3;
            same(found, (vec![sum / n as f32], vec![share; n]));
        }
        let folded = tensor(&drawn("whole", 4096), [8, 16, 32]);
        let expected = in_order(&drawn("whole", 4096));
        assert_eq!(values(total(folded)), [expected]);
        let none = total(tensor(&[], [0, 4]));
        assert_eq!(bits(&values(none)), [(-0.0_f32).to_bits()]);
        assert!(values(mean(tensor(&[], [0])))[0].is_nan());
    }

    #[test]
    fn rows_and_columns_are_added_from_left_to_right() {
        for m in LENGTHS.into_iter().skip(1) {
            for n in [1, 3, 17] {
                let (numbers, weights) = (drawn("rows", n * m), drawn("weights", n));
                let sums: Vec<f32> = numbers.chunks(m).map(in_order).collect();
                let spread = |factor: f32| {
                    let of_row = |weight: &f32| vec![factor * weight; m];
                    weights.iter().flat_map(of_row).collect::<Vec<f32>>()
                };
                let found = both(row_sums, tensor(&numbers, [n, m]), &weights);
                same(found, (sums.clone(), spread(1.0)));
                let means = sums.iter().map(|sum| sum / m as f32).collect();
                let found = both(row_means, tensor(&numbers, [n, m]), &weights);
                same(found, (means, spread((1.0 / m as f64) as f32)));
                // The same numbers as one table of m rows and n columns.
                let columns = (0..n).map(|column| numbers.iter().skip(column).step_by(n));
                let means = columns.map(|column| in_order(column) / m as f32).collect();
                let share = (1.0 / m as f64) as f32;
                let rows = weights
                    .iter()
                    .map(|weight| share * weight)
                    .collect::<Vec<f32>>();
                let found = both(column_means, tensor(&numbers, [1, m, n]), &weights);
                same(found, (means, rows.repeat(m)));
            }
        }
    }

    #[test]
    fn the_logarithm_of_softmax_adds_from_left_to_right() {
        for m in LENGTHS.into_iter().skip(1) {
            let n = 3;
            let numbers: Vec<f32> = drawn("logits", n * m)
                .iter()
                .map(|v| v.clamp(-9.0, 9.0))
                .collect();
            let weights = drawn("weights", n * m);
            let (mut logarithms, mut gradient) = (Vec::new(), Vec::new());
            for (row, weights) in numbers.chunks(m).zip(weights.chunks(m)) {
                let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let shifted: Vec<f32> = row.iter().map(|value| value - largest).collect();
                let powers: Vec<f32> = shifted.iter().map(|value| value.exp()).collect();
                let sum = in_order(&powers);
                logarithms.extend(shifted.iter().map(|value| value - sum.ln()));
                let against: Vec<f32> = weights.iter().map(|weight| -weight).collect();
                let by_sum = in_order(&against) * (1.0 / sum);
                let pairs = weights.iter().zip(&powers);
                gradient.extend(pairs.map(|(weight, power)| weight + by_sum * power));
            }
            let found = both(log_softmax, tensor(&numbers, [n, m]), &weights);
            same(found, (logarithms, gradient));
        }
    }
}
