//! Input gradients with very few input channels: products with all taps first, sums afterwards.
//!
//! The terms of a pixel are added tap by tap in the order of the kernel, so that an item has the
//! same bits in any batch.

use crate::convolution::Convolution;
use crate::epilogue::Epilogue;
use crate::gather::Gather;
use crate::panels::Panels;
use crate::product::multiply;
use crate::rows::{for_rows, pieces};

pub(crate) fn run(
    shape: &Convolution,
    output_gradient: &[f32],
    panels: &Panels,
    epilogue: Epilogue<'_>,
    input_gradient: &mut [f32],
) {
    let pieces = pieces(shape.multiply_adds()).min(shape.batch);
    let item_len = shape.height * shape.width * shape.in_channels;
    for_rows(input_gradient, item_len, pieces, |items, chunk| {
        let mut products = vec![0.0; shape.out_height() * shape.out_width() * panels.columns];
        for (item, to) in items.zip(chunk.chunks_exact_mut(item_len)) {
            multiply_item(shape, output_gradient, panels, item, &mut products);
            add_up(shape, &products, to);
            finish(to, shape.in_channels, epilogue);
        }
    });
}

/// `products[pixel, tap, channel]` of all output pixels of an item.
fn multiply_item(
    shape: &Convolution,
    output_gradient: &[f32],
    panels: &Panels,
    item: usize,
    products: &mut [f32],
) {
    let (height, width) = (shape.out_height(), shape.out_width());
    let gather = Gather {
        source: (height, width, shape.out_channels),
        destination: (height, width, panels.columns),
        positions: (height, width),
        origin: (0, 0),
        step: 1,
        first: (0, 0),
        spread: 1,
        taps_y: 1,
        taps_x: 1,
        tap_origin: (0, 0),
    };
    let len = height * width * shape.out_channels;
    let source = &output_gradient[item * len..][..len];
    multiply(
        &gather,
        source,
        panels,
        Epilogue::default(),
        &(0..height),
        products,
    );
}

/// Adds to each pixel its taps, in the order of the kernel.
fn add_up(shape: &Convolution, products: &[f32], to: &mut [f32]) {
    let (kernel, stride, channels) = (shape.kernel, shape.stride, shape.in_channels);
    let columns = kernel * kernel * channels;
    let (out_height, out_width) = (shape.out_height(), shape.out_width());
    to.fill(0.0);
    for (y, row) in to.chunks_exact_mut(shape.width * channels).enumerate() {
        for tap_y in 0..kernel {
            let Some(from_y) = source_of(y + shape.padding, tap_y, stride, out_height) else {
                continue;
            };
            for tap_x in 0..kernel {
                // Output columns whose tap falls into the row.
                let first = shape.padding as isize - tap_x as isize;
                let start = if first > 0 {
                    (first as usize).div_ceil(stride)
                } else {
                    0
                };
                let end = (shape.width + shape.padding)
                    .saturating_sub(tap_x)
                    .div_ceil(stride)
                    .min(out_width);
                let tap = (tap_y * kernel + tap_x) * channels;
                if start >= end {
                    continue;
                }
                let x = start * stride + tap_x - shape.padding;
                let from = (from_y * out_width + start) * columns;
                let from = products[from..].chunks_exact(columns).take(end - start);
                if channels == 1 {
                    let pixels = row[x..].iter_mut().step_by(stride);
                    for (value, from) in pixels.zip(from) {
                        *value += from[tap];
                    }
                } else {
                    let pixels = row[x * channels..].chunks_exact_mut(channels);
                    for (pixel, from) in pixels.step_by(stride).zip(from) {
                        for (value, from) in pixel.iter_mut().zip(&from[tap..]) {
                            *value += from;
                        }
                    }
                }
            }
        }
    }
}

/// The output row that tap `tap` of the padded row `padded` belongs to.
fn source_of(padded: usize, tap: usize, stride: usize, count: usize) -> Option<usize> {
    let offset = padded.checked_sub(tap)?;
    (offset % stride == 0 && offset / stride < count).then_some(offset / stride)
}

fn finish(to: &mut [f32], channels: usize, epilogue: Epilogue<'_>) {
    if let Some(bias) = epilogue.bias {
        for pixel in to.chunks_exact_mut(channels) {
            for (value, bias) in pixel.iter_mut().zip(bias) {
                *value += bias;
            }
        }
    }
    crate::activation::activate_in_place(to, epilogue.activation);
}
