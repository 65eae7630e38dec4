//! Every bit of the correlation, by order of the shape function and by instruction set.

use std::path::Path;

use retrial_core::hash::FieldHasher;
use retrial_data::{Content, FetchOptions, ImageSeries, find_manifest, load};
use retrial_dic::{Guess, InstructionSet, Settings, ShapeOrder, correlate, prepare};

const ORDERS: [ShapeOrder; 3] = [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two];

/// Hashes of displacements, gradients and ZNCC of the first image of `speckle-smoke`, by order.
const GOLDEN: [(InstructionSet, [&str; 3]); 3] = [
    (
        InstructionSet::Baseline,
        ["bbe549a0e72f", "842bf16788e2", "e7ca6c0b786e"],
    ),
    (
        InstructionSet::Avx2,
        ["c8fd5654e94f", "70a2c92c4aa0", "75fcf115e54f"],
    ),
    // AVX-512.
    (
        InstructionSet::Best,
        ["8abeb359abf5", "e75b0b69255e", "7f326c617209"],
    ),
];

fn has(instruction_set: InstructionSet) -> bool {
    match instruction_set {
        InstructionSet::Baseline => true,
        InstructionSet::Avx2 => is_x86_feature_detected!("avx2"),
        InstructionSet::Best => {
            is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
        }
    }
}

/// Fails when a number of the correlation changes: then raise the study's revision, and the hashes above with it.
#[test]
fn every_bit_of_the_correlation_is_known() {
    assert_eq!(retrial_elementary::differing(), Vec::<&str>::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let manifest = find_manifest(&root, "speckle-smoke").expect("a manifest");
    let cache = tempfile::tempdir().expect("a folder");
    let options = FetchOptions::new(cache.path().to_owned());
    let loaded = load(&manifest, &options, &mut |_| ()).expect("a generated series");
    let Content::Series(series) = loaded.0 else {
        panic!("no series");
    };
    let own = GOLDEN.map(|(instruction_set, _)| instruction_set);
    let found: Vec<(InstructionSet, [String; 3])> = (own.into_iter())
        .filter(|own| has(*own))
        .map(|own| (own, ORDERS.map(|order| bits(&series, order, own))))
        .collect();
    let golden = GOLDEN.map(|(own, hashes)| (own, hashes.map(str::to_owned)));
    let golden: Vec<_> = golden.into_iter().filter(|(own, _)| has(*own)).collect();
    assert_eq!(found, golden);
}

fn bits(series: &ImageSeries, shape_order: ShapeOrder, instruction_set: InstructionSet) -> String {
    let settings = Settings::default()
        .with_side_px(21)
        .with_shape_order(shape_order)
        .with_instruction_set(instruction_set);
    let reference = prepare(&series.reference, None, &settings).expect("settings");
    let field = correlate(&reference, &series.images[0].image, Guess::Phase);
    let mut hasher = FieldHasher::new("golden");
    for point in &field.expect("a field").points {
        for value in point.p.iter().chain([&point.zncc]) {
            hasher.field(&value.to_bits().to_le_bytes());
        }
    }
    hasher.short()
}
