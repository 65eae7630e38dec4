//! The backbone out of a file of weights that others trained on ImageNet.

use std::path::Path;

use retrial_data::format::weights_file::torch_weights::TorchWeights;
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::mask_rcnn::{Backbone, given_body};
use retrial_nets::weights::{NamedArray, Weights};
use retrial_runner::TrialError;
use retrial_store::Tree;

use super::items::Given;
use super::params::BackboneParams;
use super::settings;

/// Why there is no backbone without them.
pub(super) const NO_WEIGHTS: &str = "pretraining by `imagenet` needs weights, and the data set of this experiment has none; one that has \
     is `infrared-imagenet`";

/// What the stage `pretrain` leaves of them: `weights/body.…`.
pub(super) fn backbone(
    params: &BackboneParams,
    given: &Given,
    device: &str,
) -> Result<Tree, TrialError> {
    let Some(file) = &given.weights else {
        return Err(TrialError::Other(NO_WEIGHTS.to_owned()));
    };
    let torch = file.read_torch().map_err(TrialError::of)?;
    let device = device::open(device)?;
    let backbone = of_file(torch, &file.path, settings::backbone(params), &device)?;
    let mut tree = Tree::new();
    stage_tree::insert_weights(&mut tree, "weights", &backbone)?;
    Ok(tree)
}

fn of_file(
    torch: TorchWeights,
    path: &Path,
    backbone: Backbone,
    device: &Device,
) -> Result<Weights, TrialError> {
    let named = torch.tensors.into_iter().map(|tensor| {
        let array = NamedArray {
            shape: tensor.shape,
            values: tensor.values,
        };
        (tensor.name, array)
    });
    given_body(&named.collect(), backbone, device).map_err(|error| {
        let path = path.display();
        TrialError::Other(format!(
            "{path} holds no weights of the backbone {:?}: {error}",
            backbone.family
        ))
    })
}

#[cfg(test)]
mod tests {
    use retrial_data::format::weights_file::torch_weights::NamedTensor;
    use retrial_data::{Content, FetchOptions, find_manifest, load};
    use retrial_image::GrayImage;
    use retrial_image::resize::mean_over;
    use retrial_nets::mask_rcnn::{Family, Normalisation, Picture, body_features};

    use super::*;

    const BACKBONE: Backbone = Backbone {
        family: Family::EfficientnetLite0,
        width: 16,
        normalisation: Normalisation::Running,
    };

    /// Root mean square of the maps of each stage, and values of them, as PyTorch 2.15 computes them in
    /// 64 bits with the package's code (`benches/peers/efficientnet_lite0.py`).
    const MAPS: [[f64; 7]; 4] = [
        [
            1.2651215e+01,
            5.4490583e+00,
            1.0997862e+00,
            1.9969670e+01,
            -1.3248315e+01,
            -1.0136889e+01,
            -9.6037051e+00,
        ],
        [
            8.3985753e+00,
            -1.0627701e+00,
            -1.0610498e+01,
            -1.1884144e+01,
            -1.4879096e+01,
            -7.2199973e-01,
            -4.5523066e+00,
        ],
        [
            4.8314038e+00,
            -4.7239632e+00,
            1.0758806e+01,
            6.2928099e-01,
            3.3512646e+00,
            1.8180295e+00,
            -3.7675267e+00,
        ],
        [
            1.7537632e+00,
            4.7663237e-01,
            -1.5189778e+00,
            -1.2626828e+00,
            9.1986814e-01,
            4.6357315e-01,
            -7.2300909e-01,
        ],
    ];

    /// A data set without the network, or with it where its source is a registry.
    fn content(name: &str) -> Content {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let manifest = find_manifest(&root, name).expect("a manifest");
        let cache = std::env::temp_dir().join("retrial-test-weights");
        let mut options = FetchOptions::new(cache);
        options.mirror = std::env::var_os("RETRIAL_MIRROR").map(Into::into);
        let loaded = load(&manifest, &options, &mut |_| ());
        loaded.unwrap_or_else(|error| panic!("{error}")).0
    }

    fn weights() -> (TorchWeights, std::path::PathBuf) {
        let Content::Weights(file) = content("efficientnet-lite0") else {
            panic!("no weights");
        };
        (file.read_torch().expect("a state dict"), file.path)
    }

    /// Values from −1 to 1 by the script's formula.
    fn images() -> Vec<f32> {
        let seed = "images"
            .bytes()
            .fold(0, |seed, byte| (31 * seed + u64::from(byte)) % 65521);
        let value = |i: u64| ((7919 * i + 131 * seed + i * i % 8191) % 2003) as f64 / 1001.5 - 1.0;
        (0..2 * 64 * 96 * 3)
            .map(|i| (1.5 * value(i)) as f32)
            .collect()
    }

    #[test]
    #[ignore = "needs pip and its registry"]
    fn the_wheels_weights_give_its_maps_with_registry() {
        let (torch, path) = weights();
        let device = Device::flex();
        let backbone = of_file(torch, &path, BACKBONE, &device).expect("all weights");
        let all = images();
        let picture = |values: &[f32]| Picture {
            height: 64,
            width: 96,
            values: values.to_vec(),
        };
        let pictures: Vec<Picture> = all.chunks(all.len() / 2).map(picture).collect();
        let pictures: Vec<&Picture> = pictures.iter().collect();
        let maps =
            body_features(&backbone, BACKBONE, &pictures, &device).expect("of this backbone");
        assert_eq!(maps.len(), MAPS.len());
        for (stage, (map, theirs)) in maps.iter().zip(MAPS).enumerate() {
            let count = map.values.len();
            let square: f64 = map.values.iter().map(|&v| f64::from(v).powi(2)).sum();
            let root = (square / count as f64).sqrt();
            assert!((root / theirs[0] - 1.0).abs() < 1e-4, "stage {stage}");
            for (k, theirs) in theirs[1..].iter().enumerate() {
                let place = (k * count / 6 + 37 * k) % count;
                let apart = (f64::from(map.values[place]) - theirs).abs();
                assert!(apart < 1e-4 * root, "stage {stage}, value {place}");
            }
        }
    }

    /// The classifier behind the backbone: 1 × 1, normalisation, rectifier, mean, dense layer.
    fn best(torch: &TorchWeights, top: &NamedArray) -> usize {
        let get = |name: &str| {
            let tensor = torch.get(name).unwrap_or_else(|| panic!("no {name}"));
            tensor.values.as_slice()
        };
        let (kernel, dense) = (get("_conv_head.weight"), get("_fc.weight"));
        let norm = ["weight", "bias", "running_mean", "running_var"]
            .map(|ending| get(&format!("_bn1.{ending}")));
        let channels = top.shape[3];
        let places = top.values.len() / channels;
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let feature = |(out, kernel): (usize, &[f32])| {
            let [scale, shift, mean, variance] = norm.map(|values| values[out]);
            let one = |place: &[f32]| {
                let value = (dot(place, kernel) - mean) / (variance + 1e-3).sqrt();
                (value * scale + shift).clamp(0.0, 6.0)
            };
            top.values.chunks(channels).map(one).sum::<f32>() / places as f32
        };
        let features: Vec<f32> = kernel.chunks(channels).enumerate().map(feature).collect();
        let bias = get("_fc.bias");
        let logits = dense.chunks(features.len()).zip(bias);
        let logits: Vec<f32> = logits.map(|(row, b)| dot(row, &features) + b).collect();
        let all = logits.iter().enumerate();
        let best = all.max_by(|a, b| a.1.total_cmp(b.1));
        best.expect("classes").0
    }

    #[test]
    #[ignore = "needs pip, its registry and RETRIAL_MIRROR"]
    fn known_pictures_are_named_with_registry_and_mirror() {
        let (torch, path) = weights();
        let Content::Pictures(folder) = content("imagenet-sample") else {
            panic!("no pictures");
        };
        let device = Device::flex();
        let backbone = of_file(torch.clone(), &path, BACKBONE, &device).expect("all weights");
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        let mut right = 0;
        // The pictures are every fifth class of the thousand in the order of their names.
        for (place, file) in folder.files.iter().enumerate().step_by(20) {
            let colours = file.read().expect("a picture");
            let mut values = vec![0.0; 224 * 224 * 3];
            for colour in 0..3 {
                let plane = colours.rgb.iter().skip(colour).step_by(3);
                let plane = plane.map(|&value| f32::from(value) / 255.0).collect();
                let plane = GrayImage::new(colours.width, colours.height, plane).expect("a plane");
                let small = mean_over(&plane, 224, 224).expect("a size");
                for (at, value) in small.pixels().iter().enumerate() {
                    values[3 * at + colour] = (value - mean[colour]) / deviation[colour];
                }
            }
            let picture = Picture {
                height: 224,
                width: 224,
                values,
            };
            let maps =
                body_features(&backbone, BACKBONE, &[&picture], &device).expect("a backbone");
            right += usize::from(best(&torch, &maps[3]) == 5 * place);
        }
        assert!(right >= RIGHT, "{right} of 10 are named");
    }

    /// Pictures of ten that must be named; 81 % of all are, whose sides are not changed alike.
    const RIGHT: usize = 7;

    #[test]
    fn weights_of_another_net_are_named_with_their_file() {
        let tensors = vec![NamedTensor {
            name: "conv1.weight".to_owned(),
            shape: vec![1],
            values: vec![1.0],
        }];
        let torch = TorchWeights {
            tensors,
            skipped: Vec::new(),
        };
        let error = of_file(torch, Path::new("some/net.pth"), BACKBONE, &Device::flex());
        let text = error.expect_err("another net").to_string();
        for words in ["some/net.pth", "EfficientnetLite0", "`_blocks.0."] {
            assert!(text.contains(words), "{text}");
        }
    }
}
