//! `retrial claims`: published values, ours, and the verdicts.

use std::collections::HashSet;
use std::path::PathBuf;

use comfy_table::Table;
use retrial_report::ClaimRow;
use serde_json::json;

use super::{print_json, table};
use crate::cli::{Format, SelectArgs};
use crate::experiment;
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &SelectArgs) -> Result<(), Failure> {
    let experiments = experiment::load(workspace, &args.selection, |_| true)?;
    let mut recorded = retrial_report::load(&workspace.results())?;
    integrity::warn(&recorded);
    let mut chosen = Vec::new();
    for experiment in &experiments.list {
        let sheet = experiment.sheet(&experiments.manifests);
        let place = recorded
            .iter()
            .position(|e| e.sheet.study == sheet.study && e.sheet.experiment == sheet.experiment);
        chosen.push(match place {
            // The claims as they are written now, judged by what was recorded of the present plan.
            Some(place) => {
                let recorded = recorded.swap_remove(place);
                let planned: HashSet<&String> = sheet.trials.iter().collect();
                let all = recorded.finished.into_iter().chain(recorded.earlier);
                let (finished, earlier) = all.partition(|own| planned.contains(&own.trial));
                retrial_report::Experiment {
                    sheet,
                    finished,
                    earlier,
                    folder: recorded.folder,
                    attempts: recorded.attempts,
                    damaged: recorded.damaged,
                    unfinished: recorded.unfinished,
                }
            }
            None => retrial_report::Experiment {
                sheet,
                folder: PathBuf::new(),
                finished: Vec::new(),
                earlier: Vec::new(),
                attempts: Vec::new(),
                damaged: Vec::new(),
                unfinished: Vec::new(),
            },
        });
    }
    let rows = retrial_report::verdicts(&chosen);
    if args.format == Format::Json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        return print_json(&json!({ "claims": rows }));
    }
    if rows.is_empty() {
        say!("no claim in these experiments");
    } else {
        say!("{}", as_table(&rows));
    }
    Ok(())
}

/// Verdicts for the terminal.
pub(crate) fn as_table(rows: &[ClaimRow]) -> Table {
    let mut table = table(&["claim", "metric", "claimed", "ours", "verdict", "reason"]);
    for row in rows {
        let ours = row.ours.as_ref().map_or_else(
            || "—".to_owned(),
            |ours| {
                let unit = if row.unit.is_empty() {
                    String::new()
                } else {
                    format!(" {}", row.unit)
                };
                format!("{}{unit}", ours.text())
            },
        );
        let mut verdict = row.label().to_owned();
        if row.edited {
            verdict.push_str(" (claim edited since)");
        }
        table.add_row([
            format!("{}/{}: {}", row.study, row.experiment, row.id),
            row.metric.clone(),
            row.published.clone(),
            ours,
            verdict,
            row.reason.clone(),
        ]);
    }
    table
}

fn as_json(row: &ClaimRow) -> serde_json::Value {
    let ours = row
        .ours
        .as_ref()
        .map(|ours| json!({ "mean": ours.mean, "ci95": ours.ci95, "n": ours.n }));
    json!({
        "study": row.study,
        "experiment": row.experiment,
        "id": row.id,
        "source": row.source,
        "origin": row.origin,
        "metric": row.metric,
        "unit": row.unit,
        "published": row.published,
        "ours": ours,
        "verdict": row.verdict,
        "reason": row.reason,
        "edited": row.edited,
    })
}
