//! Which masks of training objects are annotated.

use std::collections::BTreeMap;

use retrial_seed::Seed;

use super::items::TrainingSet;
use super::params::AnnotatedMasks;

/// The classes of every training picture whose masks are annotated.
pub(super) struct MaskAnnotations {
    /// Classes by the place of the picture.
    classes: Vec<Vec<usize>>,
}

impl MaskAnnotations {
    /// The first drawn pictures of every class, but of the classes with boxes only.
    ///
    /// # Source
    /// Liu et al. 2021: 50 masks a class; Hu et al. 2018, arXiv:1711.10370: classes without masks.
    pub(super) fn new(params: &AnnotatedMasks, items: &TrainingSet, seed: Seed) -> Self {
        let each = params.masks_per_class;
        let box_only = box_only_classes(params, items.frame.classes.len(), seed);
        let mut order: Vec<usize> = (0..items.pictures.len()).collect();
        seed.stream("known masks").shuffle(&mut order);
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut annotated = vec![Vec::new(); items.pictures.len()];
        for place in order {
            let mut classes: Vec<usize> = items.pictures[place]
                .objects
                .iter()
                .filter(|object| object.outlined)
                .map(|object| object.class)
                .collect();
            classes.sort_unstable();
            classes.dedup();
            for class in classes {
                let count = counts.entry(class).or_default();
                if !box_only.contains(&class) && (each == 0 || *count < each) {
                    *count += 1;
                    annotated[place].push(class);
                }
            }
        }
        Self { classes: annotated }
    }

    /// No mask is annotated.
    pub(super) fn none(items: &TrainingSet) -> Self {
        Self {
            classes: vec![Vec::new(); items.pictures.len()],
        }
    }

    /// Whether the masks of a class are annotated in the picture at `place`.
    pub(super) fn include(&self, place: usize, class: usize) -> bool {
        self.classes[place].contains(&class)
    }

    /// Number of masks that are annotated.
    pub(super) fn count(&self, items: &TrainingSet) -> usize {
        let objects = items.pictures.iter().enumerate().flat_map(|(place, item)| {
            let outlined = item.objects.iter().filter(|object| object.outlined);
            outlined.map(move |object| (place, object.class))
        });
        objects
            .filter(|&(place, class)| self.include(place, class))
            .count()
    }
}

/// Those of so many classes, from 1, of which only boxes are annotated: the one named, or all that are not drawn.
pub(super) fn box_only_classes(params: &AnnotatedMasks, count: usize, seed: Seed) -> Vec<usize> {
    let left_out = params.box_only_class;
    let mut classes: Vec<usize> = (1..=count).collect();
    seed.stream("masked classes").shuffle(&mut classes);
    let mut box_only = match params.mask_annotated_classes {
        0 => Vec::new(),
        count_annotated => classes.split_off(count_annotated.min(count)),
    };
    if left_out > 0 && !box_only.contains(&left_out) {
        box_only.push(left_out);
    }
    box_only
}
