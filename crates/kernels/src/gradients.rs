//! The gradient of a convolution by its weights.

#![expect(
    unsafe_code,
    reason = "tiles take pointers; the bounds are checked here"
)]

use std::cell::RefCell;
use std::ops::Range;

use crate::aligned::Aligned;
use crate::convolution::Convolution;
use crate::dispatch::{Dispatch, RowsOf};
use crate::error::{KernelError, check_length};
use crate::gather::{Gather, Position};
use crate::panels::Panels;
use crate::rows::{for_rows, pieces};
use crate::tile::{Start, TAPS, TERM, Tile};

/// Positions whose products are summed before they are added to the gradient.
const POSITIONS: usize = 256;

/// The gradient of a convolution by its weights, summed over the batch.
///
/// The products of 256 positions at a time are summed and added, in the order of the positions, for
/// any number of threads.
///
/// # Shapes
/// - `input`: `[batch, height, width, in_channels]`
/// - `output_gradient`: `[batch, out_height, out_width, out_channels]`
/// - `weights_gradient`: `[kernel, kernel, in_channels, out_channels]`, written
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn weight_gradient(
    shape: &Convolution,
    input: &[f32],
    output_gradient: &[f32],
    weights_gradient: &mut [f32],
) -> Result<(), KernelError> {
    weight_gradient_for(
        Dispatch::detect(),
        shape,
        input,
        output_gradient,
        weights_gradient,
    )
}

pub(crate) fn weight_gradient_for(
    dispatch: Dispatch,
    shape: &Convolution,
    input: &[f32],
    output_gradient: &[f32],
    weights_gradient: &mut [f32],
) -> Result<(), KernelError> {
    let shape = shape.checked()?;
    check_length("input", shape.input_len(), input.len())?;
    check_length("output_gradient", shape.output_len(), output_gradient.len())?;
    check_length(
        "weights_gradient",
        shape.weights_len(),
        weights_gradient.len(),
    )?;
    let gather = Gather::forward(&shape);
    let pieces = pieces(shape.multiply_adds());
    let channels = shape.out_channels;
    for_rows(weights_gradient, channels, pieces, |taps, chunk| {
        chunk.fill(0.0);
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.positions.clear();
            let rows = 0..shape.batch * shape.out_height();
            let (ys, xs) = (0..shape.out_height(), 0..shape.out_width());
            gather.positions(&rows, &ys, &xs, &mut scratch.positions);
            scratch.offsets.clear();
            scratch
                .offsets
                .extend((0..taps.len()).map(|row| row * channels));
            for positions in scratch.positions.chunks(POSITIONS) {
                let panels = scratch
                    .gradient
                    .get_or_insert_with(|| Panels::zeros(dispatch, 1, 1));
                panels.resize(dispatch, positions.len(), channels);
                for (k, position) in positions.iter().enumerate() {
                    panels.set_row(k, &output_gradient[position.to..][..channels]);
                }
                let step = Step {
                    gather: &gather,
                    input,
                    panels,
                    positions,
                    offsets: &scratch.offsets,
                };
                step.add(&taps, chunk, &mut scratch.block);
            }
        });
    });
    Ok(())
}

/// What a thread needs besides its arguments, kept from call to call.
#[derive(Default)]
struct Scratch {
    block: Aligned,
    positions: Vec<Position>,
    offsets: Vec<usize>,
    gradient: Option<Panels>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The products of some positions.
struct Step<'a> {
    gather: &'a Gather,
    input: &'a [f32],
    /// The output gradient of the positions.
    panels: &'a Panels,
    positions: &'a [Position],
    /// Where each row of the gradient begins in its chunk.
    offsets: &'a [usize],
}

impl Step<'_> {
    /// Adds the products to rows `taps` of the gradient.
    fn add(&self, taps: &Range<usize>, chunk: &mut [f32], block: &mut Aligned) {
        block.resize(POSITIONS * TERM);
        let block = block.values_mut();
        let parts = taps.len().div_ceil(TAPS);
        for i in 0..parts {
            let at = |i: usize| taps.start + taps.len() * i / parts;
            let part = at(i)..at(i + 1);
            for (position, term) in self.positions.iter().zip(block.chunks_exact_mut(TERM)) {
                let out = &mut term[..part.len()];
                self.gather.read(self.input, position, &part, out);
            }
            let offsets = &self.offsets[part.start - taps.start..part.end - taps.start];
            self.add_part(offsets, chunk, block);
        }
    }

    fn add_part(&self, offsets: &[usize], chunk: &mut [f32], block: &[f32]) {
        let dispatch = self.panels.dispatch;
        let count = offsets.len();
        let tiles = count.div_ceil(dispatch.rows());
        let depth = self.positions.len();
        assert!(depth <= self.panels.depth && depth * TERM <= block.len() && count <= TAPS);
        assert!(
            offsets
                .iter()
                .all(|&to| to + self.panels.columns <= chunk.len())
        );
        let gradient = self.panels.values();
        for panel in self.panels.panels() {
            let width = panel.vectors * dispatch.lanes();
            let b = &gradient[panel.offset..][..depth * width];
            for i in 0..tiles {
                let rows = count * i / tiles..count * (i + 1) / tiles;
                let tile = Tile {
                    depth,
                    a: block[rows.start..].as_ptr(),
                    b: b.as_ptr(),
                    c: chunk.as_mut_ptr().wrapping_add(panel.column),
                    rows: offsets[rows.clone()].as_ptr(),
                    columns: panel.columns,
                    start: Start::Add,
                    finish: None,
                };
                let multiply = dispatch.tile(RowsOf::Taps, rows.len(), panel.vectors);
                // SAFETY: `dispatch` was detected; the block has `depth` terms of `TAPS` values,
                // the panel `depth` rows, and all offsets lie `columns` of the chunk before its end.
                unsafe { multiply(&tile) };
            }
        }
    }
}
