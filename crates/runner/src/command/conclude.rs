//! The end of a run: verdicts, reports, and what was lost on the way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use retrial_core::claim::Verdict;
use retrial_report::{ClaimRow, Pack};

use super::{both, claims};
use crate::cli::RunOptions;
use crate::experiment::{Experiment, Experiments, SheetFile, There};
use crate::failure::Failure;
use crate::freshness;
use crate::integrity;
use crate::workspace::Workspace;

/// An experiment that ran, and the sheet it ran by.
pub(super) type Own<'e> = (&'e Experiment, SheetFile);

/// Verdicts and reports at the end of a run.
///
/// Its own experiments are judged by the plans that ran, whatever their sheets say by now; of the
/// trials in `recorded`, each `study/experiment/trial`, the run knows that they were recorded.
///
/// # Errors
/// What was lost or changed during the run, damage of any experiment, and what cannot be read or
/// written.
pub(super) fn conclude(
    workspace: &Workspace,
    experiments: &Experiments,
    own: &[Own<'_>],
    recorded: &[String],
    options: &RunOptions,
) -> Result<(), Failure> {
    let results = workspace.results();
    if own.is_empty() && !results.exists() {
        return Ok(());
    }
    let records = records_are_there(&results, recorded);
    let sheets = sheets_are_there(own);
    let rest = judge(workspace, experiments, own, options);
    both(both(records, sheets), rest)
}

/// An error that names the records that were there and are gone.
fn records_are_there(results: &Path, recorded: &[String]) -> Result<(), Failure> {
    let mut packs: HashMap<PathBuf, Pack> = HashMap::new();
    let mut named = Vec::new();
    for folder in recorded.iter().map(|trial| results.join(trial)) {
        if folder.is_dir() {
            continue;
        }
        let own = folder.parent().unwrap_or(results).to_owned();
        let [trial, experiment, study] = [0, 1, 2].map(|up| {
            let name = folder.iter().rev().nth(up).unwrap_or_default();
            name.to_string_lossy().into_owned()
        });
        let pack = match packs.entry(own) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let pack = Pack::read(new.key(), &study, &experiment)?;
                new.insert(pack.unwrap_or_default())
            }
        };
        if pack.trial(&trial).is_none() {
            let folder = folder.display();
            named.push(format!(
                "{folder} is gone; the same command runs its trial again"
            ));
        }
    }
    lost(named)
}

/// Writes sheets again that were lost or damaged during the run; an error that names them.
fn sheets_are_there(own: &[Own<'_>]) -> Result<(), Failure> {
    let mut named = Vec::new();
    for (_, sheet) in own {
        let path = sheet.path.display();
        let how = match sheet.there()? {
            There::Same => continue,
            // Another run or `retrial claims` wrote it.
            There::Other => {
                eprintln!(
                    "warning: {path} was changed during the run; the verdicts are by the plan \
                     that ran, the report is by the other"
                );
                continue;
            }
            There::Nothing => "it is gone".to_owned(),
            There::Damaged(reason) => reason,
        };
        sheet.write()?;
        named.push(format!("{path}: {how}; it is written again"));
    }
    lost(named)
}

fn lost(named: Vec<String>) -> Result<(), Failure> {
    match named.is_empty() {
        true => Ok(()),
        false => Err(Failure::Lost(named)),
    }
}

/// Prints the verdicts of the own experiments and makes the report of all.
fn judge(
    workspace: &Workspace,
    experiments: &Experiments,
    own: &[Own<'_>],
    options: &RunOptions,
) -> Result<(), Failure> {
    let results = workspace.results();
    let loaded = integrity::load(workspace.program, &results);
    let mut judged = Vec::new();
    for (experiment, sheet) in own {
        let mut known = loaded.iter().flatten();
        let known = known.find(|one| one.folder == sheet.folder() && sheet.says(&one.sheet));
        judged.push(match known {
            Some(known) => known.clone(),
            None => {
                let sheet = experiment.sheet(&experiments.manifests);
                integrity::load_one(workspace.program, &results, sheet)?
            }
        });
    }
    print_verdicts(retrial_report::verdicts(&judged));
    let loaded = loaded?;
    let sound = integrity::sound(&loaded);
    if options.no_report {
        return sound;
    }
    let out = workspace.reports();
    let is_fresh = sound.is_ok() && freshness::is_fresh(&loaded, &out);
    let mut complete = Ok(());
    if !is_fresh {
        complete = Failure::of_kept(retrial_report::render(&loaded, &out)?.kept);
        if complete.is_ok() {
            freshness::remember(&loaded, &out);
        }
    }
    let index = out.join("index.html");
    let index = index.canonicalize().unwrap_or(index);
    let how = if is_fresh { " (as it was)" } else { "" };
    say!("report: {}{how}", index.display());
    both(complete, sound)
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
