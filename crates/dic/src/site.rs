//! Where a subset is taken from.

use crate::settings::Settings;
use crate::subset::SubsetRow;

/// Where a subset is taken from.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The place of its point on the grid.
    pub(crate) node: (usize, usize),
    /// The pixel about which it is centred.
    pub(crate) centre: (usize, usize),
    pub(crate) rows: &'a [SubsetRow],
}

impl Site<'_> {
    /// Whether no row of the square around it is missing.
    pub(crate) fn is_whole(&self, settings: &Settings) -> bool {
        let half = settings.half_px() as i32;
        let is_centred = |row: &SubsetRow| row.first == -row.last;
        self.rows.len() == settings.side_px()
            && self.rows.iter().all(is_centred)
            && self.rows.iter().any(|row| row.last == half)
    }
}
