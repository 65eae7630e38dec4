//! The whole detector on drawn scenes: warm bars and discs on a cool ground, and warm clutter.

use retrial_classical::{
    Detector, DetectorSettings, Instance, SegmentSettings, Thresholds, TrainingPicture, detect,
    fit_detector,
};
use retrial_image::{GrayImage, InstanceMask};
use retrial_seed::Seed;

const WIDTH: usize = 120;
const HEIGHT: usize = 90;

/// One bar (class 4) and one disc (class 1) a scene, in changing places; a low wide band is none.
fn scene(number: usize) -> TrainingPicture {
    let mut stream = Seed(number as u64).stream("scene");
    let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
    let (bar_x, bar_width, bar_height) =
        (between(8.0, 40.0), between(6.0, 10.0), between(35.0, 50.0));
    let (disc_x, disc_y, radius) = (
        between(75.0, 105.0),
        between(20.0, 45.0),
        between(7.0, 12.0),
    );
    let is_bar = |x: f64, y: f64| {
        (bar_x..bar_x + bar_width).contains(&x) && (10.0..10.0 + bar_height).contains(&y)
    };
    let is_disc = |x: f64, y: f64| (x - disc_x).hypot(y - disc_y) < radius;
    let is_band = |x: f64, y: f64| (20.0..90.0).contains(&x) && (80.0..85.0).contains(&y);
    let mask = |is: &dyn Fn(f64, f64) -> bool| {
        let inside = |at: usize| is((at % WIDTH) as f64, (at / WIDTH) as f64);
        InstanceMask::new(HEIGHT, WIDTH, (0..WIDTH * HEIGHT).map(inside).collect())
            .expect("a full mask")
    };
    let instances = vec![
        Instance {
            mask: mask(&is_bar),
            class: 4,
        },
        Instance {
            mask: mask(&is_disc),
            class: 1,
        },
    ];
    let mut noise = Seed(number as u64).stream("noise");
    let picture = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f64, y as f64);
        let is_warm = is_bar(x, y) || is_disc(x, y) || is_band(x, y);
        let value = if is_warm { 35.0 } else { 12.0 + y / 30.0 };
        (value + noise.normal()) as f32
    });
    TrainingPicture {
        picture: picture.expect("a valid size"),
        instances,
    }
}

fn fitted(scenes: usize) -> Detector {
    let training: Vec<_> = (0..scenes).map(scene).collect();
    fit_detector(&training, &settings(), &mut Seed(0).stream("fit")).expect("a detector")
}

fn settings() -> DetectorSettings {
    DetectorSettings {
        segment: SegmentSettings {
            clusters: 2,
            thresholds: Thresholds::None,
            ..SegmentSettings::default()
        },
        ..DetectorSettings::default()
    }
}

#[test]
fn bars_and_discs_are_found_and_named() {
    let detector = fitted(15);
    let mut found = 0;
    for number in 100..120 {
        let truth = scene(number);
        let mut stream = Seed(0).stream("detect");
        let detections = detect(&detector, &truth.picture, &mut stream).expect("a valid picture");
        // The band is background.
        assert!(detections.len() <= 2, "{} in {number}", detections.len());
        for instance in &truth.instances {
            let same = |mask: &InstanceMask| {
                let pairs = mask.inside().iter().zip(instance.mask.inside());
                let (both, either) = pairs.fold((0, 0), |(both, either), (a, b)| {
                    (both + usize::from(a & b), either + usize::from(a | b))
                });
                f64::from(both as u32) / f64::from(either as u32) > 0.9
            };
            let is_right = |found: &&retrial_classical::Detection| {
                found.class == instance.class && same(&found.mask)
            };
            found += usize::from(detections.iter().any(|one| is_right(&one)));
        }
    }
    assert!(found >= 38, "{found} of 40");
}

#[test]
fn the_same_seed_gives_the_same_detections() {
    let run = |index| {
        let picture = scene(index).picture;
        detect(&fitted(4), &picture, &mut Seed(0).stream("detect")).expect("a valid picture")
    };
    let found = run(50);
    assert!(!found.is_empty(), "the scene has objects");
    assert_eq!(found, run(50));
    assert_ne!(found, run(51), "another scene has other objects");
}

#[test]
fn nothing_to_learn_from() {
    let empty = TrainingPicture {
        instances: Vec::new(),
        ..scene(0)
    };
    let error = fit_detector(&[empty], &settings(), &mut Seed(0).stream("fit"));
    assert_eq!(
        error.expect_err("no object").to_string(),
        "objects to learn from: got 0, at least 1 needed"
    );
    let mut wrong = scene(0);
    wrong.instances[0].mask = InstanceMask::empty(3, 3);
    assert!(fit_detector(&[wrong], &settings(), &mut Seed(0).stream("fit")).is_err());
}
