//! Verbs that print facts, for people and for programs.

use crate::project::{Project, fake};

fn project() -> Project {
    Project::new().with(
        "levels",
        &fake(
            "seeds: [0, 1, 2]\nparams: {noise: 0.1}\nsweep: {level: [1.0, 2.0]}\nclaims:\n  \
             - {id: high, source: Table 1, metric: value, where: {level: 2.0}, expect: {at_least: 1.0}}\n  \
             - {id: exact, source: Table 1, metric: value, where: {level: 1.0}, expect: {value: 5.0, abs: 0.5}}\n\
             report:\n  table: {rows: level, values: value}\n  figures: [{kind: line, x: level, y: value, band: ci95}]\n",
        ),
    )
}

#[test]
fn plan_then_run_then_status() {
    let project = project();
    let plan = project.retrial("plan --format json").exits(0).json();
    let trials = plan["experiments"][0]["trials"].as_array().expect("trials");
    assert_eq!(trials.len(), 6);
    assert_eq!(trials[0]["reason"], "new");
    project
        .retrial("run experiments/levels.yaml")
        .exits(0)
        .says("reproduced");
    let status = project.retrial("status --format json").exits(0).json();
    assert_eq!(status["experiments"][0]["recorded"], 6);
    assert_eq!(status["experiments"][0]["new"], 0);
}

#[test]
fn claims_have_verdicts() {
    let project = project();
    let before = project.retrial("claims --format json").exits(0).json();
    assert_eq!(before["claims"][0]["verdict"], "not_testable");
    project
        .retrial("run experiments/levels.yaml --no-report")
        .exits(0);
    let claims = project.retrial("claims --format json").exits(0).json();
    assert_eq!(claims["claims"][0]["verdict"], "reproduced");
    assert_eq!(claims["claims"][0]["ours"]["n"], 3);
    assert_eq!(claims["claims"][1]["verdict"], "not_reproduced");
    let by_name = project
        .retrial("claims levels --format json")
        .exits(0)
        .json();
    assert_eq!(by_name, claims);
    project
        .retrial("claims dic/no-such-sheet")
        .exits(2)
        .complains("dic/no-such-sheet");
    project
        .retrial("claims")
        .exits(0)
        .says("metric")
        .says("not reproduced")
        .says("95 % interval");
}

#[test]
fn an_edited_claim_is_shown_as_edited() {
    let project = project();
    project
        .retrial("run experiments/levels.yaml --no-report")
        .exits(0);
    let text =
        std::fs::read_to_string(project.path().join("experiments/levels.yaml")).expect("a spec");
    project.write(
        "experiments/levels.yaml",
        &text.replace("at_least: 1.0", "at_least: 0.5"),
    );
    let claims = project.retrial("claims --format json").exits(0).json();
    assert_eq!(claims["claims"][0]["edited"], true);
    assert_eq!(claims["claims"][1]["edited"], false);
}

#[test]
fn show_finds_a_trial_by_the_beginning_of_its_id() {
    let project = project();
    project
        .retrial("run experiments/levels.yaml --no-report")
        .exits(0);
    project
        .retrial("show level-2.0-s1")
        .exits(0)
        .says("metric")
        .says("value");
    project.retrial("show levels/level-2.0-s1").exits(0);
    project
        .retrial("show level-")
        .exits(2)
        .complains("fits 6 trials");
    let shown = project
        .retrial("show level-1.0-s0 --format json")
        .exits(0)
        .json();
    assert_eq!(shown["record"]["seed"], 0);
}

#[test]
fn reports_rebuild_from_records_alone_and_know_when_they_are_stale() {
    let project = project();
    project.retrial("run experiments/levels.yaml").exits(0);
    project.retrial("report --check").exits(0);
    std::fs::remove_dir_all(project.path().join("experiments")).expect("removed");
    std::fs::create_dir(project.path().join("experiments")).expect("a folder");
    let page = project.path().join("reports/fake.md");
    let before = std::fs::read_to_string(&page).expect("a page");
    std::fs::remove_dir_all(project.path().join("reports")).expect("removed");
    project
        .retrial("report --check")
        .exits(4)
        .complains("fake.md");
    project.retrial("report").exits(0);
    assert_eq!(std::fs::read_to_string(&page).expect("a page"), before);
    let index = std::fs::read_to_string(project.path().join("reports/index.html")).expect("a page");
    assert!(index.contains("Does the pipeline hold?") && !index.contains("src=\"http"));
}

#[test]
fn a_changed_param_says_what_changed() {
    let project = Project::new().with("a", &fake("params: {level: 1.0}\n"));
    project
        .retrial("run experiments/a.yaml --no-report")
        .exits(0);
    project.write("experiments/a.yaml", &fake("params: {level: 2.0}\n"));
    project
        .retrial("plan experiments/a.yaml")
        .exits(0)
        .says("changed since recorded: level 1.0 → 2.0");
}

#[test]
fn set_and_seed_never_mix_records() {
    let project = Project::new().with("a", &fake("seeds: [0]\n"));
    project
        .retrial("run experiments/a.yaml --no-report")
        .exits(0);
    project
        .retrial("run experiments/a.yaml --set params.level=3 --seed 5 --no-report")
        .exits(0);
    assert_eq!(project.records("fake", "a").len(), 1);
    let experiments = crate::project::names(&project.path().join("results/fake"));
    assert_eq!(experiments.len(), 2, "{experiments:?}");
    assert!(
        experiments[1].starts_with("a+level-3+seeds--5-"),
        "{experiments:?}"
    );
    let varied = project.records("fake", &experiments[1]);
    assert_eq!(varied.values().next().expect("a record").seed, 5);
}

#[test]
fn schemas_completions_and_doctor() {
    let project = Project::new().with("a", &fake(""));
    let schema = project.retrial("schema").exits(0).json();
    assert_eq!(schema["properties"]["study"]["enum"][0], "dic");
    let schema = project.retrial("schema manifest").exits(0).json();
    assert!(schema["properties"]["variants"].is_object());
    project.retrial("completions bash").exits(0).says("retrial");
    let doctor = project.retrial("doctor --format json").exits(0).json();
    assert!(
        doctor["threads"]
            .as_u64()
            .is_some_and(|threads| threads > 0)
    );
    assert!(
        doctor["device"]["state"]
            .as_str()
            .is_some_and(|s| s.contains("correctly"))
    );
    project
        .retrial("data list")
        .exits(0)
        .says("speckle-smoke")
        .says("generated here");
}
