//! The projective map from a flat target to one image, by the normalised direct linear transform.
//!
//! # Source
//! Hartley 1997, "In defense of the eight-point algorithm", doi:10.1109/34.601246, for the
//! normalisation; Hartley & Zisserman 2004, "Multiple View Geometry", algorithm 4.2.

use super::matrix::{Matrix3, add_product, inverse, multiply, symmetric_eigen};
use super::model::CalibrationPoint;

/// Smallest ratio of the second smallest to the largest eigenvalue that fixes the map; points on
/// a line, or all but one on a line, leave rounding there.
const SMALLEST_RATIO: f64 = 1e-10;

/// The homography `H` with `image ∼ H (X, Y, 1)`, or `None` where the points do not fix one.
pub(super) fn homography(points: &[CalibrationPoint]) -> Option<Matrix3> {
    let (to_world, world) = normalised(points.iter().map(|point| point.world_mm))?;
    let (to_image, image) = normalised(points.iter().map(|point| point.image_px))?;
    let mut squares = [[0.0; 9]; 9];
    for ([x, y], [u, v]) in world.into_iter().zip(image) {
        for row in [
            [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, -u],
            [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, -v],
        ] {
            add_product(&mut squares, &row, &row);
        }
    }
    let (values, vectors) = symmetric_eigen(squares);
    if values[1].is_nan() || values[1] <= SMALLEST_RATIO * values[8] {
        return None;
    }
    let h = vectors[0];
    let inner = [[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], h[8]]];
    Some(multiply(&inverse(&to_image)?, &multiply(&inner, &to_world)))
}

/// A similarity that puts the points around zero at a mean distance of √2, and the points so put.
pub(super) fn normalised(
    points: impl ExactSizeIterator<Item = [f64; 2]> + Clone,
) -> Option<(Matrix3, Vec<[f64; 2]>)> {
    let count = points.len() as f64;
    let sum = points
        .clone()
        .fold([0.0; 2], |sum, [x, y]| [sum[0] + x, sum[1] + y]);
    let centre = [sum[0] / count, sum[1] / count];
    let distance: f64 = points
        .clone()
        .map(|[x, y]| (x - centre[0]).hypot(y - centre[1]))
        .sum();
    let scale = std::f64::consts::SQRT_2 * count / distance;
    if !scale.is_normal() {
        return None;
    }
    let matrix = [
        [scale, 0.0, -scale * centre[0]],
        [0.0, scale, -scale * centre[1]],
        [0.0, 0.0, 1.0],
    ];
    let moved = points.map(|[x, y]| [scale * (x - centre[0]), scale * (y - centre[1])]);
    Some((matrix, moved.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::matrix::apply;

    fn grid(keep: impl Fn(f64, f64) -> bool) -> Vec<CalibrationPoint> {
        let h = [[2.0, 0.1, 300.0], [-0.2, 1.9, 250.0], [1e-4, -2e-4, 1.0]];
        let places = (0..25).map(|i| [f64::from(i % 5) * 10.0, f64::from(i / 5) * 10.0]);
        places
            .filter(|&[x, y]| keep(x, y))
            .map(|world_mm| {
                let [a, b, c] = apply(&h, [world_mm[0], world_mm[1], 1.0]);
                CalibrationPoint {
                    world_mm,
                    image_px: [a / c, b / c],
                }
            })
            .collect()
    }

    #[test]
    fn exact_points_are_mapped_exactly() {
        for points in [
            grid(|_, _| true),
            grid(|x, y| (x == 0.0 || x == 40.0) && (y == 0.0 || y == 40.0)),
        ] {
            let h = homography(&points).expect("fixed");
            for point in &points {
                let [a, b, c] = apply(&h, [point.world_mm[0], point.world_mm[1], 1.0]);
                let [u, v] = point.image_px;
                assert!((a / c - u).abs() < 1e-8 && (b / c - v).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn points_on_a_line_fix_nothing() {
        assert!(homography(&grid(|_, y| y == 10.0)).is_none());
        assert!(homography(&grid(|x, y| y == 10.0 || (x, y) == (0.0, 0.0))).is_none());
        assert!(homography(&grid(|x, y| (x, y) == (0.0, 0.0))).is_none());
    }
}
