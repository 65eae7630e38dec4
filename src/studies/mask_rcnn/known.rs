//! Of which training objects the mask is known.

use std::collections::BTreeMap;

use super::items::Items;
use super::settings::size;
use crate::execute::context::{Context, TrialError};

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
    pub(super) fn new(context: &Context, items: &Items) -> Result<Self, TrialError> {
        let each = size(context, "masks_per_class")?;
        let without = size(context, "class_without_masks")?;
        if without > items.classes.len() {
            let count = items.classes.len();
            let listed = items.classes.join(", ");
            return Err(TrialError::Other(format!(
                "class_without_masks is {without}, the data set has {count} classes: {listed}"
            )));
        }
        let some = size(context, "classes_with_masks")?;
        if some > items.classes.len() {
            let count = items.classes.len();
            return Err(TrialError::Other(format!(
                "classes_with_masks is {some}, the data set has {count} classes"
            )));
        }
        let mut classes: Vec<usize> = (1..=items.classes.len()).collect();
        context
            .seed()
            .stream("masked classes")
            .shuffle(&mut classes);
        let masked = match some {
            0 => &classes[..],
            some => &classes[..some],
        };
        let mut order: Vec<usize> = (0..items.train.len()).collect();
        context.seed().stream("known masks").shuffle(&mut order);
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut told = vec![Vec::new(); items.train.len()];
        for place in order {
            let mut classes: Vec<usize> = items.train[place]
                .objects
                .iter()
                .map(|object| object.class)
                .collect();
            classes.sort_unstable();
            classes.dedup();
            for class in classes {
                let count = counts.entry(class).or_default();
                if class != without && masked.contains(&class) && (each == 0 || *count < each) {
                    *count += 1;
                    told[place].push(class);
                }
            }
        }
        Ok(Self { told })
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
        let objects =
            items.train.iter().enumerate().flat_map(|(place, item)| {
                item.objects.iter().map(move |object| (place, object.class))
            });
        objects
            .filter(|&(place, class)| self.tells(place, class))
            .count()
    }
}
