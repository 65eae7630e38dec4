//! Whether records still say what was recorded.

use std::fs;

use retrial_report::Experiment;

use crate::execute::seal::content_hash;
use crate::studies;

/// Every damaged, edited or incomplete record, in words.
///
/// HDF5 files are left out: they are not committed, so a clone lacks them.
pub(crate) fn faults(experiments: &[Experiment]) -> Vec<String> {
    let mut faults = Vec::new();
    for experiment in experiments {
        for damaged in &experiment.damaged {
            faults.push(format!(
                "{} cannot be read ({}); remove its folder to run the trial again",
                damaged.path, damaged.reason
            ));
        }
        let Some(study) = studies::find(&experiment.sheet.study) else {
            continue;
        };
        for record in &experiment.finished {
            let name = format!("{}/{}", experiment.name(), record.trial);
            if record.revision == study.info().revision
                && content_hash(record, study.info()) != record.content
            {
                faults.push(format!(
                    "{name}: its numbers were changed after it was recorded"
                ));
            }
            let kept = |path: &str| path.ends_with(".csv") || path.ends_with(".png");
            for artifact in record.artifacts.iter().filter(|a| kept(&a.path)) {
                let path = experiment.folder.join(&record.trial).join(&artifact.path);
                match fs::read(&path) {
                    Ok(bytes) if retrial_core::hash::content(&bytes) == artifact.content => {}
                    Ok(_) => faults.push(format!(
                        "{name}: {} was changed after it was recorded",
                        artifact.path
                    )),
                    Err(error) => faults.push(format!("{name}: {}: {error}", artifact.path)),
                }
            }
        }
    }
    faults
}

/// Prints them as warnings to standard error.
pub(crate) fn warn(experiments: &[Experiment]) {
    for fault in faults(experiments) {
        eprintln!("warning: {fault}");
    }
}
