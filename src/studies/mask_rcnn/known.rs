//! Of which training objects the mask is known.

use std::collections::BTreeMap;

use retrial_core::seed::Seed;

use super::items::Items;
use super::params::KnownMasks;

/// The classes of every training picture whose masks are told.
pub(super) struct Known {
    /// Classes by the place of the picture.
    told: Vec<Vec<usize>>,
}

impl Known {
    /// The first drawn pictures of every class, but of the class without masks.
    ///
    /// # Source
    /// Liu et al. 2021: 50 masks a class; Hu et al. 2018, arXiv:1711.10370: classes without masks.
    pub(super) fn new(params: &KnownMasks, items: &Items, seed: Seed) -> Self {
        let each = params.masks_per_class;
        let without = classes_without(params, items.classes.len(), seed);
        let mut order: Vec<usize> = (0..items.train.len()).collect();
        seed.stream("known masks").shuffle(&mut order);
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut told = vec![Vec::new(); items.train.len()];
        for place in order {
            let mut classes: Vec<usize> = items.train[place]
                .objects
                .iter()
                .filter(|object| object.outlined)
                .map(|object| object.class)
                .collect();
            classes.sort_unstable();
            classes.dedup();
            for class in classes {
                let count = counts.entry(class).or_default();
                if !without.contains(&class) && (each == 0 || *count < each) {
                    *count += 1;
                    told[place].push(class);
                }
            }
        }
        Self { told }
    }

    /// No mask is told.
    pub(super) fn none(items: &Items) -> Self {
        Self {
            told: vec![Vec::new(); items.train.len()],
        }
    }

    /// Whether the masks of a class are told in the picture at `place`.
    pub(super) fn tells(&self, place: usize, class: usize) -> bool {
        self.told[place].contains(&class)
    }

    /// Number of masks that are told.
    pub(super) fn count(&self, items: &Items) -> usize {
        let objects = items.train.iter().enumerate().flat_map(|(place, item)| {
            let outlined = item.objects.iter().filter(|object| object.outlined);
            outlined.map(move |object| (place, object.class))
        });
        objects
            .filter(|&(place, class)| self.tells(place, class))
            .count()
    }
}

/// Those of so many classes, from 1, whose masks are not told: the one named, or all that are not drawn.
pub(super) fn classes_without(params: &KnownMasks, count: usize, seed: Seed) -> Vec<usize> {
    let left_out = params.class_without_masks;
    let mut classes: Vec<usize> = (1..=count).collect();
    seed.stream("masked classes").shuffle(&mut classes);
    let mut without = match params.classes_with_masks {
        0 => Vec::new(),
        told => classes.split_off(told.min(count)),
    };
    if left_out > 0 && !without.contains(&left_out) {
        without.push(left_out);
    }
    without
}
