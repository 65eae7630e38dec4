//! Ranks of values.

/// Twice the rank of every value, from 2 upwards; equal values share the mean of their ranks.
///
/// Doubled, because a shared rank can be a half and whole numbers add up exactly.
///
/// # Shapes
/// - `values`: `[item]`, finite; the ranks as well
#[must_use]
pub fn doubled_ranks(values: &[f64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let end = start + group.len();
        // Ranks start + 1 to end: their mean, doubled.
        for &item in group {
            ranks[item] = (start + 1 + end) as u64;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(doubled_ranks(&[3.0, 1.0, 3.0, 2.0]), [7, 2, 7, 4]);
        assert_eq!(doubled_ranks(&[-0.0, 0.0]), [3, 3]);
    }
}
