//! Agreement of masks whose object is known: the mask head alone, in annotated boxes.

use super::result::mean;

/// The overlap of one predicted mask with that of its object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedIou {
    /// Class of the object.
    pub class: usize,
    /// Intersection over union, as by [`super::mask_iou`].
    pub iou: f64,
}

/// How well the masks of one class agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassAgreement {
    /// Number of pairs.
    pub pairs: usize,
    /// Mean overlap; none without a pair.
    pub mean_iou: Option<f64>,
    /// Share of the pairs with an overlap of the threshold or more; none without a pair.
    pub accuracy: Option<f64>,
}

/// The agreement of every class of `0..classes`; pairs of other classes are left out.
#[must_use]
pub fn agreement(pairs: &[PairedIou], classes: usize, threshold: f64) -> Vec<ClassAgreement> {
    (0..classes)
        .map(|class| {
            let own = || pairs.iter().filter(move |pair| pair.class == class);
            let reached = |pair: &PairedIou| f64::from(u8::from(pair.iou >= threshold));
            ClassAgreement {
                pairs: own().count(),
                mean_iou: mean(own().map(|pair| pair.iou)),
                accuracy: mean(own().map(reached)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_each_class() {
        let pair = |class, iou| PairedIou { class, iou };
        let pairs = [pair(0, 0.5), pair(2, 0.25), pair(0, 1.0), pair(2, 0.75)];
        let all = agreement(&pairs, 3, 0.5);
        assert_eq!(all[0].mean_iou, Some(0.75));
        assert_eq!(all[0].accuracy, Some(1.0));
        assert_eq!(all[1].mean_iou, None);
        assert_eq!((all[2].pairs, all[2].accuracy), (2, Some(0.5)));
    }
}
