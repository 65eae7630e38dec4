//! Temperatures of parts, and what is usual.

use std::collections::BTreeMap;

use retrial_core::statistics::upper_median;
use retrial_image::InstanceMask;

use crate::items::{Item, Items};

/// Temperatures of a part, °C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PartTemperature {
    /// The highest.
    pub(super) max: f64,
    /// The mean.
    pub(super) mean: f64,
}

/// Temperatures inside a box, of an object's pixels where its mask is known.
///
/// `None` where the camera gave none, and where no pixel is inside.
pub(super) fn temperature_in(
    item: &Item,
    width: usize,
    mask: Option<&InstanceMask>,
    corners: [f32; 4],
) -> Option<PartTemperature> {
    let temperature = item.temperature.as_ref()?;
    let within = |at: usize| {
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        x >= corners[0] && y >= corners[1] && x <= corners[2] && y <= corners[3]
    };
    let own = |at: usize| mask.is_none_or(|mask| mask.inside()[at]);
    let (mut max, mut sum, mut count) = (f64::NEG_INFINITY, 0.0, 0);
    for (at, &celsius) in temperature.iter().enumerate() {
        if own(at) && within(at) {
            max = max.max(f64::from(celsius));
            sum += f64::from(celsius);
            count += 1;
        }
    }
    (count > 0).then(|| PartTemperature {
        max,
        mean: sum / f64::from(count),
    })
}

/// Median of the highest temperatures of every part of every class in the training pictures.
pub(super) fn usual(items: &Items) -> BTreeMap<(usize, usize), f64> {
    let mut all: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for item in &items.train.pictures {
        for object in item.objects.iter().filter(|object| super::divided(object)) {
            for (number, part) in object.parts.iter().enumerate() {
                let own = part.and_then(|part| {
                    temperature_in(
                        item,
                        items.train.frame.width,
                        Some(&object.mask),
                        part.corners,
                    )
                });
                if let Some(own) = own {
                    all.entry((object.class, number)).or_default().push(own.max);
                }
            }
        }
    }
    all.into_iter()
        .filter_map(|(part, values)| Some((part, upper_median(values)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pixels_of_the_object_inside_the_box_count() {
        let mut mask = InstanceMask::empty(2, 3);
        for at in [0, 1, 5] {
            mask.inside_mut()[at] = true;
        }
        let mut item = Item {
            name: "one".to_owned(),
            file_size: (2, 3),
            gray: vec![0.0; 6],
            temperature: Some(vec![10.0, 20.0, 70.0, 80.0, 90.0, 60.0]),
            objects: Vec::new(),
        };
        let all = [0.0, 0.0, 3.0, 2.0];
        let seen = |item: &Item, mask: Option<&InstanceMask>, corners| {
            temperature_in(item, 3, mask, corners).map(|own| (own.max, own.mean))
        };
        assert_eq!(seen(&item, Some(&mask), all), Some((60.0, 30.0)));
        assert_eq!(seen(&item, None, all), Some((90.0, 55.0)));
        let upper_left = [0.0, 0.0, 2.0, 1.0];
        assert_eq!(seen(&item, Some(&mask), upper_left), Some((20.0, 15.0)));
        assert_eq!(seen(&item, Some(&mask), [0.0, 1.0, 2.0, 2.0]), None);
        item.temperature = None;
        assert_eq!(seen(&item, Some(&mask), all), None);
    }
}
