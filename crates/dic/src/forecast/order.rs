//! Which order of the shape function has the smallest error on a pair.
//!
//! # Method
//! Subsets around the tiles that were matched are matched with each order. A higher order follows
//! more of the field and is moved further by noise. Where a lower order follows the field, the two displacements
//! differ by noise alone, by `E d² = Var d`; a bias `b` of the lower order adds `b²` (Hausman 1978, who has an
//! efficient lower estimate, so that `Var d = V_high − V_low`; with filtered noise it is nearly so). The
//! lower order has the smaller mean square error where `b² < V_high − V_low`, as in the focused information criterion
//! (Claeskens & Hjort 2003). Stated as `1 + b² / (V_high − V_low)`, noise alone gives 1, and both orders have the
//! same error at 2. The variances come from the Hessians of both orders, the filter, and the residual of the
//! match.
//!
//! - Order 0 where that ratio of the mean over all places is below 2, and below 3 in every quarter of the picture with
//!   enough places.
//! - Order 2 where the ratio of the median place is above 2. Few places, at a hole or at the rim of a plate, are not
//!   enough: everywhere else order 2 costs more than half again the noise.
//! - Order 1 elsewhere, and wherever too little is known.
//!
//! It is the error of `u` and `v` that counts, not that of their derivatives.
//!
//! # Source
//! Hausman 1978, "Specification Tests in Econometrics", Econometrica 46(6), doi:10.2307/1913827;
//! Claeskens & Hjort 2003, "The Focused Information Criterion", J. Am. Stat. Assoc. 98(464),
//! doi:10.1198/016214503000000819. The rules for the whole picture are our own.

use std::f64::consts::LN_2;

use rayon::prelude::*;
use retrial_image::{GrayImage, Mask};

use crate::cholesky::Cholesky;
use crate::correlate::check_deformed;
use crate::dispatch::Dispatch;
use crate::error::DicError;
use crate::filter::filter_plane;
use crate::job::Job;
use crate::pair::{Moments, Pair};
use crate::plane::Plane;
use crate::reference::{Deformed, Reference, filtered};
use crate::settings::{Settings, ShapeOrder, SubsetShape};
use crate::shape::{PARAMETERS, Parameters, active, recentred, translation};
use crate::status::Status;
use crate::subset::{pixel_count, subset_rows};
use crate::task::Match;
use crate::trust::median;
use crate::uncertainty::{KernelNoise, gradient_scale};

/// The fewest places that say something of the picture, and of a quarter of it.
const FEWEST: (usize, usize) = (16, 6);

/// Tiles from which their centres are enough, and the places that are matched around fewer, px.
const PLENTY: usize = 48;
const AROUND: [(isize, isize); 5] = [(0, 0), (-16, -16), (16, -16), (-16, 16), (16, 16)];

/// The ratio at which two orders have the same error.
const EVEN: f64 = 2.0;

/// The same for a quarter of the picture, where few places make it uncertain.
const EVEN_IN_A_QUARTER: f64 = 3.0;

/// Smallest subset for order 2, px: 12 parameters from 81 pixels.
const SMALLEST_OF_ORDER_TWO: usize = 9;

/// How much of the square difference at one place counts, by that from noise: some matches are wrong.
const LARGEST: f64 = 10.0;

/// Share of the pixels of a subset that must be left as degrees of freedom to take the noise from its residual.
const LEAST_FREEDOM: f64 = 0.3;

/// Share of noise in the Hessian above which variances are not known: the noise has half the power of the
/// pattern, in the gradient.
const LARGEST_NOISE_SHARE: f64 = 1.0 / 3.0;

/// The order of the shape function that suits a pair of images.
///
/// Ratios are 1 from noise alone and 2 where both orders have the same error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderAdvice {
    /// The order whose error is smallest.
    pub order: ShapeOrder,
    /// The places that were matched with every order.
    pub places: usize,
    /// The ratio of orders 0 and 1 over all places; about 10 at most, as no place counts for more.
    pub zero_to_one: f64,
    /// The same in the quarter of the picture where it is largest.
    pub zero_to_one_in_a_quarter: f64,
    /// The ratio of orders 1 and 2 at the median place. `None` where the subset is too small for order 2, or
    /// where order 2 was not found at half of the places.
    pub one_to_two: Option<f64>,
}

/// What two orders find at one place.
#[derive(Clone, Copy)]
struct Difference {
    /// Square of the distance of both displacements, px².
    square: f64,
    /// What noise of one grey level alone makes of it, px².
    from_noise: f64,
    /// Variance of the higher order less that of the lower one, for noise of one grey level, px².
    cost: f64,
}

/// What all orders find at one place.
struct Place {
    centre: (usize, usize),
    zero_to_one: Difference,
    one_to_two: Option<Difference>,
    /// White noise of one image by the residual, in grey levels; `None` where too little is left of it.
    noise: Option<f64>,
    /// Share of noise of one grey level in the Hessian.
    noise_share: f64,
}

/// Matches the places; see the module.
pub(super) fn advised(
    reference: &Reference,
    deformed: &GrayImage,
    mask: Option<&Mask>,
    places: &[((usize, usize), Parameters)],
) -> Result<Option<OrderAdvice>, DicError> {
    check_deformed(reference, deformed)?;
    let settings = &reference.settings;
    let deformed = Deformed::new(filtered(deformed, settings)?, settings);
    let matcher = OrderMatcher::new(reference, &deformed, mask)?;
    let apart: &[(isize, isize)] = match places.len() {
        PLENTY.. => &[(0, 0)],
        _ => &AROUND,
    };
    let found: Vec<Option<Place>> = places
        .par_iter()
        .flat_map_iter(|(centre, guess)| apart.iter().map(move |apart| (centre, guess, apart)))
        .map(|((x, y), guess, &(dx, dy))| {
            let place = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
            matcher.place(place, &recentred(guess, dx as f64, dy as f64))
        })
        .collect();
    let found: Vec<Place> = found.into_iter().flatten().collect();
    let pixels = &reference.frame.pixels;
    Ok(advice_from(&found, (pixels.width, pixels.height)))
}

/// What is the same at all places.
struct OrderMatcher<'a> {
    reference: &'a Reference,
    deformed: &'a Deformed,
    mask: Option<&'a Mask>,
    dispatch: Dispatch,
    settings: [Settings; 3],
    noise: KernelNoise,
}

impl<'a> OrderMatcher<'a> {
    fn new(
        reference: &'a Reference,
        deformed: &'a Deformed,
        mask: Option<&'a Mask>,
    ) -> Result<Self, DicError> {
        let settings = &reference.settings;
        let with = |shape_order| Settings {
            shape_order,
            ..settings.clone()
        };
        Ok(Self {
            reference,
            deformed,
            mask,
            dispatch: Dispatch::best(settings.instruction_set),
            settings: [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two].map(with),
            noise: KernelNoise::new(settings)?,
        })
    }

    fn place(&self, centre: (usize, usize), guess: &Parameters) -> Option<Place> {
        let [zero, one, two] = &self.settings;
        let job = Job {
            settings: one,
            frame: &self.reference.frame,
            deformed: self.deformed,
        };
        if !job.square_is_inside(centre) || !self.is_in_mask(centre) {
            return None;
        }
        let rows = &self.reference.rows;
        let from = |guess: &Parameters, settings: &Settings| {
            let found = job.match_at(self.dispatch, centre, rows, guess, settings);
            (found.status == Status::Converged).then_some(found)
        };
        let of_one = from(guess, one)?;
        let of_zero = from(&translation(of_one.u(), of_one.v()), zero);
        let of_two = (self.reference.settings.side_px() >= SMALLEST_OF_ORDER_TWO)
            .then(|| from(&of_one.p, two))
            .flatten();
        let (hessian, middle) = self.moments(centre);
        let scale = gradient_scale(one.gradient).powi(2);
        let noise = Noise {
            hessian: &hessian,
            middle: &middle,
            count: pixel_count(rows) as f64,
        };
        let [by_zero, by_one] = [noise.of_order(zero)?, noise.of_order(one)?];
        let by_two = of_two.as_ref().and_then(|_| noise.of_order(two));
        let difference = |square: f64, low: &Moved, high: &Moved| Difference {
            square,
            from_noise: noise.between(low, high) / scale,
            cost: (noise.variance(high) - noise.variance(low)) / scale,
        };
        let square = |a: &Match, b: &Match| (a.u() - b.u()).powi(2) + (a.v() - b.v()).powi(2);
        // What order 0 does not even find counts as far as one place can.
        let zero_to_one = of_zero.map_or(f64::INFINITY, |zero| square(&zero, &of_one));
        let two = of_two.as_ref().zip(by_two.as_ref());
        let softest = noise.hessian(0, 0).min(noise.hessian(6, 6));
        Some(Place {
            centre,
            zero_to_one: difference(zero_to_one, &by_zero, &by_one),
            one_to_two: two.map(|(two, by_two)| difference(square(&of_one, two), &by_one, by_two)),
            noise: two
                .and_then(|(two, by_two)| self.noise_of(&noise, two, by_two))
                .or_else(|| self.noise_of(&noise, &of_one, &by_one)),
            noise_share: self.noise.gradient * noise.count / (scale * softest),
        })
    }

    /// Whether the mask holds every pixel of the subset around a place.
    fn is_in_mask(&self, (x, y): (usize, usize)) -> bool {
        let Some(mask) = self.mask else {
            return true;
        };
        let at = |place: usize, shift: i32| place.saturating_add_signed(shift as isize);
        self.reference
            .rows
            .iter()
            .all(|row| (row.first..=row.last).all(|dx| mask.contains(at(x, dx), at(y, row.dy))))
    }

    /// The moments of a subset, and the same of its gradient after the filter once more: what the noise of
    /// the filtered picture is weighted with.
    fn moments(&self, centre: (usize, usize)) -> (Moments, Moments) {
        let frame = &self.reference.frame;
        let pair = Pair {
            reference: &frame.pixels,
            gradient_x: &frame.gradient_x,
            gradient_y: &frame.gradient_y,
            deformed: &self.deformed.spline,
            deformed_pixels: &self.deformed.pixels,
            rows: &self.reference.rows,
            centre,
            offset: frame.mean,
        };
        let of = |pair: &Pair<'_>| self.dispatch.moments(pair, ShapeOrder::Two, None);
        let hessian = of(&pair);
        let Some(filter) = self.reference.settings.prefilter else {
            let middle = hessian.clone();
            return (hessian, middle);
        };
        // What the subset holds alone: its gradient is cut at its rim, and reaches beyond it after the filter.
        // The monomials hardly change within the filter, and stand before it.
        let reach = self.reference.settings.half_px() + filter.window_px / 2;
        let smoothed = |plane: &Plane| {
            let cut = plane.subset(centre, &self.reference.rows, reach);
            filter_plane(&cut, filter)
        };
        let gradient_x = &smoothed(&frame.gradient_x);
        let middle = of(&Pair {
            // Planes of one size; its grey values play no part.
            reference: gradient_x,
            gradient_x,
            gradient_y: &smoothed(&frame.gradient_y),
            rows: &subset_rows(2 * reach + 1, SubsetShape::Square),
            centre: (reach, reach),
            offset: 0.0,
            ..pair
        });
        (hessian, middle)
    }

    /// The white noise of one image, in grey levels of the reference, by the residual of a match; `None` where the fit
    /// absorbs most of it.
    fn noise_of(&self, noise: &Noise<'_>, found: &Match, moved: &Moved) -> Option<f64> {
        let interpolated = self.noise.interpolated(found.u(), found.v());
        let squares = 2.0 * noise.hessian.energy * (1.0 - found.zncc).max(0.0);
        // The mean absorbs the whole of what the filter leaves of it, contrast what it leaves of a gradient.
        let share = noise.middle(0, 0) / noise.hessian(0, 0);
        let absorbed = moved.absorbed + 1.0 + share;
        let count = noise.count;
        let freedom = count - absorbed / self.noise.filtered;
        let level = (squares / freedom / (self.noise.filtered + interpolated)).sqrt();
        (freedom >= LEAST_FREEDOM * count).then_some(level)
    }
}

/// The Hessian of one subset with all parameters, and `M` of its filtered noise.
struct Noise<'a> {
    hessian: &'a Moments,
    middle: &'a Moments,
    /// Pixels of the subset.
    count: f64,
}

/// How noise moves a subset that is matched with one order.
struct Moved {
    /// What the displacements along both axes take of the sums `Σ J n`: rows of `H⁻¹`, zero where the
    /// order has no parameter.
    rows: [Parameters; 2],
    /// Trace of `H⁻¹ M`.
    absorbed: f64,
}

impl Noise<'_> {
    /// `Σ J_i J_j` without the means of both, which the criterion does not see.
    fn hessian(&self, i: usize, j: usize) -> f64 {
        self.hessian.hessian(i, j) - self.of_means(i, j)
    }

    /// The same of what the filter leaves of `J`, and all of its mean.
    fn middle(&self, i: usize, j: usize) -> f64 {
        self.middle.hessian(i, j) - self.of_means(i, j)
    }

    fn of_means(&self, i: usize, j: usize) -> f64 {
        self.hessian.sum_j[i] * self.hessian.sum_j[j] / self.count
    }

    /// `None` where the Hessian is close to singular.
    fn of_order(&self, settings: &Settings) -> Option<Moved> {
        let used = active(settings.shape_order);
        let n = used.len();
        let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
        for (row, &i) in matrix.iter_mut().zip(used) {
            for (value, &j) in row.iter_mut().zip(used) {
                *value = self.hessian(i, j);
            }
        }
        let factor = Cholesky::new(n, &matrix)?;
        let mut inverse = [[0.0; PARAMETERS]; PARAMETERS];
        let mut absorbed = 0.0;
        for (column, &j) in used.iter().enumerate() {
            let mut solved = [0.0; PARAMETERS];
            solved[column] = 1.0;
            factor.solve(&mut solved);
            for (&value, &i) in solved.iter().zip(used) {
                inverse[j][i] = value;
                absorbed += value * self.middle(i, j);
            }
        }
        Some(Moved {
            rows: [inverse[0], inverse[6]],
            absorbed,
        })
    }

    /// Sum over both axes of `2 wᵀ M w`.
    fn power(&self, rows: &[Parameters; 2]) -> f64 {
        let of_row = |row: &Parameters| {
            let all = || row.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
            let products = all().map(|(i, a)| {
                let inner = all().map(|(j, b)| b * self.middle(i, j));
                a * inner.sum::<f64>()
            });
            products.sum::<f64>()
        };
        2.0 * rows.iter().map(of_row).sum::<f64>()
    }

    /// The sum of the variances of `u` and `v` for white noise of unit variance in both images.
    fn variance(&self, of: &Moved) -> f64 {
        self.power(&of.rows)
    }

    /// The mean square distance of the displacements of two orders for the same noise.
    fn between(&self, low: &Moved, high: &Moved) -> f64 {
        let mut rows = high.rows;
        for (row, low) in rows.iter_mut().zip(&low.rows) {
            for (value, low) in row.iter_mut().zip(low) {
                *value -= low;
            }
        }
        self.power(&rows)
    }
}

/// The advice that the places give, in a picture of that width and height.
fn advice_from(places: &[Place], (width, height): (usize, usize)) -> Option<OrderAdvice> {
    let level = median(places.iter().filter_map(|place| place.noise).collect())?;
    let is_known = |place: &&Place| level * level * place.noise_share <= LARGEST_NOISE_SHARE;
    let places: Vec<&Place> = places.iter().filter(is_known).collect();
    if places.len() < FEWEST.0 || level <= 0.0 {
        return None;
    }
    // Noise makes the Hessian too large; its product with that of the other image is left out.
    let power = |place: &Place| {
        let share = level * level * place.noise_share;
        level * level / (1.0 - share).powi(2)
    };
    let zero_to_one_where = |is_chosen: &dyn Fn(&Place) -> bool| {
        let (mut bias, mut cost, mut count) = (0.0, 0.0, 0);
        for place in places.iter().filter(|place| is_chosen(place)) {
            let here = &place.zero_to_one;
            let from_noise = power(place) * here.from_noise;
            bias += here.square.min(LARGEST * from_noise) - from_noise;
            cost += power(place) * here.cost;
            count += 1;
        }
        (ratio(bias, cost), count)
    };
    let (zero_to_one, _) = zero_to_one_where(&|_| true);
    let quarters = [(false, false), (true, false), (false, true), (true, true)].map(|quarter| {
        zero_to_one_where(&|place| {
            (2 * place.centre.0 >= width, 2 * place.centre.1 >= height) == quarter
        })
    });
    let known = quarters.iter().filter(|(_, count)| *count >= FEWEST.1);
    let zero_to_one_in_a_quarter = known.map(|(ratio, _)| *ratio).fold(zero_to_one, f64::max);
    let one_to_two = one_to_two(&places, power);
    let order = if one_to_two.is_some_and(|ratio| ratio > EVEN) {
        ShapeOrder::Two
    } else if zero_to_one <= EVEN && zero_to_one_in_a_quarter <= EVEN_IN_A_QUARTER {
        ShapeOrder::Zero
    } else {
        ShapeOrder::One
    };
    Some(OrderAdvice {
        order,
        places: places.len(),
        zero_to_one,
        zero_to_one_in_a_quarter,
        one_to_two,
    })
}

/// `1 + bias² / cost`; what costs no noise is worth any bias.
fn ratio(bias: f64, cost: f64) -> f64 {
    if cost > 0.0 {
        1.0 + bias / cost
    } else {
        f64::INFINITY
    }
}

/// The ratio of orders 1 and 2 at the median place, if half of them know it.
fn one_to_two(places: &[&Place], power: impl Fn(&Place) -> f64) -> Option<f64> {
    let (mut times, mut from_noise, mut cost) = (Vec::new(), 0.0, 0.0);
    for place in places {
        if let Some(here) = &place.one_to_two {
            times.push(here.square / (power(place) * here.from_noise));
            from_noise += here.from_noise;
            cost += here.cost;
        }
    }
    if 2 * times.len() < places.len() {
        return None;
    }
    // The square of the length of a normal error in the plane has its median at ln 2 of its mean.
    let times = median(times)? / LN_2;
    Some(ratio((times - 1.0) * from_noise, cost))
}
