//! Mappings of several kinds: the key `kind` says which of the other keys such a mapping has.

use serde_json::{Map, Value as Json, json};

use super::{At, Form, KeyType, MapDef};
use crate::declare::WordDef;
use crate::fault::Faults;
use crate::yaml::{self, Node};

/// The key that says which kind a mapping is.
const KIND: &str = "kind";

/// A kind of a mapping: what it is, and which keys it has. A key that no kind names goes with all.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What the key `kind` says.
    pub word: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Keys that it must have.
    pub needs: &'static [&'static str],
    /// Keys that it may have, too; `lines.y` is the key `y` of the mappings in `lines`.
    pub takes: &'static [&'static str],
}

impl Kind {
    /// Whether it has a key, or a key within that one.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let mut own = self.needs.iter().chain(self.takes);
        own.any(|own| {
            let rest = own.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The kinds of a mapping, in the order in which they are told.
#[derive(Clone, Copy, Debug)]
pub struct Kinds<'k>(pub &'k [Kind]);

impl<'k> Kinds<'k> {
    /// The words of all.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        self.0.iter().map(|kind| kind.word).collect()
    }

    /// The words of those that need a key.
    #[must_use]
    pub fn needing(self, key: &str) -> Vec<&'static str> {
        let needing = self.0.iter().filter(|kind| kind.needs.contains(&key));
        needing.map(|kind| kind.word).collect()
    }

    /// The words of those that have a key; none where it goes with all.
    #[must_use]
    pub fn taking(self, path: &str) -> Vec<&'static str> {
        let taking = self.0.iter().filter(|kind| kind.has(path));
        let taking: Vec<&str> = taking.map(|kind| kind.word).collect();
        match taking.len() == self.0.len() {
            true => Vec::new(),
            false => taking,
        }
    }

    /// The kind that a word names, with a fault that lists all of them where it names none.
    pub fn read(self, word: &At<KindWord>, faults: &mut Faults) -> Option<&'k Kind> {
        let KindWord(text) = &word.value;
        let found = self.0.iter().find(|kind| kind.word == text);
        if found.is_none() {
            let message = format!("`{text}` is none of the words known here");
            let help = format!("write one of {}", self.words().join(", "));
            word.fault_with_help(message, help, faults);
        }
        found
    }

    /// What the key `kind` may be.
    #[must_use]
    pub fn form(self) -> Form {
        let words = self.0.iter().map(|kind| WordDef {
            word: kind.word,
            was: &[],
            doc: kind.doc,
        });
        Form::Word(words.collect())
    }

    /// The JSON Schema of a mapping of these kinds.
    #[must_use]
    pub fn schema(self, map: &MapDef) -> Json {
        let mut kinds: Vec<&str> = Vec::new();
        for key in map.keys {
            for word in [self.needing(key.name), self.taking(key.name)].concat() {
                if !kinds.contains(&word) {
                    kinds.push(word);
                }
            }
        }
        let by_kind = kinds.iter().map(|kind| {
            let names = map.keys.iter().map(|key| key.name);
            let (mut needed, mut left_out) = (Vec::new(), Map::new());
            for name in names {
                let taking = self.taking(name);
                if self.needing(name).contains(kind) {
                    needed.push(name);
                } else if !taking.is_empty() && !taking.contains(kind) {
                    left_out.insert(name.to_owned(), json!(false));
                }
            }
            json!({
                "if": { "properties": { KIND: { "const": kind } }, "required": [KIND] },
                "then": { "required": needed, "properties": left_out },
            })
        });
        let by_kind: Vec<Json> = by_kind.collect();
        let mut schema = map.schema();
        schema["properties"][KIND]["enum"] = json!(self.words());
        schema["allOf"] = json!(by_kind);
        schema
    }
}

/// The word of a kind, before it is known whether there is one of that name.
#[derive(Clone, Debug, PartialEq)]
pub struct KindWord(pub String);

impl KeyType for KindWord {
    fn form() -> Form {
        Form::Kind
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        yaml::text(node, path, faults).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;

    const MAP: &MapDef = &MapDef {
        doc: "An example.",
        keys: &[
            Key::new("kind", KindWord::form, "Its kind.").needed(),
            Key::new("step", u64::form, "How often."),
            Key::new("name", String::form, "What it is called."),
        ],
    };

    const KINDS: Kinds<'_> = Kinds(&[
        Kind {
            word: "points",
            doc: "Points.",
            needs: &[],
            takes: &["marks.at"],
        },
        Kind {
            word: "lines",
            doc: "Lines.",
            needs: &["step"],
            takes: &["marks.at", "marks.to"],
        },
    ]);

    #[test]
    fn a_key_goes_with_the_kinds_that_name_it() {
        assert_eq!(KINDS.needing("step"), ["lines"]);
        assert_eq!(KINDS.taking("step"), ["lines"]);
        assert_eq!(KINDS.taking("marks.to"), ["lines"]);
        for common in ["name", "marks", "marks.at"] {
            assert!(KINDS.taking(common).is_empty(), "{common}");
        }
    }

    #[test]
    fn the_schema_says_what_a_kind_has() {
        assert!(MAP.has_kinds());
        let schema = KINDS.schema(MAP);
        let kind = json!({ "enum": ["points", "lines"], "description": "Its kind." });
        assert_eq!(schema["properties"]["kind"], kind);
        let only = &schema["allOf"][0];
        assert_eq!(only["if"]["properties"]["kind"]["const"], json!("lines"));
        assert_eq!(
            only["then"],
            json!({ "required": ["step"], "properties": {} })
        );
    }

    #[test]
    fn a_word_of_no_kind_is_a_fault() {
        let node = yaml::parse("t.yaml", "dots").expect("valid YAML");
        let mut faults = Faults::default();
        let word = At::<KindWord>::read(&node, "kind", &mut faults).expect("text");
        let found = KINDS.read(&word, &mut faults);
        assert!(found.is_none());
        let faults = faults.into_result(found).expect_err("a fault");
        assert_eq!(
            faults[0].to_string(),
            "t.yaml:1:1: kind: `dots` is none of the words known here; write one of points, lines"
        );
    }
}
