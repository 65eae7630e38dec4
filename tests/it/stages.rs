//! Stages and the parts of the data that they read.

use std::fs;

use retrial_data::hashing::sha256_file;
use serde_json::Value;

use crate::own_data::{COCO, FASTER, HEIGHT, Own, WIDTH, record, run, set_digest};
use crate::project::Project;

/// Changes a pixel of a picture in the middle of the grey levels, and says so in the manifest.
fn change_picture(project: &Project, name: &str) {
    let folder = project.path().join("datasets/own");
    let path = folder.join(name);
    let mut bytes = fs::read(&path).expect("a picture");
    let middle = bytes.len() - WIDTH * HEIGHT / 2;
    bytes[middle] += 1;
    fs::write(&path, bytes).expect("written");
    let (new, _) = sha256_file(&path).expect("hashed");
    let table = folder.join("files.tsv");
    let text = fs::read_to_string(&table).expect("a table");
    let row = text
        .lines()
        .find(|row| row.starts_with(name))
        .expect("a row");
    let mut cells: Vec<&str> = row.split('\t').collect();
    cells[2] = &new;
    fs::write(&table, text.replace(row, &cells.join("\t"))).expect("written");
    set_digest(project);
}

/// A training on the same pictures is the same training, whatever is judged.
#[test]
fn a_stage_depends_on_the_pictures_that_it_reads() {
    let project = Own::grey(10).right(COCO, FASTER);
    let first = record(&project);
    let text = fs::read_to_string(
        (project.path().join("results/mask-rcnn/a")).join(format!("{}/truth.json", first.trial)),
    );
    let truth: Value = serde_json::from_str(&text.expect("judged pictures")).expect("JSON");
    let judged: Vec<String> = (truth["images"].as_array().expect("pictures").iter())
        .map(|image| image["file_name"].as_str().expect("a name").to_owned())
        .collect();
    let of = |name: &str| judged.iter().any(|judged| judged.ends_with(name));
    let names: Vec<String> = (0..10).map(|at| format!("img_{at:02}.pgm")).collect();
    let (test, train): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| of(name));
    let again = |name: &str| {
        change_picture(&project, name);
        run(&project).exits(0);
        let mut records = project.records("mask-rcnn", "a").into_values();
        let other = records.find(|record| record.trial != first.trial);
        let other = other.expect("another trial");
        let folder = project.path().join("results/mask-rcnn/a").join(other.trial);
        fs::remove_dir_all(folder).expect("removed");
        other.stages.iter().filter(|stage| !stage.reused).count()
    };
    assert!(first.stages.iter().all(|stage| !stage.reused));
    assert_eq!(again(test[0]), 0, "a judged picture");
    assert!(again(train[0]) > 0, "a picture to learn from");
}
