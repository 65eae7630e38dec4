//! The keys of a spec.

use std::collections::{BTreeMap, HashSet};

use super::{MAX_MEMORY_MIB, MAX_TIME_S, MIN_MEMORY_MIB, SPEC_FORMAT, WhenUnavailable};
use crate::claim::Origin;
use crate::fault::Faults;
use crate::keys::{At, Entries, Form, KeyType, KindWord, Texts, word_keys};
use crate::report_spec::{Band, Join, Labels, Pick, Scale};
use crate::yaml::{Node, Value};

crate::keys! {
    /// A spec: one experiment.
    pub struct SpecKeys {
        /// Version of the spec format.
        format: SpecFormat [needed()];
        /// The study whose trials are run, such as `dic`.
        study: At<String> [needed()];
        /// The question that the experiment answers.
        question: At<String> [needed().own()];
        /// Another spec, relative to this file, whose keys this one overrides.
        extends: String [own()];
        /// A folder name under `datasets/` whose content the study takes. A study with data needs it, unless `sweep`
        /// varies it.
        dataset: At<String>;
        /// What to do where the data cannot be had.
        when_unavailable: WhenUnavailable = WhenUnavailable::Fail;
        /// Whether `retrial run` without a file takes it.
        default: bool [own()] = false;
        /// One trial runs for each seed and point: whole numbers, none twice.
        seeds: Seeds = Seeds(vec![0]);
        /// Params that stay the same; the others have the study's defaults.
        params: Entries;
        /// Params that vary, or `dataset`: the grid of all of them; one point without it.
        sweep: Entries;
        /// Bounds on each trial.
        limits: LimitKeys;
        /// Published values, and what they expect of the trials.
        claims: Vec<ClaimKeys> [own()];
        /// What the report shows of the experiment.
        report: ReportKeys [own()];
    }
}

crate::keys! {
    /// Bounds on each trial.
    pub struct LimitKeys {
        /// Wall time, s; without it 100 times the estimate, at least an hour. A trial that takes longer is killed.
        /// Waiting for a stage that another trial builds does not count.
        time_s: Seconds;
        /// Address space of the worker process, MiB.
        memory_mib: Mebibytes;
    }
}

crate::keys! {
    /// Values between two ends, both included; rounded for whole params. Exactly one of the keys is given.
    pub struct SpacedKeys {
        /// Evenly spaced.
        linspace: RangeKeys [one()];
        /// Evenly spaced in the logarithm; both ends are above zero.
        logspace: RangeKeys [one()];
    }
}

crate::keys! {
    /// A range of values.
    pub struct RangeKeys {
        /// First value.
        from: f64 [needed()];
        /// Last value.
        to: f64 [needed()];
        /// Number of values.
        count: Count [needed()];
    }
}

crate::keys! {
    /// A published value with its source and tolerance. Its verdict comes from the records.
    pub struct ClaimKeys {
        /// Unique in the file.
        id: String [needed()];
        /// Work, table or page of the publication.
        source: String [needed()];
        /// Whose statement it is.
        origin: Origin = Origin::Publication;
        /// A metric of the study.
        metric: At<String> [needed()];
        /// Values of params, or of `dataset`, that leave one point of the sweep; needed where there are several.
        chosen as "where": Entries;
        /// What the metric is expected to be.
        expect: ExpectKeys [needed()];
        /// A remark shown with the verdict.
        note: String;
    }
}

crate::keys! {
    /// What a claim expects of its metric: exactly one of the keys, `abs` and `rel` aside. *Without randomness* is said
    /// of a study that does not depend on the seed, *with it* of the others.
    pub struct ExpectKeys {
        /// The published value is met up to a tolerance. Without randomness, every value lies within it. With it, the
        /// 90 % interval of the mean inside the tolerance is reproduced, the 95 % interval outside is not reproduced,
        /// all else is underpowered.
        value: f64 [one()];
        /// Tolerance of `value`, in the metric's unit.
        abs: f64;
        /// Tolerance of `value`, as a share of it.
        rel: f64;
        /// The metric is this or more. Without randomness, every value is. With it, the lower end of the 90 % interval
        /// at or above is reproduced, the upper end below is not reproduced, all else is underpowered.
        at_least: f64 [one()];
        /// The metric is this or less: as `at_least`, with the ends exchanged.
        at_most: f64 [one()];
        /// The published value lies in our 95 % interval of the mean: inside is reproduced, outside is not. Without
        /// randomness, every value equals it to a relative 1e-6.
        within_ci: f64 [one()];
        /// The metric rises or falls strictly along a param. Without randomness, every difference of neighbours at
        /// equal seeds has the sign. With it, for each pair of neighbours the 95 % interval of the mean difference
        /// over paired seeds lies on one side of zero.
        ordering: OrderingKeys [one()];
        /// The metric is above that of another point of the sweep. Without randomness, every difference at equal seeds
        /// is. With it, the lower end of the 90 % interval of the mean difference over paired seeds above `by` is
        /// reproduced, the upper end at or below is not reproduced, all else is underpowered.
        exceeds: ExceedsKeys [one()];
        /// The reason why nothing here can test it.
        not_testable: String [one()];
    }
}

crate::keys! {
    /// A metric along a param: `{param: order, values: [0, 1, 2], direction: rising}`.
    pub struct OrderingKeys {
        /// The param, or `dataset`.
        param: String [needed()];
        /// Two or more of its values, in order.
        values: At<Vec<At<Node>>> [needed()];
        /// What the metric does along them.
        direction: Trend [needed()];
    }
}

crate::keys! {
    /// A comparison with another point: `{where: {method: pca}, by: 0.02}`.
    pub struct ExceedsKeys {
        /// Values of params that lead from the claim's point to the other one.
        other as "where": Entries [needed()];
        /// By how much more than the other point, in the metric's unit; may be negative.
        by: f64 = 0.0;
    }
}

crate::keys! {
    /// What the report shows of the experiment.
    pub struct ReportKeys {
        /// A table.
        table: TableKeys;
        /// Several tables; both keys may be given.
        tables: Vec<TableKeys>;
        /// Figures.
        figures: Vec<FigureKeys>;
        /// Tables and JSON files of the trials that are packed, beside the tables that figures show; without the
        /// ending of their names.
        keep: Texts;
    }
}

crate::keys! {
    /// A table: one line for every value of `rows`, over all seeds, and a column for each of `values`.
    pub struct TableKeys {
        /// Params, metrics, `dataset` and `seed` that name the lines.
        rows: Texts;
        /// Params and metrics that fill the columns.
        values: Texts [needed()];
        /// Only trials with these params; `seed` is one of them here.
        chosen as "where": Entries;
        /// Its title; without it made from the names.
        title: String;
    }
}

crate::keys! {
    /// A figure, drawn from the trials or, with `table`, from the rows of a table that the trials leave. Its names are
    /// params, metrics, `dataset` and `seed`; with `table`, the columns of that table, params, `dataset` and `seed`.
    pub struct FigureKeys {
        /// What is drawn.
        kind: At<KindWord> [needed()];
        /// A table of the study, whose rows are drawn.
        table: String;
        /// A name for the horizontal axis; the columns of a grid of pictures.
        x: String;
        /// Names for the vertical axis.
        y: Texts;
        /// The name that is shown as colour or counted; the column that names the pictures.
        value: String;
        /// A param or column that splits the data into lines, bars or panels.
        series: String;
        /// What is drawn around a mean.
        band: Band = Band::None;
        /// Only trials with these params; `{seed: 0}` chooses a seed, alone or beside params.
        chosen as "where": Entries;
        /// Which of the chosen trials are drawn.
        pick: Pick = Pick::All;
        /// Only rows of the table that hold this text: `{part: test}`.
        rows: BTreeMap<String, String>;
        /// Scale of the horizontal axis.
        x_scale: Scale = Scale::Linear;
        /// Scale of the vertical axis.
        y_scale: Scale = Scale::Linear;
        /// Its title; without it made from the names.
        title: String;
        /// A sentence below it.
        caption: String;
        /// Published points, drawn as hollow marks.
        reference: Vec<ReferenceKeys>;
        /// How a line goes through rows of a table.
        join: Join = Join::Auto;
        /// Dashed straight lines, such as a published threshold.
        lines: Vec<GuideKeys>;
        /// Whether `y = x` is drawn; both axes then have the same range and length.
        diagonal: bool = false;
        /// Where the names of series stand.
        labels: Labels = Labels::Legend;
    }
}

crate::keys! {
    /// A published point.
    pub struct ReferenceKeys {
        /// Horizontal value.
        x: f64 [needed()];
        /// Vertical value.
        y: f64 [needed()];
        /// Its name in the legend.
        label: String [needed()];
    }
}

crate::keys! {
    /// A straight line: exactly one of `x`, `y`, `slope` and `x_metric`.
    pub struct GuideKeys {
        /// A vertical line; bars stand at words and take none.
        x: f64 [one()];
        /// A horizontal line.
        y: f64 [one()];
        /// A line through the origin with this slope, of `line` and `scatter`.
        slope: f64 [one()];
        /// A vertical line at the mean of this metric over the trials drawn.
        x_metric: At<String> [one()];
        /// What stands at its end.
        label: String;
    }
}

crate::words! {
    /// What a metric does along the values of a param.
    pub enum Trend {
        /// It rises.
        Rising = "rising",
        /// It falls.
        Falling = "falling",
    }
}

word_keys!(
    Band,
    Join,
    Labels,
    Origin,
    Pick,
    Scale,
    Trend,
    WhenUnavailable
);

/// The version of the spec format.
#[derive(Clone, Copy, Debug)]
pub struct SpecFormat;

impl KeyType for SpecFormat {
    fn form() -> Form {
        Form::Fixed(SPEC_FORMAT)
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        if node.value == Value::Int(SPEC_FORMAT) {
            return Some(Self);
        }
        let message = format!("{} is no known format", node.describe());
        faults.add_with_help(&node.place, path, message, format!("write {SPEC_FORMAT}"));
        None
    }
}

/// The seeds of every point.
#[derive(Clone, Debug)]
pub struct Seeds(pub Vec<u64>);

impl KeyType for Seeds {
    fn form() -> Form {
        Form::List(Box::new(u64::form()), 1)
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            let help = "name one seed or more, such as seeds: [0]";
            let message = "an empty list of seeds plans no trial";
            faults.add_with_help(&node.place, path, message, help);
        }
        let seeds = Vec::<At<u64>>::read(node, path, faults)?;
        let mut seen = HashSet::new();
        for seed in &seeds {
            if !seen.insert(seed.value) {
                seed.fault(
                    format!("the seed {} stands there twice", seed.value),
                    faults,
                );
            }
        }
        Some(Self(seeds.into_iter().map(|seed| seed.value).collect()))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}

crate::bounded! {
    /// Wall time, s.
    pub struct Seconds(f64) in Form::Positive(MAX_TIME_S);
    seconds => format!("a time limit of `{seconds}` s"),
        format!("{} (31 years)", Self::form().expected());
}

crate::bounded! {
    /// Address space, MiB.
    pub struct Mebibytes(u64) in Form::Int(MIN_MEMORY_MIB, MAX_MEMORY_MIB);
    mib => format!("a memory limit of {mib} MiB"), Self::form().expected();
}

crate::bounded! {
    /// Number of values of a range.
    pub struct Count(u64) in Form::Int(1, 1_000_000);
    count => format!("`{count}` values cannot be planned"), Self::form().expected();
}
