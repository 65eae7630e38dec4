//! Weights that other programs trained, as those of a backbone.

use burn::tensor::Device;
use retrial_seed::Seed;

use super::architecture::{Backbone, Family, Normalisation};
use super::backbone::BackboneNet;
use super::lite_stages;
use super::net::{Batch, Picture};
use super::start::Start;
use super::torch::{Layout, Naming, TorchError, from_named, from_torch};
use crate::weights::{self, NamedArray, Weights, WeightsError, values};

/// What stands before the names of a backbone's weights in a detector.
const BODY: &str = "body.";

/// The names of PyPI's `efficientnet-lite-pytorch` 0.1.0; its last convolution and what stands
/// behind it are the classifier's.
pub(super) const EFFICIENTNET: Naming = Naming {
    place,
    needless: |name| {
        let head = ["_conv_head.", "_bn1.", "_fc."];
        name.ends_with("num_batches_tracked") || head.iter().any(|own| name.starts_with(own))
    },
};

/// The weights of a backbone, by their names in a detector, out of a classifier's state dict: of
/// torchvision for residual nets, of PyPI's `efficientnet-lite-pytorch` for EfficientNet-Lite0.
///
/// # Errors
/// [`TorchError`] naming the first array that is missing, unknown or of another shape.
pub fn given_body(
    torch: &Weights,
    backbone: Backbone,
    device: &Device,
) -> Result<Weights, TorchError> {
    let like = weights::collect(&drawn(backbone, device));
    let like = weights::prefixed(like, BODY).collect();
    match backbone.family {
        Family::EfficientnetLite0 => from_named(torch, &like, EFFICIENTNET),
        _ => from_torch(torch, &like),
    }
}

/// The maps of a backbone at strides 4, 8, 16 and 32, normalised by running moments: what is compared
/// with other programs.
///
/// # Shapes
/// - result: `[n, height, width, channel]` each, of pictures in one batch
///
/// # Errors
/// [`WeightsError`] when the weights are of another backbone.
pub fn body_features(
    body: &Weights,
    backbone: Backbone,
    pictures: &[&Picture],
    device: &Device,
) -> Result<Vec<NamedArray>, WeightsError> {
    let own = weights::part(body, BODY);
    let mut net = weights::apply(drawn(backbone, device), &own)?;
    let batch = Batch::new(pictures, device);
    let maps = net.forward(batch.images, Normalisation::Running);
    let array = |map: burn::tensor::Tensor<4>| NamedArray {
        shape: map.dims().to_vec(),
        values: values(map),
    };
    Ok(maps.into_iter().map(array).collect())
}

/// A backbone of the right sizes.
pub(super) fn drawn(backbone: Backbone, device: &Device) -> BackboneNet {
    let stream = &mut Seed(0).stream("shapes");
    BackboneNet::new(backbone, &mut Start { stream, device })
}

fn place(name: &str) -> (String, Layout) {
    let (path, leaf) = name.rsplit_once('.').unwrap_or(("", name));
    let layout = Layout::of(leaf);
    let normalises = matches!(layout, Layout::Pair(_));
    let parts: Vec<&str> = path.split('.').collect();
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    let stem = match parts.as_slice() {
        ["body", "stem"] if normalises => "_bn0".to_owned(),
        ["body", "stem"] => "_conv_stem".to_owned(),
        ["body", "stages", stage, "blocks", block, "layers", layer] => {
            let before: usize = lite_stages::blocks().into_iter().take(number(stage)).sum();
            let block = before + number(block);
            // The first block expands nothing.
            let layer = number(layer) + usize::from(block == 0);
            let kind = match (normalises, layer) {
                (true, layer) => format!("_bn{layer}"),
                (false, 0) => "_expand_conv".to_owned(),
                (false, 1) => "_depthwise_conv".to_owned(),
                (false, _) => "_project_conv".to_owned(),
            };
            format!("_blocks.{block}.{kind}")
        }
        _ => path.to_owned(),
    };
    (stem, layout)
}
