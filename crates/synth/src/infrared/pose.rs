//! Where an object stands in the picture: from its own frame to pixels and back.

use super::solid::Point;

/// Scale, width, keystone, tilt and position, applied in that order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// Middle of the object in its own frame.
    pub(super) middle: Point,
    /// Where that middle is seen, px, corner convention.
    pub(super) centre: Point,
    /// Pixels per unit of the object's frame.
    pub(super) scale: f64,
    /// Width against height; negative mirrors.
    pub(super) aspect: f64,
    /// Growth of the width downwards, per unit: the camera looks up or down.
    pub(super) keystone: f64,
    /// Clockwise, radians.
    pub(super) tilt: f64,
}

impl Pose {
    /// Where a point of the object is seen, px.
    pub(super) fn seen(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.tilt.sin_cos();
        let (x, y) = (x - self.middle[0], y - self.middle[1]);
        let x = x * self.aspect * (1.0 + self.keystone * y);
        [
            self.centre[0] + self.scale * (cos * x - sin * y),
            self.centre[1] + self.scale * (sin * x + cos * y),
        ]
    }

    /// The way back, prepared for many points.
    pub(super) fn back(&self) -> Back {
        let (sin, cos) = self.tilt.sin_cos();
        Back {
            pose: *self,
            sin: sin / self.scale,
            cos: cos / self.scale,
        }
    }

    /// The smallest box around the seen `points`, `[x0, y0, x1, y1]` px.
    pub(super) fn bounds<'a>(&self, points: impl Iterator<Item = &'a Point>) -> [f64; 4] {
        let mut b = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        for point in points {
            let [x, y] = self.seen(*point);
            b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
        }
        b
    }
}

/// From pixels to an object's own frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Back {
    pose: Pose,
    sin: f64,
    cos: f64,
}

impl Back {
    /// The point of the object that is seen at a place, px.
    pub(super) fn own(&self, [x, y]: Point) -> Point {
        let (x, y) = (x - self.pose.centre[0], y - self.pose.centre[1]);
        let (across, down) = (self.cos * x + self.sin * y, self.cos * y - self.sin * x);
        let widened = self.pose.aspect * (1.0 + self.pose.keystone * down);
        [
            across / widened + self.pose.middle[0],
            down + self.pose.middle[1],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let pose = Pose {
            middle: [0.1, 0.6],
            centre: [70.0, 50.0],
            scale: 90.0,
            aspect: -1.1,
            keystone: 0.15,
            tilt: 0.4,
        };
        assert_eq!(pose.seen(pose.middle), pose.centre);
        for point in [[0.0, 0.0], [0.5, 1.1], [-0.7, 0.3]] {
            let again = pose.back().own(pose.seen(point));
            assert!((again[0] - point[0]).hypot(again[1] - point[1]) < 1e-12);
        }
    }
}
