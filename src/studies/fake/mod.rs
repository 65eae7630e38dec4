//! A study without science: it returns known numbers at once, or fails, waits, dies and draws as
//! asked, so that everything around a trial can be tested and timed.
//!
//! It has two stages, so that sharing and resuming of stages is exercised: `prepare` does
//! `rounds` rounds of drawing with a checkpoint after each, `scale` multiplies its result.

use retrial_core::metric::{ColumnDef, Direction, MetricDef, TableDef};
use retrial_core::params::{DefaultValue, Param, ParamKind, Params};
use retrial_core::study::{Conflict, StageDef, StudyInfo};
use retrial_data::Manifest;
use retrial_store::csv::Table;
use retrial_store::{Array, Tree};

use super::Study;
use crate::execute::context::{Context, TrialError};
use crate::execute::stage::{StageFolder, stage};

/// The study `fake`.
pub(crate) struct Fake;

const INFO: StudyInfo = StudyInfo {
    name: "fake",
    revision: 1,
    amendments: &[],
    work: "No published work: a study that tests retrial itself",
    deterministic: false,
    uses_device: false,
    cpu_methods: &[],
    content_kinds: &[],
    params: PARAMS,
    metrics: &[
        MetricDef {
            name: "value",
            unit: "",
            direction: Direction::Higher,
            repeatable: true,
            doc: "`level` plus normal noise of standard deviation `noise`.",
        },
        MetricDef {
            name: "sum",
            unit: "",
            direction: Direction::None,
            repeatable: true,
            doc: "Sum of what the stages drew, times `factor`.",
        },
    ],
    tables: &[TableDef {
        name: "rounds",
        columns: &[
            ColumnDef {
                name: "round",
                unit: "",
                doc: "Round, from 0.",
            },
            ColumnDef {
                name: "drawn",
                unit: "",
                doc: "What the round drew, times `factor`.",
            },
        ],
        doc: "One row a round.",
    }],
    stages: &[
        StageDef {
            name: "prepare",
            params: &["rounds", "pause_ms"],
            inputs: &[],
            uses_data: false,
            uses_seed: true,
        },
        StageDef {
            name: "scale",
            params: &["factor"],
            inputs: &["prepare"],
            uses_data: false,
            uses_seed: false,
        },
    ],
    conflicts: |_: &Params| -> Vec<Conflict> { Vec::new() },
};

const PARAMS: &[Param] = &[
    Param {
        name: "level",
        kind: ParamKind::Float {
            min: -1e9,
            max: 1e9,
        },
        default: DefaultValue::Float(0.0),
        unit: "",
        doc: "What `value` is without noise.",
    },
    Param {
        name: "noise",
        kind: ParamKind::Float { min: 0.0, max: 1e9 },
        default: DefaultValue::Float(0.0),
        unit: "",
        doc: "Standard deviation of the noise of `value`.",
    },
    Param {
        name: "rounds",
        kind: ParamKind::Int {
            min: 0,
            max: 100_000,
        },
        default: DefaultValue::Int(0),
        unit: "",
        doc: "Rounds of the stages; none without them.",
    },
    Param {
        name: "factor",
        kind: ParamKind::Float {
            min: -1e9,
            max: 1e9,
        },
        default: DefaultValue::Float(1.0),
        unit: "",
        doc: "Factor of the stage `scale`.",
    },
    Param {
        name: "pause_ms",
        kind: ParamKind::Int {
            min: 0,
            max: 600_000,
        },
        default: DefaultValue::Int(0),
        unit: "ms",
        doc: "Pause in every round, or once where there is no round.",
    },
    Param {
        name: "ends",
        kind: ParamKind::Choice(&["well", "error", "panic", "abort", "memory", "nan"]),
        default: DefaultValue::Text("well"),
        unit: "",
        doc: "How the trial ends.",
    },
    Param {
        name: "fails_before",
        kind: ParamKind::Int { min: 0, max: 100 },
        default: DefaultValue::Int(0),
        unit: "",
        doc: "Attempts that end with an error before one ends as `ends` says.",
    },
];

impl Study for Fake {
    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn cost_s(&self, _params: &Params, _dataset: Option<&Manifest>) -> f64 {
        0.01
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        context.resume()?;
        end_as_asked(context)?;
        let rounds = context.int("rounds")?;
        if rounds > 0 {
            run_stages(context)?;
        } else {
            pause(context)?;
        }
        let noise = context.seed().stream("noise").normal() * context.float("noise")?;
        let value = context.float("level")? + noise;
        let value = if context.word("ends")? == "nan" {
            f64::NAN
        } else {
            value
        };
        context.metric("value", value)
    }
}

fn run_stages(context: &mut Context) -> Result<(), TrialError> {
    let prepared = stage(context, "prepare", prepare)?;
    let scaled = stage(context, "scale", |context, _| {
        let factor = context.float("factor")?;
        let drawn: Vec<f64> = prepared
            .values("drawn")?
            .iter()
            .map(|v: &f64| v * factor)
            .collect();
        Ok(tree(drawn)?)
    })?;
    let drawn: &[f64] = scaled.values("drawn")?;
    context.metric("sum", drawn.iter().sum())?;
    let rounds: Vec<i64> = (0..).take(drawn.len()).collect();
    let table = Table::new()
        .with("round", rounds)?
        .with("drawn", drawn.to_vec())?;
    context.table("rounds", &table)?;
    context.arrays("rounds", &scaled)
}

fn prepare(context: &mut Context, folder: &StageFolder) -> Result<Tree, TrialError> {
    let rounds = u64::try_from(context.int("rounds")?).unwrap_or(0);
    let (first, mut drawn) = match folder.resume()? {
        Some((round, tree)) => (round + 1, tree.values::<f64>("drawn")?.to_vec()),
        None => (0, Vec::new()),
    };
    for round in first..rounds {
        context.stop_point()?;
        // One stream a round: the position of a killed generator need not be kept.
        drawn.push(context.seed().stream(&format!("round {round}")).uniform());
        pause(context)?;
        context.progress(round + 1, rounds, "rounds");
        folder.checkpoint(round, tree(drawn.clone())?)?;
    }
    Ok(tree(drawn)?)
}

fn tree(drawn: Vec<f64>) -> Result<Tree, retrial_store::StoreError> {
    let mut tree = Tree::new();
    tree.insert("drawn", Array::list(drawn)?)?;
    Ok(tree)
}

fn pause(context: &Context) -> Result<(), TrialError> {
    let mut left = u64::try_from(context.int("pause_ms")?).unwrap_or(0);
    while left > 0 {
        let slice = left.min(50);
        std::thread::sleep(std::time::Duration::from_millis(slice));
        left -= slice;
        context.stop_point()?;
    }
    Ok(())
}

fn end_as_asked(context: &Context) -> Result<(), TrialError> {
    if i64::from(context.job.attempt) <= context.int("fails_before")? {
        let attempt = context.job.attempt;
        return Err(TrialError::Other(format!(
            "attempt {attempt} fails as asked"
        )));
    }
    match context.word("ends")? {
        "error" => Err(TrialError::Other("the trial fails as asked".to_owned())),
        "panic" => panic!("the trial panics as asked"),
        "abort" => std::process::abort(),
        "memory" => {
            // Every page is touched, so that a limit of any kind is met.
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 16 * 1024 * 1024]);
                if hoard.len() > 4096 {
                    return Err(TrialError::Other("64 GiB were there to be had".to_owned()));
                }
            }
        }
        _ => Ok(()),
    }
}
