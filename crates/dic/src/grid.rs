//! Where the points lie.
//!
//! # Source
//! The published positions and mask rule are those of the code of Atkinson & Becker 2020,
//! doi:10.3390/rs12182906.

use retrial_image::Mask;

use crate::settings::{Borders, Grid, Settings};

/// The positions of the points, row by row: those of which every pixel of the square subset lies
/// inside the picture and the mask, so too for circles, or all that the picture holds where
/// subsets may be truncated.
pub(crate) fn points(
    width: usize,
    height: usize,
    mask: Option<&Mask>,
    settings: &Settings,
) -> Vec<(usize, usize)> {
    let xs = positions(width, settings);
    let ys = positions(height, settings);
    let all = ys.iter().flat_map(|&y| xs.iter().map(move |&x| (x, y)));
    match mask {
        _ if settings.borders != Borders::Whole => all.collect(),
        None => all.collect(),
        Some(mask) => {
            let counts = Counts::new((width, height), |x, y| mask.contains(x, y));
            let half = settings.half_px();
            all.filter(|&point| counts.has_all_around(point, half))
                .collect()
        }
    }
}

/// Positions along an axis of `n` pixels.
fn positions(n: usize, settings: &Settings) -> Vec<usize> {
    let (size, step) = (settings.side_px(), settings.step_px);
    let (first, last) = match settings.grid {
        Grid::Full => {
            let free = n - size;
            let first = settings.half_px() + free % step / 2;
            match settings.borders {
                Borders::Whole => (first, n - 1 - settings.half_px()),
                Borders::Truncated { .. } => (first % step, n - 1),
            }
        }
        Grid::Published => {
            let margin = size.div_ceil(2).saturating_add(step);
            // One-based: from margin to n − margin − 1.
            match n.checked_sub(margin.saturating_add(2)) {
                Some(last) => (margin - 1, last),
                None => return Vec::new(),
            }
        }
    };
    (first..=last).step_by(step).collect()
}

/// Summed-area table of some pixels of a picture, one row and column larger than it.
pub(crate) struct Counts {
    size: (usize, usize),
    sums: Vec<usize>,
}

impl Counts {
    pub(crate) fn new(
        (width, height): (usize, usize),
        counts: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let stride = width + 1;
        let mut sums = vec![0; stride * (height + 1)];
        for y in 0..height {
            let mut row = 0;
            for x in 0..width {
                row += usize::from(counts(x, y));
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        Self {
            size: (width, height),
            sums,
        }
    }

    /// Whether all pixels of the square of `reach` around a pixel count, as far as it lies in the picture.
    pub(crate) fn has_all_around(&self, (x, y): (usize, usize), reach: usize) -> bool {
        let (width, height) = self.size;
        let (left, top) = (x.saturating_sub(reach), y.saturating_sub(reach));
        let (right, bottom) = ((x + reach + 1).min(width), (y + reach + 1).min(height));
        let at = |x: usize, y: usize| self.sums[y * (width + 1) + x];
        let inside = at(right, bottom) + at(left, top) - at(right, top) - at(left, bottom);
        inside == (right - left) * (bottom - top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(grid: Grid, size_px: usize, step_px: usize) -> Settings {
        Settings {
            grid,
            step_px,
            ..Settings::default().with_side_px(size_px)
        }
    }

    #[test]
    fn a_full_grid_touches_both_edges() {
        assert_eq!(positions(12, &settings(Grid::Full, 5, 3)), [2, 5, 8]);
        assert_eq!(positions(13, &settings(Grid::Full, 5, 4)), [2, 6, 10]);
        assert_eq!(positions(5, &settings(Grid::Full, 5, 4)), [2]);
    }

    /// One-based 21 + 80 = 101, 181, 261, 341 up to 512 − 21 − 1 − 80 = 410.
    #[test]
    fn the_published_grid_keeps_a_margin_of_one_step() {
        let grid = settings(Grid::Published, 41, 80);
        assert_eq!(positions(512, &grid), [100, 180, 260, 340]);
        let grid = settings(Grid::Published, 41, 5);
        let all = positions(512, &grid);
        assert_eq!((all[0], all[all.len() - 1]), (25, 480));
        assert!(positions(52, &grid).is_empty());
    }

    #[test]
    fn every_pixel_of_the_square_must_lie_in_the_mask() {
        let inside: Vec<bool> = (0..20 * 20).map(|i| i != 10 * 20 + 10).collect();
        let mask = Mask::new(20, 20, inside).expect("a valid size");
        let grid = settings(Grid::Full, 5, 1);
        let left = points(20, 20, Some(&mask), &grid);
        assert_eq!(left.len(), 16 * 16 - 25);
        assert!(
            left.iter()
                .all(|&(x, y)| x.abs_diff(10) > 2 || y.abs_diff(10) > 2)
        );
    }
}
