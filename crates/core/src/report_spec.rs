//! What a report shows of an experiment: tables and figures, as its spec asks for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::params::Params;

/// The report section of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSpec {
    /// Names of tables and predictions that are packed beside those that figures show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Tables of metrics over trials.
    pub tables: Vec<TableSpec>,
    /// Figures.
    pub figures: Vec<FigureSpec>,
}

/// A table: one line per value of `rows`, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    /// Params that name the lines, in this order.
    pub rows: Vec<String>,
    /// Metrics that fill the columns.
    pub values: Vec<String>,
    /// Only trials with these params.
    pub filter: Params,
    /// Title, or made from the names.
    pub title: Option<String>,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureSpec {
    /// The word of its kind, of those that `crates/report` draws.
    pub kind: String,
    /// A table of the trials (`<table>.csv`) whose rows are plotted; metrics over trials if none.
    pub table: Option<String>,
    /// Column, param or metric on the horizontal axis.
    pub x: Option<String>,
    /// Columns or metrics on the vertical axis; one line each.
    pub y: Vec<String>,
    /// Column or metric shown as colour (heat map) or counted (histogram).
    pub value: Option<String>,
    /// Param or column that splits the data into lines or panels.
    pub series: Option<String>,
    /// Band around a line.
    pub band: Band,
    /// Only trials with these params.
    pub filter: Params,
    /// Horizontal axis.
    pub x_scale: Scale,
    /// Vertical axis.
    pub y_scale: Scale,
    /// Title, or made from the names.
    pub title: Option<String>,
    /// A sentence below the figure.
    pub caption: Option<String>,
    /// Points of other works shown beside ours, with their source.
    pub reference: Vec<ReferencePoint>,
    /// How a line goes through rows of a table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub join: Join,
    /// Straight lines at fixed values, such as a published threshold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: Vec<Guide>,
    /// Whether `y = x` is drawn; both axes then have the same range and length.
    #[serde(default, skip_serializing_if = "is_default")]
    pub diagonal: bool,
    /// Where the names of series stand.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labels: Labels,
    /// Which of the chosen trials are drawn.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// Which rows of the table are drawn: the text that a column must hold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rows: BTreeMap<String, String>,
}

/// Keys at their default are left out, so that sheets written before a key was known stay as
/// they are.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A published point drawn into a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferencePoint {
    /// Horizontal value.
    pub x: f64,
    /// Vertical value.
    pub y: f64,
    /// Name in the legend.
    pub label: String,
}

/// A straight line across a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// Where it is.
    pub at: GuideAt,
    /// What stands at its end, or nothing.
    pub label: Option<String>,
}

/// Place of a [`Guide`], in units of the axis it crosses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GuideAt {
    /// A vertical line.
    X(f64),
    /// A horizontal line.
    Y(f64),
    /// A vertical line at the mean of this metric over the trials drawn.
    XMetric(String),
    /// The line through the origin with this slope, between linear axes.
    Slope(f64),
}

crate::words! {
    /// Bands around a line.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Band {
        /// No band.
        None = "none",
        /// 95 % interval of the mean.
        Ci95 = "ci95",
        /// One standard deviation to each side.
        Sd = "sd",
    }
}

crate::words! {
    /// How a line goes through rows of a table.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Join {
        /// As `rows` where the diagonal is drawn or the table is a curve such as ROC, else as `mean`.
        #[default]
        Auto = "auto",
        /// Means over trials at every `x`.
        Mean = "mean",
        /// The rows of each trial in their order, one line a trial.
        Rows = "rows",
        /// As `rows`, in steps: between two rows the value is that of the row with the larger `x`.
        Steps = "steps",
    }
}

crate::words! {
    /// Where the names of series stand.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Labels {
        /// In a legend above the figure.
        #[default]
        Legend = "legend",
        /// At their points.
        Points = "points",
    }
}

crate::words! {
    /// Which of the chosen trials are drawn.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Pick {
        /// All.
        #[default]
        All = "all",
        /// The first of the plan; where `series` is a param, the first of each of its values.
        First = "first",
    }
}

crate::words! {
    /// Scales of an axis.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Scale {
        /// Linear.
        Linear = "linear",
        /// Logarithmic.
        Log = "log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Origin;
    use crate::declare::Word;

    fn words<W: Word + Serialize>() {
        for own in W::ALL {
            let written = serde_json::to_value(own).expect("a word");
            assert_eq!(
                written,
                own.word(),
                "a sheet and a spec write the same word"
            );
        }
    }

    #[test]
    fn sheets_have_the_words_of_specs() {
        words::<Band>();
        words::<Join>();
        words::<Labels>();
        words::<Pick>();
        words::<Scale>();
        words::<Origin>();
    }
}
