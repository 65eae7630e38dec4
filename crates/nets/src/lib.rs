//! Neural networks of the studies, on burn: the only crate that sees it.
//!
//! Arguments in, values out: no file, clock, environment or log, and no spec or trial.

pub mod adam;
pub mod anogan;
mod backward;
pub mod detection_ops;
pub mod device;
pub mod fit;
pub mod mask_rcnn;
pub mod ops;
pub mod sgd;
mod testing;
pub mod weights;
