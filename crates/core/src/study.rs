//! What a study declares of itself: the tables by which specs are checked and reports labelled.

use crate::metric::{FileDef, MetricDef, TableDef};
use crate::params::{DATASET, DefaultValue, Param, ParamKind, ParamValue, Params};

/// A study, as far as specs, plans and reports need to know it.
#[derive(Clone, Copy, Debug)]
pub struct StudyInfo {
    /// Name in specs and folders.
    pub name: &'static str,
    /// Raised by hand whenever a number of the study could change; enters every id.
    pub revision: u32,
    /// Changes since that revision which touch only some trials.
    pub amendments: &'static [Amendment],
    /// The published work it retries, as a citation.
    pub work: &'static str,
    /// Whether its numbers do not depend on the seed.
    pub deterministic: bool,
    /// What its trials run on.
    pub devices: DeviceUse,
    /// Values of the param `method` whose trials run on the CPU all the same.
    pub cpu_methods: &'static [&'static str],
    /// Kinds of data set it takes (decoded content); empty for a study without data.
    pub content_kinds: &'static [&'static str],
    /// Params.
    pub params: &'static [Param],
    /// Metrics.
    pub metrics: &'static [MetricDef],
    /// Tables beside the metrics.
    pub tables: &'static [TableDef],
    /// Other files, pictures aside: arrays and predictions.
    pub files: &'static [FileDef],
    /// Params that do not fit together: param and reason.
    pub conflicts: fn(&Params) -> Vec<Conflict>,
}

/// What the trials of a study run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceUse {
    /// The CPU.
    Cpu,
    /// A device that can be chosen.
    One,
    /// A device that can be chosen, or several of one kind that share the work of a trial.
    Several,
}

/// A change of numbers that touches only trials with one value of one param.
///
/// It enters the ids of those trials and of the stages named, so that the records of all others
/// stay what they are; the revision would change every id.
#[derive(Clone, Debug, PartialEq)]
pub struct Amendment {
    /// Short and never changed: it enters ids.
    pub id: &'static str,
    /// What was changed, as users are told.
    pub what: &'static str,
    /// Param.
    pub param: &'static str,
    /// Its value in the trials touched.
    pub value: DefaultValue,
    /// Stages whose results it changes.
    pub stages: &'static [&'static str],
}

impl StudyInfo {
    /// Whether a trial with these params runs on the device that was chosen.
    #[must_use]
    pub fn runs_on_device(&self, params: &Params) -> bool {
        let method = match params.get("method") {
            Some(ParamValue::Text(method)) => method.as_str(),
            _ => "",
        };
        self.devices != DeviceUse::Cpu && !self.cpu_methods.contains(&method)
    }

    /// Those of some params that differ from their defaults, by name; the name of the data is none of them.
    #[must_use]
    pub fn set<'p>(
        &self,
        params: impl Iterator<Item = (&'p str, &'p ParamValue)>,
    ) -> Vec<(&'p str, &'p ParamValue)> {
        let is_set = |(name, value): &(&str, &ParamValue)| {
            let known = self.params.iter().find(|param| param.name == *name);
            *name != DATASET && known.is_none_or(|param| !param.default.value().same(value))
        };
        let mut set: Vec<_> = params.filter(is_set).collect();
        set.sort_by_key(|(name, _)| *name);
        set
    }

    /// Whether a recorded value of a param is the one that it has now; a word may have been called otherwise.
    #[must_use]
    pub fn is_still(&self, param: &str, recorded: &ParamValue, now: &ParamValue) -> bool {
        let is_renamed = |own: &Param| match (own.kind, recorded, now) {
            (ParamKind::Choice(words), ParamValue::Text(old), ParamValue::Text(new)) => {
                let mut words = words.iter().filter(|word| word.word == new);
                words.any(|word| word.was.contains(&old.as_str()))
            }
            _ => false,
        };
        let mut params = self.params.iter().filter(|own| own.name == param);
        recorded.same(now) || params.any(is_renamed)
    }

    /// The amendments that touch trials with these params.
    pub fn amendments_of(&self, params: &Params) -> impl Iterator<Item = &'static Amendment> {
        self.amendments.iter().filter(|amendment| {
            let own = params.get(amendment.param);
            own.is_some_and(|own| own.same(&amendment.value.value()))
        })
    }
}

/// Params that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The param to change.
    pub param: &'static str,
    /// Why, with the values.
    pub message: String,
}

/// A data set, as far as specs and plans need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetInfo {
    /// Name under `datasets/`.
    pub name: String,
    /// Kind of decoded content.
    pub content_kind: String,
    /// Digest of the decoded content.
    pub content: String,
    /// Whether it is generated.
    pub generated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::WordDef;
    use crate::spec::tests::STUDY;

    #[test]
    fn a_recorded_word_may_have_another_name_now() {
        const NORM: &[Param] = &[Param {
            name: "norm",
            kind: ParamKind::Choice(&[WordDef {
                word: "batch",
                was: &["of_batch"],
                doc: "By the batch.",
            }]),
            default: DefaultValue::Text("batch"),
            unit: "",
            was: &[],
            doc: "Moments.",
        }];
        let study = StudyInfo {
            params: NORM,
            ..STUDY
        };
        let text = |word: &str| ParamValue::Text(word.to_owned());
        let is_still = |old: &str| study.is_still("norm", &text(old), &text("batch"));
        assert!(is_still("batch") && is_still("of_batch"));
        assert!(!is_still("layer"));
        assert!(study.is_still("other", &ParamValue::Int(1), &ParamValue::Float(1.0)));
    }
}
