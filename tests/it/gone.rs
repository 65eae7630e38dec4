//! Records, sheets and pages that go or change where somebody still counts on them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lost::{SPEC, folder, recorded, rewrite};
use crate::project::{Project, RETRIAL, Said, fake, names};

/// Waits until something holds, for half a minute.
#[track_caller]
fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs `retrial run slow` and does something once its first trial is recorded and the second has begun.
fn meanwhile(project: &Project, change: impl FnOnce()) -> Said {
    let mut command = project.command(&["run", "slow", "--jobs", "1"]);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let results = project.path().join("results/fake/slow");
    wait_for(|| names(&results).iter().any(|name| name.contains("-s1-")));
    change();
    let output = run.wait_with_output().expect("ended");
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn slow() -> Project {
    let spec = SPEC.replace("noise", "pause_ms: 500, noise");
    Project::new().with("slow", &fake(&spec))
}

#[test]
fn a_run_judges_by_the_plan_that_it_holds() {
    let project = slow();
    let sheet = project.path().join("results/fake/slow/experiment.yaml");
    meanwhile(&project, || std::fs::remove_file(&sheet).expect("removed"))
        .exits(4)
        .says("3 trials recorded")
        .says("reproduced")
        .complains("results/fake/slow/experiment.yaml: it is gone; it is written again");
    project.retrial(&["report", "--check"]).exits(0);

    // An edit by hand.
    let project = slow();
    let sheet = project.path().join("results/fake/slow/experiment.yaml");
    meanwhile(&project, || rewrite(&sheet, "question: ", "question: or "))
        .exits(4)
        .says("reproduced")
        .complains(
            "experiment.yaml: its text was changed after it was written; it is written again",
        );
    project.retrial(&["report", "--check"]).exits(0);

    // Another shell edits the spec and refreshes the sheet.
    let project = slow();
    let spec = project.path().join("experiments/slow.yaml");
    meanwhile(&project, || {
        rewrite(&spec, "value: 2.0, abs: 0.5", "value: 7.0, abs: 0.5");
        rewrite(&spec, "id: two", "id: seven");
        project.retrial(&["claims"]).exits(0);
    })
    .exits(0)
    .says("fake/slow: two")
    .complains("was changed during the run");
}

#[test]
fn a_record_that_goes_during_its_run_is_no_success() {
    let project = slow();
    let mut first = PathBuf::new();
    meanwhile(&project, || {
        let folder = project.path().join("results/fake/slow");
        let trial = names(&folder)
            .into_iter()
            .find(|name| name.contains("-s0-"));
        first = folder.join(trial.expect("a trial"));
        std::fs::remove_dir_all(&first).expect("removed");
    })
    .exits(4)
    .says("underpowered")
    .complains("results were removed or changed during the run")
    .complains(&format!(
        "{} is gone; the same command runs its trial again",
        first
            .strip_prefix(project.path())
            .expect("within")
            .display()
    ));
    project
        .retrial(&["run", "slow"])
        .exits(0)
        .says("2 trials recorded already, 1 to run")
        .says("reproduced");
    // One that an earlier run recorded.
    let spec = project.path().join("experiments/slow.yaml");
    rewrite(&spec, "seeds: [0, 1, 2]", "seeds: [0, 1, 2, 3, 4]");
    let mut command = project.command(&["run", "slow", "--jobs", "1"]);
    let run = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let run = run.spawn().expect("the program starts");
    let results = project.path().join("results/fake/slow");
    wait_for(|| names(&results).iter().any(|name| name.contains("-s3-")));
    std::fs::remove_dir_all(&first).expect("removed");
    let output = run.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("-s0-") && said.contains("is gone"), "{said}");
}

#[test]
fn a_record_that_is_damaged_during_its_run_is_no_success() {
    let project = slow();
    meanwhile(&project, || {
        let folder = project.path().join("results/fake/slow");
        let first = names(&folder)
            .into_iter()
            .find(|name| name.contains("-s0-"));
        let file = folder.join(first.expect("a trial")).join("events.jsonl");
        std::fs::write(file, "metric,value\n").expect("written");
    })
    .exits(4)
    .says("underpowered")
    .complains("events.jsonl was changed after it was recorded");
}

#[test]
fn a_moved_project_stops_its_run() {
    let project = slow();
    let root = project.path().join("inner");
    for name in ["experiments", "datasets"] {
        std::fs::create_dir_all(root.join(name)).expect("a folder");
    }
    let spec = SPEC.replace("noise", "pause_ms: 700, noise");
    std::fs::write(root.join("experiments/slow.yaml"), fake(&spec)).expect("written");
    let moved = project.path().join("moved");
    let mut command = Command::new(RETRIAL);
    let run = command
        .args([
            "--root",
            &root.display().to_string(),
            "run",
            "slow",
            "--jobs",
            "1",
        ])
        .env("RETRIAL_CACHE", project.path().join("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let results = root.join("results/fake/slow");
    wait_for(|| names(&results).iter().any(|name| name.contains(".partial")));
    std::fs::rename(&root, &moved).expect("moved");
    let output = run.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains("was moved or replaced during the run"),
        "{said}"
    );
    assert!(
        names(&results).iter().all(|name| name.contains('.')),
        "no trial is recorded elsewhere"
    );
}

#[test]
fn a_page_whose_records_are_gone_turns_no_gate_green() {
    let project = recorded();
    project.write("experiments/b.yaml", &fake(SPEC));
    project.retrial(&["run", "b"]).exits(0);
    let page = project.path().join("reports/fake.md");
    let before = std::fs::read_to_string(&page).expect("a page");
    let kept = project.path().join("kept");
    // One experiment of a study, all of a study, and the trials from beside their sheet.
    for gone in ["fake/a", "fake"] {
        let gone = project.path().join("results").join(gone);
        std::fs::rename(&gone, &kept).expect("moved");
        for arguments in [&["report"][..], &["report", "--check"], &["report"]] {
            project
                .retrial(arguments)
                .exits(4)
                .complains("no record is left of trials that a report shows")
                .complains("reports/fake.md: a");
            assert_eq!(std::fs::read_to_string(&page).expect("a page"), before);
        }
        std::fs::rename(&kept, &gone).expect("moved");
        project.retrial(&["report"]).exits(0);
    }
    std::fs::create_dir(&kept).expect("a folder");
    let trials = names(&folder(&project));
    let trials: Vec<&String> = trials.iter().filter(|name| name.contains("-s")).collect();
    assert_eq!(trials.len(), 3);
    for name in &trials {
        std::fs::rename(folder(&project).join(name), kept.join(name)).expect("moved");
    }
    // A run of a neighbour says it, too, and its report is no fresh one.
    for _ in 0..2 {
        let said = project.retrial(&["run", "b"]);
        said.exits(4).complains("reports/fake.md: a");
        assert!(!said.out.contains("as it was"), "{}", said.out);
    }
    project.retrial(&["report"]).exits(4);
    project
        .retrial(&["run", "a"])
        .exits(0)
        .says("3 trials recorded");
    // Where they went on purpose, the page goes too.
    std::fs::remove_dir_all(folder(&project)).expect("removed");
    std::fs::remove_file(project.path().join("experiments/a.yaml")).expect("removed");
    project.retrial(&["report"]).exits(4);
    std::fs::remove_file(&page).expect("removed");
    project.retrial(&["report"]).exits(0);
    project.retrial(&["report", "--check"]).exits(0);
    let page = std::fs::read_to_string(&page).expect("a page");
    assert!(page.contains("## b\n") && !page.contains("## a\n"));
}

#[test]
fn what_is_run_is_neither_removed_nor_renamed() {
    let spec = fake("seeds: [0, 1]\nparams: {pause_ms: 3000}\n");
    let project = Project::new().with("slow", &spec);
    let folder = project.path().join("results/fake/slow");
    meanwhile(&project, || {
        for command in [&["rm", "fake/slow"][..], &["rename", "fake/slow", "quick"]] {
            let said = project.retrial(command);
            said.exits(2)
                .complains("error: process ")
                .complains(" runs fake/slow, so nothing is changed");
        }
        let partial = names(&folder).into_iter().find_map(|name| {
            let trial = name.strip_suffix(".partial")?;
            Some(format!("fake/slow/{trial}"))
        });
        let trial = partial.expect("a trial at work");
        project
            .retrial(&["rm", &trial])
            .exits(2)
            .complains(&format!("works on {trial}, so nothing is removed"));
    })
    .exits(0)
    .says("2 trials recorded, 0 failed");
    assert!(project.attempts("fake", "slow").is_empty());
    project
        .retrial(&["rm", "fake/slow"])
        .exits(0)
        .says("fake/slow: 2 trials removed");
    assert!(!folder.exists());
    assert!(names(&project.path().join("results/.leases")).is_empty());
}

#[test]
fn an_interrupted_trial_is_counted_when_it_is_removed() {
    let spec = fake("params: {rounds: 100, pause_ms: 100}\n");
    let project = Project::new().with("slow", &spec);
    let folder = project.path().join("results/fake/slow");
    let mut run = project.start(&["run", "slow", "--no-report"]);
    wait_for(|| names(&folder).iter().any(|name| name.ends_with(".partial")));
    run.kill().expect("killed");
    run.wait().expect("ended");
    // Its worker ends by itself, and frees the trial.
    let lease = || {
        project
            .retrial(&["status", "slow", "--format", "json"])
            .json()
    };
    wait_for(|| lease()["experiments"][0]["interrupted"] == 1);
    let partial = names(&folder).into_iter().find_map(|name| {
        let trial = name.strip_suffix(".partial")?;
        Some(format!("fake/slow/{trial}"))
    });
    let trial = partial.expect("an interrupted trial");
    project
        .retrial(&["rm", &trial])
        .exits(0)
        .says("1 trial removed");
    let status = project
        .retrial(&["status", "slow", "--format", "json"])
        .json();
    assert_eq!(status["experiments"][0]["new"], 1);
}
