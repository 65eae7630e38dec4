//! Anchors: boxes of fixed sizes and shapes at every place of every feature level.
//!
//! # Source
//! Ren et al. 2015, arXiv:1506.01497, section 3.1.1. Rounding and order as in torchvision's
//! `AnchorGenerator`: the base boxes are centred on the grid point and rounded to whole pixels,
//! half to even; ratios vary slower than sizes, anchors faster than places, places row by row.

use crate::boxes::Corners;

/// Sizes and ratios of the anchors of one feature level.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelAnchors {
    /// Side in pixels of the square of equal area.
    pub sizes: Vec<f32>,
    /// Height over width.
    pub ratios: Vec<f32>,
}

/// The picture and the feature map of one level, `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows and columns of the (padded) picture.
    pub image: [usize; 2],
    /// Rows and columns of the feature map.
    pub features: [usize; 2],
}

/// One size a level and the same ratios for all: the usual choice with a feature pyramid.
#[must_use]
pub fn pyramid(sizes: &[f32], ratios: &[f32]) -> Vec<LevelAnchors> {
    let level = |&size: &f32| LevelAnchors {
        sizes: vec![size],
        ratios: ratios.to_vec(),
    };
    sizes.iter().map(level).collect()
}

impl LevelAnchors {
    /// Number of anchors at one place.
    #[must_use]
    pub fn per_place(&self) -> usize {
        self.sizes.len() * self.ratios.len()
    }

    /// The anchors around the origin.
    #[must_use]
    pub fn base(&self) -> Vec<Corners> {
        let mut base = Vec::with_capacity(self.per_place());
        for ratio in &self.ratios {
            let tall = ratio.sqrt();
            let wide = 1.0 / tall;
            for size in &self.sizes {
                let (x, y) = (wide * size / 2.0, tall * size / 2.0);
                base.push([-x, -y, x, y].map(f32::round_ties_even));
            }
        }
        base
    }

    /// The anchors of all places of a level; none when the feature map is empty.
    #[must_use]
    pub fn on(&self, grid: Grid) -> Vec<Corners> {
        let [rows, columns] = grid.features;
        if rows == 0 || columns == 0 {
            return Vec::new();
        }
        let stride = [grid.image[0] / rows, grid.image[1] / columns];
        let base = self.base();
        let mut anchors = Vec::with_capacity(rows * columns * base.len());
        for row in 0..rows {
            let y = (row * stride[0]) as f32;
            for column in 0..columns {
                let x = (column * stride[1]) as f32;
                anchors.extend(
                    base.iter()
                        .map(|b| [x + b[0], y + b[1], x + b[2], y + b[3]]),
                );
            }
        }
        anchors
    }
}

/// The anchors of all levels in one list, the first level first.
///
/// # Shapes
/// - `features`: rows and columns of the feature map of each level of `levels`
/// - `image`: rows and columns of the padded picture
#[must_use]
pub fn anchors(
    levels: &[LevelAnchors],
    features: &[[usize; 2]],
    image: [usize; 2],
) -> Vec<Corners> {
    let pairs = levels.iter().zip(features);
    pairs
        .flat_map(|(level, &features)| level.on(Grid { image, features }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_by_hand() {
        let level = LevelAnchors {
            sizes: vec![8.0, 32.0],
            ratios: vec![0.5, 1.0],
        };
        // 8 / sqrt(0.5) / 2 = 5.66, 8 sqrt(0.5) / 2 = 2.83; 22.6 and 11.3 for 32.
        let expected = [
            [-6.0, -3.0, 6.0, 3.0],
            [-23.0, -11.0, 23.0, 11.0],
            [-4.0, -4.0, 4.0, 4.0],
            [-16.0, -16.0, 16.0, 16.0],
        ];
        assert_eq!(level.base(), expected);
    }

    #[test]
    fn places_go_row_by_row() {
        let level = &pyramid(&[4.0], &[1.0])[0];
        let grid = Grid {
            image: [33, 16],
            features: [2, 2],
        };
        let corners: Vec<[f32; 2]> = level.on(grid).iter().map(|a| [a[0], a[1]]).collect();
        assert_eq!(
            corners,
            [[-2.0, -2.0], [6.0, -2.0], [-2.0, 14.0], [6.0, 14.0]]
        );
        let empty = Grid {
            image: [33, 16],
            features: [0, 2],
        };
        assert!(level.on(empty).is_empty());
    }
}
