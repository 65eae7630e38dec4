//! Which object an anchor or a proposal answers for.
//!
//! # Source
//! torchvision's `Matcher` (Detectron's rule, after Ren et al. 2015, arXiv:1506.01497, section
//! 3.1.2), and the rule of Liu et al. 2021, which has no ignored band.

use crate::boxes::Overlaps;

/// What an anchor is trained to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The object of this index.
    Object(usize),
    /// No object.
    Background,
    /// Nothing: it takes no part in training.
    Ignored,
}

/// The rule that gives objects to anchors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MatchRule {
    /// An overlap of `high` or more is an object, one below `low` background, between ignored.
    Thresholds {
        /// Least overlap of an object.
        high: f32,
        /// Least overlap that is not background.
        low: f32,
        /// What happens to an object that no anchor overlaps by `high`.
        orphans: Orphans,
    },
    /// The best anchor of every object is positive, as is every anchor with an overlap above 0.5;
    /// all others are background.
    Published,
}

/// What happens to an object that no anchor overlaps enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// It stays without an anchor.
    Stay,
    /// Its best anchors, ties included, keep the object that *they* overlap most. That may be
    /// another object, and an object that overlaps nothing makes all such anchors positive:
    /// both are torchvision's behaviour.
    TakeTheirBest,
}

impl MatchRule {
    /// torchvision's rule of proposal networks: 0.7, 0.3, orphans served.
    pub const PROPOSALS: Self = Self::Thresholds {
        high: 0.7,
        low: 0.3,
        orphans: Orphans::TakeTheirBest,
    };
    /// torchvision's rule of box heads: 0.5 and nothing else.
    pub const BOX_HEAD: Self = Self::Thresholds {
        high: 0.5,
        low: 0.5,
        orphans: Orphans::Stay,
    };

    /// What every box of `overlaps` answers for; background all when there is no object.
    ///
    /// # Shapes
    /// - `overlaps`: `[objects, boxes]`
    /// - returns `[boxes]`
    #[must_use]
    pub fn assign(&self, overlaps: &Overlaps) -> Vec<Match> {
        let best = best_objects(overlaps);
        let mut matches: Vec<Match> = best.iter().map(|best| self.by_overlap(*best)).collect();
        match self {
            Self::Thresholds {
                orphans: Orphans::TakeTheirBest,
                ..
            } => {
                for row in overlaps.rows() {
                    for anchor in best_anchors(row) {
                        if let Some((object, _)) = best[anchor] {
                            matches[anchor] = Match::Object(object);
                        }
                    }
                }
            }
            Self::Thresholds { .. } => {}
            Self::Published => serve_every_object(overlaps, &best, &mut matches),
        }
        matches
    }

    fn by_overlap(&self, best: Option<(usize, f32)>) -> Match {
        let Some((object, overlap)) = best else {
            return Match::Background;
        };
        match *self {
            Self::Thresholds { low, .. } if overlap < low => Match::Background,
            Self::Thresholds { high, .. } if overlap < high => Match::Ignored,
            Self::Published if overlap <= 0.5 => Match::Background,
            Self::Thresholds { .. } | Self::Published => Match::Object(object),
        }
    }
}

/// The object each box overlaps most, the first of equals.
fn best_objects(overlaps: &Overlaps) -> Vec<Option<(usize, f32)>> {
    let mut best: Vec<Option<(usize, f32)>> = vec![None; overlaps.boxes()];
    for (object, row) in overlaps.rows().enumerate() {
        for (best, &overlap) in best.iter_mut().zip(row) {
            if best.is_none_or(|(_, most)| overlap > most) {
                *best = Some((object, overlap));
            }
        }
    }
    best
}

/// All boxes with the largest overlap of a row.
fn best_anchors(row: &[f32]) -> impl Iterator<Item = usize> {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (0..row.len()).filter(move |&anchor| row[anchor] == most)
}

/// The best anchors of an object go to that object, not to the one they overlap most; an anchor
/// that is the best of several objects goes to the one of these that it overlaps most.
fn serve_every_object(overlaps: &Overlaps, best: &[Option<(usize, f32)>], matches: &mut [Match]) {
    let mut claimed: Vec<f32> = vec![0.0; best.len()];
    for (object, row) in overlaps.rows().enumerate() {
        for anchor in best_anchors(row) {
            // An object that overlaps no anchor at all has no best one.
            if row[anchor] > claimed[anchor] {
                claimed[anchor] = row[anchor];
                matches[anchor] = Match::Object(object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::{Corners, overlaps};

    const fn column(x0: f32, x1: f32) -> Corners {
        [x0, 0.0, x1, 1.0]
    }

    /// Overlaps 1, 0.6, 0.4, 0 with the object.
    fn anchors() -> [Corners; 4] {
        [
            column(0.0, 10.0),
            column(0.0, 6.0),
            column(0.0, 4.0),
            column(20.0, 30.0),
        ]
    }

    #[test]
    fn three_bands() {
        let all = overlaps(&[column(0.0, 10.0)], &anchors());
        let expected = [
            Match::Object(0),
            Match::Ignored,
            Match::Ignored,
            Match::Background,
        ];
        assert_eq!(MatchRule::PROPOSALS.assign(&all), expected);
        let expected = [
            Match::Object(0),
            Match::Object(0),
            Match::Background,
            Match::Background,
        ];
        assert_eq!(MatchRule::BOX_HEAD.assign(&all), expected);
        assert_eq!(MatchRule::Published.assign(&all), expected);
    }

    #[test]
    fn an_object_without_a_good_anchor() {
        // The second object overlaps only the third anchor, which prefers the first object.
        let objects = [column(0.0, 10.0), column(3.0, 5.0)];
        let all = overlaps(&objects, &anchors());
        assert_eq!(all.row(1)[1..3], [1.0 / 3.0, 0.2]);
        let served = MatchRule::PROPOSALS.assign(&all);
        assert_eq!(served[1], Match::Object(0), "torchvision's quirk");
        let published = MatchRule::Published.assign(&all);
        assert_eq!(published[1], Match::Object(1));
        assert_eq!(MatchRule::BOX_HEAD.assign(&all)[1], Match::Object(0));
    }

    #[test]
    fn an_object_far_from_all_anchors() {
        let all = overlaps(&[column(0.0, 10.0), column(90.0, 99.0)], &anchors());
        let served = MatchRule::PROPOSALS.assign(&all);
        assert!(served.iter().all(|m| matches!(m, Match::Object(0))));
        let published = MatchRule::Published.assign(&all);
        assert_eq!(published[2..], [Match::Background; 2]);
    }

    #[test]
    fn no_object_is_background() {
        for rule in [MatchRule::PROPOSALS, MatchRule::Published] {
            let matches = rule.assign(&overlaps(&[], &anchors()));
            assert_eq!(matches, [Match::Background; 4]);
        }
    }
}
