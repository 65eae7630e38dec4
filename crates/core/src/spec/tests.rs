//! Specs as a person writes them, right and wrong.

use std::path::Path;

use super::*;
use crate::claim::Origin;
use crate::fault::Fault;
use crate::keys::Kind;
use crate::metric::{ColumnDef, Direction, MetricDef, TableDef};
use crate::params::{DefaultValue, Param, ParamKind, ParamValue};
use crate::plan;
use crate::study::{Conflict, DatasetInfo, StudyInfo};

pub(super) const STUDY: StudyInfo = StudyInfo {
    name: "dic",
    revision: 1,
    amendments: &[],
    work: "A work",
    deterministic: true,
    uses_device: true,
    cpu_methods: &["plain"],
    content_kinds: &["image series"],
    params: &[
        Param {
            name: "subset_size_px",
            kind: ParamKind::OddInt { min: 5, max: 301 },
            default: DefaultValue::Int(41),
            unit: "px",
            was: &[],
            doc: "Width of the subset.",
        },
        Param {
            name: "order",
            kind: ParamKind::Int { min: 0, max: 2 },
            default: DefaultValue::Int(1),
            unit: "",
            was: &["shape_order"],
            doc: "Order of the shape function.",
        },
        Param {
            name: "stop",
            kind: ParamKind::Float {
                min: 1e-9,
                max: 1.0,
            },
            default: DefaultValue::Float(1e-3),
            unit: "px",
            was: &["stop_value"],
            doc: "Stop value.",
        },
    ],
    metrics: &[MetricDef {
        name: "rmse",
        unit: "px",
        direction: Direction::Lower,
        repeatable: true,
        was: &["error"],
        doc: "Error.",
    }],
    tables: &[TableDef {
        name: "images",
        columns: &[ColumnDef {
            name: "imposed_u",
            unit: "px",
            was: &["true_u"],
            doc: "Imposed displacement.",
        }],
        was: &["frames"],
        doc: "One row an image.",
    }],
    files: &[],
    conflicts: |params| match (params.get("order"), params.get("subset_size_px")) {
        (Some(ParamValue::Int(2)), Some(ParamValue::Int(5))) => vec![Conflict {
            param: "order",
            message: "order 2 needs a subset above 5 px".to_owned(),
        }],
        _ => Vec::new(),
    },
};

/// Three kinds of figure.
pub(super) const FIGURES: &[Kind] = &[
    Kind {
        word: "line",
        doc: "Lines.",
        needs: &["x", "y"],
        takes: &[
            "table",
            "band",
            "x_scale",
            "y_scale",
            "reference",
            "join",
            "lines.x",
            "lines.y",
            "lines.slope",
            "lines.x_metric",
            "diagonal",
            "labels",
        ],
    },
    Kind {
        word: "bar",
        doc: "Bars.",
        needs: &["x", "y"],
        takes: &["table", "band", "y_scale", "lines.y"],
    },
    Kind {
        word: "heat",
        doc: "A field.",
        needs: &["table", "x", "y", "value"],
        takes: &[],
    },
];

pub(super) const GOOD: &str = "\
format: 1
study: dic
question: How much?
dataset: speckle
seeds: [0, 1]
params: {stop: 1e-4}
sweep:
  subset_size_px: [21, 41]
  order: [0, 1, 2]
claims:
  - id: a
    source: Table 1
    metric: rmse
    where: {subset_size_px: 41, order: 1}
    expect: {value: 0.0047, rel: 0.03}
  - id: rising
    source: text
    metric: rmse
    where: {subset_size_px: 41}
    expect: {ordering: {param: order, values: [0, 1, 2], direction: rising}}
report:
  table: {rows: [subset_size_px, order], values: [rmse]}
  figures:
    - {kind: line, x: subset_size_px, y: rmse, series: order, y_scale: log}
";

pub(super) fn datasets() -> Vec<DatasetInfo> {
    let set = |name: &str, kind: &str| DatasetInfo {
        name: name.to_owned(),
        content_kind: kind.to_owned(),
        content: format!("blake3:{name}"),
        generated: true,
    };
    vec![set("speckle", "image series"), set("mnist", "digits")]
}

pub(super) fn check_text(text: &str, overrides: &[Override]) -> Result<Spec, Vec<Fault>> {
    check_of(&STUDY, text, overrides)
}

pub(super) fn check_of(
    study: &StudyInfo,
    text: &str,
    overrides: &[Override],
) -> Result<Spec, Vec<Fault>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subset-size.yaml");
    std::fs::write(&path, text).expect("written");
    let study: &'static StudyInfo = Box::leak(Box::new(*study));
    let spec = check(
        &read(&path, overrides, Path::new(""))?,
        &[study],
        &datasets(),
        FIGURES,
    );
    spec.map_err(|faults| strip(faults, folder.path()))
}

fn strip(mut faults: Vec<Fault>, folder: &Path) -> Vec<Fault> {
    let prefix = format!("{}/", folder.display());
    for fault in &mut faults {
        fault.place.file = fault.place.file.replace(&prefix, "").into();
    }
    faults
}

fn faults_of(text: &str) -> Vec<String> {
    let faults = check_text(text, &[]).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect()
}

fn set(key: &str, value: &str) -> Override {
    Override {
        key: key.to_owned(),
        value: value.to_owned(),
        flag: "--set".to_owned(),
    }
}

#[test]
fn a_good_spec_plans_its_grid_in_written_order() {
    let spec = check_text(GOOD, &[]).expect("valid");
    assert_eq!(spec.name, "subset-size");
    let trials = plan::trials(&spec, &STUDY, &datasets(), "cpu");
    assert_eq!(trials.len(), 12);
    assert!(trials[0].id.starts_with("subset_size_px-21_order-0-s0-"));
    assert!(trials[1].id.starts_with("subset_size_px-21_order-0-s1-"));
    assert!(trials[11].id.starts_with("subset_size_px-41_order-2-s1-"));
    let names: Vec<&str> = trials[0].params.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["dataset", "subset_size_px", "order", "stop"]);
    assert_eq!(trials[0].params.get("stop"), Some(&ParamValue::Float(1e-4)));
}

#[test]
fn old_names_lead_to_the_new_ones() {
    let figure = "kind: line, table: images, x: true_u, y: rmse";
    for (now, before, new) in [
        ("params: {stop:", "params: {stop_value:", "stop"),
        ("  order: [0", "  shape_order: [0", "order"),
        ("metric: rmse", "metric: error", "rmse"),
        ("values: [rmse]", "values: [error]", "rmse"),
        ("kind: line, x", "kind: line, table: frames, x", "images"),
        (
            "kind: line, x: subset_size_px, y: rmse",
            figure,
            "imposed_u",
        ),
    ] {
        let lines = faults_of(&GOOD.replace(now, before));
        let help = format!("; it is called `{new}` now");
        assert!(lines.iter().any(|l| l.ends_with(&help)), "{lines:#?}");
    }
}

#[test]
fn every_fault_comes_at_once_with_its_place() {
    let text = "\
format: 2
study: dic
qestion: How much?
dataset: speckl
seeds: [0, 0, -1]
params: {step: 3, stop: .nan, order: 1}
sweep:
  subset_size_px: [21, 40]
  stop: []
  order: 1
claims:
  - {id: a, source: s, metric: rms, expect: {at_least: 1, at_most: 2}}
report:
  figures: [{kind: lines, x: subset_size_px, y: rmse}]
";
    let lines = faults_of(text);
    let expected = [
        "subset-size.yaml:1:1: question: this key is missing",
        "subset-size.yaml:1:9: format: the whole number `2` is no known format; write 1",
        "subset-size.yaml:3:1: qestion: an unknown key; did you mean `question`?",
        "subset-size.yaml:4:10: dataset: there is no data set `speckl`; did you mean `speckle`?",
        "subset-size.yaml:5:12: seeds[1]: the seed 0 stands there twice",
        "subset-size.yaml:5:15: seeds[2]: expected a whole number of zero or more, found the whole number `-1`",
        "subset-size.yaml:6:10: params.step: the study has no such param; did you mean `stop`?",
        "subset-size.yaml:6:25: params.stop: expected a finite number, found `NaN`",
        "subset-size.yaml:8:24: sweep.subset_size_px: `40` does not fit; expected an odd whole number from 5 to 301",
        "subset-size.yaml:9:9: sweep.stop: an empty sweep plans no trial",
        "subset-size.yaml:10:10: sweep.order: expected what to vary over, found the whole number `1`; write a list, {linspace: {from, to, count}} or {logspace: {from, to, count}}; a fixed value belongs under `params`",
        "subset-size.yaml:12:32: claims[0].metric: the study has no metric `rms`; did you mean `rmse`?",
        "subset-size.yaml:12:45: claims[0].expect: more than one thing is expected; write one of value (with abs or rel), at_least, at_most, within_ci, ordering, exceeds, not_testable",
        "subset-size.yaml:14:20: report.figures[0].kind: `lines` is none of the words known here; write one of line, bar, heat",
    ];
    for line in expected {
        assert!(
            lines.iter().any(|l| l == line),
            "missing: {line}\nin {lines:#?}"
        );
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

#[test]
fn sweeps_in_all_their_forms() {
    let with = |sweep: &str| {
        let text = format!("format: 1\nstudy: dic\nquestion: q\ndataset: speckle\nsweep:\n{sweep}");
        check_text(&text, &[])
    };
    let values = |spec: &Spec, i: usize| -> Vec<String> {
        spec.axes[i]
            .points
            .iter()
            .map(|row| {
                row.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("/")
            })
            .collect()
    };
    let spec = with("  stop: {logspace: {from: 1e-4, to: 1e-2, count: 3}}\n  subset_size_px: {linspace: {from: 11, to: 31, count: 3}}\n").expect("valid");
    assert_eq!(values(&spec, 0)[0], "0.0001");
    assert_eq!(values(&spec, 0)[2], "0.01");
    assert_eq!(values(&spec, 1), ["11", "21", "31"]);
    let spec = with("  zip: {order: [0, 1], subset_size_px: [21, 41]}\n").expect("valid");
    assert_eq!(values(&spec, 0), ["0/21", "1/41"]);
    let spec = with("  points: [{order: 0, subset_size_px: 21}, {subset_size_px: 41, order: 2}]\n")
        .expect("valid");
    assert_eq!(values(&spec, 0), ["0/21", "2/41"]);
    for (sweep, message) in [
        (
            "  zip: {order: [0, 1], subset_size_px: [21]}\n",
            "1 values beside 2 of `order`",
        ),
        (
            "  points: [{order: 0}, {stop: 0.1}]\n",
            "`order` is missing",
        ),
        (
            "  stop: {logspace: {from: 0, to: 1, count: 2}}\n",
            "logarithmic range",
        ),
        (
            "  stop: {linspace: {from: 0.1, to: 1, count: 0}}\n",
            "`0` values",
        ),
        (
            "  subset_size_px: {linspace: {from: 11, to: 12, count: 2}}\n",
            "`12` does not fit",
        ),
        ("  stop: [0.5, 5e-1]\n", "stands there twice"),
        ("  order: [0]\n  zip: {order: [1]}\n", "varied twice"),
        (
            "  order: [2]\n  subset_size_px: [5]\n",
            "order 2 needs a subset above 5 px",
        ),
        ("  dataset: [mnist]\n", "no data set `mnist` for this study"),
        (
            "  stop: {linspace: {from: 0.1, to: 1, count: 1000000}}\n  order: [0, 1, 2]\n",
            "plans 3000000 trials",
        ),
    ] {
        let faults = with(sweep).expect_err(sweep);
        let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(text.join("\n").contains(message), "{sweep}: {text:?}");
    }
}

#[test]
fn claims_must_select_one_planned_point() {
    let none = GOOD.replace(
        "{subset_size_px: 41, order: 1}",
        "{subset_size_px: 43, order: 1}",
    );
    assert!(faults_of(&none)[0].contains("claim `a` selects no planned trial"));
    let many = GOOD.replace("{subset_size_px: 41, order: 1}", "{order: 1}");
    assert!(faults_of(&many)[0].contains("claim `a` selects 2 points or more"));
    let ordering = GOOD.replace("    where: {subset_size_px: 41}\n", "");
    assert!(faults_of(&ordering)[0].contains("claim `rising` selects 2 points or more"));
}

#[test]
fn a_claim_may_compare_two_points() {
    let with = |expect: &str| {
        let claim = format!(
            "claims:\n  - {{id: c, source: s, origin: project, metric: rmse, \
             where: {{subset_size_px: 41, order: 1}}, expect: {{exceeds: {expect}}}}}\n"
        );
        let start = GOOD.find("claims:").expect("claims");
        let end = GOOD.find("report:").unwrap_or(GOOD.len());
        check_text(&format!("{}{claim}{}", &GOOD[..start], &GOOD[end..]), &[])
    };
    let spec = with("{where: {order: 2}, by: 0.5}").expect("valid");
    assert_eq!(spec.claims[0].origin, Origin::Project);
    assert_eq!(spec.claims[0].published("px"), "0.5 px above order=2");
    let faults = with("{where: {subset_size_px: 43}}").expect_err("a fault");
    assert!(
        faults[0]
            .to_string()
            .contains("claim `c` compares with 0 points"),
        "{faults:?}"
    );
    let faults = with("{by: 1}").expect_err("a fault");
    assert!(
        faults[0].to_string().contains("where: this key is missing"),
        "{faults:?}"
    );
}

#[test]
fn changes_from_the_command_line_do_what_they_say() {
    let faults = check_text(GOOD, &[set("params.order", "2")]).expect_err("a fault");
    let text = faults[0].to_string();
    assert!(text.contains("params.order: `order` is swept"), "{text}");
    assert!(text.contains("--set sweep.order=[VALUE]"), "{text}");
    // A claim on a point that is planned no more is left out, the others stay.
    let spec = check_text(GOOD, &[set("sweep.subset_size_px", "[43]")]).expect("valid");
    assert!(spec.claims.iter().all(|claim| claim.id != "a"));
}

#[test]
fn overrides_start_at_the_root_and_name_the_experiment() {
    let spec = check_text(GOOD, &[set("params.stop", "1e-2")]).expect("valid");
    assert_eq!(spec.params.get("stop"), Some(&ParamValue::Float(1e-2)));
    assert!(
        spec.name.starts_with("subset-size+stop-1e-2-"),
        "{}",
        spec.name
    );
    let name = |changes: &[Override]| check_text(GOOD, changes).expect("valid").name;
    let (a, b) = (set("params.stop", "1e-2"), set("seeds", "[3]"));
    assert_eq!(
        name(&[a.clone(), b.clone()]),
        name(&[b, a]),
        "their order says nothing"
    );
    assert_ne!(
        name(&[set("sweep.order", "[0,1]")]),
        name(&[set("sweep.order", "[0, 1]")]),
        "what the words hide, the hash tells apart"
    );
    let faults = check_text(GOOD, &[set("params.stp", "1")]).expect_err("a fault");
    assert_eq!(
        faults[0].to_string(),
        "--set params.stp=1:1:1: params.stp: the study has no such param; did you mean `stop`?"
    );
    let faults = check_text(GOOD, &[set("study.name", "1")]).expect_err("a fault");
    assert!(faults[0].to_string().contains("`study` holds no keys"));
}

#[test]
fn extends_merges_params_and_leaves_statements_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    write("published.yaml", GOOD);
    let child = write(
        "child.yaml",
        "extends: published.yaml\nquestion: And then?\nparams: {order: 2}\nsweep: {subset_size_px: [61]}\n",
    );
    let spec = check(
        &read(&child, &[], Path::new("")).expect("read"),
        &[&STUDY],
        &datasets(),
        FIGURES,
    )
    .expect("valid");
    assert_eq!(spec.params.get("stop"), Some(&ParamValue::Float(1e-4)));
    assert_eq!(spec.params.get("order"), Some(&ParamValue::Int(2)));
    assert_eq!(spec.axes.len(), 1);
    assert!(spec.claims.is_empty() && spec.report.figures.is_empty());
    let a = write("a.yaml", "extends: b.yaml\n");
    write("b.yaml", "extends: a.yaml\n");
    assert!(
        read(&a, &[], Path::new("")).expect_err("a circle")[0]
            .message
            .contains("leads back")
    );
    let list = write("list.yaml", "- 1\n");
    let child_of_list = write("of-list.yaml", "extends: list.yaml\n");
    assert!(list.exists());
    let fault = &read(&child_of_list, &[], Path::new("")).expect_err("a list")[0];
    assert!(
        fault.message.contains("holds a list, not a spec"),
        "{fault}"
    );
    let lost = write("lost.yaml", "extends: nowhere.yaml\n");
    assert!(
        read(&lost, &[], Path::new("")).expect_err("missing")[0]
            .message
            .contains("nowhere.yaml")
    );
    // A fault of an inherited value names the file it stands in.
    write("published.yaml", &GOOD.replace("1e-4", "7"));
    let faults = check(
        &read(&child, &[], Path::new("")).expect("read"),
        &[&STUDY],
        &datasets(),
        FIGURES,
    )
    .expect_err("stop");
    assert!(
        faults[0].place.file.ends_with("published.yaml"),
        "{}",
        faults[0]
    );
}

#[test]
fn files_that_are_no_specs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("big.yaml");
    std::fs::write(&path, vec![b' '; 1024 * 1024 + 1]).expect("written");
    assert!(
        read(&path, &[], Path::new("")).expect_err("too big")[0]
            .message
            .contains("at most 1048576")
    );
    std::fs::write(&path, [b'a', 0xff]).expect("written");
    assert!(
        read(&path, &[], Path::new("")).expect_err("not text")[0]
            .message
            .contains("byte 1 is invalid")
    );
    let odd = folder.path().join("My Spec.yaml");
    std::fs::write(&odd, GOOD).expect("written");
    assert!(
        read(&odd, &[], Path::new("")).expect_err("a name")[0]
            .message
            .contains("no experiment name")
    );
    let missing = folder.path().join("missing.yaml");
    assert!(
        read(&missing, &[], Path::new("")).expect_err("missing")[0]
            .message
            .contains("cannot be read")
    );
}

#[test]
fn the_schema_names_every_param_and_data_set() {
    let schema = schema(&[&STUDY], &datasets(), FIGURES);
    let then = &schema["allOf"][0]["then"]["properties"];
    assert_eq!(then["params"]["properties"]["subset_size_px"]["minimum"], 5);
    assert_eq!(then["dataset"]["enum"], serde_json::json!(["speckle"]));
}
