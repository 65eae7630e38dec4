//! What is known about a picture of a series: a field, a table, or nothing.

use retrial_core::declare::WordDef;
use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_core::keys;
use retrial_core::keys::{At, Form, KeyType};
use retrial_core::yaml::{Node, Value};

use crate::format::exact_field::{ExactField, KIND, TableWord, fields};
use crate::words::{Known, unknown_word};

/// The word of a truth that is not known.
const UNKNOWN: &str = "unknown";

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

/// A truth as a manifest states it.
#[derive(Clone, Debug)]
pub struct Stated(pub TruthSettings);

keys! {
    /// The displacement to the right over the column, from a CSV file; that downwards is 0.
    pub struct TruthTableKeys {
        /// It is a table.
        kind: Known<TableWord> [needed()];
        /// The CSV file.
        file: String [needed()];
        /// Lines before the first row of numbers.
        header_lines: usize = 0;
        /// Field of the displacement in px, from 0; field 0 holds the column of the picture.
        u_field: usize [needed()];
        /// Field of the normal strain in microstrain, from 0.
        exx_field: usize;
    }
}

impl KeyType for Stated {
    fn form() -> Form {
        let unknown = WordDef {
            word: UNKNOWN,
            was: &[],
            doc: "Nothing is known.",
        };
        let mut truths = vec![Form::Word(vec![unknown]), TruthTableKeys::form()];
        truths.extend(fields());
        Form::Either(truths)
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        if let Value::Text(_) = node.value {
            let word = At::<String>::read(node, path, faults)?;
            if word.value == UNKNOWN {
                return Some(Self(TruthSettings::Unknown));
            }
            unknown_word(&word, [UNKNOWN].into_iter(), faults);
            return None;
        }
        let table = Value::Text(TableWord::Table.name().to_owned());
        if node.get(KIND).is_none_or(|kind| kind.value != table) {
            let field = ExactField::read(node, path, faults)?;
            return Some(Self(TruthSettings::Field(field.0)));
        }
        let keys = TruthTableKeys::read(node, path, faults)?;
        Some(Self(TruthSettings::Table(TableSettings {
            file: keys.file?,
            header_lines: keys.header_lines,
            u_field: keys.u_field?,
            exx_field: keys.exx_field,
        })))
    }
}
