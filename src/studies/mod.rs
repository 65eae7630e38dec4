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
    use super::*;

    /// An id holds the params that differ from their defaults, so a default that changes would give an old id to another
    /// trial. A new param, whose default is what was done before, adds a line.
    #[test]
    fn a_default_changes_with_the_revision_alone() {
        let written: Vec<&str> = include_str!("defaults.txt").lines().collect();
        let mut now = Vec::new();
        for study in infos() {
            // `fake` serves tests and leaves no records.
            if study.name == "fake" {
                continue;
            }
            for param in study.params {
                let (name, revision) = (study.name, study.revision);
                let default = param.default.value();
                now.push(format!("{name} {revision} {} = {default}", param.name));
            }
        }
        let gone: Vec<&&str> = (written.iter())
            .filter(|line| !now.iter().any(|own| own == **line))
            .collect();
        let new: Vec<&String> = (now.iter())
            .filter(|line| !written.contains(&line.as_str()))
            .collect();
        assert!(
            gone.is_empty() && new.is_empty(),
            "raise the revision where a default changed; then src/studies/defaults.txt loses {gone:#?} and gets {new:#?}"
        );
    }
}
