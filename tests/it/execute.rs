//! Trials that end badly, runs that meet, and what is left of them.

use std::process::Stdio;

use retrial_core::record::{Outcome, Record, StageOrigin};

use crate::project::{Project, fake, names};

fn cause(project: &Project, experiment: &str) -> (String, String) {
    let attempts = project.attempts("fake", experiment);
    match &attempts.last().expect("a failed attempt").outcome {
        Outcome::Failed { cause, error } => (cause.clone(), error.clone()),
        Outcome::Finished => panic!("an attempt that finished"),
    }
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let project = Project::new().with("a", &fake("default: true\nseeds: [0, 1, 2]\n"));
    project
        .retrial(&["run"])
        .exits(0)
        .says("3 trials recorded, 0 failed")
        .says("report: ");
    let before = project.contents("fake", "a");
    project
        .retrial(&["run"])
        .exits(0)
        .says("all 3 trials are recorded, nothing to run");
    assert_eq!(project.contents("fake", "a"), before);
}

#[test]
fn every_bad_end_becomes_a_record_and_the_others_go_on() {
    for (ends, rest, expected, words) in [
        ("error", "", "error", "the trial fails as asked"),
        ("panic", "", "panic", "the trial panics as asked"),
        ("abort", "", "signal", "killed by signal 6"),
        (
            "memory",
            "limits: {memory_mib: 2048}\n",
            "out_of_memory",
            "no memory was left",
        ),
    ] {
        let spec = fake(&format!(
            "{rest}params: {{ends: {ends}}}\nsweep: {{level: [1.0]}}\n"
        ));
        let well = fake("sweep: {level: [1.0, 2.0]}\n");
        let project = Project::new().with("bad", &spec).with("well", &well);
        project
            .retrial(&["run", "experiments", "--no-report"])
            .exits(1)
            .complains("error: 1 trial failed");
        let (cause, error) = cause(&project, "bad");
        assert_eq!(cause, expected, "{error}");
        assert!(error.contains(words), "{ends}: {error}");
        assert_eq!(project.records("fake", "well").len(), 2);
        assert!(project.records("fake", "bad").is_empty());
        let attempts = names(&project.path().join("results/fake/bad"));
        assert_eq!(
            attempts
                .iter()
                .filter(|name| name.ends_with(".attempts"))
                .count(),
            1
        );
    }
}

#[test]
fn a_killed_worker_is_named_as_such() {
    let spec = fake("params: {pause_ms: 60000}\nlimits: {time_s: 20}\n");
    let project = Project::new().with("killed", &spec);
    let mut run = project.start(&["run", "experiments/killed.yaml", "--no-report"]);
    let worker = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        child_of(run.id())
    });
    let worker = nix::unistd::Pid::from_raw(worker.expect("a worker"));
    std::thread::sleep(std::time::Duration::from_millis(100));
    nix::sys::signal::kill(worker, nix::sys::signal::Signal::SIGKILL).expect("a signal");
    assert_eq!(run.wait().expect("ended").code(), Some(1));
    let (cause, error) = cause(&project, "killed");
    assert_eq!(cause, "signal");
    assert!(error.contains("killed by signal 9 from outside"), "{error}");
}

/// The child of a process, from the process table.
fn child_of(parent: u32) -> Option<i32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(path).ok()?;
    // A git command may be the first child of a run; the worker lives longer.
    children.split_whitespace().find_map(|id| {
        let line = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
        line.contains("worker").then(|| id.parse().ok())?
    })
}

#[test]
fn a_time_limit_ends_a_trial() {
    let project = Project::new().with(
        "late",
        &fake("params: {pause_ms: 60000}\nlimits: {time_s: 0.3}\n"),
    );
    project
        .retrial(&["run", "experiments/late.yaml", "--no-report"])
        .exits(1);
    let (cause, error) = cause(&project, "late");
    assert_eq!(cause, "time_limit");
    assert!(
        error.contains("ran longer than the limit of 0.3 s"),
        "{error}"
    );
}

#[test]
fn waiting_for_a_stage_is_no_running_time() {
    let project = Project::new()
        .with("first", &fake("params: {rounds: 1}\n"))
        .with(
            "wait",
            &fake("params: {rounds: 1}\nlimits: {time_s: 1.5}\n"),
        );
    let first = project.retrial(&["run", "experiments/first.yaml", "--no-report"]);
    first.exits(0);
    let stages = project.path().join("results/.stages");
    let held: Vec<std::fs::File> = names(&stages)
        .into_iter()
        .map(|id| {
            let leases = project.path().join("results/.leases");
            let file = std::fs::File::create(leases.join(format!("stage.{id}.lease")));
            let file = file.expect("a lease");
            file.lock().expect("locked");
            file
        })
        .collect();
    assert_eq!(held.len(), 2);
    std::fs::remove_dir_all(stages).expect("removed");
    let mut run = project.start(&["run", "experiments/wait.yaml", "--no-report"]);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert!(run.try_wait().expect("a process").is_none(), "it waits");
    drop(held);
    assert_eq!(run.wait().expect("ended").code(), Some(0));
    assert_eq!(project.records("fake", "wait").len(), 1);
}

#[test]
fn retries_keep_every_attempt() {
    let project = Project::new().with("flaky", &fake("params: {fails_before: 2}\n"));
    project
        .retrial(&[
            "run",
            "experiments/flaky.yaml",
            "--retries",
            "1",
            "--no-report",
        ])
        .exits(1);
    assert_eq!(project.attempts("fake", "flaky").len(), 2);
    project
        .retrial(&["plan", "experiments/flaky.yaml"])
        .says("failed 2 times: attempt 2 fails as asked");
    // The next run counts on from there.
    project
        .retrial(&["run", "experiments/flaky.yaml", "--no-report"])
        .exits(0);
    let records = project.records("fake", "flaky");
    assert_eq!(records.values().next().expect("a record").attempt, 3);
    assert_eq!(
        project.attempts("fake", "flaky").len(),
        2,
        "failed attempts stay"
    );
}

#[test]
fn fail_fast_leaves_the_rest_alone() {
    let spec =
        fake("params: {pause_ms: 200}\nsweep: {ends: [error, well], level: [1.0, 2.0, 3.0]}\n");
    let project = Project::new().with("fast", &spec);
    project
        .retrial(&[
            "run",
            "experiments/fast.yaml",
            "--fail-fast",
            "--jobs",
            "1",
            "--no-report",
        ])
        .exits(1)
        .says("0 trials recorded, 1 failed, 5 not run");
    project
        .retrial(&["run", "experiments/fast.yaml", "--no-report"])
        .exits(1)
        .says("0 trials recorded already, 6 to run; 1 failed before and is tried again");
    project
        .retrial(&["run", "experiments/fast.yaml", "--no-report"])
        .says("3 trials recorded already, 3 to run; 3 failed before and are tried again");
    std::fs::remove_dir_all(project.path().join("results")).expect("removed");
    project
        .retrial(&["run", "fast", "--fail-fast", "--jobs", "1", "--no-report"])
        .exits(1);
    assert_eq!(project.attempts("fake", "fast").len(), 1);
    assert!(project.records("fake", "fast").is_empty());
}

#[test]
fn runs_share_the_work_and_count_it_once() {
    let spec =
        fake("params: {pause_ms: 60}\nsweep: {level: {linspace: {from: 1, to: 10, count: 10}}}\n");
    let project = Project::new().with("shared", &spec);
    let arguments = [
        "run",
        "experiments/shared.yaml",
        "--jobs",
        "2",
        "--no-report",
    ];
    let start = || {
        let mut command = project.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    };
    let runs = [start(), start(), start()];
    let counted = runs.map(|run| {
        let output = run.wait_with_output().expect("ended");
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.contains(" recorded, 0 failed"));
        // A run that came last had nothing to do.
        line.map_or(0, |line| {
            let number = line.split(' ').next().expect("a number");
            number.parse::<usize>().expect("a number")
        })
    });
    assert_eq!(counted.iter().sum::<usize>(), 10, "{counted:?}");
    let records = project.records("fake", "shared");
    assert_eq!(records.len(), 10);
    assert!(records.values().all(|record| record.attempt == 1));
    assert!(project.attempts("fake", "shared").is_empty());
}

#[test]
fn stages_are_built_once_and_damage_is_mended() {
    let spec = fake("params: {rounds: 3}\nsweep: {factor: [1.0, 2.0], level: [0.0, 1.0]}\n");
    let project = Project::new().with("stages", &spec);
    project
        .retrial(&[
            "run",
            "experiments/stages.yaml",
            "--jobs",
            "1",
            "--no-report",
        ])
        .exits(0);
    let records = project.records("fake", "stages");
    let built = |name: &str| {
        let stages = records.values().flat_map(|record| &record.stages);
        stages
            .filter(|stage| stage.name == name && !stage.reused)
            .count()
    };
    assert_eq!((built("prepare"), built("scale")), (1, 2));
    let stages = project.path().join("results/.stages");
    assert_eq!(names(&stages).len(), 3);

    // A damaged result is noticed and built again; the records come out the same.
    let before = project.contents("fake", "stages");
    for name in names(&stages) {
        let path = stages.join(name).join("result.h5");
        let bytes = std::fs::read(&path).expect("a result");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    }
    std::fs::remove_dir_all(project.path().join("results/fake")).expect("removed");
    project
        .retrial(&["run", "experiments/stages.yaml", "--no-report"])
        .exits(0)
        .complains("a stage is built again: ");
    assert_eq!(project.contents("fake", "stages"), before);
}

#[test]
fn a_flipped_bit_in_a_stage_neither_hangs_nor_counts() {
    let spec = fake("params: {rounds: 3}\nlimits: {time_s: 60}\n");
    let project = Project::new().with("stages", &spec);
    let run = ["run", "experiments/stages.yaml", "--no-report"];
    project.retrial(&run).exits(0);
    let before = project.contents("fake", "stages");
    let stages = project.path().join("results/.stages");
    // The size of the first text: with its highest bit set, the HDF5 library never comes back.
    let damage = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).expect("a result");
        let heap = bytes.windows(4).position(|four| four == b"GCOL");
        bytes[heap.expect("a heap") + 24] ^= 0x80;
        std::fs::write(path, bytes).expect("written");
    };
    for name in names(&stages) {
        damage(&stages.join(name).join("result.h5"));
    }
    let record = project.path().join("results/fake/stages");
    let arrays = record
        .join(before.keys().next().expect("a trial"))
        .join("rounds.h5");
    damage(&arrays);
    project
        .retrial(&["anogan", "samples", &arrays.display().to_string(), "1"])
        .complains("is damaged: it states blake3:");
    std::fs::remove_dir_all(record).expect("removed");
    project
        .retrial(&run)
        .exits(0)
        .complains("a stage is built again: ");
    assert_eq!(project.contents("fake", "stages"), before);
}

#[test]
fn a_metric_that_is_not_a_number_is_recorded_as_such() {
    let spec = fake(
        "params: {ends: nan}\nseeds: [0, 1, 2]\nclaims:\n  - {id: c, source: s, metric: value, expect: {at_least: 0}}\n",
    );
    let project = Project::new().with("nan", &spec);
    project
        .retrial(&["run", "experiments/nan.yaml"])
        .exits(0)
        .says("not testable");
    let record = project
        .records("fake", "nan")
        .into_values()
        .next()
        .expect("a record");
    assert!(record.metric("value").expect("the metric").is_nan());
}

#[test]
fn provenance_is_complete() {
    let project = Project::new().with("a", &fake("params: {rounds: 2}\n"));
    project
        .retrial(&["run", "experiments/a.yaml", "--no-report"])
        .exits(0);
    let record = project
        .records("fake", "a")
        .into_values()
        .next()
        .expect("a record");
    let p = &record.provenance;
    assert!(p.lock_file.starts_with("blake3:"));
    assert!(!p.cpu.is_empty() && !p.host.is_empty() && p.threads >= 1);
    assert!(p.peak_memory_mib > 1.0 && p.cpu_s >= 0.0 && p.duration_s > 0.0);
    assert_eq!(p.started.len(), "2026-11-21T23:02:22Z".len());
    let build = p.build.as_ref().expect("a build");
    assert!(
        ["release", "debug"].contains(&build.profile.as_str()),
        "{}",
        build.profile
    );
    assert!(build.rustc.starts_with("rustc "), "{}", build.rustc);
    assert!(
        build.target.contains(std::env::consts::ARCH),
        "{}",
        build.target
    );
    // Each stage says what made it, also where another trial did.
    let made = |record: &Record| -> Vec<StageOrigin> {
        let stages = record.stages.iter();
        stages
            .map(|stage| stage.made.clone().expect("an origin"))
            .collect()
    };
    let own = made(&record);
    assert_eq!(own.len(), 2);
    for origin in &own {
        assert_eq!((&origin.build, &origin.host), (build, &p.host));
        assert!(origin.finished >= p.started, "{}", origin.finished);
    }
    let project = project.with("b", &fake("params: {rounds: 2, level: 3.0}\n"));
    project
        .retrial(&["run", "experiments/b.yaml", "--no-report"])
        .exits(0);
    let other = project.records("fake", "b").into_values().next();
    let other = other.expect("a record");
    assert!(other.stages.iter().all(|stage| stage.reused));
    assert_eq!(made(&other), own);
    let paths: Vec<&str> = record.artifacts.iter().map(|a| a.path.as_str()).collect();
    assert_eq!(paths, ["rounds.csv", "rounds.h5"]);
}

#[test]
fn a_record_that_was_emptied_is_no_record() {
    let project = Project::new().with("a", &fake("sweep: {level: [1.0, 2.0]}\n"));
    project
        .retrial(&["run", "experiments/a.yaml", "--no-report"])
        .exits(0);
    let before = project.contents("fake", "a");
    let folder = project.path().join("results/fake/a");
    let first = folder.join(before.keys().next().expect("a trial"));
    std::fs::write(first.join("trial.yaml"), "").expect("written");
    project
        .retrial(&["run", "experiments/a.yaml", "--no-report"])
        .exits(0)
        .says("1 trial recorded");
    assert_eq!(project.contents("fake", "a"), before);
    std::fs::remove_file(first.join("trial.yaml")).expect("removed");
    project
        .retrial(&["run", "experiments/a.yaml", "--no-report"])
        .exits(0);
    assert_eq!(project.contents("fake", "a"), before);
    let aside = names(&folder.join(".aside"));
    assert_eq!(aside.len(), 2, "what was emptied is kept aside: {aside:?}");
}

#[test]
fn an_edited_record_is_named() {
    let project = Project::new().with("a", &fake("params: {rounds: 2, level: 1.5}\n"));
    project.retrial(&["run", "experiments/a.yaml"]).exits(0);
    let trial = project
        .contents("fake", "a")
        .into_keys()
        .next()
        .expect("a trial");
    let folder = project.path().join("results/fake/a").join(trial);
    let rewrite = |name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(folder.join(name)).expect("text");
        assert!(text.contains(from), "{text}");
        std::fs::write(folder.join(name), text.replace(from, to)).expect("written");
    };
    rewrite("rounds.csv", "0,", "0,1");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("rounds.csv was changed after it was recorded");
    rewrite("trial.yaml", "value: 1.5", "value: 2.5");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("its text was changed after it was recorded");
    std::fs::write(folder.join("trial.yaml"), "format: 99\n").expect("written");
    project
        .retrial(&["report"])
        .exits(5)
        .complains("format 99, which a newer program wrote");
}

#[test]
fn a_panic_within_a_memory_limit_does_not_hang() {
    let spec = fake("limits: {memory_mib: 512, time_s: 60}\nparams: {ends: panic}\n");
    let project = Project::new().with("a", &spec);
    let mut command = project.command(&["run", "experiments/a.yaml", "--no-report"]);
    let status = command.env("RUST_BACKTRACE", "1").status().expect("a run");
    assert_eq!(status.code(), Some(1));
    assert_eq!(cause(&project, "a").0, "panic");
}
