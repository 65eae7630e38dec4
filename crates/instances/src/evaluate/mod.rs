//! COCO's evaluation of boxes and masks: average precision and recall.
//!
//! # Source
//! Lin et al. 2014, arXiv:1405.0312, section 4, and the rules published with the data set; equal
//! to pycocotools 2.0.11 on the same input.

mod accumulate;
mod crowding;
mod error;
mod items;
mod matching;
mod overlap;
mod paired;
mod result;
mod settings;

pub use crowding::{OverlapBin, crowding, precision_by_overlap};
pub use error::EvaluationError;
pub use items::{Detection, ImageCase, Truth};
pub use overlap::mask_iou;
pub use paired::{ClassAgreement, PairedIou, agreement};
pub use result::{ClassSummary, CurvePoint, Evaluation, Summary, evaluate};
pub use settings::{AreaRange, Region, Settings};
