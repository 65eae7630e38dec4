//! `retrial report`: pages, figures and tables from the records alone.

use std::path::{Path, PathBuf};

use retrial_report::Experiment;

use super::{both, count};
use crate::cli::{ReportArgs, Selection};
use crate::experiment::{self, Experiments, Pick, There};
use crate::failure::Failure;
use crate::freshness;
use crate::integrity;
use crate::selected;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &ReportArgs) -> Result<(), Failure> {
    let out = args.output.clone().unwrap_or_else(|| workspace.reports());
    let experiments = specs(workspace)?;
    if !args.check {
        // Specs that are gone or faulty keep the sheet they had: records are enough for a report.
        refresh_sheets(workspace, &experiments)?;
    }
    let loaded = integrity::load(workspace.program, &workspace.results())?;
    if args.check {
        return check(workspace, &experiments, &loaded, &out);
    }
    for fault in &experiments.faults {
        eprintln!("warning: a faulty spec keeps the sheet it had: {fault}");
    }
    let rendered = retrial_report::render(&loaded, &out)?;
    if args.output.is_none() && rendered.kept.is_empty() {
        freshness::remember(&loaded, &out);
    }
    let counts: Vec<String> = rendered
        .verdicts
        .iter()
        .map(|(origin, verdict, number)| format!("{number} {}", verdict.label(*origin)))
        .collect();
    let figures = count(rendered.figures, "figure");
    let tables = count(rendered.tables, "table");
    say!("{figures}, {tables}; claims: {}", counts.join(", "));
    say!("report: {}", rendered.index.display());
    both(Failure::of_kept(rendered.kept), integrity::sound(&loaded))
}

/// Brings all sheets up to date with their specs.
pub(crate) fn refresh(workspace: &Workspace) -> Result<(), Failure> {
    refresh_sheets(workspace, &specs(workspace)?)
}

/// All specs with those that are faulty apart; a project without any has none.
fn specs(workspace: &Workspace) -> Result<Experiments, Failure> {
    let selection = Selection {
        device: workspace.program.devices.default_name().to_owned(),
        ..Selection::default()
    };
    match experiment::load(workspace, &selection, Pick::All) {
        Err(Failure::Faults(faults)) => Ok(Experiments {
            faults,
            ..Experiments::default()
        }),
        // Records are enough for a report.
        Err(Failure::Usage(_)) if selected::spec_files(&workspace.experiments())?.is_empty() => {
            Ok(Experiments::default())
        }
        loaded => loaded,
    }
}

/// Fails where pages do not show the records, where records are damaged, and where a faulty spec
/// leaves it open.
fn check(
    workspace: &Workspace,
    experiments: &Experiments,
    loaded: &[Experiment],
    out: &Path,
) -> Result<(), Failure> {
    let mut stale = retrial_report::check(loaded, out)?;
    // A sheet that no longer is what its spec and study say makes a stale report, too.
    stale.extend(old_sheets(workspace, experiments)?);
    let stale: Vec<String> = stale
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let damaged = integrity::faults(loaded);
    let mut failures = Vec::new();
    if !experiments.faults.is_empty() {
        failures.push(Failure::Faults(experiments.faults.clone()));
    }
    if !stale.is_empty() {
        failures.push(Failure::Stale(stale));
    }
    failures.extend(Failure::of_kept(retrial_report::kept(loaded, out)?).err());
    if !damaged.is_empty() {
        failures.push(Failure::Damaged(damaged));
    }
    let Some(last) = failures.pop() else {
        say!("the reports show the records");
        return Ok(());
    };
    for failure in failures {
        failure.print();
    }
    Err(last)
}

/// Sheets of recorded experiments that differ from what their specs and studies say now.
fn old_sheets(workspace: &Workspace, experiments: &Experiments) -> Result<Vec<PathBuf>, Failure> {
    let mut old = Vec::new();
    for experiment in &experiments.list {
        let sheet = experiment.sheet_file(&workspace.results(), &experiments.manifests)?;
        if sheet.there()? == There::Other {
            old.push(sheet.path);
        }
    }
    Ok(old)
}

/// Brings what the results folder keeps of experiments up to date with their specs, so that a
/// changed figure or claim shows without running anything.
fn refresh_sheets(workspace: &Workspace, experiments: &Experiments) -> Result<(), Failure> {
    for experiment in &experiments.list {
        let folder = workspace
            .results()
            .join(&experiment.spec.study)
            .join(&experiment.spec.name);
        if folder.is_dir() {
            let results = workspace.results();
            experiment
                .sheet_file(&results, &experiments.manifests)?
                .renew()?;
        }
    }
    Ok(())
}
