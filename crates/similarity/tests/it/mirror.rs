//! The same on real pictures of the mirror.

use std::path::{Path, PathBuf};

use retrial_similarity::{FeatureKind, Levels, Property, Reduction, quantise_u8};

use crate::resampling::share;

/// A folder of the mirror.
fn folder(name: &str) -> PathBuf {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let folder = Path::new(&mirror).join(name);
    assert!(folder.is_dir(), "{} is missing", folder.display());
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
#[ignore = "needs RETRIAL_MIRROR"]
fn the_literal_reading_resamples_nothing_of_imagenet() {
    let source = folder("imagenet-sample/images");
    let target = folder("infrared/peru-substations/images");
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
