//! What the study declares of itself, and its params.

use retrial_core::declare::ParamGroup as _;
use retrial_core::params;
use retrial_core::study::StudyInfo;

use crate::metrics::metric;
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
    params: Throwing::TABLE,
    metrics: metric::ALL,
    tables: output::TABLES,
    files: &[],
    conflicts: |_| Vec::new(),
};

params! {
    /// All params of a trial. So many throws that none of their series ends without a hit, from which no estimate follows.
    pub(crate) struct Throwing {
        /// Throws from which π is estimated once.
        throws: int(100..=1_000_000) = 3408,
        /// How often it is estimated, each time from throws of its own.
        repeats: int(2..=100_000) = 1000,
        /// Length of the needle by the distance of the lines; Lazzarini's was 5/6.
        length_ratio: float(0.5..=1.0) = 5.0 / 6.0,
    }
}
