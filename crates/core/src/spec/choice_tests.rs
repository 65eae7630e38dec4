//! What claims, tables and figures choose of the plan, and what they cannot show.

use super::tests::{GOOD, STUDY, check_of, check_text, faults_of, set};
use crate::claim::Origin;
use crate::declare::WordDef;
use crate::params::{DefaultValue, Param, ParamKind};
use crate::study::StudyInfo;

#[test]
fn an_ordering_has_planned_values_once() {
    let ordered = |values: &str| faults_of(&GOOD.replace("values: [0, 1, 2]", values));
    let lines = ordered("values: [0, 1, 0]");
    assert_eq!(
        lines,
        [
            "subset-size.yaml:20:54: claims[1].expect.ordering.values[2]: `0` stands there twice; an \
          ordering has each value once"
        ]
    );
    let text = GOOD.replace("order: [0, 1, 2]", "order: [0, 1]");
    assert_eq!(
        faults_of(&text),
        [
            "subset-size.yaml:20:13: claims[1].expect: claim `rising` orders by no planned trial: \
          `order` is never `2`; in the plan it is 0, 1"
        ]
    );
    // What the command line leaves out of the plan is no fault of the spec.
    assert!(check_text(GOOD, &[set("sweep.order", "[0, 1]")]).is_ok());
    let text = GOOD.replace("param: order", "param: ordr");
    assert!(faults_of(&text)[0].ends_with("to order by; did you mean `order`?"));
}

#[test]
fn faults_of_claims_do_not_wait_for_other_faults() {
    let text = GOOD
        .replace("question: How much?", "qestion: How much?")
        .replace("id: rising", "id: a")
        .replace("{subset_size_px: 41, order: 1}", "{order: 1}")
        .replace("where: {subset_size_px: 41}", "where: {subset_size_px: 43}")
        .replace("values: [rmse]", "values: [rms]");
    let lines = faults_of(&text);
    for expected in [
        "3:1: qestion: an unknown key; did you mean `question`?",
        "14:12: claims[0].where: claim `a` selects 2 points or more of the sweep; name a value for every \
         swept param, so that one point is left",
        "16:9: claims[1].id: a second claim `a`; give every claim an id of its own",
        "19:12: claims[1].where: claim `a` selects no planned trial: `subset_size_px` is never `43`; in \
         the plan it is 21, 41",
        "22:51: report.table.values[0]: nothing is called `rms`; did you mean `rmse`?",
    ] {
        let whole = format!("subset-size.yaml:{expected}");
        assert!(lines.contains(&whole), "{whole}\nin {lines:#?}");
    }
}

#[test]
fn one_thing_is_expected_with_the_tolerance_that_it_needs() {
    let expects =
        |expect: &str| faults_of(&GOOD.replace("{value: 0.0047, rel: 0.03}", expect))[0].clone();
    for (expect, message) in [
        (
            "{value: 0.3, at_least: 0.1}",
            "more than one thing is expected",
        ),
        ("{value: 0.3}", "a value needs a tolerance"),
        (
            "{value: 0.3, abs: 0.1, rel: 0.1}",
            "a value has one tolerance",
        ),
        (
            "{at_least: 0.3, abs: 0.1}",
            "a tolerance goes with `value` alone",
        ),
        ("{}", "nothing is expected"),
    ] {
        let said = expects(expect);
        assert!(said.contains(message), "{expect}: {said}");
    }
}

#[test]
fn every_value_of_a_list_is_looked_at() {
    let lines = faults_of(
        &GOOD
            .replace(
                "order: [0, 1, 2]\nclaims",
                "points: [{order: 7}, {order: 8}]\nclaims",
            )
            .replace("subset_size_px: [21, 41]", "subset_size_px: [20, 40]")
            .replace(
                "where: {subset_size_px: 41}",
                "where: {subset_size_px: 42, ordr: 1}",
            ),
    );
    for expected in [
        "`20` does",
        "`40` does",
        "`7` does",
        "`8` does",
        "`42` does",
        "where.ordr: the",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(expected)),
            "{expected}: {lines:#?}"
        );
    }
}

#[test]
fn a_report_shows_what_is_planned_and_what_can_be_drawn() {
    const PREFILTER: Param = Param {
        name: "prefilter",
        kind: ParamKind::Choice(&[
            WordDef {
                word: "none",
                was: &[],
                doc: "None.",
            },
            WordDef {
                word: "gauss",
                was: &[],
                doc: "A Gaussian.",
            },
        ]),
        default: DefaultValue::Text("none"),
        unit: "",
        was: &[],
        doc: "What is done first.",
    };
    const PARAMS: &[Param] = &[STUDY.params[0], STUDY.params[1], STUDY.params[2], PREFILTER];
    let study = StudyInfo {
        params: PARAMS,
        ..STUDY
    };
    let with = |report: &str| {
        let start = GOOD.find("report:").expect("a report");
        let text = format!("{}report:\n{report}", &GOOD[..start]);
        let faults = check_of(&study, &text, &[]).err().unwrap_or_default();
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    for (report, expected) in [
        (
            "  table: {rows: prefilter, values: [rmse, prefilter]}\n",
            "22:43: report.table.values[1]: `prefilter` holds words, and a table takes numbers; numbers here: \
             rmse, subset_size_px, order, stop, seed",
        ),
        (
            "  table: {values: [rmse, rmse]}\n",
            "22:26: report.table.values[1]: `rmse` stands there twice",
        ),
        (
            "  table:\n    values: rmse\n    where: {order: 1, seed: 7}\n",
            "24:12: report.table.where: this selects no planned trial: `seed` is never `7`; in the plan it is \
             0, 1",
        ),
        (
            "  figures:\n    - kind: line\n      x: order\n      y: [rmse,\n        prefilter]\n",
            "26:9: report.figures[0].y[1]: `prefilter` holds words, and line takes numbers",
        ),
        (
            "  figures: [{kind: line, x: order, y: rmse, where: {prefilter: gauss}}]\n",
            "report.figures[0].where: this selects no planned trial: `prefilter` is never `gauss`; in the plan \
             it is none",
        ),
        (
            "  figures: [{kind: line, table: images, x: order, y: imposed_u, rows: {impsed_u: '3'}}]\n",
            "report.figures[0].rows.impsed_u: the table has no column `impsed_u`; did you mean `imposed_u`?",
        ),
        (
            "  figures: [{kind: line, table: images, x: order, y: imposed_u, rows: {order: '1'}}]\n",
            "report.figures[0].rows.order: the table has no column `order`; known here: imposed_u",
        ),
        (
            "  keep:\n    - images\n    - ranks\n",
            "24:7: report.keep[1]: the study leaves no table or JSON file `ranks`; known here: images",
        ),
    ] {
        let lines = with(report);
        assert_eq!(lines.len(), 1, "{report}: {lines:#?}");
        assert!(lines[0].contains(expected), "{expected}\nin {}", lines[0]);
    }
    assert!(
        with("  figures: [{kind: line, x: prefilter, y: order, where: {seed: 1}}]\n").is_empty()
    );
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
            .ends_with(
                "claims[0].expect: claim `c` compares with no planned trial: `subset_size_px` is never `43`; \
                 in the plan it is 21, 41"
            ),
        "{faults:?}"
    );
    for same in ["{}", "{order: 1}", "{order: 1, subset_size_px: 41}"] {
        let faults = with(&format!("{{where: {same}}}")).expect_err("a fault");
        let text = faults[0].to_string();
        assert!(
            text.contains("claim `c` compares a point with itself"),
            "{text}"
        );
    }
    let faults = with("{by: 1}").expect_err("a fault");
    assert!(
        faults[0].to_string().contains("where: this key is missing"),
        "{faults:?}"
    );
}
