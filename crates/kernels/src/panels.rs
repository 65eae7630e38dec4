//! Weights in the order in which the tiles read them.

use crate::aligned::Aligned;
use crate::convolution::Convolution;
use crate::dispatch::Dispatch;
use crate::error::{KernelError, check_length};
use crate::gather::{Gather, phases};

/// A matrix `[depth, columns]` cut into panels of two vectors, the last of one where that is enough.
///
/// A panel holds its columns of row 0, of row 1, … without gaps; missing columns are zero.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    values: Aligned,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    pub(crate) dispatch: Dispatch,
}

/// One panel: its first column, its vectors a row and where it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) column: usize,
    pub(crate) columns: usize,
    pub(crate) vectors: usize,
    pub(crate) offset: usize,
}

impl Panels {
    pub(crate) fn zeros(dispatch: Dispatch, depth: usize, columns: usize) -> Self {
        let values = columns.next_multiple_of(dispatch.lanes()) * depth;
        Self {
            values: Aligned::zeros(values),
            depth,
            columns,
            dispatch,
        }
    }

    /// All panels from the left.
    pub(crate) fn panels(&self) -> impl Iterator<Item = Panel> + use<> {
        let (depth, columns, lanes) = (self.depth, self.columns, self.dispatch.lanes());
        (0..columns).step_by(2 * lanes).map(move |column| {
            let rest = columns - column;
            Panel {
                column,
                columns: rest.min(2 * lanes),
                vectors: if rest > lanes { 2 } else { 1 },
                offset: column * depth,
            }
        })
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.values.values()
    }

    /// Makes it a matrix of another size; what it holds is then unspecified.
    pub(crate) fn resize(&mut self, dispatch: Dispatch, depth: usize, columns: usize) {
        let values = columns.next_multiple_of(dispatch.lanes()) * depth;
        self.values.resize(values);
        (self.depth, self.columns, self.dispatch) = (depth, columns, dispatch);
    }

    /// Writes row `k`, whose values are given; missing columns of the last panel become zero.
    pub(crate) fn set_row(&mut self, k: usize, row: &[f32]) {
        let lanes = self.dispatch.lanes();
        for panel in self.panels() {
            let width = panel.vectors * lanes;
            let to = &mut self.values.values_mut()[panel.offset + k * width..][..width];
            let from = &row[panel.column..][..panel.columns];
            // A whole panel is copied without a call, and there are many.
            match (from.as_array::<32>(), to.as_mut_array::<32>()) {
                (Some(from), Some(to)) => *to = *from,
                _ => {
                    to[..from.len()].copy_from_slice(from);
                    to[from.len()..].fill(0.0);
                }
            }
        }
    }

    /// Writes column `j` of rows `first..`, whose values are given.
    fn set_column(&mut self, j: usize, first: usize, column: &[f32]) {
        let lanes = self.dispatch.lanes();
        let panel_index = j / (2 * lanes);
        let Some(panel) = self.panels().nth(panel_index) else {
            return;
        };
        let width = panel.vectors * lanes;
        let to = &mut self.values.values_mut()[panel.offset + first * width..];
        for (row, &value) in to.chunks_exact_mut(width).zip(column) {
            row[j - panel.column] = value;
        }
    }
}

/// Weights for [`forward`](crate::forward).
#[derive(Clone, Debug)]
pub struct Packed {
    pub(crate) panels: Panels,
    /// Kernel, 0, in and out channels.
    shape: [usize; 4],
}

/// Weights for [`input_gradient`](crate::input_gradient).
#[derive(Clone, Debug)]
pub struct PackedTransposed {
    pub(crate) kind: Transposed,
    /// Kernel, stride, in and out channels.
    shape: [usize; 4],
}

/// How the input gradient is computed.
#[derive(Clone, Debug)]
pub(crate) enum Transposed {
    /// One gather over the output gradient for each remainder of the position by the stride.
    Phases(Vec<Panels>),
    /// The products of each output pixel with all taps, added up afterwards: for so few input
    /// channels that a panel of them would be mostly empty.
    Scatter(Panels),
}

/// Input channels up to which products are added up afterwards.
const SCATTERED_CHANNELS: usize = 4;

/// Orders weights `[kernel_y, kernel_x, in_channel, out_channel]` for [`forward`](crate::forward).
///
/// Sizes of the image and the batch do not matter; the same packed weights serve any.
///
/// # Errors
/// A shape that is none, or a wrong number of weights.
pub fn pack(shape: &Convolution, weights: &[f32]) -> Result<Packed, KernelError> {
    pack_for(Dispatch::detect(), shape, weights)
}

pub(crate) fn pack_for(
    dispatch: Dispatch,
    shape: &Convolution,
    weights: &[f32],
) -> Result<Packed, KernelError> {
    let shape = shape.checked()?;
    check_length("weights", shape.weights_len(), weights.len())?;
    let depth = shape.kernel * shape.kernel * shape.in_channels;
    let mut panels = Panels::zeros(dispatch, depth, shape.out_channels);
    for (k, row) in weights.chunks_exact(shape.out_channels).enumerate() {
        panels.set_row(k, row);
    }
    Ok(Packed {
        panels,
        shape: [shape.kernel, 0, shape.in_channels, shape.out_channels],
    })
}

/// Orders weights `[kernel_y, kernel_x, in_channel, out_channel]` for
/// [`input_gradient`](crate::input_gradient).
///
/// Sizes of the image and the batch do not matter; the same packed weights serve any.
///
/// # Errors
/// A shape that is none, or a wrong number of weights.
pub fn pack_transposed(
    shape: &Convolution,
    weights: &[f32],
) -> Result<PackedTransposed, KernelError> {
    pack_transposed_for(Dispatch::detect(), shape, weights)
}

pub(crate) fn pack_transposed_for(
    dispatch: Dispatch,
    shape: &Convolution,
    weights: &[f32],
) -> Result<PackedTransposed, KernelError> {
    let shape = shape.checked()?;
    check_length("weights", shape.weights_len(), weights.len())?;
    let (inner, outer) = (shape.in_channels, shape.out_channels);
    let row = |tap: usize, channel: usize| &weights[(tap * inner + channel) * outer..][..outer];
    let kind = if inner <= SCATTERED_CHANNELS {
        let taps = shape.kernel * shape.kernel;
        let mut panels = Panels::zeros(dispatch, outer, taps * inner);
        for tap in 0..taps {
            for channel in 0..inner {
                panels.set_column(tap * inner + channel, 0, row(tap, channel));
            }
        }
        Transposed::Scatter(panels)
    } else {
        let pack_phase = |phase: Gather| {
            let mut panels = Panels::zeros(dispatch, phase.depth(), inner);
            for y in 0..phase.taps_y {
                for x in 0..phase.taps_x {
                    let tap_y = phase.tap_origin.0 - y * shape.stride;
                    let tap_x = phase.tap_origin.1 - x * shape.stride;
                    let first = (y * phase.taps_x + x) * outer;
                    for channel in 0..inner {
                        let tap = tap_y * shape.kernel + tap_x;
                        panels.set_column(channel, first, row(tap, channel));
                    }
                }
            }
            panels
        };
        Transposed::Phases(phases(&shape).map(pack_phase).collect())
    };
    Ok(PackedTransposed {
        kind,
        shape: [shape.kernel, shape.stride, inner, outer],
    })
}

impl Packed {
    pub(crate) fn check(&self, shape: &Convolution) -> Result<(), KernelError> {
        let asked = [shape.kernel, 0, shape.in_channels, shape.out_channels];
        check_shape(self.shape, asked)
    }
}

impl PackedTransposed {
    pub(crate) fn check(&self, shape: &Convolution) -> Result<(), KernelError> {
        let asked = [
            shape.kernel,
            shape.stride,
            shape.in_channels,
            shape.out_channels,
        ];
        check_shape(self.shape, asked)
    }
}

fn check_shape(packed: [usize; 4], asked: [usize; 4]) -> Result<(), KernelError> {
    if packed == asked {
        Ok(())
    } else {
        Err(KernelError::Packed { packed, asked })
    }
}
