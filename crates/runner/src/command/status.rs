//! `retrial status`: how far experiments are.

use serde_json::json;

use super::{print_json, table};
use crate::cli::{Format, SelectArgs};
use crate::experiment::{self, Pick};
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
    if args.format == Format::Json {
        print_json(&json!({ "experiments": list }))?;
        return experiments.no_faults();
    }
    say!("{rows}");
    experiments.no_faults()
}
