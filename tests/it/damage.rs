//! Records that are not what was recorded: shown, judged by nobody, run again.

use std::path::PathBuf;

use crate::project::{Project, fake, names};

const SPEC: &str = "seeds: [0, 1, 2]\nparams: {rounds: 2, noise: 0.01}\nsweep: {level: [2.0]}\n\
                    claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n";

/// A project whose experiment `a` has run and whose report is fresh.
fn recorded() -> Project {
    let project = Project::new().with("a", &fake(SPEC));
    project
        .retrial(&["run", "experiments/a.yaml"])
        .exits(0)
        .says("reproduced");
    project.retrial(&["report", "--check"]).exits(0);
    project
}

/// The folder of the trial with seed 0.
fn first(project: &Project) -> PathBuf {
    let folder = project.path().join("results/fake/a");
    let name = names(&folder)
        .into_iter()
        .find(|name| name.contains("-s0-"));
    folder.join(name.expect("a trial"))
}

fn rewrite(file: &std::path::Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("text");
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("written");
}

/// Every gate is red, no verdict stands on the record, and `run` heals it.
fn is_damage(what: &str, project: &Project, before: &std::collections::BTreeMap<String, String>) {
    let status = project
        .retrial(&["status", "--format", "json"])
        .exits(0)
        .json();
    let shown = project.retrial(&["show", "level-2.0-s0"]);
    shown.exits(4).complains("1 record is damaged");
    assert_eq!(status["experiments"][0]["damaged"], 1, "{what}");
    assert_eq!(status["experiments"][0]["recorded"], 2, "{what}");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("1 record is damaged");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("1 record is damaged and judges nothing");
    let page = std::fs::read_to_string(project.path().join("reports/fake.md")).expect("a page");
    assert!(page.contains("damaged record, left out"), "{what}: {page}");
    let claims = project
        .retrial(&["claims", "--format", "json"])
        .exits(4)
        .json();
    assert_eq!(claims["claims"][0]["verdict"], "underpowered", "{what}");
    assert_eq!(claims["claims"][0]["ours"]["n"], 2, "{what}");
    assert_eq!(claims["claims"][0]["ours"]["planned"], 3, "{what}");
    project
        .retrial(&["run", "experiments/a.yaml"])
        .exits(0)
        .complains("set aside")
        .says("1 trial recorded");
    assert_eq!(project.contents("fake", "a"), *before, "{what}");
    project.retrial(&["report", "--check"]).exits(0);
}

#[test]
fn every_edit_of_a_record_is_damage() {
    let project = recorded();
    let before = project.contents("fake", "a");
    for (from, to) in [
        ("value: ", "value: 3"),
        ("revision: 1", "revision: 2"),
        ("seed: 0", "seed: 7"),
        ("level: 2.0", "level: 1.0"),
        ("host: ", "host: another-"),
        ("attempt: 1", "attempt: 2"),
        ("device: cpu", "device: cuda"),
        // Nothing of what it says, but bytes of it.
        ("revision: 1\n", "revision: 1\n\n"),
        ("seed: 0\n", "seed: 0 # a remark\n"),
        ("study: fake", "study: 'fake'"),
    ] {
        rewrite(&first(&project).join("trial.yaml"), from, to);
        is_damage(from, &project, &before);
    }
    let file = first(&project).join("trial.yaml");
    let whole = std::fs::read_to_string(&file).expect("text");
    std::fs::write(&file, whole + "\n").expect("written");
    is_damage("a line at its end", &project, &before);
}

#[test]
fn every_file_of_a_record_is_under_its_hash() {
    let project = recorded();
    let before = project.contents("fake", "a");
    for file in ["events.jsonl", "rounds.csv", "rounds.h5"] {
        let path = first(&project).join(file);
        let mut bytes = std::fs::read(&path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        is_damage(file, &project, &before);
    }
    for file in ["events.jsonl", "rounds.csv"] {
        std::fs::remove_file(first(&project).join(file)).expect("removed");
        is_damage(file, &project, &before);
    }
}

#[test]
fn half_a_record_and_that_of_another_trial_are_damage() {
    let project = recorded();
    let before = project.contents("fake", "a");
    let file = first(&project).join("trial.yaml");
    let text = std::fs::read_to_string(&file).expect("text");
    std::fs::write(&file, &text[..text.len() / 2]).expect("written");
    is_damage("half of it", &project, &before);
    let folder = project.path().join("results/fake/a");
    let other = names(&folder)
        .into_iter()
        .find(|name| name.contains("-s1-"));
    let other = folder.join(other.expect("a trial")).join("trial.yaml");
    std::fs::copy(other, first(&project).join("trial.yaml")).expect("copied");
    is_damage("another one", &project, &before);
}

#[test]
fn killed_and_diverged_seeds_reproduce_nothing() {
    let claim = "claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n\
                 report:\n  table: {rows: level, values: value}\n  figures: [{kind: line, x: level, y: value, band: ci95}]\n";
    let project = Project::new().with(
        "a",
        &fake(&format!(
            "seeds: [0, 1, 2, 3, 4, 5]\nparams: {{level: 2.0, noise: 0.01}}\n{claim}"
        )),
    );
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    let folder = project.path().join("results/fake/a");
    for name in names(&folder)
        .iter()
        .filter(|name| name.contains("-s3-") || name.contains("-s4-"))
    {
        std::fs::remove_dir_all(folder.join(name)).expect("removed");
    }
    let claims = project
        .retrial(&["claims", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(claims["claims"][0]["verdict"], "underpowered");
    assert_eq!(claims["claims"][0]["trials"]["planned"], 6);
    assert_eq!(claims["claims"][0]["trials"]["finished"], 4);
    project
        .retrial(&["claims"])
        .exits(0)
        .says("n = 4 of 6")
        .says("4 of 6 planned trials finished");
    project.retrial(&["report"]).exits(0);
    let read = |name: &str| {
        std::fs::read_to_string(project.path().join("reports").join(name)).expect("a file")
    };
    let page = read("fake.md");
    assert!(
        page.contains("4 of 6 planned trials finished and are drawn."),
        "{page}"
    );
    assert!(read("tables/fake-a-value-by-level.tex").contains("4 of 6"));
    assert!(read("tables/fake-a-value-by-level.csv").contains(",4,6\n"));
}

#[test]
fn claims_bring_back_a_sheet_that_is_gone() {
    let project = recorded();
    let sheet = project.path().join("results/fake/a/experiment.yaml");
    std::fs::remove_file(&sheet).expect("removed");
    let claims = project
        .retrial(&["claims", "--format", "json"])
        .exits(0)
        .complains("a sheet that is gone is written again: results/fake/a/experiment.yaml")
        .json();
    assert_eq!(claims["claims"][0]["verdict"], "reproduced");
    assert!(sheet.exists());
    project.retrial(&["report", "--check"]).exits(0);
    for verb in [&["report"][..], &["run", "a"]] {
        std::fs::remove_file(&sheet).expect("removed");
        project
            .retrial(verb)
            .exits(0)
            .complains("a sheet that is gone is written again");
    }
    // What never was there is not gone.
    std::fs::remove_dir_all(project.path().join("results")).expect("removed");
    let said = project.retrial(&["run", "a"]);
    assert!(!said.exits(0).err.contains("is gone"), "{}", said.err);
}

#[test]
fn the_page_of_an_ablation_says_what_was_changed_and_how() {
    let project = Project::new().with("a", &fake("sweep: {level: [2.0]}\n"));
    project
        .retrial(&["run", "a", "--set", "sweep.level=[1, 3]", "--seed", "4,5"])
        .exits(0);
    let page = std::fs::read_to_string(project.path().join("reports/fake.md")).expect("a page");
    assert!(
        page.contains("just run experiments/a.yaml --set 'sweep.level=[1, 3]' --seed 4,5\n"),
        "{page}"
    );
    assert!(
        page.contains("Changed from its file: `sweep.level=[1, 3]`, `seeds=[4,5]`."),
        "{page}"
    );
}

/// The text of a record with another default of a param, sealed again: that of a program before the default changed.
fn with_other_default(file: &std::path::Path) {
    let text = std::fs::read_to_string(file).expect("text");
    let (body, _) = retrial_core::seal::unsealed(&text).expect("a seal");
    assert!(body.contains("  factor: 1.0\n"), "{body}");
    let body = body.replacen("  factor: 1.0\n", "  factor: 2.0\n", 1);
    std::fs::write(file, retrial_core::seal::sealed(&body)).expect("written");
}

#[test]
fn a_default_that_changed_under_one_id_is_named() {
    let project = recorded();
    let before = project.records("fake", "a").len();
    with_other_default(&first(&project).join("trial.yaml"));
    let status = project
        .retrial(&["status", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(status["experiments"][0]["changed"], 1);
    assert_eq!(status["experiments"][0]["recorded"], 2);
    let other = "with another default: factor 2.0 → 1.0";
    project.retrial(&["plan", "a"]).exits(0).says(other);
    project
        .retrial(&["run", "a"])
        .exits(2)
        .complains(other)
        .complains("help: raise `revision` of the study");
    assert_eq!(project.records("fake", "a").len(), before);
    project.retrial(&["pack"]).exits(0);
    std::fs::remove_dir_all(first(&project)).expect("removed");
    project.retrial(&["run", "a"]).exits(2).complains(other);
}
