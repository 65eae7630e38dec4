//! `retrial report`: pages, figures and tables from the records alone.

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
        let stale = retrial_report::check(&loaded, &out)?;
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
        .filter(|(_, number)| *number > 0)
        .map(|(verdict, number)| format!("{number} {}", verdict.label()))
        .collect();
    let figures = count(rendered.figures, "figure");
    let tables = count(rendered.tables, "table");
    say!("{figures}, {tables}; claims: {}", counts.join(", "));
    say!("report: {}", rendered.index.display());
    Ok(())
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
