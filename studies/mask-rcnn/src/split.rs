//! Which pictures of a set are judged.

use std::collections::BTreeSet;

use retrial_core::declare::ParamGroup as _;
use retrial_core::params::defaults;
use retrial_data::{AnnotationSet, ThermalSet};
use retrial_runner::TrialError;

use super::choose::{Chosen, Set};
use super::params::{Pictures, Split};

/// Of so many pictures one is judged.
const EVERY: usize = 4;
const KEY: &str = Pictures::test_presets;

/// The camera presets that are judged, and those that the data have.
pub(super) struct Presets {
    /// Whether `split` is `cameras`.
    by_camera: bool,
    /// `test_presets` as it is written.
    value: String,
    asked: Vec<f64>,
    /// Whether it is another value than the default.
    stated: bool,
    /// Names of presets in the data.
    there: BTreeSet<String>,
}

impl Presets {
    /// # Errors
    /// Where some pictures of a set have a preset and others none, and where `test_presets` names
    /// none that is there.
    pub(super) fn new(params: &Pictures, sets: &[Set<'_>]) -> Result<Self, TrialError> {
        let asked = &params.test_presets;
        let default = Pictures::read(&defaults(Pictures::TABLE));
        let photographed = sets.iter().filter(|set| set.2.is_photographed());
        let images = photographed.clone().flat_map(|set| &set.2.images);
        let presets = Self {
            by_camera: params.split == Split::Cameras,
            value: format!("{asked:?}"),
            asked: asked.iter().map(|&preset| preset as f64).collect(),
            stated: default.is_ok_and(|default| default.test_presets != *asked),
            there: images.filter_map(|image| image.preset.clone()).collect(),
        };
        if presets.by_camera {
            for (_, _, annotated) in photographed {
                presets.whole(annotated)?;
            }
            presets.some_fit()?;
        }
        Ok(presets)
    }

    /// An error where only some pictures of a set have a preset.
    fn whole(&self, annotated: &AnnotationSet) -> Result<(), TrialError> {
        let all = annotated.images.len();
        let mut without = annotated.images.iter().filter(|i| i.preset.is_none());
        let some = all - without.clone().count();
        match without.next() {
            Some(first) if some > 0 => Err(TrialError::Other(format!(
                "`{KEY}` is {}, but only {some} of {all} pictures {} a camera preset ({}), and \
                 {} has none; give every picture its preset, or use `split: frames`",
                self.value,
                if some == 1 { "has" } else { "have" },
                self.listed(),
                first.file_name
            ))),
            _ => Ok(()),
        }
    }

    /// An error where `test_presets` names none of the presets that are there.
    fn some_fit(&self) -> Result<(), TrialError> {
        let (value, listed) = (&self.value, self.listed());
        if self.there.is_empty() && self.stated {
            return Err(TrialError::Other(format!(
                "`{KEY}` is {value}, but no picture has a camera preset; leave the key out, and \
                 the last quarter by file name is judged, or use `split: frames`"
            )));
        }
        if self.there.is_empty() || self.there.iter().any(|own| self.judges(own)) {
            return Ok(());
        }
        let advice = match self.there.iter().any(|own| own.parse::<f64>().is_ok()) {
            true => "name those to judge",
            false => "the key takes numbers, so number the presets in the data",
        };
        Err(TrialError::Other(format!(
            "`{KEY}` is {value}, but the data have the camera presets {listed}; {advice}, or use \
             `split: frames`"
        )))
    }

    /// Whether pictures of that preset are judged.
    fn judges(&self, preset: &str) -> bool {
        preset.parse().is_ok_and(|own| self.asked.contains(&own))
    }

    fn listed(&self) -> String {
        let names: Vec<&str> = self.there.iter().map(String::as_str).collect();
        names.join(", ")
    }

    /// What they are, where they decide which pictures are judged.
    pub(super) fn why(&self) -> String {
        match self.by_camera && !self.there.is_empty() {
            true => format!(
                "; `{KEY}` is {}, and the data have the camera presets {}",
                self.value,
                self.listed()
            ),
            false => String::new(),
        }
    }

    /// What of `test_presets` does nothing, in words.
    pub(super) fn idle(&self) -> Option<String> {
        if !self.by_camera {
            let value = &self.value;
            return (self.stated)
                .then(|| format!("`{KEY}` {value} does nothing where `split` is `frames`"));
        }
        let there = || self.there.iter().filter_map(|own| own.parse::<f64>().ok());
        let missing = self
            .asked
            .iter()
            .filter(|&&asked| there().all(|own| own != asked));
        let missing: Vec<String> = missing.map(ToString::to_string).collect();
        (!self.there.is_empty() && !missing.is_empty()).then(|| {
            format!(
                "no picture has the camera preset {} of `{KEY}`; the data have {}",
                missing.join(", "),
                self.listed()
            )
        })
    }

    /// Adds the annotated pictures of a set in order; whether the last quarter by name is judged.
    pub(super) fn split<'c>(
        &self,
        place: usize,
        set: &'c ThermalSet,
        annotated: &AnnotationSet,
        chosen: &mut Vec<Chosen<'c>>,
    ) -> bool {
        let mut images: Vec<_> = annotated.images.iter().collect();
        images.sort_by(|a, b| a.file_name.cmp(&b.file_name));
        let by_camera = self.by_camera && annotated.is_photographed();
        let last_quarter = images.len() - images.len() / EVERY;
        let judged = |at: usize, preset: Option<&String>| match preset {
            Some(preset) if by_camera => self.judges(preset),
            None if by_camera => at >= last_quarter,
            _ => at % EVERY == EVERY - 1,
        };
        let by_name = by_camera && images.iter().any(|image| image.preset.is_none());
        let with_picture = images.iter().enumerate().filter_map(|(at, image)| {
            Some(Chosen {
                set: place,
                picture: set.picture(&image.file_name)?,
                id: image.id,
                judged: judged(at, image.preset.as_ref()),
                objects: Vec::new(),
                too_small: Vec::new(),
            })
        });
        chosen.extend(with_picture);
        by_name
    }
}
