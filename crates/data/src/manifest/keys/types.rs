//! Types that values of keys of a manifest have.

use retrial_core::declare::WordDef;
use retrial_core::fault::{Faults, Place};
use retrial_core::keys::{At, Form, KeyType};
use retrial_core::yaml::{Node, text, whole};

use crate::format::{DECODERS, Decoder};
use crate::manifest::model::FORMAT;
use crate::words::read_word;

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

/// A decoder by its name.
#[derive(Clone, Copy, Debug)]
pub struct DecoderName(pub &'static Decoder);

impl KeyType for DecoderName {
    fn form() -> Form {
        let words = DECODERS.iter().map(|decoder| WordDef {
            word: decoder.format.name,
            was: &[],
            doc: "",
        });
        Form::Word(words.collect())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let known = DECODERS
            .iter()
            .map(|decoder| (decoder.format.name, decoder));
        read_word((node, path), known, faults).map(Self)
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

/// A sha256, which is 64 hex digits.
pub(crate) fn check_sha256(
    sha256: &str,
    place: &Place,
    key: &str,
    faults: &mut Faults,
) -> Option<String> {
    if is_hex(sha256, 64) {
        return Some(sha256.to_owned());
    }
    let message = format!("{sha256:?} is no sha256");
    faults.add_with_help(place, key, message, "write 64 hex digits in lower case");
    None
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
