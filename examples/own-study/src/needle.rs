//! Buffon's needle: throws, the estimate of π, its error.
//!
//! # Source
//! Buffon 1777, Essai d'arithmétique morale; Laplace 1812, Théorie analytique des probabilités.

use std::f64::consts::{FRAC_PI_2, PI};

use retrial_core::words;
use retrial_seed::Stream;

words! {
    /// How the direction of a needle is drawn.
    pub(crate) enum Directions {
        /// By a point in a quarter of a disc, so that no π enters what estimates it.
        Disc = "disc",
        /// By an angle of 0 to π/2.
        Angle = "angle",
    }
}

/// Throws that hit a line, of `throws`. A needle's length is `length_ratio` of the distance of the lines, at most 1.
pub(crate) fn hits(
    throws: usize,
    length_ratio: f64,
    directions: Directions,
    stream: &mut Stream,
) -> usize {
    let thrown = (0..throws).filter(|_| is_hit(length_ratio, directions, stream));
    thrown.count()
}

fn is_hit(length_ratio: f64, directions: Directions, stream: &mut Stream) -> bool {
    let (across, length) = match directions {
        Directions::Disc => in_disc(stream),
        Directions::Angle => ((stream.uniform() * FRAC_PI_2).sin(), 1.0),
    };
    // The centre's distance from the next line, by half the distance of the lines.
    let distance = stream.uniform();
    distance * length <= length_ratio * across
}

/// A point in a quarter of a disc: its distance from the lines' direction, and from the centre.
fn in_disc(stream: &mut Stream) -> (f64, f64) {
    loop {
        let (along, across) = (stream.uniform(), stream.uniform());
        let square = along * along + across * across;
        if square > 0.0 && square <= 1.0 {
            return (across, square.sqrt());
        }
    }
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
            hits(3408, 5.0 / 6.0, Directions::Disc, &mut stream)
        });
        assert_eq!(found, [1784, 1833, 1803, 1808]);
    }

    #[test]
    fn both_ways_to_draw_directions_hit_equally_often() {
        let law = 2.0 * 0.5 / PI;
        for directions in [Directions::Disc, Directions::Angle] {
            let found = hits(100_000, 0.5, directions, &mut Seed(1).stream("throws"));
            let error = found as f64 / 100_000.0 - law;
            // Four standard deviations.
            assert!(
                error.abs() < 4.0 * (law * (1.0 - law) / 1e5).sqrt(),
                "{directions:?}: {error}"
            );
        }
    }

    #[test]
    fn the_count_of_lazzarini_gives_his_fraction() {
        let found = estimate(3408, 1808, 5.0 / 6.0);
        assert!((found - 355.0 / 113.0).abs() < 1e-14, "{found}");
        let law = standard_deviation(3408, 5.0 / 6.0);
        assert!((law - 0.0506).abs() < 1e-4, "{law}");
    }
}
