//! Faster and Mask R-CNN with a feature pyramid, and weights of masks transferred from those of
//! boxes.
//!
//! # Source
//! Ren et al. 2015, arXiv:1506.01497; He et al. 2017, arXiv:1703.06870; Lin et al. 2017,
//! arXiv:1612.03144; Hu et al. 2018, arXiv:1711.10370.

mod architecture;
mod backbone;
mod box_head;
mod classifier;
mod detect;
mod given;
mod layer;
mod lite;
mod lite_stages;
mod loss;
mod mask_head;
mod masks_alone;
mod net;
mod parity;
mod parity_lite;
mod parts_head;
mod proposal;
mod propose;
mod pyramid;
mod resnet;
mod stage;
mod start;
pub mod torch;
mod training;

pub use architecture::{
    Architecture, ArchitectureError, Backbone, Family, MaskArchitecture, MaskPredictor,
    Normalisation, Perceptron, Transfer, TransferActivation, TransferForm, TransferGradient,
    TransferSource,
};
pub use classifier::{Classifier, ClassifierTraining};
pub use detect::{Detection, DetectionRule};
pub use given::{body_features, given_body};
pub use mask_head::MASK_OUT;
pub use masks_alone::{MaskTraining, RegionFeatures};
pub use net::{MaskRcnn, Picture};
pub use parts_head::{PartPlace, PartsArchitecture, PartsTraining};
pub use propose::ProposalRule;
pub use training::{
    DetectorState, DetectorTraining, LossRules, Losses, TrainingError, Truth, mask_targets,
};
