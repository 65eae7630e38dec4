//! `target-points`: points of a flat calibration target, as they lie on it and as cameras saw
//! them, from two comma-separated files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use retrial_core::census::count;
use retrial_core::fault::Faults;
use retrial_core::hash::FieldHasher;
use retrial_core::keys::{Form, Key, KeyType as _};
use retrial_core::yaml::Node;
use retrial_core::{bounded, file, keys};

use super::{Format, FormatSettings, Inputs, SettingsKey};
use crate::content::Model;
use crate::error::DataError;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "target-points",
    settings: Some(SettingsKey {
        key: Key::new("targets", TargetKeys::form, "Settings of `target-points`."),
        read: read_settings,
    }),
    roles: &["image", "world"],
    generates: false,
};

keys! {
    /// How the points of a calibration target are written.
    pub struct TargetKeys {
        /// The coordinate of the first pixel's centre in the files: 0, or 1 as in MATLAB.
        first_pixel: FirstPixel [needed()];
    }
}

bounded! {
    /// The coordinate of the first pixel's centre.
    pub struct FirstPixel(u64) in Form::Int(0, 1);
    first => format!("the first pixel's centre is at {first}"), "use 0, or 1 as in MATLAB";
}

/// `targets:` how the points of a calibration target are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSettings {
    /// The coordinate of the first pixel's centre: 0, or 1 as in MATLAB.
    pub first_pixel: u8,
}

impl FormatSettings for TargetSettings {}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = TargetKeys::read(node, path, faults)?;
    let first_pixel = u8::try_from(keys.first_pixel?.0).ok()?;
    Some(Arc::new(TargetSettings { first_pixel }))
}

/// Points of a target and where images show them.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetPoints {
    /// The file of the image points: columns `camera`, `image`, `point`, `x_px`, `y_px`.
    pub image_file: PathBuf,
    /// The file of the target's points: columns `X_mm`, `Y_mm`.
    pub world_file: PathBuf,
    /// The coordinate of the first pixel's centre in the file: 0, or 1 as in MATLAB.
    pub first_pixel: u8,
    /// Places on the target, mm.
    pub world_mm: Vec<[f64; 2]>,
    /// Every point that an image shows, in the order of the file.
    pub seen: Vec<SeenPoint>,
}

/// One point of the target in one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenPoint {
    /// The camera, from 0.
    pub camera: usize,
    /// The image, from 0.
    pub image: usize,
    /// The point's place in [`TargetPoints::world_mm`].
    pub point: usize,
    /// Column and row as the file states them, px.
    pub px: [f64; 2],
}

impl Model for TargetPoints {
    const KIND: &'static str = "calibration points";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial target points v1");
        hasher.field(&[self.first_pixel]);
        for place in &self.world_mm {
            hasher.field(&bytes(place));
        }
        for seen in &self.seen {
            let at = [seen.camera, seen.image, seen.point].map(|number| number as u64);
            hasher.field(&at.map(u64::to_le_bytes).concat());
            hasher.field(&bytes(&seen.px));
        }
        hasher.tagged()
    }
}

fn bytes(pair: &[f64; 2]) -> Vec<u8> {
    pair.map(f64::to_le_bytes).concat()
}

/// Reads the two files of their roles.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<TargetPoints, DataError> {
    let settings: &TargetSettings = inputs.settings();
    let (image_file, world_file) = (inputs.role("image")?, inputs.role("world")?);
    let world_mm = rows(world_file, ["X_mm", "Y_mm"])?;
    let world_mm: Vec<[f64; 2]> = world_mm.into_iter().map(|row| row.1).collect();
    let mut seen = Vec::new();
    for (line, row) in rows(image_file, ["camera", "image", "point", "x_px", "y_px"])? {
        let whole = |field: usize| -> Result<usize, DataError> {
            let value: f64 = row[field];
            // Whole numbers below a million are exact and fit every `usize`.
            match value.fract() == 0.0 && (0.0..1e6).contains(&value) {
                true => Ok(value as usize),
                false => Err(DataError::Text {
                    path: image_file.to_owned(),
                    line,
                    column: field + 1,
                    what: format!("expected a whole number below a million, found {value}"),
                }),
            }
        };
        let point = whole(2)?;
        if point >= world_mm.len() {
            return Err(DataError::Text {
                path: image_file.to_owned(),
                line,
                column: 3,
                what: format!("point {point}, the target has {}", world_mm.len()),
            });
        }
        seen.push(SeenPoint {
            camera: whole(0)?,
            image: whole(1)?,
            point,
            px: [row[3], row[4]],
        });
    }
    Ok(TargetPoints {
        image_file: image_file.to_owned(),
        world_file: world_file.to_owned(),
        first_pixel: settings.first_pixel,
        world_mm,
        seen,
    })
}

/// The finite numbers of a comma-separated file with exactly these columns, each row with its
/// line.
fn rows<const N: usize>(
    path: &Path,
    names: [&str; N],
) -> Result<Vec<(usize, [f64; N])>, DataError> {
    let text = file::text(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let mut lines = (1..).zip(text.lines());
    let head = lines.next().map_or("", |line| line.1);
    if head.trim_end() != names.join(",") {
        let what = format!("the columns are {head:?}, expected {:?}", names.join(","));
        return Err(DataError::format(path, what));
    }
    let mut found = Vec::new();
    for (line, row) in lines.filter(|line| !line.1.trim().is_empty()) {
        let wrong = |column: usize, what: String| DataError::Text {
            path: path.to_owned(),
            line,
            column,
            what,
        };
        let cells: Vec<&str> = row.split(',').collect();
        if cells.len() != N {
            return Err(wrong(
                1,
                format!("{}, expected {N}", count(cells.len(), "field")),
            ));
        }
        let mut numbers = [0.0; N];
        for (field, (number, cell)) in numbers.iter_mut().zip(&cells).enumerate() {
            let value = cell.trim().parse::<f64>().ok().filter(|v| v.is_finite());
            *number = value
                .ok_or_else(|| wrong(field + 1, format!("expected a number, found {cell:?}")))?;
        }
        found.push((line, numbers));
    }
    if found.is_empty() {
        return Err(DataError::format(path, "the file holds no point"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::format::{Content, InputFile, Settings};

    fn decoded(image: &str, world: &str, first_pixel: u8) -> Result<Content, DataError> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let at = folder.path().join(name);
            fs::write(&at, text).expect("written");
            InputFile {
                path: name.to_owned(),
                role: name.to_owned(),
                at,
            }
        };
        let points = decode(&Inputs {
            strict: false,
            dataset: "targets",
            settings: &Settings::new("targets", Arc::new(TargetSettings { first_pixel })),
            files: &[file("image", image), file("world", world)],
        });
        points.map(Content::Targets)
    }

    const IMAGE: &str = "camera,image,point,x_px,y_px\n0,0,1,10.5,20\n1,3,0,7,8.25\n";
    const WORLD: &str = "X_mm,Y_mm\n-3.5,0\n0,3.5\n";

    #[test]
    fn points_are_read_in_order_and_every_number_enters_the_digest() {
        let Content::Targets(points) = decoded(IMAGE, WORLD, 1).expect("two files") else {
            panic!("target points");
        };
        assert_eq!(points.world_mm, [[-3.5, 0.0], [0.0, 3.5]]);
        let last = points.seen[1];
        assert_eq!((last.camera, last.image, last.point), (1, 3, 0));
        assert_eq!(last.px, [7.0, 8.25]);
        let digest = |image: &str, world: &str, first| {
            decoded(image, world, first).expect("two files").digest()
        };
        let own = digest(IMAGE, WORLD, 1);
        assert_eq!(own, digest(&IMAGE.replace("10.5", "10.50"), WORLD, 1));
        assert_ne!(own, digest(IMAGE, WORLD, 0));
        assert_ne!(own, digest(&IMAGE.replace("10.5", "10.6"), WORLD, 1));
        assert_ne!(own, digest(&IMAGE.replace("1,3,0", "1,2,0"), WORLD, 1));
        assert_ne!(own, digest(IMAGE, &WORLD.replace("-3.5", "3.5"), 1));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (image, world, words) in [
            (
                IMAGE.replace("x_px", "x"),
                WORLD.to_owned(),
                "the columns are",
            ),
            (
                IMAGE.replace("10.5", "NaN"),
                WORLD.to_owned(),
                "image:2:4: expected a number",
            ),
            (
                IMAGE.replace("1,3,0", "1,3,2"),
                WORLD.to_owned(),
                "image:3:3: point 2, the target has 2",
            ),
            (
                IMAGE.replace("1,3,0", "1,-3,0"),
                WORLD.to_owned(),
                "image:3:2: expected a whole number",
            ),
            (
                IMAGE.replace(",20\n", "\n"),
                WORLD.to_owned(),
                "image:2:1: 4 fields, expected 5",
            ),
            (
                IMAGE.to_owned(),
                "X_mm,Y_mm\n".to_owned(),
                "the file holds no point",
            ),
            (IMAGE.to_owned(), String::new(), "the columns are"),
        ] {
            let error = decoded(&image, &world, 1).expect_err("a fault").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
