//! Boxes, masks and evaluation against torchvision, pycocotools and OpenCV.

mod parity;
mod tensors;
