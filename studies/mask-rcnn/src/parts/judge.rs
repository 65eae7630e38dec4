//! What is said of parts: where they are found, how warm they are, which of them are faulty.

use std::collections::BTreeMap;

use retrial_core::rows;
use retrial_core::statistics::upper_median;
use retrial_detect::roc;
use retrial_instances::boxes::iou;
use retrial_net_study::device;
use retrial_nets::device::Device;
use retrial_nets::mask_rcnn::{DetectionRule, PartsTraining};
use retrial_runner::{Context, TrialError};
use retrial_synth::infrared::{EquipmentClass, Partition};

use super::temperatures::{PartTemperature, temperature_in, usual};
use super::{divided, placed};
use crate::boxes::Detector;
use crate::items::{Item, Items, Object, PartBox};
use crate::metrics::metric;
use crate::params::Finding;
use crate::settings;

/// IoU from which a part or a device is found.
const FOUND: f32 = 0.5;

rows! {
    /// What is said of parts and their temperatures.
    pub(crate) const TABLES;

    /// One row a class with labelled parts.
    pub(crate) struct PartsRow in "parts" {
        /// Name of the class.
        class: String;
        /// How its parts lie: simple, along one axis, or complex.
        group: &'static str;
        /// Parts judged.
        parts: usize;
        /// Share whose box is found with IoU 0.50 or more in the true box of the object.
        accuracy: f64;
        /// The same in the detected box.
        accuracy_detected: f64;
        /// Mean distance of centres over the longer side of the object's box.
        centre_error: f64;
        /// Mean error of the highest temperature, K.
        temperature_error_k: f64;
        /// Mean error of the mean temperature, K.
        mean_temperature_error_k: f64;
    }

    /// The fault step: one row a reference.
    pub(crate) struct FaultRow in "faults" {
        /// What the highest temperature of a part is compared with: the median of the training
        /// pictures, that of its peers in the picture, or that of the training pictures where there are peers.
        reference: &'static str;
        /// Parts that can be compared.
        parts: usize;
        /// Parts of them that run hot.
        faulty: usize;
        /// Area under the ROC curve of the difference.
        auroc: f64;
    }
}

/// One part of one judged object.
struct Judgement {
    /// From 1.
    class: usize,
    /// Whether it is found in the true box of its device.
    right: bool,
    /// Whether it is found in the box that the detector gives its device.
    detected: bool,
    /// Distance of centres over the longer side of the device's box.
    centre_error: f64,
    /// What the found and the true part differ by: highest and mean temperature, K.
    errors: Option<[f64; 2]>,
    /// Whether it runs hot, where that is known.
    hot: Option<bool>,
    /// Its highest temperature over what is usual for it in training pictures, K.
    over_usual: Option<f64>,
    /// The same over its peer of other devices of its class in the picture, K.
    over_peer: Option<f64>,
}

pub(crate) fn judge(
    context: &mut Context,
    finding: &Finding,
    items: &Items,
    detector: &Detector,
    training: &PartsTraining,
) -> Result<(), TrialError> {
    let divider = Divider {
        items,
        detector,
        training,
        device: device::open(context.device())?,
        rule: settings::detection(finding),
    };
    let usual = usual(items);
    let mut all = Vec::new();
    for item in &items.test {
        context.stop_point()?;
        let objects: Vec<&Object> = item.objects.iter().filter(|o| divided(o)).collect();
        if !objects.is_empty() {
            let in_true = divider.in_true_boxes(item, &objects);
            let in_found = divider.in_found_boxes(item, &objects);
            all.extend(judged(
                items.train.frame.width,
                item,
                &objects,
                [&in_true, &in_found],
                &usual,
            ));
        }
    }
    report(context, items, &all)
}

/// Boxes of the parts of every object, by their numbers.
type Places = Vec<Vec<[f32; 4]>>;

/// What divides devices into their parts.
struct Divider<'a> {
    items: &'a Items,
    detector: &'a Detector,
    training: &'a PartsTraining,
    device: Device,
    rule: DetectionRule,
}

impl Divider<'_> {
    fn in_true_boxes(&self, item: &Item, objects: &[&Object]) -> Places {
        let boxes: Vec<[f32; 4]> = objects.iter().map(|object| object.corners).collect();
        let classes: Vec<usize> = objects.iter().map(|object| object.class).collect();
        self.divide(item, &boxes, &classes)
    }

    /// The parts in the surest box on every object; none where its class is wrong or no box is
    /// there.
    fn in_found_boxes(&self, item: &Item, objects: &[&Object]) -> Places {
        let picture = self.items.train.frame.picture(&item.gray);
        let (net, architecture) = (&self.detector.net, &self.detector.architecture);
        let found = net.detect(architecture, &[&picture], &self.rule, &self.device);
        let found = found.into_iter().next().unwrap_or_default();
        let mut places = vec![Vec::new(); objects.len()];
        let (mut whose, mut boxes, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for (number, object) in objects.iter().enumerate() {
            let near = found
                .iter()
                .filter(|one| iou(&one.corners, &object.corners) >= FOUND);
            let surest = near.max_by(|a, b| a.confidence.total_cmp(&b.confidence));
            if let Some(one) = surest.filter(|one| one.class == object.class) {
                whose.push(number);
                boxes.push(one.corners);
                classes.push(one.class);
            }
        }
        if !boxes.is_empty() {
            let own = self.divide(item, &boxes, &classes);
            for (number, own) in whose.into_iter().zip(own) {
                places[number] = own;
            }
        }
        places
    }

    fn divide(&self, item: &Item, boxes: &[[f32; 4]], classes: &[usize]) -> Places {
        let picture = self.items.train.frame.picture(&item.gray);
        let (net, architecture) = (&self.detector.net, &self.detector.architecture);
        let features = net.region_features(architecture, &picture, boxes, &self.device);
        let found = self.training.places(&features, classes);
        let in_box = |(places, corners): (Vec<_>, &[f32; 4])| {
            places.iter().map(|place| placed(place, *corners)).collect()
        };
        found.into_iter().zip(boxes).map(in_box).collect()
    }
}

/// What is found of the labelled parts, in the true boxes of their devices and in the detected ones.
fn judged(
    width: usize,
    item: &Item,
    objects: &[&Object],
    [in_true, in_found]: [&Places; 2],
    usual: &BTreeMap<(usize, usize), f64>,
) -> Vec<Judgement> {
    let mut warm: BTreeMap<(usize, usize), PartTemperature> = BTreeMap::new();
    for (number, (object, places)) in objects.iter().zip(in_true).enumerate() {
        for (part, corners) in places.iter().enumerate() {
            if object.parts.get(part).is_some_and(Option::is_some)
                && let Some(own) = temperature_in(item, width, Some(&object.mask), *corners)
            {
                warm.insert((number, part), own);
            }
        }
    }
    let mut all = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        for (part, known) in object.parts.iter().enumerate() {
            let (Some(known), Some(corners)) = (known, in_true[number].get(part)) else {
                continue;
            };
            let own = warm.get(&(number, part)).copied();
            let peer = objects
                .iter()
                .enumerate()
                .filter(|(other, peer)| *other != number && peer.class == object.class);
            let peer = peer.filter_map(|(other, _)| warm.get(&(other, part)));
            let peer = upper_median(peer.map(|peer| peer.max).collect());
            let over = |base: Option<f64>| own.zip(base).map(|(own, base)| own.max - base);
            all.push(Judgement {
                class: object.class,
                right: is_found(corners, known),
                detected: in_found[number]
                    .get(part)
                    .is_some_and(|corners| is_found(corners, known)),
                centre_error: centre_error(corners, known, object),
                errors: own
                    .zip(known.max_c.zip(known.mean_c))
                    .map(|(own, (max, mean))| [(own.max - max).abs(), (own.mean - mean).abs()]),
                hot: known.hot,
                over_usual: over(usual.get(&(object.class, part)).copied()),
                over_peer: over(peer),
            });
        }
    }
    all
}

fn is_found(corners: &[f32; 4], part: &PartBox) -> bool {
    iou(corners, &part.corners) >= FOUND
}

fn centre_error(corners: &[f32; 4], part: &PartBox, object: &Object) -> f64 {
    let [x0, y0, x1, y1] = object.corners;
    let (x, y) = (
        (corners[0] + corners[2]) / 2.0,
        (corners[1] + corners[3]) / 2.0,
    );
    let apart = (x - part.centre[0]).hypot(y - part.centre[1]);
    f64::from(apart / (x1 - x0).max(y1 - y0).max(1.0))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

fn share(values: impl Iterator<Item = bool>) -> Option<f64> {
    mean(values.map(|is| f64::from(u8::from(is))))
}

const SIMPLE: &str = "simple";
const COMPLEX: &str = "complex";

/// How the publication would divide a class: its two groups, of the classes it names.
fn group(class: &str) -> &'static str {
    match class.parse().map(EquipmentClass::partition) {
        Ok(Partition::Simple) => SIMPLE,
        Ok(Partition::Complex) => COMPLEX,
        Err(_) => "not grouped",
    }
}

fn report(context: &mut Context, items: &Items, all: &[Judgement]) -> Result<(), TrialError> {
    let rows = part_rows(items, all);
    let over_classes = |of: fn(&PartsRow) -> f64| mean(rows.iter().map(of));
    let in_group = |wanted: &str| {
        let own = rows.iter().filter(|row| row.group == wanted);
        mean(own.map(|row| row.accuracy))
    };
    let warm = |which: usize| {
        let errors = all.iter().filter_map(|one| one.errors);
        mean(errors.map(|own| own[which]))
    };
    let usual = faults(all, |one| one.over_usual, |_| true)?;
    let peer = faults(all, |one| one.over_peer, |_| true)?;
    let has_peer = |one: &Judgement| one.over_peer.is_some();
    let usual_with_peer = faults(all, |one| one.over_usual, has_peer)?;
    for (metric, value) in [
        (metric::part_accuracy, over_classes(|row| row.accuracy)),
        (
            metric::part_accuracy_detected,
            over_classes(|row| row.accuracy_detected),
        ),
        (metric::part_accuracy_simple, in_group(SIMPLE)),
        (metric::part_accuracy_complex, in_group(COMPLEX)),
        (
            metric::part_centre_error,
            over_classes(|row| row.centre_error),
        ),
        (metric::part_temperature_error_k, warm(0)),
        (metric::part_mean_temperature_error_k, warm(1)),
        (metric::hot_spot_auroc, usual.area),
        (metric::hot_spot_auroc_peer, peer.area),
        (metric::hot_spot_auroc_where_peer, usual_with_peer.area),
    ] {
        context.metric_if_any(metric, value)?;
    }
    context.rows(&rows)?;
    let row = |reference, faults: &Faults| FaultRow {
        reference,
        parts: faults.parts,
        faulty: faults.faulty,
        auroc: faults.area.unwrap_or(f64::NAN),
    };
    context.rows(&[
        row("training pictures", &usual),
        row("peers", &peer),
        row("training pictures, where there are peers", &usual_with_peer),
    ])
}

/// The table `parts`.
fn part_rows(items: &Items, all: &[Judgement]) -> Vec<PartsRow> {
    let mut rows = Vec::new();
    for (class, name) in items.train.frame.classes.iter().enumerate() {
        let own = || all.iter().filter(|one| one.class == class + 1);
        let parts = own().count();
        if parts == 0 {
            continue;
        }
        let warm = |which: usize| mean(own().filter_map(|one| one.errors).map(|own| own[which]));
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        rows.push(PartsRow {
            class: name.clone(),
            group: group(name),
            parts,
            accuracy: number(share(own().map(|one| one.right))),
            accuracy_detected: number(share(own().map(|one| one.detected))),
            centre_error: number(mean(own().map(|one| one.centre_error))),
            temperature_error_k: number(warm(0)),
            mean_temperature_error_k: number(warm(1)),
        });
    }
    rows
}

/// How well an excess of temperature tells faulty parts.
struct Faults {
    parts: usize,
    faulty: usize,
    /// Area under the ROC curve; none without parts of both kinds.
    area: Option<f64>,
}

fn faults(
    all: &[Judgement],
    excess: impl Fn(&Judgement) -> Option<f64>,
    of: impl Fn(&Judgement) -> bool,
) -> Result<Faults, TrialError> {
    let own = all.iter().filter(|one| of(one));
    let (excess, faulty): (Vec<f64>, Vec<bool>) =
        own.filter_map(|one| excess(one).zip(one.hot)).unzip();
    let both = faulty.contains(&true) && faulty.contains(&false);
    let area = match both {
        true => Some(roc::auroc(&excess, &faulty).map_err(TrialError::of)?),
        false => None,
    };
    Ok(Faults {
        parts: faulty.len(),
        faulty: faulty.iter().filter(|faulty| **faulty).count(),
        area,
    })
}

#[cfg(test)]
mod tests {
    use retrial_image::InstanceMask;

    use super::*;

    const WIDTH: usize = 20;

    /// A device over some columns of a picture of 20 × 10 px, in two parts of five rows.
    fn device(class: usize, columns: [usize; 2], hot: [bool; 2]) -> Object {
        let mut mask = InstanceMask::empty(10, WIDTH);
        for at in (0..10 * WIDTH).filter(|at| (columns[0]..columns[1]).contains(&(at % WIDTH))) {
            mask.inside_mut()[at] = true;
        }
        let [x0, x1] = columns.map(|column| column as f32);
        let part = |number: usize| {
            let y0 = 5.0 * number as f32;
            Some(PartBox {
                centre: [(x0 + x1) / 2.0, y0 + 2.5],
                corners: [x0, y0, x1, y0 + 5.0],
                max_c: Some(if hot[number] { 30.0 } else { 20.0 }),
                mean_c: Some(20.0),
                hot: Some(hot[number]),
            })
        };
        Object {
            outlined: true,
            class,
            mask,
            corners: [x0, 0.0, x1, 10.0],
            crowd: false,
            parts: vec![part(0), part(1)],
        }
    }

    fn parts(object: &Object) -> Vec<[f32; 4]> {
        object
            .parts
            .iter()
            .flatten()
            .map(|part| part.corners)
            .collect()
    }

    #[test]
    fn parts_are_judged_by_place_temperature_and_their_like() {
        let (cool, warm) = (
            device(1, [0, 8], [false; 2]),
            device(1, [10, 18], [false, true]),
        );
        // 20 °C everywhere but for one pixel in the lower part of the second device.
        let mut temperature = vec![20.0; 10 * WIDTH];
        temperature[7 * WIDTH + 12] = 30.0;
        let item = Item {
            name: "two devices".to_owned(),
            file_size: (10, WIDTH),
            gray: vec![0.5; 10 * WIDTH],
            temperature: Some(temperature),
            objects: vec![cool.clone(), warm.clone()],
        };
        let in_true = vec![parts(&cool), parts(&warm)];
        // The detector finds the first device three rows too low, and misses the second one.
        let low = parts(&cool)
            .into_iter()
            .map(|[x0, y0, x1, y1]| [x0, y0 + 3.0, x1, y1 + 3.0]);
        let in_found = vec![low.collect(), Vec::new()];
        let usual = BTreeMap::from([((1, 0), 21.0), ((1, 1), 22.0)]);
        let all = judged(WIDTH, &item, &[&cool, &warm], [&in_true, &in_found], &usual);
        assert_eq!(all.len(), 4);
        for (one, (usual, peer, hot)) in all.iter().zip([
            (-1.0, 0.0, false),
            (-2.0, -10.0, false),
            (-1.0, 0.0, false),
            (8.0, 10.0, true),
        ]) {
            assert!(one.right && !one.detected && one.centre_error < 1e-9);
            assert_eq!(one.errors.map(|own| own[0]), Some(0.0));
            assert_eq!((one.over_usual, one.over_peer), (Some(usual), Some(peer)));
            assert_eq!(one.hot, Some(hot));
        }
        let found = faults(&all, |one| one.over_peer, |_| true).expect("finite");
        assert_eq!((found.parts, found.faulty, found.area), (4, 1, Some(1.0)));
        let cool_alone = faults(&all, |one| one.over_peer, |one| one.hot == Some(false));
        assert_eq!(cool_alone.expect("finite").area, None);
    }

    #[test]
    fn a_device_of_another_class_is_no_like() {
        let (one, other) = (
            device(1, [0, 8], [false; 2]),
            device(2, [10, 18], [false; 2]),
        );
        let item = Item {
            name: "two classes".to_owned(),
            file_size: (10, WIDTH),
            gray: vec![0.5; 10 * WIDTH],
            temperature: Some(vec![20.0; 10 * WIDTH]),
            objects: vec![one.clone(), other.clone()],
        };
        let places = vec![parts(&one), parts(&other)];
        let all = judged(
            WIDTH,
            &item,
            &[&one, &other],
            [&places, &places],
            &BTreeMap::new(),
        );
        assert!(
            all.iter()
                .all(|one| one.detected && one.over_peer.is_none())
        );
        assert!(all.iter().all(|one| one.over_usual.is_none()));
    }
}
