//! Predictions as records: the files of a trial alone give its average precision and its areas, by our crates and by
//! the programs of others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use retrial_core::record::Record;
use retrial_detect::roc;
use retrial_image::RunLengths;
use retrial_image::run_text;
use retrial_instances::evaluate::{Detection, ImageCase, Region, Settings, Truth, evaluate};
use retrial_store::Value as Attribute;
use serde_json::Value;

use crate::anogan::{TINY, metric, near, numbers, param, records, run, table};
use crate::mask_rcnn::spec;
use crate::project::Project;

/// A project in which the smoke experiment of mask-rcnn has run.
fn smoke() -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = fs::read_to_string(root.join("experiments/mask-rcnn/smoke.yaml")).expect("a spec");
    let project = Project::new().with("smoke", &spec);
    project
        .retrial(&["run", "experiments/smoke.yaml", "--no-report"])
        .exits(0);
    project
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a file of the record");
    serde_json::from_str(&text).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> usize {
    let number = value.as_u64().expect("a whole number");
    usize::try_from(number).expect("a small one")
}

/// The place of what has an id from 1.
fn place(id: &Value) -> usize {
    number(id) - 1
}

fn corners(item: &Value) -> [f32; 4] {
    let bbox: Vec<f64> = list(&item["bbox"])
        .iter()
        .map(|value| value.as_f64().expect("a number"))
        .collect();
    let &[x, y, width, height] = bbox.as_slice() else {
        panic!("{item}");
    };
    [x, y, x + width, y + height].map(|value| value as f32)
}

fn mask(item: &Value) -> Option<RunLengths> {
    let segmentation = item.get("segmentation")?;
    let text = segmentation["counts"].as_str().expect("run lengths");
    let counts = run_text::read(text).expect("run lengths");
    let [height, width] = [0, 1].map(|at| number(&segmentation["size"][at]));
    Some(RunLengths::new(height, width, counts).expect("they cover the picture"))
}

/// The judged pictures as `truth.json` and `detections.json` in `folder` say, with the objects that nobody outlined as
/// crowds where masks are compared; and the number of classes.
fn cases(folder: &Path, region: Region) -> (Vec<ImageCase>, usize) {
    let truth = json(&folder.join("truth.json"));
    let mut cases = vec![ImageCase::default(); list(&truth["images"]).len()];
    for item in list(&truth["annotations"]) {
        let outlined = item.get("outlined").is_none();
        cases[place(&item["image_id"])].truths.push(Truth {
            class: place(&item["category_id"]),
            corners: corners(item),
            mask: mask(item),
            area: item["area"].as_f64().expect("a number"),
            crowd: item["iscrowd"] == 1 || (region == Region::Mask && !outlined),
        });
    }
    for item in list(&json(&folder.join("detections.json"))) {
        cases[place(&item["image_id"])].detections.push(Detection {
            class: place(&item["category_id"]),
            confidence: item["score"].as_f64().expect("a number") as f32,
            corners: corners(item),
            mask: mask(item),
        });
    }
    (cases, list(&truth["categories"]).len())
}

/// Compares the precision that the files in `folder` give with that of the record, and returns how often they were
/// above zero.
pub(crate) fn agree(folder: &Path, record: &Record) -> usize {
    let mut above = 0;
    for (region, names) in [
        (Region::Box, ["box_ap", "box_ap50", "box_ap75", "box_ar"]),
        (
            Region::Mask,
            ["mask_ap", "mask_ap50", "mask_ap75", "mask_ar"],
        ),
    ] {
        if record.metric(names[0]).is_none() {
            continue;
        }
        let (cases, classes) = cases(folder, region);
        let summary = evaluate(&cases, classes, &Settings::coco(region)).expect("sound items");
        let summary = summary.summary();
        let found = [summary.ap, summary.ap50, summary.ap75, summary.ar_100];
        for (name, found) in names.into_iter().zip(found) {
            near(found.expect("objects"), metric(record, name), 1e-12);
            above += usize::from(found > Some(0.0));
        }
    }
    above
}

#[test]
fn average_precision_follows_from_the_files_alone() {
    let project = smoke();
    let mut above = 0;
    for (trial, record) in project.records("mask-rcnn", "smoke") {
        let folder = project.path().join("results/mask-rcnn/smoke").join(trial);
        above += agree(&folder, &record);
        for file in ["detections.json", "truth.json"] {
            let bytes = fs::read(folder.join(file)).expect("a file of the record");
            let own = record.artifacts.iter().find(|own| own.path == file);
            let content = &own.expect("an artifact").content;
            assert_eq!(*content, retrial_core::hash::content(&bytes), "{file}");
        }
    }
    assert!(above > 4, "{above} numbers above zero");
}

#[test]
fn pictures_have_the_size_at_which_they_are_judged_and_that_of_their_file() {
    let params = "method: classical, mask_training: end_to_end, image_width: 80, image_height: 96";
    let text = spec("infrared-scenes-smoke", params, "");
    let project = Project::new().with("a", &text);
    project
        .retrial(&["run", "experiments/a.yaml", "--offline", "--no-report"])
        .exits(0);
    let records = project.records("mask-rcnn", "a");
    let (trial, record) = records.first_key_value().expect("a record");
    let folder = project.path().join("results/mask-rcnn/a").join(trial);
    agree(&folder, record);
    let truth = json(&folder.join("truth.json"));
    let pictures = list(&truth["images"]);
    assert_eq!(pictures.len(), 6);
    for picture in pictures {
        let name = picture["file_name"].as_str().expect("a name");
        assert!(name.starts_with("infrared-scenes-smoke/"), "{name}");
        let sizes = ["width", "height", "original_width", "original_height"];
        assert_eq!(sizes.map(|own| number(&picture[own])), [80, 96, 160, 128]);
    }
    for object in list(&truth["annotations"]) {
        assert_eq!(object["segmentation"]["size"], serde_json::json!([96, 80]));
    }
}

/// The lines of Python in `results/README.md` that name `file`.
fn shown(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/README.md");
    let text = fs::read_to_string(path).expect("a page");
    let blocks = text.split("```python\n").skip(1);
    let mut blocks = blocks.map(|rest| rest.split("```").next().unwrap_or(rest));
    let block = blocks.find(|block| block.contains(file));
    block.expect("lines of Python").to_owned()
}

/// Runs lines of Python, among them those of the page, in the folder of a trial.
fn python(folder: &Path, script: &str) {
    let output = Command::new("python3")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .expect("python3 starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{error}");
}

/// A line of Python that knows the metrics of a record.
fn known(record: &Record) -> String {
    let metrics = serde_json::to_string(&record.metrics).expect("plain values");
    format!("import json\nknown = json.loads('{metrics}')\n")
}

#[test]
#[ignore = "needs python3 with pycocotools"]
fn pycocotools_gives_the_same_precision_with_python() {
    let project = smoke();
    let block = shown("detections.json");
    for (trial, record) in project.records("mask-rcnn", "smoke") {
        let folder = project.path().join("results/mask-rcnn/smoke").join(trial);
        for (kind, region) in [("bbox", "box"), ("segm", "mask")] {
            assert!(record.metric(&format!("{region}_ap")).is_some());
            let masks = block
                .lines()
                .filter(|line| kind == "segm" || !line.ends_with("# masks alone"));
            let own = masks.collect::<Vec<_>>().join("\n");
            let own = own.replace("\"segm\"", &format!("\"{kind}\""));
            let metrics = known(&record);
            let script = format!(
                "{own}\n{metrics}
for name, at in (('ap', 0), ('ap50', 1), ('ap75', 2), ('ar', 8)):
    found, expected = evaluation.stats[at], known['{region}_' + name]
    assert abs(found - expected) < 1e-9, ('{region}_' + name, found, expected)
"
            );
            python(&folder, &script);
        }
    }
}

/// Methods and residuals whose maps become residuals in every way.
const MAPPED: &str = "points: [{method: anogan, residual: l1, search_restarts: 1, ensemble_size: 1}, \
                      {method: anogan, residual: l2, search_restarts: 2, ensemble_size: 1}, \
                      {method: ziz, residual: local, search_restarts: 1, ensemble_size: 1}, \
                      {method: izi, residual: l2, search_restarts: 1, ensemble_size: 2}, \
                      {method: izi, residual: local_per_ink, search_restarts: 1, ensemble_size: 2}, \
                      {method: izi_f, residual: local_per_ink, search_restarts: 1, ensemble_size: 1}, \
                      {method: ganomaly, residual: l1, search_restarts: 1, ensemble_size: 1}, \
                      {method: mean_image, residual: l1, search_restarts: 1, ensemble_size: 1}, \
                      {method: nearest_neighbour, residual: l2, search_restarts: 1, ensemble_size: 1}, \
                      {method: pca, residual: l2, search_restarts: 1, ensemble_size: 1}, \
                      {method: pca, residual: local, search_restarts: 1, ensemble_size: 1}, \
                      {method: ink, residual: l1, search_restarts: 1, ensemble_size: 1}]";

fn folder(project: &Project, record: &Record) -> PathBuf {
    project.path().join("results/anogan/a").join(&record.trial)
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn areas_and_residuals_follow_from_the_files_alone() {
    let project = run(TINY, MAPPED);
    let records = records(&project);
    assert_eq!(records.len(), 12);
    for record in &records {
        let scores = table(&project, record, "scores");
        let judged = scores["part"].iter().filter(|part| *part == "test").count();
        assert_eq!(judged, 20);
        let anomalous: Vec<bool> = scores["class"][..judged]
            .iter()
            .map(|class| class == "anomalous")
            .collect();
        for (column, name) in [
            ("score", "auroc"),
            ("residual", "auroc_residual"),
            ("discrimination", "auroc_discrimination"),
            ("ink", "auroc_ink"),
        ] {
            if let Some(expected) = record.metric(name) {
                let values = &numbers(&scores[column])[..judged];
                let found = roc::auroc(values, &anomalous).expect("both classes");
                near(found, expected, 1e-12);
            }
        }
        let path = folder(&project, record).join("maps.h5");
        if param(record, "method") == "ink" {
            assert!(!path.exists(), "ink compares no images");
            continue;
        }
        let maps = retrial_store::read(path).expect("maps");
        let residual = maps.array("residual").expect("the maps");
        assert_eq!(residual.shape(), [judged, 28, 28]);
        let items: Vec<u64> = (1..=judged as u64).collect();
        assert_eq!(maps.values::<u64>("item").expect("numbers"), items);
        let labels: Vec<u8> = numbers(&scores["label"])[..judged]
            .iter()
            .map(|&label| label as u8)
            .collect();
        assert_eq!(maps.values::<u8>("label").expect("labels"), labels);
        let Some(Attribute::Text(reduction)) = residual.attributes().get("reduction") else {
            panic!("no reduction");
        };
        let expected = numbers(&scores["residual"]);
        let values = residual.values::<f32>().expect("32-bit numbers");
        for (map, expected) in values.chunks(28 * 28).zip(&expected) {
            let each = map.iter().copied().map(f64::from);
            let found = match reduction.as_str() {
                "sum" => each.sum::<f64>(),
                "mean" => each.sum::<f64>() / map.len() as f64,
                "root of sum" => each.sum::<f64>().sqrt(),
                "largest" | "none" => each.fold(0.0, f64::max),
                other => panic!("{other}"),
            };
            let apart = found / expected - 1.0;
            // A mean over members has no larger value than the mean of their largest ones.
            let within = apart.abs() < 1e-5 || (reduction == "none" && apart < 0.0);
            assert!(within, "{}: {found} {expected}", record.trial);
        }
    }
}

#[test]
#[ignore = "needs python3 with scikit-learn and h5py, and RETRIAL_MIRROR"]
fn scikit_learn_gives_the_same_area_with_python_and_mirror() {
    let project = run(TINY, "method: [anogan, izi_f, pca]");
    let block = shown("scores.csv") + &shown("maps.h5");
    for record in &records(&project) {
        let block = format!("{block}{}", known(record));
        assert!(metric(record, "auroc") > 0.0);
        let script = format!(
            "{block}
found = roc_auc_score(anomalous, [float(row['score']) for row in rows])
assert abs(found - known['auroc']) < 1e-9, (found, known['auroc'])
assert maps.shape[0] == len(rows)
reduced = {{'sum': maps[:].sum((1, 2)), 'mean': maps[:].mean((1, 2)), 'root of sum': maps[:].sum((1, 2)) ** 0.5}}
for found, row in zip(reduced[maps.attrs['reduction']], rows):
    assert abs(found / float(row['residual']) - 1) < 1e-4, (found, row)
"
        );
        python(&folder(&project, record), &script);
    }
}

/// What is committed is enough for others to recompute a precision and an area.
#[test]
#[ignore = "needs python3 with pycocotools and scikit-learn"]
fn committed_packs_give_precision_and_area_with_python() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let areas = shown("tables/scores.csv");
    let script = format!(
        "{areas}
import glob, json
compared = 0
for scores in sorted(glob.glob('results/anogan/*/tables/scores.csv')):
    for area, stated in of(scores.removesuffix('/tables/scores.csv')):
        assert abs(area - stated) < 1e-9, (scores, area, stated)
        compared += 1
assert compared > 20, compared
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
compared = 0
for file in sorted(glob.glob('results/mask-rcnn/*/predictions/*.detections.json')):
    folder, name = file.split('/predictions/')
    trials = {{row['id']: row for row in csv.DictReader(open(folder + '/trials.csv'))}}
    trial = trials[name.removesuffix('.detections.json')]
    truth = COCO(file.replace('.detections.', '.truth.'))
    if not json.load(open(file)):
        continue
    evaluation = COCOeval(truth, truth.loadRes(file), 'bbox')
    evaluation.evaluate(); evaluation.accumulate(); evaluation.summarize()
    for at, metric in enumerate(['box_ap', 'box_ap50', 'box_ap75']):
        found, stated = evaluation.stats[at], float(trial['metrics.' + metric])
        assert abs(found - stated) < 1e-9, (file, metric, found, stated)
    compared += 1
assert compared > 10, compared
"
    );
    python(root, &script);
}
