//! Forward passes and input gradients of convolutions.

use crate::convolution::Convolution;
use crate::epilogue::Epilogue;
use crate::error::{KernelError, check_length};
use crate::gather::{Gather, phases};
use crate::panels::{Packed, PackedTransposed, Transposed};
use crate::product::{End, run};
use crate::scatter;
use crate::tile::Start;

/// Convolves `input` and writes the output.
///
/// An item has the same bits in any batch and for any number of threads.
///
/// # Shapes
/// - `input`: `[batch, height, width, in_channels]`
/// - `output`: `[batch, out_height, out_width, out_channels]`
/// - `epilogue.bias`: `[out_channels]`
///
/// # Errors
/// A shape that is none, slices of other lengths, weights packed for another shape.
pub fn forward(
    shape: &Convolution,
    input: &[f32],
    weights: &Packed,
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) -> Result<(), KernelError> {
    forward_from(Start::Zero, shape, input, weights, epilogue, output)
}

/// As [`forward`], but adds to what `output` holds, before bias and activation: the end of a
/// residual block in one pass.
///
/// # Errors
/// As [`forward`].
pub fn forward_onto(
    shape: &Convolution,
    input: &[f32],
    weights: &Packed,
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) -> Result<(), KernelError> {
    forward_from(Start::Continue, shape, input, weights, epilogue, output)
}

fn forward_from(
    start: Start,
    shape: &Convolution,
    input: &[f32],
    weights: &Packed,
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) -> Result<(), KernelError> {
    let shape = shape.checked()?;
    check_length("input", shape.input_len(), input.len())?;
    check_length("output", shape.output_len(), output.len())?;
    check_bias(epilogue, shape.out_channels)?;
    weights.check(&shape)?;
    let gathers = [Gather::forward(&shape)];
    let panels = std::slice::from_ref(&weights.panels);
    let end = End { start, epilogue };
    run(&shape, &gathers, input, panels, end, output);
    Ok(())
}

/// The gradient of a convolution by its input; also the forward pass of a transposed convolution.
///
/// An item has the same bits in any batch and for any number of threads.
///
/// # Shapes
/// - `output_gradient`: `[batch, out_height, out_width, out_channels]`
/// - `input_gradient`: `[batch, height, width, in_channels]`, written
/// - `epilogue.bias`: `[in_channels]`
///
/// # Errors
/// A shape that is none, slices of other lengths, weights packed for another shape.
pub fn input_gradient(
    shape: &Convolution,
    output_gradient: &[f32],
    weights: &PackedTransposed,
    epilogue: Epilogue<'_>,
    input_gradient: &mut [f32],
) -> Result<(), KernelError> {
    let shape = shape.checked()?;
    check_length("output_gradient", shape.output_len(), output_gradient.len())?;
    check_length("input_gradient", shape.input_len(), input_gradient.len())?;
    check_bias(epilogue, shape.in_channels)?;
    weights.check(&shape)?;
    match &weights.kind {
        Transposed::Phases(panels) => {
            let gathers: Vec<Gather> = phases(&shape).collect();
            let end = End {
                start: Start::Zero,
                epilogue,
            };
            run(
                &shape,
                &gathers,
                output_gradient,
                panels,
                end,
                input_gradient,
            );
        }
        Transposed::Scatter(panels) => {
            scatter::run(&shape, output_gradient, panels, epilogue, input_gradient);
        }
    }
    Ok(())
}

fn check_bias(epilogue: Epilogue<'_>, channels: usize) -> Result<(), KernelError> {
    epilogue
        .bias
        .map_or(Ok(()), |bias| check_length("bias", channels, bias.len()))
}
