//! Buffon's needle: throws, the estimate of π, its error.
//!
//! # Source
//! Buffon 1777, Essai d'arithmétique morale; Laplace 1812, Théorie analytique des probabilités.

use std::f64::consts::PI;

use retrial_seed::Stream;

/// Throws that hit a line, of `throws`. A needle's length is `length_ratio` of the distance of the lines, at most 1.
pub(crate) fn hits(throws: usize, length_ratio: f64, stream: &mut Stream) -> usize {
    (0..throws).filter(|_| is_hit(length_ratio, stream)).count()
}

/// The direction is that of a point in a quarter of a disc, so that no π enters what estimates it.
fn is_hit(length_ratio: f64, stream: &mut Stream) -> bool {
    let (across, square) = loop {
        let (along, across) = (stream.uniform(), stream.uniform());
        let square = along * along + across * across;
        if square > 0.0 && square <= 1.0 {
            break (across, square);
        }
    };
    // The centre's distance from the next line, by half the distance of the lines.
    let distance = stream.uniform();
    distance * square.sqrt() <= length_ratio * across
}

/// π by the share of hits, which is expected to be `2 length_ratio / π`.
pub(crate) fn estimate(throws: usize, hits: usize, length_ratio: f64) -> f64 {
    2.0 * length_ratio * throws as f64 / hits as f64
}

/// Standard deviation of the estimate, to first order in that of the share of hits.
pub(crate) fn standard_deviation(throws: usize, length_ratio: f64) -> f64 {
    PI * ((PI / (2.0 * length_ratio) - 1.0) / throws as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    /// blake3, ChaCha8 and the throws, written again in Python, give the same.
    #[test]
    fn hits_of_another_program() {
        let found = [0, 1, 2, 3].map(|repeat| {
            let mut stream = Seed(0).stream(&format!("repeat {repeat}"));
            hits(3408, 5.0 / 6.0, &mut stream)
        });
        assert_eq!(found, [1784, 1833, 1803, 1808]);
    }

    #[test]
    fn the_count_of_lazzarini_gives_his_fraction() {
        let found = estimate(3408, 1808, 5.0 / 6.0);
        assert!((found - 355.0 / 113.0).abs() < 1e-14, "{found}");
        let law = standard_deviation(3408, 5.0 / 6.0);
        assert!((law - 0.0506).abs() < 1e-4, "{law}");
    }
}
