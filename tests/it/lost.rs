//! Results that are gone, foreign, unreadable or of a newer program: never taken for damage that a
//! run may mend, and never for nothing.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{Project, RETRIAL, Said, fake, names};

const SPEC: &str = "seeds: [0, 1, 2]\nparams: {noise: 0.01, level: 2.0}\n\
                    claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n";

/// A project whose experiment `a` has run and whose report is fresh.
fn recorded() -> Project {
    let project = Project::new().with("a", &fake(SPEC));
    project.retrial(&["run", "a"]).exits(0).says("reproduced");
    project
}

fn folder(project: &Project) -> PathBuf {
    project.path().join("results/fake/a")
}

/// The folder of the trial with this seed.
fn trial(project: &Project, seed: u32) -> PathBuf {
    let name = names(&folder(project))
        .into_iter()
        .find(|name| name.contains(&format!("s{seed}-")));
    folder(project).join(name.expect("a trial"))
}

fn rewrite(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("text");
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("written");
}

/// Waits until something holds, for half a minute.
#[track_caller]
fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs `retrial run slow` and does something once its first trial is recorded.
fn meanwhile(project: &Project, change: impl FnOnce()) -> Said {
    let mut command = project.command(&["run", "slow", "--jobs", "1"]);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let results = project.path().join("results/fake/slow");
    wait_for(|| {
        names(&results)
            .iter()
            .any(|name| name.contains("-s0-") && !name.contains('.'))
    });
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
fn a_report_without_records_is_an_error() {
    let project = recorded();
    let index = project.path().join("reports/index.html");
    let before = std::fs::read(&index).expect("a page");
    let results = project.path().join("results");
    std::fs::rename(&results, project.path().join("elsewhere")).expect("moved");
    for arguments in [&["report"][..], &["report", "--check"]] {
        project
            .retrial(arguments)
            .exits(5)
            .complains("results is missing");
    }
    symlink("nowhere", &results).expect("a link");
    for arguments in [
        &["report"][..],
        &["report", "--check"],
        &["claims"],
        &["run"],
    ] {
        let said = project.retrial(arguments);
        assert_ne!(said.code, Some(0), "{arguments:?}");
    }
    project
        .retrial(&["status"])
        .exits(5)
        .complains("leads nowhere");
    assert_eq!(std::fs::read(&index).expect("a page"), before);
    // What is left of a report on records that are gone is stale, and goes.
    std::fs::remove_file(&results).expect("removed");
    std::fs::create_dir(&results).expect("a folder");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("reports/fake.md");
    project.retrial(&["report"]).exits(0);
    assert!(!project.path().join("reports/fake.md").exists());
}

#[test]
fn a_lost_sheet_is_damage_and_its_spec_brings_it_back() {
    let project = recorded();
    let sheet = folder(&project).join("experiment.yaml");
    std::fs::remove_file(&sheet).expect("removed");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("fake/a/experiment.yaml: No such file");
    let spec = project.path().join("experiments/a.yaml");
    let text = std::fs::read_to_string(&spec).expect("text");
    std::fs::remove_file(&spec).expect("removed");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("fake/a/experiment.yaml: No such file");
    // A directory in its place.
    std::fs::create_dir(&sheet).expect("a folder");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("it is no regular file");
    std::fs::remove_dir(&sheet).expect("removed");
    // A neighbour does not stop a run, and the run says what it met.
    project.write("experiments/b.yaml", &fake(SPEC));
    std::fs::write(&sheet, "format: 1\n").expect("written");
    project
        .retrial(&["run", "b"])
        .exits(4)
        .says("reproduced")
        .complains("missing field `study`");
    std::fs::write(&spec, text).expect("written");
    project
        .retrial(&["report"])
        .exits(0)
        .complains("a damaged sheet is written again");
    project.retrial(&["report", "--check"]).exits(0);
}

#[test]
fn a_run_judges_by_the_plan_that_it_holds() {
    let project = slow();
    let sheet = project.path().join("results/fake/slow/experiment.yaml");
    meanwhile(&project, || std::fs::remove_file(&sheet).expect("removed"))
        .exits(0)
        .says("3 trials recorded")
        .says("reproduced")
        .complains("was lost during the run and is written again");
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
fn a_record_that_is_damaged_during_its_run_is_no_success() {
    let project = slow();
    meanwhile(&project, || {
        let folder = project.path().join("results/fake/slow");
        let first = names(&folder)
            .into_iter()
            .find(|name| name.contains("-s0-"));
        let file = folder.join(first.expect("a trial")).join("metrics.csv");
        std::fs::write(file, "metric,value\n").expect("written");
    })
    .exits(4)
    .says("underpowered")
    .complains("metrics.csv was changed after it was recorded");
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
fn seeds_taken_off_a_sheet_reproduce_nothing() {
    let project = Project::new().with(
        "a",
        &fake(
            "seeds: [0, 1, 2, 3]\nparams: {noise: 0.01, level: 2.0, fails_before: 1}\n\
             claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n",
        ),
    );
    project.retrial(&["run", "a"]).exits(1);
    project.retrial(&["run", "a", "--no-report"]).exits(0);
    // Seed 3 failed, and was never run again.
    std::fs::remove_dir_all(trial(&project, 3)).expect("removed");
    project.retrial(&["claims"]).exits(0).says("underpowered");
    let spec = project.path().join("experiments/a.yaml");
    rewrite(&spec, "[0, 1, 2, 3]", "[0, 1, 2]");
    let claims = project
        .retrial(&["claims", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(claims["claims"][0]["verdict"], "underpowered");
    assert_eq!(claims["claims"][0]["trials"]["dropped"], 1);
    std::fs::remove_file(&spec).expect("removed");
    let sheet = folder(&project).join("experiment.yaml");
    rewrite(&sheet, "seeds:\n- 0\n", "seeds:\n");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("experiment.yaml: its text was changed after it was written");
}

#[test]
fn a_sheet_of_an_older_program_is_no_stale_one_and_is_renewed() {
    let project = recorded();
    let sheet = folder(&project).join("experiment.yaml");
    let text = std::fs::read_to_string(&sheet).expect("text");
    let (body, _) = retrial_core::experiment::unsealed(&text).expect("a seal");
    let old = body.replacen("format: 2", "format: 1", 1);
    std::fs::write(&sheet, &old).expect("written");
    project.retrial(&["report", "--check"]).exits(0);
    project.retrial(&["claims"]).exits(0);
    assert_eq!(std::fs::read_to_string(&sheet).expect("text"), text);
    std::fs::write(&sheet, old.replace("pipeline", "old pipeline")).expect("written");
    project
        .retrial(&["report", "--check"])
        .exits(4)
        .complains("results/fake/a/experiment.yaml");
}

/// Every file of the results with its bytes.
fn everything(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            let bytes = std::fs::read(&path).ok();
            found.push((path, bytes));
        }
    }
    found
}

#[test]
fn what_cannot_be_read_is_left_where_it_is() {
    let project = recorded();
    let record = trial(&project, 0).join("trial.yaml");
    let sheet = folder(&project).join("experiment.yaml");
    let verbs: [&[&str]; 6] = [
        &["run", "a"],
        &["status"],
        &["plan"],
        &["claims"],
        &["report"],
        &["report", "--check"],
    ];
    for (file, words) in [(&record, "format 3"), (&sheet, "format 3")] {
        let whole = std::fs::read_to_string(file).expect("text");
        std::fs::write(file, whole.replacen("format: 2", "format: 3", 1)).expect("written");
        let before = everything(&folder(&project));
        for verb in verbs {
            // Neither of them looks at sheets.
            if file == &sheet && matches!(verb[0], "status" | "plan") {
                continue;
            }
            project.retrial(verb).exits(5).complains(words);
        }
        assert_eq!(everything(&folder(&project)), before);
        std::fs::write(file, whole).expect("written");
    }
    // A link to itself: the system refuses to follow it.
    for file in [&record, &trial(&project, 1).join("events.jsonl")] {
        let whole = std::fs::read(file).expect("bytes");
        std::fs::remove_file(file).expect("removed");
        symlink(file, file).expect("a link");
        let before = everything(&folder(&project));
        for verb in verbs {
            project.retrial(verb).exits(5).complains(
                &file.display().to_string()[project.path().display().to_string().len() + 1..],
            );
        }
        assert_eq!(everything(&folder(&project)), before);
        std::fs::remove_file(file).expect("removed");
        std::fs::write(file, whole).expect("written");
    }
    project.retrial(&["report", "--check"]).exits(0);
}

#[test]
fn a_pipe_is_no_record_and_hangs_nobody() {
    let project = recorded();
    for file in ["events.jsonl", "trial.yaml"] {
        let path = trial(&project, 0).join(file);
        std::fs::remove_file(&path).expect("removed");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        let status = project
            .retrial(&["status", "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(status["experiments"][0]["damaged"], 1, "{file}");
        project
            .retrial(&["report", "--check"])
            .exits(4)
            .complains("it is no regular file");
        project
            .retrial(&["run", "a"])
            .exits(0)
            .complains("set aside");
    }
}

#[test]
fn what_is_set_aside_stays_beside_its_experiment() {
    let project = Project::new().with("a", &fake(SPEC));
    let other = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let other = other.expect("a folder");
    std::fs::create_dir_all(project.path().join("results/fake")).expect("a folder");
    symlink(other.path(), folder(&project)).expect("a link");
    project.retrial(&["run", "a"]).exits(0);
    rewrite(&trial(&project, 0).join("trial.yaml"), "host: ", "host: x");
    project
        .retrial(&["run", "a"])
        .exits(0)
        .complains("it lies in results/fake/a/.aside/")
        .says("1 trial recorded");
    assert_eq!(names(&other.path().join(".aside")).len(), 1);
    project.retrial(&["report", "--check"]).exits(0);
}

#[test]
fn copies_of_records_and_attempts_are_foreign() {
    let copy = |from: &Path, to: &Path| {
        let status = Command::new("cp").arg("-r").args([from, to]).status();
        assert!(status.is_ok_and(|status| status.success()));
    };
    let project = Project::new()
        .with("bad", &fake("params: {ends: error}\n"))
        .with("gate", &fake(SPEC))
        .with("other", &fake(SPEC));
    project.retrial(&["run", "bad", "--no-report"]).exits(1);
    let results = project.path().join("results/fake");
    let attempts = names(&results.join("bad"));
    let attempts = attempts.iter().find(|name| name.ends_with(".attempts"));
    let attempts = results.join("bad").join(attempts.expect("attempts"));
    copy(&attempts.join("1"), &attempts.join("2"));
    project
        .retrial(&["report"])
        .exits(4)
        .complains("attempts/2/attempt.yaml: it says that it is attempt 1");
    std::fs::remove_dir_all(attempts.join("2")).expect("removed");
    // An attempt that is damaged is told as that.
    let file = attempts.join("1/attempt.yaml");
    rewrite(&file, "host: ", "host: x");
    let status = project
        .retrial(&["status", "bad", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(status["experiments"][0]["damaged"], 1);
    assert_eq!(status["experiments"][0]["failed"], 0);
    project
        .retrial(&["run", "bad", "--no-report"])
        .exits(1)
        .complains("set aside");
    project.retrial(&["report"]).exits(0);

    project.retrial(&["run", "other", "--no-report"]).exits(0);
    copy(&results.join("other"), &results.join("gate"));
    let status = project
        .retrial(&["status", "gate", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(status["experiments"][0]["recorded"], 0);
    assert_eq!(status["experiments"][0]["damaged"], 3);
    project
        .retrial(&["claims", "gate"])
        .exits(4)
        .complains("it says that it is of `fake/other`");
}

#[test]
fn a_project_is_found_from_a_folder_that_is_gone() {
    let project = Project::new().with("a", &fake(SPEC));
    let root = project.path().display().to_string();
    let status = Command::new("sh")
        .args([
            "-c",
            "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$@\"",
            RETRIAL,
        ])
        .args(["--root", &root, "run", "a"])
        .current_dir(project.path())
        .env("RETRIAL_CACHE", project.path().join("cache"))
        .status()
        .expect("a shell");
    assert_eq!(status.code(), Some(0));
    let status = Command::new("sh")
        .args([
            "-c",
            "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$@\"",
            RETRIAL,
        ])
        .arg("status")
        .current_dir(project.path())
        .status()
        .expect("a shell");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_path_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let outer = tempfile::tempdir().expect("a folder");
    let root = outer.path().join(std::ffi::OsStr::from_bytes(b"r\xff"));
    for name in ["experiments", "datasets"] {
        std::fs::create_dir_all(root.join(name)).expect("a folder");
    }
    std::fs::write(root.join("experiments/a.yaml"), fake(SPEC)).expect("written");
    let output = Command::new(RETRIAL)
        .args(["run", "a"])
        .current_dir(&root)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("r\\xFF"), "{said}");
}

#[test]
fn a_run_without_work_leaves_a_fresh_report_alone_and_mends_another() {
    let project = recorded();
    let page = project.path().join("reports/fake.md");
    project
        .retrial(&["run", "a"])
        .exits(0)
        .says("nothing to run")
        .says("index.html (as it was)");
    let whole = std::fs::read_to_string(&page).expect("a page");
    std::fs::write(&page, "edited").expect("written");
    let said = project.retrial(&["run", "a"]);
    assert!(!said.exits(0).out.contains("(as it was)"), "{}", said.out);
    assert_eq!(std::fs::read_to_string(&page).expect("a page"), whole);
    // Another sheet, another report.
    rewrite(
        &project.path().join("experiments/a.yaml"),
        "abs: 0.5",
        "abs: 0.4",
    );
    let said = project.retrial(&["run", "a"]);
    assert!(!said.exits(0).out.contains("(as it was)"), "{}", said.out);
    project.retrial(&["report", "--check"]).exits(0);
}
