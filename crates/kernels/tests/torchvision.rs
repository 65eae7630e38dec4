//! RoIAlign against values that torchvision 0.21 computed.

use std::path::Path;

use retrial_kernels::{Roi, RoiAlign, roi_align, roi_align_gradient};
use safetensors::SafeTensors;

const FILE: &str = "parity/ops.safetensors";

fn bytes() -> Vec<u8> {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let path = Path::new(&mirror).join(FILE);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The values of a tensor and its shape.
fn tensor(all: &SafeTensors<'_>, name: &str) -> (Vec<f32>, Vec<usize>) {
    let view = all.tensor(name).expect("a tensor of this name");
    let (values, _) = view.data().as_chunks::<4>();
    let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
    (values.collect(), view.shape().to_vec())
}

/// `[n, c, h, w]` with the channels last.
fn channels_last(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let &[items, channels, height, width] = shape else {
        panic!("four axes");
    };
    let pixels = height * width;
    let index = |i: usize| {
        let (item, pixel, channel) = (i / channels / pixels, i / channels % pixels, i % channels);
        (item * channels + channel) * pixels + pixel
    };
    (0..items * pixels * channels)
        .map(|i| values[index(i)])
        .collect()
}

#[track_caller]
fn assert_near(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 1e-5, "[{i}]: {got} {expected}");
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn roi_align_equals_torchvision() {
    let bytes = bytes();
    let all = SafeTensors::deserialize(&bytes).expect("a file of tensors");
    let nhwc = |name: &str| {
        let (values, shape) = tensor(&all, name);
        channels_last(&values, &shape)
    };
    let (_, shape) = tensor(&all, "roi_align.input");
    let features = nhwc("roi_align.input");
    let (rois, _) = tensor(&all, "roi_align.rois");
    let rois: Vec<Roi> = rois
        .as_chunks::<5>()
        .0
        .iter()
        .map(|&[image, left, top, right, bottom]| (image as usize, [left, top, right, bottom]))
        .collect();
    for aligned in [false, true] {
        for (ratio, sampling_ratio) in [(-1, None), (2, Some(2))] {
            for out in [7, 14] {
                let align = RoiAlign {
                    height: shape[2],
                    width: shape[3],
                    channels: shape[1],
                    out,
                    scale: 0.125,
                    sampling_ratio,
                    aligned,
                };
                let flag = u8::from(aligned);
                let expected = nhwc(&format!("roi_align.out.aligned{flag}.sr{ratio}.{out}"));
                let mut y = vec![f32::NAN; expected.len()];
                roi_align(&align, &features, &rois, &mut y).expect("boxes on the map");
                assert_near(&y, &expected);
                if (aligned, sampling_ratio, out) == (false, Some(2), 7) {
                    let dy = nhwc("roi_align.grad_weight");
                    let mut dx = vec![f32::NAN; features.len()];
                    roi_align_gradient(&align, &rois, &dy, &mut dx).expect("boxes on the map");
                    assert_near(&dx, &nhwc("roi_align.grad_input"));
                }
            }
        }
    }
}
