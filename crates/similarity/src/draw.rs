//! Drawing with replacement by weight.
//!
//! # Source
//! The alias method of Walker 1977, doi:10.1145/355744.355749, with the table of Vose 1991,
//! doi:10.1109/32.92917: each draw takes the same time for any number of weights.

use std::collections::BTreeMap;

use retrial_seed::Stream;

use crate::Weights;

/// What a draw looks up: each item keeps its place with a probability and else gives an alias.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasTable {
    keep: Vec<f64>,
    alias: Vec<usize>,
}

impl AliasTable {
    /// The table of some weights.
    #[must_use]
    pub fn new(weights: &Weights) -> Self {
        let n = weights.normalised().len();
        let mut keep: Vec<f64> = weights.normalised().iter().map(|w| w * n as f64).collect();
        let mut alias: Vec<usize> = (0..n).collect();
        let (mut light, mut heavy): (Vec<usize>, Vec<usize>) =
            (0..n).partition(|&item| keep[item] < 1.0);
        while let (Some(poor), Some(&rich)) = (light.pop(), heavy.last()) {
            alias[poor] = rich;
            keep[rich] -= 1.0 - keep[poor];
            if keep[rich] < 1.0 {
                heavy.pop();
                light.push(rich);
            }
        }
        // What rounding has left over has no alias to give to.
        for item in 0..n {
            if alias[item] == item {
                keep[item] = 1.0;
            }
        }
        Self { keep, alias }
    }

    /// One item.
    pub fn draw(&self, stream: &mut Stream) -> usize {
        let item = stream.below(self.keep.len() as u64) as usize;
        if stream.uniform() < self.keep[item] {
            item
        } else {
            self.alias[item]
        }
    }
}

/// `count` items drawn with replacement, in the order of the draw.
pub fn draw(weights: &Weights, count: usize, stream: &mut Stream) -> Vec<usize> {
    let table = AliasTable::new(weights);
    (0..count).map(|_| table.draw(stream)).collect()
}

/// How often what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Item and number of draws: the most drawn first, equal ones by item. Items never drawn are
    /// left out.
    pub most_drawn: Vec<(usize, usize)>,
}

impl Tally {
    /// Number of different items.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.most_drawn.len()
    }
}

/// Counts what was drawn: pictures, or the classes of the pictures.
#[must_use]
pub fn tally(drawn: impl IntoIterator<Item = usize>) -> Tally {
    let mut counts = BTreeMap::new();
    for item in drawn {
        *counts.entry(item).or_insert(0_usize) += 1;
    }
    let mut most_drawn: Vec<_> = counts.into_iter().collect();
    most_drawn.sort_by_key(|&(item, count)| (std::cmp::Reverse(count), item));
    Tally { most_drawn }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use retrial_seed::Seed;

    use super::*;

    #[test]
    fn the_table_holds_the_weights() {
        let log: Vec<f64> = (0..100).map(|i| f64::from(i * i % 37) / 4.0).collect();
        let weights = Weights::from_log(log).unwrap();
        let table = AliasTable::new(&weights);
        let mut mass = vec![0.0; 100];
        for (item, (&keep, &alias)) in table.keep.iter().zip(&table.alias).enumerate() {
            assert!((0.0..=1.0).contains(&keep), "{keep}");
            mass[item] += keep / 100.0;
            mass[alias] += (1.0 - keep) / 100.0;
        }
        for (mass, want) in mass.iter().zip(weights.normalised()) {
            assert!((mass - want).abs() < 1e-14, "{mass} {want}");
        }
    }

    #[test]
    fn frequencies_follow_the_weights() {
        let weights = Weights::from_log([5.0_f64, 0.0, 3.0, 2.0].map(f64::ln).to_vec()).unwrap();
        let drawn = draw(&weights, 100_000, &mut Seed(4).stream("resample"));
        let tally = tally(drawn);
        let items: Vec<usize> = tally.most_drawn.iter().map(|(item, _)| *item).collect();
        assert_eq!(items, [0, 2, 3]);
        for ((_, count), want) in tally.most_drawn.iter().zip([0.5, 0.3, 0.2]) {
            // Five standard deviations of a binomial count.
            assert!((*count as f64 / 1e5 - want).abs() < 0.008, "{count}");
        }
    }

    #[test]
    fn a_draw_is_repeatable() {
        let weights = Weights::uniform(1000).unwrap();
        let draw = |seed| draw(&weights, 20, &mut Seed(seed).stream("resample"));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_tally_by_hand() {
        let tally = tally([7, 1, 7, 3, 3]);
        assert_eq!(tally.most_drawn, [(3, 2), (7, 2), (1, 1)]);
        assert_eq!(tally.distinct(), 3);
    }
}
