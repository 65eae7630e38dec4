//! Handwritten digits with labels.

use std::collections::BTreeMap;

use retrial_core::census::{Census, count};
use retrial_core::hash::FieldHasher;

use super::{Model, hash_size};

/// Digits without a pixel from here on are nearly black: as a rule their values are in another scale.
const DARK: u8 = 32;

/// Handwritten digits, split as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// The training part.
    pub train: DigitSet,
    /// The test part.
    pub test: DigitSet,
    /// What was changed or left out so that the rest can be read; no part of the digest.
    pub repairs: Vec<String>,
}

/// Pictures of digits with labels.
///
/// # Shapes
/// - `labels`: `[item]`, `0..=9`
/// - `pixels`: `[item, row, column]`, `0..=255`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitSet {
    /// Columns of one picture.
    pub width: usize,
    /// Rows of one picture.
    pub height: usize,
    /// One label an item.
    pub labels: Vec<u8>,
    /// All pixels, item by item, row by row.
    pub pixels: Vec<u8>,
}

impl DigitSet {
    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of item `i`, row by row, or `None` past the end.
    #[must_use]
    pub fn item(&self, i: usize) -> Option<&[u8]> {
        let size = self.width * self.height;
        self.pixels.get(i.checked_mul(size)?..(i + 1) * size)
    }
}

impl Model for Digits {
    const KIND: &'static str = "digits";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial digits v1");
        for set in [&self.train, &self.test] {
            hash_size(&mut hasher, set.width, set.height);
            hasher.field(&set.labels).field(&set.pixels);
        }
        hasher.tagged()
    }

    fn census(&self) -> Census {
        let mut census = Census::default();
        tell(&self.train, "training", &mut census);
        tell(&self.test, "test", &mut census);
        census.warn_all(&self.repairs, "repairs");
        census
    }
}

/// What a part holds.
fn tell(set: &DigitSet, what: &str, census: &mut Census) {
    let mut counts = BTreeMap::<u8, usize>::new();
    for label in &set.labels {
        *counts.entry(*label).or_default() += 1;
    }
    let (items, width, height) = (set.len(), set.width, set.height);
    let counts: Vec<String> = counts.iter().map(|(d, n)| format!("{d} ({n})")).collect();
    census.fact(format!(
        "{} of {width} × {height} px: {}",
        count(items, &format!("{what} item")),
        counts.join(", ")
    ));
    let greatest = set.pixels.iter().max().copied().unwrap_or_default();
    if items > 0 && greatest < DARK {
        census.warn(format!(
            "the greatest pixel of all {what} items is {greatest} of 255; are they in another scale, such as 0 and 1?"
        ));
    }
}
