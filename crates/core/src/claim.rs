//! Claims: published values, and the verdict of our trials on them.

mod judge;
mod tally;

pub use tally::{Evidence, Tally};

use serde::{Deserialize, Serialize};

use crate::hash::FieldHasher;
use crate::params::{ParamValue, Params};
use crate::statistics::Summary;

/// Fewest seeds for a verdict on a study with randomness.
pub const MIN_SEEDS: usize = 3;

/// A published value with its source and tolerance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Unique within the experiment.
    pub id: String,
    /// Where it was published: work, table or page.
    pub source: String,
    /// Whose statement it is.
    #[serde(default, skip_serializing_if = "Origin::is_publication")]
    pub origin: Origin,
    /// Metric of the study.
    pub metric: String,
    /// Param values that select the trials.
    #[serde(rename = "where")]
    pub selection: Params,
    /// What is expected.
    pub expect: Expect,
    /// A remark shown with the verdict.
    pub note: Option<String>,
}

crate::words! {
    /// Whose statement a claim is.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Origin {
        /// A published work's.
        #[default]
        Publication = "publication",
        /// This project's own, such as a bound that it set itself: counted apart, and it holds or does not hold.
        Project = "project",
    }
}

impl Origin {
    /// Whether it is a published work's.
    #[must_use]
    pub fn is_publication(&self) -> bool {
        *self == Self::Publication
    }
}

/// What a claim expects of its metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// The published value up to `tolerance` in the metric's unit.
    Value {
        /// Published value.
        value: f64,
        /// Absolute tolerance.
        tolerance: f64,
    },
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// The published value lies in our 95 % interval.
    WithinCi(f64),
    /// The metric rises or falls strictly along a param.
    Ordering {
        /// The param.
        param: String,
        /// Its values in order.
        values: Vec<ParamValue>,
        /// Whether the metric rises along them.
        rising: bool,
    },
    /// The metric is more than `by` above that of another point of the sweep.
    Exceeds {
        /// Param values that lead from the claim's point to the other one.
        than: Params,
        /// By how much, in the metric's unit; may be negative.
        by: f64,
    },
    /// It cannot be tested, for this reason.
    NotTestable(String),
}

/// What our trials say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The published value was found again.
    Reproduced,
    /// Another value was found.
    NotReproduced,
    /// Too few or too scattered trials to say.
    Underpowered,
    /// No trial can say, or none has run.
    NotTestable,
}

/// A verdict with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Our values, where the claim is about one of them.
    pub ours: Option<Summary>,
    /// Number of planned trials that `ours` would rest on if all had a finite value.
    pub planned: usize,
    /// What became of all trials that the claim speaks of.
    pub tally: Tally,
    /// The reason in words.
    pub reason: String,
    /// Whether the claim was changed after one of its trials was recorded.
    pub edited: bool,
}

impl Verdict {
    /// As a person reads it of a statement of that origin.
    #[must_use]
    pub fn label(self, origin: Origin) -> &'static str {
        match (self, origin) {
            (Self::Reproduced, Origin::Publication) => "reproduced",
            (Self::NotReproduced, Origin::Publication) => "not reproduced",
            (Self::Reproduced, Origin::Project) => "holds",
            (Self::NotReproduced, Origin::Project) => "does not hold",
            (Self::Underpowered, _) => "underpowered",
            (Self::NotTestable, _) => "not testable",
        }
    }
}

impl Claim {
    /// Hash of everything the claim states, stored in every record.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = FieldHasher::new("claim");
        let selection = self.selection.summary();
        let expect = serde_json::to_string(&self.expect).unwrap_or_default();
        for field in [&self.id, &self.source, &self.metric, &selection, &expect] {
            hasher.field(field.as_bytes());
        }
        hasher.short()
    }

    /// Whether a record's params are those the claim speaks of.
    #[must_use]
    pub fn selects(&self, params: &Params) -> bool {
        params.contain(&self.selection)
    }

    /// The params of the other point of [`Expect::Exceeds`].
    #[must_use]
    pub fn other(&self) -> Option<Params> {
        let Expect::Exceeds { than, .. } = &self.expect else {
            return None;
        };
        let mut other = self.selection.clone();
        for (name, value) in than.iter() {
            other.set(name, value.clone());
        }
        Some(other)
    }

    /// The claimed value in words, with the metric's `unit` where that is not empty:
    /// `0.0047 ± 0.0001 px`, `≥ 0.5`, …
    #[must_use]
    pub fn published(&self, unit: &str) -> String {
        let with_unit = |value: String| match unit.is_empty() {
            true => value,
            false => format!("{value} {unit}"),
        };
        match &self.expect {
            Expect::Value { value, tolerance } => {
                with_unit(format!("{} ± {}", short(*value), two_digits(*tolerance)))
            }
            Expect::AtLeast(value) => with_unit(format!("≥ {}", short(*value))),
            Expect::AtMost(value) => with_unit(format!("≤ {}", short(*value))),
            Expect::WithinCi(value) => with_unit(short(*value)),
            Expect::Ordering {
                param,
                values,
                rising,
            } => {
                let way = if *rising { "rises" } else { "falls" };
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                format!("{way} with {param} {}", values.join(" → "))
            }
            Expect::Exceeds { than, by } if *by == 0.0 => format!("above {}", than.summary()),
            // The margin is what a person wrote, so it has few digits.
            Expect::Exceeds { than, by } => {
                let margin = with_unit(by.abs().to_string());
                match *by < 0.0 {
                    true => format!("at most {margin} below {}", than.summary()),
                    false => format!("{margin} above {}", than.summary()),
                }
            }
            Expect::NotTestable(_) => "—".to_owned(),
        }
    }
}

/// Two significant digits, as plain decimals where that stays readable.
fn two_digits(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    if value == 0.0 || !(-7.0..2.0).contains(&magnitude) {
        return short(value);
    }
    let decimals = (1.0 - magnitude).max(0.0) as usize;
    format!("{value:.decimals$}")
}

/// Four significant digits, without trailing zeros; powers of ten outside `1e-4..1e6`.
#[must_use]
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = usize::try_from((3 - magnitude).max(0)).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
