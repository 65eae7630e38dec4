//! Decoded content and its digest: what trials see, whatever the files looked like.

use retrial_core::displacement::Displacement;
use retrial_core::hash::FieldHasher;
use retrial_image::GrayImage;

use crate::format::labelled::LabelledSet;
use crate::format::pictures::PictureFolder;
use crate::format::several;
use crate::format::target_points::TargetPoints;
use crate::format::thermal::ThermalSet;
use crate::format::weights::WeightsFile;

/// The decoded content of a data set.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A series of grey pictures with the displacement imposed on each.
    Series(ImageSeries),
    /// Labelled digits.
    Digits(Digits),
    /// Infrared pictures with annotations.
    Thermal(ThermalSet),
    /// Small pictures, each with its class and a box.
    Labelled(LabelledSet),
    /// Picture files, decoded one at a time.
    Pictures(PictureFolder),
    /// Trained weights of a net.
    Weights(WeightsFile),
    /// Points of calibration targets.
    Targets(TargetPoints),
    /// Several data sets with their names, in the manifest's order.
    Several(Vec<(String, Content)>),
}

/// What the kinds of content are called where studies say which they take.
pub mod kind {
    /// [`super::Content::Series`].
    pub const SERIES: &str = "image series";
    /// [`super::Content::Digits`].
    pub const DIGITS: &str = "digits";
    /// [`super::Content::Thermal`].
    pub const THERMAL: &str = "infrared pictures";
    /// [`super::Content::Labelled`].
    pub const LABELLED: &str = "labelled pictures";
    /// [`super::Content::Pictures`].
    pub const PICTURES: &str = "picture files";
    /// [`super::Content::Weights`].
    pub const WEIGHTS: &str = "weights of a net";
    /// [`super::Content::Targets`].
    pub const TARGETS: &str = "calibration points";
    /// [`super::Content::Several`].
    pub const SEVERAL: &str = "several data sets";
}

/// A reference picture and deformed pictures of the same size.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSeries {
    /// Name of the reference picture.
    pub reference_name: String,
    /// The reference picture.
    pub reference: GrayImage,
    /// The deformed pictures, in order.
    pub images: Vec<SeriesImage>,
}

/// One deformed picture.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesImage {
    /// Its name, a file name or `image 3`.
    pub name: String,
    /// Its pixels.
    pub image: GrayImage,
    /// What was imposed.
    pub truth: Truth,
}

/// What is known about the displacement of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Nothing: a real experiment.
    Unknown,
    /// An exact field.
    Field(Displacement),
    /// `u` as a function of the column, from a table; `v` is zero.
    Columns(ColumnTable),
}

/// A displacement `u` given for the columns `x0, x0 + 1, …`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnTable {
    /// First column, px.
    pub x0: f64,
    /// Displacement to the right at every column, px.
    pub u: Vec<f64>,
    /// Normal strain along x at every column, as a fraction; empty where it is not given.
    pub exx: Vec<f64>,
}

impl Truth {
    /// The imposed displacement `(u, v)` in px at `(x, y)` px of the reference, if it is known
    /// there; a table is interpolated linearly.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        match self {
            Self::Unknown => None,
            Self::Field(field) => Some(field.at(x, y)),
            Self::Columns(table) => interpolate(&table.u, x - table.x0).map(|u| (u, 0.0)),
        }
    }
}

fn interpolate(values: &[f64], t: f64) -> Option<f64> {
    if !(0.0..=(values.len().checked_sub(1)? as f64)).contains(&t) {
        return None;
    }
    let i = (t as usize).min(values.len().saturating_sub(2));
    let next = values.get(i + 1).copied().unwrap_or(values[i]);
    Some(values[i] + (t - i as f64) * (next - values[i]))
}

/// Handwritten digits, split as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// The training part.
    pub train: DigitSet,
    /// The test part.
    pub test: DigitSet,
    /// What was changed or left out so that the rest can be read; no part of the digest.
    pub repairs: Vec<String>,
}

/// Pictures of digits with labels.
///
/// # Shapes
/// - `labels`: `[item]`, `0..=9`
/// - `pixels`: `[item, row, column]`, `0..=255`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitSet {
    /// Columns of one picture.
    pub width: usize,
    /// Rows of one picture.
    pub height: usize,
    /// One label an item.
    pub labels: Vec<u8>,
    /// All pixels, item by item, row by row.
    pub pixels: Vec<u8>,
}

impl DigitSet {
    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of item `i`, row by row, or `None` past the end.
    #[must_use]
    pub fn item(&self, i: usize) -> Option<&[u8]> {
        let size = self.width * self.height;
        self.pixels.get(i.checked_mul(size)?..(i + 1) * size)
    }
}

impl Content {
    /// The digest of the decoded content, `blake3:…`: sizes, pixels, labels, truth and
    /// annotations in order; file names and encodings do not enter.
    #[must_use]
    pub fn digest(&self) -> String {
        match self {
            Self::Series(series) => series_digest(series),
            Self::Digits(digits) => {
                let mut hasher = FieldHasher::new("retrial digits v1");
                for set in [&digits.train, &digits.test] {
                    size(&mut hasher, set.width, set.height);
                    hasher.field(&set.labels).field(&set.pixels);
                }
                hasher.tagged()
            }
            Self::Thermal(set) => set.digest(),
            Self::Labelled(set) => set.digest(),
            Self::Pictures(folder) => folder.digest(),
            Self::Weights(file) => file.digest.clone(),
            Self::Targets(points) => points.digest(),
            Self::Several(parts) => several::digest(
                parts
                    .iter()
                    .map(|(name, part)| (name.as_str(), part.digest())),
            ),
        }
    }

    /// What kind of content this is, in a word or two.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Series(_) => kind::SERIES,
            Self::Digits(_) => kind::DIGITS,
            Self::Thermal(_) => kind::THERMAL,
            Self::Labelled(_) => kind::LABELLED,
            Self::Pictures(_) => kind::PICTURES,
            Self::Weights(_) => kind::WEIGHTS,
            Self::Targets(_) => kind::TARGETS,
            Self::Several(_) => kind::SEVERAL,
        }
    }

    /// The part of that name, where this is several data sets.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Several(parts) => parts.iter().find(|part| part.0 == name).map(|part| &part.1),
            _ => None,
        }
    }
}

fn size(hasher: &mut FieldHasher, width: usize, height: usize) {
    hasher
        .field(&(width as u64).to_le_bytes())
        .field(&(height as u64).to_le_bytes());
}

fn series_digest(series: &ImageSeries) -> String {
    let mut hasher = FieldHasher::new("retrial image series v1");
    let picture = |hasher: &mut FieldHasher, image: &GrayImage| {
        size(hasher, image.width(), image.height());
        let bytes: Vec<u8> = image
            .pixels()
            .iter()
            .flat_map(|p| p.to_le_bytes())
            .collect();
        hasher.field(&bytes);
    };
    picture(&mut hasher, &series.reference);
    for image in &series.images {
        picture(&mut hasher, &image.image);
        match &image.truth {
            Truth::Unknown => hasher.field(b"unknown"),
            // A struct without maps or non-string keys always becomes JSON; its numbers are
            // written in the shortest form that reads back to the same bits.
            Truth::Field(field) => {
                hasher.field(serde_json::to_string(field).unwrap_or_default().as_bytes())
            }
            Truth::Columns(table) => {
                hasher.field(b"columns").field(&table.x0.to_le_bytes());
                for values in [&table.u, &table.exx] {
                    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                    hasher.field(&bytes);
                }
                &mut hasher
            }
        };
    }
    hasher.tagged()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_interpolated_inside_and_unknown_outside() {
        let truth = Truth::Columns(ColumnTable {
            x0: 10.0,
            u: vec![0.0, 1.0, 4.0],
            exx: Vec::new(),
        });
        assert_eq!(truth.at(10.5, 3.0), Some((0.5, 0.0)));
        assert_eq!(truth.at(12.0, 3.0), Some((4.0, 0.0)));
        assert_eq!(truth.at(12.1, 3.0), None);
        assert_eq!(truth.at(9.9, 3.0), None);
    }

    #[test]
    fn the_truth_enters_the_digest() {
        let image = GrayImage::new(1, 1, vec![7.0]).expect("one pixel");
        let digest = |truth: Truth| {
            Content::Series(ImageSeries {
                reference_name: "r".to_owned(),
                reference: image.clone(),
                images: vec![SeriesImage {
                    name: "d".to_owned(),
                    image: image.clone(),
                    truth,
                }],
            })
            .digest()
        };
        let shift = |u| Truth::Field(Displacement::Translation { u, v: 0.0 });
        assert_ne!(digest(shift(0.1)), digest(shift(0.2)));
        assert_ne!(digest(Truth::Unknown), digest(shift(0.0)));
    }
}
