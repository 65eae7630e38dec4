//! What a format says of itself, and the settings that it reads from a manifest.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use retrial_core::fault::Faults;
use retrial_core::keys::{At, Key};
use retrial_core::yaml::Node;

/// One way of writing a data set into files.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name in a manifest.
    pub name: &'static str,
    /// Its settings in a manifest, if it has any.
    pub settings: Option<SettingsKey>,
    /// The roles a file may have; an empty text stands for a file without a role.
    pub roles: &'static [&'static str],
    /// Whether it needs no file of its own.
    pub generates: bool,
}

impl Format {
    /// The manifest key of its settings; empty for none.
    #[must_use]
    pub fn settings_key(&self) -> &'static str {
        self.settings.map_or("", |settings| settings.key.name)
    }
}

/// The key of a manifest that holds the settings of a format.
#[derive(Clone, Copy, Debug)]
pub struct SettingsKey {
    /// Name, form and meaning.
    pub key: Key,
    /// Reads its value, which stands at a dotted path.
    pub(crate) read: fn(&Node, &str, &mut Faults) -> Option<Arc<dyn FormatSettings>>,
}

/// What a decoder needs to know beside the files.
pub trait FormatSettings: Any + fmt::Debug + Send + Sync {
    /// The files that the settings name.
    fn files(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The data sets that the settings name.
    fn parts(&self) -> &[At<String>] {
        &[]
    }
}

/// The settings of a manifest: those of one format, or none.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    key: &'static str,
    value: Option<Arc<dyn FormatSettings>>,
}

impl Settings {
    /// Settings that stand under a key.
    pub(crate) fn new(key: &'static str, value: Arc<dyn FormatSettings>) -> Self {
        Self {
            key,
            value: Some(value),
        }
    }

    /// The key under which they stand in a manifest; empty for none.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The settings of that type, if it is theirs: `settings.of::<SpeckleSettings>()`.
    #[must_use]
    pub fn of<S: FormatSettings>(&self) -> Option<&S> {
        let value: &dyn Any = self.value.as_deref()?;
        value.downcast_ref()
    }

    /// The files that they name.
    #[must_use]
    pub fn files(&self) -> Vec<&str> {
        let value = self.value.as_deref();
        value.map_or(Vec::new(), FormatSettings::files)
    }

    /// The data sets that they name.
    #[must_use]
    pub fn parts(&self) -> &[At<String>] {
        match self.value.as_deref() {
            Some(value) => value.parts(),
            None => &[],
        }
    }
}
