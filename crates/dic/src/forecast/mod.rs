//! Which error a correlation of a pair is going to have, before it is correlated, and which filter
//! and spline make it smallest.
//!
//! # Model
//! A few tiles of the pair are matched, and their spectra divided into what moves with the picture,
//! `S`, and what is left, `R`: noise, and whatever else the camera did not move. Of a subset of `N`
//! pixels that is shifted by `u`, with the gain `G` of the filter, the derivative `i D` and the transfer
//! `H` of the interpolating spline, Gauss-Newton then finds
//!
//! - on average `u` less `Σ S G² D Im H / Σ S G² D²`, the bias of interpolation, and
//! - scattered about it by the variance `Σ D² (2 (S G² Im H)² + S G⁴ R + G⁴ R² / 4) / (Σ S G² D²)² / N`.
//!
//! The first term is the misfit of the interpolated pattern, taken as Gaussian; the second its noise, the third
//! that of the gradient times that of the other picture, with noise shared equally.
//!
//! A filter takes away the frequencies that the spline cannot move, and with them a part of what the
//! noise is measured against. Which one is best depends on the picture and its noise, and on the
//! size of the subset: the bias stays when subsets grow.
//!
//! Not in it: what a shape function cannot follow, points that noise keeps from converging, and frequencies that the
//! camera has folded, beyond what the measured pair shows of them. At whole-pixel displacements it shows nothing of
//! them, so that only a pair between pixels is taken for an advice, or one whose noise covers them.
//!
//! # Source
//! The bias from the spectrum: Su, Zhang, Gao, Xu & Wu 2015, doi:10.1364/OE.23.019242, there for other
//! interpolants. Why a filter helps: Schreier, Braasch & Sutton 2000, doi:10.1117/1.1314593. Two spectra
//! from a matched pair, the variance for any noise spectrum and the choice by the worst sub-pixel
//! position are our own.

mod order;
mod series;
mod spectra;
mod transfer;

use retrial_image::{GrayImage, Mask};

pub use self::order::OrderAdvice;
pub use self::series::{AdviceScope, OrderSource, SeriesAdvice, advise_series};
use self::spectra::Spectra;
use self::transfer::{BINS, Transfer, frequency, gain};
use crate::error::DicError;
use crate::gaussian::GaussianFilter;
use crate::pixel_weights::centre_variance;
use crate::reference::{Reference, check_pair};
use crate::settings::{Settings, SplineDegree};

/// Standard deviations of the filters that are compared, in tenths of a pixel; none is compared, too.
const TENTHS: std::ops::RangeInclusive<u32> = 4..=15;

/// Distance from whole pixels, px, from which a pair shows what folded frequencies do.
const BETWEEN_PX: f64 = 0.1;

/// Cycles a pixel from which frequencies lie near those that are folded.
const EDGE: f64 = 0.4;

/// Power of noise in the gradient, over that of the pattern, from which points stop converging and errors are larger
/// than predicted: such filters are not advised.
const LARGEST_NOISE: f64 = 0.5;

/// Share of the error with the cubic spline that the quintic one must come below to be worth its
/// time.
const WORTH_THE_TIME: f64 = 0.9;

/// The spectra of a pair of images, from which errors are predicted.
#[derive(Clone, Debug)]
pub struct PairSpectra {
    spectra: Spectra,
    cubic: Transfer,
    quintic: Transfer,
}

/// The error of a displacement that is to be expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorForecast {
    /// Largest bias of `u` and of `v` over all sub-pixel positions, in absolute value, px.
    pub bias: (f64, f64),
    /// Standard deviation of `u` and of `v`, root of the mean square over all sub-pixel positions, px.
    pub random: (f64, f64),
    /// Root mean square of the length of the error vector over all sub-pixel positions, px.
    pub rms: f64,
    /// The same at the sub-pixel position where it is largest, px.
    pub worst: f64,
}

impl PairSpectra {
    /// Measures the spectra on some 64 tiles of 32 × 32 px at most, within the mask.
    ///
    /// `None` where too few tiles can be matched: in pictures smaller than 64 px, after displacements of more
    /// than some 30 px or rotations of more than some 10°, at a ZNCC below 0.7, without contrast; and where the
    /// two pictures are the same, which says nothing of noise.
    /// The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`DicError::ImageSize`] and [`DicError::NonFinitePixel`].
    pub fn measure(
        first: &GrayImage,
        deformed: &GrayImage,
        mask: Option<&Mask>,
    ) -> Result<Option<Self>, DicError> {
        check_pair(first, deformed)?;
        Ok(Spectra::measure(first, deformed, mask).map(|spectra| Self {
            spectra,
            cubic: Transfer::new(SplineDegree::Three),
            quintic: Transfer::new(SplineDegree::Five),
        }))
    }

    /// The number of tiles behind the spectra.
    #[must_use]
    pub fn tiles(&self) -> usize {
        self.spectra.tiles
    }

    /// The error to be expected of these settings, with [`Gradient::Spline`](crate::Gradient).
    ///
    /// # Errors
    /// [`DicError`] of [`Settings::check`].
    pub fn forecast(&self, settings: &Settings) -> Result<ErrorForecast, DicError> {
        settings.check()?;
        let scale = noise_scale(settings);
        Ok(self.expected(scale, settings.spline_degree, settings.prefilter))
    }

    /// Whether the pair shows what folded frequencies do: it lies between pixels, or noise covers what
    /// the pattern has near the highest frequency.
    #[must_use]
    pub fn is_informative(&self) -> bool {
        if self.spectra.fraction >= BETWEEN_PX {
            return true;
        }
        let edge = bins().filter(|&(kx, ky, _)| frequency(kx.max(ky)) > EDGE);
        let (pattern, rest) = edge.fold((0.0, 0.0), |(pattern, rest), (kx, ky, share)| {
            let (moving, left) = (self.spectra.moving[ky][kx], self.spectra.rest[ky][kx]);
            (pattern + share * moving, rest + share * left)
        });
        pattern <= rest
    }

    /// The settings with the filter and the degree of the spline whose [`ErrorForecast::worst`] is
    /// smallest; degree 5 only where it gains a tenth. Unchanged for a pair that is
    /// not [informative](Self::is_informative).
    ///
    /// # Errors
    /// [`DicError`] of [`Settings::check`].
    pub fn advise(&self, settings: &Settings) -> Result<Settings, DicError> {
        settings.check()?;
        if !self.is_informative() {
            return Ok(settings.clone());
        }
        let scale = noise_scale(settings);
        let best = |degree: SplineDegree| {
            let filters =
                TENTHS.map(|tenths| Some(GaussianFilter::reaching(f64::from(tenths) / 10.0)));
            let all = std::iter::once(None).chain(filters);
            let trusted =
                all.filter(|filter| self.gradient_noise(degree, *filter) <= LARGEST_NOISE);
            let rated = trusted.map(|filter| (self.expected(scale, degree, filter).worst, filter));
            rated.fold((f64::INFINITY, settings.prefilter), |best, next| {
                if next.0 < best.0 { next } else { best }
            })
        };
        let (cubic, quintic) = (best(SplineDegree::Three), best(SplineDegree::Five));
        let is_worth_it = quintic.0 < WORTH_THE_TIME * cubic.0;
        Ok(Settings {
            prefilter: if is_worth_it { quintic.1 } else { cubic.1 },
            spline_degree: if is_worth_it {
                SplineDegree::Five
            } else {
                SplineDegree::Three
            },
            ..settings.clone()
        })
    }

    /// The order of the shape function whose error is smallest on this pair, whatever the order of
    /// `reference`; its other settings, filter and spline among them, are those of the advice.
    ///
    /// `deformed` is the image that was measured; only subsets within the mask are asked. `None` where too few subsets around the tiles can be
    /// matched, and where noise cannot be told from the field.
    /// The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`DicError::ImageSize`] and [`DicError::NonFinitePixel`].
    pub fn advise_order(
        &self,
        reference: &Reference,
        deformed: &GrayImage,
        mask: Option<&Mask>,
    ) -> Result<Option<OrderAdvice>, DicError> {
        order::advised(reference, deformed, mask, &self.spectra.matches)
    }

    /// Power of the noise of the reference in its gradient, over that of the pattern.
    fn gradient_noise(&self, degree: SplineDegree, filter: Option<GaussianFilter>) -> f64 {
        let (slope, gain) = (&self.transfer(degree).slope, gain(filter));
        let (mut signal, mut noise) = (0.0, 0.0);
        for (kx, ky, share) in bins() {
            let squares = slope[kx] * slope[kx] + slope[ky] * slope[ky];
            let weight = share * squares * gain[kx] * gain[ky];
            signal += weight * self.spectra.moving[ky][kx];
            noise += 0.5 * weight * self.spectra.rest[ky][kx];
        }
        noise / signal
    }

    fn transfer(&self, degree: SplineDegree) -> &Transfer {
        match degree {
            SplineDegree::Three => &self.cubic,
            SplineDegree::Five => &self.quintic,
        }
    }

    fn expected(
        &self,
        scale: f64,
        degree: SplineDegree,
        filter: Option<GaussianFilter>,
    ) -> ErrorForecast {
        let transfer = self.transfer(degree);
        let gain = gain(filter);
        let Spectra { moving, rest, .. } = &self.spectra;
        let signal = |kx: usize, ky: usize| moving[ky][kx] * gain[kx] * gain[ky];
        let noise = |kx: usize, ky: usize| rest[ky][kx] * gain[kx] * gain[ky];
        let slope = |k: usize| transfer.slope[k] * transfer.slope[k];
        let mut information = (0.0, 0.0);
        for (kx, ky, share) in bins() {
            information.0 += share * slope(kx) * signal(kx, ky);
            information.1 += share * slope(ky) * signal(kx, ky);
        }
        let mut forecast = ErrorForecast {
            bias: (0.0, 0.0),
            random: (0.0, 0.0),
            rms: 0.0,
            worst: 0.0,
        };
        for at in &transfer.positions {
            let (mut bias, mut variance) = ((0.0, 0.0), (0.0, 0.0));
            for (kx, ky, share) in bins() {
                let (hx, hy) = (at[kx], at[ky]);
                let signal = share * signal(kx, ky);
                bias.0 += signal * transfer.slope[kx] * hx.im * hy.re;
                bias.1 += signal * transfer.slope[ky] * hy.im * hx.re;
                let turned = (hx.im * hy.re).powi(2) + (hx.re * hy.im).powi(2);
                let noise = noise(kx, ky);
                let left = signal * (2.0 * turned * signal / share + noise);
                let left = left + 0.25 * share * noise * noise;
                variance.0 += slope(kx) * left;
                variance.1 += slope(ky) * left;
            }
            bias = (bias.0 / information.0, bias.1 / information.1);
            let variance = (
                scale * variance.0 / information.0.powi(2),
                scale * variance.1 / information.1.powi(2),
            );
            forecast.bias = (
                forecast.bias.0.max(bias.0.abs()),
                forecast.bias.1.max(bias.1.abs()),
            );
            let part = 1.0 / transfer.positions.len() as f64;
            forecast.random.0 += part * variance.0;
            forecast.random.1 += part * variance.1;
            let all = bias.0 * bias.0 + bias.1 * bias.1 + variance.0 + variance.1;
            forecast.rms += part * all;
            forecast.worst = forecast.worst.max(all.sqrt());
        }
        forecast.rms = forecast.rms.sqrt();
        forecast.random = (forecast.random.0.sqrt(), forecast.random.1.sqrt());
        forecast
    }
}

fn noise_scale(settings: &Settings) -> f64 {
    let size = settings.side_px();
    centre_variance(size, settings.subset_shape, settings.shape_order)
}

/// Frequencies along `x` and `y` of a quarter of the spectrum, with their share of the whole.
fn bins() -> impl Iterator<Item = (usize, usize, f64)> {
    let side = 2 * (BINS - 1);
    let times = move |k: usize| if k == 0 || k == BINS - 1 { 1.0 } else { 2.0 };
    let whole = (side * side) as f64;
    (0..BINS).flat_map(move |ky| (0..BINS).map(move |kx| (kx, ky, times(kx) * times(ky) / whole)))
}
