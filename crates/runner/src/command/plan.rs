//! `retrial plan`: the trials, why each would run or be skipped, and what that costs.

use retrial_core::census::Census;
use retrial_data::{Availability, available};
use serde_json::json;

use super::data_check::{DataCheck, say_all};
use super::{count, duration, print_json, table};
use crate::cli::{Format, PlanArgs};
use crate::execute::folder::TrialState;
use crate::experiment::{self, Experiment, Experiments, Pick};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Most trials of an experiment that are printed for people.
const SHOWN: usize = 60;

pub(crate) fn run(workspace: &Workspace, args: &PlanArgs) -> Result<(), Failure> {
    let experiments = experiment::load(workspace, &args.selection, Pick::All)?;
    if args.format == Format::Json {
        let list = experiments
            .list
            .iter()
            .map(|e| as_json(workspace, &experiments, e));
        let list = list.collect::<Result<Vec<_>, Failure>>()?;
        print_json(&json!({ "experiments": list }))?;
        return experiments.no_faults();
    }
    let mut data = DataCheck::default();
    for experiment in &experiments.list {
        let trials = experiment.trials.iter();
        let found = data.census(workspace, &experiments, experiment, trials)?;
        print(workspace, &experiments, experiment, &found)?;
    }
    experiments.no_faults()
}

fn print(
    workspace: &Workspace,
    experiments: &Experiments,
    experiment: &Experiment,
    found: &[(String, Census)],
) -> Result<(), Failure> {
    let spec = &experiment.spec;
    say!("{}/{}  ({})", spec.study, spec.name, spec.file);
    say!("  {}", spec.question);
    for (name, where_) in data(workspace, experiments, experiment) {
        say!("  data: {name}, {where_}");
    }
    say_all(found);
    let states = experiment.states(&workspace.results())?;
    let mut rows = table(&["trial", "state", "CPU"]);
    let (mut to_run, mut cost) = (0, 0.0);
    for (i, (trial, state)) in states.iter().enumerate() {
        let seconds = experiments.cost_s(experiment, trial);
        if *state != TrialState::Recorded {
            to_run += 1;
            cost += seconds;
        }
        if i < SHOWN {
            rows.add_row([trial.id.clone(), state.reason(), duration(seconds)]);
        }
    }
    say!("{rows}");
    if states.len() > SHOWN {
        say!(
            "… and {} more (`--format json` prints all)",
            states.len() - SHOWN
        );
    }
    let total = count(states.len(), "trial");
    say!(
        "{total}, {to_run} to run, about {} of CPU, or less: work that trials share counts for each\n",
        duration(cost)
    );
    Ok(())
}

fn as_json(
    workspace: &Workspace,
    experiments: &Experiments,
    experiment: &Experiment,
) -> Result<serde_json::Value, Failure> {
    let trials: Vec<_> = experiment
        .states(&workspace.results())?
        .iter()
        .map(|(trial, state)| {
            json!({
                "trial": trial.id,
                "point": trial.point,
                "seed": trial.seed,
                "state": state.word(),
                "reason": state.reason(),
                "cpu_s": experiments.cost_s(experiment, trial),
            })
        })
        .collect();
    let data: Vec<_> = data(workspace, experiments, experiment)
        .into_iter()
        .map(|(name, availability)| json!({ "name": name, "availability": availability }))
        .collect();
    Ok(json!({
        "file": experiment.spec.file,
        "study": experiment.spec.study,
        "experiment": experiment.spec.name,
        "data": data,
        "trials": trials,
    }))
}

/// The data sets of an experiment and where they are.
fn data(
    workspace: &Workspace,
    experiments: &Experiments,
    experiment: &Experiment,
) -> Vec<(String, String)> {
    let mut names: Vec<&str> = Vec::new();
    for trial in &experiment.trials {
        if let Some((name, _)) = &trial.dataset
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    let options = workspace.fetch_options(false);
    names
        .into_iter()
        .filter_map(|name| {
            let manifest = experiments.manifest(name)?;
            Some((
                name.to_owned(),
                availability(&available(manifest, &options)),
            ))
        })
        .collect()
}

/// Where a data set is, in words.
pub(crate) fn availability(availability: &Availability) -> String {
    match availability {
        Availability::Generated => "generated here".to_owned(),
        Availability::Cached { variant } => format!("in the cache ({variant})"),
        Availability::Local { variant } => format!("on this machine ({variant})"),
        Availability::Remote { bytes } => {
            format!("to be fetched ({:.1} MB)", *bytes as f64 / 1e6)
        }
        Availability::Offline => "not here, and the network may not be used".to_owned(),
    }
}
