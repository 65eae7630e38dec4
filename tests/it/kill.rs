//! A run that is killed again and again ends with the same content as one that is left alone.

use std::path::Path;
use std::time::Duration;

use retrial_seed::Seed;

use crate::project::{Project, fake, names};

/// Shared stages of several rounds with checkpoints, so that kills fall into stages.
fn stages() -> String {
    fake(
        "seeds: [0, 1]\nparams: {rounds: 30, pause_ms: 15, noise: 1.0}\n\
         sweep: {factor: [1.0, 2.0, 3.0], level: [0.0, 5.0]}\n",
    )
}

/// Many short trials, so that kills fall into the writing of records.
fn many() -> String {
    fake(
        "params: {pause_ms: 5, noise: 1.0}\n\
         sweep: {level: {linspace: {from: 1, to: 400, count: 400}}}\n",
    )
}

#[test]
fn twenty_kills_change_no_content() {
    let quiet = Project::new()
        .with("a-stages", &stages())
        .with("b-many", &many());
    quiet
        .retrial(&["run", "experiments", "--no-report"])
        .exits(0);
    let expected = [
        quiet.contents("fake", "b-many"),
        quiet.contents("fake", "a-stages"),
    ];
    assert_eq!((expected[0].len(), expected[1].len()), (400, 12));

    let project = Project::new()
        .with("a-stages", &stages())
        .with("b-many", &many());
    let mut moments = Seed(20).stream("kill");
    let mut killed = 0;
    for _ in 0..20 {
        let mut run = project.start(&["run", "experiments", "--jobs", "2", "--no-report"]);
        std::thread::sleep(Duration::from_millis(10 + moments.below(140)));
        if run.try_wait().expect("a process").is_none() {
            killed += 1;
        }
        run.kill().expect("killed");
        run.wait().expect("ended");
    }
    assert!(killed >= 10, "only {killed} of 20 kills met a run at work");
    project
        .retrial(&["run", "experiments", "--no-report"])
        .exits(0);
    let found = [
        project.contents("fake", "b-many"),
        project.contents("fake", "a-stages"),
    ];
    assert!(found == expected, "a kill changed some content");
    assert_eq!(leftovers(&project.path().join("results")), [""; 0]);
    for name in ["a-stages", "b-many"] {
        let left: Vec<String> = names(&project.path().join("results/fake").join(name))
            .into_iter()
            .filter(|name| name.contains(".partial") || name.contains(".attempts"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "nothing half-done is left");
    }
}

/// Temporary files, half-written attempts and leases below a folder.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut left = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let rubbish = [".tmp", ".partial", ".lease"];
        if rubbish.iter().any(|end| name.ends_with(end)) {
            left.push(path.display().to_string());
        } else if path.is_dir() {
            left.extend(leftovers(&path));
        }
    }
    left
}

#[test]
fn what_the_dead_left_is_tidied_and_not_warned_about() {
    let project = Project::new().with("a", &fake("params: {rounds: 1}\n"));
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    let folder = project.path().join("results/fake/a");
    let trial = project.contents("fake", "a").into_keys().next();
    let trial = trial.expect("a trial");
    let half = folder.join(format!("{trial}.attempts/1.partial"));
    std::fs::create_dir_all(&half).expect("a folder");
    std::fs::write(half.join(".attempt.yaml.x.tmp"), "ha").expect("written");
    std::fs::write(folder.join(".experiment.yaml.x.tmp"), "ha").expect("written");
    let said = project.retrial(&["claims", "experiments/a.yaml"]);
    assert_eq!(said.err, "", "a half-written attempt is no fault");
    let said = project.retrial(&["run", "experiments/a.yaml"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(leftovers(&project.path().join("results")), [""; 0]);
    assert!(!half.parent().expect("a folder").exists());
}

#[test]
fn an_interrupt_stops_cleanly_and_the_next_run_goes_on() {
    let project = Project::new().with(
        "slow",
        &fake("params: {rounds: 400, pause_ms: 10}\nsweep: {level: [1.0, 2.0]}\n"),
    );
    let run = project.start(&["run", "experiments/slow.yaml", "--no-report"]);
    std::thread::sleep(Duration::from_millis(700));
    let process = nix::unistd::Pid::from_raw(i32::try_from(run.id()).expect("an id"));
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).expect("a signal");
    let mut run = run;
    assert_eq!(run.wait().expect("ended").code(), Some(130));
    assert!(
        project.attempts("fake", "slow").is_empty(),
        "an interrupt is no failure"
    );
    let stage = names(&project.path().join("results/.stages"));
    assert_eq!(stage.len(), 1, "both trials share one stage");
    let checkpoints = project
        .path()
        .join("results/.stages")
        .join(&stage[0])
        .join("checkpoints");
    assert_eq!(
        names(&checkpoints).len(),
        2,
        "the last two checkpoints are kept"
    );
    project
        .retrial(&["plan", "experiments/slow.yaml"])
        .exits(0)
        .says("interrupted: goes on from its last checkpoint");
}
