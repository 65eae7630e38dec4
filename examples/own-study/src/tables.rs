//! What the study declares of itself, and its params.

use retrial_core::study::StudyInfo;
use retrial_core::{param_groups, params};

use crate::metrics::metric;
use crate::needle::Directions;
use crate::output;

pub(crate) const INFO: StudyInfo = StudyInfo {
    name: "buffon",
    revision: 1,
    amendments: &[],
    work: "Lazzarini M. (1901) \"Un'applicazione del calcolo della probabilità alla ricerca \
           sperimentale di un valore approssimato di π\", Periodico di Matematica 4, 140–143",
    deterministic: false,
    uses_device: false,
    cpu_methods: &[],
    content_kinds: &[],
    params: Settings::PARAMS,
    metrics: metric::ALL,
    tables: output::TABLES,
    files: &[],
    conflicts: |_| Vec::new(),
};

params! {
    /// What the stage reads. So many throws that none of their series ends without a hit, from which no estimate follows.
    pub(crate) struct Throwing {
        /// Throws from which π is estimated once.
        throws: int(100..=1_000_000) = 3408,
        /// How often it is estimated, each time from throws of its own.
        repeats: int(2..=100_000) = 1000,
        /// Length of the needle by the distance of the lines; Lazzarini's was 5/6.
        length_ratio: float(0.5..=1.0) = 5.0 / 6.0,
        /// How the direction of a needle is drawn.
        directions: word(Directions) = Directions::Disc,
    }
}

params! {
    /// How the estimates are judged. The stage does not read it, so that another value throws nothing anew.
    pub(crate) struct Judging {
        /// Largest error of an estimate that counts as near; that of Lazzarini's 355/113, rounded up.
        near_error: float(0.0..=1.0) = 3e-7,
    }
}

param_groups! {
    /// All params of a trial.
    pub(crate) struct Settings {
        /// The throws.
        throwing: Throwing,
        /// Their judgement.
        judging: Judging,
    }
}
