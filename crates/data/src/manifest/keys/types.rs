//! Types that values of keys of a manifest have.

use retrial_core::bounded;
use retrial_core::declare::{Word, WordDef};
use retrial_core::fault::{Faults, instead, never_renamed};
use retrial_core::keys::{At, Form, KeyType};
use retrial_core::yaml::{Node, Value, list, text, whole};
use retrial_synth::infrared::EquipmentClass;
use serde_json::{Value as Json, json};

use super::FileKeys;
use crate::format::{DECODERS, Decoder};
use crate::manifest::FORMAT;
use crate::manifest::files::check_sha256;
use crate::manifest::read::is_hex;

/// Adds the fault of a word that is not among those known.
pub(super) fn unknown_word<'w>(
    word: &At<String>,
    known: impl Iterator<Item = &'w str>,
    faults: &mut Faults,
) {
    let help = instead(&word.value, known.map(never_renamed));
    word.fault_with_help(format!("{:?} is not known", word.value), help, faults);
}

/// One of `known` by its word; a fault that says which one may have been meant.
fn read_word<T: Copy>(
    (node, path): (&Node, &str),
    known: impl Iterator<Item = (&'static str, T)> + Clone,
    faults: &mut Faults,
) -> Option<T> {
    let word = At::<String>::read(node, path, faults)?;
    let found = known.clone().find(|(own, _)| *own == word.value);
    if found.is_none() {
        unknown_word(&word, known.map(|(own, _)| own), faults);
    }
    found.map(|(_, value)| value)
}

/// A word, whose fault says which one may have been meant.
#[derive(Clone, Copy, Debug)]
pub struct Known<W>(pub W);

impl<W: Word> KeyType for Known<W> {
    fn form() -> Form {
        Form::words::<W>()
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let known = W::ALL.iter().map(|own| (own.word(), *own));
        read_word((node, path), known, faults).map(Self)
    }

    fn json(&self) -> Json {
        json!(self.0.word())
    }
}

/// A kind of equipment by its name.
#[derive(Clone, Copy, Debug)]
pub struct ClassName(pub EquipmentClass);

impl KeyType for ClassName {
    fn form() -> Form {
        let words = EquipmentClass::ALL.iter().map(|class| WordDef {
            word: class.name(),
            was: &[],
            doc: "",
        });
        Form::Word(words.collect())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let known = EquipmentClass::ALL.iter();
        let known = known.map(|class| (class.name(), *class));
        read_word((node, path), known, faults).map(Self)
    }
}

/// The version of the manifest format.
#[derive(Clone, Copy, Debug)]
pub struct ManifestFormat;

impl KeyType for ManifestFormat {
    fn form() -> Form {
        Form::Fixed(FORMAT.cast_signed())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        if whole(node, path, faults)? == FORMAT {
            return Some(Self);
        }
        let message = format!("found {}", node.describe());
        let help = format!("this program reads format {FORMAT}");
        faults.add_with_help(&node.place, path, message, help);
        None
    }
}

/// The name of a data set.
#[derive(Clone, Debug)]
pub struct SetName(pub At<String>);

impl KeyType for SetName {
    fn form() -> Form {
        Form::Pattern("^[a-z0-9][a-z0-9-]*$")
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let name = At::<String>::read(node, path, faults)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let own = name.value.as_str();
        if !own.is_empty() && own.len() <= 64 && !own.starts_with('-') && own.chars().all(plain) {
            return Some(Self(name));
        }
        let message = format!("{own:?} is no name for a data set");
        let help = "use a to z, 0 to 9 and `-`, at most 64 characters";
        name.fault_with_help(message, help, faults);
        None
    }
}

/// The digest of the decoded content.
#[derive(Clone, Debug)]
pub struct ContentDigest(pub At<String>);

impl KeyType for ContentDigest {
    fn form() -> Form {
        Form::Pattern("^blake3:[0-9a-f]{64}$")
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let digest = At::<String>::read(node, path, faults)?;
        let hex = digest.value.strip_prefix("blake3:");
        if hex.is_some_and(|hex| is_hex(hex, 64)) {
            return Some(Self(digest));
        }
        let message = format!("{:?} is no digest", digest.value);
        let help = "write `blake3:` and 64 hex digits (zeros at first: `retrial data fetch` names the right ones)";
        digest.fault_with_help(message, help, faults);
        None
    }
}

/// The sha256 of a file.
#[derive(Clone, Debug)]
pub struct Sha256(pub String);

impl KeyType for Sha256 {
    fn form() -> Form {
        Form::Pattern("^[0-9a-f]{64}$")
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let sha256 = text(node, path, faults)?;
        check_sha256(&sha256, &node.place, path, faults).map(Self)
    }
}

/// A decoder by its name.
#[derive(Clone, Copy, Debug)]
pub struct DecoderName(pub &'static Decoder);

impl KeyType for DecoderName {
    fn form() -> Form {
        let words = DECODERS.iter().map(|decoder| WordDef {
            word: decoder.name,
            was: &[],
            doc: "",
        });
        Form::Word(words.collect())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let known = DECODERS.iter().map(|decoder| (decoder.name, decoder));
        read_word((node, path), known, faults).map(Self)
    }
}

/// The files of a variant.
#[derive(Clone, Debug)]
pub enum Files {
    /// The name of a table beside the manifest.
    Table(String),
    /// A list.
    List(Vec<FileKeys>),
}

impl KeyType for Files {
    fn form() -> Form {
        Form::Either(vec![Form::Text, Vec::<FileKeys>::form()])
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Text(table) => Some(Self::Table(table.clone())),
            Value::List(_) => Vec::<FileKeys>::read(node, path, faults).map(Self::List),
            _ => {
                let found = node.kind();
                let message = format!("expected a list or the name of a table, found {found}");
                faults.add(&node.place, path, message);
                None
            }
        }
    }
}

bounded! {
    /// Columns or rows of a picture.
    pub struct Side(usize) in Form::Int(1, 8192);
    side => format!("{side} px"), "expected 1 to 8192";
}

bounded! {
    /// A number of 0 or more.
    pub struct Amount(f64) in Form::Float(0.0, f64::INFINITY);
    value => format!("{value}, expected 0 or more"), "write 0 for none";
}

bounded! {
    /// The coordinate of the first pixel's centre.
    pub struct FirstPixel(u64) in Form::Int(0, 1);
    first => format!("the first pixel's centre is at {first}"), "use 0, or 1 as in MATLAB";
}

bounded! {
    /// Bits of a pixel.
    pub struct Bits(u64) in Form::Either([8, 12, 16].map(Form::Fixed).to_vec());
    bits => format!("found {bits}"), "use 8, 12 or 16";
}

/// Black and white among 16-bit grey levels.
#[derive(Clone, Copy, Debug)]
pub struct GreyRange(pub [u16; 2]);

impl KeyType for GreyRange {
    fn form() -> Form {
        let level = json!({ "type": "integer", "minimum": 0, "maximum": 65535 });
        let pair = json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": level });
        Form::Special(
            pair,
            "`[BLACK, WHITE]`, 0 ≤ BLACK < WHITE ≤ 65535".to_owned(),
        )
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let values = list(node, path, faults)?.iter();
        let values = values.map(|node| u16::try_from(whole(node, path, faults)?).ok());
        let values: Vec<Option<u16>> = values.collect();
        if let [Some(black), Some(white)] = values[..]
            && black < white
        {
            return Some(Self([black, white]));
        }
        let help = "write [BLACK, WHITE] with 0 ≤ BLACK < WHITE ≤ 65535";
        let message = format!("found {}", node.describe());
        faults.add_with_help(&node.place, path, message, help);
        None
    }
}
