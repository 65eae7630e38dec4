//! What a stage reads, and what it leaves. A type for each, so that a stage can read nothing that is not in its id.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use retrial_core::declare::StageParams;
use retrial_core::plan::StageInput;

use super::context::TrialError;

/// All that a stage reads beside its seed; its id is a hash of all that this holds.
#[derive(Clone, Copy, Debug)]
pub struct Reads<P, S, D> {
    /// Params.
    pub params: P,
    /// What other stages left.
    pub stages: S,
    /// Parts of the data.
    pub data: D,
}

impl<P: StageParams, S: StageResults, D: StageData> Reads<P, S, D> {
    /// What the id of the stage with that name and seed is a hash of.
    pub(super) fn input(
        &self,
        name: &'static str,
        seed: Option<u64>,
    ) -> Result<StageInput<'_>, TrialError> {
        let params = self.params.stage_pairs();
        // A default leaves no mark in an id, so two values of one name could change places unseen.
        let names: BTreeSet<&str> = params.iter().map(|(name, _)| *name).collect();
        if names.len() < params.len() {
            let names: Vec<&str> = params.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the stage `{name}` reads a param twice: {}",
                names.join(", ")
            );
            return Err(TrialError::Other(message));
        }
        Ok(StageInput {
            name,
            params,
            inputs: self.stages.ids(),
            data: self.data.digests(),
            seed,
        })
    }
}

/// What a stage left, as the one that reads it opened it. No other value can be what a stage left.
#[derive(Debug)]
pub struct Built<V> {
    pub(super) id: String,
    pub(super) seconds_per_round: Option<f64>,
    pub(super) value: V,
}

impl<V> Built<V> {
    /// The value alone, which no other stage can read.
    #[must_use]
    pub fn into_value(self) -> V {
        self.value
    }
}

impl<V> Deref for Built<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

/// What other stages left, for a stage that reads it: nothing, or one or two of [`Built`].
pub trait StageResults: of_stages::Ids {}

impl<S: of_stages::Ids> StageResults for S {}

/// Out of reach of studies, so that none calls anything else what a stage left.
mod of_stages {
    use super::Built;

    pub trait Ids {
        fn ids(&self) -> Vec<&str>;
    }

    impl Ids for () {
        fn ids(&self) -> Vec<&str> {
            Vec::new()
        }
    }

    impl<A> Ids for &Built<A> {
        fn ids(&self) -> Vec<&str> {
            vec![&self.id]
        }
    }

    impl<A, B> Ids for (&Built<A>, &Built<B>) {
        fn ids(&self) -> Vec<&str> {
            vec![&self.0.id, &self.1.id]
        }
    }

    impl<A, B> Ids for (&Built<A>, Option<&Built<B>>) {
        fn ids(&self) -> Vec<&str> {
            let mut ids = vec![self.0.id.as_str()];
            ids.extend(self.1.map(|built| built.id.as_str()));
            ids
        }
    }
}

/// Parts of the data that a stage reads.
pub trait StageData {
    /// The digests of all that can be read of them.
    fn digests(&self) -> Vec<String>;
}

impl StageData for () {
    fn digests(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<D: StageData> StageData for &D {
    fn digests(&self) -> Vec<String> {
        D::digests(self)
    }
}

impl<D: StageData> StageData for Arc<D> {
    fn digests(&self) -> Vec<String> {
        D::digests(self)
    }
}

impl<A: StageData, B: StageData> StageData for (A, B) {
    fn digests(&self) -> Vec<String> {
        [self.0.digests(), self.1.digests()].concat()
    }
}

#[cfg(test)]
mod tests {
    use retrial_core::declare::{OneParam, ParamGroup as _};
    use retrial_core::params;
    use retrial_core::params::{Params, defaults};
    use retrial_core::plan::stage_id;
    use retrial_core::study::StudyInfo;

    use super::*;
    use crate::fake::Fake;
    use crate::program::Study as _;

    params! {
        /// What is cut.
        struct Cut {
            /// Width.
            width_px: int(1..=9) = 3,
            /// Share of the rim.
            rim: float(0.0..=1.0) = 0.5,
            /// Whether it is turned.
            turned: flag = false,
        }
    }

    struct Images(&'static str);

    impl StageData for Images {
        fn digests(&self) -> Vec<String> {
            vec![self.0.to_owned()]
        }
    }

    fn built(id: &str) -> Built<()> {
        Built {
            id: id.to_owned(),
            seconds_per_round: None,
            value: (),
        }
    }

    #[test]
    fn what_differs_in_one_thing_is_another_stage() {
        let study = StudyInfo {
            params: Cut::TABLE,
            ..*Fake.info()
        };
        let id = |name, seed, cut: &Cut, rounds: usize, stages: (_, Option<_>), data: [_; 2]| {
            let [first, second] = data.map(Images);
            let reads = Reads {
                params: (cut, OneParam::new("rounds", rounds)),
                stages,
                data: (first, second),
            };
            let input = reads.input(name, seed).expect("no param twice");
            stage_id(&study, &input, &Params::default(), "cpu")
        };
        let cut = Cut::read(&defaults(Cut::TABLE)).expect("all there");
        let [train, other, encode] = &["train-1", "train-2", "encode-1"].map(built);
        let (seed, stages, data) = (Some(1), (train, Some(encode)), ["a", "b"]);
        let changed = [
            Cut {
                width_px: 5,
                ..cut.clone()
            },
            Cut {
                rim: 0.25,
                ..cut.clone()
            },
            Cut {
                turned: true,
                ..cut.clone()
            },
        ];
        assert_eq!(changed.len(), Cut::TABLE.len(), "every field");
        let changed = changed
            .iter()
            .map(|cut| id("a", seed, cut, 4, stages, data));
        let mut ids = vec![
            id("a", seed, &cut, 4, stages, data),
            id("b", seed, &cut, 4, stages, data),
            id("a", Some(2), &cut, 4, stages, data),
            id("a", None, &cut, 4, stages, data),
            id("a", seed, &cut, 5, stages, data),
            id("a", seed, &cut, 4, (other, Some(encode)), data),
            id("a", seed, &cut, 4, (train, Some(other)), data),
            id("a", seed, &cut, 4, (train, None), data),
            id("a", seed, &cut, 4, stages, ["a", "c"]),
            id("a", seed, &cut, 4, stages, ["b", "a"]),
        ];
        ids.extend(changed);
        let different: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn all_that_is_read_is_in_the_id_in_its_order() {
        let (train, encode) = (built("train-1"), built("encode-1"));
        let cut = Cut::read(&defaults(Cut::TABLE)).expect("all there");
        let reads = Reads {
            params: (OneParam::new("rounds", 4_usize), &cut),
            stages: (&train, &encode),
            data: (&Images("b"), Arc::new(Images("a"))),
        };
        let input = reads.input("search", None).expect("no param twice");
        let names: Vec<&str> = input.params.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["rounds", "width_px", "rim", "turned"]);
        assert_eq!(input.inputs, ["train-1", "encode-1"]);
        assert_eq!(input.data, ["b", "a"]);
    }

    #[test]
    fn a_param_that_is_read_twice_is_refused() {
        let cut = Cut::read(&defaults(Cut::TABLE)).expect("all there");
        let reads = Reads {
            params: (&cut, OneParam::new(Cut::rim, 0.25)),
            stages: (),
            data: (),
        };
        let error = reads.input("cut", None).expect_err("twice").to_string();
        let expected = "the stage `cut` reads a param twice: width_px, rim, turned, rim";
        assert_eq!(error, expected);
    }
}
