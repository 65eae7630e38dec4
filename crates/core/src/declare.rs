//! Short forms for the rows of a study's tables: most have no unit, and most metrics repeat.

use crate::metric::{ColumnDef, Direction, MetricDef};
use crate::params::{DefaultValue, Param, ParamKind};

const fn param(
    name: &'static str,
    kind: ParamKind,
    default: DefaultValue,
    doc: &'static str,
) -> Param {
    Param {
        name,
        kind,
        default,
        unit: "",
        doc,
    }
}

/// A param that is true or false.
#[must_use]
pub const fn flag(name: &'static str, default: bool, doc: &'static str) -> Param {
    param(name, ParamKind::Bool, DefaultValue::Bool(default), doc)
}

/// A whole number from `min` to `max`.
#[must_use]
pub const fn int(
    name: &'static str,
    default: i64,
    (min, max): (i64, i64),
    doc: &'static str,
) -> Param {
    param(
        name,
        ParamKind::Int { min, max },
        DefaultValue::Int(default),
        doc,
    )
}

/// A number from `min` to `max`.
#[must_use]
pub const fn number(
    name: &'static str,
    default: f64,
    (min, max): (f64, f64),
    doc: &'static str,
) -> Param {
    param(
        name,
        ParamKind::Float { min, max },
        DefaultValue::Float(default),
        doc,
    )
}

/// A choice; the first word is the default.
#[must_use]
pub const fn word(name: &'static str, words: &'static [&'static str], doc: &'static str) -> Param {
    param(
        name,
        ParamKind::Choice(words),
        DefaultValue::Text(words[0]),
        doc,
    )
}

/// Whole numbers from `min` to `max`.
#[must_use]
pub const fn ints(
    name: &'static str,
    default: &'static [i64],
    (min, max): (i64, i64),
    doc: &'static str,
) -> Param {
    param(
        name,
        ParamKind::IntList { min, max },
        DefaultValue::Ints(default),
        doc,
    )
}

/// A metric that is better when it is larger.
#[must_use]
pub const fn higher(name: &'static str, doc: &'static str) -> MetricDef {
    metric(name, Direction::Higher, doc)
}

/// A metric that is better when it is smaller.
#[must_use]
pub const fn lower(name: &'static str, doc: &'static str) -> MetricDef {
    metric(name, Direction::Lower, doc)
}

/// A metric that is neither good nor bad.
#[must_use]
pub const fn fact(name: &'static str, doc: &'static str) -> MetricDef {
    metric(name, Direction::None, doc)
}

const fn metric(name: &'static str, direction: Direction, doc: &'static str) -> MetricDef {
    MetricDef {
        name,
        unit: "",
        direction,
        repeatable: true,
        doc,
    }
}

/// A column without a unit.
#[must_use]
pub const fn column(name: &'static str, doc: &'static str) -> ColumnDef {
    ColumnDef {
        name,
        unit: "",
        doc,
    }
}
