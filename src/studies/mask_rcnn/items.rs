//! Which pictures are trained on and judged, and how they become pictures of the nets.

use retrial_core::image::GrayImage;
use retrial_core::instance_mask::InstanceMask;
use retrial_core::params::ParamValue;
use retrial_core::resize::mean_over;
use retrial_data::{
    Annotation, AnnotationSet, Content, LabelledSet, ThermalPicture, ThermalSet, WeightsFile,
};
use retrial_nets::mask_rcnn::Picture;

use super::parts::Sides;
use super::settings::{size, words};
use crate::execute::context::{Context, TrialError};

/// The pictures of a trial.
pub(super) struct Items {
    /// Names of the classes; class 1 is the first.
    pub(super) classes: Vec<String>,
    /// Rows of every picture.
    pub(super) height: usize,
    /// Columns of every picture.
    pub(super) width: usize,
    /// Parts that have a twin on the other side.
    pub(super) sides: Sides,
    /// Pictures to learn from.
    pub(super) train: Vec<Item>,
    /// Pictures to judge.
    pub(super) test: Vec<Item>,
    /// The source domain, where the data set has one.
    pub(super) source: Option<LabelledSet>,
    /// Weights of a net that others trained, where the data set has some.
    pub(super) given: Option<WeightsFile>,
}

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Data set and name.
    pub(super) name: String,
    /// Grey values or temperatures, row by row, 0 to 1.
    pub(super) gray: Vec<f32>,
    /// Temperatures, °C, in the picture's size, where the camera gave them.
    pub(super) temperature: Option<Vec<f32>>,
    /// What is in it.
    pub(super) objects: Vec<Object>,
}

/// One labelled object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Its class, from 1.
    pub(super) class: usize,
    /// Its pixels; those of its box where nobody outlined it.
    pub(super) mask: InstanceMask,
    /// The box around them.
    pub(super) corners: [f32; 4],
    /// Whether it stands for several objects.
    pub(super) crowd: bool,
    /// Whether somebody outlined it; else it neither teaches a mask nor judges one.
    pub(super) outlined: bool,
    /// Its parts by their numbers, where they are labelled.
    pub(super) parts: Vec<Option<PartBox>>,
}

/// A part of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PartBox {
    /// `[x, y]` of its centre.
    pub(super) centre: [f32; 2],
    /// The box around it.
    pub(super) corners: [f32; 4],
    /// Its highest temperature, °C, where it is known.
    pub(super) max_c: Option<f64>,
    /// Its mean temperature, °C, where it is known.
    pub(super) mean_c: Option<f64>,
    /// Whether it runs hot, where that is known.
    pub(super) hot: Option<bool>,
}

/// Mean and standard deviation of grey values that the nets subtract and divide by.
const MOMENTS: (f32, f32) = (0.45, 0.225);
/// Every so-manieth picture is judged.
const EVERY: usize = 4;
/// Objects with fewer pixels are too small to be seen.
const LEAST_PIXELS: usize = 4;

impl Items {
    /// A picture as the nets see it.
    pub(super) fn picture(&self, gray: &[f32]) -> Picture {
        picture(gray, self.height, self.width)
    }
}

/// A grey picture as the nets see it.
pub(super) fn picture(gray: &[f32], height: usize, width: usize) -> Picture {
    let (mean, deviation) = MOMENTS;
    let normal = gray.iter().map(|value| (value - mean) / deviation);
    Picture {
        height,
        width,
        values: normal.flat_map(|value| [value; 3]).collect(),
    }
}

pub(super) fn load(context: &Context) -> Result<Items, TrialError> {
    let (height, width) = (
        size(context, "image_height")?,
        size(context, "image_width")?,
    );
    let mut sets = Vec::new();
    let (mut source, mut given) = (None, None);
    let data = context.job.data.as_ref();
    let name = data.map_or_else(String::new, |data| data.name.clone());
    for (name, content) in parts(name, context.data()?) {
        match content {
            Content::Thermal(set) => sets.push((name, set)),
            Content::Labelled(set) => source = Some(set),
            Content::Weights(file) => given = Some(file),
            other => {
                return Err(TrialError::Other(format!(
                    "the data set `{name}` holds {}, which this study cannot use",
                    other.kind()
                )));
            }
        }
    }
    let classes = classes(&sets, size(context, "least_instances")?)?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (name, set) in &sets {
        let annotated = annotations(name, set)?;
        for (picture, judged) in split(context, set, annotated)? {
            let item = item(context, name, picture, annotated, &classes, (height, width))?;
            match judged {
                true => test.push(item),
                false => train.push(item),
            }
        }
    }
    let sides = sides(&sets, &classes)?;
    for item in train.iter_mut().chain(&mut test) {
        for object in &mut item.objects {
            sides.arrange(object);
        }
    }
    let wanted = size(context, "train_pictures")?;
    if wanted > train.len() {
        return Err(TrialError::Other(format!(
            "train_pictures asks for {wanted} pictures, the data set has {} to train on",
            train.len()
        )));
    }
    if wanted > 0 {
        let count = train.len();
        let kept = |place: &usize| place * wanted / count != (place + 1) * wanted / count;
        let mut place = 0..count;
        train.retain(|_| place.next().is_some_and(|place| kept(&place)));
    }
    if train.is_empty() || test.is_empty() {
        return Err(TrialError::Other(format!(
            "{} pictures to train on and {} to judge: both are needed",
            train.len(),
            test.len()
        )));
    }
    Ok(Items {
        classes,
        height,
        width,
        sides,
        train,
        test,
        source,
        given,
    })
}

/// The contents of a data set of several, with their names.
fn parts(name: String, content: Content) -> Vec<(String, Content)> {
    match content {
        Content::Several(parts) => parts,
        one => vec![(name, one)],
    }
}

/// The annotations of whole pieces of equipment.
fn annotations<'s>(name: &str, set: &'s ThermalSet) -> Result<&'s AnnotationSet, TrialError> {
    let named = set.annotations.iter().find(|own| own.name == "equipment");
    named
        .or_else(|| set.annotations.first())
        .ok_or_else(|| TrialError::Other(format!("the data set `{name}` has no annotations")))
}

/// Names of the classes with enough objects, in the order of the data sets.
fn classes(sets: &[(String, ThermalSet)], least: usize) -> Result<Vec<String>, TrialError> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (name, set) in sets {
        let annotated = annotations(name, set)?;
        for category in &annotated.categories {
            let own = annotated.annotations.iter();
            let count = own
                .filter(|a| a.category_id == category.id && !a.crowd)
                .count();
            match counts.iter_mut().find(|(name, _)| *name == category.name) {
                Some((_, sum)) => *sum += count,
                None => counts.push((category.name.clone(), count)),
            }
        }
    }
    let listed: Vec<String> = counts
        .iter()
        .map(|(n, count)| format!("{n} ({count})"))
        .collect();
    let kept: Vec<String> = counts
        .into_iter()
        .filter_map(|(name, count)| (count >= least).then_some(name))
        .collect();
    if kept.is_empty() {
        let listed = listed.join(", ");
        let message = format!("no class has {least} objects (least_instances): {listed}");
        return Err(TrialError::Other(message));
    }
    Ok(kept)
}

/// Which named parts of the classes have a twin.
fn sides(sets: &[(String, ThermalSet)], classes: &[String]) -> Result<Sides, TrialError> {
    let mut named = Vec::new();
    for (name, set) in sets {
        let annotated = annotations(name, set)?;
        for annotation in &annotated.annotations {
            let mut categories = annotated.categories.iter();
            let category = categories.find(|own| own.id == annotation.category_id);
            let class = category.and_then(|own| classes.iter().position(|name| *name == own.name));
            if let Some(class) = class {
                let parts = annotation.parts.iter();
                named.extend(parts.map(|part| (class + 1, part.part as usize, part.name.as_str())));
            }
        }
    }
    Ok(Sides::new(named))
}

/// The annotated pictures of a set in order, and whether each is judged.
fn split<'s>(
    context: &Context,
    set: &'s ThermalSet,
    annotated: &AnnotationSet,
) -> Result<Vec<(&'s ThermalPicture, bool)>, TrialError> {
    let mut images: Vec<_> = annotated.images.iter().collect();
    images.sort_by(|a, b| a.file_name.cmp(&b.file_name));
    let by_camera = context.word("split")? == "cameras" && annotated.is_photographed();
    let presets = match context.params().get("test_presets") {
        Some(ParamValue::List(list)) => list.iter().filter_map(ParamValue::as_f64).collect(),
        _ => Vec::new(),
    };
    let last_quarter = images.len() - images.len() / EVERY;
    let judged = |place: usize, preset: Option<&String>| match preset {
        Some(preset) if by_camera => preset.parse().is_ok_and(|preset| presets.contains(&preset)),
        None if by_camera => place >= last_quarter,
        _ => place % EVERY == EVERY - 1,
    };
    let with_picture = images.iter().enumerate().filter_map(|(place, image)| {
        let picture = set.picture(&image.file_name)?;
        Some((picture, judged(place, image.preset.as_ref())))
    });
    Ok(with_picture.collect())
}

fn item(
    context: &Context,
    set: &str,
    picture: &ThermalPicture,
    annotated: &AnnotationSet,
    classes: &[String],
    (height, width): (usize, usize),
) -> Result<Item, TrialError> {
    let full = GrayImage::new(picture.width, picture.height, seen(context, picture)?);
    let gray = mean_over(&full.map_err(words)?, width, height).map_err(words)?;
    let image = annotated
        .images
        .iter()
        .find(|image| image.file_name == picture.name);
    let id = image.map(|image| image.id);
    let mut objects = Vec::new();
    for annotation in annotated
        .annotations
        .iter()
        .filter(|a| Some(a.image_id) == id)
    {
        let category = annotated
            .categories
            .iter()
            .find(|c| c.id == annotation.category_id);
        let class = category.and_then(|category| classes.iter().position(|n| *n == category.name));
        let Some(class) = class else {
            continue;
        };
        let mask = shrunk(&mask(annotation, picture)?, height, width)?;
        if mask.area() < LEAST_PIXELS {
            continue;
        }
        let Some(corners) = mask.bounds() else {
            continue;
        };
        objects.push(Object {
            class: class + 1,
            corners: corners.map(|value| value as f32),
            mask,
            crowd: annotation.crowd,
            outlined: annotation.is_outlined(),
            parts: part_boxes(annotation, picture, (height, width)),
        });
    }
    let temperature = match &picture.temperature {
        Some(raw) => {
            // Cameras give tenths of a degree.
            let celsius = raw.iter().map(|&raw| f32::from(raw) / 10.0).collect();
            let full = GrayImage::new(picture.width, picture.height, celsius).map_err(words)?;
            let small = mean_over(&full, width, height).map_err(words)?;
            Some(small.pixels().to_vec())
        }
        None => None,
    };
    Ok(Item {
        name: format!("{set}/{}", picture.name),
        gray: gray.pixels().to_vec(),
        temperature,
        objects,
    })
}

/// The parts of an object in a picture of the nets, each at the place of its number.
fn part_boxes(
    annotation: &Annotation,
    picture: &ThermalPicture,
    (height, width): (usize, usize),
) -> Vec<Option<PartBox>> {
    let scale = [
        width as f64 / picture.width as f64,
        height as f64 / picture.height as f64,
    ];
    let mut parts = Vec::new();
    for part in &annotation.parts {
        let number = part.part as usize;
        if number >= MOST_PARTS {
            continue;
        }
        if parts.len() <= number {
            parts.resize(number + 1, None);
        }
        let [x, y, w, h] = part.bbox;
        let at = |value: f64, axis: usize| (value * scale[axis]) as f32;
        let spot = annotation.truth.as_ref().map(|truth| &truth.hot_spot);
        parts[number] = Some(PartBox {
            centre: [at(part.centre[0], 0), at(part.centre[1], 1)],
            corners: [at(x, 0), at(y, 1), at(x + w, 0), at(y + h, 1)],
            max_c: part.max_c,
            mean_c: part.mean_c,
            hot: spot.map(|spot| spot.as_ref().is_some_and(|s| s.part == part.part)),
        });
    }
    parts
}

/// Parts with this number and above are not learnt.
pub(super) const MOST_PARTS: usize = 6;

/// What the nets see of a picture, 0 to 1.
fn seen(context: &Context, picture: &ThermalPicture) -> Result<Vec<f32>, TrialError> {
    if context.word("input")? == "temperature"
        && let Some(raw) = &picture.temperature
    {
        let (cold, hot) = (context.float("coldest_c")?, context.float("hottest_c")?);
        // Cameras give tenths of a degree.
        let share = |&raw: &i16| ((f64::from(raw) / 10.0 - cold) / (hot - cold)).clamp(0.0, 1.0);
        return Ok(raw.iter().map(|raw| share(raw) as f32).collect());
    }
    // The luma of ITU-R BT.601, as other programs make grey pictures.
    let luma = |rgb: &[u8]| {
        0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
    };
    Ok(picture
        .rgb
        .chunks_exact(3)
        .map(|rgb| luma(rgb) / 255.0)
        .collect())
}

fn mask(annotation: &Annotation, picture: &ThermalPicture) -> Result<InstanceMask, TrialError> {
    annotation
        .mask(picture.height, picture.width)
        .map_err(|error| {
            TrialError::Other(format!(
                "annotation {} of {}: {error}",
                annotation.id, picture.name
            ))
        })
}

/// A mask at another size: pixels of which at least half is inside.
fn shrunk(mask: &InstanceMask, height: usize, width: usize) -> Result<InstanceMask, TrialError> {
    let inside = mask
        .inside()
        .iter()
        .map(|&inside| f32::from(u8::from(inside)));
    let image = GrayImage::new(mask.width(), mask.height(), inside.collect()).map_err(words)?;
    let share = mean_over(&image, width, height).map_err(words)?;
    let inside = share.pixels().iter().map(|&share| share >= 0.5).collect();
    InstanceMask::new(height, width, inside).map_err(words)
}
