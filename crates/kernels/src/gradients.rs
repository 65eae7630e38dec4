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
use crate::gather::{Gather, Position, inside};
use crate::panels::Panels;
use crate::rows::{for_rows, pieces};
use crate::tile::{Start, TAPS, TERM, Tile};

/// Positions whose products are summed before they are added to the gradient.
const POSITIONS: usize = 256;

/// What packing a value of the output gradient costs, in multiply-adds of its tile.
const PACKING: usize = 12;

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
    let groups = groups(&gather, shape.batch);
    for_rows(weights_gradient, channels, pieces, |rows, chunk| {
        SCRATCH.with_borrow_mut(|scratch| {
            for group in &groups {
                let start = group.rows.start.max(rows.start);
                let end = group.rows.end.min(rows.end);
                if start < end {
                    let chunk = &mut chunk[(start - rows.start) * channels..];
                    let part = Group {
                        rows: start..end,
                        ..group.clone()
                    };
                    let step = Step {
                        dispatch,
                        gather: &gather,
                        batch: shape.batch,
                        input,
                        output_gradient,
                    };
                    step.add_group(&part, &mut chunk[..(end - start) * channels], scratch);
                }
            }
        });
    });
    Ok(())
}

/// Rows of the gradient that take the same positions.
#[derive(Clone, Debug)]
struct Group {
    rows: Range<usize>,
    /// Rows and columns of the positions.
    ys: Range<usize>,
    xs: Range<usize>,
}

/// All rows, each row of taps or each tap by itself: smaller groups leave out more positions that
/// lie outside the image, larger ones share the packed output gradient.
///
/// The choice depends on the shape alone, so that the order of the sums does not depend on threads.
fn groups(gather: &Gather, batch: usize) -> Vec<Group> {
    let (height, width, channels) = gather.source;
    let axis = |origin: isize, taps: Range<usize>, count: usize, size: usize| -> Range<usize> {
        let is_inside = |&position: &usize| {
            let first = origin + (position * gather.step) as isize;
            let inside = inside(first, taps.end, size);
            inside.start.max(taps.start) < inside.end
        };
        let start = (0..count).find(is_inside).unwrap_or(0);
        let end = (0..count).rfind(is_inside).map_or(0, |last| last + 1);
        start.min(end)..end
    };
    let group = |taps_y: Range<usize>, taps_x: Range<usize>| {
        let first = taps_y.start * gather.taps_x + taps_x.start;
        let last = (taps_y.end - 1) * gather.taps_x + taps_x.end;
        Group {
            rows: first * channels..last * channels,
            ys: axis(gather.origin.0, taps_y, gather.positions.0, height),
            xs: axis(gather.origin.1, taps_x, gather.positions.1, width),
        }
    };
    let all_x = 0..gather.taps_x;
    let rows_of_taps = (0..gather.taps_y).map(|y| group(y..y + 1, all_x.clone()));
    let each_tap = (0..gather.taps_y)
        .flat_map(|y| (0..gather.taps_x).map(move |x| (y, x)))
        .map(|(y, x)| group(y..y + 1, x..x + 1));
    let cost = |groups: &Vec<Group>| -> usize {
        let one = |group: &Group| {
            let positions = batch * group.ys.len() * group.xs.len();
            positions.next_multiple_of(32) * (group.rows.len() + PACKING)
        };
        groups.iter().map(one).sum()
    };
    [
        vec![group(0..gather.taps_y, all_x.clone())],
        rows_of_taps.collect(),
        each_tap.collect(),
    ]
    .into_iter()
    .min_by_key(cost)
    .unwrap_or_default()
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

/// What all groups share.
struct Step<'a> {
    dispatch: Dispatch,
    gather: &'a Gather,
    batch: usize,
    input: &'a [f32],
    output_gradient: &'a [f32],
}

impl Step<'_> {
    /// Adds all products of a group to its rows.
    fn add_group(&self, group: &Group, chunk: &mut [f32], scratch: &mut Scratch) {
        let (rows, _, channels) = self.gather.destination;
        scratch.positions.clear();
        let all = 0..self.batch * rows;
        self.gather
            .positions(&all, &group.ys, &group.xs, &mut scratch.positions);
        scratch.offsets.clear();
        let offsets = (0..group.rows.len()).map(|row| row * channels);
        scratch.offsets.extend(offsets);
        scratch.block.resize(POSITIONS * TERM);
        let panels = scratch
            .gradient
            .get_or_insert_with(|| Panels::zeros(self.dispatch, 1, 1));
        if scratch.positions.is_empty() {
            chunk.fill(0.0);
        }
        for (step, positions) in scratch.positions.chunks(POSITIONS).enumerate() {
            panels.resize(self.dispatch, positions.len(), channels);
            for (k, position) in positions.iter().enumerate() {
                panels.set_row(k, &self.output_gradient[position.to..][..channels]);
            }
            let parts = group.rows.len().div_ceil(TAPS);
            for i in 0..parts {
                let at = |i: usize| group.rows.len() * i / parts;
                let terms = group.rows.start + at(i)..group.rows.start + at(i + 1);
                let block = scratch.block.values_mut();
                for (position, out) in positions.iter().zip(block.chunks_exact_mut(TERM)) {
                    let out = &mut out[..terms.len()];
                    self.gather.read(self.input, position, &terms, out);
                }
                let offsets = &scratch.offsets[at(i)..at(i + 1)];
                let start = if step == 0 { Start::Zero } else { Start::Add };
                add_part(panels, positions.len(), offsets, start, chunk, block);
            }
        }
    }
}

/// Writes or adds the products of a packed block and the packed output gradient of `depth` positions.
fn add_part(
    panels: &Panels,
    depth: usize,
    offsets: &[usize],
    start: Start,
    chunk: &mut [f32],
    block: &[f32],
) {
    let dispatch = panels.dispatch;
    let count = offsets.len();
    let tiles = count.div_ceil(dispatch.rows());
    assert!(depth <= panels.depth && depth * TERM <= block.len() && count <= TAPS);
    assert!(offsets.iter().all(|&to| to + panels.columns <= chunk.len()));
    let gradient = panels.values();
    for panel in panels.panels() {
        let width = panel.vectors * dispatch.lanes();
        let b = &gradient[panel.offset..][..depth * width];
        for i in 0..tiles {
            let rows = count * i / tiles..count * (i + 1) / tiles;
            let tile = Tile {
                depth,
                a: block[rows.start..].as_ptr(),
                a_rows: std::ptr::null(),
                b: b.as_ptr(),
                next: b.as_ptr(),
                c: chunk.as_mut_ptr().wrapping_add(panel.column),
                rows: offsets[rows.clone()].as_ptr(),
                columns: panel.columns,
                start,
                finish: None,
            };
            let multiply = dispatch.tile(RowsOf::Taps, rows.len(), panel.vectors);
            // SAFETY: `dispatch` was detected; the block has `depth` terms of `TAPS` values,
            // the panel `depth` rows, and all offsets lie `columns` of the chunk before its end.
            unsafe { multiply(&tile) };
        }
    }
}
