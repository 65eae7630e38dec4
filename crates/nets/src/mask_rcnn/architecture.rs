//! The sizes and rules of a detector.

use thiserror::Error;

use super::lite_stages;

/// Everything that fixes the shape of a net and the rules around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// The backbone.
    pub backbone: Backbone,
    /// Channels of every level of the pyramid.
    pub pyramid_channels: usize,
    /// Features of a region in the box head.
    pub fc_dim: usize,
    /// Classes, the background (class 0) among them.
    pub classes: usize,
    /// Side of the anchors of each of the five levels, px.
    pub anchor_sides: [f32; 5],
    /// Height / width of the anchors.
    pub anchor_ratios: Vec<f32>,
    /// Side of a region that is read from the third level (stride 16), px; 224 as published.
    pub canonical_side: f32,
    /// The mask head; none makes a Faster R-CNN.
    pub masks: Option<MaskArchitecture>,
}

/// The convolutional backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backbone {
    /// Its blocks.
    pub family: Family,
    /// Channels of a residual net's first stage; 64 as published. EfficientNet-Lite0 has its own.
    pub width: usize,
    /// How activations are normalised in training.
    pub normalisation: Normalisation,
}

retrial_words::words! {
    /// Blocks of a backbone.
    ///
    /// # Source
    /// He et al. 2016, arXiv:1512.03385, table 1; Tan & Le 2019, arXiv:1905.11946, table 1.
    pub enum Family {
        /// Basic blocks 2-2-2-2.
        Resnet18 = "resnet18",
        /// Basic blocks 3-4-6-3.
        Resnet34 = "resnet34",
        /// Bottlenecks 3-4-6-3.
        Resnet50 = "resnet50",
        /// Bottlenecks 3-4-23-3.
        Resnet101 = "resnet101",
        /// Inverted bottlenecks 3-2-6-5, without squeeze-and-excitation.
        EfficientnetLite0 = "efficientnet_lite0",
    }
}

retrial_words::words! {
    /// How the backbone's activations are normalised in training; detection always uses running moments.
    pub enum Normalisation {
        /// By the moments of the batch, which enter the running ones.
        Batch = "batch",
        /// By running moments, which stay as they are; scale and shift are trained.
        Running = "running",
    }
}

/// The mask head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskArchitecture {
    /// Channels of its convolutions.
    pub channels: usize,
    /// Number of 3 × 3 convolutions.
    pub convolutions: usize,
    /// What turns its features into masks.
    pub predictor: MaskPredictor,
}

/// What turns the features of a region into masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskPredictor {
    /// A 1 × 1 convolution with one output a class.
    PerClass,
    /// A 1 × 1 convolution with one output for all classes.
    Agnostic,
    /// Weights of that convolution made from those of the box head.
    Transfer(Transfer),
}

/// The weight transfer function.
///
/// # Source
/// Hu et al. 2018, arXiv:1711.10370, section 3.2; the residual form is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What is transferred.
    pub from: TransferSource,
    /// Layers of the function, 1 to 3.
    pub layers: usize,
    /// What stands between the layers.
    pub activation: TransferActivation,
    /// Whether the mask loss reaches the box head's weights.
    pub gradient: TransferGradient,
    /// The form of what comes out.
    pub form: TransferForm,
    /// A class-agnostic perceptron beside it, whose map is added.
    pub perceptron: Perceptron,
}

retrial_words::words! {
    /// Weights of the box head that describe a class.
    pub enum TransferSource {
        /// Both, one after the other.
        Both = "both",
        /// Of the classifier.
        Class = "class",
        /// Of the box regression.
        Box = "box",
    }
}

retrial_words::words! {
    /// The function between two layers of a transfer.
    pub enum TransferActivation {
        /// Leaky rectifier of slope 0.1.
        LeakyRelu = "leaky_relu",
        /// Rectifier.
        Relu = "relu",
    }
}

/// Whether a loss passes a point backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferGradient {
    /// It stops.
    Stopped,
    /// It passes.
    Passed,
}

retrial_words::words! {
    /// The form of transferred weights.
    pub enum TransferForm {
        /// `w = T(e)`.
        Plain = "plain",
        /// `w = shared + T(e)` with the last layer of T at zero, which starts as class-agnostic.
        Residual = "residual",
    }
}

/// Whether the perceptron is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perceptron {
    /// It is not.
    Absent,
    /// It is.
    Added,
}

/// Why no net can be built.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ArchitectureError {
    /// A size of zero.
    #[error("{what} is {value}, at least {least} is needed")]
    TooSmall {
        /// Which size.
        what: &'static str,
        /// What was asked for.
        value: usize,
        /// The least.
        least: usize,
    },
    /// More layers than a transfer has.
    #[error("a weight transfer of {layers} layers was asked for, 1 to 3 are known")]
    TransferLayers {
        /// What was asked for.
        layers: usize,
    },
}

impl Architecture {
    /// Anchors at every position of a level.
    #[must_use]
    pub fn anchors_per_position(&self) -> usize {
        self.anchor_ratios.len()
    }

    /// The architecture, if a net of it can be built.
    ///
    /// # Errors
    /// [`ArchitectureError`].
    pub fn checked(&self) -> Result<&Self, ArchitectureError> {
        let sizes = [
            ("the width of the backbone", self.backbone.width, 1),
            ("the number of pyramid channels", self.pyramid_channels, 1),
            ("fc_dim", self.fc_dim, 1),
            ("the number of classes with the background", self.classes, 2),
            ("the number of anchor ratios", self.anchor_ratios.len(), 1),
        ];
        let of_masks = self
            .masks
            .map(|masks| ("the number of mask channels", masks.channels, 1));
        for (what, value, least) in sizes.into_iter().chain(of_masks) {
            if value < least {
                return Err(ArchitectureError::TooSmall { what, value, least });
            }
        }
        if let Some(MaskPredictor::Transfer(transfer)) = self.masks.map(|masks| masks.predictor)
            && !(1..=3).contains(&transfer.layers)
        {
            return Err(ArchitectureError::TransferLayers {
                layers: transfer.layers,
            });
        }
        Ok(self)
    }
}

impl Family {
    /// Blocks of the four stages.
    #[must_use]
    pub fn blocks(self) -> [usize; 4] {
        match self {
            Self::Resnet18 => [2, 2, 2, 2],
            Self::Resnet34 | Self::Resnet50 => [3, 4, 6, 3],
            Self::Resnet101 => [3, 4, 23, 3],
            Self::EfficientnetLite0 => lite_stages::blocks(),
        }
    }

    /// Channels behind a residual block, as a multiple of its inner width.
    pub(super) fn expansion(self) -> usize {
        match self {
            Self::Resnet50 | Self::Resnet101 => 4,
            Self::Resnet18 | Self::Resnet34 | Self::EfficientnetLite0 => 1,
        }
    }
}

impl Backbone {
    /// Channels of the four stages.
    #[must_use]
    pub fn channels(&self) -> [usize; 4] {
        match self.family {
            Family::EfficientnetLite0 => lite_stages::CHANNELS,
            _ => [1, 2, 4, 8].map(|factor| factor * self.width * self.family.expansion()),
        }
    }
}
