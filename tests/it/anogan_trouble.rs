//! The study `anogan` when something is wrong: params, data, damage, interrupts, kills.

use std::path::PathBuf;
use std::time::Duration;

use retrial_core::record::Outcome;
use retrial_store::{Array, Tree};

use crate::anogan::{TINY, again, near, numbers, records, run, spec, table};
use crate::project::{Project, names};

#[test]
fn params_that_cannot_be_are_faults() {
    for (params, words) in [
        ("image_size: 30", "30 is none of 28, 32 and 64"),
        ("image_size: 24", "24"),
        ("bicubic_a: -0.6", "-0.6 is neither"),
        (
            "normal_digits: [2, 7]",
            "digit 2 is among the normal digits",
        ),
        ("normal_digits: []", "normal_digits"),
        ("anomalous_digits: [11]", "anomalous_digits"),
        (
            "batch_size: 64, train_items: 40",
            "64 images a step, but 40",
        ),
        ("learning_rate_g: 2.0", "learning_rate_g"),
        (
            "search_batch_norm: batch, search_restarts: 2",
            "search_restarts",
        ),
        (
            "search_batch_norm: batch, search_optimiser: lbfgs",
            "search_optimiser",
        ),
        (
            "method: pca, components: 20, train_items: 20",
            "20 components, but the 20 train_items have 19",
        ),
        (
            "search_start: encoder, search_restarts: 2",
            "an encoder gives one start",
        ),
        (
            "method: ganomaly, residual: local",
            "the score of ganomaly compares no images",
        ),
        (
            "method: ink, residual: local_per_ink",
            "the score of ink compares no images",
        ),
        ("method: izi, ensemble_size: 65", "ensemble_size"),
        (
            "method: izi, restarts: 3",
            "it is called `ensemble_size` or `search_restarts` now",
        ),
        (
            "residual: local_relative",
            "it is called `local_per_ink` now",
        ),
        ("residual: blurred", "local_per_ink"),
        ("method: vae", "expected one of anogan"),
        ("widht: 4", "widht"),
    ] {
        let project = Project::new().with("a", &spec(params, ""));
        let arguments = ["run", "experiments/a.yaml", "--offline", "--no-report"];
        project.retrial(&arguments).exits(2).complains(words);
        assert!(!project.path().join("results/anogan").exists(), "{params}");
    }
}

/// The error of the one failed attempt of a run.
fn failure(params: &str) -> String {
    let project = Project::new().with("a", &spec(params, ""));
    let arguments = ["run", "experiments/a.yaml", "--offline", "--no-report"];
    project.retrial(&arguments).exits(1);
    assert!(project.records("anogan", "a").is_empty());
    let attempts = project.attempts("anogan", "a");
    assert_eq!(attempts.len(), 1);
    match &attempts[0].outcome {
        Outcome::Failed { cause, error } => {
            assert_eq!(cause, "error", "{error}");
            error.clone()
        }
        Outcome::Finished => panic!("it finished"),
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn more_items_than_there_are_and_digits_that_do_not_come() {
    for (params, words) in [
        (
            "train_items: 12117, validation_items: 0",
            "ask for 12117 items of the normal_digits [7, 8]; the training part has 12116",
        ),
        (
            "train_items: 12000, validation_items: 200",
            "train_items 12000 and validation_items 200 ask for 12200 items",
        ),
        ("test_items: 3035", "test_items 3035 asks for so many items"),
        // The first training rows are 5, 0, 4, 1, 9, 2, 1: no 8 among the first two of {1, 8}.
        (
            "normal_digits: [1, 8], train_items: 2, batch_size: 2",
            "no item of digit 8 is among the first 2",
        ),
    ] {
        let project = Project::new().with("a", &spec(&format!("method: ink, {params}"), ""));
        let check = ["check", "experiments/a.yaml"];
        project.retrial(&RUN).exits(3).complains(words);
        project.retrial(&check).exits(3).complains(words);
        assert!(project.attempts("anogan", "a").is_empty());
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn metrics_of_an_empty_class_are_left_out_and_the_record_holds() {
    // The first judged row is a 7, so there is no anomaly.
    let params = "method: pca, components: 2, image_size: 28, train_items: 40, test_items: 1, \
                  validation_items: 20, fixed_threshold: 1";
    let project = run(params, "");
    let records: Vec<_> = project.records("anogan", "a").into_values().collect();
    assert!(
        records[0]
            .metrics
            .iter()
            .all(|(_, value)| value.is_finite())
    );
    assert!(records[0].metric("true_positive_rate").is_none());
    let warned = "judged: none of 1 item is anomalous (anomalous_digits [2]), so there is no AUROC";
    assert!(
        records[0]
            .census
            .warnings
            .iter()
            .any(|own| own.starts_with(warned))
    );
    project
        .retrial(&["check", "experiments/a.yaml"])
        .exits(0)
        .says(warned);
    assert!(records[0].metric("false_positive_rate").is_some());
    let said = project.retrial(&["report"]);
    said.exits(0);
    let all = format!("{}{}", said.out, said.err);
    assert!(!all.contains("were changed"), "{all}");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_training_that_breaks_down_names_its_epoch() {
    // A first moment that never forgets over a second one that does, at the largest rate.
    let error = failure(
        "image_size: 28, base_channels: 2, train_items: 4, batch_size: 2, test_items: 6, \
         validation_items: 4, epochs: 60, learning_rate_g: 1.0, learning_rate_d: 1.0, \
         discriminator_norm: none, scaling: raw255, beta1: 0.9999, beta2: 0.0",
    );
    assert!(error.contains("broke down in epoch"), "{error}");
    assert!(error.contains("NaN") || error.contains("inf"), "{error}");
}

/// Folders of a stage.
fn stage(project: &Project, name: &str) -> Option<PathBuf> {
    let stages = project.path().join("results/.stages");
    let prefix = format!("anogan-{name}-");
    let found = names(&stages)
        .into_iter()
        .find(|folder| folder.starts_with(&prefix))?;
    Some(stages.join(found))
}

fn checkpoints(project: &Project, name: &str) -> Vec<PathBuf> {
    let Some(folder) = stage(project, name).map(|folder| folder.join("checkpoints")) else {
        return Vec::new();
    };
    let names = names(&folder);
    names.into_iter().map(|name| folder.join(name)).collect()
}

const RUN: [&str; 4] = ["run", "experiments/a.yaml", "--offline", "--no-report"];

/// Interrupts runs until the stage has left `count` checkpoints.
fn interrupt_in(project: &Project, name: &str, count: usize) {
    for patience in 0..60 {
        // Where the stage began before, the time to load the data is waited for.
        let least = if stage(project, name).is_some() {
            700
        } else {
            100
        };
        let mut run = project.start(&RUN);
        for _ in 0..2000 {
            std::thread::sleep(Duration::from_millis(20));
            let begun = stage(project, name).is_some();
            if begun || run.try_wait().expect("a process").is_some() {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(least + 150 * (patience % 10)));
        let process = nix::unistd::Pid::from_raw(i32::try_from(run.id()).expect("an id"));
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).expect("a signal");
        assert_eq!(run.wait().expect("ended").code(), Some(130));
        let folder = stage(project, name).expect("the stage began");
        assert!(
            !folder.join("result.h5").exists(),
            "the stage ended before it left {count} checkpoints"
        );
        if checkpoints(project, name).len() >= count {
            return;
        }
    }
    panic!("no {count} checkpoints of {name}");
}

fn kill_after(project: &Project, ms: u64) {
    let mut run = project.start(&RUN);
    std::thread::sleep(Duration::from_millis(ms));
    run.kill().expect("killed");
    run.wait().expect("ended");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn interrupts_kills_and_damage_change_no_content() {
    let params = "image_size: 28, base_channels: 2, train_items: 40, batch_size: 4, epochs: 150, \
                  test_items: 10, validation_items: 10, search_batch_size: 8, search_iterations: 800";
    let quiet = run(params, "");
    let expected = quiet.contents("anogan", "a");
    assert_eq!(expected.len(), 1);

    let project = Project::new().with("a", &spec(params, ""));
    interrupt_in(&project, "train", 2);
    assert!(project.attempts("anogan", "a").is_empty());
    // The newer checkpoint is cut in half: the older one must do.
    let kept = checkpoints(&project, "train");
    let newest = kept.last().expect("a checkpoint");
    let bytes = std::fs::read(newest).expect("read");
    std::fs::write(newest, &bytes[..bytes.len() / 2]).expect("written");
    kill_after(&project, 900);
    interrupt_in(&project, "search", 1);
    kill_after(&project, 900);
    again(&project);
    assert_eq!(project.contents("anogan", "a"), expected);
    assert!(project.attempts("anogan", "a").is_empty());
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn encoders_that_are_interrupted_change_no_content() {
    for (method, name) in [
        ("izi_f", "encode"),
        ("izi_f, ensemble_size: 2, residual: local", "encode"),
        ("ganomaly", "ganomaly"),
    ] {
        let params = format!(
            "method: {method}, image_size: 28, base_channels: 2, train_items: 40, epochs: 1, \
             encoder_batch_size: 4, encoder_epochs: 50, test_items: 10, validation_items: 10"
        );
        let quiet = run(&params, "");
        let project = Project::new().with("a", &spec(&params, ""));
        interrupt_in(&project, name, 1);
        again(&project);
        assert_eq!(
            project.contents("anogan", "a"),
            quiet.contents("anogan", "a"),
            "{method}"
        );
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_checkpoint_is_where_the_training_goes_on() {
    let params = "image_size: 28, base_channels: 2, train_items: 40, batch_size: 4, epochs: 100, \
                  test_items: 10, validation_items: 10, search_iterations: 1";
    let project = Project::new().with("a", &spec(params, ""));
    interrupt_in(&project, "train", 1);
    // A mark in what is kept must be there in the end.
    let path = checkpoints(&project, "train").pop().expect("a checkpoint");
    let kept = retrial_store::read(&path).expect("a tree");
    let mut marked = Tree::new();
    for (name, array) in kept.arrays() {
        let array = if name == "losses/d_loss" {
            let mut losses = array.values::<f64>().expect("numbers").to_vec();
            losses[0] = 123.5;
            Array::list(losses).expect("a list")
        } else {
            array.clone()
        };
        marked.insert(name, array).expect("a new name");
    }
    for (group, attributes) in kept.group_attributes() {
        for (name, value) in attributes {
            marked
                .set_attribute(group, name, value.clone())
                .expect("a group");
        }
    }
    retrial_store::write(&path, &marked).expect("written");
    again(&project);
    let records = records(&project);
    let training = table(&project, &records[0], "training");
    assert_eq!(training["d_loss"].len(), 100);
    near(numbers(&training["d_loss"])[0], 123.5, 0.0);
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_missing_stage_of_a_recorded_trial_is_built_as_said() {
    let project = run(TINY, "lambda: [0.1]");
    let show = || project.retrial(&["anogan", "samples", "a/lambda", "samples.png"]);
    show().exits(0);
    let before = project.contents("anogan", "a");
    let trial = before.keys().next().expect("a trial").clone();
    let path = stage(&project, "train").expect("a stage");
    std::fs::remove_dir_all(path).expect("removed");
    let record = format!("results/anogan/a/{trial}");
    show().exits(2).complains(&format!(
        "{record} away and `retrial run anogan/a` builds it"
    ));
    again(&project);
    show().exits(2);
    std::fs::rename(project.path().join(record), project.path().join("kept")).expect("moved");
    again(&project);
    show().exits(0);
    assert_eq!(project.contents("anogan", "a"), before);
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_damaged_stage_is_built_again() {
    let project = run(TINY, "lambda: [0.1]");
    let before = project.contents("anogan", "a");
    for name in ["train", "search"] {
        let path = stage(&project, name).expect("a stage").join("result.h5");
        let bytes = std::fs::read(&path).expect("a result");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    }
    std::fs::remove_dir_all(project.path().join("results/anogan")).expect("removed");
    again(&project);
    assert_eq!(project.contents("anogan", "a"), before);
    let records = records(&project);
    let reused: Vec<bool> = records[0].stages.iter().map(|stage| stage.reused).collect();
    assert_eq!(reused, [false, false]);
}
