//! How a mapping of a file that people write is declared: every key once, with its type, default and meaning.
//!
//! [`keys!`](crate::keys!) makes a struct with a field a key. What reads such a mapping and names its faults, the JSON
//! Schema and the page of reference come from that one place. What keys mean together is code beside it.

mod form;
mod kind;
mod types;

#[doc(hidden)]
pub use serde_json::Value as Json;
use serde_json::{Map, json};

pub use self::form::Form;
pub use self::kind::{Kind, KindWord, Kinds};
pub(crate) use self::types::{read_word, word_keys};
use crate::fault::{Faults, Place, instead, never_renamed};
use crate::yaml::{Entry, Node, Value, join};

/// A type that the value of a key can have.
pub trait KeyType: Sized {
    /// What is right.
    fn form() -> Form;

    /// The value of a node, with a fault where it is none.
    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self>;

    /// The value as a default is shown.
    fn json(&self) -> Json {
        Json::Null
    }
}

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub form: fn() -> Form,
    /// Its value where it is left out.
    pub default: Option<fn() -> Json>,
    /// Whether every mapping must have it.
    pub needed: bool,
    /// Whether it is one of those of which exactly one is given.
    pub one: bool,
    /// Whether it speaks of its own file alone, so that `extends` does not take it over.
    pub own: bool,
    /// What it means.
    pub doc: &'static str,
}

impl Key {
    /// A key that may be left out.
    #[must_use]
    pub const fn new(name: &'static str, form: fn() -> Form, doc: &'static str) -> Self {
        Self {
            name,
            form,
            default: None,
            needed: false,
            one: false,
            own: false,
            doc,
        }
    }

    /// It must be given.
    #[must_use]
    pub const fn needed(mut self) -> Self {
        self.needed = true;
        self
    }

    /// It is one of those of which exactly one is given.
    #[must_use]
    pub const fn one(mut self) -> Self {
        self.one = true;
        self
    }

    /// It speaks of its own file alone.
    #[must_use]
    pub const fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// Its value where it is left out.
    #[must_use]
    pub const fn or(mut self, default: fn() -> Json) -> Self {
        self.default = Some(default);
        self
    }

    fn schema(&self) -> Json {
        let mut schema = (self.form)().schema();
        schema["description"] = json!(self.doc);
        if let Some(default) = self.default {
            schema["default"] = default();
        }
        schema
    }
}

/// A mapping whose keys are declared.
#[derive(Clone, Copy, Debug)]
pub struct MapDef {
    /// What it is.
    pub doc: &'static str,
    /// Its keys, in the order in which they are told.
    pub keys: &'static [Key],
}

impl MapDef {
    /// The JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Json {
        let names = |chosen: &dyn Fn(&Key) -> bool| -> Vec<&'static str> {
            let chosen = self.keys.iter().filter(|key| chosen(key));
            chosen.map(|key| key.name).collect()
        };
        let properties = self
            .keys
            .iter()
            .map(|key| (key.name.to_owned(), key.schema()));
        let properties: Map<String, Json> = properties.collect();
        let mut schema = json!({
            "type": "object",
            "description": self.doc,
            "additionalProperties": false,
            "properties": properties,
        });
        let needed = names(&|key| key.needed);
        if !needed.is_empty() {
            schema["required"] = json!(needed);
        }
        let one = names(&|key| key.one);
        if !one.is_empty() {
            let one: Vec<Json> = one
                .iter()
                .map(|name| json!({ "required": [name] }))
                .collect();
            schema["oneOf"] = json!(one);
        }
        schema
    }

    /// Whether one of its keys says which kind it is.
    #[must_use]
    pub fn has_kinds(&self) -> bool {
        let mut forms = self.keys.iter().map(|key| (key.form)());
        forms.any(|form| matches!(form, Form::Kind))
    }

    /// Where the mapping `node` stands and which keys it gives, with a fault if it is no mapping, and one for each key
    /// that is unknown or missing.
    pub fn site(&self, node: &Node, path: &str, faults: &mut Faults) -> Option<Site> {
        let entries = entries(node, path, faults)?;
        let known = || self.keys.iter().map(|key| key.name);
        let there = entries
            .iter()
            .filter(|entry| entry.node.value != Value::Null);
        let site = Site {
            place: node.place.clone(),
            path: path.to_owned(),
            given: there
                .filter_map(|entry| known().find(|name| *name == entry.key))
                .collect(),
        };
        for key in self.keys.iter().filter(|key| key.needed) {
            if !site.gives(key.name) {
                faults.add(&site.place, &site.path(key.name), "this key is missing");
            }
        }
        for entry in entries
            .iter()
            .filter(|entry| known().all(|name| name != entry.key))
        {
            let help = instead(&entry.key, known().map(never_renamed));
            faults.add_with_help(&entry.place, &site.path(&entry.key), "an unknown key", help);
        }
        Some(site)
    }
}

/// Where a mapping stands, and what it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Where it begins.
    pub place: Place,
    /// Its dotted key.
    pub path: String,
    /// Its declared keys that are there and not null.
    pub given: Vec<&'static str>,
}

impl Site {
    /// The dotted path of one of its keys.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Whether a key is there.
    #[must_use]
    pub fn gives(&self, key: &str) -> bool {
        self.given.contains(&key)
    }

    /// The given keys of which there should be exactly one.
    #[must_use]
    pub fn alternatives(&self, map: &MapDef) -> Vec<&'static str> {
        let alternatives = map
            .keys
            .iter()
            .filter(|key| key.one && self.gives(key.name));
        alternatives.map(|key| key.name).collect()
    }

    /// Adds a fault of one of its keys, at the beginning of the mapping.
    pub fn fault(
        &self,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
        faults: &mut Faults,
    ) {
        faults.add_with_help(&self.place, &self.path(key), message, help);
    }
}

/// A schema of a whole file, its name first.
#[must_use]
pub fn titled(title: &str, schema: Json) -> Json {
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    if let Json::Object(entries) = schema {
        for (key, value) in entries {
            whole[key] = value;
        }
    }
    whole
}

/// The value of `key` in a mapping, if it is there and fits.
pub fn value_at<T: KeyType>(node: &Node, path: &str, key: &str, faults: &mut Faults) -> Option<T> {
    let own = node.get(key).filter(|own| own.value != Value::Null)?;
    T::read(own, &join(path, key), faults)
}

/// A value with its place, for faults that need more than the value.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
    /// Its dotted key.
    pub path: String,
}

impl<T> At<T> {
    /// Adds a fault of the value.
    pub fn fault(&self, message: impl Into<String>, faults: &mut Faults) {
        faults.add(&self.place, &self.path, message);
    }

    /// Adds a fault of the value together with what would be right.
    pub fn fault_with_help(
        &self,
        message: impl Into<String>,
        help: impl Into<String>,
        faults: &mut Faults,
    ) {
        faults.add_with_help(&self.place, &self.path, message, help);
    }
}

/// The entries of a mapping whose keys are names of other things, such as params.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries(pub Vec<Entry>);

/// One text or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts(pub Vec<String>);

/// The entries of a mapping; a fault if the node is none.
fn entries<'n>(node: &'n Node, path: &str, faults: &mut Faults) -> Option<&'n [Entry]> {
    let Value::Map(entries) = &node.value else {
        let message = format!("expected a mapping, found {}", node.describe());
        faults.add(&node.place, path, message);
        return None;
    };
    Some(entries)
}

/// A struct whose fields are the keys of a mapping: name, type, default and meaning stand here and nowhere else.
///
/// A field is an `Option` of its type, or of the type itself where a default is given. `as "key"` names a key that is
/// no name in Rust. In brackets stands what [`Key`](crate::keys::Key) is told, such as `needed()`. The field `site` is
/// where the mapping stands.
///
/// ```
/// use retrial_core::fault::Faults;
/// use retrial_core::keys::KeyType as _;
/// retrial_core::keys! {
///     /// A published point.
///     pub struct Point {
///         /// Horizontal value.
///         x: f64 [needed()];
///         /// Only trials with these params.
///         filter as "where": retrial_core::keys::Entries;
///         /// Whether it is drawn.
///         drawn: bool = true;
///     }
/// }
/// let node = retrial_core::yaml::parse("a.yaml", "{x: 2, y: 3}").expect("YAML");
/// let mut faults = Faults::default();
/// let point = Point::read(&node, "points[0]", &mut faults).expect("a mapping");
/// assert_eq!((point.x, point.drawn), (Some(2.0), true));
/// let faults = faults.into_result(Some(())).expect_err("a fault");
/// assert!(faults[0].to_string().ends_with("points[0].y: an unknown key; did you mean `x`?"));
/// ```
#[macro_export]
macro_rules! keys {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(as $key:literal)?: $type:ty $([$($mark:tt)+])? $(= $default:expr)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        $vis struct $name {
            $(
                $(#[doc = $doc])+
                pub $field: $crate::key_field!($type $(, $default)?),
            )+
            /// Where the mapping stands.
            pub site: $crate::keys::Site,
        }

        impl $name {
            /// What the mapping is and which keys it has.
            pub const MAP: &'static $crate::keys::MapDef = &$crate::keys::MapDef {
                doc: concat!($($about),+).trim_ascii(),
                keys: &[
                    $(
                        $crate::keys::Key::new(
                            $crate::key_name!($field $(, $key)?),
                            <$type as $crate::keys::KeyType>::form,
                            concat!($($doc),+).trim_ascii(),
                        )
                        $(.$($mark)+)?
                        $(.or(|| <$type as $crate::keys::KeyType>::json(&$default)))?
                    ),+
                ],
            };

            /// The values of its keys in a mapping whose site is known; other keys are left to others.
            pub fn at(
                site: $crate::keys::Site,
                node: &$crate::yaml::Node,
                faults: &mut $crate::fault::Faults,
            ) -> Self {
                Self {
                    $(
                        $field: $crate::key_or!(
                            $crate::keys::value_at::<$type>(
                                node,
                                &site.path,
                                $crate::key_name!($field $(, $key)?),
                                faults,
                            )
                            $(, $default)?
                        ),
                    )+
                    site,
                }
            }
        }

        impl $crate::keys::KeyType for $name {
            fn form() -> $crate::keys::Form {
                $crate::keys::Form::Keys(Self::MAP)
            }

            fn read(
                node: &$crate::yaml::Node,
                path: &str,
                faults: &mut $crate::fault::Faults,
            ) -> Option<Self> {
                let site = Self::MAP.site(node, path, faults)?;
                Some(Self::at(site, node, faults))
            }
        }
    };
}

/// A number of which only some values are right: its form, and the message and help for the others.
///
/// ```
/// use retrial_core::keys::{Form, KeyType as _};
/// retrial_core::bounded! {
///     /// Wall time, s.
///     pub struct Seconds(f64) in Form::Positive(1e9);
///     seconds => format!("a time limit of `{seconds}` s"), Self::form().expected();
/// }
/// let node = retrial_core::yaml::parse("a.yaml", "0").expect("YAML");
/// let mut faults = retrial_core::fault::Faults::default();
/// assert!(Seconds::read(&node, "time_s", &mut faults).is_none());
/// ```
#[macro_export]
macro_rules! bounded {
    (
        $(#[doc = $doc:literal])+
        $vis:vis struct $name:ident($type:ty) in $form:expr;
        $value:ident => $message:expr, $help:expr;
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        $vis struct $name(pub $type);

        impl $crate::keys::KeyType for $name {
            fn form() -> $crate::keys::Form {
                $form
            }

            fn read(
                node: &$crate::yaml::Node,
                path: &str,
                faults: &mut $crate::fault::Faults,
            ) -> Option<Self> {
                let own = Self(<$type as $crate::keys::KeyType>::read(node, path, faults)?);
                if <Self as $crate::keys::KeyType>::form().holds(&$crate::keys::KeyType::json(&own)) {
                    return Some(own);
                }
                let Self($value) = own;
                faults.add_with_help(&node.place, path, $message, $help);
                None
            }

            fn json(&self) -> $crate::keys::Json {
                <$type as $crate::keys::KeyType>::json(&self.0)
            }
        }
    };
}

/// The type of the field of a key.
#[doc(hidden)]
#[macro_export]
macro_rules! key_field {
    ($type:ty) => { Option<$type> };
    ($type:ty, $default:expr) => { $type };
}

/// The name of a key.
#[doc(hidden)]
#[macro_export]
macro_rules! key_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident, $key:literal) => {
        $key
    };
}

/// The value of a key, or its default.
#[doc(hidden)]
#[macro_export]
macro_rules! key_or {
    ($value:expr) => {
        $value
    };
    ($value:expr, $default:expr) => {
        $value.unwrap_or($default)
    };
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "what the macros make is public")]

    use super::*;

    crate::words! {
        /// A kind.
        #[derive(Default)]
        pub enum Sort {
            /// Points.
            Points = "points",
            /// Lines.
            #[default]
            Lines = "lines",
        }
    }

    word_keys!(Sort);

    crate::keys! {
        /// An example.
        pub struct Example {
            /// Its kind.
            kind: Sort [needed()];
            /// How often.
            step: u64 = 2;
            /// What it is called.
            name: String;
            /// A share.
            ratio: f64;
            /// A choice of names.
            chosen as "where": Entries;
        }
    }

    fn read(text: &str) -> Result<Example, Vec<String>> {
        let node = crate::yaml::parse("t.yaml", text).expect("valid YAML");
        let mut faults = Faults::default();
        let example = Example::read(&node, "", &mut faults);
        let result = faults.into_result(example);
        result.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn unknown_keys_and_wrong_types_come_together() {
        let text = "stp: 1\nname: 3\nratio: .nan\nkind:\nwhere: [1]\n";
        assert_eq!(
            read(text).expect_err("five faults"),
            [
                "t.yaml:1:1: kind: this key is missing",
                "t.yaml:1:1: stp: an unknown key; did you mean `step`?",
                "t.yaml:2:7: name: expected text, found the whole number `3`",
                "t.yaml:3:8: ratio: expected a finite number, found `NaN`",
                "t.yaml:5:8: where: expected a mapping, found a list",
            ]
        );
        assert_eq!(
            read("kind: dots\nfoo: 1").expect_err("two faults"),
            [
                "t.yaml:1:7: kind: `dots` is none of the words known here; write one of points, lines",
                "t.yaml:2:1: foo: an unknown key; known here: kind, step, name, ratio, where",
            ]
        );
    }

    #[test]
    fn what_fits_is_read_and_the_rest_is_the_default() {
        let example = read("kind: lines\nratio: 1\nwhere: {a: 1}\n").expect("it fits");
        assert_eq!((example.kind, example.step), (Some(Sort::default()), 2));
        assert_eq!((example.name, example.ratio), (None, Some(1.0)));
        assert_eq!(example.chosen.map(|chosen| chosen.0.len()), Some(1));
        assert_eq!(example.site.given, ["kind", "ratio", "where"]);
    }

    #[test]
    fn the_schema_says_what_the_reader_takes() {
        let schema = Example::MAP.schema();
        assert_eq!(schema["required"], json!(["kind"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        let step = &schema["properties"]["step"];
        assert_eq!(step["default"], json!(2));
        assert_eq!(step["description"], json!("How often."));
        assert_eq!(
            schema["properties"]["kind"]["enum"],
            json!(["points", "lines"])
        );
    }
}
