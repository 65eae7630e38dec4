//! Which order of the shape function has the smallest error on a pair.
//!
//! # Method
//! The subset around every tile that was matched is matched with each order. A higher order follows
//! more of the field and is moved further by noise. Where a lower order follows the field, it is the
//! efficient estimate, so that the two displacements differ by noise alone, with the
//! difference of their variances, `E d² = V_high − V_low` (Hausman 1978); a bias `b` of the lower order adds
//! `b²`. The lower order has the smaller mean square error where `b² < V_high − V_low`: where `E d²` is below
//! twice that difference, as in the focused information criterion (Claeskens & Hjort 2003). The
//! variances come from the Hessians of both orders, the filter, and the residual of the higher one.
//!
//! - Order 0 where `d²` stays below twice the difference on the mean over all places, and nowhere, in no
//!   quarter of the picture, goes far beyond it.
//! - Order 2 where `d²` exceeds it at the median place. Few places, at a hole or at the rim of a plate, are not
//!   enough: everywhere else order 2 costs more than half again the noise.
//! - Order 1 elsewhere, and wherever too little is known.
//!
//! # Source
//! Hausman 1978, "Specification Tests in Econometrics", Econometrica 46(6), doi:10.2307/1913827;
//! Claeskens & Hjort 2003, "The Focused Information Criterion", J. Am. Stat. Assoc. 98(464),
//! doi:10.1198/016214503000000819. The rules for the whole picture are our own.

use std::f64::consts::LN_2;

use rayon::prelude::*;
use retrial_core::image::GrayImage;

use crate::cholesky::Cholesky;
use crate::correlate::{Job, check_deformed};
use crate::dispatch::Dispatch;
use crate::error::DicError;
use crate::filter::filter_plane;
use crate::icgn::Match;
use crate::kernel::{Moments, Pair};
use crate::plane::Plane;
use crate::recover::median;
use crate::reference::{Deformed, Reference, filtered};
use crate::settings::{Settings, ShapeOrder};
use crate::shape::{PARAMETERS, Parameters, active, recentred};
use crate::status::Status;
use crate::subset::pixel_count;
use crate::uncertainty::{KernelNoise, gradient_scale};

/// The fewest places that say something of the picture, and of a quarter of it.
const FEWEST: (usize, usize) = (16, 6);

/// Tiles from which their centres are enough, and the places that are matched around fewer, px.
const PLENTY: usize = 48;
const AROUND: [(isize, isize); 5] = [(0, 0), (-16, -16), (16, -16), (-16, 16), (16, 16)];

/// Mean square difference, by that from noise alone, at which two orders have the same error.
const EVEN: f64 = 2.0;

/// The same for a quarter of the picture, where few places make it uncertain.
const EVEN_IN_A_QUARTER: f64 = 3.0;

/// Smallest subset for order 2, px: 12 parameters from 81 pixels.
const SMALLEST_OF_ORDER_TWO: usize = 9;

/// How much of the difference at one place counts, in variances: some matches are wrong.
const LARGEST: f64 = 10.0;

/// Share of noise in the Hessian above which variances are not known: the noise has half the power of the
/// pattern, in the gradient.
const LARGEST_NOISE_SHARE: f64 = 1.0 / 3.0;

/// The order of the shape function that suits a pair of images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderAdvice {
    /// The order whose error is smallest.
    pub order: ShapeOrder,
    /// The places that were matched with every order.
    pub places: usize,
    /// Mean square difference of orders 0 and 1, as a multiple of that from noise alone; order 0 has
    /// the smaller error below 2.
    pub zero_to_one: f64,
    /// The same in the quarter of the picture where it is largest.
    pub zero_to_one_in_a_quarter: f64,
    /// Median square difference of orders 1 and 2, as a multiple of that from noise alone; order 2 has
    /// the smaller error above 2. `None` where the subset is too small for order 2.
    pub one_to_two: Option<f64>,
}

/// What two orders find at one place.
#[derive(Clone, Copy)]
struct Difference {
    /// Square of the distance of both displacements, px².
    square: f64,
    /// What noise alone makes of it, px², for noise of one grey level.
    variance: f64,
}

/// What all orders find at one place.
struct Place {
    centre: (usize, usize),
    zero_to_one: Difference,
    one_to_two: Option<Difference>,
    /// White noise of one image by the residual of the highest order, in grey levels.
    noise: f64,
    /// Share of noise of one grey level in the Hessian.
    noise_share: f64,
}

/// Matches the places; see the module.
pub(super) fn advised(
    reference: &Reference,
    deformed: &GrayImage,
    places: &[((usize, usize), Parameters)],
) -> Result<Option<OrderAdvice>, DicError> {
    check_deformed(reference, deformed)?;
    let settings = &reference.settings;
    let deformed = Deformed::new(filtered(deformed, settings)?, settings);
    let look = Look::new(reference, &deformed)?;
    let apart: &[(isize, isize)] = match places.len() {
        PLENTY.. => &[(0, 0)],
        _ => &AROUND,
    };
    let found: Vec<Option<Place>> = places
        .par_iter()
        .flat_map_iter(|(centre, guess)| apart.iter().map(move |apart| (centre, guess, apart)))
        .map(|((x, y), guess, &(dx, dy))| {
            let place = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
            look.place(place, &recentred(guess, dx as f64, dy as f64))
        })
        .collect();
    let found: Vec<Place> = found.into_iter().flatten().collect();
    let pixels = &reference.frame.pixels;
    Ok(judged(&found, (pixels.width, pixels.height)))
}

/// What is the same at all places.
struct Look<'a> {
    reference: &'a Reference,
    deformed: &'a Deformed,
    dispatch: Dispatch,
    settings: [Settings; 3],
    noise: KernelNoise,
}

impl<'a> Look<'a> {
    fn new(reference: &'a Reference, deformed: &'a Deformed) -> Result<Self, DicError> {
        let settings = &reference.settings;
        let with = |shape_order| Settings {
            shape_order,
            ..settings.clone()
        };
        Ok(Self {
            reference,
            deformed,
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
        if !job.square_is_inside(centre) {
            return None;
        }
        let rows = &self.reference.rows;
        let from = |guess: &Parameters, settings: &Settings| {
            let found = job.match_at(self.dispatch, centre, rows, guess, settings);
            (found.status == Status::Converged).then_some(found)
        };
        let of_one = from(guess, one)?;
        let mut rigid = [0.0; PARAMETERS];
        (rigid[0], rigid[6]) = (of_one.p[0], of_one.p[6]);
        let of_zero = from(&rigid, zero);
        let of_two = (self.reference.settings.subset_size_px >= SMALLEST_OF_ORDER_TWO)
            .then(|| from(&of_one.p, two))
            .flatten();
        let (hessian, middle) = self.moments(centre);
        let scale = gradient_scale(one.gradient).powi(2);
        let variance = |settings: &Settings| {
            displacement_variance(&hessian, &middle, settings).map(|variance| variance / scale)
        };
        let [of_noise_0, of_noise_1] = [variance(zero)?, variance(one)?];
        let difference = |low: &Match, high: &Match, variance: f64| Difference {
            square: (low.p[0] - high.p[0]).powi(2) + (low.p[6] - high.p[6]).powi(2),
            variance,
        };
        let more = of_noise_1 - of_noise_0;
        let zero_to_one = match of_zero {
            Some(of_zero) => difference(&of_zero, &of_one, more),
            // What order 0 does not even find counts as far as one place can.
            None => Difference {
                square: f64::INFINITY,
                variance: more,
            },
        };
        let one_to_two = of_two
            .as_ref()
            .zip(variance(two))
            .map(|(of_two, of_noise_2)| difference(&of_one, of_two, of_noise_2 - of_noise_1));
        let highest = of_two.as_ref().map_or((&of_one, one), |found| (found, two));
        let softest = hessian.hessian(0, 0).min(hessian.hessian(6, 6));
        Some(Place {
            centre,
            zero_to_one,
            one_to_two,
            noise: self.noise_of((&hessian, &middle), highest),
            noise_share: self.noise.gradient * pixel_count(rows) as f64 / (scale * softest),
        })
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
        let reach = self.reference.settings.half_px() + filter.window_px / 2;
        let smoothed = |plane: &Plane| filter_plane(&plane.patch(centre, reach), filter);
        let gradient_x = &smoothed(&frame.gradient_x);
        let middle = of(&Pair {
            // Planes of one size; its grey values play no part.
            reference: gradient_x,
            gradient_x,
            gradient_y: &smoothed(&frame.gradient_y),
            centre: (reach, reach),
            offset: 0.0,
            ..pair
        });
        (hessian, middle)
    }

    /// The white noise of one image, in grey levels of the reference, by the residual of a match.
    fn noise_of(
        &self,
        (hessian, middle): (&Moments, &Moments),
        (found, settings): (&Match, &Settings),
    ) -> f64 {
        let interpolated = self.noise.interpolated(found.p[0], found.p[6]);
        let squares = 2.0 * hessian.energy * (1.0 - found.zncc).max(0.0);
        // What the parameters, mean and contrast absorb of coloured noise.
        let share = middle.hessian(0, 0) / hessian.hessian(0, 0);
        let absorbed = active(settings.shape_order).len() as f64 * share + 2.0;
        let count = pixel_count(&self.reference.rows) as f64;
        let freedom = (count - absorbed / self.noise.filtered).max(0.1 * count);
        (squares / freedom / (self.noise.filtered + interpolated)).sqrt()
    }
}

/// The sum of the variances of `u` and `v` in px² for white noise of unit variance in both images:
/// `2 H⁻¹ M H⁻¹`.
fn displacement_variance(hessian: &Moments, middle: &Moments, settings: &Settings) -> Option<f64> {
    let used = active(settings.shape_order);
    let n = used.len();
    let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
    for (row, &i) in matrix.iter_mut().zip(used) {
        for (value, &j) in row.iter_mut().zip(used) {
            *value = hessian.hessian(i, j);
        }
    }
    let factor = Cholesky::new(n, &matrix)?;
    let of_axis = |first: usize| {
        let mut weights = [0.0; PARAMETERS];
        weights[first] = 1.0;
        factor.solve(&mut weights);
        let products = used.iter().enumerate().map(|(a, &i)| {
            let row = used.iter().enumerate();
            let row = row.map(|(b, &j)| weights[b] * middle.hessian(i, j));
            weights[a] * row.sum::<f64>()
        });
        products.sum::<f64>()
    };
    Some(2.0 * (of_axis(0) + of_axis(n / 2)))
}

/// The advice that the places give, in a picture of that width and height.
fn judged(places: &[Place], (width, height): (usize, usize)) -> Option<OrderAdvice> {
    let level = median(places.iter().map(|place| place.noise).collect())?;
    let is_known = |place: &&Place| {
        let share = level * level * place.noise_share;
        share <= LARGEST_NOISE_SHARE && place.zero_to_one.variance > 0.0
    };
    let places: Vec<&Place> = places.iter().filter(is_known).collect();
    if places.len() < FEWEST.0 || level <= 0.0 {
        return None;
    }
    let variance = |place: &Place, difference: &Difference| {
        // Noise makes the Hessian too large; its product with that of the other image is left out.
        let share = level * level * place.noise_share;
        level * level * difference.variance / (1.0 - share).powi(2)
    };
    let ratio = |which: &dyn Fn(&Place) -> bool| {
        let chosen = places.iter().filter(|place| which(place));
        let (mut squares, mut expected, mut count) = (0.0, 0.0, 0);
        for place in chosen {
            let from_noise = variance(place, &place.zero_to_one);
            squares += place.zero_to_one.square.min(LARGEST * from_noise);
            expected += from_noise;
            count += 1;
        }
        (squares / expected, count)
    };
    let (zero_to_one, _) = ratio(&|_| true);
    let quarters = [(false, false), (true, false), (false, true), (true, true)].map(|quarter| {
        ratio(&|place| (2 * place.centre.0 >= width, 2 * place.centre.1 >= height) == quarter)
    });
    let known = quarters.iter().filter(|(_, count)| *count >= FEWEST.1);
    let zero_to_one_in_a_quarter = known.map(|(ratio, _)| *ratio).fold(zero_to_one, f64::max);
    let of_two = places.iter().filter_map(|place| {
        let difference = place.one_to_two.as_ref()?;
        Some(difference.square / variance(place, difference))
    });
    let of_two: Vec<f64> = of_two.filter(|ratio| *ratio >= 0.0).collect();
    let is_enough = 2 * of_two.len() >= places.len();
    // The square of the length of a normal error in the plane has its median at ln 2 of its mean.
    let one_to_two = median(of_two)
        .filter(|_| is_enough)
        .map(|middle| middle / LN_2);
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
