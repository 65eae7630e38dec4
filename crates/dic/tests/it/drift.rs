//! Uncertainties of displacements that are composed over changes of the reference.

use std::ops::ControlFlow;

use retrial_dic::{
    Bookmark, DicError, Field, NoiseLevel, ReferenceStrategy, Series, Settings, Status,
    correlate_series, prepare, sensitivity, uncertainty,
};
use retrial_image::GrayImage;

use crate::support::{Speckle, noisy};

const SIZE: usize = 200;
const IMAGES: usize = 8;
const NOISE: f64 = 3.0;

/// Multiples of a standard deviation, and the shares of normal errors that they hold.
const REACHES: [(f64, f64); 2] = [(1.0, 0.6827), (1.959_964, 0.95)];

/// A series that moves by 0.37 px and stretches by `strain` an image: shares of the errors of the
/// last images within their stated uncertainties, over all points and both components.
fn coverage(strain: f64) -> [f64; 2] {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let settings = Settings::default()
        .with_side_px(21)
        .with_step_px(7)
        .with_reference_strategy(ReferenceStrategy::Previous);
    let (mut within, mut count) = ([0_u32; 2], 0_u32);
    for series in 0..6_u32 {
        let at = |i: usize| {
            let (e, shift) = (strain * i as f64, 0.37 * i as f64);
            let picture = speckle.picture_by(SIZE, SIZE, |x, y| {
                (100.0 + (x - 100.0 - shift) / (1.0 + e), y + 0.5 * shift)
            });
            noisy(&picture, 1.0, 100 * series + i as u32 + 1, NOISE)
        };
        let first = at(0);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let known = sensitivity(&reference).expect("valid settings");
        let images = (1..=IMAGES).map(|i| Ok::<GrayImage, DicError>(at(i)));
        correlate_series(&first, images, None, &settings, |index, mut field| {
            let stated = uncertainty(&known, &mut field, NoiseLevel::Residual).expect("one field");
            let (e, shift) = (strain * (index + 1) as f64, 0.37 * (index + 1) as f64);
            for (point, stated) in field.points.iter().zip(&stated) {
                if point.status == Status::Converged {
                    assert_eq!(point.reference_changes, index);
                }
                let Some(stated) = stated.filter(|_| index >= IMAGES / 2) else {
                    continue;
                };
                let u = e * (point.x as f64 - 100.0) + shift;
                let errors = [
                    (point.u() - u) / stated.u,
                    (point.v() + 0.5 * shift) / stated.v,
                ];
                for error in errors {
                    count += 1;
                    for (within, (reach, _)) in within.iter_mut().zip(REACHES) {
                        *within += u32::from(error.abs() <= reach);
                    }
                }
            }
            ControlFlow::Continue(())
        })
        .expect("valid settings and images");
    }
    within.map(|within| f64::from(within) / f64::from(count))
}

#[test]
fn uncertainties_hold_over_many_changes_of_the_reference() {
    for strain in [0.0, 0.02] {
        let found = coverage(strain);
        println!("strain {strain} an image: {found:.3?}");
        // Some 80 subsets share no pixel, in 6 series; images of a series share their first one.
        for ((found, (_, expected)), tolerance) in found.iter().zip(REACHES).zip([0.06, 0.03]) {
            assert!((found - expected).abs() < tolerance, "{strain}: {found}");
        }
    }
}

/// A pattern that turns into another one, so that the first image is lost.
fn turning(share: f64) -> GrayImage {
    let size = 160;
    let (old, new) = (Speckle::new(size, size, 3), Speckle::new(size, size, 4));
    GrayImage::from_fn(size, size, |x, y| {
        let (x, y) = (x as f64, y as f64);
        ((1.0 - share) * old.value(x, y) + share * new.value(x, y)) as f32
    })
    .expect("a valid size")
}

/// Points say how often their reference was changed since the first image.
#[test]
fn points_count_the_changes_of_their_reference() {
    let settings = Settings::default().with_side_px(31).with_step_px(10);
    let images = (1..=10).map(|i| Ok::<_, DicError>(turning(0.1 * f64::from(i))));
    let mut changes = Vec::new();
    correlate_series(&turning(0.0), images, None, &settings, |_, field| {
        let first = field.points[0].reference_changes;
        assert!(field.points.iter().all(|p| p.reference_changes == first));
        changes.push(first);
        ControlFlow::Continue(())
    })
    .expect("valid settings and images");
    println!("{changes:?}");
    assert_eq!(changes[0], 0);
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] <= 1));
    assert!(changes[9] >= 1, "{changes:?}");
}

/// Stopped after every image, its bookmark written and read, a series gives what it gives in one piece.
#[test]
fn a_series_goes_on_from_its_bookmark() {
    let images: Vec<GrayImage> = (1..=10).map(|i| turning(0.1 * f64::from(i))).collect();
    let bits = |field: &Field| -> Vec<u64> {
        let of = |p: &retrial_dic::PointResult| {
            let last = [p.zncc.to_bits(), p.convergence_norm.to_bits()];
            let rest = [p.status as u64, p.cut as u64, p.reference_changes as u64];
            p.p.map(f64::to_bits).into_iter().chain(last).chain(rest)
        };
        field.points.iter().flat_map(of).collect()
    };
    for reference_strategy in [
        ReferenceStrategy::First,
        ReferenceStrategy::Previous,
        ReferenceStrategy::Automatic,
    ] {
        let settings = Settings::default()
            .with_side_px(31)
            .with_step_px(10)
            .with_reference_strategy(reference_strategy);
        let reference = prepare(&turning(0.0), None, &settings).expect("valid settings");
        let mut whole = Series::new(reference.clone());
        let mut mark = serde_json::to_string(&whole.bookmark()).expect("written");
        let mut changes = 0;
        for image in &images {
            let expected = whole.correlate(image.clone()).expect("one size");
            let bookmark: Bookmark = serde_json::from_str(&mark).expect("read");
            let earlier = |index: usize| Ok::<_, DicError>(images[index].clone());
            let mut part = Series::resume(reference.clone(), bookmark, earlier).expect("its own");
            let found = part.correlate(image.clone()).expect("one size");
            assert_eq!(bits(&found), bits(&expected), "{reference_strategy:?}");
            changes = found.points[0].reference_changes;
            mark = serde_json::to_string(&part.bookmark()).expect("written");
        }
        assert_eq!(changes > 0, reference_strategy != ReferenceStrategy::First);
        let other = settings.with_step_px(13);
        let other = prepare(&turning(0.0), None, &other).expect("valid settings");
        let bookmark: Bookmark = serde_json::from_str(&mark).expect("read");
        let earlier = |index: usize| Ok::<_, DicError>(images[index].clone());
        let refused = Series::resume(other, bookmark, earlier).err();
        assert_eq!(refused, Some(DicError::Bookmark));
    }
}
