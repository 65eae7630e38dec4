//! Words of manifests: a fault says which one may have been meant.

use retrial_core::declare::Word;
use retrial_core::fault::{Faults, instead, never_renamed};
use retrial_core::keys::{At, Form, KeyType};
use retrial_core::yaml::Node;
use serde_json::{Value as Json, json};

/// Adds the fault of a word that is not among those known.
pub(crate) fn unknown_word<'w>(
    word: &At<String>,
    known: impl Iterator<Item = &'w str>,
    faults: &mut Faults,
) {
    let help = instead(&word.value, known.map(never_renamed));
    word.fault_with_help(format!("{:?} is not known", word.value), help, faults);
}

/// One of `known` by its word; a fault that says which one may have been meant.
pub(crate) fn read_word<T: Copy>(
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

/// A word of an enum.
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
