//! The chosen rows as images of the nets.

use retrial_core::hash::FieldHasher;
use retrial_data::DigitSet;
use retrial_detect::Scaling;
use retrial_image::GrayImage;
use retrial_image::resize::{Bicubic, bicubic};
use retrial_runner::{Context, TrialError};
use retrial_seed::Stream;

use super::choose::{Choice, choose};
use super::params::All;

/// The items of a trial.
pub(super) struct Items {
    /// Side of an image, px.
    pub(super) size: usize,
    /// Normal items to learn from.
    pub(super) train: TrainingSet,
    /// Held-out normal items.
    pub(super) validation: Part,
    /// Items to judge.
    pub(super) test: Part,
    /// Value of a black pixel in the nets' scaling, or zero where the published ink counts from it.
    pub(super) black: f32,
    scaling: Scaling,
}

/// The normal items to learn from: all of the data that a training reads.
pub(super) struct TrainingSet {
    pub(super) part: Part,
    pub(super) form: Form,
    /// The same items as the data set has them.
    raw: Vec<f32>,
    /// Columns and rows of a picture of the data set.
    raw_size: (usize, usize),
}

/// How a picture of the data set becomes an image of the nets.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Side of an image, px.
    pub(super) size: usize,
    scaling: Scaling,
    kernel: Bicubic,
}

/// Some items.
///
/// # Shapes
/// - `pixels`: `[item, size, size]`
#[derive(Default)]
pub(super) struct Part {
    pub(super) rows: Vec<usize>,
    pub(super) labels: Vec<u8>,
    pub(super) anomalous: Vec<bool>,
    pub(super) pixels: Vec<f32>,
}

impl Part {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The hash of its images of the nets.
    pub(super) fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial images 1");
        hasher.field(&self.len().to_le_bytes());
        hasher.field(&bytes_of(&self.pixels)).tagged()
    }

    /// The first `count` items, of `area` pixels each.
    pub(super) fn first(&self, count: usize, area: usize) -> Self {
        Self {
            rows: self.rows[..count].to_vec(),
            labels: self.labels[..count].to_vec(),
            anomalous: self.anomalous[..count].to_vec(),
            pixels: self.pixels[..count * area].to_vec(),
        }
    }
}

pub(super) fn load(context: &mut Context, params: &All) -> Result<Items, TrialError> {
    let content = context.data()?;
    let chosen = params.rows();
    let choice = choose(chosen, &content)?;
    let census = choice.census(chosen, &content);
    let digits = choice.digits;
    let scaling = params.normal.scaling;
    let a = params.normal.bicubic_a;
    let kernel = Bicubic::from_a(a)
        .ok_or_else(|| TrialError::Other(format!("no bicubic kernel has a = {a}")))?;
    let size = params.normal.image_size;
    let raw_size = (digits.train.width, digits.train.height);
    let form = Form {
        size,
        scaling,
        kernel,
    };
    let part = |rows: &[usize], set| form.part(&choice, rows, set);
    let train = part(&choice.train, &digits.train)?;
    let validation = part(&choice.validation, &digits.train)?;
    let test = part(&choice.judged, choice.judged_of)?;
    let area = raw_size.0 * raw_size.1;
    let raw = choice.train.iter();
    let raw = raw.flat_map(|row| &digits.train.pixels[row * area..(row + 1) * area]);
    let raw = raw.map(|&grey| f32::from(grey)).collect();
    context.set_census(census);
    Ok(Items {
        size,
        train: TrainingSet {
            part: train,
            form,
            raw,
            raw_size,
        },
        validation,
        test,
        black: if scaling == Scaling::Tanh { -1.0 } else { 0.0 },
        scaling,
    })
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

impl Form {
    fn part(
        &self,
        choice: &Choice<'_>,
        rows: &[usize],
        set: &DigitSet,
    ) -> Result<Part, TrialError> {
        let area = set.width * set.height;
        let mut part = Part::default();
        for &row in rows {
            let grey = &set.pixels[row * area..(row + 1) * area];
            let grey = grey.iter().map(|&v| f32::from(v)).collect();
            part.pixels
                .extend(self.image((set.width, set.height), grey)?);
            let label = set.labels[row];
            part.rows.push(row);
            part.labels.push(label);
            part.anomalous.push(choice.is_anomalous(label));
        }
        Ok(part)
    }

    fn image(
        &self,
        (width, height): (usize, usize),
        grey: Vec<f32>,
    ) -> Result<Vec<f32>, TrialError> {
        let wrong = |error| TrialError::Other(format!("a digit of {width} × {height} px: {error}"));
        let image = GrayImage::new(width, height, grey).map_err(wrong)?;
        let image = if (width, height) == (self.size, self.size) {
            image
        } else {
            bicubic(&image, self.size, self.size, self.kernel).map_err(wrong)?
        };
        Ok(image
            .into_pixels()
            .into_iter()
            .map(|x| self.scaling.apply(x))
            .collect())
    }
}

impl TrainingSet {
    /// The hash of all that a training reads of it.
    pub(super) fn digest(&self) -> String {
        let (width, height) = self.raw_size;
        let mut hasher = FieldHasher::new("retrial training items 1");
        for side in [width, height, self.form.size] {
            hasher.field(&side.to_le_bytes());
        }
        hasher.field(&bytes_of(&self.raw));
        hasher.field(self.part.digest().as_bytes()).tagged()
    }

    /// The training images, each moved and turned by what `stream` draws.
    pub(super) fn moved(
        &self,
        (shift_px, rotation_deg): (f64, f64),
        stream: &mut Stream,
    ) -> Result<Vec<f32>, TrialError> {
        let (width, height) = self.raw_size;
        let mut pixels = Vec::with_capacity(self.part.pixels.len());
        for raw in self.raw.chunks(width * height) {
            let mut within = |most: f64| (2.0 * stream.uniform() - 1.0) * most;
            let shift = (within(shift_px), within(shift_px));
            let angle = within(rotation_deg).to_radians();
            let moved = moved(raw, self.raw_size, shift, angle);
            pixels.extend(self.form.image(self.raw_size, moved)?);
        }
        Ok(pixels)
    }
}

impl Items {
    /// The ink Σ|x − black| of every item of a part.
    pub(super) fn ink(&self, part: &Part) -> Vec<f64> {
        let area = self.size * self.size;
        let of_item = |image: &[f32]| {
            let each = image.iter().map(|&x| f64::from((x - self.black).abs()));
            each.sum::<f64>()
        };
        part.pixels.chunks(area).map(of_item).collect()
    }

    /// One judged item of `size × size` grey levels.
    #[cfg(test)]
    pub(super) fn of_one(size: usize, grey: Vec<f32>, scaling: Scaling) -> Self {
        let scaled = grey.iter().map(|&level| scaling.apply(level)).collect();
        Self {
            size,
            train: TrainingSet {
                part: Part::default(),
                form: Form {
                    size,
                    scaling,
                    kernel: Bicubic::Plain,
                },
                raw: grey,
                raw_size: (size, size),
            },
            validation: Part::default(),
            test: Part {
                rows: vec![0],
                labels: vec![7],
                anomalous: vec![false],
                pixels: scaled,
            },
            black: 0.0,
            scaling,
        }
    }

    /// A pixel of a generator, in −1..1 whatever the scaling, as a grey level to look at.
    pub(super) fn drawn_grey(value: f32) -> u8 {
        ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
    }

    /// A pixel in the nets' scaling as a grey level to look at.
    pub(super) fn grey(&self, value: f32) -> u8 {
        let level = match self.scaling {
            Scaling::Tanh => (value + 1.0) * 127.5,
            Scaling::Unit => (value * 0.3081 + 0.1307) * 255.0,
            Scaling::Raw255 => value * 0.3081 + 0.1307,
        };
        level.round().clamp(0.0, 255.0) as u8
    }
}

/// The image turned about its centre and shifted, by bilinear interpolation on black.
fn moved(
    raw: &[f32],
    (width, height): (usize, usize),
    (dx, dy): (f64, f64),
    angle: f64,
) -> Vec<f32> {
    let centre = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
    let (sin, cos) = angle.sin_cos();
    let at = |x: f64, y: f64| {
        let inside = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
        if inside {
            f64::from(raw[y as usize * width + x as usize])
        } else {
            0.0
        }
    };
    let mut out = Vec::with_capacity(raw.len());
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (column as f64 - centre.0 - dx, row as f64 - centre.1 - dy);
            let (x, y) = (cos * x + sin * y + centre.0, cos * y - sin * x + centre.1);
            let (left, top) = (x.floor(), y.floor());
            let (right, below) = (x - left, y - top);
            let upper = at(left, top) * (1.0 - right) + at(left + 1.0, top) * right;
            let lower = at(left, top + 1.0) * (1.0 - right) + at(left + 1.0, top + 1.0) * right;
            out.push((upper * (1.0 - below) + lower * below) as f32);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_not_moved_stays() {
        let raw: Vec<f32> = (0..25).map(|v| v as f32).collect();
        assert_eq!(moved(&raw, (5, 5), (0.0, 0.0), 0.0), raw);
        assert_eq!(moved(&raw[..20], (4, 5), (0.0, 0.0), 0.0), raw[..20]);
        assert_eq!(moved(&raw[..20], (5, 4), (0.0, 0.0), 0.0), raw[..20]);
    }

    #[test]
    fn a_quarter_turn_and_a_shift() {
        // One bright pixel right of the centre goes below it (rows point down), then one right.
        let mut raw = vec![0.0; 25];
        raw[2 * 5 + 3] = 1.0;
        let turned = moved(&raw, (5, 5), (1.0, 0.0), std::f64::consts::FRAC_PI_2);
        let brightest = (0..25).max_by(|&a, &b| turned[a].total_cmp(&turned[b]));
        assert_eq!(brightest, Some(3 * 5 + 3), "{turned:?}");
    }

    #[test]
    fn a_shift_of_an_oblong_picture_moves_its_own_rows() {
        // Two rows of three: one to the right moves each row, and nothing crosses to the next.
        let raw = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let shifted = moved(&raw, (3, 2), (1.0, 0.0), 0.0);
        assert_eq!(shifted, [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        let shifted = moved(&raw, (2, 3), (0.0, 1.0), 0.0);
        assert_eq!(shifted, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
