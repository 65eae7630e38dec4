//! Parts of a picture without texture: a blank or saturated background beside the specimen.
//!
//! A subset that reaches over the end of the specimen is held by the edge alone on that side, and the edge between
//! two grey levels is what filter and interpolation represent worst. Pixels of such a background hold nothing to
//! match, and take no part.
//!
//! # Method
//! The picture is divided into cells of a quarter of a subset. A cell is flat where its contrast is small beside that
//! of the picture, and no larger than its noise makes it: the variance of white noise is a sixth of the mean square
//! of second differences, that of texture is larger. Only squares of flat cells as large as a subset count, at the
//! border of the picture half of one, so that no pattern that the subset suits is taken for a background. Their
//! pixels spread to those beside them of the same grey level, by a cell at most.
//!
//! # Source
//! The variance from differences: Immerkær 1996, doi:10.1006/cviu.1996.0060. The rules are our own.

use std::collections::VecDeque;

use rayon::prelude::*;
use retrial_image::GrayImage;

/// Cells along a side of the smallest square of a background, and of the part of it that the picture must hold.
const SQUARE: (usize, usize) = (4, 2);

/// Smallest width of a cell, px.
const SMALLEST: usize = 4;

/// Share of the cells with less contrast than the one that stands for the picture.
const TYPICAL: f64 = 0.98;

/// Largest standard deviation of a flat cell, and the one at which it is flat whatever its noise, by that of the
/// cell that stands for the picture.
const LARGEST: (f64, f64) = (0.2, 0.03);

/// Largest variance of a flat cell by that of its noise.
const MORE_THAN_NOISE: f64 = 2.5;

/// How far grey levels may lie from the mean of a flat cell to belong to it: in standard deviations of the cell, and
/// more by this share of the contrast of the picture.
const SAME_GREY: (f64, f64) = (4.0, 0.02);

/// What the pixels of a cell amount to.
#[derive(Clone, Copy)]
struct Cell {
    mean: f64,
    std: f64,
    /// Variance of white noise by second differences.
    noise: f64,
}

/// Which pixels, row by row, lie in a background without texture, for subsets of `size_px`; `None` where
/// there is none.
pub(crate) fn textureless(image: &GrayImage, size_px: usize) -> Option<Vec<bool>> {
    let (width, height) = (image.width(), image.height());
    let size = (size_px / SQUARE.0).max(SMALLEST);
    let (columns, rows) = (width / size, height / size);
    if columns < SQUARE.0 || rows < SQUARE.0 {
        return None;
    }
    let start = |k: usize| k * size;
    // The last cells take what is left over.
    let end = |k: usize, count: usize, n: usize| if k + 1 == count { n } else { (k + 1) * size };
    let cells: Vec<Cell> = (0..columns * rows)
        .into_par_iter()
        .with_min_len(64)
        .map(|k| {
            let (column, row) = (k % columns, k / columns);
            let lines = start(row)..end(row, rows, height);
            cell(image, start(column)..end(column, columns, width), lines)
        })
        .collect();
    let mut contrasts: Vec<f64> = cells.iter().map(|cell| cell.std).collect();
    let typical = (TYPICAL * (contrasts.len() - 1) as f64) as usize;
    let (_, &mut contrast, _) = contrasts.select_nth_unstable_by(typical, f64::total_cmp);
    let is_flat: Vec<bool> = cells
        .iter()
        .map(|cell| {
            let least = (LARGEST.1 * contrast).powi(2);
            cell.std < LARGEST.0 * contrast
                && cell.std.powi(2) <= MORE_THAN_NOISE * cell.noise + least
        })
        .collect();
    let kept = squares(&is_flat, columns, rows);
    if !kept.contains(&true) {
        return None;
    }
    let mut found = vec![false; width * height];
    let mut open = VecDeque::new();
    let of = |x: usize, y: usize| (y / size).min(rows - 1) * columns + (x / size).min(columns - 1);
    for y in 0..height {
        for x in 0..width {
            let k = of(x, y);
            if kept[k] {
                found[y * width + x] = true;
                open.push_back((x, y, k, 0));
            }
        }
    }
    while let Some((x, y, k, paces)) = open.pop_front() {
        if paces == size {
            continue;
        }
        let around = [
            (x.wrapping_sub(1), y),
            (x + 1, y),
            (x, y.wrapping_sub(1)),
            (x, y + 1),
        ];
        for (x, y) in around.into_iter().filter(|&(x, y)| x < width && y < height) {
            let grey = f64::from(image.row(y)[x]);
            let near = SAME_GREY.0 * cells[k].std + SAME_GREY.1 * contrast;
            if !found[y * width + x] && (grey - cells[k].mean).abs() <= near {
                found[y * width + x] = true;
                open.push_back((x, y, k, paces + 1));
            }
        }
    }
    Some(found)
}

fn cell(image: &GrayImage, across: std::ops::Range<usize>, lines: std::ops::Range<usize>) -> Cell {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let (mut differences, mut bends) = (0.0, 0.0);
    // Grey levels may lie far from zero.
    let offset = f64::from(image.row(lines.start)[across.start]);
    for y in lines {
        let row = &image.row(y)[across.clone()];
        for &grey in row {
            let grey = f64::from(grey) - offset;
            count += 1.0;
            sum += grey;
            squares += grey * grey;
        }
        for three in row.windows(3) {
            bends += f64::from(three[0] - 2.0 * three[1] + three[2]).powi(2);
            differences += 1.0;
        }
    }
    let mean = sum / count;
    Cell {
        mean: mean + offset,
        std: (squares / count - mean * mean).max(0.0).sqrt(),
        noise: bends / differences / 6.0,
    }
}

/// The flat cells that lie in squares of flat cells.
fn squares(is_flat: &[bool], columns: usize, rows: usize) -> Vec<bool> {
    let mut kept = vec![false; is_flat.len()];
    let beyond = SQUARE.0 - SQUARE.1;
    let span = |first: usize, count: usize| {
        // Counted from so many cells before the picture.
        first.saturating_sub(beyond)..(first + SQUARE.0).saturating_sub(beyond).min(count)
    };
    for top in 0..=rows + beyond - SQUARE.1 {
        for left in 0..=columns + beyond - SQUARE.1 {
            let cells = || {
                span(top, rows).flat_map(move |row| {
                    span(left, columns).map(move |column| row * columns + column)
                })
            };
            if cells().all(|k| is_flat[k]) {
                cells().for_each(|k| kept[k] = true);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(grey: impl Fn(usize, usize) -> f32) -> GrayImage {
        GrayImage::from_fn(120, 90, grey).expect("a valid size")
    }

    fn speckle(x: usize, y: usize) -> f32 {
        let (x, y) = (x as f32, y as f32);
        120.0 + 50.0 * (0.9 * x).sin() * (0.7 * y).cos() + 30.0 * (0.5 * x - 0.6 * y).sin()
    }

    fn noise(x: usize, y: usize) -> f32 {
        let mixed = (x * 2_654_435_761 + y * 40_503 + x * y * 97) % 65_536;
        4.0 * (mixed as f32 / 65_535.0 - 0.5)
    }

    #[test]
    fn a_pattern_that_fills_the_picture_has_no_background() {
        assert_eq!(textureless(&picture(speckle), 21), None);
        // Nor has one whose contrast is a tenth in one half.
        let faint = |x, y| {
            if x < 60 {
                speckle(x, y)
            } else {
                0.1 * speckle(x, y)
            }
        };
        assert_eq!(textureless(&picture(faint), 21), None);
        assert_eq!(textureless(&picture(|_, _| 7.0), 21), None);
    }

    #[test]
    fn a_blank_or_saturated_background_is_found_up_to_its_edge() {
        for level in [40.0, 255.0] {
            let found = textureless(
                &picture(|x, y| {
                    if x < 67 {
                        speckle(x, y)
                    } else {
                        level + noise(x, y)
                    }
                }),
                21,
            );
            let found = found.expect("a background");
            for y in 0..90 {
                let row = &found[y * 120..(y + 1) * 120];
                assert!(row[67..].iter().filter(|flat| **flat).count() >= 52, "{y}");
                assert!(!row[..60].contains(&true), "{y}");
            }
        }
    }
}
