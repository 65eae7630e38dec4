//! How an item and the image found for it become a residual.

use retrial_detect::local::{Window, maps, residuals};
use retrial_detect::{DetectError, Items as Rows, Norm};
use retrial_runner::TrialError;

use retrial_nets::anogan::Difference;

use super::items::{Items, Part};
use super::params::Residual;
use super::score::Scores;

/// Blur and window of `local` on images of [`SIDE`] px; they grow with the image. Chosen on
/// held-out training digits among blurs of 0 to 1.5 px and windows of 1 to 4 px: the AUROC there
/// has a broad maximum.
const WINDOW: Window = Window {
    blur_px: 1.0,
    window_px: 2.0,
};
const SIDE: f64 = 28.0;
/// Least ink that a score is divided by: an empty picture stays finite.
pub(super) const LEAST_INK: f64 = 1.0;

impl Residual {
    /// The norm of differences that a residual is, unless it is made of whole images, place by place.
    pub(super) fn norm(self) -> Option<Norm> {
        match self {
            Self::L1 => Some(Norm::L1),
            Self::L2 => Some(Norm::L2),
            Self::Local | Self::LocalPerInk => None,
        }
    }

    /// How a net compares images for it; for a local one this is not used as it is.
    pub(super) fn difference(self) -> Difference {
        match self {
            Self::L1 => Difference::Absolute,
            Self::L2 | Self::Local | Self::LocalPerInk => Difference::Squared,
        }
    }
}

/// The local residual of every item of a part and the image found for it.
///
/// # Shapes
/// - `found`: `[item, size, size]`
pub(super) fn local(items: &Items, part: &Part, found: &[f32]) -> Result<Vec<f64>, TrialError> {
    windowed(items, part, found, residuals)
}

/// The maps of which the local residuals are the largest values, one after the other.
///
/// # Shapes
/// - `found`, returns: `[item, size, size]`
pub(super) fn local_maps(
    items: &Items,
    part: &Part,
    found: &[f32],
) -> Result<Vec<f32>, TrialError> {
    windowed(items, part, found, maps)
}

fn windowed<T>(
    items: &Items,
    part: &Part,
    found: &[f32],
    compare: impl Fn(Rows<'_>, Rows<'_>, usize, Window) -> Result<Vec<T>, DetectError>,
) -> Result<Vec<T>, TrialError> {
    if part.len() == 0 {
        return Ok(Vec::new());
    }
    let area = items.size * items.size;
    let scale = items.size as f64 / SIDE;
    let window = Window {
        blur_px: WINDOW.blur_px * scale,
        window_px: WINDOW.window_px * scale,
    };
    let given = Rows::new(&part.pixels, area).map_err(TrialError::of)?;
    let found = Rows::new(found, area).map_err(TrialError::of)?;
    compare(given, found, items.size, window).map_err(TrialError::of)
}

/// Residual, discrimination and score over the ink of each item, where `residual` asks for it.
pub(super) fn per_ink(residual: Residual, items: &Items, part: &Part, scores: &mut Scores) {
    if residual != Residual::LocalPerInk {
        return;
    }
    let ink = items.ink(part);
    for values in [
        &mut scores.residual,
        &mut scores.discrimination,
        &mut scores.score,
    ] {
        for (value, ink) in values.iter_mut().zip(&ink) {
            *value /= ink.max(LEAST_INK);
        }
    }
}
