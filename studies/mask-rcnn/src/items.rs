//! Which pictures are trained on and judged, and how they become pictures of the nets.

use retrial_core::hash::FieldHasher;
use retrial_data::{Annotation, Content, LabelledSet, ThermalPicture, WeightsFile};
use retrial_image::resize::mean_over;
use retrial_image::{GrayImage, InstanceMask};
use retrial_nets::mask_rcnn::Picture;
use retrial_runner::{Context, TrialError};

use super::choose::{Choice, Chosen, Set, ShownObject, choose};
use super::input_values::Input;
use super::params::All;
use super::parts::Sides;
use super::{census, values};

/// The pictures of a trial.
pub(super) struct Items {
    /// Pictures to learn from.
    pub(super) train: TrainingSet,
    /// Pictures to judge.
    pub(super) test: Vec<Item>,
    /// Pictures and weights that others made, for pretraining.
    pub(super) given: Given,
}

/// What every picture of a trial has in common.
#[derive(Clone)]
pub(super) struct Frame {
    /// Names of the classes; class 1 is the first.
    pub(super) classes: Vec<String>,
    /// Rows of every picture.
    pub(super) height: usize,
    /// Columns of every picture.
    pub(super) width: usize,
}

/// The pictures to learn from: all of the target domain that a training reads.
pub(super) struct TrainingSet {
    pub(super) frame: Frame,
    /// Parts that have a twin on the other side.
    pub(super) sides: Sides,
    pub(super) pictures: Vec<Item>,
    /// The hash of all of it that a training reads.
    pub(super) digest: String,
}

/// What a backbone is pretrained on.
#[derive(Default)]
pub(super) struct Given {
    /// The source domain with its digest, where the data set has one.
    pub(super) source: Option<(LabelledSet, String)>,
    /// Weights of a net that others trained, where the data set has some.
    pub(super) weights: Option<WeightsFile>,
}

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Data set and name.
    pub(super) name: String,
    /// Rows and columns of its file.
    pub(super) file_size: (usize, usize),
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

impl Frame {
    /// A picture as the nets see it.
    pub(super) fn picture(&self, gray: &[f32]) -> Picture {
        picture(gray, self.height, self.width)
    }
}

impl TrainingSet {
    fn new(frame: Frame, sides: Sides, pictures: Vec<Item>) -> Self {
        let mut hasher = FieldHasher::new("retrial training pictures 1");
        hasher.field(format!("{:?} {sides:?}", frame.classes).as_bytes());
        hasher.field(&frame.height.to_le_bytes());
        hasher.field(&frame.width.to_le_bytes());
        let bytes_of = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        for picture in &pictures {
            hasher.field(&bytes_of(&picture.gray));
            for object in &picture.objects {
                let Object {
                    class,
                    mask,
                    corners,
                    crowd,
                    outlined,
                    parts,
                } = object;
                let places = parts.iter().map(|part| part.map(|p| (p.centre, p.corners)));
                let places: Vec<_> = places.collect();
                let rest = format!("{class} {corners:?} {crowd} {outlined} {places:?}");
                hasher.field(rest.as_bytes());
                hasher.field(format!("{:?}", mask.runs()).as_bytes());
            }
        }
        Self {
            digest: hasher.tagged(),
            frame,
            sides,
            pictures,
        }
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

pub(super) fn load(context: &mut Context, params: &All) -> Result<Items, TrialError> {
    let name = context.data_name().unwrap_or_default().to_owned();
    let content = context.data()?;
    let pictures = &params.pictures;
    let choice = choose(pictures, &name, &content, None)?;
    let census = census::of(params, &content, &choice, || {
        values::warnings(pictures, &choice)
    })?;
    let input = Input::new(pictures);
    let sides = sides(&choice);
    let Choice {
        sets,
        classes,
        pictures,
        size: (height, width),
        ..
    } = choice;
    let ranges: Vec<_> = sets.iter().map(|set| set.1.grey_range()).collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for chosen in pictures {
        let (set, judged) = (chosen.set, chosen.judged);
        let mut item = item(&input, chosen, sets[set], ranges[set], (height, width))?;
        for object in &mut item.objects {
            sides.arrange(object);
        }
        match judged {
            true => test.push(item),
            false => train.push(item),
        }
    }
    let mut given = Given::default();
    let parts = match content {
        Content::Several(parts) => parts,
        one => vec![(name, one)],
    };
    for (_, content) in parts {
        match content {
            Content::Labelled(_) => {
                let digest = content.digest();
                if let Content::Labelled(set) = content {
                    given.source = Some((set, digest));
                }
            }
            Content::Weights(file) => given.weights = Some(file),
            _ => {}
        }
    }
    context.set_census(census);
    let frame = Frame {
        classes,
        height,
        width,
    };
    Ok(Items {
        train: TrainingSet::new(frame, sides, train),
        test,
        given,
    })
}

/// Which named parts of the classes have a twin.
fn sides(choice: &Choice<'_>) -> Sides {
    let mut named = Vec::new();
    for (_, _, annotated) in &choice.sets {
        for annotation in &annotated.annotations {
            let category = annotated.category(annotation.category_id);
            let mut classes = choice.classes.iter();
            let class = category.and_then(|own| classes.position(|name| *name == own.name));
            if let Some(class) = class {
                let parts = annotation.parts.iter();
                named.extend(parts.map(|part| (class + 1, part.part as usize, part.name.as_str())));
            }
        }
    }
    Sides::new(named)
}

/// A picture of the nets.
fn item(
    input: &Input,
    chosen: Chosen<'_>,
    (set, _, _): Set<'_>,
    range: Option<[u16; 2]>,
    (height, width): (usize, usize),
) -> Result<Item, TrialError> {
    let picture = chosen.picture;
    let full = GrayImage::new(picture.width, picture.height, input.scaled(picture, range));
    let gray = mean_over(&full.map_err(TrialError::of)?, width, height).map_err(TrialError::of)?;
    let object = |seen: ShownObject<'_>| Object {
        class: seen.class,
        mask: seen.mask,
        corners: seen.corners,
        crowd: seen.annotation.crowd,
        outlined: seen.annotation.is_outlined(),
        parts: part_boxes(seen.annotation, picture, (height, width)),
    };
    let objects = chosen.objects.into_iter().map(object).collect();
    let temperature = match &picture.temperature {
        Some(raw) => {
            // Cameras give tenths of a degree.
            let celsius = raw.iter().map(|&raw| f32::from(raw) / 10.0).collect();
            let full =
                GrayImage::new(picture.width, picture.height, celsius).map_err(TrialError::of)?;
            let small = mean_over(&full, width, height).map_err(TrialError::of)?;
            Some(small.pixels().to_vec())
        }
        None => None,
    };
    Ok(Item {
        name: format!("{set}/{}", picture.name),
        file_size: (picture.height, picture.width),
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
