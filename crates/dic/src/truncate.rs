//! Subsets that the mask or the border of the picture cuts.
//!
//! A cut subset keeps the pixels that are connected with its centre inside the picture and the
//! mask: a crack that the mask draws divides the material on its two sides.

use retrial_core::image::Mask;

use crate::subset::{SubsetRow, pixel_count};

/// The rows of a subset around `centre` that are left, from top to bottom; empty where fewer than
/// `least_share` of its pixels are.
///
/// A row that a hole divides comes as several rows.
pub(crate) fn truncated_rows(
    whole: &[SubsetRow],
    centre: (usize, usize),
    (width, height): (usize, usize),
    mask: Option<&Mask>,
    least_share: f64,
) -> Vec<SubsetRow> {
    let half = whole.iter().map(|row| row.last).max().unwrap_or(0);
    let side = (2 * half + 1) as usize;
    let place = |dx: i32, dy: i32| (dy + half) as usize * side + (dx + half) as usize;
    let mut free = vec![false; side * side];
    for row in whole {
        for dx in row.first..=row.last {
            let x = centre.0.checked_add_signed(dx as isize);
            let y = centre.1.checked_add_signed(row.dy as isize);
            free[place(dx, row.dy)] = x.zip(y).is_some_and(|(x, y)| {
                x < width && y < height && mask.is_none_or(|mask| mask.contains(x, y))
            });
        }
    }
    let mut kept = vec![false; side * side];
    let mut open = vec![(0_i32, 0_i32)];
    while let Some((dx, dy)) = open.pop() {
        if dx.abs() > half || dy.abs() > half {
            continue;
        }
        let at = place(dx, dy);
        if free[at] && !kept[at] {
            kept[at] = true;
            open.extend([(dx + 1, dy), (dx - 1, dy), (dx, dy + 1), (dx, dy - 1)]);
        }
    }
    let mut rows = Vec::new();
    for dy in -half..=half {
        let mut start = None;
        for dx in -half..=half + 1 {
            let inside = dx <= half && kept[place(dx, dy)];
            match (inside, start) {
                (true, None) => start = Some(dx),
                (false, Some(first)) => {
                    rows.push(SubsetRow {
                        dy,
                        first,
                        last: dx - 1,
                    });
                    start = None;
                }
                _ => {}
            }
        }
    }
    let share = pixel_count(&rows) as f64 / pixel_count(whole) as f64;
    if share < least_share {
        Vec::new()
    } else {
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SubsetShape;
    use crate::subset::subset_rows;

    #[test]
    fn the_border_of_the_picture_cuts_rows_and_columns() {
        let whole = subset_rows(5, SubsetShape::Square);
        let rows = truncated_rows(&whole, (1, 0), (40, 30), None, 0.3);
        let expected: Vec<SubsetRow> = (0..3)
            .map(|dy| SubsetRow {
                dy,
                first: -1,
                last: 2,
            })
            .collect();
        assert_eq!(rows, expected);
        assert!(truncated_rows(&whole, (1, 0), (40, 30), None, 0.5).is_empty());
    }

    #[test]
    fn a_crack_divides_and_a_hole_does_not() {
        let mask = |outside: &dyn Fn(usize, usize) -> bool| {
            let inside = (0..30 * 30).map(|i| !outside(i % 30, i / 30)).collect();
            Mask::new(30, 30, inside).expect("a valid size")
        };
        let whole = subset_rows(7, SubsetShape::Square);
        let crack = mask(&|x, _| x == 16);
        let rows = truncated_rows(&whole, (15, 15), (30, 30), Some(&crack), 0.1);
        assert_eq!(pixel_count(&rows), 4 * 7);
        assert!(rows.iter().all(|row| (row.first, row.last) == (-3, 0)));
        let hole = mask(&|x, y| (x, y) == (16, 15));
        let rows = truncated_rows(&whole, (15, 15), (30, 30), Some(&hole), 0.1);
        assert_eq!(pixel_count(&rows), 48);
        assert_eq!(rows.iter().filter(|row| row.dy == 0).count(), 2);
    }

    #[test]
    fn a_centre_outside_the_mask_keeps_nothing() {
        let inside = (0..100).map(|i| i != 55).collect();
        let mask = Mask::new(10, 10, inside).expect("a valid size");
        let whole = subset_rows(3, SubsetShape::Square);
        assert!(truncated_rows(&whole, (5, 5), (10, 10), Some(&mask), 0.1).is_empty());
    }
}
