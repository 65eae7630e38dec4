//! Types that the values of keys have.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{At, Entries, Form, KeyType, Texts, entries};
use crate::declare::{Word, listed};
use crate::fault::Faults;
use crate::yaml::{self, Node, Value, join};

/// Scalars: the type, what is right, and what reads it.
macro_rules! scalars {
    ($($type:ty: $form:expr, $read:path;)+) => {$(
        impl KeyType for $type {
            fn form() -> Form {
                $form
            }

            fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
                $read(node, path, faults)
            }

            fn json(&self) -> Json {
                json!(self)
            }
        }
    )+};
}

scalars! {
    String: Form::Text, yaml::text;
    f64: Form::Float(f64::NEG_INFINITY, f64::INFINITY), yaml::number;
    u64: Form::Int(0, i64::MAX), yaml::whole;
    usize: Form::Int(0, i64::MAX), size;
    bool: Form::Bool, yaml::flag;
}

fn size(node: &Node, path: &str, faults: &mut Faults) -> Option<usize> {
    yaml::whole(node, path, faults).and_then(|value| usize::try_from(value).ok())
}

/// The value of a word, with a fault that lists the words where it is none.
pub(crate) fn read_word<W: Word>(node: &Node, path: &str, faults: &mut Faults) -> Option<W> {
    let text = yaml::text(node, path, faults)?;
    let found = W::from_word(&text);
    if found.is_none() {
        let message = format!("`{text}` is none of the words known here");
        let help = format!("write one of {}", listed::<W>());
        faults.add_with_help(&node.place, path, message, help);
    }
    found
}

/// Enums of [`words!`](crate::words) that keys have as values.
macro_rules! word_keys {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::keys::KeyType for $type {
            fn form() -> $crate::keys::Form {
                $crate::keys::Form::words::<Self>()
            }

            fn read(
                node: &$crate::yaml::Node,
                path: &str,
                faults: &mut $crate::fault::Faults,
            ) -> Option<Self> {
                $crate::keys::read_word(node, path, faults)
            }

            fn json(&self) -> $crate::keys::Json {
                $crate::declare::Word::word(*self).into()
            }
        }
    )+};
}
pub(crate) use word_keys;

/// Every item is read; those that do not fit are left out, with their faults.
impl<T: KeyType> KeyType for Vec<T> {
    fn form() -> Form {
        Form::List(Box::new(T::form()), 0)
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let items = yaml::list(node, path, faults)?.iter().enumerate();
        Some(
            items
                .filter_map(|(i, item)| T::read(item, &format!("{path}[{i}]"), faults))
                .collect(),
        )
    }
}

impl<T: KeyType> KeyType for BTreeMap<String, T> {
    fn form() -> Form {
        Form::Named(Box::new(T::form()))
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let entries = entries(node, path, faults)?.iter();
        Some(
            entries
                .filter_map(|entry| {
                    let value = T::read(&entry.node, &join(path, &entry.key), faults)?;
                    Some((entry.key.clone(), value))
                })
                .collect(),
        )
    }
}

impl<T: KeyType> KeyType for At<T> {
    fn form() -> Form {
        T::form()
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        Some(Self {
            value: T::read(node, path, faults)?,
            place: node.place.clone(),
            path: path.to_owned(),
        })
    }

    fn json(&self) -> Json {
        self.value.json()
    }
}

/// The node as it is.
impl KeyType for Node {
    fn form() -> Form {
        Form::Any
    }

    fn read(node: &Node, _path: &str, _faults: &mut Faults) -> Option<Self> {
        Some(node.clone())
    }
}

impl KeyType for Entries {
    fn form() -> Form {
        Form::Named(Box::new(Form::Any))
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        entries(node, path, faults).map(|entries| Self(entries.to_vec()))
    }
}

impl KeyType for Texts {
    fn form() -> Form {
        Form::OneOrMore(Box::new(Form::Text))
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        if let Value::Text(text) = &node.value {
            return Some(Self(vec![text.clone()]));
        }
        Vec::<String>::read(node, path, faults).map(Self)
    }
}
