//! One pair of images to be matched, and how its subsets are.

use rayon::prelude::*;

use crate::column_sums::ColumnSums;
use crate::dispatch::Dispatch;
use crate::guess::{Pictures, own_best, own_peak, rigid};
use crate::match_subset::match_subset;
use crate::pair::Pair;
use crate::phase::{Fading, PhaseCorrelator};
use crate::reference::{Deformed, Frame};
use crate::settings::{InitialGuess, Settings};
use crate::shape::{PARAMETERS, Parameters};
use crate::site::Site;
use crate::status::Status;
use crate::subset::SubsetRow;
use crate::task::Match;

/// The fewest points that a thread takes at a time.
pub(crate) const FEWEST_TOGETHER: usize = 8;

/// One pair of images to be matched.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) frame: &'a Frame,
    pub(crate) deformed: &'a Deformed,
}

impl Job<'_> {
    pub(crate) fn pictures(&self) -> Pictures<'_> {
        Pictures {
            reference: &self.frame.pixels,
            deformed: &self.deformed.pixels,
        }
    }

    /// Matches every point in parallel; results are in the order of `sites`.
    pub(crate) fn run(&self, sites: &[Site<'_>], starts: &[Option<Parameters>]) -> Vec<Match> {
        let dispatch = Dispatch::best(self.settings.instruction_set);
        let new_correlator = || PhaseCorrelator::new(self.settings.side_px(), Fading::None);
        sites
            .par_iter()
            .zip(starts)
            .with_min_len(FEWEST_TOGETHER)
            .map_init(
                || (None, self.column_sums()),
                |(correlator, column_sums): &mut (Option<PhaseCorrelator>, ColumnSums),
                 (site, start)| {
                    self.match_point(dispatch, site, start.as_ref(), column_sums, || {
                        correlator.get_or_insert_with(new_correlator)
                    })
                },
            )
            .collect()
    }

    /// Matches the subset of `rows` around `centre` from the parameters `guess`.
    pub(crate) fn match_at(
        &self,
        dispatch: Dispatch,
        centre: (usize, usize),
        rows: &[SubsetRow],
        guess: &Parameters,
        settings: &Settings,
    ) -> Match {
        self.match_subset(dispatch, (centre, rows), guess, settings, None)
    }

    /// Matches the subset of a site, with the sums that it shares with those beside it.
    pub(crate) fn match_beside(
        &self,
        dispatch: Dispatch,
        site: &Site<'_>,
        guess: &Parameters,
        column_sums: &mut ColumnSums,
    ) -> Match {
        let subset = (site.centre, site.rows);
        self.match_subset(dispatch, subset, guess, self.settings, Some(column_sums))
    }

    /// No column is summed yet.
    pub(crate) fn column_sums(&self) -> ColumnSums {
        let settings = self.settings;
        let width = self.frame.pixels.width;
        ColumnSums::new(settings.side_px(), width, settings.shape_order)
    }

    fn match_subset(
        &self,
        dispatch: Dispatch,
        (centre, rows): ((usize, usize), &[SubsetRow]),
        guess: &Parameters,
        settings: &Settings,
        column_sums: Option<&mut ColumnSums>,
    ) -> Match {
        if rows.is_empty() {
            return Match::without_iteration([0.0; PARAMETERS], Status::Masked);
        }
        match_subset(
            dispatch,
            &self.pair(centre, rows),
            settings,
            self.frame.brightest,
            guess,
            column_sums,
        )
    }

    /// The pixels of `rows` around a pixel of the reference, and the picture that they are matched with.
    pub(crate) fn pair<'r>(&'r self, centre: (usize, usize), rows: &'r [SubsetRow]) -> Pair<'r> {
        Pair {
            reference: &self.frame.pixels,
            gradient_x: &self.frame.gradient_x,
            gradient_y: &self.frame.gradient_y,
            deformed: &self.deformed.spline,
            deformed_pixels: &self.deformed.pixels,
            rows,
            centre,
            offset: self.frame.mean,
        }
    }

    /// Whether a subset of these rows around a pixel of the reference lies in the picture.
    pub(crate) fn rows_are_inside(&self, (x, y): (usize, usize), rows: &[SubsetRow]) -> bool {
        let plane = &self.frame.pixels;
        let within = |place: usize, shift: i32, n: usize| {
            let shifted = place.checked_add_signed(shift as isize);
            shifted.is_some_and(|shifted| shifted < n)
        };
        rows.iter().all(|row| {
            within(y, row.dy, plane.height)
                && within(x, row.first, plane.width)
                && within(x, row.last, plane.width)
        })
    }

    /// Whether the whole square around a pixel of the reference lies in the picture.
    pub(crate) fn square_is_inside(&self, (x, y): (usize, usize)) -> bool {
        let half = self.settings.half_px();
        let plane = &self.frame.pixels;
        x >= half && y >= half && x + half < plane.width && y + half < plane.height
    }

    fn match_point<'c>(
        &self,
        dispatch: Dispatch,
        site: &Site<'_>,
        start: Option<&Parameters>,
        column_sums: &mut ColumnSums,
        correlator: impl FnOnce() -> &'c mut PhaseCorrelator,
    ) -> Match {
        let half = self.settings.half_px();
        let mut from = |guess: &Parameters| self.match_beside(dispatch, site, guess, column_sums);
        if start.is_none() && !self.square_is_inside(site.centre) {
            return from(&[0.0; PARAMETERS]);
        }
        let Some(start) = start else {
            return from(&rigid(own_peak(
                correlator(),
                self.pictures(),
                site.centre,
                half,
            )));
        };
        let first = from(start);
        let may_be_rescued = !matches!(
            first.status,
            Status::Converged | Status::FlatSubset | Status::IllConditioned | Status::Masked
        ) && self.square_is_inside(site.centre);
        if !may_be_rescued || self.settings.initial_guess == InitialGuess::PerSubset {
            return first;
        }
        let guess = rigid(own_best(correlator(), self.pictures(), site.centre, half));
        if guess == *start {
            return first;
        }
        let second = from(&guess);
        if second.status == Status::Converged {
            second
        } else {
            first
        }
    }
}
