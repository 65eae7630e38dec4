//! What the value of a key or of a param may be: in words, and as JSON Schema.

use serde_json::{Value as Json, json};

use super::MapDef;
use crate::declare::{Word, WordDef};
use crate::params::{NONE, ParamKind};

/// What the value of a key or of a param may be.
#[derive(Clone, Debug)]
pub enum Form {
    /// Any value.
    Any,
    /// Text.
    Text,
    /// Text that fits a regular expression.
    Pattern(&'static str),
    /// This whole number.
    Fixed(i64),
    /// A whole number in `min..=max`; [`i64::MAX`] is no bound.
    Int(i64, i64),
    /// An odd whole number in `min..=max`.
    OddInt(i64, i64),
    /// A number in `min..=max`; an infinite end is no bound.
    Float(f64, f64),
    /// A number above 0, at most this.
    Positive(f64),
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Word(Vec<WordDef>),
    /// The word of a kind of the mapping, of those that the program has.
    Kind,
    /// A list of items, so many or more.
    List(Box<Form>, usize),
    /// One value or a list of them.
    OneOrMore(Box<Form>),
    /// A mapping whose keys are names of other things.
    Named(Box<Form>),
    /// A mapping with these keys.
    Keys(&'static MapDef),
    /// One of several forms.
    Either(Vec<Form>),
    /// What only its reader knows: its schema, and what is right in words.
    Special(Json, String),
}

impl Form {
    /// One of these words.
    #[must_use]
    pub fn words<W: Word>() -> Self {
        Self::Word(W::WORDS.to_vec())
    }

    /// What is right, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Any => "a value".to_owned(),
            Self::Text | Self::Pattern(_) => "text".to_owned(),
            Self::Fixed(value) => value.to_string(),
            Self::Int(min, i64::MAX) => format!("a whole number from {min}"),
            Self::Int(min, max) => format!("a whole number from {min} to {max}"),
            Self::OddInt(min, max) => format!("an odd whole number from {min} to {max}"),
            Self::Float(min, max) => match (min.is_finite(), max.is_finite()) {
                (false, _) => "a number".to_owned(),
                (true, false) => format!("a number of {min} or more"),
                (true, true) => format!("a number from {min} to {max}"),
            },
            Self::Positive(max) => format!("a number above 0, at most {max}"),
            Self::Bool => "true or false".to_owned(),
            Self::Word(words) => {
                let words: Vec<&str> = words.iter().map(|own| own.word).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Kind => "the word of a kind".to_owned(),
            Self::List(items, _) => format!("a list of {}", items.several()),
            Self::OneOrMore(item) => {
                format!("{}, or a list of {}", item.expected(), item.several())
            }
            Self::Named(item) => format!("a mapping of names to {}", item.several()),
            Self::Keys(_) => "a mapping".to_owned(),
            Self::Either(forms) => {
                let forms: Vec<String> = forms.iter().map(Self::expected).collect();
                forms.join(", or ")
            }
            Self::Special(_, expected) => expected.clone(),
        }
    }

    /// Whether a value is a number within the bounds.
    #[must_use]
    pub fn holds(&self, value: &Json) -> bool {
        if let Self::Either(forms) = self {
            return forms.iter().any(|form| form.holds(value));
        }
        let Some(value) = value.as_f64() else {
            return false;
        };
        match self {
            Self::Fixed(own) => *own as f64 == value,
            Self::Int(min, max) => (*min as f64..=*max as f64).contains(&value),
            Self::Float(min, max) => (*min..=*max).contains(&value),
            Self::Positive(max) => value > 0.0 && value <= *max,
            _ => false,
        }
    }

    /// What several of them are, in words.
    fn several(&self) -> String {
        match self {
            Self::Any => "values".to_owned(),
            Self::Text | Self::Pattern(_) => "texts".to_owned(),
            Self::Keys(_) => "mappings".to_owned(),
            Self::Word(words) => {
                let words: Vec<&str> = words.iter().map(|own| own.word).collect();
                format!("some of {}", words.join(", "))
            }
            Self::Int(..) => {
                let one = self.expected();
                one.replace("a whole number", "whole numbers")
            }
            other => format!("values, each {}", other.expected()),
        }
    }

    /// The JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Json {
        match self {
            Self::Any => json!({}),
            Self::Text => json!({ "type": "string" }),
            Self::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
            Self::Fixed(value) => json!({ "const": value }),
            Self::Int(min, i64::MAX) => json!({ "type": "integer", "minimum": min }),
            Self::Int(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::OddInt(min, max) => {
                json!({ "type": "integer", "minimum": min, "maximum": max, "not": { "multipleOf": 2 } })
            }
            Self::Float(min, max) => {
                let mut schema = json!({ "type": "number" });
                for (word, end) in [("minimum", min), ("maximum", max)] {
                    if end.is_finite() {
                        schema[word] = json!(end);
                    }
                }
                schema
            }
            Self::Positive(max) => {
                json!({ "type": "number", "exclusiveMinimum": 0, "maximum": max })
            }
            Self::Bool => json!({ "type": "boolean" }),
            Self::Word(words) => {
                let words: Vec<&str> = words.iter().map(|own| own.word).collect();
                json!({ "enum": words })
            }
            Self::Kind => json!({ "enum": [] }),
            Self::List(items, least) => {
                json!({ "type": "array", "minItems": least, "items": items.schema() })
            }
            Self::OneOrMore(item) => {
                let item = item.schema();
                json!({ "oneOf": [item, { "type": "array", "items": item }] })
            }
            Self::Named(item) => {
                json!({ "type": "object", "additionalProperties": item.schema() })
            }
            Self::Keys(map) => map.schema(),
            Self::Either(forms) => {
                let forms: Vec<Json> = forms.iter().map(Self::schema).collect();
                json!({ "oneOf": forms })
            }
            Self::Special(schema, _) => schema.clone(),
        }
    }
}

impl From<ParamKind> for Form {
    fn from(kind: ParamKind) -> Self {
        match kind {
            ParamKind::Int { min, max } => Self::Int(min, max),
            ParamKind::OddInt { min, max } => Self::OddInt(min, max),
            ParamKind::Float { min, max } => Self::Float(min, max),
            ParamKind::FloatOrNone { min, max } => Self::Either(vec![
                Self::Float(min, max),
                Self::Special(json!({ "const": NONE }), NONE.to_owned()),
            ]),
            ParamKind::Bool => Self::Bool,
            ParamKind::Choice(words) => Self::Word(words.to_vec()),
            ParamKind::IntList { min, max } => Self::List(Box::new(Self::Int(min, max)), 1),
        }
    }
}
