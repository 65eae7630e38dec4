//! A reference picture and deformed pictures, with the displacement imposed on each.

use retrial_core::displacement::Displacement;
use retrial_core::hash::FieldHasher;
use retrial_image::GrayImage;

use super::{Model, hash_size};

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

impl Model for ImageSeries {
    const KIND: &'static str = "image series";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial image series v1");
        let picture = |hasher: &mut FieldHasher, image: &GrayImage| {
            hash_size(hasher, image.width(), image.height());
            let bytes: Vec<u8> = image
                .pixels()
                .iter()
                .flat_map(|p| p.to_le_bytes())
                .collect();
            hasher.field(&bytes);
        };
        picture(&mut hasher, &self.reference);
        for image in &self.images {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Content;

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
