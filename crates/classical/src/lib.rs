//! Segmentation and classification without a net.
