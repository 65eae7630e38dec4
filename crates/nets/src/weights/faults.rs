//! Weights that do not fit, and bytes that are none.

use burn::nn::{Linear, LinearConfig};

use super::safetensors::{SafetensorsError, read, write};
use super::*;

fn linear(from: usize, to: usize) -> Linear {
    LinearConfig::new(from, to).init(&crate::testing::device())
}

#[test]
fn weights_go_out_and_in() {
    let weights = collect(&linear(3, 2));
    assert_eq!(weights["weight"].shape, [3, 2]);
    let other = linear(3, 2);
    assert_ne!(collect(&other), weights);
    let other = apply(other, &weights).expect("the same net");
    assert_eq!(collect(&other), weights);
}

#[test]
fn what_does_not_fit_is_named() {
    let whole = collect(&linear(3, 2));
    let mut lacking = whole.clone();
    lacking.remove("bias");
    let error = apply(linear(3, 2), &lacking).expect_err("an array lacks");
    let expected = WeightsError::Missing {
        name: "bias".to_owned(),
        expected: vec![2],
    };
    assert_eq!(error, expected);

    let mut more = whole.clone();
    let extra = NamedArray {
        shape: vec![1],
        values: vec![0.0],
    };
    more.insert("gain".to_owned(), extra);
    let error = apply(linear(3, 2), &more).expect_err("an array too many");
    let expected = WeightsError::Unknown {
        name: "gain".to_owned(),
        found: vec![1],
    };
    assert_eq!(error, expected);

    let error = apply(linear(4, 2), &whole).expect_err("another width");
    let expected = WeightsError::Shape {
        name: "weight".to_owned(),
        expected: vec![4, 2],
        found: vec![3, 2],
    };
    assert_eq!(error, expected);
    let said = error.to_string();
    assert!(said.contains("`weight`") && said.contains("[4, 2]") && said.contains("[3, 2]"));
}

fn named(shape: &[usize], values: &[f32]) -> Weights {
    let array = NamedArray {
        shape: shape.to_vec(),
        values: values.to_vec(),
    };
    Weights::from([("a".to_owned(), array)])
}

/// A file of one array `a`, put together by hand: length of the header, header, bytes.
fn by_hand(dtype: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!(
        "{{\"a\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[0,{}]}}}}",
        bytes.len()
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

#[test]
fn safetensors_made_by_hand_are_read() {
    let floats: Vec<u8> = [1.5_f32, -2.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let read_back = read(&by_hand("F32", "[1,2]", &floats)).expect("whole");
    assert_eq!(read_back, named(&[1, 2], &[1.5, -2.0]));
    let bytes = read(&by_hand("U8", "[3]", &[0, 7, 255])).expect("whole");
    assert_eq!(bytes, named(&[3], &[0.0, 7.0, 255.0]));
    let count = read(&by_hand("I64", "[]", &12_i64.to_le_bytes())).expect("whole");
    assert_eq!(count, named(&[], &[12.0]));
}

#[test]
fn bytes_that_are_no_weights_are_refused() {
    let whole = write(&named(&[2, 2], &[1.0, 2.0, 3.0, 4.0])).expect("consistent");
    assert!(read(&whole).is_ok());
    for length in 0..whole.len() {
        let error = read(&whole[..length]).expect_err("cut off");
        assert!(matches!(error, SafetensorsError::Format(_)), "{length}");
    }
    for garbage in [&b"PK\x03\x04 no such file at all"[..], &[0xff; 64], &[0; 8]] {
        assert!(read(garbage).is_err());
    }
    // Four bytes are no two numbers.
    assert!(read(&by_hand("F32", "[2]", &[0; 4])).is_err());
    for dtype in ["F16", "BF16"] {
        let error = read(&by_hand(dtype, "[2]", &[0; 4])).expect_err("half precision");
        let said = error.to_string();
        assert!(said.contains("`a`") && said.contains(dtype), "{said}");
    }
}

#[test]
fn arrays_of_another_length_are_not_written() {
    assert!(write(&named(&[3], &[1.0, 2.0])).is_err());
}

#[test]
fn parts_and_prefixes_are_inverse() {
    let weights = collect(&linear(3, 2));
    let prefixed: Weights = prefixed(weights.clone(), "net.").collect();
    assert!(prefixed.contains_key("net.weight"));
    assert_eq!(part(&prefixed, "net."), weights);
    assert!(part(&prefixed, "other.").is_empty());
}
