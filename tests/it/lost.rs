//! Results that are gone, foreign, unreadable or of a newer program: never taken for damage that a
//! run may mend, and never for nothing.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{Project, RETRIAL, fake, names};

pub(crate) const SPEC: &str = "seeds: [0, 1, 2]\nparams: {noise: 0.01, level: 2.0}\n\
                    claims:\n  - {id: two, source: Table 1, metric: value, expect: {value: 2.0, abs: 0.5}}\n";

/// A project whose experiment `a` has run and whose report is fresh.
pub(crate) fn recorded() -> Project {
    let project = Project::new().with("a", &fake(SPEC));
    project.retrial("run a").exits(0).says("reproduced");
    project
}

pub(crate) fn folder(project: &Project) -> PathBuf {
    project.path().join("results/fake/a")
}

/// The folder of the trial with this seed.
fn trial(project: &Project, seed: u32) -> PathBuf {
    let name = names(&folder(project))
        .into_iter()
        .find(|name| name.contains(&format!("s{seed}-")));
    folder(project).join(name.expect("a trial"))
}

pub(crate) fn rewrite(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("text");
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn a_report_without_records_is_an_error() {
    let project = recorded();
    let index = project.path().join("reports/index.html");
    let before = std::fs::read(&index).expect("a page");
    let results = project.path().join("results");
    std::fs::rename(&results, project.path().join("elsewhere")).expect("moved");
    for arguments in ["report", "report --check"] {
        project
            .retrial(arguments)
            .exits(5)
            .complains("results is missing");
    }
    symlink("nowhere", &results).expect("a link");
    for arguments in ["report", "report --check", "claims", "run"] {
        let said = project.retrial(arguments);
        assert_ne!(said.code, Some(0), "{arguments:?}");
    }
    project
        .retrial("status")
        .exits(5)
        .complains("leads nowhere");
    assert_eq!(std::fs::read(&index).expect("a page"), before);
    std::fs::remove_file(&results).expect("removed");
    std::fs::rename(project.path().join("elsewhere"), &results).expect("moved");
    project.retrial("report --check").exits(0);
}

#[test]
fn a_lost_sheet_is_damage_and_its_spec_brings_it_back() {
    let project = recorded();
    let sheet = folder(&project).join("experiment.yaml");
    std::fs::remove_file(&sheet).expect("removed");
    project
        .retrial("report --check")
        .exits(4)
        .complains("fake/a/experiment.yaml: No such file");
    let spec = project.path().join("experiments/a.yaml");
    let text = std::fs::read_to_string(&spec).expect("text");
    std::fs::remove_file(&spec).expect("removed");
    project
        .retrial("report")
        .exits(4)
        .complains("fake/a/experiment.yaml: No such file");
    // A directory in its place.
    std::fs::create_dir(&sheet).expect("a folder");
    project
        .retrial("report")
        .exits(4)
        .complains("it is no regular file");
    std::fs::remove_dir(&sheet).expect("removed");
    // A neighbour does not stop a run, and the run says what it met.
    project.write("experiments/b.yaml", &fake(SPEC));
    std::fs::write(&sheet, "format: 2\n").expect("written");
    project
        .retrial("run b")
        .exits(4)
        .says("reproduced")
        .complains("fake/a/experiment.yaml: its text was changed");
    std::fs::write(&spec, text).expect("written");
    project
        .retrial("report")
        .exits(0)
        .complains("a damaged sheet is written again");
    project.retrial("report --check").exits(0);
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
    project.retrial("run a").exits(1);
    project.retrial("run a --no-report").exits(0);
    // Seed 3 failed, and was never run again.
    std::fs::remove_dir_all(trial(&project, 3)).expect("removed");
    project.retrial("claims").exits(0).says("underpowered");
    let spec = project.path().join("experiments/a.yaml");
    rewrite(&spec, "[0, 1, 2, 3]", "[0, 1, 2]");
    let claims = project.retrial("claims --format json").exits(0).json();
    assert_eq!(claims["claims"][0]["verdict"], "underpowered");
    assert_eq!(claims["claims"][0]["trials"]["dropped"], 1);
    std::fs::remove_file(&spec).expect("removed");
    let sheet = folder(&project).join("experiment.yaml");
    rewrite(&sheet, "seeds:\n- 0\n", "seeds:\n");
    project
        .retrial("report")
        .exits(4)
        .complains("experiment.yaml: its text was changed after it was written");
}

#[test]
fn a_sheet_without_a_seal_judges_nothing_until_its_spec_renews_it() {
    let project = recorded();
    let sheet = folder(&project).join("experiment.yaml");
    let text = std::fs::read_to_string(&sheet).expect("text");
    let (body, _) = retrial_core::seal::unsealed(&text).expect("a seal");
    let old = body.replacen("format: 2", "format: 1", 1);
    let spec = project.path().join("experiments/a.yaml");
    let written = std::fs::read_to_string(&spec).expect("text");
    std::fs::remove_file(&spec).expect("removed");
    std::fs::write(&sheet, &old).expect("written");
    for arguments in ["report", "report --check"] {
        project
            .retrial(arguments)
            .exits(4)
            .complains("fake/a/experiment.yaml: it has format 1");
    }
    let page = std::fs::read_to_string(project.path().join("reports/fake.md")).expect("a page");
    assert!(!page.contains("reproduced 1"), "{page}");
    std::fs::write(&spec, written).expect("written");
    project
        .retrial("claims")
        .exits(0)
        .complains("a damaged sheet is written again");
    assert_eq!(std::fs::read_to_string(&sheet).expect("text"), text);
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
    let verbs = [
        "run a",
        "status",
        "plan",
        "claims",
        "report",
        "report --check",
    ];
    for (file, own, words) in [(&record, 5, "format 6"), (&sheet, 2, "format 3")] {
        let whole = std::fs::read_to_string(file).expect("text");
        let (from, to) = (format!("format: {own}"), words.replace(' ', ": "));
        assert!(whole.starts_with(&from), "{whole}");
        std::fs::write(file, whole.replacen(&from, &to, 1)).expect("written");
        let before = everything(&folder(&project));
        for verb in verbs {
            // Neither of them looks at sheets.
            if file == &sheet && (verb.starts_with("status") || verb.starts_with("plan")) {
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
    project.retrial("report --check").exits(0);
}

#[test]
fn a_pipe_is_no_record_and_hangs_nobody() {
    let project = recorded();
    for file in ["events.jsonl", "trial.yaml"] {
        let path = trial(&project, 0).join(file);
        std::fs::remove_file(&path).expect("removed");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        let status = project.retrial("status --format json").exits(0).json();
        assert_eq!(status["experiments"][0]["damaged"], 1, "{file}");
        project
            .retrial("report --check")
            .exits(4)
            .complains("it is no regular file");
        project.retrial("run a").exits(0).complains("set aside");
    }
}

#[test]
fn what_is_set_aside_stays_beside_its_experiment() {
    let project = Project::new().with("a", &fake(SPEC));
    let other = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let other = other.expect("a folder");
    std::fs::create_dir_all(project.path().join("results/fake")).expect("a folder");
    symlink(other.path(), folder(&project)).expect("a link");
    project.retrial("run a").exits(0);
    rewrite(&trial(&project, 0).join("trial.yaml"), "host: ", "host: x");
    project
        .retrial("run a")
        .exits(0)
        .complains("it lies in results/fake/a/.aside/")
        .says("1 trial recorded");
    assert_eq!(names(&other.path().join(".aside")).len(), 1);
    project.retrial("report --check").exits(0);
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
    project.retrial("run bad --no-report").exits(1);
    let results = project.path().join("results/fake");
    let attempts = names(&results.join("bad"));
    let attempts = attempts.iter().find(|name| name.ends_with(".attempts"));
    let attempts = results.join("bad").join(attempts.expect("attempts"));
    copy(&attempts.join("1"), &attempts.join("2"));
    project
        .retrial("report")
        .exits(4)
        .complains("attempts/2/attempt.yaml: it says that it is attempt 1");
    std::fs::remove_dir_all(attempts.join("2")).expect("removed");
    // An attempt that is damaged is told as that.
    let file = attempts.join("1/attempt.yaml");
    rewrite(&file, "host: ", "host: x");
    let status = project.retrial("status bad --format json").exits(0).json();
    assert_eq!(status["experiments"][0]["damaged"], 1);
    assert_eq!(status["experiments"][0]["failed"], 0);
    project
        .retrial("run bad --no-report")
        .exits(1)
        .complains("set aside");
    project.retrial("report").exits(0);

    project.retrial("run other --no-report").exits(0);
    copy(&results.join("other"), &results.join("gate"));
    let status = project.retrial("status gate --format json").exits(0).json();
    assert_eq!(status["experiments"][0]["recorded"], 0);
    assert_eq!(status["experiments"][0]["damaged"], 3);
    project
        .retrial("claims gate")
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
        .retrial("run a")
        .exits(0)
        .says("nothing to run")
        .says("index.html (as it was)");
    let whole = std::fs::read_to_string(&page).expect("a page");
    std::fs::write(&page, "edited").expect("written");
    let said = project.retrial("run a");
    assert!(!said.exits(0).out.contains("(as it was)"), "{}", said.out);
    assert_eq!(std::fs::read_to_string(&page).expect("a page"), whole);
    // A link to the same bytes.
    let elsewhere = project.path().join("elsewhere.md");
    std::fs::rename(&page, &elsewhere).expect("moved");
    symlink(&elsewhere, &page).expect("a link");
    project.retrial("report --check").exits(4);
    let said = project.retrial("run a");
    assert!(!said.exits(0).out.contains("(as it was)"), "{}", said.out);
    assert!(!page.is_symlink());
    // Another sheet, another report.
    rewrite(
        &project.path().join("experiments/a.yaml"),
        "abs: 0.5",
        "abs: 0.4",
    );
    let said = project.retrial("run a");
    assert!(!said.exits(0).out.contains("(as it was)"), "{}", said.out);
    project.retrial("report --check").exits(0);
}
