//! The Gaussian of the low-pass filter: its window and weights.

use crate::error::{DicError, check_positive};

/// Share of a filtered pixel from beyond the picture, above which its gradient is not used: what is
/// assumed there then moves a match more than the noise of a good camera.
const LARGEST_OUTSIDE: f64 = 0.005;

/// A Gaussian of standard deviation `sigma_px`, cut off by a square window and normalised to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianFilter {
    /// Standard deviation in px.
    pub sigma_px: f64,
    /// Full width of the window in px; odd.
    pub window_px: usize,
}

impl GaussianFilter {
    /// A filter of that standard deviation with three of them to each side of its window.
    #[must_use]
    pub fn reaching(sigma_px: f64) -> Self {
        let half = (3.0 * sigma_px).ceil().clamp(1.0, 1000.0) as usize;
        Self {
            sigma_px,
            window_px: 2 * half + 1,
        }
    }

    pub(crate) fn check(self) -> Result<(), DicError> {
        check_positive("sigma_px", self.sigma_px)?;
        if self.window_px.is_multiple_of(2) || self.window_px > 99 {
            return Err(DicError::FilterWindow {
                window_px: self.window_px,
            });
        }
        Ok(())
    }

    /// How many pixels at the border of a picture depend on what is assumed beyond it.
    pub(crate) fn rim_px(self) -> usize {
        let weights = self.weights();
        let outside = |k: usize| weights[..(self.window_px / 2).saturating_sub(k)].iter();
        let share = |k: &usize| outside(*k).map(|w| f64::from(*w)).sum::<f64>() > LARGEST_OUTSIDE;
        (0..self.window_px / 2).take_while(share).count()
    }

    /// The weights of the window, from left to right.
    pub(crate) fn weights(self) -> Vec<f32> {
        let half = (self.window_px / 2) as f64;
        let raw: Vec<f64> = (0..self.window_px)
            .map(|i| {
                let t = (i as f64 - half) / self.sigma_px;
                (-0.5 * t * t).exp()
            })
            .collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|w| (w / sum) as f32).collect()
    }
}
