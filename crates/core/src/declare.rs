//! How a study declares what it has: each word, param and metric once, with its type.
//!
//! [`words!`](crate::words) makes an enum whose variants are written as words, [`params!`](crate::params!) a
//! struct whose fields are params, [`metrics!`](crate::metrics!) constants that are metrics. Checks of specs, their
//! schema, the ids of trials, the values that a study reads and the pages of reference come from that one place.

mod row;

pub use retrial_words::{Word, WordDef, listed, renamed};

pub use self::row::{Cell, Cells, Row};
use crate::params::{NONE, Param, ParamValue, Params};

/// A type that a param can have, words aside.
pub trait ParamType: Sized {
    /// The value, if it is of this type.
    fn from_value(value: &ParamValue) -> Option<Self>;

    /// The value as it stands in specs and records.
    fn to_value(&self) -> ParamValue;
}

impl ParamType for bool {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::Bool(*self)
    }
}

impl ParamType for usize {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Int(value) => Self::try_from(*value).ok(),
            _ => None,
        }
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::Int(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl ParamType for f64 {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Float(value) => Some(*value),
            _ => None,
        }
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::Float(*self)
    }
}

impl ParamType for Option<f64> {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Float(value) => Some(Some(*value)),
            ParamValue::Text(word) if word == NONE => Some(None),
            _ => None,
        }
    }

    fn to_value(&self) -> ParamValue {
        match self {
            Some(value) => ParamValue::Float(*value),
            None => ParamValue::Text(NONE.to_owned()),
        }
    }
}

impl ParamType for Vec<usize> {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::List(items) => items.iter().map(usize::from_value).collect(),
            _ => None,
        }
    }

    fn to_value(&self) -> ParamValue {
        ParamValue::List(self.iter().map(usize::to_value).collect())
    }
}

/// Params that belong together, as a struct with a field a param.
pub trait ParamGroup: Sized {
    /// The rows of the study's table, a row a field.
    const TABLE: &'static [Param];

    /// The group among all params of a trial; the name of the first param that is missing or of another type
    /// otherwise.
    ///
    /// # Errors
    /// The name of that param.
    fn read(params: &Params) -> Result<Self, &'static str>;

    /// Name and value of every field, in order.
    fn pairs(&self) -> Pairs;
}

/// Params that a stage reads, as it is named by them.
pub type Pairs = Vec<(&'static str, ParamValue)>;

/// The param `name` of a trial.
///
/// # Errors
/// The name, where it is missing or of another type.
pub fn read_param<T: ParamType>(params: &Params, name: &'static str) -> Result<T, &'static str> {
    params.get(name).and_then(T::from_value).ok_or(name)
}

/// The param `name` of a trial, a word.
///
/// # Errors
/// The name, where it is missing or no word of the type.
pub fn read_word_param<W: Word>(params: &Params, name: &'static str) -> Result<W, &'static str> {
    match params.get(name) {
        Some(ParamValue::Text(word)) => W::from_word(word).ok_or(name),
        _ => Err(name),
    }
}

/// A word as it stands in specs and records.
#[must_use]
pub fn word_value(word: impl Word) -> ParamValue {
    ParamValue::Text(word.word().to_owned())
}

/// Number of the declarations in some lists.
#[must_use]
pub const fn count<T>(lists: &[&[T]]) -> usize {
    let (mut count, mut list) = (0, 0);
    while list < lists.len() {
        count += lists[list].len();
        list += 1;
    }
    count
}

/// The declarations of some lists in one, [`count`] of them.
///
/// # Panics
/// Where there are fewer; in a constant that is an error of the compiler.
#[must_use]
pub const fn concat<T: Copy, const N: usize>(lists: &[&[T]]) -> [T; N] {
    let mut all = [lists[0][0]; N];
    let (mut count, mut list) = (0, 0);
    while list < lists.len() {
        let mut place = 0;
        while place < lists[list].len() {
            all[count] = lists[list][place];
            count += 1;
            place += 1;
        }
        list += 1;
    }
    all
}

/// A struct whose fields are params: name, type, range, unit, default and meaning stand here and nowhere else.
///
/// `was` behind a name states what it was called before, so that an old spec is told the new name.
///
/// Kinds: `int(min..=max)` is a `usize`, `odd(min..=max)` an odd one, `float(min..=max)` an `f64`,
/// `float_or_none(min..=max)` an `Option<f64>` whose default is always none, `flag` a `bool`, `ints(min..=max)` a
/// `Vec<usize>`, `word(Type)` an enum of [`words!`](crate::words). A unit stands behind the kind.
///
/// ```
/// retrial_core::params! {
///     /// What is cut.
///     pub struct Cut {
///         /// Full width of the piece.
///         width_px: odd(5..=301) "px" = 41,
///         /// Share of the rim.
///         rim: float(0.0..=1.0) = 0.1,
///     }
/// }
/// use retrial_core::declare::ParamGroup as _;
/// let cut = Cut::read(&retrial_core::params::defaults(Cut::TABLE)).expect("all there");
/// assert_eq!((cut.width_px, cut.rim), (41, 0.1));
/// ```
#[macro_export]
macro_rules! params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(was $($old:literal)+)?:
                    $kind:ident $(($($range:tt)*))? $($unit:literal)? = $default:expr
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $(
                $(#[doc = $doc])+
                pub $field: $crate::param_type!($kind $(($($range)*))?),
            )+
        }

        #[expect(non_upper_case_globals, reason = "a param is written as in specs and records")]
        impl $name {
            $(
                /// The key in specs.
                pub const $field: &'static str = stringify!($field);
            )+
        }

        impl $crate::declare::ParamGroup for $name {
            const TABLE: &'static [$crate::params::Param] = &[
                $($crate::params::Param {
                    name: stringify!($field),
                    kind: $crate::param_kind!($kind $(($($range)*))?),
                    default: $crate::param_default!($kind, $default),
                    unit: concat!($($unit)?),
                    was: &[$($($old),+)?],
                    doc: concat!($($doc),+).trim_ascii(),
                }),+
            ];

            fn read(params: &$crate::params::Params) -> Result<Self, &'static str> {
                Ok(Self {
                    $($field: $crate::param_read!($kind, params, stringify!($field))?),+
                })
            }

            fn pairs(&self) -> $crate::declare::Pairs {
                vec![$((stringify!($field), $crate::param_value!($kind, self.$field))),+]
            }
        }
    };
}

/// A struct whose fields are groups of params: all that can be set of a study.
#[macro_export]
macro_rules! param_groups {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$doc:meta])* $field:ident: $group:ty),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[$doc])* pub $field: $group,)+
        }

        impl $name {
            const TABLES: &'static [&'static [$crate::params::Param]] =
                &[$(<$group as $crate::declare::ParamGroup>::TABLE),+];

            /// The table of all params, group by group.
            pub const PARAMS: &'static [$crate::params::Param] =
                &$crate::declare::concat::<_, { $crate::declare::count($name::TABLES) }>($name::TABLES);

            /// The params of a trial.
            ///
            /// # Errors
            /// The name of a param that is missing or of another type.
            pub fn read(params: &$crate::params::Params) -> Result<Self, &'static str> {
                Ok(Self {
                    $($field: <$group as $crate::declare::ParamGroup>::read(params)?),+
                })
            }
        }
    };
}

/// The type of a param of a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! param_type {
    (int ($($range:tt)*)) => { usize };
    (odd ($($range:tt)*)) => { usize };
    (float ($($range:tt)*)) => { f64 };
    (float_or_none ($($range:tt)*)) => { Option<f64> };
    (ints ($($range:tt)*)) => { Vec<usize> };
    (flag) => { bool };
    (word ($type:ty)) => { $type };
}

/// The param of a trial, of a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! param_read {
    (word, $params:expr, $name:expr) => {
        $crate::declare::read_word_param($params, $name)
    };
    ($kind:ident, $params:expr, $name:expr) => {
        $crate::declare::read_param($params, $name)
    };
}

/// The value of a param of a kind as it stands in specs and records.
#[doc(hidden)]
#[macro_export]
macro_rules! param_value {
    (word, $value:expr) => {
        $crate::declare::word_value($value)
    };
    ($kind:ident, $value:expr) => {
        $crate::declare::ParamType::to_value(&$value)
    };
}

/// The kind of a param as specs are checked by it.
#[doc(hidden)]
#[macro_export]
macro_rules! param_kind {
    (int ($min:literal..=$max:literal)) => {
        $crate::params::ParamKind::Int {
            min: $min,
            max: $max,
        }
    };
    (odd ($min:literal..=$max:literal)) => {
        $crate::params::ParamKind::OddInt {
            min: $min,
            max: $max,
        }
    };
    (float ($min:literal..=$max:literal)) => {
        $crate::params::ParamKind::Float {
            min: $min,
            max: $max,
        }
    };
    (float_or_none ($min:literal..=$max:literal)) => {
        $crate::params::ParamKind::FloatOrNone {
            min: $min,
            max: $max,
        }
    };
    (ints ($min:literal..=$max:literal)) => {
        $crate::params::ParamKind::IntList {
            min: $min,
            max: $max,
        }
    };
    (flag) => {
        $crate::params::ParamKind::Bool
    };
    (word ($type:ty)) => {
        $crate::params::ParamKind::Choice(<$type as $crate::declare::Word>::WORDS)
    };
}

/// The default of a param as specs are checked by it.
#[doc(hidden)]
#[macro_export]
macro_rules! param_default {
    (int, $default:expr) => {
        $crate::params::DefaultValue::Int($default)
    };
    (odd, $default:expr) => {
        $crate::params::DefaultValue::Int($default)
    };
    (float, $default:expr) => {
        $crate::params::DefaultValue::Float($default)
    };
    (float_or_none, $default:expr) => {
        $crate::params::DefaultValue::Text($default)
    };
    (ints, $default:expr) => {
        $crate::params::DefaultValue::Ints(&$default)
    };
    (flag, $default:expr) => {
        $crate::params::DefaultValue::Bool($default)
    };
    (word, $default:expr) => {
        $crate::params::DefaultValue::Text($default.name())
    };
}

/// Constants that are metrics: name, direction, unit and meaning stand here and nowhere else.
///
/// `name = "written"` is for a name that is no identifier. `higher`, `lower`, `zero` and `fact` say which way a metric
/// gets better; `measured` behind it that two runs of one trial differ.
///
/// ```
/// retrial_core::metrics! {
///     /// What is told of scores.
///     pub mod metric {
///         /// Area under the ROC curve.
///         auroc: higher,
///         /// CPU time of an image.
///         seconds_per_image: lower "s" measured,
///     }
/// }
/// assert_eq!((metric::auroc.name, metric::ALL.len()), ("auroc", 2));
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$meta:meta])*
        $vis:vis mod $module:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident $(= $written:literal)? $(was $($old:literal)+)?:
                    $direction:ident $($unit:literal)? $($measured:ident)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[expect(non_upper_case_globals, reason = "a metric is written as in specs and records")]
        $vis mod $module {
            $(
                $(#[doc = $doc])+
                pub const $name: $crate::metric::MetricDef = $crate::metric::MetricDef {
                    name: $crate::metric_name!($name $($written)?),
                    unit: concat!($($unit)?),
                    direction: $crate::metric_direction!($direction),
                    repeatable: $crate::metric_repeats!($($measured)?),
                    was: &[$($($old),+)?],
                    doc: concat!($($doc),+).trim_ascii(),
                };
            )+

            /// All of them, in order.
            pub const ALL: &[$crate::metric::MetricDef] = &[$($name),+];
        }
    };
}

/// The name of a metric: as it is written, where that is no identifier.
#[doc(hidden)]
#[macro_export]
macro_rules! metric_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $written:literal) => {
        $written
    };
}

/// Which way a metric gets better.
#[doc(hidden)]
#[macro_export]
macro_rules! metric_direction {
    (higher) => {
        $crate::metric::Direction::Higher
    };
    (lower) => {
        $crate::metric::Direction::Lower
    };
    (zero) => {
        $crate::metric::Direction::Zero
    };
    (fact) => {
        $crate::metric::Direction::None
    };
}

/// Whether a metric is the same in every run of its trial.
#[doc(hidden)]
#[macro_export]
macro_rules! metric_repeats {
    () => {
        true
    };
    (measured) => {
        false
    };
}
