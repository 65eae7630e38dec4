//! The pixels of a subset as rows of consecutive pixels, relative to its centre.

use crate::settings::SubsetShape;

/// Pixels `first..=last` of one row of a subset, relative to the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubsetRow {
    pub(crate) dy: i32,
    pub(crate) first: i32,
    pub(crate) last: i32,
}

/// The rows of a subset of `size_px`, from top to bottom.
pub(crate) fn subset_rows(size_px: usize, shape: SubsetShape) -> Vec<SubsetRow> {
    let half = (size_px as i32 - 1) / 2;
    (-half..=half)
        .map(|dy| {
            let reach = match shape {
                SubsetShape::Square => half,
                // sqrt(dx² + dy²) ≤ S / 2 − 0.5, and S / 2 − 0.5 is the integer `half`.
                SubsetShape::Circle => (half * half - dy * dy).isqrt(),
            };
            SubsetRow {
                dy,
                first: -reach,
                last: reach,
            }
        })
        .collect()
}

/// The number of pixels in these rows.
pub(crate) fn pixel_count(rows: &[SubsetRow]) -> usize {
    rows.iter()
        .map(|row| (row.last - row.first + 1) as usize)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_holds_the_pixels_within_its_radius() {
        let rows = subset_rows(41, SubsetShape::Circle);
        let mut expected = 0;
        for dy in -20_i32..=20 {
            for dx in -20_i32..=20 {
                let inside = f64::from(dx * dx + dy * dy).sqrt() <= 41.0 / 2.0 - 0.5;
                let row = rows[(dy + 20) as usize];
                assert_eq!(inside, row.first <= dx && dx <= row.last, "{dx} {dy}");
                expected += usize::from(inside);
            }
        }
        assert_eq!(pixel_count(&rows), expected);
    }

    #[test]
    fn a_square_holds_all() {
        assert_eq!(pixel_count(&subset_rows(21, SubsetShape::Square)), 441);
    }
}
