//! Data of a run: sources in order, verification, and plans that are the same from every source.

use std::os::unix::fs::symlink;

use crate::project::{Project, names};

const SPEC: &str =
    "format: 1\nstudy: dic\nquestion: q\ndataset: pyvale-plate-hydro\nparams: {step_px: 50}\n";

#[test]
fn without_network_and_cache_the_error_names_every_source() {
    let project = Project::new().with("a", SPEC);
    let mut command = project.command(&["run", "experiments/a.yaml", "--offline"]);
    let output = command
        .env_remove("RETRIAL_MIRROR")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("pyvale"), "{said}");
    assert!(!project.path().join("results/dic/a").exists());
}

#[test]
fn an_experiment_may_be_skipped_where_its_data_cannot_be_had() {
    let project = Project::new().with("a", &format!("{SPEC}when_unavailable: skip\n"));
    let mut command = project.command(&["run", "experiments/a.yaml", "--offline"]);
    let output = command
        .env_remove("RETRIAL_MIRROR")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("skipped: dic/a"), "{said}");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_mirror_gives_the_planned_content() {
    let project = Project::new().with("a", SPEC);
    project
        .retrial("run experiments/a.yaml --offline --no-report")
        .exits(0);
    let record = project
        .records("dic", "a")
        .into_values()
        .next()
        .expect("a record");
    let data = record.dataset.as_ref().expect("data");
    assert!(data.source.contains("mirror"), "{}", data.source);
    assert!(record.metric("rmse").expect("an error") < 0.01);
    project
        .retrial("data verify pyvale-plate-hydro")
        .exits(0)
        .says("every byte is right");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_damaged_cache_is_noticed() {
    let project = Project::new();
    let path = project
        .retrial("data path pyvale-plate-hydro --format json")
        .exits(0)
        .json();
    let file = path["files"][0]["at"].as_str().expect("a path").to_owned();
    let mut bytes = std::fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&file, bytes).expect("written");
    let spoilt = std::fs::read(&file).expect("a file");
    project
        .retrial("data verify pyvale-plate-hydro")
        .exits(3)
        .says("sha256");
    assert_eq!(
        std::fs::read(&file).expect("a file"),
        spoilt,
        "verify changes nothing"
    );
    project.retrial("data fetch pyvale-plate-hydro").exits(0);
    project.retrial("data verify pyvale-plate-hydro").exits(0);
}

#[test]
fn a_cache_that_cannot_be_used_is_no_reason_to_skip() {
    let project = Project::new().with("a", &format!("{SPEC}when_unavailable: skip\n"));
    let mut command = project.command(&["run", "experiments/a.yaml"]);
    let output = command
        .env("RETRIAL_CACHE", "/proc/nope")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/proc/nope"));
}

#[test]
fn a_file_with_other_bytes_is_no_absence() {
    let project = Project::new().with("a", &format!("{SPEC}when_unavailable: skip\n"));
    let mirror = project.path().join("mirror");
    let folder = mirror.join("dic/pyvale_plate_rigid_hydro");
    std::fs::create_dir_all(&folder).expect("a folder");
    let run = |code: i32| {
        let mut command = project.command(&["run", "a", "--offline"]);
        let output = command.env("RETRIAL_MIRROR", &mirror).output();
        let output = output.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    };
    assert!(run(0).contains("skipped dic/a"));
    for number in ["00", "04", "08", "10"] {
        let file = folder.join(format!("hydro_cam0_frame{number}.tiff"));
        std::fs::write(file, vec![0; 100_134]).expect("written");
    }
    assert!(run(3).contains("sha256 is"));
    // What is there and cannot be read is no absence either: a folder, a link to itself.
    for number in ["00", "04", "08", "10"] {
        let file = folder.join(format!("hydro_cam0_frame{number}.tiff"));
        std::fs::remove_file(file).expect("removed");
    }
    assert!(run(0).contains("skipped dic/a"));
    let file = folder.join("hydro_cam0_frame00.tiff");
    std::fs::create_dir(&file).expect("a folder");
    assert!(run(3).contains("it is no regular file"));
    for verb in ["check", "plan"] {
        let mut command = project.command(&[verb, "a"]);
        let output = command.env("RETRIAL_MIRROR", &mirror).output();
        let output = output.expect("the program starts");
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("warning: a copy of this machine is of no use"),
            "{said}"
        );
        assert!(said.contains("it is no regular file"), "{said}");
    }
    std::fs::remove_dir(&file).expect("removed");
    symlink(&file, &file).expect("a link");
    assert!(run(3).contains("hydro_cam0_frame00.tiff: Too many levels"));
    std::fs::remove_file(&file).expect("removed");
    // So in the cache.
    let cached = project.path().join("cache/pyvale-plate-hydro");
    let variant = names(&cached).into_iter().find(|name| name != ".lock");
    let cached = cached.join(variant.expect("a variant"));
    std::fs::create_dir_all(cached.join("hydro_cam0_frame00.tiff")).expect("a folder");
    assert!(run(3).contains("from the cache"));
}
