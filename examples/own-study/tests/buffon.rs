//! A trial that is killed in its stage goes on from the checkpoint and ends with the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const SPEC: &str = "format: 1\nstudy: buffon\nquestion: Does a killed trial go on?\n\
                    params: {throws: 100000, repeats: 600}\n";

#[test]
fn a_killed_trial_ends_with_the_same_content() {
    let (quiet, killed) = (project("quiet"), project("killed"));
    assert!(run(&quiet).status().expect("it starts").success());

    let mut first = run(&killed).spawn().expect("it starts");
    while !has_checkpoint(&killed) {
        let ended = first.try_wait().expect("a process");
        assert_eq!(ended, None, "it ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill().expect("killed");
    first.wait().expect("ended");
    assert_eq!(
        content(&killed),
        None,
        "it was recorded before it was killed"
    );

    assert!(run(&killed).status().expect("it starts").success());
    assert!(content(&quiet).is_some(), "the trial is recorded");
    assert_eq!(content(&killed), content(&quiet));
    for folder in [quiet, killed] {
        fs::remove_dir_all(folder).expect("removed");
    }
}

/// A project with one experiment.
fn project(name: &str) -> PathBuf {
    let name = format!("buffon-{name}-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for inner in ["experiments", "datasets"] {
        fs::create_dir_all(folder.join(inner)).expect("a folder");
    }
    fs::write(folder.join("experiments/resume.yaml"), SPEC).expect("written");
    folder
}

/// The program with the command that runs it.
fn run(project: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buffon"));
    command
        .args(["run", "experiments/resume.yaml", "--no-report"])
        .current_dir(project)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Whether the stage at work has saved a checkpoint.
fn has_checkpoint(project: &Path) -> bool {
    let stages = inside(&project.join("results/.stages"));
    let mut files = stages
        .iter()
        .flat_map(|stage| inside(&stage.join("checkpoints")));
    files.any(|file| file.extension().is_some_and(|ending| ending == "h5"))
}

/// The line of the record that hashes all that repeats, once the only trial is recorded.
fn content(project: &Path) -> Option<String> {
    let trials = inside(&project.join("results/buffon/resume"));
    trials.iter().find_map(|trial| {
        let text = fs::read_to_string(trial.join("trial.yaml")).ok()?;
        let line = text.lines().find(|line| line.starts_with("content: "))?;
        Some(line.to_owned())
    })
}

/// What lies in a folder; nothing where it is missing.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
