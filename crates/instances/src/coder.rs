//! Boxes as offsets from other boxes, which is what a net regresses.
//!
//! # Source
//! Girshick et al. 2014, arXiv:1311.2524, appendix C; weights and the bound on growth as in
//! torchvision's `BoxCoder`.

use crate::boxes::Corners;

/// Offsets `[dx, dy, dw, dh]`, weighted.
pub type Deltas = [f32; 4];

/// What scales the offsets, and how far they may enlarge a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxCoder {
    /// Factors of `dx`, `dy`, `dw`, `dh`.
    pub weights: [f32; 4],
    /// The largest `dw` and `dh` that are decoded, after division by the weights.
    pub growth: f32,
}

impl BoxCoder {
    /// Weights of a proposal network: all one.
    pub const PROPOSALS: Self = Self::weighted([1.0; 4]);
    /// Weights of a box head: ten for places, five for sizes.
    pub const BOX_HEAD: Self = Self::weighted([10.0, 10.0, 5.0, 5.0]);

    /// The given weights and the usual bound ln(1000 / 16), a 62-fold growth.
    #[must_use]
    pub const fn weighted(weights: [f32; 4]) -> Self {
        Self {
            weights,
            growth: 4.135_166_6,
        }
    }

    /// Offsets that lead from `from` to `to`; infinite when `from` has no area.
    #[must_use]
    pub fn encode(&self, from: &Corners, to: &Corners) -> Deltas {
        let (from, to) = (Centred::of(from), Centred::of(to));
        let [wx, wy, ww, wh] = self.weights;
        [
            wx * (to.x - from.x) / from.width,
            wy * (to.y - from.y) / from.height,
            ww * (to.width / from.width).ln(),
            wh * (to.height / from.height).ln(),
        ]
    }

    /// The box that `deltas` lead to from `from`.
    #[must_use]
    pub fn decode(&self, from: &Corners, deltas: &Deltas) -> Corners {
        let from = Centred::of(from);
        let [dx, dy, dw, dh]: [f32; 4] = std::array::from_fn(|k| deltas[k] / self.weights[k]);
        let x = dx * from.width + from.x;
        let y = dy * from.height + from.y;
        let half_width = 0.5 * (dw.min(self.growth).exp() * from.width);
        let half_height = 0.5 * (dh.min(self.growth).exp() * from.height);
        [
            x - half_width,
            y - half_height,
            x + half_width,
            y + half_height,
        ]
    }
}

struct Centred {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

impl Centred {
    fn of(corners: &Corners) -> Self {
        let (width, height) = (corners[2] - corners[0], corners[3] - corners[1]);
        Self {
            x: corners[0] + 0.5 * width,
            y: corners[1] + 0.5 * height,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_comes_back() {
        let (from, to) = ([3.0, 4.0, 13.0, 24.0], [0.0, 8.0, 30.0, 18.0]);
        let deltas = BoxCoder::BOX_HEAD.encode(&from, &to);
        // Centres (8, 14) and (15, 13), sizes (10, 20) and (30, 10).
        let by_hand = [7.0, -0.5, 5.0 * 3.0_f32.ln(), 5.0 * 0.5_f32.ln()];
        for (got, expected) in deltas.iter().zip(by_hand) {
            assert!((got - expected).abs() < 1e-6, "{deltas:?}");
        }
        let back = BoxCoder::BOX_HEAD.decode(&from, &deltas);
        for (got, expected) in back.iter().zip(to) {
            assert!((got - expected).abs() < 1e-4, "{back:?}");
        }
    }

    #[test]
    fn growth_is_bounded() {
        let grown = BoxCoder::PROPOSALS.decode(&[0.0, 0.0, 16.0, 16.0], &[0.0, 0.0, 99.0, 0.0]);
        assert!((grown[2] - grown[0] - 1000.0).abs() < 1e-2, "{grown:?}");
        assert_eq!(grown[3] - grown[1], 16.0);
    }
}
