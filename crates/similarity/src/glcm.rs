//! Grey-level co-occurrence matrices: how often level `i` has level `j` at an offset.
//!
//! # Source
//! Haralick, Shanmugam & Dinstein 1973, doi:10.1109/TSMC.1973.4309314. Offsets follow
//! scikit-image: at distance `d` and angle `a` the neighbour lies `round(d sin a)` rows down and
//! `round(d cos a)` columns right, so π/4 is one down and one right, not one up.

use crate::{Levels, SimilarityError};

/// Where the neighbour of a pixel lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset {
    /// Pixels.
    pub distance: f64,
    /// Radians, from the row to the right, downwards.
    pub angle: f64,
}

retrial_words::words! {
    /// Whether the order of the two levels of a pair counts.
    pub enum Order {
        /// A pair `(i, j)` counts once as `(i, j)` and once as `(j, i)`.
        Symmetric = "symmetric",
        /// A pair counts once, the level of the pixel itself first.
        Directed = "directed",
    }
}

/// Which pairs are counted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GlcmSettings {
    /// One matrix is counted for each.
    pub offsets: Vec<Offset>,
    /// Whether the order of the levels counts.
    pub order: Order,
}

/// One matrix of counts for each offset.
#[derive(Clone, Debug)]
pub struct Cooccurrence {
    levels: usize,
    order: Order,
    offsets: usize,
    /// `[offset, i, j]`. With [`Order::Symmetric`] a pair is at `i ≤ j` only, and once.
    counts: Vec<u32>,
    /// `[part, i, j]`: the same counts of every fourth pixel each.
    parts: Vec<u32>,
    /// Places in a matrix of the pairs of one row.
    places: Vec<u16>,
}

impl Offset {
    /// Rows down and columns right of the neighbour.
    ///
    /// # Errors
    /// [`SimilarityError::Offset`] when that is not a small number.
    pub fn pixels(self) -> Result<(isize, isize), SimilarityError> {
        let down = (self.angle.sin() * self.distance).round();
        let right = (self.angle.cos() * self.distance).round();
        if !(self.distance > 0.0 && self.distance < 1e6 && self.angle.is_finite()) {
            return Err(SimilarityError::Offset {
                distance: self.distance,
                angle: self.angle,
            });
        }
        Ok((down as isize, right as isize))
    }
}

impl GlcmSettings {
    /// The same settings with a matrix for each of these offsets.
    #[must_use]
    pub fn with_offsets(mut self, offsets: Vec<Offset>) -> Self {
        self.offsets = offsets;
        self
    }

    /// The same settings, by whether the order of the levels counts.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }
}

impl Default for GlcmSettings {
    /// The four neighbours at distance 1, symmetric.
    fn default() -> Self {
        let offset = |eighth: u8| Offset {
            distance: 1.0,
            angle: f64::from(eighth) * std::f64::consts::FRAC_PI_4,
        };
        Self {
            offsets: (0..4).map(offset).collect(),
            order: Order::Symmetric,
        }
    }
}

impl Cooccurrence {
    /// An empty matrix, for [`count_into`].
    #[must_use]
    pub fn empty() -> Self {
        Self {
            levels: 0,
            order: Order::Symmetric,
            offsets: 0,
            counts: Vec::new(),
            parts: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Number of levels: rows and columns of a matrix.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Number of offsets.
    #[must_use]
    pub fn offsets(&self) -> usize {
        self.offsets
    }

    /// Whether the order of the levels counts.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// The counts of one offset, `[i, j]`.
    ///
    /// # Panics
    /// When `offset` is not below [`offsets`](Self::offsets), as a slice index would.
    #[must_use]
    pub fn counts(&self, offset: usize) -> Vec<u64> {
        let (levels, stored) = (self.levels, self.stored(offset));
        let cell = |at: usize| {
            let (i, j) = (at / levels, at % levels);
            let count = u64::from(stored[at]);
            match self.order {
                Order::Directed => count,
                Order::Symmetric if i == j => 2 * count,
                Order::Symmetric => u64::from(stored[i.min(j) * levels + i.max(j)]),
            }
        };
        (0..levels * levels).map(cell).collect()
    }

    /// The counts of one offset over their sum, `[i, j]`.
    ///
    /// # Panics
    /// As [`counts`](Self::counts).
    #[must_use]
    pub fn normalised(&self, offset: usize) -> Vec<f64> {
        let counts = self.counts(offset);
        let total = counts.iter().sum::<u64>() as f64;
        counts.iter().map(|&count| count as f64 / total).collect()
    }

    pub(crate) fn stored(&self, offset: usize) -> &[u32] {
        let cells = self.levels * self.levels;
        &self.counts[offset * cells..(offset + 1) * cells]
    }
}

/// Counts the pairs of levels of a picture.
///
/// # Errors
/// [`SimilarityError::NoPairs`] when the picture is smaller than an offset,
/// [`SimilarityError::Nothing`] without an offset, [`SimilarityError::Offset`].
pub fn count(picture: &Levels, settings: &GlcmSettings) -> Result<Cooccurrence, SimilarityError> {
    let mut counted = Cooccurrence::empty();
    count_into(picture, settings, &mut counted)?;
    Ok(counted)
}

/// As [`count`], into the memory of an earlier matrix. After an error its contents mean nothing.
///
/// # Errors
/// As [`count`].
pub fn count_into(
    picture: &Levels,
    settings: &GlcmSettings,
    counted: &mut Cooccurrence,
) -> Result<(), SimilarityError> {
    if settings.offsets.is_empty() {
        return Err(SimilarityError::Nothing { what: "offset" });
    }
    let levels = picture.levels();
    let cells = levels * levels;
    counted.levels = levels;
    counted.order = settings.order;
    counted.offsets = settings.offsets.len();
    counted.counts.clear();
    counted.counts.resize(cells * settings.offsets.len(), 0);
    counted.parts.clear();
    counted.parts.resize(cells * PARTS, 0);
    counted.places.resize(picture.width(), 0);
    for (&offset, counts) in settings
        .offsets
        .iter()
        .zip(counted.counts.chunks_exact_mut(cells))
    {
        let rows = Pairs::new(picture, offset.pixels()?)?;
        for row in 0..rows.count {
            let (from, to) = rows.at(picture, row);
            let places = &mut counted.places[..from.len()];
            match settings.order {
                Order::Symmetric => place_symmetric(from, to, levels as u16, places),
                Order::Directed => place_directed(from, to, levels as u16, places),
            }
            tally(places, &mut counted.parts, cells);
        }
        gather(&mut counted.parts, counts);
    }
    Ok(())
}

/// Neighbouring pixels are often alike, and an increment must wait for the last one of the same
/// cell to be stored. So neighbours count into different tables.
const PARTS: usize = 4;

/// The parts of the rows of a picture that have a neighbour at an offset.
struct Pairs {
    count: usize,
    len: usize,
    from: (usize, usize),
    to: (usize, usize),
}

impl Pairs {
    fn new(picture: &Levels, (down, right): (isize, isize)) -> Result<Self, SimilarityError> {
        let (height, width) = (picture.height(), picture.width());
        let (rows, columns) = (down.unsigned_abs(), right.unsigned_abs());
        if rows >= height || columns >= width || (rows == 0 && columns == 0) {
            return Err(SimilarityError::NoPairs {
                height,
                width,
                down,
                right,
            });
        }
        // A neighbour above or to the left needs as many rows or columns before the pixel.
        let start = |step: isize| (-step).max(0) as usize;
        let end = |step: isize| step.max(0) as usize;
        Ok(Self {
            count: height - rows,
            len: width - columns,
            from: (start(down), start(right)),
            to: (end(down), end(right)),
        })
    }

    fn at<'a>(&self, picture: &'a Levels, row: usize) -> (&'a [u8], &'a [u8]) {
        let slice = |(y, x): (usize, usize)| {
            let start = (y + row) * picture.width() + x;
            &picture.pixels()[start..start + self.len]
        };
        (slice(self.from), slice(self.to))
    }
}

fn place_symmetric(from: &[u8], to: &[u8], levels: u16, places: &mut [u16]) {
    for ((place, &i), &j) in places.iter_mut().zip(from).zip(to) {
        *place = u16::from(i.min(j)) * levels + u16::from(i.max(j));
    }
}

fn place_directed(from: &[u8], to: &[u8], levels: u16, places: &mut [u16]) {
    for ((place, &i), &j) in places.iter_mut().zip(from).zip(to) {
        *place = u16::from(i) * levels + u16::from(j);
    }
}

fn tally(places: &[u16], parts: &mut [u32], cells: usize) {
    let (a, rest) = parts.split_at_mut(cells);
    let (b, rest) = rest.split_at_mut(cells);
    let (c, d) = rest.split_at_mut(cells);
    let (fours, rest) = places.as_chunks::<PARTS>();
    for &[w, x, y, z] in fours {
        a[usize::from(w)] += 1;
        b[usize::from(x)] += 1;
        c[usize::from(y)] += 1;
        d[usize::from(z)] += 1;
    }
    for &place in rest {
        a[usize::from(place)] += 1;
    }
}

/// Adds the parts up and leaves them empty.
fn gather(parts: &mut [u32], counts: &mut [u32]) {
    for part in parts.chunks_exact(counts.len()) {
        for (count, &more) in counts.iter_mut().zip(part) {
            *count += more;
        }
    }
    parts.fill(0);
}
