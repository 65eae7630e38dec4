//! Training pictures changed at random: mirrored, moved, of other contrast.

use retrial_image::InstanceMask;
use retrial_seed::Stream;

use super::items::{Item, Object};
use super::params::Augmentation;

/// An object that keeps less of its pixels than this share is no example any more.
const LEAST_SHARE: f64 = 0.25;
/// Fewest pixels of an object.
const LEAST_PIXELS: usize = 4;
/// Grey that stands outside of a moved picture.
const OUTSIDE: f32 = 0.0;

/// A map of places, `[x, y] ↦ matrix · ([x, y] − centre) + centre`.
#[derive(Clone, Copy, Debug)]
struct Map {
    matrix: [f64; 4],
    centre: [f64; 2],
}

impl Augmentation {
    /// A changed copy of a picture of `height × width`.
    ///
    /// Every change draws its numbers whether it is wanted or not, so that one param does not
    /// shift the draws of another.
    pub(super) fn apply(
        &self,
        item: &Item,
        (height, width): (usize, usize),
        stream: &mut Stream,
    ) -> Item {
        let rotation = self.rotation_deg.to_radians();
        let mut symmetric = || 2.0 * stream.uniform() - 1.0;
        let (gain, offset) = (
            1.0 + self.contrast * symmetric(),
            self.brightness * symmetric(),
        );
        let (angle, shear) = (rotation * symmetric(), self.shear * symmetric());
        let scale = 1.0 + self.rescale * symmetric();
        let mirrored = stream.uniform() < 0.5 && self.flip;
        let inverted = stream.uniform() < self.invert;
        let mut changed = item.clone();
        if rotation > 0.0 || self.shear > 0.0 || self.rescale > 0.0 {
            let map = Map::new(angle, shear, scale, (height, width));
            changed = moved(&changed, map, (height, width));
        }
        if mirrored {
            mirror(&mut changed, (height, width));
        }
        for value in &mut changed.gray {
            let own = if inverted { 1.0 - *value } else { *value };
            let turned = (f64::from(own) - 0.5) * gain + 0.5 + offset;
            *value = turned.clamp(0.0, 1.0) as f32;
        }
        changed
    }
}

/// The picture and its objects seen in a mirror.
pub(super) fn mirror(item: &mut Item, (height, width): (usize, usize)) {
    let planes = [Some(&mut item.gray), item.temperature.as_mut()];
    for plane in planes.into_iter().flatten() {
        for row in plane.chunks_mut(width) {
            row.reverse();
        }
    }
    for object in &mut item.objects {
        for row in object.mask.inside_mut().chunks_mut(width) {
            row.reverse();
        }
        let [x0, y0, x1, y1] = object.corners;
        object.corners = [width as f32 - x1, y0, width as f32 - x0, y1];
        for part in object.parts.iter_mut().flatten() {
            let [x0, y0, x1, y1] = part.corners;
            part.corners = [width as f32 - x1, y0, width as f32 - x0, y1];
            part.centre[0] = width as f32 - part.centre[0];
        }
    }
    debug_assert_eq!(item.gray.len(), height * width);
}

impl Map {
    /// The map from places of the changed picture to those of the original.
    fn new(angle: f64, shear: f64, scale: f64, (height, width): (usize, usize)) -> Self {
        let (sin, cos) = angle.sin_cos();
        // Rotation times shear, over the scale.
        let matrix = [cos, cos * shear - sin, sin, sin * shear + cos].map(|m| m / scale);
        Self {
            matrix,
            centre: [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0],
        }
    }

    fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d] = self.matrix;
        let (x, y) = (x - self.centre[0], y - self.centre[1]);
        (
            a * x + b * y + self.centre[0],
            c * x + d * y + self.centre[1],
        )
    }
}

fn moved(item: &Item, map: Map, (height, width): (usize, usize)) -> Item {
    let places = (0..height * width).map(|i| map.apply((i % width) as f64, (i / width) as f64));
    let gray = places
        .map(|(x, y)| bilinear(&item.gray, (height, width), x, y))
        .collect();
    let objects = item.objects.iter();
    Item {
        name: item.name.clone(),
        file_size: item.file_size,
        gray,
        temperature: None,
        objects: objects
            .filter_map(|object| moved_object(object, map))
            .collect(),
    }
}

fn moved_object(object: &Object, map: Map) -> Option<Object> {
    let (height, width) = (object.mask.height(), object.mask.width());
    let mut mask = InstanceMask::empty(height, width);
    for (i, pixel) in mask.inside_mut().iter_mut().enumerate() {
        let (x, y) = map.apply((i % width) as f64, (i / width) as f64);
        let (x, y) = (x.round(), y.round());
        let inside = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
        *pixel = inside && object.mask.inside()[y as usize * width + x as usize];
    }
    let (before, after) = (object.mask.area(), mask.area());
    if after < LEAST_PIXELS || (after as f64) < LEAST_SHARE * before as f64 {
        return None;
    }
    Some(Object {
        corners: mask.bounds()?.map(|value| value as f32),
        class: object.class,
        crowd: object.crowd,
        outlined: object.outlined,
        // The box of a turned part is not known, and no part is learnt from moved pictures.
        parts: Vec::new(),
        mask,
    })
}

fn bilinear(gray: &[f32], (height, width): (usize, usize), x: f64, y: f64) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let at = |x: f64, y: f64| {
        let inside = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
        if inside {
            gray[y as usize * width + x as usize]
        } else {
            OUTSIDE
        }
    };
    let (p, q) = ((x - left) as f32, (y - top) as f32);
    let upper = (1.0 - p) * at(left, top) + p * at(left + 1.0, top);
    let lower = (1.0 - p) * at(left, top + 1.0) + p * at(left + 1.0, top + 1.0);
    (1.0 - q) * upper + q * lower
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use retrial_seed::Seed;

    use super::*;

    const SIZE: (usize, usize) = (32, 40);

    fn item() -> Item {
        let mut mask = InstanceMask::empty(SIZE.0, SIZE.1);
        let mut gray = vec![0.2; SIZE.0 * SIZE.1];
        for y in 10..20 {
            for x in 5..12 {
                mask.inside_mut()[y * SIZE.1 + x] = true;
                gray[y * SIZE.1 + x] = 0.9;
            }
        }
        Item {
            name: "one".to_owned(),
            file_size: SIZE,
            gray,
            temperature: None,
            objects: vec![Object {
                class: 1,
                corners: mask.bounds().unwrap().map(|v| v as f32),
                mask,
                crowd: false,
                outlined: true,
                parts: Vec::new(),
            }],
        }
    }

    fn still() -> Augmentation {
        Augmentation {
            flip: false,
            contrast: 0.0,
            brightness: 0.0,
            invert: 0.0,
            rotation_deg: 0.0,
            shear: 0.0,
            rescale: 0.0,
        }
    }

    /// Share of the object's pixels that are bright.
    fn bright(item: &Item) -> f64 {
        let object = &item.objects[0];
        let pixels = object.mask.inside().iter().zip(&item.gray);
        let bright = pixels
            .filter(|(inside, gray)| **inside && **gray > 0.5)
            .count();
        bright as f64 / object.mask.area() as f64
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        let changed = still().apply(&item(), SIZE, &mut Seed(1).stream("a"));
        assert_eq!(changed.gray.len(), item().gray.len());
        for (a, b) in changed.gray.iter().zip(&item().gray) {
            assert!((a - b).abs() < 1e-6);
        }
        assert_eq!(changed.objects[0].corners, item().objects[0].corners);
    }

    #[test]
    fn masks_and_boxes_move_with_the_picture() {
        let moving = Augmentation {
            flip: true,
            rotation_deg: 0.3_f64.to_degrees(),
            shear: 0.1,
            rescale: 0.1,
            ..still()
        };
        let mut stream = Seed(2).stream("a");
        let mut mirrored = 0;
        for _ in 0..20 {
            let changed = moving.apply(&item(), SIZE, &mut stream);
            assert!(bright(&changed) > 0.9, "{}", bright(&changed));
            let object = &changed.objects[0];
            assert_eq!(
                object.mask.bounds().unwrap().map(|v| v as f32),
                object.corners
            );
            mirrored += usize::from(object.corners[0] > 20.0);
        }
        assert!(
            (3..=17).contains(&mirrored),
            "{mirrored} of 20 are mirrored"
        );
    }

    #[test]
    fn an_object_that_leaves_the_picture_is_no_example() {
        let mut far = item();
        far.objects[0].mask = InstanceMask::empty(SIZE.0, SIZE.1);
        for x in 0..6 {
            far.objects[0].mask.inside_mut()[x] = true;
        }
        let map = Map::new(0.8, 0.0, 1.0, SIZE);
        assert!(moved(&far, map, SIZE).objects.is_empty());
    }

    #[test]
    fn inversion_turns_temperatures_round() {
        let inverting = Augmentation {
            invert: 1.0,
            ..still()
        };
        let changed = inverting.apply(&item(), SIZE, &mut Seed(1).stream("a"));
        assert!((changed.gray[0] - 0.8).abs() < 1e-6);
    }
}
