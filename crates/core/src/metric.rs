//! Metrics: named numbers with a unit and a direction.

use serde::{Deserialize, Serialize};

use crate::named::Named;

crate::words! {
    /// Which way a metric gets better.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Direction {
        /// Larger is better.
        Higher = "higher",
        /// Smaller is better.
        Lower = "lower",
        /// Nearer to zero is better.
        Zero = "zero",
        /// Neither: a fact, such as a count.
        None = "none",
    }
}

/// One row of a study's table of metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricDef {
    /// Name in files.
    pub name: &'static str,
    /// Unit, or empty.
    pub unit: &'static str,
    /// Which way it gets better.
    pub direction: Direction,
    /// Whether the same trial run twice gives the same number; a duration does not.
    pub repeatable: bool,
    /// What it was called before.
    pub was: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

/// A table that a study's trials leave beside their metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableDef {
    /// Name; the file is `<name>.csv`.
    pub name: &'static str,
    /// Columns with unit and meaning.
    pub columns: &'static [ColumnDef],
    /// What it was called before.
    pub was: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

/// One column of a [`TableDef`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name in the header line.
    pub name: &'static str,
    /// Unit, or empty.
    pub unit: &'static str,
    /// What stands in its cells.
    pub holds: Holds,
    /// What it was called before.
    pub was: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

/// What the values of one name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Numbers.
    Numbers,
    /// Words, which nothing can be computed with.
    Words,
}

/// A file that a study's trials leave beside their tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileDef {
    /// Name with its ending.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

/// Metrics of a trial in the order in which they were measured; NaN where one is not defined. Units and
/// directions stand with the study ([`MetricDef`]) and on the sheet of the experiment.
pub type Metrics = Named<f64>;
