//! COCO's evaluation against pycocotools.

use retrial_image::RunLengths;
use retrial_instances::evaluate::{
    Detection, Evaluation, EvaluationError, ImageCase, Region, Settings, Truth, evaluate,
};
use serde_json::Value;

use crate::golden::{index, list, number, numbers, read, runs, size};

const TOLERANCE: f64 = 1e-12;

fn corners(value: &Value) -> [f32; 4] {
    let corners: Vec<f32> = numbers(value).iter().map(|&v| v as f32).collect();
    corners.try_into().expect("four corners")
}

/// The pictures of a golden file, and the number of classes.
pub(crate) fn cases(golden: &Value) -> (Vec<ImageCase>, usize) {
    let mut cases = vec![ImageCase::default(); index(&golden["images"])];
    let mask = |item: &Value| runs(&item["rle"], size(golden));
    for item in list(&golden["truths"]) {
        cases[index(&item["image"]) - 1].truths.push(Truth {
            class: index(&item["class"]),
            corners: corners(&item["box"]),
            mask: Some(mask(item)),
            area: number(&item["area"]),
            crowd: item["crowd"] == 1,
        });
    }
    for item in list(&golden["detections"]) {
        cases[index(&item["image"]) - 1].detections.push(Detection {
            class: index(&item["class"]),
            confidence: number(&item["score"]) as f32,
            corners: corners(&item["box"]),
            mask: Some(mask(item)),
        });
    }
    (cases, index(&golden["classes"]))
}

/// pycocotools writes -1 where no object counts.
fn same(got: Option<f64>, expected: f64, what: &str) {
    let got = got.unwrap_or(-1.0);
    assert!(
        (got - expected).abs() <= TOLERANCE,
        "{what}: {got} against {expected}"
    );
}

fn compare(evaluation: &Evaluation, expected: &Value, what: &str) {
    let summary = evaluation.summary();
    let stats = [
        summary.ap,
        summary.ap50,
        summary.ap75,
        summary.ap_small,
        summary.ap_medium,
        summary.ap_large,
        summary.ar_1,
        summary.ar_10,
        summary.ar_100,
        summary.ar_small,
        summary.ar_medium,
        summary.ar_large,
    ];
    for (i, (got, expected)) in stats.iter().zip(numbers(&expected["stats"])).enumerate() {
        same(*got, expected, &format!("{what}, statistic {i}"));
    }
    let (precision, recall) = (
        numbers(&expected["mean_precision"]),
        numbers(&expected["recall"]),
    );
    let classes = evaluation.classes();
    assert_eq!(recall.len(), 10 * classes * 12);
    for at in 0..recall.len() {
        let (limit, area) = (at % 3, at / 3 % 4);
        let (class, threshold) = (at / 12 % classes, at / 12 / classes);
        let place = format!("{what}, class {class}, overlap {threshold}, area {area}, {limit}");
        let got = evaluation.class_precision(class, Some(threshold), area, limit);
        same(got, precision[at], &place);
        let got = evaluation.class_recall(class, Some(threshold), area, limit);
        same(got, recall[at], &place);
    }
    for (threshold, name) in [(0, "precision_50"), (5, "precision_75")] {
        let expected_precision = numbers(&expected[name]);
        let scores = numbers(&expected["scores_50"]);
        for class in 0..classes {
            let curve = evaluation.curve(class, threshold, 0, 2);
            let no_object = expected_precision[class] < 0.0;
            assert_eq!(curve.len(), if no_object { 0 } else { 101 });
            for (i, point) in curve.iter().enumerate() {
                let at = i * classes + class;
                same(Some(point.precision), expected_precision[at], what);
                assert!((point.recall - i as f64 / 100.0).abs() < TOLERANCE);
                if threshold == 0 {
                    same(Some(point.confidence), scores[at], what);
                }
            }
        }
    }
}

#[test]
fn as_pycocotools() {
    for name in ["crowded.json", "sparse.json"] {
        let golden = read(name);
        let (cases, classes) = cases(&golden);
        for (region, kind) in [(Region::Box, "bbox"), (Region::Mask, "segm")] {
            let evaluation =
                evaluate(&cases, classes, &Settings::coco(region)).expect("sound items");
            let what = format!("{name}, {kind}");
            compare(&evaluation, &golden["expected"][kind], &what);
        }
    }
}

#[test]
fn other_overlaps() {
    let (cases, classes) = cases(&read("crowded.json"));
    let all = evaluate(&cases, classes, &Settings::coco(Region::Mask)).expect("sound items");
    let settings = Settings::at(Region::Mask, vec![0.1, 0.75]);
    let two = evaluate(&cases, classes, &settings).expect("sound items");
    assert_eq!(two.precision(Some(1), 0, 0), all.summary().ap75);
    assert!(two.precision(Some(0), 0, 0) > two.precision(Some(1), 0, 0));
    assert_eq!(two.summary().ap50, None);
    assert_eq!(two.summary().ap_small, None);
}

#[test]
fn perfect_and_empty() {
    let (mut cases, classes) = cases(&read("sparse.json"));
    let settings = Settings::coco(Region::Mask);
    for case in &mut cases {
        case.truths.retain(|truth| !truth.crowd);
        case.detections = case
            .truths
            .iter()
            .map(|truth| Detection {
                class: truth.class,
                confidence: 0.5,
                corners: truth.corners,
                mask: truth.mask.clone(),
            })
            .collect();
    }
    let summary = evaluate(&cases, classes, &settings)
        .expect("sound")
        .summary();
    assert!(summary.ap.is_some_and(|ap| (ap - 1.0).abs() < 1e-12));
    assert_eq!(summary.ar_100, Some(1.0));
    for case in &mut cases {
        case.detections.clear();
    }
    let summary = evaluate(&cases, classes, &settings)
        .expect("sound")
        .summary();
    assert_eq!((summary.ap, summary.ar_100), (Some(0.0), Some(0.0)));
    let nothing = evaluate(&[], 2, &settings).expect("sound").summary();
    assert_eq!(nothing.ap, None);
    assert_eq!(nothing.classes.len(), 2);
}

#[test]
fn items_that_make_no_sense() {
    let (cases, classes) = cases(&read("sparse.json"));
    let settings = Settings::coco(Region::Mask);
    let image = cases
        .iter()
        .position(|case| case.truths.len() + case.detections.len() > 1 && !case.truths.is_empty())
        .expect("a picture with an object");
    let fault = |change: &dyn Fn(&mut Truth)| {
        let mut cases = cases.clone();
        change(&mut cases[image].truths[0]);
        evaluate(&cases, classes, &settings).expect_err("it makes no sense")
    };
    let item = 0;
    assert_eq!(
        fault(&|t| t.class = 9),
        EvaluationError::UnknownClass {
            image,
            item,
            class: 9,
            classes
        }
    );
    assert_eq!(
        fault(&|t| t.mask = None),
        EvaluationError::NoMask { image, item }
    );
    assert_eq!(
        fault(&|t| t.corners[1] = f32::NAN),
        EvaluationError::NotFinite { image, item }
    );
    assert!(matches!(
        fault(&|t| t.mask = RunLengths::new(2, 2, vec![4]).ok()),
        EvaluationError::MaskSize { .. }
    ));
    let mut unsorted = settings.clone();
    unsorted.limits = vec![10, 1];
    let error = evaluate(&cases, classes, &unsorted).expect_err("limits descend");
    assert!(matches!(error, EvaluationError::Settings { .. }));
}
