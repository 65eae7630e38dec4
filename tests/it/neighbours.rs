//! Broken specs and manifests beside sound ones: no gate turns green, no other verb stops.

use std::os::unix::fs::symlink;

use crate::project::{Project, fake};

const SOUND: &str =
    "default: true\nclaims:\n  - {id: c, source: s, metric: value, expect: {at_least: 0}}\n";

#[test]
fn a_broken_spec_turns_no_gate_green_and_stops_nobody_else() {
    let project = Project::new().with("a", &fake(SOUND));
    project.retrial("run").exits(0);
    project.retrial("report --check").exits(0);
    project.write(
        "experiments/broken.yaml",
        "format: 1\nstudy: fake\nparam: 1\n",
    );
    project
        .retrial("report --check")
        .exits(2)
        .complains("broken.yaml:3:1");
    // What was edited still shows beside it.
    project.write(
        "experiments/a.yaml",
        &fake(&SOUND.replace("at_least: 0", "at_least: 9")),
    );
    project
        .retrial("report --check")
        .exits(4)
        .complains("broken.yaml:3:1")
        .complains("not show the records");
    project
        .retrial("report")
        .exits(0)
        .complains("broken.yaml:3:1");
    for verb in ["status", "claims", "plan"] {
        let said = project.retrial(&[verb]);
        said.exits(2).complains("broken.yaml:3:1");
        assert!(said.out.contains("fake/a"), "{verb}: {}", said.out);
    }
    project.retrial("run").exits(0).complains("left out");
    project.retrial("claims a").exits(0);
    // One that `run` would take stops it.
    project.write(
        "experiments/broken.yaml",
        "format: 1\nstudy: fake\ndefault: true\nparam: 1\n",
    );
    project.retrial("run").exits(2).complains("broken.yaml:4:1");
    project.write("experiments/broken.yaml", "a: [1\n");
    project.retrial("run").exits(2).complains("not YAML");
}

#[test]
fn a_broken_manifest_stops_only_those_that_need_it() {
    let project = Project::new().with("a", &fake(SOUND)).with(
        "b",
        "format: 1\nstudy: dic\nquestion: And with data?\ndataset: odd\n",
    );
    let datasets = project.path().join("datasets");
    std::fs::remove_file(&datasets).expect("a link");
    std::fs::create_dir_all(datasets.join("odd")).expect("a folder");
    project.write("datasets/odd/manifest.yaml", "format: 1\nnome: odd\n");
    for arguments in ["run a", "status a", "check a", "run"] {
        project.retrial(arguments).exits(0);
    }
    for arguments in ["check b", "check", "status", "report --check"] {
        let said = project.retrial(arguments);
        said.exits(2)
            .complains("odd/manifest.yaml")
            .complains("nome");
        assert!(!said.err.contains("there is no data set"), "{}", said.err);
    }
    project.retrial("data list").exits(2).complains("nome");
}

#[test]
fn what_editors_and_systems_leave_is_no_spec() {
    let project = Project::new().with("a", &fake(SOUND));
    let folder = project.path().join("experiments");
    std::fs::create_dir(folder.join(".ipynb_checkpoints")).expect("a folder");
    project.write(
        "experiments/.ipynb_checkpoints/a-checkpoint.yaml",
        &fake(SOUND),
    );
    project.write("experiments/._a.yaml", "\u{0}\u{5}\u{16}");
    symlink("nobody@nowhere.1:2", folder.join(".#a.yaml")).expect("a link");
    symlink("nowhere", folder.join("lost.yaml")).expect("a link");
    symlink("/dev/zero", folder.join("endless.yaml")).expect("a link");
    symlink("..", folder.join("above")).expect("a link");
    std::fs::create_dir(folder.join("deep")).expect("a folder");
    symlink("../deep", folder.join("deep/again")).expect("a link");
    let pipe = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe.yaml"))
        .status();
    assert!(pipe.is_ok_and(|status| status.success()));
    let checked = project.retrial("check --format json").exits(0).json();
    assert_eq!(checked["experiments"].as_array().map(Vec::len), Some(1));
    project
        .retrial("check experiments/pipe.yaml")
        .exits(2)
        .complains("no regular file");
    project
        .retrial("run --no-report")
        .exits(0)
        .says("1 trial recorded");
}

#[test]
fn a_spec_is_found_by_its_name_whatever_its_ending() {
    let project = Project::new().with("a", &fake(SOUND));
    project.write("experiments/other.yml", &fake("seeds: [0]\n"));
    project.retrial("plan other").exits(0).says("fake/other");
    project
        .retrial("plan a --set params.level=")
        .exits(2)
        .complains("no value after the `=`");
}
