//! Pictures beside a record: samples by epoch, items with what was drawn for them, a search over
//! time.

use retrial_core::rows;
use retrial_runner::{Context, TrialError};

use super::items::Items;
use super::score::Scored;
use super::train::SAMPLES;

/// Items shown with their nearest image and what is left.
const SHOWN: usize = 10;
/// Black pixels between tiles.
const GAP: usize = 2;

rows! {
    /// Pictures beside a record.
    pub(super) const TABLES;

    /// What the generator draws, by epoch.
    pub(super) struct SamplesRow in "samples" {
        /// Epoch, from 1.
        epoch: usize;
        /// File: 32 images of the same latents, by running moments.
        picture: String;
    }

    /// What a score is made of.
    pub(super) struct ReconstructionsRow in "reconstructions" was "nearest" {
        /// Number of items shown.
        items: usize;
        /// File: judged items, the image found for each, the difference.
        picture: String;
    }

    /// A latent search over time.
    pub(super) struct SearchProgressRow in "search_progress" was "film" {
        /// Iterations shown, separated by blanks.
        iterations: String;
        /// File: a row an item; the item, then its image at each of the iterations.
        picture: String;
    }
}

/// Draws what a trial found.
pub(super) fn draw(
    context: &mut Context,
    items: &Items,
    scored: &Scored,
) -> Result<(), TrialError> {
    if let Some(trained) = &scored.trained {
        samples(context, items, &trained.samples)?;
    }
    if !scored.nearest.is_empty() {
        reconstructions(context, items, &scored.nearest)?;
    }
    match &scored.searched {
        Some(searched) => search_progress(context, items, searched),
        None => Ok(()),
    }
}

/// At most six moments, the first and the last among them.
fn chosen<T>(all: &[T]) -> Vec<&T> {
    const MOST: usize = 6;
    let count = all.len().min(MOST);
    let place = |i: usize| {
        if count < 2 {
            0
        } else {
            i * (all.len() - 1) / (count - 1)
        }
    };
    (0..count).map(|i| &all[place(i)]).collect()
}

fn samples(
    context: &mut Context,
    items: &Items,
    samples: &[(u64, Vec<u8>)],
) -> Result<(), TrialError> {
    let mut rows = Vec::new();
    for (epoch, grey) in chosen(samples) {
        let name = format!("samples-{epoch:06}");
        // Four rows of eight of the samples kept.
        let area = items.size * items.size;
        let tiles: Vec<&[u8]> = grey.chunks(area).take(SAMPLES / 2).collect();
        tiled(context, &name, items.size, 8, &tiles)?;
        rows.push(SamplesRow {
            epoch: *epoch as usize,
            picture: format!("{name}.png"),
        });
    }
    context.rows(&rows)
}

fn reconstructions(context: &mut Context, items: &Items, drawn: &[f32]) -> Result<(), TrialError> {
    let area = items.size * items.size;
    let (count, rows) = beside(items, drawn);
    let tiles: Vec<&[u8]> = rows.iter().flat_map(|row| row.chunks(area)).collect();
    tiled(context, "reconstructions", items.size, count, &tiles)?;
    context.rows(&[ReconstructionsRow {
        items: count,
        picture: "reconstructions.png".to_owned(),
    }])
}

/// The first judged items, what was drawn for each, and the difference, as grey levels.
fn beside(items: &Items, drawn: &[f32]) -> (usize, [Vec<u8>; 3]) {
    let area = items.size * items.size;
    let count = SHOWN.min(drawn.len() / area).min(items.test.len());
    let (mut given, mut found, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for item in 0..count {
        let x = &items.test.pixels[item * area..(item + 1) * area];
        let y = &drawn[item * area..(item + 1) * area];
        given.extend(x.iter().map(|&v| items.grey(v)));
        // What a generator draws lies in −1..1, whatever the scaling of the items.
        found.extend(y.iter().map(|&v| Items::drawn_grey(v)));
        let difference = |(a, b): (&f32, &f32)| items.grey(*a).abs_diff(Items::drawn_grey(*b));
        left.extend(x.iter().zip(y).map(difference));
    }
    (count, [given, found, left])
}

fn search_progress(
    context: &mut Context,
    items: &Items,
    searched: &super::search::Searched,
) -> Result<(), TrialError> {
    let area = items.size * items.size;
    let moments: Vec<(u64, &Vec<f32>)> = searched
        .iterations
        .iter()
        .copied()
        .zip(&searched.film)
        .filter(|(_, film)| !film.is_empty())
        .collect();
    let moments: Vec<(u64, &Vec<f32>)> = chosen(&moments).into_iter().copied().collect();
    let Some((_, first)) = moments.first() else {
        return Ok(());
    };
    let count = first.len() / area;
    // A row an item: the item, then its image at every moment.
    let mut grey = Vec::new();
    for item in 0..count {
        let range = item * area..(item + 1) * area;
        grey.extend(
            items.test.pixels[range.clone()]
                .iter()
                .map(|&v| items.grey(v)),
        );
        for (_, film) in &moments {
            grey.extend(film[range.clone()].iter().map(|&v| Items::drawn_grey(v)));
        }
    }
    let tiles: Vec<&[u8]> = grey.chunks(area).collect();
    tiled(
        context,
        "search_progress",
        items.size,
        moments.len() + 1,
        &tiles,
    )?;
    let iterations: Vec<String> = moments.iter().map(|(at, _)| at.to_string()).collect();
    context.rows(&[SearchProgressRow {
        iterations: iterations.join(" "),
        picture: "search_progress.png".to_owned(),
    }])
}

/// Tiles in rows of `columns`, as one picture beside the record.
fn tiled(
    context: &mut Context,
    name: &str,
    size: usize,
    columns: usize,
    tiles: &[&[u8]],
) -> Result<(), TrialError> {
    let (width, height, grey) = grid(size, columns, tiles);
    context.picture(name, width, height, &grey)
}

/// Tiles in rows of `columns` as one grey picture: width, height, pixels.
pub(super) fn grid(size: usize, columns: usize, tiles: &[&[u8]]) -> (u32, u32, Vec<u8>) {
    let rows = tiles.len().div_ceil(columns.max(1));
    let (width, height) = (columns * (size + GAP) + GAP, rows * (size + GAP) + GAP);
    let mut grey = vec![96_u8; width * height];
    for (at, tile) in tiles.iter().enumerate() {
        let (left, top) = (
            GAP + at % columns * (size + GAP),
            GAP + at / columns * (size + GAP),
        );
        for (row, line) in tile.chunks(size).enumerate() {
            let from = (top + row) * width + left;
            grey[from..from + size].copy_from_slice(line);
        }
    }
    let side = |px: usize| u32::try_from(px).unwrap_or(u32::MAX);
    (side(width), side(height), grey)
}

#[cfg(test)]
mod tests {
    use retrial_detect::Scaling;

    use super::*;

    #[test]
    fn what_is_drawn_as_given_looks_as_given_in_every_scaling() {
        let grey = [0_u8, 90, 200, 255];
        for scaling in [Scaling::Raw255, Scaling::Unit, Scaling::Tanh] {
            let items = Items::of_one(2, grey.map(f32::from).to_vec(), scaling);
            let drawn = grey.map(|level| f32::from(level) / 127.5 - 1.0);
            let (count, [given, found, left]) = beside(&items, &drawn);
            assert_eq!((count, given.as_slice()), (1, &grey[..]), "{scaling:?}");
            assert_eq!(
                (found.as_slice(), left),
                (&grey[..], vec![0; 4]),
                "{scaling:?}"
            );
        }
    }
}
