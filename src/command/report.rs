//! `retrial report`: pages, figures and tables from the records alone.

use std::path::PathBuf;

use super::count;
use crate::cli::{ReportArgs, Selection};
use crate::experiment::{self, Experiments};
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &ReportArgs) -> Result<(), Failure> {
    let out = args.output.clone().unwrap_or_else(|| workspace.reports());
    if !args.check {
        // Specs that are gone or faulty keep the sheet they had: records are enough for a report.
        if let Ok(experiments) = experiment::load(workspace, &Selection::default(), |_| true) {
            refresh_sheets(workspace, &experiments)?;
        }
    }
    let loaded = retrial_report::load(&workspace.results())?;
    integrity::warn(&loaded);
    if args.check {
        let mut stale = retrial_report::check(&loaded, &out)?;
        // A sheet that no longer is what its spec and study say makes a stale report, too.
        if let Ok(experiments) = experiment::load(workspace, &Selection::default(), |_| true) {
            stale.extend(old_sheets(workspace, &experiments)?);
        }
        if stale.is_empty() {
            say!("the reports show the records");
            return Ok(());
        }
        let stale = stale
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(Failure::Stale(stale));
    }
    let rendered = retrial_report::render(&loaded, &out)?;
    let counts: Vec<String> = rendered
        .verdicts
        .iter()
        .map(|(origin, verdict, number)| format!("{number} {}", verdict.label(*origin)))
        .collect();
    let figures = count(rendered.figures, "figure");
    let tables = count(rendered.tables, "table");
    say!("{figures}, {tables}; claims: {}", counts.join(", "));
    say!("report: {}", rendered.index.display());
    Ok(())
}

/// Sheets of recorded experiments that differ from what their specs and studies say now.
fn old_sheets(workspace: &Workspace, experiments: &Experiments) -> Result<Vec<PathBuf>, Failure> {
    let mut old = Vec::new();
    for experiment in &experiments.list {
        old.extend(experiment.old_sheet(&workspace.results(), &experiments.manifests)?);
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
            experiment.write_sheet(&workspace.results(), &experiments.manifests)?;
        }
    }
    Ok(())
}
