//! Boxes, masks and evaluation against torchvision, pycocotools and OpenCV.

mod evaluation;
mod golden;
mod overlap_bins;
mod parity;
mod polygons;
mod tensors;
