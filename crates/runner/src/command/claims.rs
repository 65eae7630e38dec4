//! `retrial claims`: published values, ours, and the verdicts.

use comfy_table::Table;
use retrial_report::ClaimRow;
use serde_json::json;

use super::{both, print_json, table};
use crate::cli::{Format, SelectArgs};
use crate::experiment::{self, Pick};
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &SelectArgs) -> Result<(), Failure> {
    let experiments = experiment::load(workspace, &args.selection, Pick::All)?;
    let results = workspace.results();
    let mut chosen = Vec::new();
    for experiment in &experiments.list {
        // The claims as they are written now, judged by what was recorded of the present plan.
        let sheet = experiment.sheet(&experiments.manifests);
        let recorded = integrity::load_one(workspace.program, &results, sheet)?;
        let sheet = experiment.sheet_file(&results, &experiments.manifests)?;
        // One of a newer program stops here.
        sheet.there()?;
        if recorded.folder.is_dir()
            && let Err(failure) = sheet.renew()
        {
            // The verdicts need no sheet.
            eprint!(
                "warning: the sheet of {} is not refreshed: ",
                recorded.name()
            );
            failure.print();
        }
        chosen.push(recorded);
    }
    let rows = retrial_report::verdicts(&chosen);
    if args.format == Format::Json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        print_json(&json!({ "claims": rows }))?;
    } else if rows.is_empty() {
        say!("no claim in these experiments");
    } else {
        say!("{}", as_table(&rows));
    }
    both(experiments.no_faults(), integrity::sound(&chosen))
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
        .map(|ours| json!({ "mean": ours.mean, "ci95": ours.ci95, "n": ours.n, "planned": ours.planned }));
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
        "trials": row.trials,
        "verdict": row.verdict,
        "reason": row.reason,
        "edited": row.edited,
    })
}
