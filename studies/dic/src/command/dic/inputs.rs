//! What `retrial dic` reads before the first correlation: reference, mask or points, calibration.

use std::path::Path;

use retrial_data::{DataError, picture_pages, read_mask, read_page};
use retrial_dic::calibration::PixelMap;
use retrial_dic::{Reference, Settings, prepare, prepare_points};
use retrial_image::Mask;
use retrial_runner::{Failure, eprintln};

use super::chosen_settings::ChosenSettings;
use super::frames::{Frames, is_there};
use super::points::Points;
use super::{file_name, refused};
use crate::cli::DicArgs;
use crate::command::calibrate::read_plane;

/// Share of pixels at the smallest or the largest grey value from which a picture is called clipped.
const CLIPPED: f64 = 0.01;

/// An end of the grey values of a picture.
pub(super) struct End {
    value: &'static str,
    pub(super) word: &'static str,
}

/// The smallest and the largest grey value.
pub(super) const ENDS: [End; 2] = [
    End {
        value: "smallest",
        word: "clipped to black",
    },
    End {
        value: "largest",
        word: "saturated",
    },
];

/// The reference with its points, and how pixels become millimetres.
pub(super) struct Inputs {
    pub(super) reference: Reference,
    pub(super) frames: Frames,
    pub(super) map: Option<PixelMap>,
    pub(super) chosen: ChosenSettings,
    /// Columns and rows of the reference.
    pub(super) size: (usize, usize),
}

impl Inputs {
    pub(super) fn read(args: &DicArgs, settings: &Settings) -> Result<Self, Failure> {
        // A file that is no calibration is refused before any picture is read.
        if let Some(path) = &args.calibration {
            read_plane(path, None)?;
        }
        is_there(&args.reference)?;
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
        let size = (image.width(), image.height());
        let map = match (&args.scale, &args.calibration) {
            (Some(scale), _) => Some(PixelMap::Scale { mm_per_px: *scale }),
            (None, Some(path)) => Some(PixelMap::Plane(read_plane(path, Some(size))?)),
            (None, None) => None,
        };
        warn_of_clipping(&args.reference, image.pixels());
        let mask = args.mask.as_deref().map(mask).transpose()?;
        let points = args.points.as_deref().map(Points::read).transpose()?;
        let frames = Frames::find(args, image.clone())?;
        frames.check_any()?;
        let chosen = ChosenSettings::new(args, &image, &frames, mask.as_ref(), settings)?;
        let settings = chosen.settings();
        let reference = match points {
            Some(points) => prepare_points(&image, points.places.clone(), settings)
                .map_err(|error| points.refused(error))?,
            None => prepare(&image, mask.as_ref(), settings).map_err(refused)?,
        };
        Ok(Self {
            reference,
            frames,
            map,
            chosen,
            size: (image.width(), image.height()),
        })
    }
}

/// A picture that was named on the command line and cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn unreadable(error: DataError) -> Failure {
    Failure::usage(error.to_string())
}

/// A mask, with a warning where other pixels may be meant.
fn mask(path: &Path) -> Result<Mask, Failure> {
    let read = read_mask(path).map_err(unreadable)?;
    if let Some(doubt) = read.doubt {
        eprintln!("warning: {} {doubt}", file_name(path));
    }
    Ok(read.mask)
}

/// The smallest and the largest grey value, each with its share of the pixels where that is large; nothing for a
/// picture of a single value.
pub(super) fn clipped(pixels: &[f32]) -> [Option<(f32, f64)>; 2] {
    let ends = [
        pixels.iter().copied().fold(f32::INFINITY, f32::min),
        pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    ];
    ends.map(|end| {
        let share = pixels.iter().filter(|v| **v == end).count() as f64 / pixels.len() as f64;
        (share > CLIPPED && share < 1.0).then_some((end, share))
    })
}

fn warn_of_clipping(path: &Path, pixels: &[f32]) {
    let name = file_name(path);
    if let Some(first) = pixels.first()
        && pixels.iter().all(|value| value == first)
    {
        eprintln!("warning: every pixel of {name} has the grey value {first}");
    }
    for (end, found) in ENDS.iter().zip(clipped(pixels)) {
        if let Some((grey, share)) = found {
            eprintln!(
                "warning: {:.0} % of the pixels of {name} have its {} grey value, {grey}; the picture is {}",
                100.0 * share,
                end.value,
                end.word
            );
        }
    }
}
