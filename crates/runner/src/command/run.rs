//! `retrial run` and `retrial reproduce`: from specs to records, reports and verdicts.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use retrial_core::plan::Trial;
use retrial_data::{DataError, FetchProgress, Manifest, Obtained};

use super::conclude::conclude;
use super::data_check::{DataCheck, warn_all};
use super::{both, count, doctor};
use crate::cli::{ReproduceArgs, RunOptions, Selection};
use crate::execute::folder::TrialState;
use crate::execute::job::{Job, JobData};
use crate::execute::process::TimeLimit;
use crate::execute::provenance::Host;
use crate::execute::schedule::{self, Settings, Summary, Task};
use crate::execute::sweep;
use crate::experiment::{self, Experiment, Experiments, Pick};
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

pub(crate) fn run(
    workspace: &Workspace,
    selection: &Selection,
    options: &RunOptions,
) -> Result<(), Failure> {
    let experiments = experiment::load(workspace, selection, Pick::Default)?;
    execute(workspace, &experiments, options)
}

pub(crate) fn reproduce(workspace: &Workspace, args: &ReproduceArgs) -> Result<(), Failure> {
    let program = workspace.program;
    if program.study(&args.study).is_none() {
        let known: Vec<&str> = program.infos().iter().map(|info| info.name).collect();
        let (name, known) = (&args.study, known.join(", "));
        return Err(Failure::usage(format!(
            "there is no study `{name}`; known: {known}"
        )));
    }
    let selection = Selection {
        device: args.device.clone(),
        ..Selection::default()
    };
    let experiments = experiment::load(workspace, &selection, Pick::Study(&args.study))?;
    execute(workspace, &experiments, &args.options)
}

fn execute(
    workspace: &Workspace,
    experiments: &Experiments,
    options: &RunOptions,
) -> Result<(), Failure> {
    let results = workspace.results();
    named_in_text(workspace)?;
    for experiment in &experiments.list {
        // What is of a newer program stops here, before anything is moved.
        let sheet = experiment.sheet_file(&results, &experiments.manifests)?;
        sheet.there()?;
    }
    let mut sound = Vec::new();
    for experiment in &experiments.list {
        let sheet = experiment.sheet(&experiments.manifests);
        sound.push(integrity::set_aside(workspace.program, &results, sheet)?);
    }
    check_device(workspace, experiments)?;
    let mut data = HashMap::new();
    let mut check = DataCheck::default();
    let mut runnable = Vec::new();
    let mut skipped = Vec::new();
    for (experiment, sound) in experiments.list.iter().zip(&sound) {
        let states = experiment.states_but(&results, sound)?;
        let open: Vec<&Trial> = (states.iter())
            .filter(|(_, state)| *state != TrialState::Recorded)
            .map(|(trial, _)| *trial)
            .collect();
        match fetch(workspace, experiments, &open, options.offline, &mut data) {
            Ok(()) => {
                // Once for all trials, not in each of them.
                let trials = open.into_iter();
                warn_all(&check.census(workspace, experiments, experiment, trials)?);
                runnable.push(Runnable { experiment, states });
            }
            Err(error) if experiment.skips(&error) => {
                let name = format!("{}/{}", experiment.spec.study, experiment.spec.name);
                eprintln!("skipped {name}: {error}");
                skipped.push(name);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut own = Vec::new();
    let mut known = Vec::new();
    for Runnable { experiment, states } in &runnable {
        let sheet = experiment.sheet_file(&results, &experiments.manifests)?;
        sheet.renew()?;
        own.push((*experiment, sheet));
        let (study, name) = (&experiment.spec.study, &experiment.spec.name);
        for (trial, state) in states {
            if *state == TrialState::Recorded {
                known.push(format!("{study}/{name}/{}", trial.id));
            }
        }
    }
    let planned: usize = runnable.iter().map(|own| own.states.len()).sum();
    let failed = (runnable.iter().flat_map(|own| &own.states))
        .filter(|(_, state)| matches!(state, TrialState::Failed { .. }))
        .count();
    let tasks = tasks(workspace, experiments, &runnable, &data, options)?;
    let to_run = tasks.len();
    let recorded = planned - to_run;
    if planned == 0 {
        say!("no trial to run");
    } else if to_run == 0 {
        match planned {
            1 => say!("the only trial is recorded, nothing to run"),
            planned => say!("all {planned} trials are recorded, nothing to run"),
        }
    } else if recorded + failed > 0 {
        let again = match failed {
            0 => String::new(),
            1 => "; 1 failed before and is tried again".to_owned(),
            _ => format!("; {failed} failed before and are tried again"),
        };
        say!(
            "{} recorded already, {to_run} to run{again}",
            count(recorded, "trial")
        );
    }
    let summary = if to_run == 0 {
        Summary::default()
    } else {
        let settings = Settings {
            jobs: jobs(options, to_run),
            fail_fast: options.fail_fast,
        };
        schedule::run(tasks, settings)?
    };
    let ran: Vec<&Experiment> = runnable.iter().map(|own| own.experiment).collect();
    sweep::after(&results, &ran);
    print_summary(&summary, to_run);
    if summary.interrupted {
        return Err(Failure::Interrupted);
    }
    known.extend(summary.recorded);
    known.extend(summary.elsewhere);
    let sound = conclude(workspace, experiments, &own, &known, options);
    for name in &skipped {
        say!("skipped: {name} (its data cannot be had here)");
    }
    let failed = match summary.failed.len() {
        0 => Ok(()),
        failed => Err(Failure::Trials { failed }),
    };
    both(failed, sound)
}

/// Tries the device once where a trial that is still to run uses it.
fn check_device(workspace: &Workspace, experiments: &Experiments) -> Result<(), Failure> {
    let devices = workspace.program.devices;
    if experiments.device.name == devices.default_name() {
        return Ok(());
    }
    for experiment in &experiments.list {
        let info = experiment.study.info();
        for (trial, state) in experiment.states(&workspace.results())? {
            if state != TrialState::Recorded && info.runs_on_device(&trial.params) {
                return doctor::try_device(&experiments.device.name);
            }
        }
    }
    Ok(())
}

/// An experiment whose data are at hand, and what is known of its trials.
struct Runnable<'e> {
    experiment: &'e Experiment,
    states: Vec<(&'e Trial, TrialState)>,
}

/// An error where a path that workers are told is no text.
fn named_in_text(workspace: &Workspace) -> Result<(), Failure> {
    let paths = [&workspace.results(), &workspace.cache];
    let paths = paths.into_iter().chain(&workspace.mirror);
    match paths
        .map(|path| absolute(path))
        .find(|path| path.to_str().is_none())
    {
        None => Ok(()),
        Some(path) => Err(Failure::usage(format!(
            "the path {path:?} is not UTF-8 text; rename its folders"
        ))),
    }
}

/// Prints what became of the trials of a run.
fn print_summary(summary: &Summary, to_run: usize) {
    for (name, error) in &summary.failed {
        eprintln!("\nfailed: {name}");
        for line in error.lines().take(20) {
            eprintln!("  {line}");
        }
    }
    let ended = summary.recorded.len() + summary.elsewhere.len() + summary.failed.len();
    let elsewhere = match summary.elsewhere.len() {
        0 => String::new(),
        number => format!(", {number} more by another run"),
    };
    let left = match to_run.saturating_sub(ended) {
        0 => String::new(),
        number => format!(", {number} not run"),
    };
    if ended > 0 {
        say!(
            "{} recorded, {} failed{elsewhere}{left}",
            count(summary.recorded.len(), "trial"),
            summary.failed.len()
        );
    }
}

/// Brings the data of unfinished trials.
fn fetch(
    workspace: &Workspace,
    experiments: &Experiments,
    open: &[&Trial],
    offline: bool,
    data: &mut HashMap<String, Obtained>,
) -> Result<(), DataError> {
    for trial in open {
        let Some((name, _)) = &trial.dataset else {
            continue;
        };
        if data.contains_key(name) {
            continue;
        }
        if let Some(manifest) = experiments.manifest(name) {
            data.insert(name.clone(), obtain(workspace, manifest, offline)?);
        }
    }
    Ok(())
}

/// Brings a data set into the cache, with a bar on a terminal and a line a source elsewhere.
pub(crate) fn obtain(
    workspace: &Workspace,
    manifest: &Manifest,
    offline: bool,
) -> Result<Obtained, DataError> {
    let bar = if std::io::stderr().is_terminal() {
        let style = "{msg}  {bar:30} {bytes}/{total_bytes}";
        ProgressBar::new(0).with_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        )
    } else {
        ProgressBar::hidden()
    };
    let name = manifest.name.clone();
    let mut failures = 0;
    let obtained = retrial_data::obtain(
        manifest,
        &workspace.fetch_options(offline),
        &mut |progress| match progress {
            FetchProgress::Waiting { dataset } => {
                eprintln!("another process fetches `{dataset}`; waiting");
            }
            FetchProgress::Started { file, bytes, .. } => {
                bar.set_length(bytes);
                bar.set_position(0);
                bar.set_message(format!("{name}: {file}"));
            }
            FetchProgress::Advanced { done, .. } => bar.set_position(done),
            FetchProgress::Finished { .. } => {}
            FetchProgress::Failed {
                file,
                source,
                reason,
            } => {
                failures += 1;
                // The first few say it; the end names all of them if nothing helps.
                if failures <= 3 {
                    bar.suspend(|| eprintln!("{name}: {file}: not from {source}: {reason}"));
                }
            }
        },
    );
    bar.finish_and_clear();
    obtained
}

/// The trials to run.
fn tasks(
    workspace: &Workspace,
    experiments: &Experiments,
    runnable: &[Runnable<'_>],
    data: &HashMap<String, Obtained>,
    options: &RunOptions,
) -> Result<Vec<Task>, Failure> {
    let results = absolute(&workspace.results());
    let program = workspace.program;
    let default_device = program.devices.named(program.devices.default_name());
    let default_device = default_device.map_err(Failure::usage)?;
    let mut host: Option<Host> = None;
    let mut tasks = Vec::new();
    for Runnable { experiment, states } in runnable {
        let spec = &experiment.spec;
        let claims: std::collections::BTreeMap<String, String> = spec
            .claims
            .iter()
            .map(|claim| (claim.id.clone(), claim.hash()))
            .collect();
        let mut own_host: Option<Host> = None;
        let folder = results.join(&spec.study).join(&spec.name);
        let pack = retrial_report::Pack::read(&folder, &spec.study, &spec.name)?;
        let pack = pack.unwrap_or_default();
        for (trial, state) in states {
            if *state == TrialState::Recorded {
                continue;
            }
            let host = own_host.get_or_insert_with(|| {
                let root = &workspace.root;
                let host = host.get_or_insert_with(|| Host::look_up(&program.build, root));
                let host = host.with_spec(root, Path::new(&spec.file));
                if let Some(state @ ("changed" | "untracked")) = host.project.spec_state.as_deref()
                {
                    let file = &spec.file;
                    eprintln!("note: {file} is {state} in git; its records keep this, and a hash");
                }
                host
            });
            let folders = crate::execute::folder::TrialFolders::new(
                &results,
                &spec.study,
                &spec.name,
                &trial.id,
            );
            let packed = pack.failures(&trial.id).map(|record| record.attempt);
            let tried = folders.failures()?.into_iter().map(|(number, _)| number);
            let attempt = packed.chain(tried).max().map_or(1, |last| last + 1);
            let job_data = trial.dataset.as_ref().and_then(|(name, content)| {
                let manifest = experiments.manifest(name)?;
                Some(JobData {
                    name: name.clone(),
                    content: content.clone(),
                    manifest: absolute(&manifest.folder.join("manifest.yaml")),
                    cache: absolute(&workspace.cache),
                    mirror: workspace.mirror.as_deref().map(absolute),
                    source: data
                        .get(name)
                        .map_or_else(String::new, |o| o.source_used.clone()),
                })
            });
            tasks.push(Task {
                job: Job {
                    results: results.clone(),
                    study: spec.study.clone(),
                    experiment: spec.name.clone(),
                    trial: trial.id.clone(),
                    point: trial.point.clone(),
                    params: trial.params.clone(),
                    seed: trial.seed,
                    data: job_data,
                    attempt,
                    device: match experiment.study.info().runs_on_device(&trial.params) {
                        true => experiments.device.clone(),
                        false => default_device.clone(),
                    },
                    threads: 1,
                    memory_mib: spec.limits.memory_mib,
                    claims: claims.clone(),
                    host: host.clone(),
                },
                study: experiment.study.info(),
                folders,
                time_limit: TimeLimit::new(
                    spec.limits.time_s,
                    experiments.cost_s(experiment, trial),
                ),
                retries: options.retries,
            });
        }
    }
    let threads = (cores() / jobs(options, tasks.len()).max(1)).max(1);
    for task in &mut tasks {
        task.job.threads = threads;
    }
    Ok(tasks)
}

/// Workers at a time: as asked, else one a core as far as there are trials.
fn jobs(options: &RunOptions, trials: usize) -> usize {
    options
        .jobs
        .map_or_else(cores, usize::from)
        .min(trials.max(1))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
