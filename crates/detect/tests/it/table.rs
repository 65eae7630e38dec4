//! The table of detectors without a net on the published split, to three digits.

use std::path::Path;

use retrial_detect::Scaling;
use retrial_detect::baseline::{ink, mean_image, nearest_neighbour, principal_components};
use retrial_detect::{Items, Norm, generator, roc};
use retrial_image::resize::Bicubic;

use crate::digits::{self, Digits};

/// Name, scores.
type Scored = (&'static str, Vec<f64>);

fn detectors(folder: &Path, scaling: Scaling, black: f32) -> (Digits, Vec<Scored>) {
    let training = digits::training(folder, scaling, Bicubic::Plain);
    let test = digits::test(folder, scaling, Bicubic::Plain);
    let normal = Items::new(&training.pixels, Digits::LENGTH).expect("whole items");
    let items = Items::new(&test.pixels, Digits::LENGTH).expect("whole items");
    let components = principal_components(normal, 20).expect("20 of 399");
    let nearest = |norm| nearest_neighbour(normal, items, norm).expect("equal lengths");
    let residuals = |norm| components.residuals(items, norm).expect("equal lengths");
    let mean = mean_image(normal, items, Norm::L1).expect("equal lengths");
    let scored = vec![
        ("ink", ink(items, black)),
        ("mean image, L1", mean),
        ("nearest neighbour, L1", nearest(Norm::L1)),
        ("nearest neighbour, L2", nearest(Norm::L2)),
        ("20 components, L1", residuals(Norm::L1)),
        ("20 components, L2", residuals(Norm::L2)),
    ];
    (test, scored)
}

fn auroc(test: &Digits, scores: &[f64], normal: &[u8]) -> f64 {
    let (scores, labels) = test.against(scores, normal);
    roc::auroc(&scores, &labels).expect("both classes")
}

/// Measured with NumPy, PyTorch and scikit-learn on the same files.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn the_table_is_reproduced() {
    let folder = digits::folder();
    let expected = [
        [0.608, 0.760, 0.442],
        [0.824, 0.891, 0.751],
        [0.885, 0.971, 0.791],
        [0.907, 0.972, 0.836],
        [0.895, 0.958, 0.827],
        [0.911, 0.962, 0.856],
    ];
    let (test, scored) = detectors(&folder, Scaling::Tanh, -1.0);
    let mut faults = Vec::new();
    for ((name, scores), expected) in scored.iter().zip(expected) {
        let got = [&[7, 8][..], &[7], &[8]].map(|normal| auroc(&test, scores, normal));
        println!("{name}: {got:.4?}");
        if got
            .iter()
            .zip(expected)
            .any(|(got, e)| (got - e).abs() > 0.001)
        {
            faults.push(format!("{name}: {got:?}, expected {expected:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn the_table_is_reproduced_in_the_other_scaling() {
    let folder = digits::folder();
    // Ink counts from 0 here, as the other program does: grey 33, not black.
    let expected = [0.600, 0.820, 0.880, 0.903, 0.892, 0.908];
    let (test, scored) = detectors(&folder, Scaling::Unit, 0.0);
    for ((name, scores), expected) in scored.iter().zip(expected) {
        let got = auroc(&test, scores, &[7, 8]);
        println!("{name}: {got:.4}");
        assert!((got - expected).abs() < 0.001, "{name}: {got} {expected}");
    }
}

/// Real digits in the place of drawn ones: the best that a generator could do, and the worst.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn real_digits_are_good_draws() {
    let folder = digits::folder();
    let training = digits::training(&folder, Scaling::Tanh, Bicubic::Plain);
    let items = |range| Items::new(&training.pixels[range], Digits::LENGTH).expect("whole items");
    let half = 200 * Digits::LENGTH;
    let others = generator::quality(items(0..half), items(half..2 * half), 5);
    let others = others.expect("200 items each");
    println!("{others:?}");
    assert!((others.density - 1.0).abs() < 0.15, "{others:?}");
    assert!(others.coverage > 0.85 && (others.spread_ratio() - 1.0).abs() < 0.05);
    let copies = generator::quality(items(0..half), items(0..half), 5).expect("200 items each");
    assert!((copies.drawn_to_training, copies.coverage) == (0.0, 1.0));
}
