//! The whole net, and what flows between its parts.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use retrial_instances::anchors::{Grid, pyramid};
use retrial_instances::boxes::Corners;
use retrial_instances::levels::LevelRule;
use retrial_seed::Stream;

use super::architecture::{Architecture, ArchitectureError, Normalisation};
use super::backbone::BackboneNet;
use super::box_head::BoxHead;
use super::mask_head::MaskHead;
use super::proposal::ProposalHead;
use super::pyramid::Pyramid;
use super::stage::COLOURS;
use super::start::Start;
use crate::detection_ops::{Regions, pool_regions};

/// A Mask R-CNN, or a Faster R-CNN when it has no mask head.
///
/// # Source
/// He et al. 2017, arXiv:1703.06870; Ren et al. 2015, arXiv:1506.01497.
#[derive(Module, Debug)]
pub struct MaskRcnn {
    pub(crate) body: BackboneNet,
    pub(crate) pyramid: Pyramid,
    pub(crate) proposals: ProposalHead,
    pub(crate) boxes: BoxHead,
    pub(crate) masks: Option<MaskHead>,
}

/// An image with normalised colours.
///
/// # Shapes
/// - `values`: `[height, width, 3]`
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Colours, about zero mean and unit variance.
    pub values: Vec<f32>,
}

/// Images of one batch, with zeros to the right and below up to a common size.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// `[n, height, width, 3]`.
    pub(crate) images: Tensor<4>,
    /// `[height, width]` of each image without the zeros.
    pub(crate) sizes: Vec<[usize; 2]>,
}

/// Sizes of a batch are multiples of this, px.
const MULTIPLE: usize = 32;
/// Samples along each axis of a pooled cell.
const SAMPLES: usize = 2;

impl MaskRcnn {
    /// A net with drawn weights.
    ///
    /// # Errors
    /// [`ArchitectureError`].
    pub fn new(
        architecture: &Architecture,
        stream: &mut Stream,
        device: &Device,
    ) -> Result<Self, ArchitectureError> {
        architecture.checked()?;
        let start = &mut Start { stream, device };
        let channels = architecture.pyramid_channels;
        Ok(Self {
            body: BackboneNet::new(architecture.backbone, start),
            pyramid: Pyramid::new(architecture.backbone.channels(), channels, start),
            proposals: ProposalHead::new(channels, architecture.anchors_per_position(), start),
            boxes: BoxHead::new(architecture, start),
            masks: architecture
                .masks
                .map(|masks| MaskHead::new(architecture, masks, start)),
        })
    }

    /// The five levels of the pyramid.
    pub(crate) fn levels(
        &mut self,
        images: Tensor<4>,
        normalisation: Normalisation,
    ) -> Vec<Tensor<4>> {
        self.pyramid
            .forward(self.body.forward(images, normalisation))
    }
}

impl Batch {
    pub(crate) fn new(pictures: &[&Picture], device: &Device) -> Self {
        let largest = |side: fn(&Picture) -> usize| {
            let sides = pictures.iter().map(|picture| side(picture));
            sides.max().unwrap_or(0).next_multiple_of(MULTIPLE)
        };
        let (height, width) = (largest(|p| p.height), largest(|p| p.width));
        let mut values = vec![0.0; pictures.len() * height * width * COLOURS];
        for (picture, image) in pictures
            .iter()
            .zip(values.chunks_mut(height * width * COLOURS))
        {
            let rows = picture.values.chunks(picture.width * COLOURS);
            for (row, target) in rows.zip(image.chunks_mut(width * COLOURS)) {
                target[..row.len()].copy_from_slice(row);
            }
        }
        let shape = [pictures.len(), height, width, COLOURS];
        Self {
            images: Tensor::from_data(TensorData::new(values, shape), device),
            sizes: pictures.iter().map(|p| [p.height, p.width]).collect(),
        }
    }

    /// The anchors of every level.
    pub(crate) fn anchors(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
    ) -> Vec<Vec<Corners>> {
        let [_, height, width, _] = self.images.dims();
        let kinds = pyramid(&architecture.anchor_sides, &architecture.anchor_ratios);
        let on = |(kind, level): (&retrial_instances::anchors::LevelAnchors, &Tensor<4>)| {
            let [_, rows, columns, _] = level.dims();
            kind.on(Grid {
                image: [height, width],
                features: [rows, columns],
            })
        };
        kinds.iter().zip(levels).map(on).collect()
    }
}

/// Features of boxes, each read from the level that fits its size.
///
/// # Shapes
/// - `boxes`: image of the batch and box; result: `[box, side, side, channel]`
pub(crate) fn pooled(
    architecture: &Architecture,
    levels: &[Tensor<4>],
    boxes: &[(usize, Corners)],
    side: usize,
) -> Tensor<4> {
    let rule = LevelRule {
        canonical_px: architecture.canonical_side,
        ..LevelRule::default()
    };
    let device = levels[0].device();
    let mut parts = Vec::new();
    let mut order = Vec::with_capacity(boxes.len());
    // The fifth level serves the largest anchors alone.
    for (index, level) in levels.iter().take(4).enumerate() {
        let here = |(_, (_, corners)): &(usize, &(usize, Corners))| rule.index(corners) == index;
        let own: Vec<usize> = boxes
            .iter()
            .enumerate()
            .filter(here)
            .map(|(i, _)| i)
            .collect();
        if own.is_empty() {
            continue;
        }
        let regions = Regions {
            boxes: own.iter().map(|&i| boxes[i]).collect(),
            side,
            scale: 0.25 / (1_usize << index) as f32,
            samples: Some(SAMPLES),
            aligned: false,
        };
        parts.push(pool_regions(level.clone(), regions));
        order.extend(own);
    }
    if parts.is_empty() {
        let channels = architecture.pyramid_channels;
        return Tensor::zeros([0, side, side, channels], &device);
    }
    let together = Tensor::cat(parts, 0);
    if order.is_sorted() {
        return together;
    }
    let mut place = vec![0_i64; order.len()];
    for (at, &i) in order.iter().enumerate() {
        place[i] = at as i64;
    }
    let length = place.len();
    let place = Tensor::<1, Int>::from_data(TensorData::new(place, [length]), &device);
    together.select(0, place)
}
