//! What became of the trials that a claim speaks of.

use std::collections::HashSet;

use serde::Serialize;

use super::{Claim, Expect, Verdict};
use crate::experiment::Planned;
use crate::params::Params;
use crate::record::Record;

/// Everything that the trials of an experiment say.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'r> {
    /// All planned trials.
    pub planned: &'r [Planned],
    /// Records of those that finished.
    pub finished: &'r [Record],
    /// Finished trials that are not planned.
    pub earlier: &'r [Record],
    /// Failed attempts, those of trials that are not planned among them.
    pub attempts: &'r [Record],
    /// Whether the study's numbers do not depend on the seed.
    pub deterministic: bool,
}

/// How many of a claim's trials were planned, finished, failed, and have no finite value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Trials that were planned.
    pub planned: usize,
    /// Those of them that finished.
    pub finished: usize,
    /// Those that failed and never finished.
    pub failed: usize,
    /// Those that finished without a finite value of the metric.
    pub not_finite: usize,
    /// Trials like the finished ones but for a seed that is not planned, which failed and never
    /// finished: who leaves them out keeps survivors.
    pub dropped: usize,
}

impl Tally {
    /// Counts the trials that `claim` speaks of, both points of a comparison among them.
    pub(super) fn of(claim: &Claim, evidence: &Evidence<'_>) -> Self {
        let own: HashSet<&str> = (evidence.planned.iter())
            .filter(|p| {
                p.params
                    .as_ref()
                    .is_none_or(|params| claim.concerns(params))
            })
            .map(|p| p.trial.as_str())
            .collect();
        let finished: Vec<&Record> = (evidence.finished.iter())
            .filter(|r| r.is_finished() && own.contains(r.trial.as_str()))
            .collect();
        let done: HashSet<&str> = finished.iter().map(|r| r.trial.as_str()).collect();
        let failed: HashSet<&str> = (evidence.attempts.iter())
            .map(|r| r.trial.as_str())
            .filter(|trial| own.contains(trial) && !done.contains(trial))
            .collect();
        let data = |r: &Record| r.dataset.as_ref().map(|data| data.content.clone());
        let like = |a: &Record, r: &Record| {
            (a.revision, &a.device, &a.params) == (r.revision, &r.device, &r.params)
                && data(a) == data(r)
        };
        let is_planned = |a: &Record| {
            let mut planned = evidence.planned.iter();
            planned.any(|p| p.trial == a.trial || p.seed == Some(a.seed))
        };
        let dropped: HashSet<&str> = (evidence.attempts.iter())
            .filter(|a| !is_planned(a) && finished.iter().any(|r| like(a, r)))
            .map(|a| a.trial.as_str())
            .filter(|trial| evidence.earlier.iter().all(|r| r.trial != *trial))
            .collect();
        let finite = |r: &&&Record| r.metric(&claim.metric).is_some_and(f64::is_finite);
        Self {
            planned: own.len(),
            finished: done.len(),
            failed: failed.len(),
            not_finite: finished.len() - finished.iter().filter(finite).count(),
            dropped: dropped.len(),
        }
    }

    /// The verdict of the values that are there, as far as the missing ones let it stand.
    pub(super) fn bounds(self, verdict: Verdict, deterministic: bool) -> Verdict {
        match verdict {
            Verdict::NotTestable => verdict,
            _ if self.finished < self.planned => Verdict::Underpowered,
            Verdict::Reproduced if self.not_finite > 0 && deterministic => Verdict::NotReproduced,
            Verdict::Reproduced if self.not_finite > 0 || self.dropped > 0 => Verdict::Underpowered,
            _ => verdict,
        }
    }

    /// `3 of 10 planned trials finished, 7 failed`; nothing where all have a finite value and none was
    /// left out.
    #[must_use]
    pub fn shortfall(self) -> Option<String> {
        let mut parts = Vec::new();
        if self.finished < self.planned {
            let failed = match self.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            parts.push(format!(
                "{} of {} planned trials finished{failed}",
                self.finished, self.planned
            ));
        }
        if self.not_finite > 0 {
            let have = if self.not_finite == 1 { "has" } else { "have" };
            parts.push(format!(
                "{} of {} finished trials {have} no finite value",
                self.not_finite, self.finished
            ));
        }
        if self.dropped > 0 {
            let (trials, are) = match self.dropped {
                1 => ("trial", "is"),
                _ => ("trials", "are"),
            };
            parts.push(format!(
                "{} failed {trials} of other seeds {are} left out of the plan",
                self.dropped
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Claim {
    /// Whether a trial with these params is one that the claim compares.
    fn concerns(&self, params: &Params) -> bool {
        match &self.expect {
            Expect::Ordering { param, values, .. } => {
                let along = |own| values.iter().any(|value| value.same(own));
                self.selects(params) && params.get(param).is_some_and(along)
            }
            _ => {
                let other = self.other();
                self.selects(params) || other.is_some_and(|other| params.contain(&other))
            }
        }
    }
}
