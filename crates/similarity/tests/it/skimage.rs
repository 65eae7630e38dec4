//! Matrices and properties against scikit-image 0.26; `../golden/make.py` wrote what it says.

use retrial_similarity::{GlcmSettings, Offset, Order, Property, count, properties, quantise_u8};
use serde_json::Value;

const PROPERTIES: [Property; 7] = [
    Property::Contrast,
    Property::Dissimilarity,
    Property::Homogeneity,
    Property::Asm,
    Property::Energy,
    Property::Correlation,
    Property::Entropy,
];

/// The formulas of `make.py`.
fn picture(name: &str, height: usize, width: usize) -> Vec<u8> {
    let pixel = |at: usize| {
        let (y, x) = (at / width, at % width);
        let value = match name {
            "waves" => x * x / 16 + y * 3 + x * y / 9,
            "noise" => (x * 7919 + y * 104_729 + x * y * 31) % 65_521,
            "flat" => 77,
            other => panic!("no formula for {other}"),
        };
        (value % 256) as u8
    };
    (0..height * width).map(pixel).collect()
}

#[test]
fn equal_to_scikit_image() {
    let golden: Vec<Value> =
        serde_json::from_str(include_str!("../golden/skimage.json")).expect("a valid file");
    for case in &golden {
        let number = |key: &str| case[key].as_u64().expect("a number") as usize;
        let list = |key: &str| case[key].as_array().expect("a list");
        let name = case["picture"].as_str().expect("a name");
        let (height, width, levels) = (number("height"), number("width"), number("levels"));
        let pixels = picture(name, height, width);
        let picture = quantise_u8(height, width, &pixels, levels).expect("a valid picture");
        let offset = |pair: &Value| Offset {
            distance: pair[0].as_f64().expect("a distance"),
            angle: pair[1].as_f64().expect("an angle"),
        };
        let order = if case["symmetric"] == true {
            Order::Symmetric
        } else {
            Order::Directed
        };
        let offsets = list("offsets").iter().map(offset).collect();
        let settings = GlcmSettings::default()
            .with_offsets(offsets)
            .with_order(order);
        let counted = count(&picture, &settings).expect("a picture larger than its offsets");
        assert_eq!(counted.offsets(), list("checksums").len());
        for offset in 0..counted.offsets() {
            let what = format!("{name}, {levels} levels, {:?}", settings.offsets[offset]);
            let counts = counted.counts(offset);
            if let Some(want) = list("counts").get(offset) {
                let want: Vec<u64> = serde_json::from_value(want.clone()).expect("counts");
                assert_eq!(counts, want, "{what}");
            }
            let places = (0..).map(|at: u64| {
                let (i, j) = (at / levels as u64, at % levels as u64);
                (i * 31 + j * 17) % 101
            });
            let checksum: u64 = counts.iter().zip(places).map(|(c, place)| c * place).sum();
            assert_eq!(Some(checksum), case["checksums"][offset].as_u64(), "{what}");
            let got = properties(&counted, offset);
            for (at, property) in PROPERTIES.into_iter().enumerate() {
                let (got, want) = (got.get(property), &case["properties"][offset][at]);
                let want = want.as_f64().expect("a property");
                let near = 1e-12 * want.abs().max(1.0);
                assert!(
                    (got - want).abs() <= near,
                    "{what}: {property:?} {got} {want}"
                );
            }
        }
    }
}

#[test]
fn a_picture_smaller_than_the_offset() {
    let picture = quantise_u8(1, 3, &[1, 2, 3], 8).expect("a valid picture");
    let error = count(&picture, &GlcmSettings::default()).expect_err("one row has no row below");
    assert_eq!(
        error.to_string(),
        "no two of 1 × 3 pixels are 1 rows and 1 columns apart"
    );
}
