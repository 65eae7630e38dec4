//! Which level of a feature pyramid a box is pooled from.
//!
//! # Source
//! Lin et al. 2017, arXiv:1612.03144, Eq. (1). The small term that keeps powers of two on their
//! level is outside the logarithm as in torchvision, not inside as in Detectron2.

use crate::boxes::{Corners, area};

/// The rule of levels; level `k` has a stride of `2^k`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelRule {
    /// Level of the first feature map.
    pub finest: u32,
    /// Level of the last feature map that boxes are pooled from.
    pub coarsest: u32,
    /// Level of a box of the canonical size.
    pub canonical_level: u32,
    /// Side in pixels of a box of the canonical size.
    pub canonical_px: f32,
}

impl Default for LevelRule {
    fn default() -> Self {
        Self {
            finest: 2,
            coarsest: 5,
            canonical_level: 4,
            canonical_px: 224.0,
        }
    }
}

impl LevelRule {
    /// Index of the feature map for a box, `0` for the finest; a box without area is on that.
    #[must_use]
    pub fn index(&self, corners: &Corners) -> usize {
        let side = area(corners).sqrt();
        // Eq. (1).
        let level =
            (self.canonical_level as f32 + (side / self.canonical_px).log2() + 1e-6).floor();
        let level = level.max(self.finest as f32).min(self.coarsest as f32);
        level as usize - self.finest as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_start_a_level() {
        let rule = LevelRule::default();
        let index = |side: f32| rule.index(&[0.0, 0.0, side, side]);
        let sides = [1.0, 56.0, 111.9, 112.0, 223.9, 224.0, 448.0, 9_000.0];
        assert_eq!(sides.map(index), [0, 0, 0, 1, 1, 2, 3, 3]);
        assert_eq!(index(0.0), 0);
        assert_eq!(rule.index(&[0.0, 0.0, -1.0, 1.0]), 0);
    }
}
