//! The keys of files.

use retrial_core::fault::Faults;
use retrial_core::keys;
use retrial_core::keys::{At, Form, KeyType};
use retrial_core::yaml::{Node, Value};

use super::types::Sha256;

keys! {
    /// A file.
    pub struct FileKeys {
        /// Its place in the cache, relative, with `/`.
        path: At<String> [needed()];
        /// Its size.
        bytes: At<u64> [needed()];
        /// Its sha256, 64 hex digits.
        sha256: Sha256 [needed()];
        /// Its path at the source, where that differs.
        origin: At<String>;
        /// What the decoder takes it for.
        role: String;
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
