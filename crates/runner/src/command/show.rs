//! `retrial show`: one trial, whole.

use std::path::Path;

use retrial_core::metric::Direction;
use retrial_core::record::{ATTEMPT_FILE, Outcome, RECORD_FILE, Record};
use retrial_report::TRIALS_FILE;
use serde_json::json;

use super::{count, duration, print_json, table};
use crate::cli::{Format, ShowArgs};
use crate::execute::folder::TrialFolders;
use crate::failure::Failure;
use crate::integrity;
use crate::lookup::{find, pack_of};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &ShowArgs) -> Result<(), Failure> {
    let found = find(&workspace.results(), &args.trial)?;
    let (study, experiment, trial) = &found;
    let folders = TrialFolders::new(&workspace.results(), study, experiment, trial);
    let pack = pack_of(&folders, study, experiment)?;
    let mut damaged = Vec::new();
    let mut kept = |read: Result<Record, String>, fault: Option<String>, path: &Path| {
        let reason = read.as_ref().err().cloned().or(fault);
        damaged.extend(reason.map(|reason| format!("{}: {reason}", path.display())));
        read.ok()
    };
    let folder = &folders.record;
    let record = match (folder.exists(), pack.trial(trial)) {
        (true, _) => kept(
            retrial_report::read_finished(folder)?,
            integrity::fault_of(workspace.program, folder, &pack)?,
            &folder.join(RECORD_FILE),
        ),
        (false, Some(row)) => kept(
            row.record.clone(),
            integrity::fault_of_packed(workspace.program, row, folder, &pack)?,
            &folders.experiment.join(TRIALS_FILE),
        ),
        (false, None) => None,
    };
    let is_there = |number: u32| folders.attempts.join(number.to_string()).exists();
    let packed = pack
        .failures(trial)
        .filter(|record| !is_there(record.attempt));
    let mut attempts: Vec<Record> = packed.cloned().collect();
    for (_, folder) in folders.failures()? {
        attempts.extend(kept(
            retrial_report::read_attempt(&folder)?,
            integrity::fault_of_attempt(workspace.program, &folder)?,
            &folder.join(ATTEMPT_FILE),
        ));
    }
    let end = match damaged.is_empty() {
        true => Ok(()),
        false => Err(Failure::Damaged(damaged)),
    };
    if args.format == Format::Json {
        print_json(&json!({
            "study": study,
            "experiment": experiment,
            "trial": trial,
            "folder": folders.record,
            "record": record,
            "failed_attempts": attempts,
        }))?;
        return end;
    }
    say!("{study}/{experiment}/{trial}");
    match &record {
        Some(record) => print(record, &folders.record)?,
        None if folder.exists() => say!("damaged: {}", folder.display()),
        None if folders.partial.exists() => say!("not finished: {}", folders.partial.display()),
        None => say!("not finished"),
    }
    for attempt in &attempts {
        if let Outcome::Failed { cause, error } = &attempt.outcome {
            say!("\nattempt {} failed ({cause}):", attempt.attempt);
            for line in error.lines() {
                say!("  {line}");
            }
        }
    }
    end
}

fn print(record: &Record, folder: &Path) -> Result<(), Failure> {
    match (folder.exists(), folder.parent()) {
        (false, Some(experiment)) => {
            say!("packed in   {}", experiment.join(TRIALS_FILE).display());
        }
        _ => say!("folder      {}", folder.display()),
    }
    say!("seed        {}, attempt {}", record.seed, record.attempt);
    say!("params      {}", record.params.summary());
    if let Some(data) = &record.dataset {
        say!(
            "data        {} ({}), from {}",
            data.name,
            data.content,
            data.source
        );
    }
    say!("content     {}", record.content);
    let p = &record.provenance;
    let revision = p.source_revision.as_deref().unwrap_or("unknown");
    let dirty = if p.source_dirty == Some(true) {
        " with uncommitted changes"
    } else {
        ""
    };
    say!("source      retrial {}, {revision}{dirty}", p.version);
    if let Some(build) = &p.build {
        say!("build       {}", build.line());
    }
    if let Some(project) = &p.project {
        let revision = project.revision.as_deref().unwrap_or("no repository");
        let dirty = if project.dirty == Some(true) {
            " with uncommitted changes"
        } else {
            ""
        };
        say!("project     {revision}{dirty}");
        let digest = project.spec.as_deref().unwrap_or("unknown");
        match &project.spec_state {
            Some(state) => say!("spec        {digest}, {state}"),
            None => say!("spec        {digest}"),
        }
    }
    say!(
        "machine     {}, {}, {} on {}",
        p.host,
        p.cpu,
        p.device,
        count(p.threads, "thread")
    );
    say!(
        "run         {}, {} ({} of CPU), {:.0} MiB at most",
        p.started,
        duration(p.duration_s),
        duration(p.cpu_s),
        p.peak_memory_mib
    );
    // Units stand on the sheet.
    let sheet = match folder.parent() {
        Some(experiment) => retrial_report::read_sheet(experiment)?.ok(),
        None => None,
    };
    let mut metrics = table(&["metric", "value", "unit", "better"]);
    for (name, value) in record.metrics.iter() {
        let known = (sheet.iter().flat_map(|sheet| &sheet.metrics)).find(|q| q.name == name);
        let better = match known.map(|quantity| quantity.direction) {
            None | Some(Direction::None) => "",
            Some(other) => other.name(),
        };
        let unit = known.map_or("", |quantity| &quantity.unit);
        metrics.add_row([name, &value.to_string(), unit, better]);
    }
    say!("{metrics}");
    for stage in &record.stages {
        let how = if stage.reused { "found ready" } else { "built" };
        say!(
            "stage       {} ({how}): {} {}",
            stage.name,
            stage.id,
            stage.content
        );
    }
    for artifact in &record.artifacts {
        say!(
            "artifact    {} ({}) {}",
            artifact.path,
            count(artifact.bytes as usize, "byte"),
            artifact.content
        );
    }
    Ok(())
}
