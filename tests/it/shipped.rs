//! The experiments and data sets of this repository.

use std::path::Path;
use std::process::Command;

use crate::project::{Project, RETRIAL};

#[test]
fn every_shipped_experiment_passes_check_and_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for verb in ["check", "plan"] {
        let output = Command::new(RETRIAL)
            .args([verb, "--format", "json"])
            .current_dir(root)
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb}: {said}");
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(
            value["experiments"]
                .as_array()
                .is_some_and(|list| list.len() >= 5)
        );
    }
}

#[test]
fn a_fresh_project_runs_the_default_experiments_without_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new();
    std::fs::create_dir(project.path().join("experiments/dic")).expect("a folder");
    for name in ["smoke", "challenge-pair"] {
        let text = std::fs::read_to_string(root.join(format!("experiments/dic/{name}.yaml")))
            .expect("a spec");
        project.write(&format!("experiments/dic/{name}.yaml"), &text);
    }
    let mut command = project.command(&["run", "--offline"]);
    let output = command
        .env_remove("RETRIAL_MIRROR")
        .output()
        .expect("the program starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}");
    assert!(out.contains("skipped: dic/challenge-pair"), "{out}");
    assert!(out.contains("holds") && out.contains("report: "), "{out}");
}
