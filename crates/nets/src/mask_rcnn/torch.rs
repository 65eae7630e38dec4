//! Weights under the names and in the layouts of torchvision's detectors.

use thiserror::Error;

use crate::weights::{NamedArray, Weights};

/// Why weights are not those of such a detector.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TorchError {
    /// An array is not there.
    #[error("the weights lack `{name}`")]
    Missing {
        /// Its name in that file.
        name: String,
    },
    /// An array of another shape.
    #[error("`{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Its name in that file.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the net has.
        expected: Vec<usize>,
    },
    /// An array that the net lacks.
    #[error("the weights hold `{name}`, which the net lacks")]
    Unknown {
        /// Its name in that file.
        name: String,
    },
}

/// How an array of ours lies in a file of PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `[y, x, in, out]` as `[out, in, y, x]`.
    Kernel,
    /// `[y, x, written, read]` as `[read, written, y, x]`.
    Transposed,
    /// `[in, out]` as `[out, in]`.
    Matrix,
    /// `[y · x · channel, out]` as `[out, channel · y · x]`, with 7 × 7 places.
    Flattened,
    /// `[out]` as it is.
    Line,
    /// `[2, channel]` as two arrays of these endings.
    Pair([&'static str; 2]),
}

/// Names of arrays in files of other programs.
#[derive(Clone, Copy)]
pub(super) struct Naming {
    /// From our name to the name of the layer there, and the layout of the array.
    pub(super) place: fn(&str) -> (String, Layout),
    /// Whether an array there is one that a detector does not use.
    pub(super) needless: fn(&str) -> bool,
}

/// torchvision's, whose classifiers end in a dense layer.
const TORCHVISION: Naming = Naming {
    place,
    needless: |name| {
        let unused = ["num_batches_tracked", "fc.weight", "fc.bias"];
        unused.iter().any(|ending| name.ends_with(ending))
    },
};

/// Our weights from torchvision's.
///
/// `like` holds every array that is wanted, as the net has it: the weights of a whole detector, or
/// those whose names begin with `body.` to fill the backbone from a classifier. Names of older
/// releases (`rpn.head.conv`, `mask_fcn1`, `inner_blocks.0`) are known, and those of a classifier
/// (`conv1`, `layer1.0.conv1`).
///
/// # Errors
/// [`TorchError`] naming the first array that is missing, unknown or of another shape.
pub fn from_torch(torch: &Weights, like: &Weights) -> Result<Weights, TorchError> {
    from_named(torch, like, TORCHVISION)
}

/// [`from_torch`] by other names.
pub(super) fn from_named(
    torch: &Weights,
    like: &Weights,
    naming: Naming,
) -> Result<Weights, TorchError> {
    let mut used = std::collections::BTreeSet::new();
    let mut ours = Weights::new();
    for (name, array) in like {
        let (stem, layout) = (naming.place)(name);
        let endings: &[&str] = match &layout {
            Layout::Pair(endings) => endings,
            Layout::Line => &["bias"],
            _ => &["weight"],
        };
        let mut values = Vec::with_capacity(array.values.len());
        for ending in endings {
            let (found_name, found) = find(torch, &stem, ending)?;
            let expected = torch_shape(&array.shape, layout);
            if found.shape != expected {
                return Err(TorchError::Shape {
                    name: found_name,
                    found: found.shape.clone(),
                    expected,
                });
            }
            values.extend(to_ours(&found.values, &array.shape, layout));
            used.insert(found_name);
        }
        let shape = array.shape.clone();
        ours.insert(name.clone(), NamedArray { shape, values });
    }
    match torch
        .keys()
        .find(|name| !used.contains(*name) && !(naming.needless)(name))
    {
        Some(name) => Err(TorchError::Unknown { name: name.clone() }),
        None => Ok(ours),
    }
}

/// torchvision's weights from ours, under the names of today.
#[must_use]
pub fn to_torch(ours: &Weights) -> Weights {
    to_named(ours, TORCHVISION)
}

/// [`to_torch`] by other names.
pub(super) fn to_named(ours: &Weights, naming: Naming) -> Weights {
    let mut torch = Weights::new();
    for (name, array) in ours {
        let (stem, layout) = (naming.place)(name);
        let shape = torch_shape(&array.shape, layout);
        match layout {
            Layout::Pair(endings) => {
                let channels = array.shape[1];
                for (ending, values) in endings.iter().zip(array.values.chunks(channels)) {
                    let half = NamedArray {
                        shape: shape.clone(),
                        values: values.to_vec(),
                    };
                    torch.insert(format!("{stem}.{ending}"), half);
                }
            }
            _ => {
                let ending = if layout == Layout::Line {
                    "bias"
                } else {
                    "weight"
                };
                let values = to_theirs(&array.values, &array.shape, layout);
                torch.insert(format!("{stem}.{ending}"), NamedArray { shape, values });
            }
        }
    }
    torch
}

/// The name of the layer in torchvision, and the layout of the array.
fn place(name: &str) -> (String, Layout) {
    let (path, leaf) = name.rsplit_once('.').unwrap_or(("", name));
    let parts: Vec<&str> = path.split('.').collect();
    let layout = match (parts.as_slice(), leaf) {
        (["boxes", "first"], "matrix") => Layout::Flattened,
        (["masks", "doubling"], "kernel") => Layout::Transposed,
        _ => Layout::of(leaf),
    };
    let normalises = matches!(layout, Layout::Pair(_));
    let stem = match parts.as_slice() {
        ["body", "stem"] => format!("backbone.body.{}1", if normalises { "bn" } else { "conv" }),
        ["body", "stages", stage, "blocks", block, rest @ ..] => {
            let kind = if normalises { "bn" } else { "conv" };
            let layer = match rest {
                ["layers", layer] => format!("{kind}{}", next(layer)),
                _ => format!("downsample.{}", u8::from(normalises)),
            };
            format!("backbone.body.layer{}.{block}.{layer}", next(stage))
        }
        ["pyramid", "lateral", level] => format!("backbone.fpn.inner_blocks.{level}.0"),
        ["pyramid", "smooth", level] => format!("backbone.fpn.layer_blocks.{level}.0"),
        ["proposals", "shared"] => "rpn.head.conv.0.0".to_owned(),
        ["proposals", "objectness"] => "rpn.head.cls_logits".to_owned(),
        ["proposals", "deltas"] => "rpn.head.bbox_pred".to_owned(),
        ["boxes", "first"] => "roi_heads.box_head.fc6".to_owned(),
        ["boxes", "second"] => "roi_heads.box_head.fc7".to_owned(),
        ["boxes", "classifier"] => "roi_heads.box_predictor.cls_score".to_owned(),
        ["boxes", "regression"] => "roi_heads.box_predictor.bbox_pred".to_owned(),
        ["masks", "convolutions", layer] => format!("roi_heads.mask_head.{layer}.0"),
        ["masks", "doubling"] => "roi_heads.mask_predictor.conv5_mask".to_owned(),
        ["masks", "predictor"] => "roi_heads.mask_predictor.mask_fcn_logits".to_owned(),
        // What torchvision does not have, such as a weight transfer, keeps our name.
        _ => path.to_owned(),
    };
    (stem, layout)
}

impl Layout {
    /// The layout of most arrays of that name.
    pub(super) fn of(leaf: &str) -> Self {
        match leaf {
            "kernel" => Self::Kernel,
            "matrix" => Self::Matrix,
            "affine" => Self::Pair(["weight", "bias"]),
            "running" => Self::Pair(["running_mean", "running_var"]),
            _ => Self::Line,
        }
    }
}

fn next(number: &str) -> usize {
    number.parse::<usize>().unwrap_or(0) + 1
}

/// The array of a layer under today's name or an older one.
fn find<'t>(
    torch: &'t Weights,
    stem: &str,
    ending: &str,
) -> Result<(String, &'t NamedArray), TorchError> {
    let today = format!("{stem}.{ending}");
    let mut names = vec![today.clone()];
    if let Some(shorter) = stem.strip_suffix(".0") {
        names.push(format!("{shorter}.{ending}"));
        names.push(format!("{}.{ending}", shorter.trim_end_matches(".0")));
        if let Some(layer) = shorter.strip_prefix("roi_heads.mask_head.") {
            let number = next(layer);
            names.push(format!("roi_heads.mask_head.mask_fcn{number}.{ending}"));
        }
    }
    if let Some(own) = stem.strip_prefix("backbone.body.") {
        names.push(format!("{own}.{ending}"));
    }
    names
        .into_iter()
        .find_map(|name| torch.get(&name).map(|array| (name, array)))
        .ok_or(TorchError::Missing { name: today })
}

fn torch_shape(ours: &[usize], layout: Layout) -> Vec<usize> {
    match (layout, ours) {
        (Layout::Kernel | Layout::Transposed, &[y, x, a, b]) => vec![b, a, y, x],
        (Layout::Matrix | Layout::Flattened, &[read, written]) => vec![written, read],
        (Layout::Pair(_), &[_, channels]) => vec![channels],
        _ => ours.to_vec(),
    }
}

fn to_ours(values: &[f32], shape: &[usize], layout: Layout) -> Vec<f32> {
    reordered(
        shape,
        layout,
        |ours, theirs, out: &mut [f32]| out[ours] = values[theirs],
        values.len(),
    )
}

fn to_theirs(values: &[f32], shape: &[usize], layout: Layout) -> Vec<f32> {
    reordered(
        shape,
        layout,
        |ours, theirs, out: &mut [f32]| out[theirs] = values[ours],
        values.len(),
    )
}

/// Calls `set` with the places of every value in our layout and in torchvision's.
fn reordered(
    shape: &[usize],
    layout: Layout,
    set: impl Fn(usize, usize, &mut [f32]),
    length: usize,
) -> Vec<f32> {
    let mut out = vec![0.0; length];
    // Every layout is [y · x, a, b] here and [b, a, y · x] there.
    let [places, a, b] = match (layout, shape) {
        (Layout::Kernel | Layout::Transposed, &[y, x, a, b]) => [y * x, a, b],
        (Layout::Flattened, &[read, written]) => {
            let places = super::box_head::BOX_SIDE.pow(2);
            [places, read / places, written]
        }
        (Layout::Matrix, &[read, written]) => [1, read, written],
        _ => [1, 1, length],
    };
    for place in 0..places {
        for i in 0..a {
            for j in 0..b {
                let ours = (place * a + i) * b + j;
                let theirs = (j * a + i) * places + place;
                set(ours, theirs, &mut out);
            }
        }
    }
    out
}
