//! Average precision against crowding, on pictures small enough to count by hand.

use retrial_instances::evaluate::{
    Detection, ImageCase, Region, Settings, Truth, crowding, evaluate, precision_by_overlap,
};

use crate::evaluation::cases;
use crate::golden::read;

fn truth(corners: [f32; 4]) -> Truth {
    Truth {
        class: 0,
        corners,
        mask: None,
        area: 100.0,
        crowd: false,
    }
}

fn detection(corners: [f32; 4], confidence: f32) -> Detection {
    Detection {
        class: 0,
        confidence,
        corners,
        mask: None,
    }
}

/// Two objects that overlap by a third, and one alone; only one of the two is found.
fn three() -> ImageCase {
    let [left, right, alone] = [0.0, 5.0, 50.0].map(|x| [x, 0.0, x + 10.0, 10.0]);
    ImageCase {
        truths: vec![truth(left), truth(right), truth(alone)],
        detections: vec![detection(left, 0.9), detection(alone, 0.8)],
    }
}

#[test]
fn isolated_objects_are_found() {
    let settings = Settings::at(Region::Box, vec![0.5]);
    let overlaps = crowding(&three());
    assert_eq!(overlaps, [1.0 / 3.0, 1.0 / 3.0, 0.0]);
    let bins = precision_by_overlap(&[three()], 1, &settings, &[0.0, 0.1, 1.0]).expect("sound");
    assert_eq!(
        bins.iter().map(|bin| bin.objects).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(bins[0].ap.is_some_and(|ap| (ap - 1.0).abs() < 1e-12));
    // Precision 1 at the recalls 0 to 0.5, 51 of 101.
    assert!(
        bins[1]
            .ap
            .is_some_and(|ap| (ap - 51.0 / 101.0).abs() < 1e-12)
    );
}

#[test]
fn wrong_detections_stay_in_their_bin() {
    let settings = Settings::at(Region::Box, vec![0.5]);
    let mut case = three();
    case.detections
        .insert(0, detection([4.0, 0.0, 34.0, 10.0], 0.95));
    let bins = precision_by_overlap(&[case], 1, &settings, &[0.0, 0.1, 1.0]).expect("sound");
    assert!(bins[0].ap.is_some_and(|ap| (ap - 1.0).abs() < 1e-12));
    assert!(
        bins[1]
            .ap
            .is_some_and(|ap| (ap - 0.5 * 51.0 / 101.0).abs() < 1e-12)
    );
}

/// One bin for all objects is the plain average precision.
#[test]
fn one_bin_is_everything() {
    let (cases, classes) = cases(&read("crowded.json"));
    let settings = Settings::at(Region::Mask, vec![0.5, 0.6]);
    let plain = evaluate(&cases, classes, &settings).expect("sound");
    let bins = precision_by_overlap(&cases, classes, &settings, &[0.0, 1.0]).expect("sound");
    let (got, expected) = (bins[0].ap.expect("objects"), plain.precision(None, 0, 0));
    assert!((got - expected.expect("objects")).abs() < 1e-12);
}
