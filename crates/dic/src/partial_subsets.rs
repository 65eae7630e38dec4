//! Subsets of which a part was matched: by what they were cut, and how much is left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::border_subsets::match_inside;
use crate::correlate::{Job, Site, Starts};
use crate::icgn::Match;
use crate::remainder::{Remainder, remainders};
use crate::settings::{Borders, Split};
use crate::split::split;
use crate::subset::{SubsetRow, pixel_count};
use crate::uncertainty::{KernelNoise, PointSensitivity, at_sites};

/// By what the subset of a point was cut; the last of them where there were several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cut {
    /// All its pixels took part.
    Whole,
    /// By the mask, a background without texture or the border of the reference image.
    Border,
    /// By the border of the deformed image.
    DeformedBorder,
    /// Along a discontinuity of the displacement: the part that holds the centre took part.
    Split,
}

impl Cut {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Border, Self::DeformedBorder, Self::Split];

    /// The stable `snake_case` name for files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Border => "border",
            Self::DeformedBorder => "deformed_border",
            Self::Split => "split",
        }
    }

    /// The kind with that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cut| cut.name() == name)
    }
}

/// A part of a subset and its match.
pub(crate) struct Part {
    pub(crate) cut: Cut,
    pub(crate) rows: Vec<SubsetRow>,
    pub(crate) found: Match,
}

/// All points of a pair of images.
pub(crate) struct Solved {
    pub(crate) matches: Vec<Match>,
    /// What is left of subsets that this pair cut, by the index of their point.
    pub(crate) parts: BTreeMap<usize, Vec<SubsetRow>>,
    cuts: BTreeMap<usize, Cut>,
}

impl Job<'_> {
    /// Solves every point, then those again of which only a part can be matched.
    pub(crate) fn solve_with_parts(
        &self,
        sites: &[Site<'_>],
        starts: &Starts<'_>,
        previous_zncc: Option<f64>,
    ) -> Solved {
        let mut solved = Solved {
            matches: self.solve(sites, starts, previous_zncc),
            parts: BTreeMap::new(),
            cuts: BTreeMap::new(),
        };
        if let Borders::Truncated { least_share } = self.settings.borders {
            let border = match_inside(self, sites, &solved.matches, least_share);
            solved.take(border.parts);
            for (i, outside) in border.outside {
                solved.matches[i] = outside;
            }
        }
        if self.settings.split == Split::Automatic {
            let parts = split(self, sites, &solved.matches);
            solved.take(parts);
        }
        solved
    }
}

impl Solved {
    fn take(&mut self, parts: BTreeMap<usize, Part>) {
        for (i, part) in parts {
            self.matches[i] = part.found;
            self.parts.insert(i, part.rows);
            self.cuts.insert(i, part.cut);
        }
    }

    /// What cut the subset of point `i`, matched at `site`, and the share of it that is left.
    /// `whole` is the number of pixels of one that nothing cut.
    pub(crate) fn outline(&self, i: usize, site: &Site<'_>, whole: usize) -> (Cut, f64) {
        let left = pixel_count(self.parts.get(&i).map_or(site.rows, Vec::as_slice));
        let by_reference = match left < whole {
            true => Cut::Border,
            false => Cut::Whole,
        };
        let cut = self.cuts.get(&i).copied().unwrap_or(by_reference);
        (cut, left as f64 / whole as f64)
    }

    /// What the residual of every point says of its error.
    pub(crate) fn remainders(&self, job: &Job<'_>, sites: &[Site<'_>]) -> Vec<Option<Remainder>> {
        remainders(job, sites, &self.matches, &self.parts)
    }

    /// How strongly noise moves the points whose subset this pair of images cut.
    pub(crate) fn sensitivities(
        &self,
        job: &Job<'_>,
        sites: &[Site<'_>],
    ) -> BTreeMap<usize, PointSensitivity> {
        if self.parts.is_empty() {
            return BTreeMap::new();
        }
        let Ok(noise) = KernelNoise::new(job.settings) else {
            return BTreeMap::new();
        };
        let cut = self
            .parts
            .iter()
            .map(|(&i, rows)| Site { rows, ..sites[i] });
        let cut: Vec<Site<'_>> = cut.collect();
        let found = at_sites(job.frame, job.settings, &noise, &cut);
        let indexed = self.parts.keys().copied().zip(found);
        indexed
            .filter_map(|(i, found)| found.map(|found| (i, found)))
            .collect()
    }
}
