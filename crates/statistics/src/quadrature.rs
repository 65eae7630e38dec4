//! Integrals of smooth functions.
//!
//! # Source
//! Gauss–Legendre rule: Abramowitz & Stegun 1964, formula 25.4.29; its nodes are found by Newton's
//! method.

/// Nodes of a panel.
const ORDER: usize = 16;

/// Panels of a piece.
const PANELS: usize = 24;

/// The integral over pieces with these ends in rising order; within a piece the function is
/// smooth at a scale of a tenth of it.
pub(crate) fn integral(ends: &[f64], function: impl Fn(f64) -> f64) -> f64 {
    let rule = rule();
    let mut sum = 0.0;
    for piece in ends.windows(2) {
        let half = (piece[1] - piece[0]) / (2 * PANELS) as f64;
        for panel in 0..PANELS {
            let centre = piece[0] + half * (2 * panel + 1) as f64;
            for (node, weight) in rule {
                sum += half * weight * function(centre + half * node);
            }
        }
    }
    sum
}

/// Nodes in `-1..=1` and their weights.
fn rule() -> [(f64, f64); ORDER] {
    std::array::from_fn(|index| {
        let turn = (index as f64 + 0.75) / (ORDER as f64 + 0.5);
        let mut node = (std::f64::consts::PI * turn).cos();
        for _ in 0..8 {
            let (value, slope) = legendre(node);
            node -= value / slope;
        }
        let (_, slope) = legendre(node);
        (node, 2.0 / ((1.0 - node * node) * slope * slope))
    })
}

/// The Legendre polynomial of the rule's order and its derivative.
fn legendre(x: f64) -> (f64, f64) {
    let (mut last, mut value) = (1.0, x);
    for order in 2..=ORDER {
        let order = order as f64;
        let next = ((2.0 * order - 1.0) * x * value - (order - 1.0) * last) / order;
        (last, value) = (value, next);
    }
    (value, ORDER as f64 * (last - x * value) / (1.0 - x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        let integral = integral(&[0.0, 0.5, 2.0], |x| x.powi(9));
        assert!((integral / 102.4 - 1.0).abs() < 1e-14, "{integral}");
    }

    #[test]
    fn a_bell_has_its_area() {
        let area = integral(&[-12.0, 12.0], |x| (-x * x).exp());
        assert!((area - std::f64::consts::PI.sqrt()).abs() < 1e-13);
    }
}
