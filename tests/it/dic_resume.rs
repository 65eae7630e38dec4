//! An interrupted series of `retrial dic` in another call: what differs is named, and what is measured anew is said.

use crate::dic_command::{pair, speckles, write_pgm};
use crate::project::{Project, Said};

const CALL: &str = "dic ref.pgm def.pgm --out out --subset 31 --step 10 --format csv --scale 0.5";

fn run(project: &Project, call: &str) -> Said {
    project.retrial(call)
}

/// Leaves `run.yaml` as a run that was interrupted does.
fn interrupt(project: &Project) {
    let file = project.path().join("out/run.yaml");
    let text = std::fs::read_to_string(file).expect("a file");
    assert!(text.contains("finished: true"), "{text}");
    project.write(
        "out/run.yaml",
        &text.replace("finished: true", "finished: false"),
    );
}

#[test]
fn what_differs_from_an_interrupted_call_is_named() {
    let project = pair();
    run(&project, CALL).exits(0);
    interrupt(&project);
    write_pgm(&project.path().join("other.pgm"), &speckles(0.8, -0.6));
    for (from, to, words) in [
        (
            "--subset 31",
            "--subset 41",
            "`subset_size_px` was 31, is 41;",
        ),
        (" --scale 0.5", "", "`scale` was 0.5 mm/px, is not given"),
        (
            "--format csv",
            "--format csv,npy",
            "`format` was csv, is csv,npy",
        ),
        (
            "def.pgm",
            "def.pgm other.pgm",
            "`image 2` was not given, is 0002_other",
        ),
        (
            "def.pgm",
            "other.pgm",
            "`image 1` was 0001_def, is 0001_other",
        ),
        (
            "ref.pgm",
            "other.pgm",
            "`reference` was ref.pgm, is other.pgm",
        ),
    ] {
        let field = project.path().join("out/0001_def.csv");
        run(&project, &CALL.replacen(from, to, 1))
            .exits(2)
            .complains("out/run.yaml: the series was interrupted in another call: ")
            .complains(words)
            .complains("repeat that call to go on, or use --force");
        assert!(field.exists(), "{words}");
    }
    write_pgm(&project.path().join("ref.pgm"), &speckles(0.1, 0.0));
    run(&project, CALL)
        .exits(2)
        .complains("`reference_sha256` was ");
    write_pgm(&project.path().join("ref.pgm"), &speckles(0.0, 0.0));
    run(&project, CALL)
        .exits(0)
        .complains("the series begins anew: it was interrupted before resume.json was written");
    run(&project, CALL)
        .exits(2)
        .complains("out/run.yaml is there already; use --force");
}

#[test]
fn a_series_that_begins_anew_says_why() {
    let project = pair();
    run(&project, CALL).exits(0);
    interrupt(&project);
    project.write("out/resume.json", "{}");
    run(&project, CALL)
        .exits(0)
        .complains("note: the series begins anew: resume.json is damaged");
}

/// What no run wrote stays, what is read is not written over, and a pipe is not waited for.
#[test]
fn nothing_of_a_person_is_lost() {
    let project = pair();
    std::fs::create_dir(project.path().join("out")).expect("a folder");
    project.write("out/summary.csv", "notes\n");
    run(&project, CALL)
        .exits(2)
        .complains("holds summary.csv of a run without run.yaml");
    let notes = std::fs::read_to_string(project.path().join("out/summary.csv"));
    assert_eq!(notes.expect("a file"), "notes\n");
    std::fs::remove_file(project.path().join("out/summary.csv")).expect("removable");
    project.write("out/0001_def.csv", "x,y\n100,100\n");
    run(&project, &format!("{CALL} --points out/0001_def.csv"))
        .exits(2)
        .complains("out/0001_def.csv is read, and a file of that name is written to ");
    let pipe = std::process::Command::new("mkfifo")
        .arg(project.path().join("pipe.pgm"))
        .status();
    assert!(pipe.expect("mkfifo").success());
    for call in [
        "dic ref.pgm pipe.pgm --out o",
        "dic pipe.pgm def.pgm --out o",
        "dic ref.pgm def.pgm --out o --mask pipe.pgm",
        "dic ref.pgm def.pgm --out o --points pipe.pgm",
        "dic ref.pgm def.pgm --out o --calibration pipe.pgm",
        "dic ref.pgm /dev/zero --out o",
    ] {
        run(&project, call).exits(2).complains("no regular file");
    }
}
