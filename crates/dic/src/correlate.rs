//! Matches one deformed image with a prepared reference.

use std::collections::BTreeMap;

use rayon::prelude::*;
use retrial_image::GrayImage;
use serde::{Deserialize, Serialize};

use crate::column_sums::ColumnSums;
use crate::dispatch::Dispatch;
use crate::error::DicError;
use crate::guess::{Pictures, own_best, own_peak, rigid};
use crate::icgn::{Match, match_subset};
use crate::kernel::Pair;
use crate::partial_subsets::Cut;
use crate::phase::{Fading, PhaseCorrelator};
use crate::reference::{Deformed, Frame, Reference, check_pixels, filtered};
use crate::remainder::Remainder;
use crate::settings::{InitialGuess, Settings};
use crate::shape::{PARAMETERS, Parameters, displacement};
use crate::solve_points::median;
use crate::status::Status;
use crate::strain::DisplacementGradient;
use crate::subset::{SubsetRow, pixel_count};
use crate::uncertainty::PointSensitivity;

/// The fewest points that a thread takes at a time.
pub(crate) const FEWEST_TOGETHER: usize = 8;

/// The result at every point of one deformed image.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// One result a point, in the order of [`Reference::points`].
    pub points: Vec<PointResult>,
    /// How strongly noise moves the points whose subset this pair of images cut, by their index.
    pub(crate) cut_sensitivity: BTreeMap<usize, PointSensitivity>,
    /// What the residuals say of the errors, one a point; empty where they are not known.
    pub(crate) remainders: Vec<Option<Remainder>>,
}

/// The result at one point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PointResult {
    /// Column of the point in the first reference image, px.
    pub x: usize,
    /// Row of the point in the first reference image, px.
    pub y: usize,
    /// Displacement and its derivatives at the point, from the first reference image; by name [`u`](Self::u),
    /// [`v`](Self::v), [`gradient`](Self::gradient) and [`curvature`](Self::curvature).
    ///
    /// Always finite. Unless the status is [`Status::Converged`] this is the last estimate, which
    /// may be far off.
    pub p: Parameters,
    /// Correlation coefficient of the subsets in `-1..=1`; `0` where none was computed.
    pub zncc: f64,
    /// Passes over the deformed subset.
    pub icgn_iterations: usize,
    /// Size of the last update in px; see [`Settings::stop_value`].
    #[serde(with = "crate::float")]
    pub convergence_norm: f64,
    /// Whether to believe it.
    pub status: Status,
    /// Whether the subset was cut, and by what.
    pub cut: Cut,
    /// Share of the pixels of a whole subset that took part, in `0..=1`.
    pub share: f64,
    /// Changes of the reference image that the displacement is composed over: `0` where the
    /// subset was matched with the first image itself.
    pub reference_changes: usize,
}

impl PointResult {
    /// The result at `(x, y)` px of a whole subset matched with the reference itself, without a correlation
    /// coefficient or an iteration.
    #[must_use]
    pub fn new((x, y): (usize, usize), p: Parameters, status: Status) -> Self {
        Self {
            x,
            y,
            p,
            zncc: 0.0,
            icgn_iterations: 0,
            convergence_norm: 0.0,
            status,
            cut: Cut::Whole,
            share: 1.0,
            reference_changes: 0,
        }
    }

    /// Displacement to the right, px.
    #[must_use]
    pub fn u(&self) -> f64 {
        let [u, _] = displacement(&self.p);
        u
    }

    /// Displacement downwards, px.
    #[must_use]
    pub fn v(&self) -> f64 {
        let [_, v] = displacement(&self.p);
        v
    }

    /// First derivatives of the displacement, px a px; zero where the shape function has order 0.
    #[must_use]
    pub fn gradient(&self) -> DisplacementGradient {
        let [_, u_x, u_y, _, _, _, _, v_x, v_y, ..] = self.p;
        DisplacementGradient { u_x, u_y, v_x, v_y }
    }

    /// Second derivatives of the displacement, px a px²; zero below order 2.
    #[must_use]
    pub fn curvature(&self) -> Curvature {
        let [_, _, _, u_xx, u_xy, u_yy, _, _, _, v_xx, v_xy, v_yy] = self.p;
        Curvature {
            u_xx,
            u_xy,
            u_yy,
            v_xx,
            v_xy,
            v_yy,
        }
    }
}

/// Second derivatives of the displacement by the position in the reference picture, px a px².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curvature {
    /// `∂²u/∂x²`.
    pub u_xx: f64,
    /// `∂²u/∂x∂y`.
    pub u_xy: f64,
    /// `∂²u/∂y²`.
    pub u_yy: f64,
    /// `∂²v/∂x²`.
    pub v_xx: f64,
    /// `∂²v/∂x∂y`.
    pub v_xy: f64,
    /// `∂²v/∂y²`.
    pub v_yy: f64,
}

/// The first parameters of every point, but for those that start
/// [from coarse to fine](InitialGuess::CoarseToFine).
#[derive(Clone, Copy, Debug)]
pub enum Guess<'a> {
    /// By phase correlation, as [`Settings::initial_guess`] says.
    Phase,
    /// No displacement.
    Zero,
    /// The result of an earlier image with the same reference.
    Field(&'a Field),
}

impl Field {
    /// A field of these points.
    #[must_use]
    pub fn new(points: Vec<PointResult>) -> Self {
        Self {
            points,
            cut_sensitivity: BTreeMap::new(),
            remainders: Vec::new(),
        }
    }

    /// The number of points with that status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.points
            .iter()
            .filter(|point| point.status == status)
            .count()
    }
}

/// Matches every point of `reference` with the image `deformed`.
///
/// Unless [`InitialGuess::PerSubset`] is set, points that correlate badly are compared with their
/// neighbours and tried again from other displacements, and a badly correlating result that
/// disagrees with the points around it gets [`Status::LowCorrelation`]. The result does not depend
/// on the number of threads.
///
/// # Errors
/// [`DicError::ImageSize`], [`DicError::NonFinitePixel`] and [`DicError::GuessSize`].
pub fn correlate(
    reference: &Reference,
    deformed: &GrayImage,
    guess: Guess<'_>,
) -> Result<Field, DicError> {
    check_deformed(reference, deformed)?;
    let settings = &reference.settings;
    let deformed = Deformed::new(filtered(deformed, settings)?, settings);
    let job = Job {
        settings,
        frame: &reference.frame,
        deformed: &deformed,
    };
    let sites = reference.sites();
    let starts = job.starts(&sites, guess)?;
    let solved = job.solve_with_parts(&sites, &starts, previous_zncc(guess));
    let whole = pixel_count(&reference.rows);
    let points = (0..sites.len()).into_par_iter().with_min_len(1024);
    Ok(Field {
        points: points
            .map(|i| {
                let (cut, share) = solved.outline(i, &sites[i], whole);
                let found = point_result(reference.points[i], &solved.matches[i]);
                let status = match found.status {
                    Status::Masked => reference.status_without_subset(i),
                    status => status,
                };
                PointResult {
                    cut,
                    share,
                    status,
                    ..found
                }
            })
            .collect(),
        cut_sensitivity: solved.sensitivities(&job, &sites),
        remainders: solved.remainders(&job, &sites),
    })
}

/// Refuses a deformed image of another size or with grey values that are not finite.
pub(crate) fn check_deformed(reference: &Reference, deformed: &GrayImage) -> Result<(), DicError> {
    let (width, height) = (reference.frame.pixels.width, reference.frame.pixels.height);
    if (deformed.width(), deformed.height()) != (width, height) {
        return Err(DicError::ImageSize {
            width,
            height,
            got_width: deformed.width(),
            got_height: deformed.height(),
        });
    }
    check_pixels(deformed)
}

pub(crate) fn point_result(place: (usize, usize), result: &Match) -> PointResult {
    PointResult {
        zncc: result.zncc,
        icgn_iterations: result.icgn_iterations,
        convergence_norm: result.convergence_norm,
        ..PointResult::new(place, result.p, result.status)
    }
}

/// The ZNCC that the image before led to expect: the median of its converged points.
fn previous_zncc(guess: Guess<'_>) -> Option<f64> {
    let Guess::Field(field) = guess else {
        return None;
    };
    let converged = field
        .points
        .iter()
        .filter(|point| point.status == Status::Converged);
    median(converged.map(|point| point.zncc).collect())
}

/// The first parameters that are known; phase correlation finds those of the other points.
#[derive(Clone, Copy)]
pub(crate) enum Starts<'a> {
    Unknown,
    Zero,
    Given(&'a [Option<Parameters>]),
    Field {
        field: &'a Field,
        /// Whether points that did not converge start from there too.
        is_failed_kept: bool,
    },
}

impl Starts<'_> {
    pub(crate) fn get(&self, i: usize) -> Option<Parameters> {
        match self {
            Self::Unknown => None,
            Self::Zero => Some([0.0; PARAMETERS]),
            Self::Given(starts) => starts[i],
            Self::Field {
                field,
                is_failed_kept,
            } => {
                let point = &field.points[i];
                (*is_failed_kept || point.status == Status::Converged).then_some(point.p)
            }
        }
    }
}

/// One pair of images to be matched.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) frame: &'a Frame,
    pub(crate) deformed: &'a Deformed,
}

/// Where a subset is taken from.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The place of its point on the grid.
    pub(crate) node: (usize, usize),
    /// The pixel about which it is centred.
    pub(crate) centre: (usize, usize),
    pub(crate) rows: &'a [SubsetRow],
}

impl Site<'_> {
    /// Whether no row of the square around it is missing.
    pub(crate) fn is_whole(&self, settings: &Settings) -> bool {
        let half = settings.half_px() as i32;
        let is_centred = |row: &SubsetRow| row.first == -row.last;
        self.rows.len() == settings.side_px()
            && self.rows.iter().all(is_centred)
            && self.rows.iter().any(|row| row.last == half)
    }
}

impl Job<'_> {
    pub(crate) fn pictures(&self) -> Pictures<'_> {
        Pictures {
            reference: &self.frame.pixels,
            deformed: &self.deformed.pixels,
        }
    }

    /// The first parameters that are known; refuses a field of another length.
    pub(crate) fn starts<'g>(
        &self,
        sites: &[Site<'_>],
        guess: Guess<'g>,
    ) -> Result<Starts<'g>, DicError> {
        match guess {
            Guess::Zero => Ok(Starts::Zero),
            Guess::Phase => Ok(Starts::Unknown),
            Guess::Field(field) if field.points.len() == sites.len() => Ok(Starts::Field {
                field,
                is_failed_kept: self.settings.initial_guess == InitialGuess::PerSubset,
            }),
            Guess::Field(field) => Err(DicError::GuessSize {
                expected: sites.len(),
                got: field.points.len(),
            }),
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
