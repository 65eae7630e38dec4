//! Data of one's own: what a trial makes of pictures and annotations as people have them.

use std::fs;
use std::path::PathBuf;

use retrial_core::record::Record;
use retrial_data::hashing::sha256_file;
use serde_json::{Value, json};

use crate::project::{Project, Said};

/// A token net and a token training.
const TINY: &str = "base_channels: 4, pyramid_channels: 8, fc_dim: 16, mask_channels: 8, \
                    mask_convolutions: 1, iterations: 4, batch_size: 2, rpn_post_nms_topk_test: 20, \
                    rpn_post_nms_topk_train: 20, image_width: 64, image_height: 48";
pub(crate) const WIDTH: usize = 64;
pub(crate) const HEIGHT: usize = 48;

/// A project with a data set `own` of pictures with a pole (class 1) and a tank (class 2).
pub(crate) struct Own {
    project: Project,
    /// COCO, changed by a test before it is kept.
    coco: Value,
    files: Vec<(String, Vec<u8>)>,
}

impl Own {
    /// `count` pictures, whose values `value` gives from a temperature in tenths of kelvin above
    /// 285 K.
    fn new(count: usize, bytes: usize, value: impl Fn(u16) -> u16) -> Self {
        let (mut images, mut objects, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for picture in 0..count {
            let name = format!("img_{picture:02}.pgm");
            let most = if bytes == 1 { 255 } else { 65535 };
            let mut file = format!("P5\n{WIDTH} {HEIGHT}\n{most}\n").into_bytes();
            let boxes = [(4 + picture % 8, 6, 8, 30), (30, 10 + picture % 8, 24, 14)];
            for y in 0..HEIGHT {
                for x in 0..WIDTH {
                    let inside = |&(x0, y0, w, h): &(usize, usize, usize, usize)| {
                        (x0..x0 + w).contains(&x) && (y0..y0 + h).contains(&y)
                    };
                    let hot = if boxes.iter().any(inside) { 120 } else { 0 };
                    let value = value((hot + y + x) as u16).to_be_bytes();
                    file.extend_from_slice(&value[2 - bytes..]);
                }
            }
            images.push(json!({
                "id": picture + 1, "file_name": name, "width": WIDTH, "height": HEIGHT
            }));
            for (class, (x, y, w, h)) in boxes.into_iter().enumerate() {
                objects.push(json!({
                    "id": objects.len() + 1, "image_id": picture + 1, "category_id": class + 1,
                    "bbox": [x, y, w, h], "iscrowd": 0,
                    "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]],
                }));
            }
            files.push((name, file));
        }
        Self {
            project: Project::empty(),
            coco: json!({
                "categories": [{"id": 1, "name": "pole"}, {"id": 2, "name": "tank"}],
                "images": images, "annotations": objects,
            }),
            files,
        }
    }

    pub(crate) fn grey(count: usize) -> Self {
        Self::new(count, 1, |value| value)
    }

    /// Writes the data set with a digest of zeros and an experiment of it.
    fn written(self, settings: &str, params: &str) -> Project {
        let folder = self.project.path().join("datasets/own");
        fs::create_dir_all(&folder).expect("a folder");
        let mut table = "path\tbytes\tsha256\torigin\trole\n".to_owned();
        let text = self.coco.to_string().into_bytes();
        let mut files = self.files;
        files.push(("coco.json".to_owned(), text));
        for (name, bytes) in files {
            let path = folder.join(&name);
            fs::write(&path, bytes).expect("written");
            let (sha256, bytes) = sha256_file(&path).expect("hashed");
            let role = if name == "coco.json" {
                "annotations"
            } else {
                "picture"
            };
            table += &format!("{name}\t{bytes}\t{sha256}\t\t{role}\n");
        }
        fs::write(folder.join("files.tsv"), table).expect("written");
        let manifest = format!(
            "format: 1\nname: own\ntitle: mine\nkind: real\nlicence: mine\n\
             redistribution: allowed\ncitation: me\ncontent: blake3:{}\n{settings}\n\
             variants:\n  - name: files\n    decoder: annotated-pictures\n    sources:\n\
             \x20     - bundled: \"{{path}}\"\n    files: files.tsv\n",
            "0".repeat(64)
        );
        fs::write(folder.join("manifest.yaml"), manifest).expect("written");
        let spec = format!(
            "format: 1\nstudy: mask-rcnn\nquestion: Are things found?\ndataset: own\n\
             params: {{{TINY}, {params}}}\n"
        );
        self.project.with("a", &spec)
    }

    /// The same with the digest that the data have.
    pub(crate) fn right(self, settings: &str, params: &str) -> Project {
        let project = self.written(settings, params);
        set_digest(&project);
        project
    }
}

/// Gives the manifest the digest that the data have.
pub(crate) fn set_digest(project: &Project) {
    let path = manifest(project);
    let text = fs::read_to_string(&path).expect("read");
    let from = text.find("content: ").expect("a digest");
    let old = text[from..].lines().next().expect("a digest");
    let zeros = format!("content: blake3:{}", "0".repeat(64));
    fs::write(&path, text.replace(old, &zeros)).expect("written");
    let said = check(project);
    let digest = said.err.split("content: ").nth(1);
    let digest = digest.and_then(|rest| rest.split('`').next());
    let right = digest.unwrap_or_else(|| panic!("the right digest: {}", said.err));
    let right = format!("content: {right}");
    fs::write(path, text.replace(old, &right)).expect("written");
}

pub(crate) const COCO: &str = "pictures: {annotations: coco}";

fn manifest(project: &Project) -> PathBuf {
    project.path().join("datasets/own/manifest.yaml")
}

fn check(project: &Project) -> Said {
    project.retrial("check experiments/a.yaml")
}

pub(crate) fn run(project: &Project) -> Said {
    project.retrial("run experiments/a.yaml --offline --no-report")
}

pub(crate) fn record(project: &Project) -> Record {
    run(project).exits(0);
    let mut records = project.records("mask-rcnn", "a").into_values();
    records.next().expect("a record")
}

pub(crate) const FASTER: &str = "method: faster_rcnn, mask_training: end_to_end";
const MASKS: &str = "method: mask_rcnn, mask_training: end_to_end, mask_predictor: class_agnostic, \
                     min_instances: 2";

#[test]
fn a_wrong_digest_fails_before_any_trial_and_names_the_right_one() {
    let project = Own::grey(8).written(COCO, FASTER);
    for arguments in [
        "check experiments/a.yaml",
        "data fetch own --offline",
        "run experiments/a.yaml --offline --no-report",
        "data verify own",
    ] {
        let said = project.retrial(arguments);
        said.exits(3);
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains("write `content: blake3:"), "{all}");
        assert!(!all.contains("data fetch own` brings"), "{all}");
    }
    assert!(!project.path().join("results/mask-rcnn/a").exists());
}

#[test]
fn data_that_cannot_be_decoded_fail_once() {
    let mut own = Own::grey(8);
    own.coco["annotations"][3]["bbox"] = json!("none");
    let project = own.written(COCO, FASTER);
    for said in [check(&project), run(&project)] {
        said.exits(3)
            .complains("datasets/own/coco.json: annotation 4 of img_01.pgm: bbox: found \"none\"");
    }
    assert!(project.attempts("mask-rcnn", "a").is_empty());
}

#[test]
fn an_object_without_an_outline_teaches_and_judges_no_mask() {
    let mut own = Own::grey(8);
    for object in own.coco["annotations"].as_array_mut().expect("objects") {
        if object["category_id"] == 1 {
            object["segmentation"] = json!([]);
        }
    }
    let project = own.right(COCO, &format!("{MASKS}, split: frames"));
    let said = check(&project);
    said.exits(0)
        .says("16 objects: pole (8, 8 with a box only), tank (8)")
        .says(
            "annotation 1 of img_00.pgm: segmentation: the outline is empty; only the box is used",
        );
    let record = record(&project);
    // Six of eight pictures are trained on; each has one tank with an outline.
    assert_eq!(record.metric("masks_used"), Some(6.0));
    let folder = project
        .path()
        .join("results/mask-rcnn/a")
        .join(&record.trial);
    crate::predictions::agree(&folder, &record);
    let classes = fs::read_to_string(folder.join("classes.csv")).expect("a table");
    let pole = classes
        .lines()
        .find(|line| line.starts_with("pole"))
        .expect("the class");
    let cells: Vec<&str> = pole.split(',').collect();
    // class, objects, box_ap, box_ap50, mask_ap50, mask_iou, whole_box_iou, accuracy
    assert_eq!(cells[1].parse::<f64>().expect("a number"), 2.0);
    assert!(
        cells[2].parse::<f64>().expect("a number").is_finite(),
        "{classes}"
    );
    for cell in &cells[4..7] {
        assert!(cell.parse::<f64>().is_ok_and(f64::is_nan), "{classes}");
    }
    assert_eq!(record.metric("whole_box_iou"), Some(1.0), "of tanks alone");
    let warned = record.census.warnings.join("\n");
    assert!(
        warned.contains("trained on: a box only is known of 6 of 12 objects"),
        "{warned}"
    );
    // The page shows it.
    project.retrial("report").exits(0);
    let page = fs::read_to_string(project.path().join("reports/mask-rcnn.md"));
    assert!(
        page.expect("a page")
            .contains("a box only is known of 6 of 12 objects")
    );
}

#[test]
fn temperatures_that_are_not_there_are_refused_before_the_first_trial() {
    let project = Own::grey(8).right(COCO, &format!("{FASTER}, min_instances: 2"));
    let spec = project.path().join("experiments/a.yaml");
    let text = fs::read_to_string(&spec).expect("read");
    fs::write(
        spec,
        text.replace("params: {", "params: {input: temperature, "),
    )
    .expect("written");
    for said in [check(&project), run(&project)] {
        said.exits(3)
            .complains("no picture has temperatures; use `input: gray`");
    }
    assert!(project.attempts("mask-rcnn", "a").is_empty());
}

#[test]
fn sixteen_bits_are_seen_in_their_range_and_few_levels_are_said() {
    let params = format!("{FASTER}, min_instances: 2");
    // Tenths of kelvin: one value of the upper byte.
    let project = Own::new(8, 2, |value| 2850 + value).right(COCO, &params);
    let census = record(&project).census;
    let facts = census.facts.join("\n");
    assert!(facts.contains("16-bit grey from 2850 (black)"), "{facts}");
    assert!(!census.warnings.iter().any(|w| w.contains("is seen")));
    // A stated range of a whole camera leaves next to nothing, and enters the digest.
    let wide = "pictures: {annotations: coco, grey_range: [0, 65535]}";
    let other = Own::new(8, 2, |value| 2850 + value / 16).right(wide, &params);
    check(&other)
        .exits(0)
        .says("0 (black) to 65535 (white), stated in the manifest")
        .says("next to nothing is seen: the middle 99 % of the 16-bit values, 285");
    let digest = |project: &Project| fs::read_to_string(manifest(project)).expect("read");
    assert_ne!(digest(&project), digest(&other));
}

#[test]
fn classes_that_are_left_out_or_never_judged_are_named() {
    let mut own = Own::grey(12);
    let objects = own.coco["annotations"].as_array_mut().expect("objects");
    // Poles are in the first pictures by name only.
    objects.retain(|object| object["category_id"] == 2 || object["image_id"].as_u64() < Some(5));
    let project = own.right(COCO, &format!("{FASTER}, min_instances: 4"));
    check(&project)
        .exits(0)
        .says("judged: 3 pictures with pole (0), tank (3)")
        .says("no object of `pole` is judged; without camera presets");
    let spec = project.path().join("experiments/a.yaml");
    let text = fs::read_to_string(&spec).expect("read");
    fs::write(spec, text.replace("min_instances: 4", "min_instances: 5")).expect("written");
    let left_out = "left out, with fewer objects than min_instances 5: pole (4)";
    check(&project).exits(0).says(left_out);
    project
        .retrial("plan experiments/a.yaml")
        .exits(0)
        .says(left_out);
    let warned = record(&project).census.warnings.join("\n");
    assert!(warned.contains(left_out), "{warned}");
}

#[test]
fn a_picture_that_is_listed_twice_counts_once() {
    let mut own = Own::grey(8);
    let images = own.coco["images"].as_array_mut().expect("pictures");
    images.push(json!({"id": 99, "file_name": "img_00.pgm", "width": WIDTH, "height": HEIGHT}));
    let objects = own.coco["annotations"].as_array_mut().expect("objects");
    let mut twin = objects[0].clone();
    (twin["id"], twin["image_id"]) = (json!(100), json!(99));
    objects.push(twin);
    let project = own.right(COCO, &format!("{MASKS}, split: frames"));
    check(&project)
        .exits(0)
        .says("the picture is listed before as picture 1 (img_00.pgm); both entries are one")
        .says("objects: 16 objects: pole (8), tank (8)");
    assert_eq!(record(&project).metric("masks_used"), Some(12.0));
}

#[test]
fn what_is_repaired_is_a_fault_where_the_manifest_is_strict() {
    let mut own = Own::grey(8);
    own.coco["annotations"][0]["bbox"] = json!([-3, 6, 15, 30]);
    let settings = format!("{COCO}\nstrict: true");
    let project = own.written(&settings, FASTER);
    check(&project)
        .exits(3)
        .complains("annotation 1 of img_00.pgm: bbox: the box leaves the picture by 3.0 px");
}

/// What `check`, `plan` and `run` say before the first trial, which none of them starts.
#[track_caller]
fn refused(project: &Project, words: &str) {
    let plan = project.retrial("plan experiments/a.yaml");
    for said in [check(project), plan, run(project)] {
        said.exits(3).complains(words);
    }
    assert!(project.attempts("mask-rcnn", "a").is_empty());
    assert!(project.records("mask-rcnn", "a").is_empty());
}

/// Gives the objects of a class an outline of one pixel.
fn shrink(own: &mut Own, class: u64) {
    let objects = own.coco["annotations"].as_array_mut().expect("objects");
    for object in objects
        .iter_mut()
        .filter(|object| object["category_id"] == class)
    {
        let (x, y) = (object["bbox"][0].clone(), object["bbox"][1].clone());
        let (x, y) = (x.as_u64().expect("x"), y.as_u64().expect("y"));
        object["bbox"] = json!([x, y, 1, 1]);
        object["segmentation"] = json!([[x, y, x + 1, y, x + 1, y + 1, x, y + 1]]);
    }
}

#[test]
fn objects_too_small_to_be_seen_are_counted_before_the_first_trial() {
    let params = format!("{FASTER}, min_instances: 2, split: frames");
    let mut own = Own::grey(8);
    shrink(&mut own, 1);
    let project = own.right(COCO, &params);
    let lines = [
        "trained on: 6 pictures with pole (0), tank (6)",
        "judged: 2 pictures with pole (0), tank (2)",
        "left out, with fewer than 4 pixels at 64 × 48 px: 8 of 16 objects: pole (8)",
        "no object of `pole` is left: the class is neither learnt nor judged",
    ];
    for line in lines {
        check(&project).exits(0).says(line);
        project
            .retrial("plan experiments/a.yaml")
            .exits(0)
            .says(line);
    }
    let census = record(&project).census;
    let all = [census.facts, census.warnings].concat().join("\n");
    project.retrial("report").exits(0);
    let page = fs::read_to_string(project.path().join("reports/mask-rcnn.md")).expect("a page");
    for line in lines {
        assert!(all.contains(line), "{all}");
    }
    for line in lines {
        assert!(page.contains(line), "{page}");
    }
    let mut own = Own::grey(8);
    shrink(&mut own, 1);
    shrink(&mut own, 2);
    refused(
        &own.right(COCO, &params),
        "no object of pole, tank is trained on: 6 pictures without one (16 objects of fewer than 4 \
         pixels left out)",
    );
}

/// Eight pictures, of which `preset` gives the camera preset.
fn with_presets(preset: impl Fn(usize) -> Option<&'static str>) -> Own {
    let mut own = Own::grey(8);
    let images = own.coco["images"].as_array_mut().expect("pictures");
    for (place, image) in images.iter_mut().enumerate() {
        if let Some(preset) = preset(place) {
            image["preset"] = json!(preset);
        }
    }
    own
}

#[test]
fn camera_presets_that_do_not_fit_are_refused() {
    let params = |rest: &str| format!("{FASTER}, min_instances: 2, {rest}");
    let half = with_presets(|place| (place < 4).then_some("7"));
    refused(
        &half.right(COCO, &params("split: cameras, test_presets: [7]")),
        "`test_presets` is [7], but only 4 of 8 pictures have a camera preset (7), and img_04.pgm \
         has none",
    );
    let named = with_presets(|place| Some(if place < 6 { "hall" } else { "yard" }));
    refused(
        &named.right(COCO, &params("split: cameras")),
        "`test_presets` is [10, 11], but the data have the camera presets hall, yard; the key takes \
         numbers",
    );
    let numbered = || with_presets(|place| Some(if place < 6 { "1" } else { "2" }));
    refused(
        &numbered().right(COCO, &params("split: cameras, test_presets: [3]")),
        "`test_presets` is [3], but the data have the camera presets 1, 2; name those to judge",
    );
    refused(
        &numbered().right(COCO, &params("split: cameras, test_presets: [1, 2]")),
        "0 pictures to train on and 8 to judge: both are needed; `test_presets` is [1, 2], and the \
         data have the camera presets 1, 2",
    );
    refused(
        &Own::grey(8).right(COCO, &params("split: cameras, test_presets: [3]")),
        "`test_presets` is [3], but no picture has a camera preset; leave the key out",
    );
    let some = numbered().right(COCO, &params("split: cameras, test_presets: [2, 5]"));
    check(&some)
        .exits(0)
        .says("judged: 2 pictures")
        .says("no picture has the camera preset 5 of `test_presets`; the data have 1, 2");
    let idle = numbered().right(COCO, &params("split: frames, test_presets: [2]"));
    check(&idle)
        .exits(0)
        .says("`test_presets` [2] does nothing where `split` is `frames`");
}

#[test]
fn what_a_trial_could_not_learn_or_judge_is_refused_before_the_first() {
    let boxes_only = || {
        let mut own = Own::grey(8);
        for object in own.coco["annotations"].as_array_mut().expect("objects") {
            object["segmentation"] = json!([]);
        }
        own
    };
    let few = "min_instances: 2";
    refused(
        &boxes_only().right(COCO, &format!("method: classical, {few}")),
        "method `classical` learns from outlines, and of 12 objects to train on a box only is known",
    );
    refused(
        &boxes_only().right(
            COCO,
            &format!("method: mask_rcnn, mask_training: stage_wise, {few}"),
        ),
        "mask_training `stage_wise` learns masks from outlines",
    );
    let without = |judged: bool| {
        let mut own = Own::grey(8);
        let objects = own.coco["annotations"].as_array_mut().expect("objects");
        objects.retain(|object| (object["image_id"].as_u64() > Some(6)) != judged);
        own.right(COCO, &format!("{FASTER}, {few}, split: cameras"))
    };
    refused(
        &without(false),
        "no object of pole, tank is trained on: 6 pictures without one; without camera presets",
    );
    refused(
        &without(true),
        "no object of pole, tank is judged: 2 pictures without one",
    );
    for (params, words) in [
        (
            "mask_annotated_classes: 3",
            "mask_annotated_classes is 3, the data set has 2 classes: pole, tank",
        ),
        (
            "parts: true",
            "parts is true, but no object to train on has labelled parts",
        ),
        ("pretraining: uniform", "pretraining needs a source domain"),
        (
            "pretraining: imagenet, backbone: efficientnet_lite0",
            "pretraining by `imagenet` needs weights",
        ),
    ] {
        let params = format!("{FASTER}, {few}, {params}");
        refused(&Own::grey(8).right(COCO, &params), words);
    }
}

#[test]
fn what_a_grey_range_shows_is_said() {
    let params = format!("{FASTER}, min_instances: 2");
    let off = "pictures: {annotations: coco, grey_range: [100, 200]}";
    check(&Own::new(8, 2, |value| 2850 + value).right(off, &params))
        .exits(0)
        .says("100.0 % of the 16-bit values lie outside `grey_range`, 100 to 200: 0 below and 24576 above")
        .says("they go from 2850 to");
    check(&Own::new(8, 2, |_| 30_000).right(COCO, &params))
        .exits(0)
        .says("nothing is seen in 8 pictures: all their 16-bit values are 30000");
    // The first pixel of every picture is hot.
    let hot = |value: u16| if value == 0 { 65_535 } else { 28_000 + value };
    check(&Own::new(8, 2, hot).right(COCO, &params))
        .exits(0)
        .says("next to nothing is seen: the middle 99 % of the 16-bit values, 2800")
        .says("state `grey_range: [2800");
    let mut mixed = Own::grey(8);
    mixed
        .files
        .splice(..3, Own::new(3, 2, |value| 2850 + value).files);
    check(&mixed.right(COCO, &params)).exits(0).says(
        "pictures of two depths are mixed, so that one grey stands for two values: 3 pictures with \
         16-bit values of 2850 to",
    );
    // One flat picture among good ones.
    let mut flat = Own::grey(8);
    flat.files[5].1 = Own::new(6, 1, |_| 90).files.remove(5).1;
    check(&flat.right(COCO, &params)).exits(0).says(
        "next to nothing is seen in 1 of 8 pictures: the middle 99 % of the values of img_05.pgm",
    );
}

#[test]
fn a_bundled_file_that_is_not_there_is_a_fault() {
    let project = Own::grey(8).right(COCO, &format!("{FASTER}, min_instances: 2"));
    fs::remove_file(project.path().join("datasets/own/img_03.pgm")).expect("removed");
    // What is in the cache is at hand.
    check(&project).exits(0).says("judged: 2 pictures");
    fs::remove_dir_all(project.path().join("cache")).expect("removed");
    refused(&project, "no source gave img_03.pgm of data set `own`");
    // `check` and `plan` say of an experiment that may be skipped what `run` makes of it.
    let spec = project.path().join("experiments/a.yaml");
    let text = fs::read_to_string(&spec).expect("read");
    fs::write(&spec, text + "when_unavailable: skip\n").expect("written");
    run(&project).exits(0).complains("skipped mask-rcnn/a");
    for verb in ["check", "plan"] {
        project
            .retrial(&[verb, "experiments/a.yaml"])
            .exits(0)
            .says("`run` skips this experiment: no source gave img_03.pgm");
    }
}
