//! Boxes, masks and evaluation against torchvision and pycocotools.

mod evaluation;
mod golden;
mod overlap_bins;
mod parity;
mod polygons;
mod tensors;
