//! Overlap of detections with objects, on boxes or on pixels.

use retrial_image::RunLengths;

use super::items::{Detection, Truth};
use super::settings::Region;
use crate::boxes::Corners;

/// Something that covers a part of a picture.
pub(super) enum Shape {
    Box([f64; 4]),
    Pixels(Pixels),
}

/// The pixels of a mask as ranges of places counted down the columns.
pub(super) struct Pixels {
    ranges: Vec<[u32; 2]>,
    rows: [u32; 2],
    area: u64,
}

impl Shape {
    pub(super) fn of_truth(truth: &Truth, region: Region) -> Self {
        Self::new(&truth.corners, truth.mask.as_ref(), region)
    }

    pub(super) fn of_detection(detection: &Detection, region: Region) -> Self {
        Self::new(&detection.corners, detection.mask.as_ref(), region)
    }

    fn new(corners: &Corners, mask: Option<&RunLengths>, region: Region) -> Self {
        match (region, mask) {
            (Region::Mask, Some(runs)) => Self::Pixels(Pixels::new(runs)),
            (Region::Mask, None) | (Region::Box, _) => Self::Box(corners.map(f64::from)),
        }
    }

    pub(super) fn area(&self) -> f64 {
        match self {
            Self::Box([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0),
            Self::Pixels(pixels) => pixels.area as f64,
        }
    }

    fn shared(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Box(a), Self::Box(b)) => {
                let width = a[2].min(b[2]) - a[0].max(b[0]);
                let height = a[3].min(b[3]) - a[1].max(b[1]);
                if width > 0.0 && height > 0.0 {
                    width * height
                } else {
                    0.0
                }
            }
            (Self::Pixels(a), Self::Pixels(b)) => a.shared(b) as f64,
            (Self::Box(_), Self::Pixels(_)) | (Self::Pixels(_), Self::Box(_)) => 0.0,
        }
    }

    /// Intersection over union.
    pub(super) fn iou(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        if shared == 0.0 {
            0.0
        } else {
            shared / (self.area() + other.area() - shared)
        }
    }

    /// The share of a detection that lies in a crowd.
    pub(super) fn within_crowd(&self, crowd: &Self) -> f64 {
        let shared = self.shared(crowd);
        if shared == 0.0 {
            0.0
        } else {
            shared / self.area()
        }
    }
}

impl Pixels {
    fn new(runs: &RunLengths) -> Self {
        let height = runs.height().max(1) as u32;
        let (mut ranges, mut rows, mut at) = (Vec::new(), [u32::MAX, 0], 0);
        for (i, &count) in runs.counts().iter().enumerate() {
            let end = at + count;
            if i % 2 == 1 && count > 0 {
                ranges.push([at, end]);
                let same_column = at / height == (end - 1) / height;
                let [top, bottom] = if same_column {
                    [at % height, (end - 1) % height]
                } else {
                    [0, height - 1]
                };
                rows = [rows[0].min(top), rows[1].max(bottom)];
            }
            at = end;
        }
        Self {
            ranges,
            rows,
            area: runs.area(),
        }
    }

    fn shared(&self, other: &Self) -> u64 {
        if self.rows[0] > other.rows[1] || other.rows[0] > self.rows[1] {
            return 0;
        }
        let (mut a, mut b) = (self.ranges.iter(), other.ranges.iter());
        let (mut left, mut right) = (a.next(), b.next());
        let mut shared = 0;
        while let (Some(&[from, to]), Some(&[other_from, other_to])) = (left, right) {
            shared += u64::from(to.min(other_to).saturating_sub(from.max(other_from)));
            if to < other_to {
                left = a.next();
            } else {
                right = b.next();
            }
        }
        shared
    }
}

/// Intersection over union of two masks; zero when neither has a pixel, and when their pictures
/// differ in size.
#[must_use]
pub fn mask_iou(a: &RunLengths, b: &RunLengths) -> f64 {
    if (a.height(), a.width()) != (b.height(), b.width()) {
        return 0.0;
    }
    Shape::Pixels(Pixels::new(a)).iou(&Shape::Pixels(Pixels::new(b)))
}
