//! `image-series`: a reference picture, deformed pictures of the same size and their truth.

pub mod settings;
pub mod truth;

use std::path::Path;

use retrial_core::census::count;
use retrial_core::file;
use retrial_image::GrayImage;

use self::settings::SeriesSettings;
use self::truth::{TableSettings, TruthSettings};
use super::{Format, Inputs};
use crate::content::series::{ColumnTable, ImageSeries, SeriesImage, Truth};
use crate::error::DataError;
use crate::picture::read_gray;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "image-series",
    settings: Some(settings::KEY),
    roles: &["", "truth"],
    generates: false,
};

/// Decodes the series its settings describe.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<ImageSeries, DataError> {
    let settings: &SeriesSettings = inputs.settings();
    let reference_path = inputs.file(&settings.reference)?;
    let mut reference = read_gray(reference_path)?;
    let whole = reference.height();
    if let Some((first, number)) = settings.reference_rows {
        reference = rows(reference_path, &reference, first, number)?;
    }
    let mut images = Vec::with_capacity(settings.images.len());
    for (file, truth) in &settings.images {
        let path = inputs.file(file)?;
        let mut image = read_gray(path)?;
        // A picture as tall as the whole reference is cut like it; others were published cut.
        if let Some((first, number)) = settings.reference_rows
            && image.height() == whole
        {
            image = rows(path, &image, first, number)?;
        }
        if (image.width(), image.height()) != (reference.width(), reference.height()) {
            return Err(DataError::MixedSizes {
                path: path.to_owned(),
                width: reference.width(),
                height: reference.height(),
                got_width: image.width(),
                got_height: image.height(),
            });
        }
        let truth = match truth {
            TruthSettings::Unknown => Truth::Unknown,
            TruthSettings::Field(field) => Truth::Field(field.clone()),
            TruthSettings::Table(table) => {
                Truth::Columns(read_table(inputs.file(&table.file)?, table)?)
            }
        };
        images.push(SeriesImage {
            name: file.clone(),
            image,
            truth,
        });
    }
    Ok(ImageSeries {
        reference_name: settings.reference.clone(),
        reference,
        images,
    })
}

fn rows(
    path: &Path,
    image: &GrayImage,
    first: usize,
    number: usize,
) -> Result<GrayImage, DataError> {
    let (width, height) = (image.width(), image.height());
    if first.checked_add(number).is_none_or(|end| end > height) {
        let what = format!(
            "{}, the manifest takes {number} from row {first}",
            count(height, "row")
        );
        return Err(DataError::format(path, what));
    }
    let pixels = image.pixels()[first * width..(first + number) * width].to_vec();
    GrayImage::new(width, number, pixels).map_err(DataError::image(path))
}

/// A comma-separated table whose field 0 counts the columns of the picture, one by one.
fn read_table(path: &Path, settings: &TableSettings) -> Result<ColumnTable, DataError> {
    let text = file::text(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let mut table = ColumnTable {
        x0: 0.0,
        u: Vec::new(),
        exx: Vec::new(),
    };
    for (i, line) in text.lines().enumerate().skip(settings.header_lines) {
        if line.trim_matches([',', ' ']).is_empty() {
            continue;
        }
        let field = |field: usize| -> Result<f64, DataError> {
            let found = line.split(',').nth(field).unwrap_or("");
            let value: Option<f64> = found.trim().parse().ok().filter(|v: &f64| v.is_finite());
            value.ok_or_else(|| DataError::Text {
                path: path.to_owned(),
                line: i + 1,
                column: field + 1,
                what: format!("expected a number, found {found:?}"),
            })
        };
        let x = field(0)?;
        if table.u.is_empty() {
            table.x0 = x;
        }
        let expected = table.x0 + table.u.len() as f64;
        if x != expected {
            return Err(DataError::Text {
                path: path.to_owned(),
                line: i + 1,
                column: 1,
                what: format!("column {x}, expected {expected}"),
            });
        }
        table.u.push(field(settings.u_field)?);
        if let Some(exx) = settings.exx_field {
            table.exx.push(field(exx)? * 1e-6);
        }
    }
    if table.u.is_empty() {
        return Err(DataError::format(path, "the table holds no row"));
    }
    Ok(table)
}
