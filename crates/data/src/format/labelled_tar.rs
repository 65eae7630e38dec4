//! `labelled-tar`: small pictures of one size in two tars, with tables of labels and classes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use retrial_core::census::{Census, count};
use retrial_core::file;
use retrial_core::hash::FieldHasher;

use super::{Format, Inputs};
use crate::content::Model;
use crate::error::DataError;
use crate::picture::decode_rgb;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "labelled-tar",
    settings: None,
    roles: &["train", "val", "labels", "classes"],
    generates: false,
};

/// Largest file of one picture.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Pictures with one class and one box each.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledSet {
    /// The classes; a label is the place of its class here.
    pub classes: Vec<LabelledClass>,
    /// The training part.
    pub train: LabelledPictures,
    /// The validation part.
    pub val: LabelledPictures,
}

/// A class of pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledClass {
    /// Its id, such as a WordNet id.
    pub id: String,
    /// What it is called.
    pub words: String,
}

/// Pictures of one size, in the order of the table of labels.
///
/// # Shapes
/// - `pixels`: `[item, row, column, 3]`, 8 bits a channel; a grey picture has three equal ones
/// - `labels`: `[item]`
/// - `boxes`: `[item]`, corners `[x0, y0, x1, y1]` in px, pixel `i` covers `i..i + 1`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelledPictures {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels.
    pub pixels: Vec<u8>,
    /// The place of the class in the list of classes.
    pub labels: Vec<u16>,
    /// The box of the object.
    pub boxes: Vec<[f64; 4]>,
    /// blake3 over the compressed pictures in order. It enters the digest in place of `pixels`,
    /// because two JPEG decoders may differ by a grey level.
    pub encoded: String,
}

/// Decodes all pictures.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<LabelledSet, DataError> {
    let classes = read_classes(inputs.role("classes")?)?;
    let table = inputs.role("labels")?;
    let rows = read_labels(table, &classes)?;
    let part = |split: &str| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.split == split).collect();
        read_pictures(inputs.role(split)?, table, &rows)
    };
    let (train, val) = (part("train")?, part("val")?);
    Ok(LabelledSet {
        classes,
        train,
        val,
    })
}

/// One line of the table of labels.
struct Row {
    split: String,
    label: u16,
    path: String,
    corners: [f64; 4],
}

fn read_classes(path: &Path) -> Result<Vec<LabelledClass>, DataError> {
    let text = file::text(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let mut classes: Vec<LabelledClass> = Vec::new();
    for (line, row) in text.lines().enumerate() {
        let fault = |what: &str| fault(path, line, 1, what.to_owned());
        let (id, words) = row.split_once('\t').ok_or_else(|| fault("no tab"))?;
        if classes.iter().any(|class| class.id == id) {
            return Err(fault("a class that is listed before"));
        }
        classes.push(LabelledClass {
            id: id.to_owned(),
            words: words.to_owned(),
        });
    }
    match u16::try_from(classes.len()) {
        Ok(1..) => Ok(classes),
        _ => Err(DataError::format(
            path,
            format!(
                "{}, expected 1 to {}",
                count(classes.len(), "class"),
                u16::MAX
            ),
        )),
    }
}

fn fault(path: &Path, line: usize, column: usize, what: String) -> DataError {
    DataError::Text {
        path: path.to_owned(),
        line: line + 1,
        column,
        what,
    }
}

/// `split wnid path xmin ymin xmax ymax`, a header first; a box ends on its last pixel.
fn read_labels(path: &Path, classes: &[LabelledClass]) -> Result<Vec<Row>, DataError> {
    let text = file::text(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let ids = classes.iter().map(|class| class.id.as_str());
    let ids: HashMap<&str, u16> = ids.zip(0..).collect();
    let mut rows = Vec::new();
    for (line, row) in text.lines().enumerate().skip(1) {
        let fault = |column, what| fault(path, line, column, what);
        let fields: Vec<&str> = row.split('\t').collect();
        let [split, class, picture, numbers @ ..] = &fields[..] else {
            return Err(fault(
                1,
                format!("{}, expected 7", count(fields.len(), "field")),
            ));
        };
        if numbers.len() != 4 {
            return Err(fault(
                1,
                format!("{}, expected 7", count(fields.len(), "field")),
            ));
        }
        let Some(&label) = ids.get(class) else {
            return Err(fault(2, format!("the class {class:?} is not listed")));
        };
        if !matches!(*split, "train" | "val") {
            let what = format!("the split {split:?} is not known; it is train or val");
            return Err(fault(1, what));
        }
        let mut values = [0.0; 4];
        for ((value, number), column) in values.iter_mut().zip(numbers).zip(4..) {
            *value = match number.parse::<f64>() {
                Ok(number) if number.is_finite() => number,
                _ => return Err(fault(column, format!("{number:?} is no number"))),
            };
        }
        let [x0, y0, x1, y1] = values;
        if x0 > x1 || y0 > y1 {
            return Err(fault(4, format!("the box {values:?} is inverted")));
        }
        rows.push(Row {
            split: (*split).to_owned(),
            label,
            path: (*picture).to_owned(),
            corners: [x0, y0, x1 + 1.0, y1 + 1.0],
        });
    }
    Ok(rows)
}

/// The pictures of `rows` out of a tar, which may hold them in any order.
fn read_pictures(path: &Path, table: &Path, rows: &[&Row]) -> Result<LabelledPictures, DataError> {
    let places: HashMap<&str, usize> = rows.iter().map(|row| row.path.as_str()).zip(0..).collect();
    if places.len() != rows.len() {
        let what = format!(
            "{} name {}",
            count(rows.len(), "row"),
            count(places.len(), "picture")
        );
        return Err(DataError::format(table, what));
    }
    let mut set = LabelledPictures::default();
    let mut hashes = vec![String::new(); rows.len()];
    let file = File::open(path).map_err(DataError::io("reading", path))?;
    let mut tar = tar::Archive::new(BufReader::new(file));
    let damaged =
        |error: std::io::Error| DataError::format(path, format!("a damaged tar: {error}"));
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(&place) = places.get(name.as_str()) else {
            continue;
        };
        if entry.size() > MAX_FILE_BYTES {
            let what = format!(
                "{name} has {} bytes, at most {MAX_FILE_BYTES}",
                entry.size()
            );
            return Err(DataError::format(path, what));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        let fault = |what: String| DataError::format(path, format!("{name}: {what}"));
        let picture = decode_rgb(&bytes).map_err(fault)?;
        if set.pixels.is_empty() {
            (set.width, set.height) = (picture.width, picture.height);
            set.pixels = vec![0; rows.len() * picture.rgb.len()];
        }
        if (picture.width, picture.height) != (set.width, set.height) {
            return Err(fault(format!(
                "{} × {} px, the pictures before have {} × {} px",
                picture.width, picture.height, set.width, set.height
            )));
        }
        let size = picture.rgb.len();
        set.pixels[place * size..(place + 1) * size].copy_from_slice(&picture.rgb);
        hashes[place] = retrial_core::hash::content(&bytes);
    }
    if let Some(missing) = hashes.iter().position(String::is_empty) {
        let what = format!(
            "no picture {}, which is in {}",
            rows[missing].path,
            table.display()
        );
        return Err(DataError::format(path, what));
    }
    let mut hasher = FieldHasher::new("retrial compressed pictures v1");
    for hash in &hashes {
        hasher.field(hash.as_bytes());
    }
    set.encoded = hasher.tagged();
    for row in rows {
        let [_, _, x1, y1] = row.corners;
        if x1 > set.width as f64 || y1 > set.height as f64 || row.corners.iter().any(|&v| v < 0.0) {
            let what = format!(
                "the box {:?} of {} leaves the picture of {} × {} px",
                row.corners, row.path, set.width, set.height
            );
            return Err(DataError::format(table, what));
        }
        set.labels.push(row.label);
        set.boxes.push(row.corners);
    }
    Ok(set)
}

impl LabelledPictures {
    /// Number of pictures.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of picture `i`, `[row, column, 3]`, or `None` past the end.
    #[must_use]
    pub fn item(&self, i: usize) -> Option<&[u8]> {
        let size = self.width * self.height * 3;
        self.pixels.get(i.checked_mul(size)?..(i + 1) * size)
    }
}

impl Model for LabelledSet {
    const KIND: &'static str = "labelled pictures";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial labelled pictures v1");
        for class in &self.classes {
            hasher
                .field(class.id.as_bytes())
                .field(class.words.as_bytes());
        }
        for part in [&self.train, &self.val] {
            let labels: Vec<u8> = part.labels.iter().flat_map(|l| l.to_le_bytes()).collect();
            let boxes = part.boxes.iter().flatten();
            let boxes: Vec<u8> = boxes.flat_map(|value| value.to_le_bytes()).collect();
            hasher
                .field(&(part.width as u64).to_le_bytes())
                .field(&(part.height as u64).to_le_bytes())
                .field(part.encoded.as_bytes())
                .field(&labels)
                .field(&boxes);
        }
        hasher.tagged()
    }

    fn census(&self) -> Census {
        let mut census = Census::default();
        let (train, val) = (self.train.len(), self.val.len());
        census.fact(format!(
            "{train} training and {} of {}",
            count(val, "validation picture"),
            count(self.classes.len(), "class")
        ));
        census
    }
}
