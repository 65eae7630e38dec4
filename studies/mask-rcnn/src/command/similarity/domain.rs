//! The features of a folder of pictures, read in blocks: kept ones from the disk, the others from
//! the pictures.

use std::fs;
use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use retrial_core::census::count;
use retrial_runner::Failure;
use retrial_similarity::Cooccurrence;

use super::cache::{Cache, Key, Place, key};
use super::listing::Listing;
use super::texture::Texture;

/// Most bytes of the rows of a block.
const BLOCK_BYTES: usize = 32 << 20;
/// Fewest and most pictures of a block: what a kill can lose.
const BLOCK: (usize, usize) = (16, 256);

/// A folder of pictures with the places of their features.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) listing: Listing,
    /// Readable pictures by their number in the listing, in order, each with its place.
    pub(super) pictures: Vec<(u32, Place)>,
    /// Names of the others, and why.
    pub(super) unreadable: Vec<(String, String)>,
    /// How many pictures were decoded now; the others had features already.
    pub(super) decoded: usize,
}

/// What became of a picture.
enum PictureState {
    Cached(Place),
    Decoded(Key, Vec<f64>),
    Unreadable(String),
}

impl Domain {
    pub(super) fn read(
        what: &str,
        mut listing: Listing,
        texture: &Texture,
        cache: &mut Cache,
    ) -> Result<Self, Failure> {
        let folder = fs::canonicalize(&listing.folder).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", listing.folder.display()))
        })?;
        let mut domain = Self {
            pictures: Vec::with_capacity(listing.len()),
            unreadable: std::mem::take(&mut listing.lost),
            decoded: 0,
            listing,
        };
        let block = block(texture.dimension());
        let bar = progress(domain.listing.len(), &format!("{what}: textures"));
        for start in (0..domain.listing.len()).step_by(block) {
            let end = domain.listing.len().min(start + block);
            let found: Vec<PictureState> = {
                let (listing, cache) = (&domain.listing, &*cache);
                let one = |counted: &mut Cooccurrence, at: usize| {
                    let found = match key(&folder, listing.name(at)) {
                        Err(error) => PictureState::Unreadable(error),
                        Ok(key) => match cache.place(&key) {
                            Some(place) => PictureState::Cached(place),
                            None => texture
                                .row(&listing.path(at), counted)
                                .map_or_else(PictureState::Unreadable, |row| {
                                    PictureState::Decoded(key, row)
                                }),
                        },
                    };
                    bar.inc(1);
                    found
                };
                let places = (start..end).into_par_iter();
                places.map_init(Cooccurrence::empty, one).collect()
            };
            domain.take(start, found, cache)?;
        }
        bar.finish_and_clear();
        if domain.pictures.is_empty() {
            let (name, reason) = &domain.unreadable[0];
            return Err(Failure::usage(format!(
                "none of {} of {} can be read; the first, {name}: {reason}",
                count(domain.unreadable.len(), "picture"),
                domain.listing.folder.display()
            )));
        }
        Ok(domain)
    }

    fn take(
        &mut self,
        start: usize,
        found: Vec<PictureState>,
        cache: &mut Cache,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        let mut places = Vec::new();
        for (at, found) in (start..).zip(found) {
            let number = u32::try_from(at)
                .map_err(|_| Failure::usage(format!("at most {} pictures are listed", u32::MAX)))?;
            match found {
                PictureState::Cached(place) => places.push((number, Some(place))),
                PictureState::Decoded(key, row) => {
                    places.push((number, None));
                    rows.push((key, row));
                }
                PictureState::Unreadable(reason) => {
                    let name = self.listing.name(at).to_owned();
                    self.unreadable.push((name, reason));
                }
            }
        }
        self.decoded += rows.len();
        let mut next = if rows.is_empty() {
            0
        } else {
            cache.add(&rows)?
        };
        for (number, place) in places {
            let place = place.unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            self.pictures.push((number, place));
        }
        Ok(())
    }

    /// The name of a readable picture.
    pub(super) fn name(&self, picture: usize) -> &str {
        self.listing.name(self.pictures[picture].0 as usize)
    }

    /// The places of all rows, in the order of the pictures.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.pictures.iter().map(|&(_, place)| place)
    }
}

/// Pictures of a block whose rows have this many features.
pub(super) fn block(dimension: usize) -> usize {
    (BLOCK_BYTES / (8 * dimension.max(1))).clamp(BLOCK.0, BLOCK.1)
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn progress(len: usize, message: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{msg}  {bar:30.cyan/dim} {pos}/{len}  {elapsed_precise}  left {eta_precise}";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len as u64)
        .with_style(style)
        .with_message(message.to_owned())
}
