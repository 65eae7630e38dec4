//! The studies, all in one table. Each is the only place where its algorithm meets a spec, and
//! none imports another.

pub(crate) mod anogan;
pub(crate) mod dic;
pub(crate) mod fake;
pub(crate) mod mask_rcnn;

use std::any::Any;

use retrial_core::census::Census;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};
use retrial_nets::device::{self, Device, DeviceChoice};

use crate::execute::context::{Context, TrialError};

/// What a study keeps of one content, so that a census for other params does not find it again.
#[derive(Default)]
pub(crate) struct Memo(Option<Box<dyn Any>>);

impl Memo {
    /// That of a study, empty where it has kept nothing.
    pub(crate) fn of<M: Any + Default>(&mut self) -> &mut M {
        if !self.0.as_ref().is_some_and(|own| own.is::<M>()) {
            self.0 = Some(Box::<M>::default());
        }
        let own = self.0.as_mut().and_then(|own| own.downcast_mut::<M>());
        own.expect("it was made above")
    }
}

/// The device that is asked for.
fn device(asked: &str) -> Result<Device, TrialError> {
    let choice: DeviceChoice = asked.parse().map_err(TrialError::of)?;
    device::open(choice).map_err(TrialError::of)
}

/// A study: its tables, its cost and its trial.
pub(crate) trait Study: Sync {
    /// Tables by which specs are checked and reports labelled.
    fn info(&self) -> &'static StudyInfo;

    /// Estimated CPU seconds of a trial on one core, with the data set it uses.
    fn cost_s(&self, params: &Params, dataset: Option<&Manifest>) -> f64;

    /// The params that decide what of its data a trial uses.
    fn census_keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// What a trial uses of its data and what it leaves out; an error where it can use none. `memo` is that of earlier
    /// calls with the same content.
    fn census(
        &self,
        _params: &Params,
        content: &Content,
        _memo: &mut Memo,
    ) -> Result<Census, TrialError> {
        Ok(content.census())
    }

    /// Runs one trial: reports metrics, leaves tables and arrays.
    fn run(&self, context: &mut Context) -> Result<(), TrialError>;
}

/// Every study. A study is added here and nowhere else.
pub(crate) const STUDIES: &[&dyn Study] = &[
    &dic::Dic,
    &anogan::Anogan,
    &mask_rcnn::MaskRcnn,
    &fake::Fake,
];

/// The study of that name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Study> {
    STUDIES
        .iter()
        .find(|study| study.info().name == name)
        .copied()
}

/// The tables of all studies.
pub(crate) fn infos() -> Vec<&'static StudyInfo> {
    STUDIES.iter().map(|study| study.info()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use retrial_core::plan::bears_its_id;
    use retrial_core::record::Record;

    use super::*;

    /// An id follows from its record alone, and holds the params that differ from their defaults. So a default changes
    /// with the revision alone; a new param, whose default is what was done before, changes no id.
    #[test]
    fn committed_records_bear_their_ids_and_have_the_defaults_of_their_revision() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let experiments = retrial_report::load(&results).expect("records");
        for study in infos() {
            // `fake` serves tests and leaves no records.
            if study.name == "fake" {
                continue;
            }
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
