//! The experiments that a command changes or reads as a collection.

use std::collections::BTreeSet;

use retrial_report::Experiment;

use crate::execute::folder::TrialFolders;
use crate::execute::lease::{self, Writer};
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

/// An experiment whose records no other process changes meanwhile.
pub(super) struct Held {
    pub(super) experiment: Experiment,
    _alone: Writer,
}

/// The experiments of these names, `STUDY` or `STUDY/EXPERIMENT`, or all, sound or damaged. What another process is
/// changing is waited for, and read then.
pub(super) fn hold(workspace: &Workspace, names: &[String]) -> Result<Vec<Held>, Failure> {
    let results = workspace.results();
    let mut held = Vec::new();
    for (study, name) in named(workspace, names)? {
        let alone = lease::to_write(&results, &study, &name)?;
        let experiment = integrity::load_named(workspace.program, &results, &study, &name)?;
        held.extend(experiment.map(|experiment| Held {
            experiment,
            _alone: alone,
        }));
    }
    Ok(held)
}

/// As [`hold`], if all records are sound.
pub(super) fn hold_sound(workspace: &Workspace, names: &[String]) -> Result<Vec<Held>, Failure> {
    let held = hold(workspace, names)?;
    integrity::sound(held.iter().map(|own| &own.experiment))?;
    Ok(held)
}

/// The experiments of these names, or all, if their records are sound.
pub(super) fn read(workspace: &Workspace, names: &[String]) -> Result<Vec<Experiment>, Failure> {
    let results = workspace.results();
    let mut loaded = Vec::new();
    for (study, name) in named(workspace, names)? {
        let own = integrity::load_named(workspace.program, &results, &study, &name)?;
        loaded.extend(own);
    }
    integrity::sound(&loaded)?;
    Ok(loaded)
}

/// Study and name of each experiment that is meant.
fn named(workspace: &Workspace, names: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut all = retrial_report::experiments_in(&workspace.results())?;
    let is_named = |(study, own): &(String, String), name: &String| {
        *study == *name || format!("{study}/{own}") == *name
    };
    for name in names {
        if !all.iter().any(|own| is_named(own, name)) {
            let known: Vec<String> = (all.iter())
                .map(|(study, own)| format!("{study}/{own}"))
                .collect();
            let help = format!("recorded: {}", known.join(", "));
            return Err(Failure::usage(format!("no records of `{name}`; {help}")));
        }
    }
    all.retain(|own| names.is_empty() || names.iter().any(|name| is_named(own, name)));
    Ok(all)
}

/// Keeps an experiment from being run. A trial at work may have outlived the run that began it.
pub(super) fn keep_from_runs(
    workspace: &Workspace,
    experiment: &Experiment,
    trials: &BTreeSet<String>,
) -> Result<lease::Lease, Failure> {
    let results = workspace.results();
    let (study, name) = (&experiment.sheet.study, &experiment.sheet.experiment);
    let alone = lease::keep_from_runs(&results, study, name)?;
    for trial in trials {
        let folders = TrialFolders::new(&results, study, name, trial);
        if lease::is_held(&folders.lease) {
            let who = lease::holder(&folders.lease);
            let message = format!("{who} works on {study}/{name}/{trial}, so nothing is changed");
            return Err(Failure::usage(message));
        }
    }
    Ok(alone)
}
