//! Weights under the names and in the layouts of the published PyTorch program: generator
//! `net.<3i>` (transposed convolution) and `net.<3i + 1>` (batch normalisation), discriminator
//! `feat.<3i>`, `feat.<3i + 1>` and `critic`.
//!
//! PyTorch's layers carry a bias before every batch normalisation, which cancels there. Coming
//! in, it is taken from the running mean; going out, it is zero.

use thiserror::Error;

use crate::weights::{NamedArray, Weights};

/// Why weights are not those of the published nets.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TorchError {
    /// An array is not there.
    #[error("the weights lack `{name}`")]
    Missing {
        /// Its name in PyTorch.
        name: String,
    },
    /// An array has another number of axes.
    #[error("`{name}` has shape {found:?}, expected {expected}")]
    Shape {
        /// Its name in PyTorch.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What was expected, in words.
        expected: &'static str,
    },
}

/// Weights of a [`Generator`](super::Generator) from PyTorch's.
///
/// # Errors
/// [`TorchError`] naming the first array that is missing or of another form.
pub fn generator_from(torch: &Weights) -> Result<Weights, TorchError> {
    let layers = layers(torch, "net");
    let mut ours = Weights::new();
    for layer in 0..layers {
        let kernel = four(torch, &format!("net.{}.weight", 3 * layer))?;
        let [read, written, y, x] = kernel.axes;
        let name = match layer {
            0 => "project".to_owned(),
            _ if layer + 1 == layers => "last".to_owned(),
            _ => format!("layers.{}.kernel", layer - 1),
        };
        // [read, written, y, x] to [latent, y · x · written], or to [y, x, written, read].
        let array = if layer == 0 {
            let values = kernel.permuted([0, 2, 3, 1]);
            shaped(vec![read, y * x * written], values)
        } else {
            shaped(vec![y, x, written, read], kernel.permuted([2, 3, 1, 0]))
        };
        ours.insert(name, array);
        let bias = line(torch, &format!("net.{}.bias", 3 * layer))?;
        if layer + 1 == layers {
            ours.insert("last_bias".to_owned(), shaped(vec![1], bias));
        } else {
            let prefix = match layer {
                0 => "norm".to_owned(),
                _ => format!("layers.{}.norm", layer - 1),
            };
            norm_from(
                torch,
                &format!("net.{}", 3 * layer + 1),
                &bias,
                &prefix,
                &mut ours,
            )?;
        }
    }
    Ok(ours)
}

/// Weights of a [`Discriminator`](super::Discriminator) with batch normalisation from PyTorch's.
///
/// # Errors
/// As [`generator_from`].
pub fn discriminator_from(torch: &Weights) -> Result<Weights, TorchError> {
    let mut ours = Weights::new();
    for layer in 0..layers(torch, "feat") {
        let kernel = four(torch, &format!("feat.{}.weight", 3 * layer))?;
        let [written, read, y, x] = kernel.axes;
        let array = shaped(vec![y, x, read, written], kernel.permuted([2, 3, 1, 0]));
        ours.insert(format!("layers.{layer}.kernel"), array);
        let bias = line(torch, &format!("feat.{}.bias", 3 * layer))?;
        let prefix = format!("layers.{layer}.norm");
        norm_from(
            torch,
            &format!("feat.{}", 3 * layer + 1),
            &bias,
            &prefix,
            &mut ours,
        )?;
    }
    let critic = four(torch, "critic.weight")?;
    let [written, read, y, x] = critic.axes;
    let array = shaped(vec![y * x * read, written], critic.permuted([2, 3, 1, 0]));
    ours.insert("critic".to_owned(), array);
    let bias = line(torch, "critic.bias")?;
    ours.insert("critic_bias".to_owned(), shaped(vec![bias.len()], bias));
    Ok(ours)
}

/// PyTorch's weights from those of a [`Generator`](super::Generator) whose inner width is `size`.
///
/// # Errors
/// [`TorchError`] when they are of another net.
pub fn generator_to(ours: &Weights, size: usize) -> Result<Weights, TorchError> {
    let mut torch = Weights::new();
    let project = get(ours, "project")?;
    let [latent, columns] = axes::<2>("project", project, "[latent, columns]")?;
    let channels = columns / (size * size);
    let four = Four {
        axes: [latent, size, size, channels],
        values: &project.values,
    };
    let kernel = shaped(
        vec![latent, channels, size, size],
        four.permuted([0, 3, 1, 2]),
    );
    torch.insert("net.0.weight".to_owned(), kernel);
    torch.insert(
        "net.0.bias".to_owned(),
        shaped(vec![channels], vec![0.0; channels]),
    );
    norm_to(ours, "norm", "net.1", &mut torch)?;
    let mut layer = 1;
    while ours.contains_key(&format!("layers.{}.kernel", layer - 1)) {
        let written = kernel_to(
            ours,
            &format!("layers.{}.kernel", layer - 1),
            3 * layer,
            &mut torch,
        )?;
        let bias = shaped(vec![written], vec![0.0; written]);
        torch.insert(format!("net.{}.bias", 3 * layer), bias);
        let prefix = format!("layers.{}.norm", layer - 1);
        norm_to(ours, &prefix, &format!("net.{}", 3 * layer + 1), &mut torch)?;
        layer += 1;
    }
    kernel_to(ours, "last", 3 * layer, &mut torch)?;
    let bias = get(ours, "last_bias")?.clone();
    torch.insert(format!("net.{}.bias", 3 * layer), bias);
    Ok(torch)
}

/// PyTorch's weights from those of a [`Discriminator`](super::Discriminator) with batch
/// normalisation whose inner width is `size`.
///
/// # Errors
/// [`TorchError`] when they are of another net.
pub fn discriminator_to(ours: &Weights, size: usize) -> Result<Weights, TorchError> {
    let mut torch = halvings_to(ours)?;
    map_to(ours, ("critic", "critic_bias"), size, "critic", &mut torch)?;
    Ok(torch)
}

/// PyTorch's weights from those of an [`Encoder`](super::Encoder) whose inner width is `size`:
/// `feat.…` as in the discriminator, then a convolution `head` over all that is left.
///
/// # Errors
/// [`TorchError`] when they are of another net.
pub fn encoder_to(ours: &Weights, size: usize) -> Result<Weights, TorchError> {
    let mut torch = halvings_to(ours)?;
    map_to(ours, ("head", "head_bias"), size, "head", &mut torch)?;
    Ok(torch)
}

fn halvings_to(ours: &Weights) -> Result<Weights, TorchError> {
    let mut torch = Weights::new();
    let mut layer = 0;
    while ours.contains_key(&format!("layers.{layer}.kernel")) {
        let name = format!("layers.{layer}.kernel");
        let kernel = four(ours, &name)?;
        let [y, x, read, written] = kernel.axes;
        let array = shaped(vec![written, read, y, x], kernel.permuted([3, 2, 0, 1]));
        torch.insert(format!("feat.{}.weight", 3 * layer), array);
        let bias = shaped(vec![written], vec![0.0; written]);
        torch.insert(format!("feat.{}.bias", 3 * layer), bias);
        let prefix = format!("layers.{layer}.norm");
        norm_to(
            ours,
            &prefix,
            &format!("feat.{}", 3 * layer + 1),
            &mut torch,
        )?;
        layer += 1;
    }
    Ok(torch)
}

/// A map `[size · size · read, written]` with its bias as a convolution over `size × size`.
fn map_to(
    ours: &Weights,
    (map, map_bias): (&str, &str),
    size: usize,
    name: &str,
    torch: &mut Weights,
) -> Result<(), TorchError> {
    let array = get(ours, map)?;
    let [rows, written] = axes::<2>(map, array, "[features, written]")?;
    let read = rows / (size * size);
    let columns = Four {
        axes: [size, size, read, written],
        values: &array.values,
    };
    let kernel = shaped(
        vec![written, read, size, size],
        columns.permuted([3, 2, 0, 1]),
    );
    torch.insert(format!("{name}.weight"), kernel);
    let bias = get(ours, map_bias)?.clone();
    torch.insert(format!("{name}.bias"), bias);
    Ok(())
}

/// A doubling kernel `[y, x, written, read]` as PyTorch's `[read, written, y, x]`.
fn kernel_to(
    ours: &Weights,
    name: &str,
    place: usize,
    torch: &mut Weights,
) -> Result<usize, TorchError> {
    let kernel = four(ours, name)?;
    let [y, x, written, read] = kernel.axes;
    let array = shaped(vec![read, written, y, x], kernel.permuted([3, 2, 0, 1]));
    torch.insert(format!("net.{place}.weight"), array);
    Ok(written)
}

fn norm_from(
    torch: &Weights,
    from: &str,
    bias: &[f32],
    to: &str,
    ours: &mut Weights,
) -> Result<(), TorchError> {
    let channels = bias.len();
    let mut affine = line(torch, &format!("{from}.weight"))?;
    affine.extend(line(torch, &format!("{from}.bias"))?);
    let mean = line(torch, &format!("{from}.running_mean"))?;
    let mut running: Vec<f32> = mean.iter().zip(bias).map(|(m, b)| m - b).collect();
    running.extend(line(torch, &format!("{from}.running_var"))?);
    ours.insert(format!("{to}.affine"), shaped(vec![2, channels], affine));
    ours.insert(format!("{to}.running"), shaped(vec![2, channels], running));
    Ok(())
}

fn norm_to(ours: &Weights, from: &str, to: &str, torch: &mut Weights) -> Result<(), TorchError> {
    for (name, first, second) in [
        ("affine", "weight", "bias"),
        ("running", "running_mean", "running_var"),
    ] {
        let name = format!("{from}.{name}");
        let pair = get(ours, &name)?;
        let [_, channels] = axes::<2>(&name, pair, "[2, channels]")?;
        let (a, b) = pair.values.split_at(channels);
        torch.insert(format!("{to}.{first}"), shaped(vec![channels], a.to_vec()));
        torch.insert(format!("{to}.{second}"), shaped(vec![channels], b.to_vec()));
    }
    Ok(())
}

/// How many `<prefix>.<3i>.weight` there are.
fn layers(torch: &Weights, prefix: &str) -> usize {
    (0..)
        .take_while(|layer| torch.contains_key(&format!("{prefix}.{}.weight", 3 * layer)))
        .count()
}

fn get<'w>(weights: &'w Weights, name: &str) -> Result<&'w NamedArray, TorchError> {
    weights.get(name).ok_or_else(|| TorchError::Missing {
        name: name.to_owned(),
    })
}

fn axes<const D: usize>(
    name: &str,
    array: &NamedArray,
    expected: &'static str,
) -> Result<[usize; D], TorchError> {
    array
        .shape
        .as_slice()
        .try_into()
        .map_err(|_| TorchError::Shape {
            name: name.to_owned(),
            found: array.shape.clone(),
            expected,
        })
}

fn line(weights: &Weights, name: &str) -> Result<Vec<f32>, TorchError> {
    let array = get(weights, name)?;
    axes::<1>(name, array, "one axis")?;
    Ok(array.values.clone())
}

fn four<'w>(weights: &'w Weights, name: &str) -> Result<Four<'w>, TorchError> {
    let array = get(weights, name)?;
    Ok(Four {
        axes: axes(name, array, "four axes")?,
        values: &array.values,
    })
}

fn shaped(shape: Vec<usize>, values: Vec<f32>) -> NamedArray {
    NamedArray { shape, values }
}

/// An array of four axes.
struct Four<'w> {
    axes: [usize; 4],
    values: &'w [f32],
}

impl Four<'_> {
    /// The values with axis `order[i]` as axis `i`.
    fn permuted(&self, order: [usize; 4]) -> Vec<f32> {
        let mut strides = [1; 4];
        for axis in (0..3).rev() {
            strides[axis] = strides[axis + 1] * self.axes[axis + 1];
        }
        let [a, b, c, d] = order.map(|axis| (self.axes[axis], strides[axis]));
        let mut out = Vec::with_capacity(self.values.len());
        for i in 0..a.0 {
            for j in 0..b.0 {
                for k in 0..c.0 {
                    let base = i * a.1 + j * b.1 + k * c.1;
                    out.extend((0..d.0).map(|l| self.values[base + l * d.1]));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::NamedArray;

    /// A map over features in the order (y, x, channel) and a convolution over the same image
    /// give the same sums.
    #[test]
    fn a_map_is_a_convolution_over_all_that_is_left() {
        let (size, read, written) = (2, 3, 2);
        let features = size * size * read;
        let number = |i: usize| (i as f32 * 0.7).sin();
        let map: Vec<f32> = (0..features * written).map(number).collect();
        let image: Vec<f32> = (100..100 + features).map(number).collect();
        let array = |shape: Vec<usize>, values: Vec<f32>| NamedArray { shape, values };
        let ours: Weights = [
            (
                "head".to_owned(),
                array(vec![features, written], map.clone()),
            ),
            (
                "head_bias".to_owned(),
                array(vec![written], vec![0.5, -0.5]),
            ),
        ]
        .into_iter()
        .collect();
        let torch = encoder_to(&ours, size).expect("an encoder without layers");
        let kernel = &torch["head.weight"];
        assert_eq!(kernel.shape, [written, read, size, size]);
        assert_eq!(torch["head.bias"].values, [0.5, -0.5]);
        for o in 0..written {
            let by_map: f32 = (0..features).map(|f| image[f] * map[f * written + o]).sum();
            let mut by_kernel = 0.0;
            for c in 0..read {
                for y in 0..size {
                    for x in 0..size {
                        by_kernel += image[(y * size + x) * read + c]
                            * kernel.values[((o * read + c) * size + y) * size + x];
                    }
                }
            }
            assert!((by_map - by_kernel).abs() < 1e-5, "{by_map} {by_kernel}");
        }
    }
}
