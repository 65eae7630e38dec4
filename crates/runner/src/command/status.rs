//! `retrial status`: how far experiments are.

use serde_json::json;

use super::{print_json, table};
use crate::cli::{Format, SelectArgs};
use crate::experiment::{self, Experiments, Pick};
use crate::failure::Failure;
use crate::workspace::Workspace;

const WORDS: [&str; 7] = [
    "recorded",
    "damaged",
    "running",
    "interrupted",
    "failed",
    "changed",
    "new",
];

pub(crate) fn run(workspace: &Workspace, args: &SelectArgs) -> Result<(), Failure> {
    let experiments = experiment::load(workspace, &args.selection, Pick::All)?;
    let heads: Vec<&str> = ["experiment", "trials"].into_iter().chain(WORDS).collect();
    let mut rows = table(&heads);
    let mut list = Vec::new();
    for experiment in &experiments.list {
        let states = experiment.states(&workspace.results())?;
        let counts = WORDS.map(|word| states.iter().filter(|(_, s)| s.word() == word).count());
        let (study, name) = (&experiment.spec.study, &experiment.spec.name);
        let mut cells = vec![format!("{study}/{name}"), states.len().to_string()];
        cells.extend(counts.iter().map(ToString::to_string));
        rows.add_row(cells);
        let mut entry = json!({ "study": study, "experiment": name, "trials": states.len() });
        for (word, number) in WORDS.iter().zip(counts) {
            entry[word] = json!(number);
        }
        list.push(entry);
    }
    let gone = match args.selection.files.is_empty() {
        true => without_spec(workspace, &experiments)?,
        false => Vec::new(),
    };
    if args.format == Format::Json {
        print_json(&json!({ "experiments": list, "without_spec": gone }))?;
        return experiments.no_faults();
    }
    say!("{rows}");
    for name in gone {
        say!("{name} has records and no spec; `retrial rm {name}` removes them");
    }
    experiments.no_faults()
}

/// Experiments with records of which no spec is left. What `--set` changed of a spec has none of its own.
fn without_spec(workspace: &Workspace, experiments: &Experiments) -> Result<Vec<String>, Failure> {
    let results = workspace.results();
    // A faulty spec may be the one.
    if !results.exists() || !experiments.faults.is_empty() {
        return Ok(Vec::new());
    }
    let mut gone = Vec::new();
    for (study, name) in retrial_report::experiments_in(&results)? {
        let mut specs = experiments.list.iter().map(|own| &own.spec);
        let is_known = specs.any(|spec| spec.study == study && spec.name == name);
        let folder = results.join(&study).join(&name);
        if !is_known
            && retrial_report::has_records(&folder)?
            && retrial_report::read_sheet(&folder)?.is_ok_and(|sheet| sheet.changes.is_empty())
        {
            gone.push(format!("{study}/{name}"));
        }
    }
    Ok(gone)
}
