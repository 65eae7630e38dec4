//! What may show the one trial of a run, in place of lines and bars on standard error.

use std::io::IsTerminal as _;

use crate::execute::signals::Asked;
use crate::experiment::Experiments;
use crate::failure::Failure;
use crate::program::Program;

/// Shows a trial while it runs. The terminal is its own from its opening until it is dropped.
pub trait Dashboard {
    /// How far the trial is. Another unit, another total or a smaller number begins the next part of it.
    fn progress(&mut self, done: u64, total: u64, unit: &str);

    /// A value by which a person sees how the trial goes, such as a loss, after `done` units.
    fn curve(&mut self, name: &str, done: u64, value: f64);

    /// What a person asks for with its keys; the run asks several times a second.
    fn asked(&mut self) -> Option<Asked>;
}

/// Opens the dashboard for the trial of that name.
pub type OpenDashboard = fn(&str) -> Box<dyn Dashboard>;

/// The dashboard of a run of these experiments.
pub(crate) fn of_one_trial(
    program: &Program,
    experiments: &Experiments,
) -> Result<OpenDashboard, Failure> {
    let open = program
        .dashboard
        .map_err(|why| Failure::usage(format!("`--tui`: {why}")))?;
    if !std::io::stdout().is_terminal() {
        return Err(Failure::usage(
            "`--tui` draws on a terminal, and standard output is none",
        ));
    }
    let trials: usize = experiments.list.iter().map(|own| own.trials.len()).sum();
    match trials {
        0 | 1 => Ok(open),
        _ => Err(Failure::usage(format!(
            "`--tui` shows one trial, and {trials} are selected; a file, `--set` and `--seed` \
             choose one: `{} run {} --tui`",
            program.name,
            first(experiments)
        ))),
    }
}

/// What chooses the first trial.
fn first(experiments: &Experiments) -> String {
    let mut words = Vec::new();
    let all = &experiments.list;
    let first = all
        .iter()
        .find_map(|own| Some((&own.spec, own.trials.first()?)));
    if let Some((spec, trial)) = first {
        words.push(spec.file.clone());
        let point = trial.point.iter();
        let point: Vec<String> = point
            .map(|(name, value)| format!("{name}: [{value}]"))
            .collect();
        if !point.is_empty() {
            words.push(format!("--set 'sweep={{{}}}'", point.join(", ")));
        }
        if spec.seeds.len() > 1 {
            words.push(format!("--seed {}", trial.seed));
        }
    }
    words.join(" ")
}
