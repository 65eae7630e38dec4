//! Verdicts on published claims as plain rows, for pages and for the command.

use retrial_core::claim::{Claim, Evidence, Expect, Origin, Tally, Verdict};
use serde::Serialize;

use crate::load::Experiment;

/// What our trials say of one claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimRow {
    /// Study.
    pub study: String,
    /// Experiment.
    pub experiment: String,
    /// The claim's id.
    pub id: String,
    /// Where it was published.
    pub source: String,
    /// Whose statement it is.
    pub origin: Origin,
    /// The metric it speaks of.
    pub metric: String,
    /// Unit of the published value; empty where it has none or the claim states no value.
    pub unit: String,
    /// The params that select its trials, `name=value` pairs.
    pub selection: String,
    /// The published value in words.
    pub published: String,
    /// Our value, where the claim is about one.
    pub ours: Option<Ours>,
    /// What became of the trials it speaks of.
    pub trials: Tally,
    /// The verdict.
    pub verdict: Verdict,
    /// Its reason in words.
    pub reason: String,
    /// A remark of the spec.
    pub note: Option<String>,
    /// Whether the claim was changed after one of its trials was recorded.
    pub edited: bool,
}

/// Our value of a claim's metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ours {
    /// Mean over trials.
    pub mean: f64,
    /// 95 % interval of the mean; none for a single trial or a deterministic study.
    pub ci95: Option<(f64, f64)>,
    /// Number of trials with a finite value.
    pub n: usize,
    /// Number of trials that were planned.
    pub planned: usize,
}

/// Verdicts on all claims, in the order of experiments and specs.
#[must_use]
pub fn verdicts(experiments: &[Experiment]) -> Vec<ClaimRow> {
    experiments.iter().flat_map(rows).collect()
}

/// Verdicts on the claims of one experiment.
pub(crate) fn rows(experiment: &Experiment) -> Vec<ClaimRow> {
    let sheet = &experiment.sheet;
    let planned = experiment.planned();
    let evidence = Evidence {
        planned: &planned,
        finished: &experiment.finished,
        attempts: &experiment.attempts,
        deterministic: sheet.deterministic,
    };
    let row = |claim: &Claim| {
        let judged = claim.judge(&evidence);
        let has_value = !matches!(
            claim.expect,
            Expect::Ordering { .. } | Expect::NotTestable(_)
        );
        let unit = (sheet.metrics.iter())
            .find(|q| has_value && q.name == claim.metric)
            .map_or(String::new(), |q| q.unit.clone());
        ClaimRow {
            study: sheet.study.clone(),
            experiment: sheet.experiment.clone(),
            id: claim.id.clone(),
            source: claim.source.clone(),
            origin: claim.origin,
            metric: claim.metric.clone(),
            unit,
            selection: claim.selection.summary(),
            published: claim.published(),
            ours: judged.ours.map(|ours| Ours {
                mean: ours.mean,
                ci95: Some(ours.ci95).filter(|(low, _)| !sheet.deterministic && low.is_finite()),
                n: ours.n,
                planned: judged.planned,
            }),
            trials: judged.tally,
            verdict: judged.verdict,
            reason: judged.reason,
            note: claim.note.clone(),
            edited: judged.edited,
        }
    };
    sheet.claims.iter().map(row).collect()
}

impl ClaimRow {
    /// The verdict in words.
    #[must_use]
    pub fn label(&self) -> &'static str {
        self.verdict.label(self.origin)
    }
}

impl Ours {
    /// `0.01234 [0.01201, 0.01267], n = 5`.
    #[must_use]
    pub fn text(&self) -> String {
        use crate::number::plain;
        let mut text = plain(self.mean);
        if let Some((low, high)) = self.ci95 {
            text.push_str(&format!(" [{}, {}]", plain(low), plain(high)));
        }
        if let Some(count) = self.count() {
            text.push_str(&format!(", n = {count}"));
        }
        text
    }

    /// `5`, or `3 of 10` where planned trials are missing; nothing for a single planned trial.
    #[must_use]
    pub fn count(&self) -> Option<String> {
        match (self.n, self.planned) {
            (n, planned) if n < planned => Some(format!("{n} of {planned}")),
            (1, _) => None,
            (n, _) => Some(n.to_string()),
        }
    }
}
