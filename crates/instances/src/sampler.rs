//! A balanced draw of positive and negative boxes for a loss.

use retrial_seed::Stream;

use crate::matcher::Match;

/// How many boxes of a picture enter a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// Positive and negative boxes together.
    pub total: usize,
    /// The largest share of positive ones, in `0..=1`.
    pub positive_share: f64,
}

/// Indices drawn, each list ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// Boxes that answer for an object.
    pub positive: Vec<usize>,
    /// Boxes that are background.
    pub negative: Vec<usize>,
}

impl Balance {
    /// torchvision's for proposal networks: 256 anchors, half of them positive.
    pub const PROPOSALS: Self = Self {
        total: 256,
        positive_share: 0.5,
    };
    /// torchvision's for box heads: 512 proposals, a quarter of them positive.
    pub const BOX_HEAD: Self = Self {
        total: 512,
        positive_share: 0.25,
    };

    /// Draws without replacement; where positives lack, negatives fill the total.
    pub fn draw(&self, matches: &[Match], stream: &mut Stream) -> Sampled {
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for (i, kind) in matches.iter().enumerate() {
            match kind {
                Match::Object(_) => positive.push(i),
                Match::Background => negative.push(i),
                Match::Ignored => {}
            }
        }
        let most = (self.total as f64 * self.positive_share) as usize;
        let positive = choose(positive, most.min(self.total), stream);
        let negative = choose(negative, self.total - positive.len(), stream);
        Sampled { positive, negative }
    }
}

/// A uniform draw of `count` of `items`, in their order; all of them when there are no more.
fn choose(mut items: Vec<usize>, count: usize, stream: &mut Stream) -> Vec<usize> {
    if items.len() > count {
        for place in 0..count {
            let rest = (items.len() - place) as u64;
            items.swap(place, place + stream.below(rest) as usize);
        }
        items.truncate(count);
        items.sort_unstable();
    }
    items
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    fn matches(positive: usize, negative: usize) -> Vec<Match> {
        let mut all = vec![Match::Object(0); positive];
        all.extend(vec![Match::Background; negative]);
        all.extend([Match::Ignored; 5]);
        all
    }

    #[test]
    fn counts_of_both_kinds() {
        let balance = Balance {
            total: 8,
            positive_share: 0.25,
        };
        let mut stream = Seed(0).stream("sampler");
        for (positive, negative, expected) in [(5, 20, (2, 6)), (1, 20, (1, 7)), (5, 3, (2, 3))] {
            let drawn = balance.draw(&matches(positive, negative), &mut stream);
            assert_eq!((drawn.positive.len(), drawn.negative.len()), expected);
            let (p, end) = (positive, positive + negative);
            assert!(drawn.positive.iter().all(|&i| i < p));
            assert!(drawn.negative.iter().all(|&i| (p..end).contains(&i)));
            assert!(drawn.negative.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn every_box_is_as_likely() {
        let balance = Balance {
            total: 4,
            positive_share: 0.5,
        };
        let mut stream = Seed(1).stream("sampler");
        let mut seen = [0_u32; 16];
        for _ in 0..8_000 {
            let drawn = balance.draw(&matches(8, 8), &mut stream);
            for i in drawn.positive.into_iter().chain(drawn.negative) {
                seen[i] += 1;
            }
        }
        // 2,000 expected, standard deviation 39.
        assert!(
            seen.iter().all(|&count| (1_800..2_200).contains(&count)),
            "{seen:?}"
        );
    }
}
