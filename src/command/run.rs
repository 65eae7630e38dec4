//! `retrial run` and `retrial reproduce`: from specs to records, reports and verdicts.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use retrial_core::claim::Verdict;
use retrial_core::spec::WhenUnavailable;
use retrial_data::{FetchProgress, Manifest, Obtained};
use retrial_report::ClaimRow;

use super::{claims, count};
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
use crate::studies;
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
    if studies::find(&args.study).is_none() {
        let known: Vec<&str> = studies::infos().iter().map(|info| info.name).collect();
        let (name, known) = (&args.study, known.join(", "));
        return Err(Failure::usage(format!(
            "there is no study `{name}`; known: {known}"
        )));
    }
    let selection = Selection {
        device: args.device,
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
    for experiment in &experiments.list {
        integrity::set_aside(&results, experiment.sheet(&experiments.manifests))?;
    }
    let mut data = HashMap::new();
    let mut runnable = Vec::new();
    let mut skipped = Vec::new();
    for experiment in &experiments.list {
        match fetch(
            workspace,
            experiments,
            experiment,
            options.offline,
            &mut data,
        ) {
            Ok(()) => runnable.push(experiment),
            Err(Failure::Data(reason))
                if experiment.spec.when_unavailable == WhenUnavailable::Skip =>
            {
                let name = format!("{}/{}", experiment.spec.study, experiment.spec.name);
                eprintln!("skipped {name}: {reason}");
                skipped.push(name);
            }
            Err(failure) => return Err(failure),
        }
    }
    for experiment in &runnable {
        experiment.write_sheet(&results, &experiments.manifests)?;
    }
    let (tasks, planned) = tasks(workspace, experiments, &runnable, &data, options);
    let to_run = tasks.len();
    let recorded = planned - to_run;
    if planned == 0 {
        say!("no trial to run");
    } else if to_run == 0 {
        say!("all {} recorded, nothing to run", plural_are(planned));
    } else if recorded > 0 {
        say!(
            "{} recorded already, {to_run} to run",
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
    sweep::after(&results, &runnable);
    conclude(workspace, &runnable, &summary, options)?;
    for name in &skipped {
        say!("skipped: {name} (its data cannot be had here)");
    }
    if !summary.failed.is_empty() {
        return Err(Failure::Trials {
            failed: summary.failed.len(),
        });
    }
    Ok(())
}

/// Reports, verdicts and failures at the end of a run.
fn conclude(
    workspace: &Workspace,
    experiments: &[&Experiment],
    summary: &Summary,
    options: &RunOptions,
) -> Result<(), Failure> {
    for (name, error) in &summary.failed {
        eprintln!("\nfailed: {name}");
        for line in error.lines().take(20) {
            eprintln!("  {line}");
        }
    }
    let elsewhere = match summary.elsewhere {
        0 => String::new(),
        number => format!(", {number} more by another run"),
    };
    if summary.recorded + summary.elsewhere + summary.failed.len() > 0 {
        say!(
            "{} recorded, {} failed{elsewhere}",
            count(summary.recorded, "trial"),
            summary.failed.len()
        );
    }
    if summary.interrupted {
        return Err(Failure::Interrupted);
    }
    let loaded = integrity::load(&workspace.results())?;
    integrity::warn(&loaded);
    let names: Vec<(&str, &str)> = experiments
        .iter()
        .map(|e| (e.spec.study.as_str(), e.spec.name.as_str()))
        .collect();
    let rows: Vec<_> = retrial_report::verdicts(&loaded)
        .into_iter()
        .filter(|row| names.contains(&(row.study.as_str(), row.experiment.as_str())))
        .collect();
    print_verdicts(rows);
    if !options.no_report {
        let rendered = retrial_report::render(&loaded, &workspace.reports())?;
        let index = rendered.index.canonicalize().unwrap_or(rendered.index);
        say!("report: {}", index.display());
    }
    Ok(())
}

/// The verdict table; of a long one only what was not reproduced, and counts.
fn print_verdicts(mut rows: Vec<ClaimRow>) {
    const LONG: usize = 24;
    let all = rows.len();
    let long = all > LONG;
    if long {
        rows.retain(|row| row.verdict != Verdict::Reproduced);
    }
    if !rows.is_empty() {
        say!("{}", claims::as_table(&rows));
    }
    if long {
        let reproduced = all - rows.len();
        say!("{reproduced} of {all} claims reproduced or met; `retrial claims` prints all");
    }
}

/// Brings the data of an experiment's unfinished trials.
fn fetch(
    workspace: &Workspace,
    experiments: &Experiments,
    experiment: &Experiment,
    offline: bool,
    data: &mut HashMap<String, Obtained>,
) -> Result<(), Failure> {
    for (trial, state) in experiment.states(&workspace.results()) {
        let Some((name, _)) = &trial.dataset else {
            continue;
        };
        if state == TrialState::Recorded || data.contains_key(name) {
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
) -> Result<Obtained, Failure> {
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
    Ok(obtained?)
}

/// The trials to run, and how many were planned in all.
fn tasks(
    workspace: &Workspace,
    experiments: &Experiments,
    runnable: &[&Experiment],
    data: &HashMap<String, Obtained>,
    options: &RunOptions,
) -> (Vec<Task>, usize) {
    let results = absolute(&workspace.results());
    let mut host: Option<Host> = None;
    let mut tasks = Vec::new();
    let mut planned = 0;
    for experiment in runnable {
        let spec = &experiment.spec;
        let claims: std::collections::BTreeMap<String, String> = spec
            .claims
            .iter()
            .map(|claim| (claim.id.clone(), claim.hash()))
            .collect();
        let mut own_host: Option<Host> = None;
        for (trial, state) in experiment.states(&workspace.results()) {
            planned += 1;
            if state == TrialState::Recorded {
                continue;
            }
            let host = own_host.get_or_insert_with(|| {
                let root = &workspace.root;
                let host = host.get_or_insert_with(|| Host::look_up(root));
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
            let attempt = folders.failures().last().map_or(1, |(last, _)| last + 1);
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
                    device: experiments.device.clone(),
                    threads: 1,
                    memory_mib: spec.limits.memory_mib,
                    claims: claims.clone(),
                    host: host.clone(),
                },
                study: experiment.study.info(),
                folders,
                time_limit: TimeLimit::new(
                    spec.limits.time_s,
                    experiments.cost_s(experiment, &trial),
                ),
                retries: options.retries,
            });
        }
    }
    let threads = (cores() / jobs(options, tasks.len()).max(1)).max(1);
    for task in &mut tasks {
        task.job.threads = threads;
    }
    (tasks, planned)
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

fn plural_are(number: usize) -> String {
    if number == 1 {
        "trials (1) are".to_owned()
    } else {
        format!("{number} trials are")
    }
}
