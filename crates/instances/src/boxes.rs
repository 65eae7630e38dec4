//! Arithmetic of boxes: area, overlap, clipping and the removal of small ones.
//!
//! All of it is `f32` in the order of operations of torchvision's `ops.boxes`, so that a
//! threshold decides alike here and there.

/// A box `[x0, y0, x1, y1]` in pixels, corner convention.
pub type Corners = [f32; 4];

/// Overlaps of every object with every box.
///
/// # Shapes
/// - `values`: `[objects, boxes]`, in `0..=1`, not a number for two boxes without area
#[derive(Clone, Debug, PartialEq)]
pub struct Overlaps {
    boxes: usize,
    values: Vec<f32>,
}

impl Overlaps {
    /// Number of boxes, the length of a row.
    #[must_use]
    pub fn boxes(&self) -> usize {
        self.boxes
    }

    /// Overlaps of one object with all boxes.
    #[must_use]
    pub fn row(&self, object: usize) -> &[f32] {
        &self.values[object * self.boxes..(object + 1) * self.boxes]
    }

    /// One row an object.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        // A row of no boxes still needs a positive length to be cut by.
        self.values.chunks_exact(self.boxes.max(1))
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Width times height; negative where a corner is on the wrong side.
#[must_use]
pub fn area(corners: &Corners) -> f32 {
    (corners[2] - corners[0]) * (corners[3] - corners[1])
}

/// Intersection over union of two boxes; not a number when neither has an area.
#[must_use]
pub fn iou(a: &Corners, b: &Corners) -> f32 {
    iou_of_areas(a, area(a), b, area(b))
}

fn iou_of_areas(a: &Corners, area_a: f32, b: &Corners, area_b: f32) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    shared / (area_a + area_b - shared)
}

/// Overlaps of every object with every box.
#[must_use]
pub fn overlaps(objects: &[Corners], boxes: &[Corners]) -> Overlaps {
    let areas: Vec<f32> = boxes.iter().map(area).collect();
    let mut values = Vec::with_capacity(objects.len() * boxes.len());
    for object in objects {
        let own = area(object);
        let row = boxes.iter().zip(&areas);
        values.extend(row.map(|(corners, &other)| iou_of_areas(object, own, corners, other)));
    }
    Overlaps {
        boxes: boxes.len(),
        values,
    }
}

/// The part of a box inside a picture of `height` by `width` pixels.
#[must_use]
pub fn clip(corners: &Corners, height: usize, width: usize) -> Corners {
    let (height, width) = (height as f32, width as f32);
    [
        corners[0].max(0.0).min(width),
        corners[1].max(0.0).min(height),
        corners[2].max(0.0).min(width),
        corners[3].max(0.0).min(height),
    ]
}

/// Indices of the boxes that are at least `least` wide and high.
#[must_use]
pub fn remove_small(boxes: &[Corners], least: f32) -> Vec<usize> {
    let large = |b: &Corners| b[2] - b[0] >= least && b[3] - b[1] >= least;
    (0..boxes.len()).filter(|&i| large(&boxes[i])).collect()
}

/// Whether a box is finite and has a positive width and height.
#[must_use]
pub fn valid(corners: &Corners) -> bool {
    corners.iter().all(|value| value.is_finite())
        && corners[2] > corners[0]
        && corners[3] > corners[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_by_hand() {
        let square = [0.0, 0.0, 2.0, 2.0];
        assert_eq!(iou(&square, &square), 1.0);
        assert_eq!(iou(&square, &[1.0, 1.0, 3.0, 3.0]), 1.0 / 7.0);
        assert_eq!(iou(&square, &[2.0, 0.0, 3.0, 2.0]), 0.0);
        assert!(iou(&[1.0; 4], &[1.0; 4]).is_nan());
        let all = overlaps(&[square, [1.0, 1.0, 3.0, 3.0]], &[square]);
        assert_eq!(all.row(1), [1.0 / 7.0]);
        assert_eq!(all.rows().len(), 2);
        assert_eq!(overlaps(&[square], &[]).rows().len(), 0);
    }

    #[test]
    fn clipping_and_small_boxes() {
        let clipped = clip(&[-3.0, 2.0, 9.0, 20.0], 10, 8);
        assert_eq!(clipped, [0.0, 2.0, 8.0, 10.0]);
        let boxes = [[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.5, 2.0]];
        assert_eq!(remove_small(&boxes, 1.0), [0]);
    }

    #[test]
    fn what_is_no_box() {
        assert!(valid(&[0.0, 0.0, 1.0, 1.0]));
        assert!(!valid(&[1.0, 0.0, 0.0, 1.0]));
        assert!(!valid(&[0.0, 0.0, 0.0, 1.0]));
        assert!(!valid(&[0.0, f32::NAN, 1.0, 1.0]));
    }
}
