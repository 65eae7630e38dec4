//! Files that people get wrong: clear errors, exit code 2, nothing run.

use crate::project::{Project, fake};

#[test]
fn every_fault_of_every_file_with_its_line() {
    let project = Project::new()
        .with("a", &fake("params: {levl: 1.0}\nsweep: {level: []}\n"))
        .with("b", &fake("seeds: [0, 0]\nsweep: {level: [.nan]}\n"));
    project
        .retrial(&["check"])
        .exits(2)
        .complains("experiments/a.yaml:4:10: params.levl: the study has no such param")
        .complains("did you mean `level`?")
        .complains("experiments/a.yaml:5:16: sweep.level: an empty sweep plans no trial")
        .complains("experiments/b.yaml:4:12: seeds[1]: the seed 0 stands there twice")
        .complains("expected a finite number, found `NaN`")
        .complains("4 faults");
    project.retrial(&["run", "experiments"]).exits(2);
    assert!(
        !project.path().join("results").exists(),
        "a faulty spec runs nothing"
    );
}

#[test]
fn faults_as_json() {
    let project = Project::new().with("a", &fake("param: 1\n"));
    let faults = project
        .retrial(&["check", "--format", "json"])
        .exits(2)
        .json();
    let fault = &faults["faults"][0];
    assert_eq!(fault["line"], 4);
    assert_eq!(fault["key"], "param");
    assert_eq!(fault["help"], "did you mean `params`?");
}

#[test]
fn wrong_arguments_are_named() {
    let project = Project::new().with("a", &fake(""));
    for (arguments, words) in [
        (&["run", "nowhere.yaml"][..], "nowhere.yaml"),
        (&["run"], "says `default: true`; name those to run"),
        (
            &["run", "experiments/a.yaml", "--set", "params.level"],
            "has no `=`",
        ),
        (
            &["run", "experiments/a.yaml", "--set", "params.level=x"],
            "expected a number",
        ),
        (
            &["run", "a", "--set", "limits.time_s=1e19"],
            "a number above 0, at most 1000000000 (31 years)",
        ),
        (
            &["run", "a", "--set", "limits.time_s=0"],
            "a time limit of `0` s",
        ),
        (
            &["run", "a", "--set", "limits.memory_mib=17592186044416"],
            "a whole number from 256 to 8796093022207",
        ),
        (
            &["run", "a", "--set", "seeds=[]"],
            "--set seeds=[]:1:1: seeds: an empty list",
        ),
        (
            &["run", "a", "--set", "params.level=\"1e-3\""],
            "the quoted text \"1e-3\" does not fit",
        ),
        (
            &["run", "experiments/a.yaml", "--device", "tpu"],
            "expected flex, cpu, cuda",
        ),
        (
            &["run", "experiments/a.yaml", "--device", "cuda:0"],
            "runs on the CPU only",
        ),
        (&["run", "experiments/a.yaml", "--jobs", "0"], "0"),
        (
            &[
                "dic",
                "a.png",
                "b.png",
                "-o",
                "out",
                "--strain-measure",
                "small",
            ],
            "--strain <POINTS>",
        ),
        (
            &["show", "nothing", "--samples", "a.png"],
            "write `retrial anogan samples TRIAL FILE.png",
        ),
        (
            &["show", "nothing", "--export", "a.safetensors"],
            "write `retrial anogan export TRIAL FILE.safetensors`",
        ),
        (
            &["reproduce", "nothing"],
            "there is no study `nothing`; known: dic, anogan, mask-rcnn\n",
        ),
        (&["show", "nothing"], "no trial `nothing`"),
        (&["data", "fetch", "nothing"], "nothing"),
        (&["frobnicate"], "frobnicate"),
    ] {
        project.retrial(arguments).exits(2).complains(words);
    }
}

#[test]
fn outside_a_project_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = std::process::Command::new(crate::project::RETRIAL)
        .arg("plan")
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--root"));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let project = Project::new().with("a", &fake(""));
    std::fs::create_dir(project.path().join("experiments/more")).expect("a folder");
    project.write("experiments/more/a.yaml", &fake(""));
    project
        .retrial(&["plan"])
        .exits(2)
        .complains("their records would mix");
}

#[test]
fn the_largest_limits_are_those_that_are_named() {
    let project = Project::new().with(
        "a",
        &fake("limits: {time_s: 1e9, memory_mib: 8796093022207}\n"),
    );
    project.retrial(&["run", "a", "--no-report"]).exits(0);
}

#[test]
fn a_link_out_of_the_project_shows_no_line_of_its_text() {
    let project = Project::new().with("a", &fake(""));
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(outside.path(), "root:x:0:0:secret\n").expect("written");
    let link = project.path().join("experiments/x.yaml");
    std::os::unix::fs::symlink(outside.path(), link).expect("a link");
    let said = project.retrial(&["check"]);
    said.exits(2)
        .complains("experiments/x.yaml: a link that leads out of the project");
    assert!(!said.err.contains("secret"), "{}", said.err);
}
