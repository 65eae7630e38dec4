//! What `retrial dic` reads before the first correlation: reference, mask or points, calibration.

use std::fs::File;
use std::path::Path;

use retrial_core::image::Mask;
use retrial_data::{DataError, read_gray, read_mask};
use retrial_dic::calibration::PixelMap;
use retrial_dic::{Reference, Settings, prepare, prepare_points};

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
        for path in &args.deformed {
            is_there(path)?;
        }
        let image = read_gray(&args.reference).map_err(unreadable)?;
        warn_of_saturation(&args.reference, image.pixels());
        let mask = args.mask.as_deref().map(mask).transpose()?;
        let points = args.points.as_deref().map(read_points).transpose()?;
        let suited = Suited::new(args, &image, mask.as_ref(), settings)?;
        let settings = suited.settings();
        let reference = match points {
            Some(points) => prepare_points(&image, points, settings),
            None => prepare(&image, mask.as_ref(), settings),
        };
        let reference = reference.map_err(refused)?;
        Ok(Self {
            reference,
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

/// Refuses a deformed image that cannot be opened before anything is written.
fn is_there(path: &Path) -> Result<(), Failure> {
    let opened = File::open(path).and_then(|file| file.metadata());
    let why = match opened {
        Ok(found) if found.is_dir() => "is a folder".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let number = path
        .to_str()
        .is_some_and(|text| text.parse::<f64>().is_ok());
    let hint = if number {
        "; the share of --truncate follows an equals sign: --truncate=0.5"
    } else {
        ""
    };
    let path = path.display();
    Err(Failure::usage(format!("cannot read {path}: {why}{hint}")))
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

/// Chosen points: a line each, column and row in whole pixels; a head line and `#` comments are
/// allowed.
fn read_points(path: &Path) -> Result<Vec<(usize, usize)>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let mut points = Vec::new();
    let mut head = true;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split([',', ';', '\t', ' ']).collect();
        let cells: Vec<&str> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        let names = cells.iter().all(|cell| cell.parse::<f64>().is_err());
        if std::mem::take(&mut head) && names {
            continue;
        }
        let place = |cell: &str| cell.parse::<usize>().ok();
        match cells[..] {
            [x, y, ..] if place(x).is_some() && place(y).is_some() => {
                points.extend(place(x).zip(place(y)));
            }
            _ => {
                return Err(Failure::usage(format!(
                    "{}, line {number}: expected column and row as whole pixels, found {line:?}",
                    path.display()
                )));
            }
        }
    }
    Ok(points)
}
