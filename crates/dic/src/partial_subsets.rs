//! All points of a pair of images, and those again of which only a part of the subset can be matched.

use std::collections::BTreeMap;

use crate::border_subsets::match_inside;
use crate::job::Job;
use crate::part::{Cut, Part};
use crate::remainder::{Remainder, remainders};
use crate::settings::{Borders, Split};
use crate::site::Site;
use crate::solve_points::solve;
use crate::split::split;
use crate::starts::Starts;
use crate::subset::{SubsetRow, pixel_count};
use crate::task::Match;
use crate::uncertainty::{KernelNoise, PointSensitivity, at_sites};

/// All points of a pair of images.
pub(crate) struct Solved {
    pub(crate) matches: Vec<Match>,
    /// What is left of subsets that this pair cut, by the index of their point.
    pub(crate) parts: BTreeMap<usize, Vec<SubsetRow>>,
    cuts: BTreeMap<usize, Cut>,
}

/// Solves every point, then those again of which only a part can be matched.
pub(crate) fn solve_with_parts(
    job: &Job<'_>,
    sites: &[Site<'_>],
    starts: &Starts<'_>,
    previous_zncc: Option<f64>,
) -> Solved {
    let mut solved = Solved {
        matches: solve(job, sites, starts, previous_zncc),
        parts: BTreeMap::new(),
        cuts: BTreeMap::new(),
    };
    if let Borders::Truncated { least_share } = job.settings.borders {
        let border = match_inside(job, sites, &solved.matches, least_share);
        solved.take(border.parts);
        for (i, outside) in border.outside {
            solved.matches[i] = outside;
        }
    }
    if job.settings.split == Split::Automatic {
        let parts = split(job, sites, &solved.matches);
        solved.take(parts);
    }
    solved
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
