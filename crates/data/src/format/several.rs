//! `several`: a data set made of others, each decoded as it is alone.

use std::sync::Arc;

use retrial_core::fault::Faults;
use retrial_core::hash::FieldHasher;
use retrial_core::keys::{At, Key, KeyType};
use retrial_core::yaml::Node;

use super::{Format, FormatSettings, SettingsKey};

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "several",
    settings: Some(SettingsKey {
        key: Key::new(
            "parts",
            Names::form,
            "Settings of `several`: the data sets it is made of, by name.",
        ),
        read: read_settings,
    }),
    roles: &[],
    generates: true,
};

/// What its content is called.
pub(super) const KIND: &str = "several data sets";

/// Names with their places.
type Names = At<Vec<At<String>>>;

/// `parts:` the data sets it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct PartsSettings(pub Vec<At<String>>);

impl FormatSettings for PartsSettings {
    fn parts(&self) -> &[At<String>] {
        &self.0
    }
}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let stated = Names::read(node, path, faults)?;
    for (i, name) in stated.value.iter().enumerate() {
        let mut before = stated.value[..i].iter();
        if before.any(|other| other.value == name.value) {
            name.fault(format!("{:?} is given twice", name.value), faults);
        }
    }
    if stated.value.is_empty() {
        stated.fault("a data set of parts needs at least one", faults);
    }
    Some(Arc::new(PartsSettings(stated.value)))
}

/// The digest of a data set made of others: their names and digests, in order. So a plan needs no
/// data, and a part that changes is seen.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut hasher = FieldHasher::new("retrial several data sets v1");
    for (name, digest) in parts {
        hasher.field(name.as_bytes()).field(digest.as_bytes());
    }
    hasher.tagged()
}
