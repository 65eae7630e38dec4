//! Params: the values a spec sets, and the table in which a study declares them.
//!
//! One table per study says name, kind, range, unit, default and meaning of every param. The
//! check of a spec, its JSON Schema, the resolved params that enter a trial id and the bounds in
//! a report all come from that table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::declare::{WordDef, renamed};
use crate::fault::{Faults, Place, instead};
use crate::keys::Form;
use crate::named::Named;
use crate::yaml::{Node, Value, join, unlike_text};

/// The value of a param or of a swept key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<ParamValue>),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            // Debug keeps `1.0` apart from the whole number `1` and is the shortest exact form.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::List(values) => {
                f.write_str("[")?;
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("]")
            }
        }
    }
}

impl ParamValue {
    /// The value as a number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether two values mean the same, so that `1` equals `1.0`.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self.as_f64(), other.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => self == other,
        }
    }

    /// The value of a YAML scalar or list, with a fault where it is none of them or not finite.
    pub fn from_node(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Float(value) if value.is_finite() => Some(Self::Float(*value)),
            Value::Float(value) => {
                let message = format!("expected a finite number, found `{value}`");
                faults.add(&node.place, path, message);
                None
            }
            Value::Text(value) => Some(Self::Text(value.clone())),
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| Self::from_node(item, &format!("{path}[{i}]"), faults))
                .collect::<Option<Vec<_>>>()
                .map(Self::List),
            Value::Null | Value::Map(_) => {
                let message = format!("expected a value, found {}", node.kind());
                faults.add(&node.place, path, message);
                None
            }
        }
    }
}

/// The word for a number that is not given.
pub const NONE: &str = "none";

/// What values a param takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A whole number in `min..=max`.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// An odd whole number in `min..=max`.
    OddInt {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number in `min..=max`.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// A number in `min..=max`, or the word [`NONE`].
    FloatOrNone {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [WordDef]),
    /// A list of whole numbers in `min..=max`.
    IntList {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
}

/// A default in a static table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A word.
    Text(&'static str),
    /// Whole numbers.
    Ints(&'static [i64]),
}

impl DefaultValue {
    /// The default as a value.
    #[must_use]
    pub fn value(self) -> ParamValue {
        match self {
            Self::Bool(value) => ParamValue::Bool(value),
            Self::Int(value) => ParamValue::Int(value),
            Self::Float(value) => ParamValue::Float(value),
            Self::Text(value) => ParamValue::Text(value.to_owned()),
            Self::Ints(values) => {
                ParamValue::List(values.iter().copied().map(ParamValue::Int).collect())
            }
        }
    }
}

/// One row of a study's table of params.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// The key under `params`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParamKind,
    /// The value where the spec gives none.
    pub default: DefaultValue,
    /// Unit, or empty.
    pub unit: &'static str,
    /// What it was called before.
    pub was: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

impl Param {
    /// The value in the kind this param has, or why it is not one.
    ///
    /// A whole number given for a [`ParamKind::Float`] becomes a float, so that `1` and `1.0`
    /// resolve to the same trial.
    ///
    /// # Errors
    /// What was expected.
    pub fn accept(&self, value: &ParamValue) -> Result<ParamValue, String> {
        let accepted = match (self.kind, value) {
            (ParamKind::Int { min, max }, ParamValue::Int(v)) => (min..=max).contains(v),
            (ParamKind::OddInt { min, max }, ParamValue::Int(v)) => {
                (min..=max).contains(v) && v % 2 != 0
            }
            (
                ParamKind::Float { min, max } | ParamKind::FloatOrNone { min, max },
                ParamValue::Float(v),
            ) => (min..=max).contains(v),
            (
                ParamKind::Float { min, max } | ParamKind::FloatOrNone { min, max },
                ParamValue::Int(v),
            ) => {
                let v = *v as f64;
                if (min..=max).contains(&v) {
                    return Ok(ParamValue::Float(v));
                }
                false
            }
            (ParamKind::FloatOrNone { .. }, ParamValue::Text(word)) => word == NONE,
            (ParamKind::Bool, ParamValue::Bool(_)) => true,
            (ParamKind::Choice(words), ParamValue::Text(word)) => {
                words.iter().any(|own| own.word == word)
            }
            (ParamKind::IntList { min, max }, ParamValue::List(items)) => {
                !items.is_empty()
                    && items
                        .iter()
                        .all(|i| matches!(i, ParamValue::Int(v) if (min..=max).contains(v)))
            }
            _ => false,
        };
        if accepted {
            Ok(value.clone())
        } else {
            Err(self.expected())
        }
    }

    /// What values are right, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        Form::from(self.kind).expected()
    }
}

/// Params by name, in the order of the study's table.
pub type Params = Named<ParamValue>;

impl Params {
    /// Whether all of `others` are among these, with the same values.
    #[must_use]
    pub fn contain(&self, others: &Self) -> bool {
        others
            .iter()
            .all(|(name, value)| self.get(name).is_some_and(|own| own.same(value)))
    }

    /// `name=value` pairs, separated by commas.
    #[must_use]
    pub fn summary(&self) -> String {
        let pairs: Vec<String> = self.iter().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join(", ")
    }
}

/// Checks one value against the table and adds a fault where it does not fit: at the key for an
/// unknown param, at the value for a wrong one.
pub fn accept_at(
    table: &[Param],
    name: &str,
    value: &ParamValue,
    (key, place): (&Place, &Place),
    parent: &str,
    faults: &mut Faults,
) -> Option<ParamValue> {
    let path = join(parent, name);
    let Some(param) = table.iter().find(|param| param.name == name) else {
        let help = instead(name, table.iter().map(|param| (param.name, param.was)));
        faults.add_with_help(key, &path, "the study has no such param", help);
        return None;
    };
    match param.accept(value) {
        Ok(value) => Some(value),
        Err(expected) => {
            let (found, new) = match (value, param.kind) {
                (ParamValue::Text(text), ParamKind::Choice(words)) => {
                    (unlike_text(text), renamed(words, text))
                }
                (ParamValue::Text(text), _) => (unlike_text(text), None),
                _ => (None, None),
            };
            let found = found.unwrap_or_else(|| format!("`{value}`"));
            let message = format!("{found} does not fit");
            let help = match new {
                Some(new) => format!("it is called `{new}` now"),
                None => format!("expected {expected}"),
            };
            faults.add_with_help(place, &path, message, help);
            None
        }
    }
}

/// The defaults of a whole table.
#[must_use]
pub fn defaults(table: &[Param]) -> Params {
    table
        .iter()
        .map(|param| (param.name.to_owned(), param.default.value()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Param = Param {
        name: "window_px",
        kind: ParamKind::OddInt { min: 5, max: 301 },
        default: DefaultValue::Int(41),
        unit: "px",
        was: &[],
        doc: "Full width of the window.",
    };
    const KAPPA: Param = Param {
        name: "kappa",
        kind: ParamKind::Float { min: 0.0, max: 1.0 },
        default: DefaultValue::Float(0.1),
        unit: "",
        was: &["weight"],
        doc: "Weight of the discrimination loss.",
    };

    #[test]
    fn kinds_accept_what_they_say() {
        assert_eq!(WINDOW.accept(&ParamValue::Int(41)), Ok(ParamValue::Int(41)));
        assert_eq!(
            WINDOW.accept(&ParamValue::Int(40)),
            Err("an odd whole number from 5 to 301".to_owned())
        );
        assert_eq!(
            KAPPA.accept(&ParamValue::Int(1)),
            Ok(ParamValue::Float(1.0))
        );
        assert!(KAPPA.accept(&ParamValue::Float(1.5)).is_err());
        assert!(KAPPA.accept(&ParamValue::Text("0.5".to_owned())).is_err());
        let optional = Param {
            kind: ParamKind::FloatOrNone { min: 0.0, max: 1.0 },
            default: DefaultValue::Text(NONE),
            ..KAPPA
        };
        let none = ParamValue::Text(NONE.to_owned());
        assert_eq!(optional.accept(&none), Ok(none));
        assert_eq!(
            optional.accept(&ParamValue::Int(1)),
            Ok(ParamValue::Float(1.0))
        );
        assert_eq!(
            optional.accept(&ParamValue::Float(2.0)),
            Err("a number from 0 to 1, or none".to_owned())
        );
    }

    #[test]
    fn an_old_name_leads_to_the_new_one() {
        const NORM: Param = Param {
            name: "norm",
            kind: ParamKind::Choice(&[WordDef {
                word: "batch",
                was: &["of_batch"],
                doc: "By the batch.",
            }]),
            default: DefaultValue::Text("batch"),
            unit: "",
            was: &[],
            doc: "Moments.",
        };
        let place = Place {
            file: "a.yaml".into(),
            line: 3,
            column: 5,
        };
        let fault = |name: &str, value| {
            let mut faults = Faults::default();
            let table = [KAPPA, NORM];
            let read = accept_at(
                &table,
                name,
                &value,
                (&place, &place),
                "params",
                &mut faults,
            );
            assert_eq!(read, None);
            faults.into_result(Some(())).expect_err("an old name")[0].to_string()
        };
        assert_eq!(
            fault("weight", ParamValue::Float(0.1)),
            "a.yaml:3:5: params.weight: the study has no such param; it is called `kappa` now"
        );
        assert_eq!(
            fault("norm", ParamValue::Text("of_batch".to_owned())),
            "a.yaml:3:5: params.norm: `of_batch` does not fit; it is called `batch` now"
        );
    }

    #[test]
    fn params_keep_order_and_kind_in_files() {
        let params: Params = [
            ("b".to_owned(), ParamValue::Float(1.0)),
            ("a".to_owned(), ParamValue::Int(1)),
            ("c".to_owned(), ParamValue::Text("1".to_owned())),
        ]
        .into_iter()
        .collect();
        let json = serde_json::to_string(&params).expect("plain values");
        assert_eq!(json, r#"{"b":1.0,"a":1,"c":"1"}"#);
        assert_eq!(
            serde_json::from_str::<Params>(&json).expect("valid"),
            params
        );
    }

    #[test]
    fn whole_and_broken_numbers_mean_the_same() {
        assert!(ParamValue::Int(1).same(&ParamValue::Float(1.0)));
        assert!(!ParamValue::Int(1).same(&ParamValue::Bool(true)));
        assert_eq!(ParamValue::Float(1.0).to_string(), "1.0");
    }
}
