//! `retrial check`: every fault of every file at once.

use serde_json::json;

use super::data_check::{DataCheck, say_all};
use super::{count, print_json};
use crate::cli::{CheckArgs, Format};
use crate::experiment::{self, Pick};
use crate::failure::Failure;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &CheckArgs) -> Result<(), Failure> {
    let loaded = experiment::load(workspace, &args.selection, Pick::All).and_then(|loaded| {
        let mut faults = loaded.faults.clone();
        if args.selection.files.is_empty() {
            let broken = loaded.broken.iter().flat_map(|broken| &broken.faults);
            faults.extend(
                broken
                    .filter(|fault| !loaded.faults.contains(fault))
                    .cloned(),
            );
        }
        match faults.is_empty() {
            true => Ok(loaded),
            false => Err(Failure::Faults(faults)),
        }
    });
    let mut data = DataCheck::default();
    if args.format == Format::Json {
        if let Err(Failure::Faults(faults)) = &loaded {
            let faults: Vec<_> = faults
                .iter()
                .map(|fault| {
                    json!({
                        "file": &*fault.place.file,
                        "line": fault.place.line,
                        "column": fault.place.column,
                        "key": fault.key,
                        "message": fault.message,
                        "help": fault.help,
                    })
                })
                .collect();
            print_json(&json!({ "faults": faults, "experiments": [] }))?;
            return loaded.map(|_| ());
        }
        let loaded = loaded?;
        let experiments: Vec<_> = loaded
            .list
            .iter()
            .map(|e| {
                let found = data.census(workspace, &loaded, e, e.trials.iter())?;
                let found: Vec<_> = found
                    .into_iter()
                    .map(|(name, census)| json!({ "name": name, "census": census }))
                    .collect();
                Ok(json!({
                    "file": e.spec.file,
                    "study": e.spec.study,
                    "experiment": e.spec.name,
                    "trials": e.trials.len(),
                    "data": found,
                }))
            })
            .collect::<Result<_, Failure>>()?;
        return print_json(&json!({ "faults": [], "experiments": experiments }));
    }
    let loaded = loaded?;
    for experiment in &loaded.list {
        let found = data.census(workspace, &loaded, experiment, experiment.trials.iter())?;
        let trials = count(experiment.trials.len(), "trial");
        say!("{}: {trials}, no fault", experiment.spec.file);
        say_all(&found);
    }
    Ok(())
}
