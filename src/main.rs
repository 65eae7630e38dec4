//! The command `retrial`: the list of its studies.

use std::process::ExitCode;

use retrial_net_study::device::NetDevices;
use retrial_runner::{Fake, Program, build_info};
use retrial_study_anogan::Anogan;
use retrial_study_dic::Dic;
use retrial_study_mask_rcnn::MaskRcnn;

static PROGRAM: Program = Program {
    name: "retrial",
    about: "Reruns published experiments and says whether they reproduce.",
    run: "just run",
    build: build_info!(),
    studies: &[&Dic, &Anogan, &MaskRcnn],
    hidden_studies: &[&Fake],
    devices: &NetDevices,
};

fn main() -> ExitCode {
    retrial_runner::main(&PROGRAM)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use retrial_core::plan::bears_its_id;
    use retrial_core::record::Record;

    use super::*;

    #[test]
    fn the_standard_library_calls_the_functions_of_the_program() {
        assert_eq!(retrial_elementary::differing(), Vec::<&str>::new());
    }

    /// An id follows from its record alone, and holds the params that differ from their defaults. So a default changes
    /// with the revision alone; a new param, whose default is what was done before, changes no id.
    #[test]
    fn committed_records_bear_their_ids_and_have_the_defaults_of_their_revision() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let experiments = retrial_report::load(&results).expect("records");
        for study in PROGRAM.studies.iter().map(|study| study.info()) {
            let own = experiments
                .iter()
                .filter(|one| one.sheet.study == study.name);
            let records: Vec<&Record> = own.flat_map(|one| &one.finished).collect();
            assert!(records.len() > 100, "{} of {}", records.len(), study.name);
            for record in records {
                let trial = format!("{}/{}/{}", record.study, record.experiment, record.trial);
                assert_eq!(bears_its_id(record), Some(true), "{trial}");
                assert_eq!(record.revision, study.revision, "{trial}");
                let set = study.set(record.params.iter());
                let set: Vec<String> = set.iter().map(|(name, _)| (*name).to_owned()).collect();
                assert_eq!(record.set, Some(set), "{trial}: a default changed");
            }
        }
    }
}
