//! Intervals by drawing again at several levels, such as seeds and items.
//!
//! A statistic of seeds and items changes with other seeds and with other items. Both are drawn
//! with replacement, and the statistic of every draw is looked at.
//!
//! # Source
//! Efron 1979, doi:10.1214/aos/1176344552. Levels of which each seed has all items are drawn
//! independently of one another: Owen 2007, doi:10.1214/07-AOAS122. Items of each seed are drawn
//! within the drawn seed: Davison & Hinkley 1997, doi:10.1017/CBO9780511802843, section 3.8.
//! Percentile interval: Efron & Tibshirani 1993, doi:10.1201/9780429246593, chapter 13.
//! BCa interval: Efron 1987, doi:10.1080/01621459.1987.10478410; the acceleration of several
//! independent lists of units by their jackknives: Efron & Tibshirani 1993, equation 14.36.
//!
//! # What it costs
//! The spread over n units is drawn too small by `(n − 1) / n`. With three seeds an interval is
//! too short, which no correction mends; Student's interval has its level there.

use retrial_seed::Stream;

use crate::error::StatisticsError;
use crate::interval::{Confidence, Interval};
use crate::normal::{normal_below, normal_quantile};
use crate::summary::{mean, quantile, standard_deviation};

/// What is drawn at one level: units by number, drawn within their stratum.
///
/// What pairs is one unit: two methods on the same items share each draw of them. What does not
/// pair is a stratum each: seeds of one method and seeds of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    strata: Vec<Vec<usize>>,
}

impl Units {
    /// Units `0..count` of one stratum.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Self {
            strata: vec![(0..count).collect()],
        }
    }

    /// One unit an entry, which names its stratum, such as its class. Every draw has as many of a
    /// stratum as there are.
    ///
    /// # Shapes
    /// - `strata`: `[unit]`
    #[must_use]
    pub fn in_strata(strata: &[usize]) -> Self {
        let mut names: Vec<usize> = strata.to_vec();
        names.sort_unstable();
        names.dedup();
        let members = |name: usize| {
            let own = strata
                .iter()
                .enumerate()
                .filter(move |(_, of)| **of == name);
            own.map(|(unit, _)| unit).collect()
        };
        Self {
            strata: names.into_iter().map(members).collect(),
        }
    }

    fn all(&self) -> Vec<usize> {
        self.strata.concat()
    }

    fn count(&self) -> usize {
        self.strata.iter().map(Vec::len).sum()
    }

    fn draw(&self, stream: &mut Stream, drawn: &mut Vec<usize>) {
        drawn.clear();
        for stratum in &self.strata {
            for _ in stratum {
                drawn.push(stratum[stream.below(stratum.len() as u64) as usize]);
            }
        }
    }
}

/// The items of the groups.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    /// Every group has the same ones, such as a test set that every seed is judged on.
    Shared(Units),
    /// Every group has its own; one entry a group.
    Own(Vec<Units>),
}

/// Two levels: groups, such as seeds, and the items in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    groups: Units,
    items: Items,
}

impl Levels {
    /// Groups and their items.
    ///
    /// # Errors
    /// [`StatisticsError::LengthMismatch`] where own items are not those of every group,
    /// [`StatisticsError::TooFew`] for no group or a group without items.
    pub fn new(groups: Units, items: Items) -> Result<Self, StatisticsError> {
        if let Items::Own(own) = &items
            && own.len() != groups.count()
        {
            return Err(StatisticsError::LengthMismatch {
                what: "the items of groups",
                expected: groups.count(),
                got: own.len(),
            });
        }
        let fewest = match &items {
            Items::Shared(items) => items.count(),
            Items::Own(own) => own.iter().map(Units::count).min().unwrap_or_default(),
        };
        for (what, got) in [
            ("a bootstrap over groups", groups.count()),
            ("a bootstrap over items", fewest),
        ] {
            if got == 0 {
                let needed = 1;
                return Err(StatisticsError::TooFew { what, needed, got });
            }
        }
        Ok(Self { groups, items })
    }

    fn own_items(&self, group: usize) -> &Units {
        match &self.items {
            Items::Shared(items) => items,
            Items::Own(own) => &own[group],
        }
    }

    /// The statistic of all groups and items.
    fn seen(&self, statistic: &impl Fn(&[Group<'_>]) -> f64) -> f64 {
        let groups = self.groups.all();
        self.of(&groups, |group| self.own_items(group).all(), statistic)
    }

    fn of(
        &self,
        groups: &[usize],
        items: impl Fn(usize) -> Vec<usize>,
        statistic: &impl Fn(&[Group<'_>]) -> f64,
    ) -> f64 {
        let lists: Vec<Vec<usize>> = match self.items {
            Items::Shared(_) => vec![items(0)],
            Items::Own(_) => groups.iter().map(|&group| items(group)).collect(),
        };
        statistic(&joined(groups, &lists))
    }

    /// The statistic of one draw.
    fn drawn(
        &self,
        stream: &mut Stream,
        buffers: &mut Buffers,
        statistic: &impl Fn(&[Group<'_>]) -> f64,
    ) -> f64 {
        let Buffers { groups, lists } = buffers;
        self.groups.draw(stream, groups);
        match &self.items {
            Items::Shared(items) => {
                lists.resize(1, Vec::new());
                items.draw(stream, &mut lists[0]);
            }
            Items::Own(own) => {
                lists.resize(groups.len(), Vec::new());
                for (&group, list) in groups.iter().zip(lists.iter_mut()) {
                    own[group].draw(stream, list);
                }
            }
        }
        statistic(&joined(groups, lists))
    }

    /// Lists of units that vary independently, each with the statistic without each unit.
    fn jackknives(&self, statistic: &impl Fn(&[Group<'_>]) -> f64) -> Vec<Vec<f64>> {
        let groups = self.groups.all();
        let mut lists = Vec::new();
        for stratum in self.groups.strata.iter().filter(|own| own.len() > 1) {
            let without = |left_out: &usize| {
                let kept: Vec<usize> = groups.iter().copied().filter(|g| g != left_out).collect();
                self.of(&kept, |group| self.own_items(group).all(), statistic)
            };
            lists.push(stratum.iter().map(without).collect());
        }
        let holders = match &self.items {
            Items::Shared(_) => 1,
            Items::Own(own) => own.len(),
        };
        for holder in 0..holders {
            let strata = &self.own_items(holder).strata;
            for stratum in strata.iter().filter(|own| own.len() > 1) {
                let without = |left_out: &usize| {
                    let kept = |group: usize| {
                        let mut all = self.own_items(group).all();
                        // Shared items are asked for as those of group 0.
                        if group == holder {
                            all.retain(|item| item != left_out);
                        }
                        all
                    };
                    self.of(&groups, kept, statistic)
                };
                lists.push(stratum.iter().map(without).collect());
            }
        }
        lists
    }
}

/// A group and its items, as drawn; either may come up more than once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group<'a> {
    /// Number of the group.
    pub group: usize,
    /// Numbers of its items.
    pub items: &'a [usize],
}

#[derive(Default)]
struct Buffers {
    groups: Vec<usize>,
    lists: Vec<Vec<usize>>,
}

/// Groups with their items: one list each, or one list for all.
fn joined<'a>(groups: &[usize], lists: &'a [Vec<usize>]) -> Vec<Group<'a>> {
    let with = |(place, &group): (usize, &usize)| Group {
        group,
        items: &lists[place.min(lists.len() - 1)],
    };
    groups.iter().enumerate().map(with).collect()
}

/// What draws say of a statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrapped {
    /// The statistic of all groups and items.
    pub estimate: f64,
    /// The standard deviation of the draws.
    pub standard_error: f64,
    /// From quantile to quantile of the draws.
    pub percentile: Interval,
    /// The same, corrected for bias and for a spread that changes with the statistic. None where
    /// all draws lie on one side of the estimate, or where nothing changes without one unit.
    pub bca: Option<Interval>,
}

/// The intervals of `statistic`, deterministic from the stream.
///
/// A difference of two methods in one statistic is paired at every level at which they share units.
///
/// # Shapes
/// - `statistic`: of a draw, `[group]` with items `[item]` each; a finite number for every draw.
///   It is asked of all units but one, too, where it may be none
///
/// # Errors
/// [`StatisticsError::TooFew`] for fewer than two draws, [`StatisticsError::NotFinite`] for a
/// statistic that is none.
pub fn bootstrap(
    levels: &Levels,
    draws: usize,
    confidence: Confidence,
    stream: &mut Stream,
    statistic: impl Fn(&[Group<'_>]) -> f64,
) -> Result<Bootstrapped, StatisticsError> {
    if draws < 2 {
        return Err(StatisticsError::TooFew {
            what: "a bootstrap interval",
            needed: 2,
            got: draws,
        });
    }
    let estimate = finite("the statistic of all items", 0, levels.seen(&statistic))?;
    let mut buffers = Buffers::default();
    let mut values = Vec::with_capacity(draws);
    for draw in 0..draws {
        let value = levels.drawn(stream, &mut buffers, &statistic);
        values.push(finite("the statistic of draws", draw, value)?);
    }
    let standard_error = standard_deviation(&values);
    values.sort_by(f64::total_cmp);
    let tail = confidence.tail();
    let between = |(low, high)| confidence.between(quantile(&values, low), quantile(&values, high));
    let bca = bca_probabilities(&values, estimate, &levels.jackknives(&statistic), tail);
    Ok(Bootstrapped {
        estimate,
        standard_error,
        percentile: between((tail, confidence.probability())),
        bca: bca.map(between),
    })
}

fn finite(what: &'static str, index: usize, value: f64) -> Result<f64, StatisticsError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(StatisticsError::NotFinite { what, index, value })
    }
}

/// Where in the sorted draws the ends of the BCa interval lie.
fn bca_probabilities(
    sorted: &[f64],
    estimate: f64,
    jackknives: &[Vec<f64>],
    tail: f64,
) -> Option<(f64, f64)> {
    // Draws that equal the estimate lie half on either side.
    let below = sorted.partition_point(|value| *value < estimate);
    let up_to = sorted.partition_point(|value| *value <= estimate);
    let share = (below + up_to) as f64 / (2 * sorted.len()) as f64;
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let bias = normal_quantile(share);
    let (mut cubes, mut squares) = (0.0, 0.0);
    for without in jackknives {
        let n = without.len() as f64;
        let centre = mean(without);
        for value in without {
            // Influence over the number of units, as in equation 14.36.
            let part = (n - 1.0) / n * (centre - value);
            squares += part * part;
            cubes += part * part * part;
        }
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let place = |probability: f64| {
        let sum = bias + normal_quantile(probability);
        normal_below(bias + sum / (1.0 - acceleration * sum))
    };
    acceleration
        .is_finite()
        .then(|| (place(tail), place(1.0 - tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draws and the jackknife of `tests/golden/make.py`, of which SciPy says the interval.
    #[test]
    fn the_corrected_interval_agrees_with_scipy() {
        let sample = [1.0, 2.0, 4.0, 8.0, 9.0, 3.5];
        let sum: f64 = sample.iter().sum();
        let jackknife = sample.iter().map(|value| (sum - value) / 5.0).collect();
        let draw = |i: u32| {
            f64::from(i * 7919 % 997) / 997.0 * 5.0 + 2.2 + f64::from((i % 7).pow(2)) / 30.0
        };
        let mut draws: Vec<f64> = (0..999).map(draw).collect();
        draws.sort_by(f64::total_cmp);
        let places = bca_probabilities(&draws, sum / 6.0, &[jackknife], 0.05);
        let (low, high) = places.expect("a spread");
        assert!((quantile(&draws, low) - 2.583_036_419_048_347).abs() < 1e-9);
        assert!((quantile(&draws, high) - 6.878_643_895_309_842).abs() < 1e-9);
    }
}
