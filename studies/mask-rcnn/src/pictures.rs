//! What was found, drawn into pictures that may be shown.

use retrial_core::rows;
use retrial_image::InstanceMask;
use retrial_instances::evaluate::Detection;
use retrial_runner::{Context, TrialError};

use super::items::Items;

/// Pictures shown.
const SHOWN: usize = 6;
/// Detections drawn are at least this sure.
const SURE: f32 = 0.5;
/// Black pixels between tiles.
const GAP: usize = 2;

rows! {
    /// Pictures beside a record.
    pub(super) const TABLES;

    /// One row, of generated scenes only.
    pub(super) struct DetectionPicturesRow in "detection_pictures" was "seen" {
        /// Number of pictures shown.
        pictures: usize;
        /// File: judged pictures, their true outlines, and those found with a confidence of 0.5 and more.
        picture: &'static str;
    }
}

/// Draws the first judged pictures, their true outlines and those found.
///
/// Only of generated scenes: the real sets state no licence, so nothing that shows them is kept.
pub(super) fn draw(
    context: &mut Context,
    items: &Items,
    found: &[Vec<Detection>],
) -> Result<(), TrialError> {
    if !context.data_is_generated()? {
        return Ok(());
    }
    let shown = items.test.iter().zip(found).take(SHOWN);
    let mut rows: [Vec<Vec<u8>>; 3] = Default::default();
    for (item, found) in shown {
        let gray: Vec<u8> = item
            .gray
            .iter()
            .map(|value| (value * 255.0).round() as u8)
            .collect();
        let truth: Vec<InstanceMask> = item.objects.iter().map(|o| o.mask.clone()).collect();
        let sure = found
            .iter()
            .filter(|detection| detection.confidence >= SURE);
        let detected: Result<Vec<InstanceMask>, TrialError> =
            sure.map(|detection| outline_of(detection, items)).collect();
        rows[1].push(outlined(&gray, &truth, items.train.frame.width));
        rows[2].push(outlined(&gray, &detected?, items.train.frame.width));
        rows[0].push(gray);
    }
    let columns = rows[0].len();
    let (width, height) = (
        columns * (items.train.frame.width + GAP) + GAP,
        rows.len() * (items.train.frame.height + GAP) + GAP,
    );
    let mut picture = vec![0; width * height];
    for (row, tiles) in rows.iter().enumerate() {
        for (column, tile) in tiles.iter().enumerate() {
            let (left, top) = (
                GAP + column * (items.train.frame.width + GAP),
                GAP + row * (items.train.frame.height + GAP),
            );
            for (y, line) in tile.chunks(items.train.frame.width).enumerate() {
                let start = (top + y) * width + left;
                picture[start..start + items.train.frame.width].copy_from_slice(line);
            }
        }
    }
    context.picture("detection_pictures", width as u32, height as u32, &picture)?;
    context.rows(&[DetectionPicturesRow {
        pictures: columns,
        picture: "detection_pictures.png",
    }])
}

/// The mask of a detection, of its box where it has none.
fn outline_of(detection: &Detection, items: &Items) -> Result<InstanceMask, TrialError> {
    match &detection.mask {
        Some(runs) => Ok(runs.mask()),
        None => {
            let corners = detection.corners.map(f64::from);
            retrial_image::polygon::fill_box(
                corners,
                items.train.frame.height,
                items.train.frame.width,
            )
            .map_err(TrialError::of)
        }
    }
}

/// A darker picture with the borders of masks in white.
fn outlined(gray: &[u8], masks: &[InstanceMask], width: usize) -> Vec<u8> {
    let mut drawn: Vec<u8> = gray.iter().map(|value| value / 2).collect();
    for mask in masks {
        let inside = mask.inside();
        for (at, pixel) in drawn.iter_mut().enumerate() {
            let (x, y) = (at % width, at / width);
            let same = |x: usize, y: usize| x < width && inside.get(y * width + x) == Some(&true);
            let within = x > 0
                && y > 0
                && same(x - 1, y)
                && same(x + 1, y)
                && same(x, y - 1)
                && same(x, y + 1);
            if inside[at] && !within {
                *pixel = 255;
            }
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_border_is_white_and_the_inside_is_not() {
        let mut inside = vec![false; 25];
        for y in 1..4 {
            for x in 1..4 {
                inside[y * 5 + x] = true;
            }
        }
        let mask = InstanceMask::new(5, 5, inside).unwrap();
        let drawn = outlined(&[100; 25], &[mask], 5);
        assert_eq!(drawn.iter().filter(|&&value| value == 255).count(), 8);
        assert_eq!((drawn[12], drawn[0]), (50, 50));
    }
}
