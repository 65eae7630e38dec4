//! Randomness as an argument: one root seed a trial, split into named streams.
//!
//! A stream's key is the blake3 hash of the root seed and the stream's name, so a draw added to
//! one stream never shifts another. The generator is ChaCha8, which is portable and seekable; the
//! transforms to uniform and normal numbers are our own, because a library may change them
//! between minor versions and a recorded trial must stay repeatable.
//!
#![doc = include_str!("../README.md")]

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// The root seed of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The generator for one purpose, such as `"init"` or `"shuffle"`.
    #[must_use]
    pub fn stream(self, name: &str) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"retrial seed stream v1");
        hasher.update(&self.0.to_le_bytes());
        hasher.update(name.as_bytes());
        Stream {
            rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()),
            spare_normal: None,
        }
    }
}

/// One named generator.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Stream {
    /// A uniform 64-bit number.
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A uniform number in `0..1`, a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A uniform whole number in `0..bound` without modulo bias.
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw below zero has no value");
        // Rejection: numbers from the incomplete last block of `bound` are drawn again.
        let limit = u64::MAX - (u64::MAX % bound + 1) % bound;
        loop {
            let draw = self.rng.next_u64();
            if draw <= limit {
                return draw % bound;
            }
        }
    }

    /// A normal number with mean 0 and standard deviation 1.
    ///
    /// # Source
    /// Box & Muller 1958, doi:10.1214/aoms/1177706645; both numbers of a pair are used.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare_normal = Some(radius * sin);
        radius * cos
    }

    /// Puts `items` into a uniformly drawn order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_and_repeatable() {
        let draw = |seed, name| Seed(seed).stream(name).next_u64();
        assert_eq!(draw(0, "init"), draw(0, "init"));
        assert_ne!(draw(0, "init"), draw(0, "shuffle"));
        assert_ne!(draw(0, "init"), draw(1, "init"));
    }

    #[test]
    fn moments_of_the_transforms() {
        let mut stream = Seed(7).stream("moments");
        let n = 100_000;
        let (mut sum, mut squares, mut uniform) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = stream.normal();
            sum += z;
            squares += z * z;
            uniform += stream.uniform();
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.01, "mean {}", sum / n);
        assert!((squares / n - 1.0).abs() < 0.02, "variance {}", squares / n);
        assert!((uniform / n - 0.5).abs() < 0.005);
    }

    #[test]
    fn below_covers_its_range() {
        let mut stream = Seed(1).stream("below");
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[stream.below(7) as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (850..1150).contains(&count)),
            "{seen:?}"
        );
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Seed(3).stream("shuffle").shuffle(&mut items);
        assert_ne!(items[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
