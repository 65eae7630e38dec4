//! A study without science: it returns known numbers at once, or fails, waits, dies and draws as
//! asked, so that everything around a trial can be tested and timed.
//!
//! It has two stages, so that sharing and resuming of stages is exercised: `prepare` does
//! `rounds` rounds of drawing with a checkpoint after each, `scale` multiplies its result.

use retrial_core::declare::ParamGroup as _;
use retrial_core::metric::FileDef;
use retrial_core::params::Params;
use retrial_core::plan::StageInput;
use retrial_core::study::{Conflict, StudyInfo};
use retrial_core::{metrics, param_groups, params, rows, words};
use retrial_data::Manifest;
use retrial_store::{Array, Tree};

use crate::execute::context::{Context, TrialError, typed};
use crate::execute::stage::{Work, stage};
use crate::study::Study;

/// The study `fake`, for [`Program::hidden_studies`](crate::Program::hidden_studies).
pub struct Fake;

const INFO: StudyInfo = StudyInfo {
    name: "fake",
    revision: 1,
    amendments: &[],
    work: "No published work: a study that tests retrial itself",
    deterministic: false,
    uses_device: false,
    cpu_methods: &[],
    content_kinds: &[],
    params: All::PARAMS,
    metrics: metric::ALL,
    tables: TABLES,
    files: &[ROUNDS],
    conflicts: |_: &Params| -> Vec<Conflict> { Vec::new() },
};

const ROUNDS: FileDef = FileDef {
    name: "rounds.h5",
    doc: "What every round drew, times `factor`.",
};

metrics! {
    /// What a trial reports.
    mod metric {
        /// `level` plus normal noise of standard deviation `noise`.
        value: higher,
        /// Sum of what the stages drew, times `factor`.
        sum: fact,
    }
}

rows! {
    /// What a trial leaves.
    const TABLES;

    /// One row a round.
    struct RoundRow in "rounds" {
        /// Round, from 0.
        round: usize;
        /// What the round drew, times `factor`.
        drawn: f64;
    }
}

words! {
    /// How a trial ends.
    enum End {
        /// With a record.
        Well = "well",
        /// With an error.
        Error = "error",
        /// With a panic.
        Panic = "panic",
        /// With an abort.
        Abort = "abort",
        /// With more memory than there is.
        Memory = "memory",
        /// With a value that is no number.
        Nan = "nan",
    }
}

params! {
    /// What the value of a trial is.
    struct Level {
        /// What `value` is without noise.
        level: float(-1e9..=1e9) = 0.0,
        /// Standard deviation of the noise of `value`.
        noise: float(0.0..=1e9) = 0.0,
    }
}

params! {
    /// What the stage `prepare` reads.
    struct Rounds {
        /// Rounds of the stages; none without them.
        rounds: int(0..=100_000) = 0,
        /// Pause in every round, or once where there is no round.
        pause_ms: int(0..=600_000) "ms" = 0,
    }
}

params! {
    /// What the stage `scale` reads.
    struct Scale {
        /// Factor of the stage `scale`.
        factor: float(-1e9..=1e9) = 1.0,
    }
}

params! {
    /// How a trial ends.
    struct Ending {
        /// How the trial ends.
        ends: word(End) = End::Well,
        /// Attempts that end with an error before one ends as `ends` says.
        fails_before: int(0..=100) = 0,
    }
}

param_groups! {
    /// All params of a trial.
    struct All {
        level: Level,
        rounds: Rounds,
        scale: Scale,
        ending: Ending,
    }
}

impl Study for Fake {
    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn cost_s(&self, _params: &Params, _dataset: Option<&Manifest>) -> f64 {
        0.01
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        let params = typed(context.params(), All::read)?;
        context.resume()?;
        end_as_asked(context.job.attempt, &params.ending)?;
        if params.rounds.rounds > 0 {
            run_stages(context, &params)?;
        } else {
            pause(params.rounds.pause_ms, || context.stop_point())?;
        }
        let noise = context.seed().stream("noise").normal() * params.level.noise;
        let value = match params.ending.ends == End::Nan {
            true => f64::NAN,
            false => params.level.level + noise,
        };
        context.metric(metric::value, value)
    }
}

fn run_stages(context: &mut Context, params: &All) -> Result<(), TrialError> {
    let rounds = &params.rounds;
    let what = StageInput {
        name: "prepare",
        params: rounds.pairs(),
        inputs: &[],
        data: Vec::new(),
        seed: Some(context.job.seed),
    };
    let prepared = stage(context, &what, |work| prepare(work, rounds))?;
    let what = StageInput {
        name: "scale",
        params: params.scale.pairs(),
        inputs: &[&prepared.id],
        data: Vec::new(),
        seed: None,
    };
    let scaled = stage(context, &what, |_| {
        let drawn: &[f64] = prepared.tree.values("drawn")?;
        Ok(tree(
            drawn.iter().map(|v| v * params.scale.factor).collect(),
        )?)
    })?;
    let drawn: &[f64] = scaled.tree.values("drawn")?;
    context.metric(metric::sum, drawn.iter().sum())?;
    let rows = drawn.iter().enumerate();
    let rows = rows.map(|(round, &drawn)| RoundRow { round, drawn });
    context.rows(&rows.collect::<Vec<_>>())?;
    context.arrays(ROUNDS, &scaled.tree)
}

fn prepare(work: &Work, params: &Rounds) -> Result<Tree, TrialError> {
    let rounds = params.rounds as u64;
    let (first, mut drawn) = match work.resume()? {
        Some((round, tree)) => (round + 1, tree.values::<f64>("drawn")?.to_vec()),
        None => (0, Vec::new()),
    };
    for round in first..rounds {
        work.stop_point()?;
        // One stream a round: the position of a killed generator need not be kept.
        drawn.push(work.seed.stream(&format!("round {round}")).uniform());
        pause(params.pause_ms, || work.stop_point())?;
        work.progress(round + 1, rounds, "rounds");
        work.checkpoint(round, tree(drawn.clone())?)?;
    }
    Ok(tree(drawn)?)
}

fn tree(drawn: Vec<f64>) -> Result<Tree, retrial_store::StoreError> {
    let mut tree = Tree::new();
    tree.insert("drawn", Array::list(drawn)?)?;
    Ok(tree)
}

fn pause(
    pause_ms: usize,
    stop_point: impl Fn() -> Result<(), TrialError>,
) -> Result<(), TrialError> {
    let mut left = pause_ms as u64;
    while left > 0 {
        let slice = left.min(50);
        std::thread::sleep(std::time::Duration::from_millis(slice));
        left -= slice;
        stop_point()?;
    }
    Ok(())
}

fn end_as_asked(attempt: u32, ending: &Ending) -> Result<(), TrialError> {
    if attempt as usize <= ending.fails_before {
        return Err(TrialError::Other(format!(
            "attempt {attempt} fails as asked"
        )));
    }
    match ending.ends {
        End::Well | End::Nan => Ok(()),
        End::Error => Err(TrialError::Other("the trial fails as asked".to_owned())),
        End::Panic => panic!("the trial panics as asked"),
        End::Abort => std::process::abort(),
        End::Memory => {
            // Every page is touched, so that a limit of any kind is met.
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 16 * 1024 * 1024]);
                if hoard.len() > 4096 {
                    return Err(TrialError::Other("64 GiB were there to be had".to_owned()));
                }
            }
        }
    }
}
