//! Labelled objects in pictures: one model, and a reader for each form people keep it in.

pub mod check;
pub mod coco;
mod crossing;
mod draft;
pub mod fault;
mod ids;
mod json;
pub mod labelme;
pub mod mask;
pub mod model;
pub mod pictures;
pub(crate) mod repair;
pub mod voc;

pub use fault::{AnnotationFault, Problem};
pub use mask::{MaskFault, OutlineFault};
pub use model::{
    AnnotatedImage, Annotation, AnnotationSet, Category, HotSpotTruth, Part, SceneTruth,
    Segmentation,
};
pub use pictures::Pictures;
