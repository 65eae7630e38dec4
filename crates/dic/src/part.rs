//! A subset of which a part was matched, and by what it was cut.

use serde::{Deserialize, Serialize};

use crate::subset::SubsetRow;
use crate::task::Match;

/// By what the subset of a point was cut; the last of them where there were several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cut {
    /// All its pixels took part.
    Whole,
    /// By the mask, a background without texture or the border of the reference image.
    Border,
    /// By the border of the deformed image.
    DeformedBorder,
    /// Along a discontinuity of the displacement: the part that holds the centre took part.
    Split,
}

impl Cut {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Border, Self::DeformedBorder, Self::Split];

    /// The stable `snake_case` name for files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Border => "border",
            Self::DeformedBorder => "deformed_border",
            Self::Split => "split",
        }
    }

    /// The kind with that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cut| cut.name() == name)
    }
}

/// A part of a subset and its match.
pub(crate) struct Part {
    pub(crate) cut: Cut,
    pub(crate) rows: Vec<SubsetRow>,
    pub(crate) found: Match,
}
