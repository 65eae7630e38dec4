//! What an id depends on, and what it does not.

use super::tests::{GOOD, STUDY, check_of, check_text, datasets};
use super::*;
use crate::metric::MetricDef;
use crate::params::{DefaultValue, Param, ParamKind, ParamValue};
use crate::plan;
use crate::study::{Amendment, DatasetInfo, DeviceUse, StudyInfo};

#[test]
fn ids_hold_what_decides_and_nothing_else() {
    let spec = check_text(GOOD, &[]).expect("valid");
    let id = |spec: &Spec, datasets: &[DatasetInfo], device: &str, study: &StudyInfo| {
        plan::trials(spec, study, datasets, device)[0].id.clone()
    };
    let base = id(&spec, &datasets(), "cpu", &STUDY);
    // A golden id: a change here silently orphans every recorded trial.
    assert_eq!(base, "subset_size_px-21_order-0-s0-992c4b7d79dd");
    let mut renamed = datasets();
    renamed[0].content = "blake3:other".to_owned();
    assert_ne!(base, id(&spec, &renamed, "cpu", &STUDY));
    assert_ne!(base, id(&spec, &datasets(), "cuda", &STUDY));
    assert_ne!(
        id(&spec, &datasets(), "cuda", &STUDY),
        id(&spec, &datasets(), "2 x cuda", &STUDY)
    );
    // What does not use the device is the same trial on all of them.
    let on_cpu = StudyInfo {
        devices: DeviceUse::Cpu,
        ..STUDY
    };
    assert_eq!(base, id(&spec, &datasets(), "cuda", &on_cpu));
    let mut plain = spec.clone();
    plain
        .params
        .set("method", ParamValue::Text("plain".to_owned()));
    let on = |device| id(&plain, &datasets(), device, &STUDY);
    assert_eq!(on("cuda"), on("cpu"));
    let revised = StudyInfo {
        revision: 2,
        ..STUDY
    };
    assert_ne!(base, id(&spec, &datasets(), "cpu", &revised));
    const AMENDMENTS: &[Amendment] = &[Amendment {
        id: "whole-pixels",
        what: "order 0 uses whole pixels",
        param: "order",
        value: DefaultValue::Int(0),
        stages: &[],
    }];
    let amended = StudyInfo {
        amendments: AMENDMENTS,
        ..STUDY
    };
    let ids = |study: &StudyInfo| -> Vec<String> {
        let all = plan::trials(&spec, study, &datasets(), "cpu");
        all.into_iter().map(|trial| trial.id).collect()
    };
    for (own, before) in ids(&amended).iter().zip(ids(&STUDY)) {
        // Only trials of that value are others now.
        assert_eq!(*own != before, own.contains("order-0"), "{own}");
    }
    // A new param at its default changes no id, and neither does a new metric or another order.
    const NEW: Param = Param {
        name: "added",
        kind: ParamKind::Bool,
        default: DefaultValue::Bool(false),
        unit: "",
        doc: "Something that was not there before.",
        was: &[],
    };
    let mut params = vec![NEW];
    params.extend(STUDY.params.iter().rev());
    let metric = MetricDef {
        name: "added",
        ..STUDY.metrics[0]
    };
    let mut metrics = vec![metric];
    metrics.extend(STUDY.metrics);
    let grown = StudyInfo {
        params: params.leak(),
        metrics: metrics.leak(),
        ..STUDY
    };
    let again = check_of(&grown, GOOD, &[]).expect("valid");
    assert_eq!(again.params.len(), 4);
    assert_eq!(base, id(&again, &datasets(), "cpu", &grown));
    let with = check_of(&grown, &GOOD.replace("1e-4}", "1e-4, added: true}"), &[]).expect("valid");
    assert_ne!(base, id(&with, &datasets(), "cpu", &grown));
    let other = check_text(&GOOD.replace("1e-4", "1e-5"), &[]).expect("valid");
    assert_ne!(base, id(&other, &datasets(), "cpu", &STUDY));
    let reworded = check_text(&GOOD.replace("How much?", "Why?"), &[]).expect("valid");
    assert_eq!(base, id(&reworded, &datasets(), "cpu", &STUDY));
}
