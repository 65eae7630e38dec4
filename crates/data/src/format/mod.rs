//! From files to content: a folder or a file a format, all of them in [`DECODERS`].
//!
//! A format declares itself in `FORMAT`, reads its settings and decodes its files. It knows neither manifests nor
//! where files come from, and gives its own model, from which the table makes [`Content`].

pub mod annotated_pictures;
mod declaration;
pub mod exact_field;
pub mod image_series;
pub mod infrared_scenes;
mod inputs;
pub mod labelled_tar;
pub mod mnist_csv;
pub mod mnist_idx;
pub mod picture_folder;
pub mod several;
pub mod speckle_series;
pub mod target_points;
pub mod thermal;
pub mod thermal_coco;
pub mod weights_file;

use retrial_core::census::Census;

pub use self::declaration::{Format, FormatSettings, Settings, SettingsKey};
pub use self::inputs::InputFile;
pub(crate) use self::inputs::Inputs;
use crate::content::Model;
use crate::content::digits::Digits;
use crate::content::series::ImageSeries;
use crate::content::thermal::ThermalSet;
use crate::error::DataError;

/// From files to content.
type Decode = fn(&Inputs<'_>) -> Result<Content, DataError>;

/// A format with what it decodes to.
#[derive(Debug)]
pub struct Decoder {
    /// The format.
    pub format: Format,
    /// What it gives, as [`Content::kind`] says it.
    pub kind: &'static str,
    /// The decoding of files; nothing for a data set made of others, each decoded as it is alone.
    pub(crate) decode: Option<Decode>,
}

/// A line a kind of content: its model, and the formats that give it.
macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $kind:ident($model:ty): $($format:ident),+;)+) => {
        /// The decoded content of a data set.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Content {
            $($(#[doc = $doc])+ $kind($model),)+
            /// Several data sets with their names, in the manifest's order.
            Several(Vec<(String, Content)>),
        }

        /// Every format.
        pub const DECODERS: &[Decoder] = &[
            $($(Decoder {
                format: $format::FORMAT,
                kind: <$model as Model>::KIND,
                decode: Some(|inputs| $format::decode(inputs).map(Content::$kind)),
            },)+)+
            Decoder {
                format: several::FORMAT,
                kind: several::KIND,
                decode: None,
            },
        ];

        impl Content {
            /// The digest of the decoded content, `blake3:…`: sizes, pixels, labels, truth and
            /// annotations in order; file names and encodings do not enter.
            #[must_use]
            pub fn digest(&self) -> String {
                match self {
                    $(Self::$kind(model) => model.digest(),)+
                    Self::Several(parts) => several::digest(
                        parts.iter().map(|(name, part)| (name.as_str(), part.digest())),
                    ),
                }
            }

            /// What kind of content this is, in a word or two.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => <$model as Model>::KIND,)+
                    Self::Several(_) => several::KIND,
                }
            }

            /// What is there, and what was repaired or looks wrong.
            #[must_use]
            pub fn census(&self) -> Census {
                match self {
                    $(Self::$kind(model) => model.census(),)+
                    Self::Several(parts) => {
                        let mut census = Census::default();
                        for (name, part) in parts {
                            census.extend(name, part.census());
                        }
                        census
                    }
                }
            }
        }
    };
}

formats! {
    /// A series of grey pictures with the displacement imposed on each.
    Series(ImageSeries): image_series, speckle_series;
    /// Labelled digits.
    Digits(Digits): mnist_csv, mnist_idx;
    /// Infrared pictures with annotations.
    Thermal(ThermalSet): thermal_coco, annotated_pictures, infrared_scenes;
    /// Small pictures, each with its class and a box.
    Labelled(labelled_tar::LabelledSet): labelled_tar;
    /// Picture files, decoded one at a time.
    Pictures(picture_folder::PictureFolder): picture_folder;
    /// Trained weights of a net.
    Weights(weights_file::WeightsFile): weights_file;
    /// Points of calibration targets.
    Targets(target_points::TargetPoints): target_points;
}

impl Content {
    /// The part of that name, where this is several data sets.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Several(parts) => parts.iter().find(|part| part.0 == name).map(|part| &part.1),
            _ => None,
        }
    }
}

/// The keys of the settings of all formats.
pub(crate) fn settings_keys() -> impl Iterator<Item = &'static SettingsKey> {
    DECODERS
        .iter()
        .filter_map(|decoder| decoder.format.settings.as_ref())
}
