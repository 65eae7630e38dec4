//! Polygons and run lengths against pycocotools and OpenCV, pixel by pixel.

use retrial_image::polygon::{Vertex, fill_box, fill_coco, fill_opencv, vertices};
use retrial_image::run_text::write;

use crate::golden::{index, list, number, numbers, read, runs, size, text};

#[test]
fn polygons() {
    let golden = read("polygons.json");
    let cases = list(&golden["polygons"]);
    assert!(cases.len() > 50);
    for (i, case) in cases.iter().enumerate() {
        let (height, width) = size(case);
        let polygons: Vec<Vec<Vertex>> = list(&case["polygons"])
            .iter()
            .map(|flat| vertices(&numbers(flat)).expect("an even list"))
            .collect();
        let coco = fill_coco(&polygons, height, width).expect("it is drawable");
        assert_eq!(
            write(coco.runs().counts()),
            text(&case["coco"]),
            "COCO, case {i}"
        );
        let opencv = fill_opencv(&polygons, height, width).expect("it is drawable");
        assert_eq!(
            write(opencv.runs().counts()),
            text(&case["opencv"]),
            "OpenCV, case {i}"
        );
    }
}

#[test]
fn boxes() {
    for case in list(&read("polygons.json")["boxes"]) {
        let (height, width) = size(case);
        let corners: Vec<f64> = numbers(&case["corners"]);
        let corners = corners.try_into().expect("four corners");
        let mask = fill_box(corners, height, width).expect("it is drawable");
        assert_eq!(
            write(mask.runs().counts()),
            text(&case["coco"]),
            "{corners:?} in {height} by {width}"
        );
    }
}

#[test]
fn texts_of_run_lengths() {
    for case in list(&read("polygons.json")["texts"]) {
        let runs = runs(&case["text"], size(case));
        let counts: Vec<usize> = list(&case["counts"]).iter().map(index).collect();
        let got: Vec<usize> = runs.counts().iter().map(|&c| c as usize).collect();
        assert_eq!(got, counts);
        assert_eq!(runs.area() as f64, number(&case["area"]));
        assert_eq!(write(runs.counts()), text(&case["text"]));
    }
}
