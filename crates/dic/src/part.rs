//! A subset of which a part was matched, and by what it was cut.

use serde::{Deserialize, Serialize};

use crate::subset::SubsetRow;
use crate::task::Match;

retrial_words::words! {
    /// By what the subset of a point was cut; the last of them where there were several.
    #[derive(Serialize, Deserialize)]
    pub enum Cut {
        /// All its pixels took part.
        Whole = "whole",
        /// By the mask, a background without texture or the border of the reference image.
        Border = "border",
        /// By the border of the deformed image.
        DeformedBorder = "deformed_border",
        /// Along a discontinuity of the displacement: the part that holds the centre took part.
        Split = "split",
    }
}

/// A part of a subset and its match.
pub(crate) struct Part {
    pub(crate) cut: Cut,
    pub(crate) rows: Vec<SubsetRow>,
    pub(crate) found: Match,
}
