//! What `retrial dic` reads before the first correlation: reference, mask or points, calibration.

use std::path::Path;

use retrial_core::image::Mask;
use retrial_data::{DataError, picture_pages, read_gray, read_mask, read_page};
use retrial_dic::calibration::PixelMap;
use retrial_dic::{Reference, Settings, prepare, prepare_points};

use super::frames::Frames;
use super::points::read_points;
use super::suited::Suited;
use super::{file_name, refused};
use crate::cli::DicArgs;
use crate::command::calibrate::read_plane;
use crate::failure::Failure;

/// Share of pixels at the largest grey value from which a picture is called saturated.
const SATURATED: f64 = 0.01;

/// The reference with its points, and how pixels become millimetres.
pub(super) struct Inputs {
    pub(super) reference: Reference,
    pub(super) frames: Frames,
    pub(super) map: Option<PixelMap>,
    pub(super) suited: Suited,
    /// Columns and rows of the reference.
    pub(super) size: (usize, usize),
}

impl Inputs {
    pub(super) fn read(args: &DicArgs, settings: &Settings) -> Result<Self, Failure> {
        let map = match (&args.scale, &args.calibration) {
            (Some(scale), _) => Some(PixelMap::Scale { mm_per_px: *scale }),
            (None, Some(path)) => Some(PixelMap::Plane(read_plane(path)?)),
            (None, None) => None,
        };
        let pages = picture_pages(&args.reference).map_err(unreadable)?;
        if pages != 1 {
            return Err(Failure::usage(format!(
                "{} holds {pages} pictures; save the one that is the reference as a file",
                args.reference.display()
            )));
        }
        let image = read_page(&args.reference, 0, args.channel)
            .map_err(unreadable)?
            .image;
        warn_of_saturation(&args.reference, image.pixels());
        let mask = args.mask.as_deref().map(mask).transpose()?;
        let points = args.points.as_deref().map(read_points).transpose()?;
        let frames = Frames::find(args, image.clone())?;
        frames.check_any()?;
        let suited = Suited::new(args, &image, &frames, mask.as_ref(), settings)?;
        let settings = suited.settings();
        let reference = match points {
            Some(points) => prepare_points(&image, points, settings),
            None => prepare(&image, mask.as_ref(), settings),
        };
        let reference = reference.map_err(refused)?;
        Ok(Self {
            reference,
            frames,
            map,
            suited,
            size: (image.width(), image.height()),
        })
    }
}

/// A picture that was named on the command line and cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn unreadable(error: DataError) -> Failure {
    Failure::usage(error.to_string())
}

/// A mask, with a warning where its grey values are more than two.
fn mask(path: &Path) -> Result<Mask, Failure> {
    let image = read_gray(path).map_err(unreadable)?;
    let mut values = image.pixels().iter();
    let lit = values.clone().copied().find(|value| *value > 0.0);
    if let Some(lit) = lit
        && values.any(|value| *value > 0.0 && *value != lit)
    {
        let name = file_name(path);
        eprintln!(
            "warning: {name} has several grey values; every pixel that is not black takes part"
        );
    }
    read_mask(path).map_err(unreadable)
}

/// Whether many pixels have the largest grey value of a picture that has several.
pub(super) fn is_saturated(pixels: &[f32]) -> bool {
    let brightest = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let at_most = pixels.iter().filter(|v| **v == brightest).count();
    at_most < pixels.len() && at_most as f64 > SATURATED * pixels.len() as f64
}

fn warn_of_saturation(path: &Path, pixels: &[f32]) {
    let brightest = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let darkest = pixels.iter().copied().fold(f32::INFINITY, f32::min);
    let share = pixels.iter().filter(|v| **v == brightest).count() as f64 / pixels.len() as f64;
    let name = file_name(path);
    if darkest == brightest {
        eprintln!("warning: every pixel of {name} has the grey value {brightest}");
    } else if share > SATURATED {
        eprintln!(
            "warning: {:.0} % of the pixels of {name} have its largest grey value, {brightest}; \
             the picture is saturated",
            100.0 * share
        );
    }
}
