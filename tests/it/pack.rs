//! Packed records: the same record in another form, byte for byte, and as hard to falsify.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::project::{Project, fake, names};

const SPEC: &str = "seeds: [0, 1, 2]\nparams: {rounds: 2, noise: 0.01}\nsweep: {level: [2.0]}\n\
    claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n\
    report:\n  figures:\n    - {kind: line, table: rounds, x: round, y: [drawn], series: seed}\n";

/// A project whose experiment `a` has run, is reported and is packed.
fn packed() -> Project {
    let project = Project::new().with("a", &fake(SPEC));
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    project
        .retrial(&["pack"])
        .exits(0)
        .says("fake/a: 3 trials, 0 failed attempts: 2 files");
    project
}

fn folder(project: &Project) -> PathBuf {
    project.path().join("results/fake/a")
}

/// Names and bytes of the files of all trials.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for trial in names(folder) {
        for name in names(&folder.join(&trial)) {
            let path = folder.join(&trial).join(&name);
            if path.is_file() {
                files.insert(
                    format!("{trial}/{name}"),
                    std::fs::read(path).expect("a file"),
                );
            }
        }
    }
    files
}

fn remove_trials(project: &Project) {
    for name in names(&folder(project)) {
        if name.starts_with("level-") {
            std::fs::remove_dir_all(folder(project).join(name)).expect("removed");
        }
    }
}

fn rewrite(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("text");
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn a_packed_trial_is_finished_and_comes_back_byte_for_byte() {
    let project = packed();
    let before = files(&folder(&project));
    let claims = project
        .retrial(&["claims", "--format", "json"])
        .exits(0)
        .json();
    remove_trials(&project);
    let status = project
        .retrial(&["status", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(status["experiments"][0]["recorded"], 3);
    assert_eq!(
        project.retrial(&["claims", "--format", "json"]).json(),
        claims
    );
    // The page and its figure are those of the folders.
    project.retrial(&["report", "--check"]).exits(0);
    project
        .retrial(&["run", "experiments/a.yaml"])
        .exits(0)
        .says("reproduced");
    assert!(project.records("fake", "a").is_empty(), "nothing ran again");
    let id = before
        .keys()
        .next()
        .expect("a file")
        .split('/')
        .next()
        .expect("a trial");
    project
        .retrial(&["show", id])
        .exits(0)
        .says("packed in")
        .says("value");
    let pack = files(&folder(&project));
    project.retrial(&["pack"]).exits(0);
    assert_eq!(
        files(&folder(&project)),
        pack,
        "packing a pack changes nothing"
    );
    project
        .retrial(&["unpack"])
        .exits(0)
        .says("3 records unpacked");
    let after = files(&folder(&project));
    let mut restored = 0;
    for (name, bytes) in &after {
        assert_eq!(before.get(name), Some(bytes), "{name}");
        restored += usize::from(name.starts_with("level-"));
    }
    assert_eq!(restored, 6, "trial.yaml and rounds.csv of three trials");
    project.retrial(&["report", "--check"]).exits(0);
}

#[test]
fn every_edit_of_a_pack_is_damage_and_runs_again() {
    let project = packed();
    let contents = project.contents("fake", "a");
    remove_trials(&project);
    let mut seeds = contents
        .keys()
        .map(|id| id.rsplit('-').next().expect("an id"));
    let second = format!("\n{},0,", seeds.nth(1).expect("three trials"));
    for (file, from, to) in [
        ("trials.csv", ",2.0,", ",2.5,"),
        ("trials.csv", "blake3:1", "blake3:2"),
        ("trials.csv", "cpu,", "cuda,"),
        ("trials.csv", ",rounds.csv\n", ",\n"),
        ("trials.csv", ",rounds.csv\n", ",../rounds.csv\n"),
        ("tables/rounds.csv", ",1,", ",3,"),
        ("tables/rounds.csv", second.as_str(), "\n"),
    ] {
        rewrite(&folder(&project).join(file), from, to);
        let what = format!("{from} of {file}");
        for command in [&["report"][..], &["report", "--check"], &["claims"]] {
            project.retrial(command).exits(4).complains("damaged");
        }
        let status = project
            .retrial(&["status", "--format", "json"])
            .exits(0)
            .json();
        assert!(
            status["experiments"][0]["damaged"].as_u64() > Some(0),
            "{what}: {status}"
        );
        project
            .retrial(&["run", "experiments/a.yaml"])
            .exits(0)
            .complains("set aside: fake/a/trials.csv");
        project.retrial(&["pack"]).exits(0);
        remove_trials(&project);
        project.retrial(&["report", "--check"]).exits(0);
    }
    std::fs::remove_file(folder(&project).join("tables/rounds.csv")).expect("removed");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("rounds.csv is missing");
    rewrite(&folder(&project).join("trials.csv"), "id,", "jd");
    project
        .retrial(&["claims"])
        .exits(4)
        .complains("trials.csv");
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    assert_eq!(project.contents("fake", "a"), contents);
}

#[test]
fn forms_that_disagree_are_damage() {
    let project = packed();
    let pack = std::fs::read(folder(&project).join("trials.csv")).expect("a pack");
    // Another run of the same trials has other times.
    std::fs::remove_file(folder(&project).join("trials.csv")).expect("removed");
    remove_trials(&project);
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    std::fs::write(folder(&project).join("trials.csv"), pack).expect("written");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("trials.csv has another record of it");
    project.retrial(&["pack"]).exits(4);
}

#[test]
fn failed_attempts_are_packed_too() {
    let spec = "seeds: [0, 1]\nparams: {ends: error}\n";
    let project = Project::new().with("a", &fake(spec));
    project.retrial(&["run", "experiments/a.yaml"]).exits(1);
    let page = |project: &Project| {
        std::fs::read_to_string(project.path().join("reports/fake.md")).expect("a page")
    };
    let before = page(&project);
    project
        .retrial(&["pack"])
        .exits(0)
        .says("0 trials, 2 failed attempts");
    for name in names(&folder(&project)) {
        if name.ends_with(".attempts") {
            std::fs::remove_dir_all(folder(&project).join(name)).expect("removed");
        }
    }
    project.retrial(&["report"]).exits(0);
    assert_eq!(page(&project), before);
    project
        .retrial(&["plan", "experiments/a.yaml"])
        .exits(0)
        .says("failed");
    project.retrial(&["run", "experiments/a.yaml"]).exits(1);
    let numbers: Vec<u32> = (project.attempts("fake", "a").iter())
        .map(|record| record.attempt)
        .collect();
    assert_eq!(numbers, [2, 2]);
}

#[test]
fn records_are_pruned_removed_renamed_and_exported() {
    let project = packed();
    let all = project.path().join("all.csv");
    project
        .retrial(&["export", "all.csv"])
        .exits(0)
        .says("3 trials");
    let text = std::fs::read_to_string(&all).expect("a table");
    assert!(
        text.starts_with("study,experiment,trial,seed,params.level"),
        "{text}"
    );
    assert!(
        text.lines()
            .next()
            .is_some_and(|head| head.contains(",metrics.value,"))
    );
    assert_eq!(text.lines().count(), 4);
    project
        .retrial(&["export", "all.arrow"])
        .exits(0)
        .says("3 trials");
    let bytes = std::fs::read(project.path().join("all.arrow")).expect("a table");
    assert!(bytes.starts_with(b"ARROW1") && bytes.ends_with(b"ARROW1"));
    project
        .retrial(&["export", "all.txt"])
        .exits(2)
        .complains("end its name with .csv");

    project.write(
        "experiments/a.yaml",
        &fake(&SPEC.replace("[0, 1, 2]", "[0, 1]")),
    );
    project
        .retrial(&["prune", "--dry-run"])
        .exits(0)
        .says("of no present plan");
    let status = |project: &Project| {
        let folders = names(&folder(project));
        let rows = std::fs::read_to_string(folder(project).join("trials.csv"));
        let trials = folders.iter().filter(|name| name.starts_with("level-"));
        (trials.count(), rows.expect("a pack").lines().count())
    };
    assert_eq!(status(&project), (3, 4));
    project.retrial(&["prune"]).exits(0);
    assert_eq!(status(&project), (2, 3));
    project
        .retrial(&["prune", "--packed"])
        .exits(0)
        .says("its folder goes");
    assert_eq!(status(&project), (0, 3));

    project
        .retrial(&["rename", "fake/a", "a b"])
        .exits(2)
        .complains("no name");
    project.retrial(&["rename", "fake/a", "b"]).exits(0);
    let rows = project.path().join("results/fake/b/trials.csv");
    assert_eq!(
        std::fs::read_to_string(&rows)
            .expect("a pack")
            .lines()
            .count(),
        3
    );
    project.retrial(&["report"]).exits(0);
    project.retrial(&["report", "--check"]).exits(0);

    let text = std::fs::read_to_string(&rows).expect("a pack");
    let trial = text
        .lines()
        .nth(1)
        .and_then(|row| row.split(',').nth(1))
        .expect("a trial");
    project
        .retrial(&["rm", &format!("fake/b/{trial}")])
        .exits(0)
        .says("1 trial removed");
    assert_eq!(
        std::fs::read_to_string(&rows)
            .expect("a pack")
            .lines()
            .count(),
        2
    );
    project.retrial(&["rm", "fake/b"]).exits(0);
    assert!(!project.path().join("results/fake/b").exists());
    project
        .retrial(&["rm", "fake/b"])
        .exits(2)
        .complains("no records of `fake/b`");
}
