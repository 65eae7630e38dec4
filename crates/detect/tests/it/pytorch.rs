//! Digits resized and scaled as PyTorch does it.

use std::path::Path;

use retrial_detect::Scaling;
use retrial_image::GrayImage;
use retrial_image::resize::{Bicubic, bicubic};

/// Digits resized and scaled by torch 2.15.0 in both kernels.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn digits_agree_with_pytorch() {
    let tensors = Tensors::read();
    let scalings = [
        ("raw255", Scaling::Raw255),
        ("unit", Scaling::Unit),
        ("tanh", Scaling::Tanh),
    ];
    let digits = tensors.bytes("u8");
    for (name, scaling) in scalings {
        for (suffix, kernel) in [("noaa", Bicubic::Plain), ("aa", Bicubic::Antialias)] {
            let tensor = format!("pre.{name}.{suffix}");
            let expected = tensors.floats(&tensor);
            let (low, high) = expected
                .iter()
                .fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            for (digit, expected) in digits.chunks(28 * 28).zip(expected.chunks(64 * 64)) {
                let pixels = digit.iter().map(|&gray| f32::from(gray)).collect();
                let digit = GrayImage::new(28, 28, pixels).expect("28 × 28 values");
                let resized = bicubic(&digit, 64, 64, kernel).expect("a valid size");
                let scaled: Vec<f32> = resized.pixels().iter().map(|&v| scaling.apply(v)).collect();
                let off = scaled.iter().zip(expected).map(|(a, b)| (a - b).abs());
                let worst = off.fold(0.0, f32::max);
                assert_eq!(scaled.len(), expected.len(), "{tensor}");
                assert!(worst <= 1e-6 * (high - low), "{tensor}: {worst}");
            }
        }
    }
}

/// A file of tensors: the length of the header, a header in JSON, the data.
struct Tensors {
    header: serde_json::Value,
    data: Vec<u8>,
}

impl Tensors {
    fn read() -> Self {
        let mirror = std::env::var_os("RETRIAL_MIRROR");
        let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
        let file = Path::new(&mirror).join("parity_anogan/anogan_c4.safetensors");
        let bytes = std::fs::read(&file);
        let bytes = bytes.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (length, rest) = bytes.split_at(8);
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        let (header, data) = rest.split_at(length as usize);
        Self {
            header: serde_json::from_slice(header).expect("a header in JSON"),
            data: data.to_vec(),
        }
    }

    fn bytes(&self, name: &str) -> &[u8] {
        let offsets = &self.header[name]["data_offsets"];
        let at = |i: usize| offsets[i].as_u64().expect("an offset") as usize;
        &self.data[at(0)..at(1)]
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.bytes(name)
            .chunks_exact(4)
            .map(|value| f32::from_le_bytes(value.try_into().expect("four bytes")))
            .collect()
    }
}
