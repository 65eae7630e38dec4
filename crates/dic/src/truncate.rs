//! Subsets that the mask, a background without texture or the border of the picture cuts.
//!
//! A cut subset keeps the pixels that are connected with its centre inside the picture and the
//! material: a crack that the mask draws divides the material on its two sides. Of those it leaves out the ones
//! whose filtered grey value, or its interpolation, depends on what lies beside the material.

use retrial_image::Mask;

use crate::gaussian::GaussianFilter;
use crate::grid::Counts;
use crate::settings::Settings;
use crate::subset::{SubsetRow, pixel_count};

/// How far a step of the grey value at the edge of the material is felt in the interpolating spline and its gradient,
/// px: its poles let it fall to a quarter from pixel to pixel.
const SPLINE_REACH: usize = 3;

/// How many pixels at the edge of the material depend on what lies beside it: those that the prefilter fills, and
/// those that the spline reaches. A small subset keeps half of itself.
pub(crate) fn edge_reach(settings: &Settings) -> usize {
    let rim = settings.prefilter.map_or(0, GaussianFilter::rim_px);
    (rim + SPLINE_REACH).min(settings.half_px() / 2)
}

/// Which pixels of a picture show the material, and which of these nothing else.
pub(crate) struct Material {
    width: usize,
    inside: Vec<bool>,
    clear: Vec<bool>,
    clear_counts: Counts,
}

impl Material {
    /// Pixels inside a mask, and outside a background without texture; clear are those with nothing else in `reach`.
    pub(crate) fn new(
        (width, height): (usize, usize),
        mask: Option<&Mask>,
        textureless: Option<&[bool]>,
        reach: usize,
    ) -> Self {
        let inside = (0..width * height).map(|i| {
            mask.is_none_or(|mask| mask.contains(i % width, i / width))
                && textureless.is_none_or(|textureless| !textureless[i])
        });
        let inside: Vec<bool> = inside.collect();
        let counts = Counts::new((width, height), |x, y| inside[y * width + x]);
        let clear =
            (0..width * height).map(|i| counts.has_all_around((i % width, i / width), reach));
        let clear: Vec<bool> = clear.collect();
        Self {
            clear_counts: Counts::new((width, height), |x, y| clear[y * width + x]),
            width,
            inside,
            clear,
        }
    }

    fn has(&self, x: usize, y: usize) -> bool {
        self.inside[y * self.width + x]
    }

    fn is_clear(&self, x: usize, y: usize) -> bool {
        self.clear[y * self.width + x]
    }

    /// Whether the square around a point shows nothing else, as far as it lies in the picture.
    pub(crate) fn is_clear_around(&self, point: (usize, usize), half_px: usize) -> bool {
        self.clear_counts.has_all_around(point, half_px)
    }
}

/// The rows of a subset around `centre` that are left, from top to bottom; empty where fewer than
/// `least_share` of its pixels are.
///
/// A row that a hole divides comes as several rows. `rim_px` pixels at the border of the picture are left out: in the
/// deformed picture the material may end there.
pub(crate) fn truncated_rows(
    whole: &[SubsetRow],
    centre: (usize, usize),
    (width, height): (usize, usize),
    material: Option<&Material>,
    rim_px: usize,
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
                x < width && y < height && material.is_none_or(|material| material.has(x, y))
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
    let is_clear = |dx: i32, dy: i32| {
        let x = centre.0.saturating_add_signed(dx as isize);
        let y = centre.1.saturating_add_signed(dy as isize);
        let is_inner = |place: usize, n: usize| place >= rim_px && place + rim_px < n;
        is_inner(x, width)
            && is_inner(y, height)
            && material.is_none_or(|material| material.is_clear(x, y))
    };
    let mut rows = Vec::new();
    for dy in -half..=half {
        let mut start = None;
        for dx in -half..=half + 1 {
            let inside = dx <= half && kept[place(dx, dy)] && is_clear(dx, dy);
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
        let rows = truncated_rows(&whole, (1, 0), (40, 30), None, 0, 0.3);
        let expected: Vec<SubsetRow> = (0..3)
            .map(|dy| SubsetRow {
                dy,
                first: -1,
                last: 2,
            })
            .collect();
        assert_eq!(rows, expected);
        assert!(truncated_rows(&whole, (1, 0), (40, 30), None, 0, 0.5).is_empty());
    }

    #[test]
    fn a_crack_divides_and_a_hole_does_not() {
        let mask = |outside: &dyn Fn(usize, usize) -> bool| {
            let inside = (0..30 * 30).map(|i| !outside(i % 30, i / 30)).collect();
            let mask = Mask::new(30, 30, inside).expect("a valid size");
            // So small a subset keeps every pixel but those that the mask leaves out.
            Material::new((30, 30), Some(&mask), None, 0)
        };
        let whole = subset_rows(7, SubsetShape::Square);
        let crack = mask(&|x, _| x == 16);
        let rows = truncated_rows(&whole, (15, 15), (30, 30), Some(&crack), 0, 0.1);
        assert_eq!(pixel_count(&rows), 4 * 7);
        assert!(rows.iter().all(|row| (row.first, row.last) == (-3, 0)));
        let hole = mask(&|x, y| (x, y) == (16, 15));
        let rows = truncated_rows(&whole, (15, 15), (30, 30), Some(&hole), 0, 0.1);
        assert_eq!(pixel_count(&rows), 48);
        assert_eq!(rows.iter().filter(|row| row.dy == 0).count(), 2);
    }

    /// The filter reaches 2 px and the spline 3 px over the edge of the mask; a small subset keeps half of itself.
    #[test]
    fn pixels_that_depend_on_what_lies_beside_the_mask_are_left_out() {
        let inside = (0..60 * 60).map(|i| i % 60 >= 20).collect();
        let mask = Mask::new(60, 60, inside).expect("a valid size");
        for (size_px, first) in [(21, 25), (9, 22)] {
            let half = size_px / 2;
            let reach = edge_reach(&Settings {
                prefilter: Some(GaussianFilter::reaching(0.7)),
                ..Settings::default().with_side_px(size_px)
            });
            let material = Material::new((60, 60), Some(&mask), None, reach);
            let whole = subset_rows(size_px, SubsetShape::Square);
            let rows = truncated_rows(&whole, (20, 30), (60, 60), Some(&material), 0, 0.1);
            assert!(rows.iter().all(|row| 20 + row.first == first), "{rows:?}");
            assert_eq!(rows.len(), size_px);
            assert!(!material.is_clear_around((20 + half, 30), half));
            assert!(material.is_clear_around((first as usize + half, 30), half));
        }
    }

    #[test]
    fn a_centre_outside_the_mask_keeps_nothing() {
        let inside = (0..100).map(|i| i != 55).collect();
        let mask = Mask::new(10, 10, inside).expect("a valid size");
        let mask = Material::new((10, 10), Some(&mask), None, 0);
        let whole = subset_rows(3, SubsetShape::Square);
        assert!(truncated_rows(&whole, (5, 5), (10, 10), Some(&mask), 0, 0.1).is_empty());
    }
}
