//! How trials are judged by a claim.
//!
//! # Rules
//! A *deterministic* study has no spread over seeds, so its one value is compared directly. For a
//! study with randomness every verdict is a statement about the mean over seeds at level 0.05,
//! and fewer than [`MIN_SEEDS`] seeds are underpowered:
//!
//! - `value` with a tolerance: an equivalence test. *Reproduced* when the 90 % interval of the
//!   mean lies inside the tolerance (two one-sided tests), *not reproduced* when the 95 %
//!   interval lies outside, *underpowered* between.
//! - `at_least`, `at_most`: one-sided 95 % bounds.
//! - `exceeds`: the metric is more than `by` above that of another point; a one-sided 95 % bound of
//!   the difference of paired seeds.
//! - `within_ci`: the published value lies in our 95 % interval.
//! - `ordering`: the metric rises or falls strictly with a param; each neighbouring pair is
//!   compared by the 95 % interval of the difference of paired seeds.
//!
//! Whatever the survivors say, a claim with a planned trial that has not finished is
//! *underpowered*, and a finished trial without a finite value counts against it: a trial that
//! was killed or diverged is seldom one like the others. So is one that failed and whose seed was
//! then left out of the plan: it bars *reproduced*.
//!
//! # Source
//! Schuirmann 1987, doi:10.1007/BF01068419 (two one-sided tests).

use super::Judgement;
use super::{Claim, Evidence, Expect, MIN_SEEDS, Tally, Verdict, short};
use crate::experiment::Planned;
use crate::params::ParamValue;
use crate::record::Record;
use crate::statistics::{Summary, half_width, mean, standard_deviation, summarise};

impl Claim {
    /// The verdict of the trials of an experiment on this claim.
    #[must_use]
    pub fn judge(&self, evidence: &Evidence<'_>) -> Judgement {
        let deterministic = evidence.deterministic;
        let finished =
            || (evidence.finished.iter()).filter(|r| r.is_finished() && self.selects(&r.params));
        let chosen: Vec<&Record> = finished()
            .filter(|r| r.metric(&self.metric).is_some_and(f64::is_finite))
            .collect();
        let hash = self.hash();
        let edited = chosen
            .iter()
            .any(|r| r.claims.get(&self.id).is_some_and(|h| *h != hash));
        let values: Vec<f64> = chosen
            .iter()
            .filter_map(|r| r.metric(&self.metric))
            .collect();
        let ours = summarise(&values);
        let (verdict, reason) = match (&self.expect, ours) {
            (Expect::NotTestable(reason), _) => (Verdict::NotTestable, reason.clone()),
            (_, None) if finished().next().is_some() => (
                Verdict::NotTestable,
                "the metric of the finished trials is not a finite number".to_owned(),
            ),
            (_, None) => (
                Verdict::NotTestable,
                "no finished trial is recorded".to_owned(),
            ),
            (
                Expect::Ordering {
                    param,
                    values,
                    rising,
                },
                _,
            ) => self.judge_ordering(&chosen, param, values, *rising, deterministic),
            (Expect::Exceeds { by, .. }, _) => {
                let other = self.other().unwrap_or_default();
                let beside = (evidence.finished.iter())
                    .filter(|r| r.is_finished() && r.params.contain(&other));
                let beside = self.by_seed(beside);
                judge_difference(
                    &self.by_seed(chosen.iter().copied()),
                    &beside,
                    *by,
                    deterministic,
                )
            }
            (_, Some(ours)) if deterministic => self.judge_point(&values, ours),
            (_, Some(ours)) if ours.n < MIN_SEEDS => (
                Verdict::Underpowered,
                format!("{} of at least {MIN_SEEDS} seeds", ours.n),
            ),
            (_, Some(ours)) => self.judge_interval(ours),
        };
        let tally = Tally::of(self, evidence);
        let verdict = tally.bounds(verdict, deterministic);
        let reason = match tally.shortfall() {
            Some(words) if !matches!(self.expect, Expect::NotTestable(_)) => {
                format!("{words}; {reason}")
            }
            _ => reason,
        };
        let without =
            |expect: &Expect| matches!(expect, Expect::Ordering { .. } | Expect::NotTestable(_));
        let ours = ours.filter(|_| !without(&self.expect));
        let own = |p: &&Planned| p.params.as_ref().is_none_or(|params| self.selects(params));
        Judgement {
            verdict,
            ours,
            planned: evidence.planned.iter().filter(own).count(),
            tally,
            reason,
            edited,
        }
    }

    /// Seeds and finite values of the metric.
    fn by_seed<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Vec<(u64, f64)> {
        records
            .filter_map(|r| Some((r.seed, r.metric(&self.metric)?)))
            .filter(|(_, value)| value.is_finite())
            .collect()
    }

    /// A study without spread: every recorded value must satisfy the claim.
    fn judge_point(&self, values: &[f64], ours: Summary) -> (Verdict, String) {
        let holds = |v: f64| match self.expect {
            Expect::Value { value, tolerance } => (v - value).abs() <= tolerance,
            Expect::AtLeast(bound) => v >= bound,
            Expect::AtMost(bound) => v <= bound,
            // Without spread the interval is the value itself, compared to six digits.
            Expect::WithinCi(value) => (v - value).abs() <= 1e-6 * value.abs(),
            Expect::Ordering { .. } | Expect::Exceeds { .. } | Expect::NotTestable(_) => false,
        };
        let reason = match self.expect {
            Expect::Value { value, .. } if value != 0.0 => {
                let percent = 100.0 * (ours.mean - value) / value.abs();
                if percent.abs() < 0.005 {
                    "equal to the claimed value within 0.005 %".to_owned()
                } else {
                    let side = if percent < 0.0 { "below" } else { "above" };
                    format!("{:.2} % {side} the claimed value", percent.abs())
                }
            }
            _ => format!("measured {}", short(ours.mean)),
        };
        if values.iter().all(|&v| holds(v)) {
            (Verdict::Reproduced, reason)
        } else {
            (Verdict::NotReproduced, reason)
        }
    }

    fn judge_interval(&self, ours: Summary) -> (Verdict, String) {
        let half90 = half_width(ours.n, ours.sd, 0.95);
        let (low90, high90) = (ours.mean - half90, ours.mean + half90);
        let (low95, high95) = ours.ci95;
        let (holds, fails) = match self.expect {
            Expect::Value { value, tolerance } => {
                let (low, high) = (value - tolerance, value + tolerance);
                (low90 >= low && high90 <= high, high95 < low || low95 > high)
            }
            Expect::AtLeast(bound) => (low90 >= bound, high90 < bound),
            Expect::AtMost(bound) => (high90 <= bound, low90 > bound),
            Expect::WithinCi(value) => {
                let inside = (low95..=high95).contains(&value);
                (inside, !inside)
            }
            Expect::Ordering { .. } | Expect::Exceeds { .. } | Expect::NotTestable(_) => {
                (false, false)
            }
        };
        // What the verdict was decided on.
        let reason = match self.expect {
            Expect::AtLeast(_) | Expect::AtMost(_) => one_sided(low90, high90),
            Expect::Value { .. } if holds => {
                format!("90 % interval {} … {}", short(low90), short(high90))
            }
            _ => format!("95 % interval {} … {}", short(low95), short(high95)),
        };
        match (holds, fails) {
            (true, _) => (Verdict::Reproduced, reason),
            (_, true) => (Verdict::NotReproduced, reason),
            _ => (Verdict::Underpowered, reason),
        }
    }

    fn judge_ordering(
        &self,
        chosen: &[&Record],
        param: &str,
        order: &[ParamValue],
        rising: bool,
        deterministic: bool,
    ) -> (Verdict, String) {
        let at = |value: &ParamValue| -> Vec<(u64, f64)> {
            let there = |r: &&Record| r.params.get(param).is_some_and(|v| v.same(value));
            self.by_seed(chosen.iter().copied().filter(there))
        };
        let mut verdict = Verdict::Reproduced;
        let mut means = Vec::new();
        let mut fewest = usize::MAX;
        for pair in order.windows(2) {
            let (lower, upper) = (at(&pair[0]), at(&pair[1]));
            let missing = [(&lower, &pair[0]), (&upper, &pair[1])]
                .into_iter()
                .find(|(found, _)| found.is_empty());
            if let Some((_, value)) = missing {
                let reason = format!("no finished trial at {param} = {value}");
                return (Verdict::NotTestable, reason);
            }
            let sign = if rising { 1.0 } else { -1.0 };
            let differences: Vec<f64> = (paired(&upper, &lower).into_iter())
                .map(|difference| sign * difference)
                .collect();
            fewest = fewest.min(differences.len());
            if means.is_empty() {
                means.push(mean_of(&lower));
            }
            means.push(mean_of(&upper));
            let step = if deterministic {
                if differences.iter().all(|&d| d > 0.0) && !differences.is_empty() {
                    Verdict::Reproduced
                } else {
                    Verdict::NotReproduced
                }
            } else if differences.len() < MIN_SEEDS {
                Verdict::Underpowered
            } else {
                let centre = mean(&differences);
                let half = half_width(differences.len(), standard_deviation(&differences), 0.975);
                if centre - half > 0.0 {
                    Verdict::Reproduced
                } else if centre + half < 0.0 {
                    Verdict::NotReproduced
                } else {
                    Verdict::Underpowered
                }
            };
            verdict = worse(verdict, step);
        }
        let means: Vec<String> = means.into_iter().map(short).collect();
        let mut reason = format!("measured {}", means.join(" → "));
        if fewest < MIN_SEEDS && !deterministic {
            reason.push_str(&format!("; {fewest} of at least {MIN_SEEDS} paired seeds"));
        }
        (verdict, reason)
    }
}

/// Differences `a - b` of the seeds that both have.
fn paired(a: &[(u64, f64)], b: &[(u64, f64)]) -> Vec<f64> {
    a.iter()
        .filter_map(|(seed, a)| {
            let (_, b) = b.iter().find(|(other, _)| other == seed)?;
            Some(a - b)
        })
        .collect()
}

fn judge_difference(
    ours: &[(u64, f64)],
    beside: &[(u64, f64)],
    by: f64,
    deterministic: bool,
) -> (Verdict, String) {
    let differences = paired(ours, beside);
    if differences.is_empty() {
        let reason = "no finished trial of the other point has the same seed".to_owned();
        return (Verdict::NotTestable, reason);
    }
    let centre = mean(&differences);
    let measured = format!(
        "{} beside {}, difference {}",
        short(mean_of(ours)),
        short(mean_of(beside)),
        short(centre)
    );
    if deterministic {
        let verdict = if differences.iter().all(|&d| d > by) {
            Verdict::Reproduced
        } else {
            Verdict::NotReproduced
        };
        return (verdict, measured);
    }
    if differences.len() < MIN_SEEDS {
        let n = differences.len();
        let reason = format!("{measured}; {n} of at least {MIN_SEEDS} paired seeds");
        return (Verdict::Underpowered, reason);
    }
    let half = half_width(differences.len(), standard_deviation(&differences), 0.95);
    let (low, high) = (centre - half, centre + half);
    let verdict = if low > by {
        Verdict::Reproduced
    } else if high <= by {
        Verdict::NotReproduced
    } else {
        Verdict::Underpowered
    };
    (verdict, format!("{measured}; {}", one_sided(low, high)))
}

fn one_sided(low: f64, high: f64) -> String {
    format!("one-sided 95 % bounds {} and {}", short(low), short(high))
}

fn mean_of(values: &[(u64, f64)]) -> f64 {
    values.iter().map(|(_, v)| v).sum::<f64>() / values.len() as f64
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    let rank = |v| match v {
        Verdict::Reproduced => 0,
        Verdict::Underpowered => 1,
        Verdict::NotReproduced => 2,
        Verdict::NotTestable => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::claim::Origin;
    use crate::params::Params;
    use crate::record::{Outcome, Provenance};

    fn record(order: i64, seed: u64, rmse: f64) -> Record {
        Record {
            format: 1,
            migrated_from: None,
            trial: format!("order-{order}-s{seed}"),
            study: "dic".to_owned(),
            revision: 1,
            experiment: "e".to_owned(),
            point: Params::default(),
            params: [("order".to_owned(), ParamValue::Int(order))]
                .into_iter()
                .collect(),
            set: None,
            amendments: Vec::new(),
            seed,
            device: "cpu".to_owned(),
            dataset: None,
            outcome: Outcome::Finished,
            attempt: 1,
            metrics: [("rmse".to_owned(), rmse)].into_iter().collect(),
            stages: Vec::new(),
            artifacts: Vec::new(),
            content: String::new(),
            census: crate::census::Census::default(),
            claims: BTreeMap::new(),
            provenance: Provenance {
                version: String::new(),
                source_revision: None,
                source_dirty: None,
                build: None,
                project: None,
                lock_file: String::new(),
                host: String::new(),
                system: String::new(),
                cpu: String::new(),
                cpu_features: Vec::new(),
                threads: 1,
                device: "flex".to_owned(),
                started: String::new(),
                duration_s: 0.0,
                cpu_s: 0.0,
                peak_memory_mib: 0.0,
            },
            files: BTreeMap::new(),
            seal: String::new(),
        }
    }

    fn claim(expect: Expect) -> Claim {
        Claim {
            id: "c".to_owned(),
            source: "Table 1".to_owned(),
            origin: Origin::Publication,
            metric: "rmse".to_owned(),
            selection: Params::default(),
            expect,
            note: None,
        }
    }

    impl Claim {
        /// The verdict where just these trials were planned.
        fn judged(&self, finished: &[Record], deterministic: bool) -> Judgement {
            let planned: Vec<Planned> = finished.iter().map(planned).collect();
            self.judge(&Evidence {
                planned: &planned,
                finished,
                earlier: &[],
                attempts: &[],
                deterministic,
            })
        }
    }

    fn planned(record: &Record) -> Planned {
        Planned {
            trial: record.trial.clone(),
            seed: Some(record.seed),
            params: Some(record.params.clone()),
        }
    }

    fn seeds(values: &[f64]) -> Vec<Record> {
        (0_u64..)
            .zip(values)
            .map(|(seed, &v)| record(1, seed, v))
            .collect()
    }

    #[test]
    fn a_deterministic_value_is_compared_directly() {
        let claim = claim(Expect::Value {
            value: 0.0047,
            tolerance: 0.0001,
        });
        let judge = |v| claim.judged(&seeds(&[v]), true).verdict;
        assert_eq!(judge(0.00475), Verdict::Reproduced);
        assert_eq!(judge(0.0049), Verdict::NotReproduced);
        assert_eq!(claim.judged(&[], true).verdict, Verdict::NotTestable);
    }

    #[test]
    fn a_reason_says_how_far_the_claimed_value_is() {
        let value = claim(Expect::Value {
            value: 1.0,
            tolerance: 0.1,
        });
        let reason = |ours| value.judged(&seeds(&[ours]), true).reason;
        assert_eq!(reason(1.05), "5.00 % above the claimed value");
        assert_eq!(reason(1.0), "equal to the claimed value within 0.005 %");
    }

    #[test]
    fn a_claim_that_cannot_be_tested_has_no_value_of_ours() {
        let records = seeds(&[0.5]);
        let ours = |expect| claim(expect).judged(&records, true).ours;
        assert!(ours(Expect::AtLeast(0.1)).is_some());
        assert!(ours(Expect::NotTestable("never released".to_owned())).is_none());
    }

    #[test]
    fn a_margin_says_on_which_side_it_lies() {
        let than: Params = [("order".to_owned(), ParamValue::Int(2))]
            .into_iter()
            .collect();
        let text = |by, unit| {
            let than = than.clone();
            claim(Expect::Exceeds { than, by }).published(unit)
        };
        assert_eq!(text(-4e-5, "px"), "at most 0.00004 px below order=2");
        assert_eq!(text(0.02, "px"), "0.02 px above order=2");
        assert_eq!(text(0.02, ""), "0.02 above order=2");
        assert_eq!(text(0.0, "px"), "above order=2");
        assert_eq!(claim(Expect::AtMost(0.5)).published("px"), "≤ 0.5 px");
    }

    #[test]
    fn equivalence_needs_enough_seeds_and_a_narrow_interval() {
        let claim = claim(Expect::Value {
            value: 1.0,
            tolerance: 0.1,
        });
        let judge = |v: &[f64]| claim.judged(&seeds(v), false).verdict;
        assert_eq!(judge(&[1.0, 1.0]), Verdict::Underpowered);
        assert_eq!(judge(&[1.00, 1.01, 0.99]), Verdict::Reproduced);
        assert_eq!(judge(&[0.8, 1.0, 1.2]), Verdict::Underpowered);
        assert_eq!(judge(&[1.50, 1.51, 1.49]), Verdict::NotReproduced);
    }

    #[test]
    fn one_sided_bounds() {
        let claim = claim(Expect::AtLeast(0.5));
        let judge = |v: &[f64]| claim.judged(&seeds(v), false).verdict;
        assert_eq!(judge(&[0.60, 0.61, 0.62]), Verdict::Reproduced);
        assert_eq!(judge(&[0.40, 0.41, 0.42]), Verdict::NotReproduced);
        assert_eq!(judge(&[0.45, 0.50, 0.55]), Verdict::Underpowered);
    }

    #[test]
    fn an_ordering_compares_neighbours() {
        let claim = claim(Expect::Ordering {
            param: "order".to_owned(),
            values: [0, 1, 2].map(ParamValue::Int).to_vec(),
            rising: true,
        });
        let trials = [record(0, 0, 1.0), record(1, 0, 2.0), record(2, 0, 3.0)];
        assert_eq!(claim.judged(&trials, true).verdict, Verdict::Reproduced);
        let trials = [record(0, 0, 1.0), record(1, 0, 2.0), record(2, 0, 1.5)];
        assert_eq!(claim.judged(&trials, true).verdict, Verdict::NotReproduced);
        assert_eq!(
            claim.judged(&trials[..2], true).verdict,
            Verdict::NotTestable
        );
    }

    #[test]
    fn one_point_exceeds_another_by_paired_seeds() {
        let than = |order| {
            [("order".to_owned(), ParamValue::Int(order))]
                .into_iter()
                .collect()
        };
        let exceeds = |by| Claim {
            selection: than(1),
            ..claim(Expect::Exceeds { than: than(2), by })
        };
        // The seeds differ far more than the points do.
        let trials = [
            record(1, 0, 1.5),
            record(1, 1, 2.52),
            record(1, 2, 3.51),
            record(2, 0, 1.0),
            record(2, 1, 2.0),
            record(2, 2, 3.0),
        ];
        let judge = |by: f64, n: usize| exceeds(by).judged(&trials[..n], false);
        assert_eq!(judge(0.45, 6).verdict, Verdict::Reproduced);
        assert_eq!(judge(0.51, 6).verdict, Verdict::Underpowered);
        assert_eq!(judge(0.6, 6).verdict, Verdict::NotReproduced);
        assert_eq!(judge(0.45, 5).verdict, Verdict::Underpowered);
        assert_eq!(judge(0.45, 3).verdict, Verdict::NotTestable);
        // t(2, 0.95) = 2.920 and a standard deviation of 0.01: 0.51 ∓ 0.0169.
        assert_eq!(
            judge(0.0, 6).reason,
            "2.51 beside 2, difference 0.51; one-sided 95 % bounds 0.4931 and 0.5269"
        );
        assert_eq!(judge(0.0, 6).ours.map(|ours| ours.n), Some(3));
        assert_eq!(
            exceeds(0.5).judged(&trials, true).verdict,
            Verdict::NotReproduced
        );
        assert_eq!(
            exceeds(0.45).judged(&trials, true).verdict,
            Verdict::Reproduced
        );
    }

    #[test]
    fn a_reason_shows_the_bound_it_was_decided_on() {
        // t(2, 0.95) = 2.920, t(2, 0.975) = 4.303; sd 0.01.
        let values = seeds(&[0.60, 0.61, 0.62]);
        let reason = |expect| claim(expect).judged(&values, false).reason;
        assert_eq!(
            reason(Expect::AtLeast(0.5)),
            "one-sided 95 % bounds 0.5931 and 0.6269"
        );
        assert_eq!(
            reason(Expect::WithinCi(0.61)),
            "95 % interval 0.5852 … 0.6348"
        );
        let value = |tolerance| Expect::Value {
            value: 0.61,
            tolerance,
        };
        assert_eq!(reason(value(0.02)), "90 % interval 0.5931 … 0.6269");
        assert_eq!(reason(value(0.01)), "95 % interval 0.5852 … 0.6348");
    }

    /// Judges `finished` where `all` were planned and `attempts` failed.
    fn of(claim: &Claim, all: &[Record], finished: &[Record], attempts: &[Record]) -> Judgement {
        let planned: Vec<Planned> = all.iter().map(planned).collect();
        claim.judge(&Evidence {
            planned: &planned,
            finished,
            earlier: &[],
            attempts,
            deterministic: false,
        })
    }

    #[test]
    fn survivors_alone_reproduce_nothing() {
        let all = seeds(&[1.0, 1.01, 0.99, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let claim = claim(Expect::Value {
            value: 1.0,
            tolerance: 0.1,
        });
        assert_eq!(of(&claim, &all, &all, &[]).verdict, Verdict::Reproduced);
        // Seven of ten seeds were killed.
        let killed = of(&claim, &all, &all[..3], &all[3..]);
        assert_eq!(killed.verdict, Verdict::Underpowered);
        assert_eq!(
            (killed.ours.map(|ours| ours.n), killed.planned),
            (Some(3), 10)
        );
        assert_eq!(
            killed.reason,
            "3 of 10 planned trials finished, 7 failed; 90 % interval 0.9831 … 1.017"
        );
        // One was not begun, and values far off say no more about it.
        let far = seeds(&[1.5, 1.51, 1.49, 1.5]);
        let begun = of(&claim, &far, &far[..3], &[]);
        assert_eq!(begun.verdict, Verdict::Underpowered);
        assert!(begun.reason.starts_with("3 of 4 planned trials finished; "));
    }

    #[test]
    fn a_failed_seed_that_left_the_plan_bars_reproduced() {
        let all = seeds(&[1.0, 1.01, 0.99, 1.0, 1.0]);
        let claim = claim(Expect::Value {
            value: 1.0,
            tolerance: 0.1,
        });
        let dropped = of(&claim, &all[..4], &all[..4], &all[4..]);
        assert_eq!(dropped.verdict, Verdict::Underpowered);
        assert_eq!(
            dropped.reason,
            "1 failed trial of other seeds is left out of the plan; 90 % interval 0.9904 … 1.01"
        );
        // Another revision, other params, and a seed that is planned say nothing of these trials.
        let mut others = [all[4].clone(), record(2, 4, 1.0), all[3].clone()];
        others[0].revision += 1;
        others[2].trial = "earlier".to_owned();
        let judged = of(&claim, &all[..4], &all[..4], &others);
        assert_eq!(judged.verdict, Verdict::Reproduced, "{}", judged.reason);
    }

    #[test]
    fn values_that_are_not_finite_count_against_a_claim() {
        let nan = f64::NAN;
        let all = seeds(&[0.60, nan, 0.61, f64::INFINITY, 0.62, nan]);
        let claim = claim(Expect::AtLeast(0.5));
        let judged = claim.judged(&all, false);
        assert_eq!(judged.verdict, Verdict::Underpowered);
        assert_eq!(judged.tally.not_finite, 3);
        assert!(
            judged
                .reason
                .starts_with("3 of 6 finished trials have no finite value; "),
            "{}",
            judged.reason
        );
        assert_eq!(claim.judged(&all, true).verdict, Verdict::NotReproduced);
        let low = seeds(&[0.40, nan, 0.41, 0.42]);
        assert_eq!(claim.judged(&low, false).verdict, Verdict::NotReproduced);
    }

    #[test]
    fn pairs_and_orders_need_all_their_trials() {
        let all = [
            record(1, 0, 1.5),
            record(1, 1, 2.52),
            record(1, 2, 3.51),
            record(1, 3, 4.5),
            record(2, 0, 1.0),
            record(2, 1, 2.0),
            record(2, 2, 3.0),
            record(2, 3, 4.0),
        ];
        let at = |order| -> Params {
            [("order".to_owned(), ParamValue::Int(order))]
                .into_iter()
                .collect()
        };
        let exceeds = Claim {
            selection: at(1),
            ..claim(Expect::Exceeds {
                than: at(2),
                by: 0.0,
            })
        };
        let falls = claim(Expect::Ordering {
            param: "order".to_owned(),
            values: vec![ParamValue::Int(1), ParamValue::Int(2)],
            rising: false,
        });
        for claim in [&exceeds, &falls] {
            assert_eq!(of(claim, &all, &all, &[]).verdict, Verdict::Reproduced);
            // A seed of the *other* point is missing, or has no value.
            let short = of(claim, &all, &all[..7], &all[7..]);
            assert_eq!(short.verdict, Verdict::Underpowered);
            assert_eq!(short.tally.failed, 1);
            let mut diverged = all.to_vec();
            diverged[7].metrics.set("rmse", f64::NAN);
            assert_eq!(
                of(claim, &all, &diverged, &[]).verdict,
                Verdict::Underpowered
            );
        }
        // A trial at a value that the claim does not name is none of its own.
        let mut more = all.to_vec();
        more.push(record(3, 0, 9.0));
        assert_eq!(of(&falls, &more, &all, &[]).verdict, Verdict::Reproduced);
    }

    #[test]
    fn an_edited_claim_shows() {
        let mut trials = seeds(&[0.5]);
        trials[0]
            .claims
            .insert("c".to_owned(), "another".to_owned());
        assert!(claim(Expect::AtLeast(0.1)).judged(&trials, true).edited);
    }

    #[test]
    fn a_tolerance_has_two_digits() {
        for (tolerance, text) in [
            (0.000_141_63, "0.0047 ± 0.00014"),
            (7.062e-5, "0.0047 ± 0.000071"),
            (0.9, "0.0047 ± 0.90"),
            (4300.0, "0.0047 ± 4300"),
            (0.0, "0.0047 ± 0"),
        ] {
            let expect = Expect::Value {
                value: 0.0047,
                tolerance,
            };
            assert_eq!(claim(expect).published(""), text);
        }
    }

    #[test]
    fn short_numbers() {
        for (value, text) in [
            (0.004721, "0.004721"),
            (0.5, "0.5"),
            (430_000.0, "430000"),
            (1.5e-7, "1.500e-7"),
            (30.28, "30.28"),
            (-2.0, "-2"),
            (0.0, "0"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
