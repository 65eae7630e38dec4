//! Levenberg–Marquardt over the camera and all positions at once.
//!
//! A position acts on its own view only, so its six unknowns are eliminated from the normal
//! equations view by view; what is left is one small system for the camera.
//!
//! # Source
//! Zhang 2000, doi:10.1109/34.888718, Eq. (14); Marquardt 1963, doi:10.1137/0111030; Triggs et al.
//! 2000, "Bundle adjustment — a modern synthesis", doi:10.1007/3-540-44480-7_21, section 6.1.

use super::camera::Camera;
use super::error::CalibrationError;
use super::matrix::{add_product, apply, multiply, positive_inverse};
use super::model::{CalibrationPoint, CameraModel};
use super::pose::{Pose, rotation};

/// Parameters that all views share: `fx, fy, skew, cx, cy, k1, k2, k3, p1, p2`.
pub(super) const SHARED: usize = 10;

/// Unknowns of a position: a small turn and the translation.
const POSE: usize = 6;

const ITERATIONS: usize = 300;

/// Relative fall of the sum of squares below which the minimum is reached.
const SMALLEST_FALL: f64 = 1e-14;

/// Smallest pivot of the scaled equations of the camera that still fixes all parameters.
const SMALLEST_PIVOT: f64 = 1e-11;

/// What is sought.
#[derive(Clone, Debug)]
pub(super) struct Unknowns {
    pub(super) camera: Camera,
    pub(super) poses: Vec<Pose>,
}

/// The minimum.
pub(super) struct Refined {
    pub(super) unknowns: Unknowns,
    /// Sum of squared distances of every view, px².
    pub(super) squares: Vec<f64>,
    pub(super) rms_px: f64,
    /// Standard uncertainty of every parameter; `None` where the points do not fix them.
    pub(super) spread: Option<Camera>,
    pub(super) iterations: usize,
}

/// The normal equations of one view: camera with camera, camera with pose, pose with pose, and
/// both right-hand sides.
struct ViewEquations {
    camera: [[f64; SHARED]; SHARED],
    mixed: [[f64; POSE]; SHARED],
    pose: [[f64; POSE]; POSE],
    camera_side: [f64; SHARED],
    pose_side: [f64; POSE],
}

/// The point of the smallest sum of squared distances, from `start`.
pub(super) fn refine(
    views: &[Vec<CalibrationPoint>],
    start: Unknowns,
    model: CameraModel,
) -> Result<Refined, CalibrationError> {
    let active = model.active();
    let coordinates = 2 * views.iter().map(Vec::len).sum::<usize>();
    let points = coordinates as f64 / 2.0;
    let mut at = start;
    let mut squares = distances(views, &at);
    let mut total: f64 = squares.iter().sum();
    let mut damping = 1e-3;
    // A thousandth of the rounding of a pixel coordinate: nothing is left to gain.
    let floor = points * 1e-26;
    for iteration in 1..=ITERATIONS {
        let equations: Vec<ViewEquations> = views
            .iter()
            .zip(&at.poses)
            .map(|(points, pose)| linearised(points, &at.camera, pose))
            .collect();
        let mut done = total <= floor;
        while !done {
            let next = step(&equations, &active, damping).map(|step| moved(&at, &step));
            let next_squares = next.as_ref().map(|next| distances(views, next));
            let next_total = next_squares
                .as_ref()
                .map_or(f64::INFINITY, |squares| squares.iter().sum());
            if let (Some(next), Some(next_squares)) = (next, next_squares)
                && next_total < total
            {
                done = total - next_total <= SMALLEST_FALL * total;
                (at, squares, total) = (next, next_squares, next_total);
                damping = (damping * 0.1).max(1e-12);
                break;
            }
            damping *= 10.0;
            // No direction leads down any more: this is the minimum as far as rounding tells.
            done = damping > 1e12;
        }
        if done && total.is_finite() {
            let unknowns = active.iter().filter(|active| **active).count() + POSE * views.len();
            let free = coordinates.saturating_sub(unknowns).max(1) as f64;
            return Ok(Refined {
                spread: spread(&equations, &active, total / free),
                unknowns: at,
                squares,
                rms_px: (total / points).sqrt(),
                iterations: iteration,
            });
        }
    }
    Err(CalibrationError::NoMinimum {
        iterations: ITERATIONS,
        rms_px: (total / points).sqrt(),
    })
}

/// The sum of squared distances of every view; infinite where a point lies behind the camera.
fn distances(views: &[Vec<CalibrationPoint>], at: &Unknowns) -> Vec<f64> {
    let view = |(points, pose): (&Vec<CalibrationPoint>, &Pose)| {
        let square = |point: &CalibrationPoint| {
            let [x, y] = point.world_mm;
            at.camera
                .project(pose.to_camera([x, y, 0.0]))
                .map_or(f64::INFINITY, |[u, v]| {
                    (u - point.image_px[0]).powi(2) + (v - point.image_px[1]).powi(2)
                })
        };
        let sum: f64 = points.iter().map(square).sum();
        if sum.is_nan() { f64::INFINITY } else { sum }
    };
    views.iter().zip(&at.poses).map(view).collect()
}

/// Gradients of both coordinates of every point, summed to normal equations.
fn linearised(points: &[CalibrationPoint], camera: &Camera, pose: &Pose) -> ViewEquations {
    let mut sums = ViewEquations {
        camera: [[0.0; SHARED]; SHARED],
        mixed: [[0.0; POSE]; SHARED],
        pose: [[0.0; POSE]; POSE],
        camera_side: [0.0; SHARED],
        pose_side: [0.0; POSE],
    };
    for point in points {
        let [world_x, world_y] = point.world_mm;
        let place = pose.to_camera([world_x, world_y, 0.0]);
        let Some(pixel) = camera.project(place) else {
            continue;
        };
        let turned = apply(&pose.rotation, [world_x, world_y, 0.0]);
        let (shared, own) = gradients(camera, place, turned);
        for axis in 0..2 {
            let rest = point.image_px[axis] - pixel[axis];
            let (a, b) = (shared[axis], own[axis]);
            add_product(&mut sums.camera, &a, &a);
            add_product(&mut sums.mixed, &a, &b);
            add_product(&mut sums.pose, &b, &b);
            for (side, a) in sums.camera_side.iter_mut().zip(a) {
                *side += a * rest;
            }
            for (side, b) in sums.pose_side.iter_mut().zip(b) {
                *side += b * rest;
            }
        }
    }
    sums
}

/// Gradients of the pixel `(u, v)` by the shared parameters and by the position, for a point at
/// `place` before the camera that the rotation alone puts at `turned`.
fn gradients(
    camera: &Camera,
    place: [f64; 3],
    turned: [f64; 3],
) -> ([[f64; SHARED]; 2], [[f64; POSE]; 2]) {
    let [px, py, pz] = place;
    let (x, y) = (px / pz, py / pz);
    let [xd, yd] = camera.distorted([x, y]);
    let bend = camera.distortion_gradient([x, y]);
    let r2 = x * x + y * y;
    let (r4, r6) = (r2 * r2, r2 * r2 * r2);
    let (t1, t2) = (
        [2.0 * x * y, r2 + 2.0 * y * y],
        [r2 + 2.0 * x * x, 2.0 * x * y],
    );
    // From the distorted direction to the pixel.
    let (fx, fy, skew) = (camera.fx, camera.fy, camera.skew);
    let across = |d: [f64; 2]| fx * d[0] + skew * d[1];
    let down = |d: [f64; 2]| fy * d[1];
    let bends = [[x * r2, y * r2], [x * r4, y * r4], [x * r6, y * r6], t1, t2];
    let [b1, b2, b3, b4, b5] = bends;
    let shared = [
        [
            xd,
            0.0,
            yd,
            1.0,
            0.0,
            across(b1),
            across(b2),
            across(b3),
            across(b4),
            across(b5),
        ],
        [
            0.0,
            yd,
            0.0,
            0.0,
            1.0,
            down(b1),
            down(b2),
            down(b3),
            down(b4),
            down(b5),
        ],
    ];
    // From the point before the camera to the direction.
    let direction = [[1.0 / pz, 0.0, -x / pz], [0.0, 1.0 / pz, -y / pz]];
    let moved = |by: usize| -> [f64; 2] {
        std::array::from_fn(|i| bend[i][0] * direction[0][by] + bend[i][1] * direction[1][by])
    };
    let by_place = [moved(0), moved(1), moved(2)];
    // A small turn ω moves the point by ω × turned.
    let [qx, qy, qz] = turned;
    let turns = [[0.0, -qz, qy], [qz, 0.0, -qx], [-qy, qx, 0.0]];
    let by_turn = turns.map(|turn| -> [f64; 2] {
        std::array::from_fn(|i| (0..3).map(|k| turn[k] * by_place[k][i]).sum())
    });
    let [a, b, c] = by_turn;
    let [d, e, f] = by_place;
    let all = [a, b, c, d, e, f];
    (shared, [all.map(across), all.map(down)])
}

/// A step of the camera's parameters and of every position.
struct Step {
    camera: [f64; SHARED],
    poses: Vec<[f64; POSE]>,
}

/// The camera's part of the normal equations after the elimination of all positions, with the
/// inverses of the positions' parts.
fn reduced(equations: &[ViewEquations], active: &[bool; SHARED], damping: f64) -> Option<Reduced> {
    let mut matrix = [[0.0; SHARED]; SHARED];
    let mut side = [0.0; SHARED];
    let mut inverses = Vec::with_capacity(equations.len());
    for view in equations {
        let mut pose = view.pose;
        for (i, row) in pose.iter_mut().enumerate() {
            row[i] *= 1.0 + damping;
        }
        let back = positive_inverse(&pose, 1e-14)?;
        for i in 0..SHARED {
            let weights: [f64; POSE] =
                std::array::from_fn(|j| (0..POSE).map(|k| view.mixed[i][k] * back[k][j]).sum());
            for (j, mixed) in view.mixed.iter().enumerate() {
                let known: f64 = weights.iter().zip(mixed).map(|(a, b)| a * b).sum();
                matrix[i][j] += view.camera[i][j] - known;
            }
            matrix[i][i] += damping * view.camera[i][i];
            let known: f64 = (0..POSE).map(|k| weights[k] * view.pose_side[k]).sum();
            side[i] += view.camera_side[i] - known;
        }
        inverses.push(back);
    }
    for i in (0..SHARED).filter(|&i| !active[i]) {
        matrix[i] = [0.0; SHARED];
        for row in &mut matrix {
            row[i] = 0.0;
        }
        matrix[i][i] = 1.0;
        side[i] = 0.0;
    }
    Some(Reduced {
        matrix,
        side,
        inverses,
    })
}

/// See [`reduced`].
struct Reduced {
    matrix: [[f64; SHARED]; SHARED],
    side: [f64; SHARED],
    inverses: Vec<[[f64; POSE]; POSE]>,
}

fn step(equations: &[ViewEquations], active: &[bool; SHARED], damping: f64) -> Option<Step> {
    let Reduced {
        matrix,
        side,
        inverses,
    } = reduced(equations, active, damping)?;
    let back = positive_inverse(&matrix, 1e-15)?;
    let camera: [f64; SHARED] =
        std::array::from_fn(|i| (0..SHARED).map(|j| back[i][j] * side[j]).sum());
    let poses = equations.iter().zip(inverses).map(|(view, back)| {
        let rest: [f64; POSE] = std::array::from_fn(|k| {
            let known: f64 = (0..SHARED).map(|i| view.mixed[i][k] * camera[i]).sum();
            view.pose_side[k] - known
        });
        std::array::from_fn(|i| (0..POSE).map(|k| back[i][k] * rest[k]).sum())
    });
    Some(Step {
        camera,
        poses: poses.collect(),
    })
}

fn moved(at: &Unknowns, step: &Step) -> Unknowns {
    let (camera, d) = (&at.camera, &step.camera);
    let poses = at.poses.iter().zip(&step.poses).map(|(pose, d)| Pose {
        rotation: multiply(&rotation([d[0], d[1], d[2]]), &pose.rotation),
        translation_mm: std::array::from_fn(|i| pose.translation_mm[i] + d[3 + i]),
    });
    Unknowns {
        camera: Camera {
            fx: camera.fx + d[0],
            fy: camera.fy + d[1],
            skew: camera.skew + d[2],
            cx: camera.cx + d[3],
            cy: camera.cy + d[4],
            radial: std::array::from_fn(|i| camera.radial[i] + d[5 + i]),
            tangential: std::array::from_fn(|i| camera.tangential[i] + d[8 + i]),
        },
        poses: poses.collect(),
    }
}

/// Standard uncertainties from the Hessian and the variance of a coordinate, px².
fn spread(equations: &[ViewEquations], active: &[bool; SHARED], variance: f64) -> Option<Camera> {
    let matrix = reduced(equations, active, 0.0)?.matrix;
    let back = positive_inverse(&matrix, SMALLEST_PIVOT)?;
    let of = |i: usize| match active[i] {
        true => (variance * back[i][i]).sqrt(),
        false => 0.0,
    };
    Some(Camera {
        fx: of(0),
        fy: of(1),
        skew: of(2),
        cx: of(3),
        cy: of(4),
        radial: [of(5), of(6), of(7)],
        tangential: [of(8), of(9)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every gradient against a central difference.
    #[test]
    fn gradients_are_those_of_the_projection() {
        let start = Unknowns {
            camera: Camera {
                fx: 2400.0,
                fy: 2380.0,
                skew: 1.5,
                cx: 1200.0,
                cy: 1000.0,
                radial: [-0.2, 0.1, 0.05],
                tangential: [1e-3, -2e-3],
            },
            poses: vec![Pose {
                rotation: rotation([0.3, -0.4, 0.2]),
                translation_mm: [5.0, -8.0, 120.0],
            }],
        };
        let world = [11.0, -7.0, 0.0];
        let pose = &start.poses[0];
        let (shared, own) = gradients(
            &start.camera,
            pose.to_camera(world),
            apply(&pose.rotation, world),
        );
        let pixel = |step: &Step| {
            let at = moved(&start, step);
            at.camera
                .project(at.poses[0].to_camera(world))
                .expect("in front")
        };
        #[expect(clippy::needless_range_loop, reason = "one number over two arrays")]
        for i in 0..SHARED + POSE {
            let change = |h: f64| {
                let mut step = Step {
                    camera: [0.0; SHARED],
                    poses: vec![[0.0; POSE]],
                };
                match i.checked_sub(SHARED) {
                    None => step.camera[i] = h,
                    Some(k) => step.poses[0][k] = h,
                }
                pixel(&step)
            };
            let h = 1e-5;
            let (ahead, behind) = (change(h), change(-h));
            for axis in 0..2 {
                let expected = (ahead[axis] - behind[axis]) / (2.0 * h);
                let got = match i.checked_sub(SHARED) {
                    None => shared[axis][i],
                    Some(k) => own[axis][k],
                };
                let tolerance = 1e-6 * (1.0 + expected.abs());
                assert!((got - expected).abs() < tolerance, "{i} {got} {expected}");
            }
        }
    }
}
