//! `series:` which picture is what.

use std::sync::Arc;

use retrial_core::fault::Faults;
use retrial_core::keys;
use retrial_core::keys::{Key, KeyType as _};
use retrial_core::yaml::Node;

use super::truth::{Stated, TruthSettings};
use crate::format::{FormatSettings, SettingsKey};

/// Where they stand in a manifest.
pub(super) const KEY: SettingsKey = SettingsKey {
    key: Key::new(
        "series",
        SeriesKeys::form,
        "Settings of `image-series`. At most one of the settings is given, as the decoder needs it.",
    ),
    read: read_settings,
};

keys! {
    /// Which picture of an image series is what.
    pub struct SeriesKeys {
        /// The file of the reference.
        reference: String [needed()];
        /// Rows of the reference that are kept; all without it. Pictures as tall as the whole reference are cut like
        /// it; others must have the height that is left.
        reference_rows: RowsKeys;
        /// The deformed pictures.
        images: Vec<SeriesImageKeys> [needed()];
    }
}

keys! {
    /// Rows of a picture.
    pub struct RowsKeys {
        /// The first, from 0.
        first: usize [needed()];
        /// How many.
        number: usize [needed()];
    }
}

keys! {
    /// A deformed picture.
    pub struct SeriesImageKeys {
        /// Its file.
        file: String [needed()];
        /// What is known of its displacement.
        truth: Stated [needed()];
    }
}

/// Which file of an image series is what.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSettings {
    /// The reference picture.
    pub reference: String,
    /// The deformed pictures with their truth.
    pub images: Vec<(String, TruthSettings)>,
    /// Rows of the reference and the pictures that are kept, first and number; `None` keeps all.
    pub reference_rows: Option<(usize, usize)>,
}

impl FormatSettings for SeriesSettings {
    fn files(&self) -> Vec<&str> {
        let mut names = vec![self.reference.as_str()];
        for (file, truth) in &self.images {
            names.push(file);
            if let TruthSettings::Table(table) = truth {
                names.push(&table.file);
            }
        }
        names
    }
}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = SeriesKeys::read(node, path, faults)?;
    let images = keys.images.map(|images| {
        if images.is_empty() {
            let message = "a series needs at least one deformed picture";
            faults.add(&keys.site.place, &keys.site.path("images"), message);
        }
        let images = images.into_iter();
        images
            .filter_map(|image| Some((image.file?, image.truth?.0)))
            .collect()
    });
    let rows = keys.reference_rows;
    Some(Arc::new(SeriesSettings {
        reference: keys.reference?,
        images: images?,
        reference_rows: rows.and_then(|rows| rows.first.zip(rows.number)),
    }))
}
