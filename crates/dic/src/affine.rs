//! Affine maps through pairs of places.

use crate::shape::{Parameters, affine};

/// A place of the reference and where it lies in the deformed picture, px.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) from: (f64, f64),
    pub(crate) to: (f64, f64),
}

/// `to = origin_to + m (from − origin_from)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    pub(crate) origin: (f64, f64),
    pub(crate) image: (f64, f64),
    /// `[xx, xy, yx, yy]`.
    pub(crate) m: [f64; 4],
}

impl Affine {
    /// The map through three pairs; `None` when their places lie nearly on a line.
    pub(crate) fn through(a: Link, b: Link, c: Link) -> Option<Self> {
        let (bx, by) = (b.from.0 - a.from.0, b.from.1 - a.from.1);
        let (cx, cy) = (c.from.0 - a.from.0, c.from.1 - a.from.1);
        let determinant = bx * cy - cx * by;
        // The sine of the angle at `a` is the determinant over the product of the sides.
        if determinant.abs() < 0.2 * bx.hypot(by) * cx.hypot(cy) || determinant == 0.0 {
            return None;
        }
        let (bu, bv) = (b.to.0 - a.to.0, b.to.1 - a.to.1);
        let (cu, cv) = (c.to.0 - a.to.0, c.to.1 - a.to.1);
        Some(Self {
            origin: a.from,
            image: a.to,
            m: [
                (bu * cy - cu * by) / determinant,
                (cu * bx - bu * cx) / determinant,
                (bv * cy - cv * by) / determinant,
                (cv * bx - bv * cx) / determinant,
            ],
        })
    }

    /// The least-squares map about `origin` through weighted pairs.
    pub(crate) fn fitted(origin: (f64, f64), links: &[(Link, f64)]) -> Option<Self> {
        let mut normal = [[0.0_f64; 3]; 3];
        let mut right = [[0.0_f64; 3]; 2];
        for (link, weight) in links {
            let row = [1.0, link.from.0 - origin.0, link.from.1 - origin.1];
            for i in 0..3 {
                for j in 0..3 {
                    normal[i][j] += weight * row[i] * row[j];
                }
                right[0][i] += weight * row[i] * (link.to.0 - origin.0);
                right[1][i] += weight * row[i] * (link.to.1 - origin.1);
            }
        }
        let [u, v] = right.map(|side| solve3(normal, side));
        let (u, v) = (u?, v?);
        Some(Self {
            origin,
            image: (origin.0 + u[0], origin.1 + v[0]),
            m: [u[1], u[2], v[1], v[2]],
        })
    }

    /// Where a place of the reference lies in the deformed picture.
    pub(crate) fn at(&self, from: (f64, f64)) -> (f64, f64) {
        let (dx, dy) = (from.0 - self.origin.0, from.1 - self.origin.1);
        (
            self.image.0 + self.m[0] * dx + self.m[1] * dy,
            self.image.1 + self.m[2] * dx + self.m[3] * dy,
        )
    }

    /// The distance by which the map misses a pair, px of the deformed picture.
    pub(crate) fn miss(&self, link: Link) -> f64 {
        let (x, y) = self.at(link.from);
        (x - link.to.0).hypot(y - link.to.1)
    }

    /// Whether a piece of material could do this: no reflection, stretches of at most eight times
    /// either way.
    pub(crate) fn is_plausible(&self) -> bool {
        let [a, b, c, d] = self.m;
        let determinant = a * d - b * c;
        let squares = a * a + b * b + c * c + d * d;
        // Largest and smallest squared stretch from their sum and product.
        let root = (squares * squares - 4.0 * determinant * determinant)
            .max(0.0)
            .sqrt();
        determinant > 0.0 && 0.5 * (squares + root) < 64.0 && 0.5 * (squares - root) > 1.0 / 64.0
    }

    /// The parameters of a subset centred at `place`.
    pub(crate) fn parameters(&self, place: (f64, f64)) -> Parameters {
        let (x, y) = self.at(place);
        let [a, b, c, d] = self.m;
        affine([x - place.0, a - 1.0, b], [y - place.1, c, d - 1.0])
    }
}

/// Solves three equations by Cramer's rule; `None` where they are nearly dependent.
fn solve3(m: [[f64; 3]; 3], b: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let all = determinant(&m);
    if !all.is_finite() || all <= 1e-6 * m[0][0] * m[1][1] * m[2][2] {
        return None;
    }
    let mut out = [0.0; 3];
    for (k, value) in out.iter_mut().enumerate() {
        let mut replaced = m;
        for (row, b) in replaced.iter_mut().zip(b) {
            row[k] = b;
        }
        *value = determinant(&replaced) / all;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(x: f64, y: f64) -> Link {
        Link {
            from: (x, y),
            to: (3.0 + 1.4 * x - 0.3 * y, -2.0 + 0.2 * x + 0.8 * y),
        }
    }

    #[test]
    fn three_pairs_and_many_give_the_same_map() {
        let places = [(10.0, 12.0), (17.0, 9.0), (12.0, 20.0), (4.0, 15.0)];
        let links = places.map(|(x, y)| (link(x, y), 1.0 + x));
        let exact = Affine::through(links[0].0, links[1].0, links[2].0).expect("a triangle");
        let fitted = Affine::fitted((11.0, 14.0), &links).expect("no line");
        for map in [exact, fitted] {
            let p = map.parameters((30.0, 40.0));
            let expected = [3.0 + 0.4 * 30.0 - 0.3 * 40.0, 0.4, -0.3];
            for (got, expected) in p[..3].iter().zip(expected) {
                assert!((got - expected).abs() < 1e-9, "{p:?}");
            }
            assert!(map.is_plausible());
        }
    }

    #[test]
    fn a_line_gives_none_and_a_mirror_is_implausible() {
        let on_line = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)].map(|(x, y)| link(x, y));
        assert!(Affine::through(on_line[0], on_line[1], on_line[2]).is_none());
        assert!(Affine::fitted((0.0, 0.0), &on_line.map(|link| (link, 1.0))).is_none());
        let mirror = Affine {
            origin: (0.0, 0.0),
            image: (0.0, 0.0),
            m: [-1.0, 0.0, 0.0, 1.0],
        };
        assert!(!mirror.is_plausible());
    }
}
