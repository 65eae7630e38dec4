//! The same on real pictures, where the mirror has them.

use std::path::{Path, PathBuf};

use retrial_similarity::{FeatureKind, Levels, Property, Reduction, quantise_u8};

use crate::resampling::share;

/// A folder of the mirror; `None` where there is none and none is required.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("RETRIAL_MIRROR")
        .map(|mirror| PathBuf::from(mirror).join(name))
        .filter(|folder| folder.is_dir());
    if folder.is_none() {
        let required = std::env::var_os("RETRIAL_REQUIRE_REAL").is_some_and(|value| value == "1");
        assert!(
            !required,
            "RETRIAL_REQUIRE_REAL is set and {name} is not under RETRIAL_MIRROR"
        );
        println!("SKIPPED: {name} is not under RETRIAL_MIRROR");
    }
    folder
}

/// Every `step`-th picture of a folder at 224 × 224 and 32 levels.
fn pictures(folder: &Path, step: usize) -> Vec<Levels> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let picture = image::open(path).expect("a readable picture");
        let filter = image::imageops::FilterType::Triangle;
        let small = picture.resize_exact(224, 224, filter).to_luma8();
        quantise_u8(224, 224, small.as_raw(), 32).expect("a valid picture")
    };
    paths.iter().step_by(step).map(read).collect()
}

#[test]
fn the_literal_reading_resamples_nothing_of_imagenet() {
    let (Some(source), Some(target)) = (
        folder("imagenet-sample/images"),
        folder("infrared/peru-substations/images"),
    ) else {
        return;
    };
    let (source, target) = (pictures(&source, 1), pictures(&target, 4));
    let six = || FeatureKind::Properties(Property::SIX.to_vec());
    let (literal, _) = share(&source, &target, FeatureKind::Matrix, Reduction::Mean);
    let (mean, _) = share(&source, &target, six(), Reduction::Mean);
    let (max, _) = share(&source, &target, six(), Reduction::Max);
    let (to_mean, _) = share(&source, &target, six(), Reduction::ToMean);
    println!(
        "ESS / n: matrix {literal:.4}; six properties, mean {mean:.3}, max {max:.3}, to the mean {to_mean:.3}"
    );
    assert!(literal > 0.99, "{literal}");
    assert!(mean < 0.8 && to_mean < mean, "{mean} {to_mean}");
}
