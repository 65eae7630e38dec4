//! Regions of a picture that are warmer (or colder) than what is around them.
//!
//! The publication names k-means and maximum-entropy segmentation and gives no detail. Here
//! k-means on grey value and local mean gives groups, of which the coolest (or the warmest, where
//! objects are dark) is background; the threshold of maximum entropy parts what is left, and
//! connected pixels become regions.
//!
//! # Source
//! Liu et al., "Electrical Equipment Detection in Infrared Images Based on Transfer Learning of
//! Mask-RCNN", section on related work.

use retrial_image::{GrayImage, InstanceMask};
use retrial_seed::Stream;

use crate::components::{Connectivity, components};
use crate::entropy::{Histogram, one_threshold, two_thresholds};
use crate::{ClassicalError, KMeansSettings, k_means};

/// Which side of the thresholds the objects are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreground {
    /// Objects have greater values than the background.
    Bright,
    /// Objects have smaller values.
    Dark,
}

/// How many thresholds of maximum entropy part the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thresholds {
    /// None: what k-means leaves is foreground.
    None,
    /// One.
    One,
    /// Two; the part beyond the second is foreground.
    TwoOuter,
    /// Two; everything beyond the first is foreground.
    TwoInner,
}

/// How a picture is cut into regions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentSettings {
    /// Groups of pixels; the one farthest from the foreground is background.
    pub clusters: usize,
    /// Assignments of k-means at most.
    pub most_iterations: usize,
    /// Half the side of the square of the local mean, px; 0 leaves the local mean out.
    pub radius: usize,
    /// Thresholds among the pixels that are not background.
    pub thresholds: Thresholds,
    /// Bins of the histogram.
    pub bins: usize,
    /// Which side the objects are on.
    pub foreground: Foreground,
    /// Which pixels touch.
    pub connectivity: Connectivity,
    /// Regions of a smaller share of the picture are dropped.
    pub least_area: f64,
    /// Regions of a larger share of the picture are dropped.
    pub most_area: f64,
}

impl Default for SegmentSettings {
    fn default() -> Self {
        Self {
            clusters: 3,
            most_iterations: 50,
            radius: 1,
            thresholds: Thresholds::One,
            bins: 256,
            foreground: Foreground::Bright,
            connectivity: Connectivity::Eight,
            least_area: 0.002,
            most_area: 0.8,
        }
    }
}

/// One connected part of the foreground.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its pixels.
    pub mask: InstanceMask,
    /// The box around them, corner convention.
    pub bounds: [f64; 4],
    /// Mean of their values.
    pub mean_value: f64,
}

/// Cuts a picture into regions, in the order of their first pixel.
///
/// A picture of one value has none.
///
/// # Errors
/// [`ClassicalError::NotFinite`] for a pixel; [`ClassicalError::Setting`] for fewer than two
/// clusters or bins or for shares that are no range.
pub fn segment(
    picture: &GrayImage,
    settings: &SegmentSettings,
    stream: &mut Stream,
) -> Result<Vec<Region>, ClassicalError> {
    if settings.clusters < 2 {
        return Err(ClassicalError::Setting {
            name: "the number of clusters",
            got: settings.clusters as f64,
        });
    }
    if !(settings.least_area >= 0.0 && settings.least_area <= settings.most_area) {
        return Err(ClassicalError::Setting {
            name: "the least area",
            got: settings.least_area,
        });
    }
    if Histogram::new(picture.pixels(), settings.bins)?.is_none() {
        return Ok(Vec::new());
    }
    let candidates = off_background(picture, settings, stream)?;
    let inside = beyond_thresholds(picture, &candidates, settings)?;
    let (height, width) = (picture.height(), picture.width());
    let mut whole = InstanceMask::empty(height, width);
    whole.inside_mut().copy_from_slice(&inside);
    let area = |share: f64| share * (height * width) as f64;
    let least = (area(settings.least_area).ceil() as usize).max(1);
    let parts = components(&whole, settings.connectivity, least);
    let small = |part: &&Vec<usize>| part.len() as f64 <= area(settings.most_area);
    let region = |part: &Vec<usize>| {
        let mut mask = InstanceMask::empty(height, width);
        let mut sum = 0.0;
        for &pixel in part {
            mask.inside_mut()[pixel] = true;
            sum += f64::from(picture.pixels()[pixel]);
        }
        Some(Region {
            bounds: mask.bounds()?,
            mask,
            mean_value: sum / part.len() as f64,
        })
    };
    Ok(parts.iter().filter(small).filter_map(region).collect())
}

/// The pixels that are not in the cluster farthest from the foreground.
fn off_background(
    picture: &GrayImage,
    settings: &SegmentSettings,
    stream: &mut Stream,
) -> Result<Vec<bool>, ClassicalError> {
    let mut points = Vec::with_capacity(2 * picture.pixels().len());
    let around = local_means(picture, settings.radius);
    for (&value, around) in picture.pixels().iter().zip(around) {
        points.push(f64::from(value));
        points.push(around);
    }
    let k_means_settings = KMeansSettings {
        clusters: settings.clusters,
        most_iterations: settings.most_iterations,
    };
    let clusters = k_means(&points, 2, &k_means_settings, stream)?;
    let values = clusters.centres.iter().step_by(2).enumerate();
    let farthest = match settings.foreground {
        Foreground::Bright => values.min_by(|a, b| a.1.total_cmp(b.1)),
        Foreground::Dark => values.max_by(|a, b| a.1.total_cmp(b.1)),
    };
    let background = farthest.map_or(0, |(label, _)| label);
    let labels = clusters.labels.iter();
    Ok(labels.map(|&label| label != background).collect())
}

/// The candidates beyond the thresholds among them.
fn beyond_thresholds(
    picture: &GrayImage,
    candidates: &[bool],
    settings: &SegmentSettings,
) -> Result<Vec<bool>, ClassicalError> {
    // Turned over, a dark foreground is a bright one.
    let sign = match settings.foreground {
        Foreground::Bright => 1.0,
        Foreground::Dark => -1.0,
    };
    let values: Vec<f32> = picture.pixels().iter().map(|value| sign * value).collect();
    let chosen = values.iter().zip(candidates).filter(|(_, is)| **is);
    let chosen: Vec<f32> = chosen.map(|(value, _)| *value).collect();
    if chosen.is_empty() || settings.thresholds == Thresholds::None {
        return Ok(candidates.to_vec());
    }
    let Some(histogram) = Histogram::new(&chosen, settings.bins)? else {
        return Ok(candidates.to_vec());
    };
    let occupied = histogram.counts().iter().filter(|&&count| count > 0);
    let occupied = occupied.count();
    let last_below = match settings.thresholds {
        // Two values have one threshold, whatever is asked for.
        _ if occupied < 3 => one_threshold(histogram.counts())?,
        Thresholds::None | Thresholds::One => one_threshold(histogram.counts())?,
        Thresholds::TwoInner => two_thresholds(histogram.counts())?.0,
        Thresholds::TwoOuter => two_thresholds(histogram.counts())?.1,
    };
    let is_beyond = |(value, is): (&f32, &bool)| *is && histogram.bin(*value) > last_below;
    Ok(values.iter().zip(candidates).map(is_beyond).collect())
}

/// Mean over the square around each pixel, as far as it lies in the picture.
fn local_means(picture: &GrayImage, radius: usize) -> Vec<f64> {
    let (height, width) = (picture.height(), picture.width());
    // Sums over the rectangle up to each pixel.
    let stride = width + 1;
    let mut sums = vec![0.0; stride * (height + 1)];
    for y in 0..height {
        let mut row = 0.0;
        for (x, &value) in picture.row(y).iter().enumerate() {
            row += f64::from(value);
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
        }
    }
    let mean = |at: usize| {
        let (y, x) = (at / width, at % width);
        let (y0, y1) = (y.saturating_sub(radius), (y + radius + 1).min(height));
        let (x0, x1) = (x.saturating_sub(radius), (x + radius + 1).min(width));
        let sum = sums[y1 * stride + x1] - sums[y0 * stride + x1] - sums[y1 * stride + x0]
            + sums[y0 * stride + x0];
        sum / ((y1 - y0) * (x1 - x0)) as f64
    };
    (0..height * width).map(mean).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use retrial_seed::Seed;

    use super::*;

    /// Sky, a bright bar and a disc, and a speck of three pixels.
    fn scene(noise: f64, sign: f64) -> GrayImage {
        let mut stream = Seed(3).stream("noise");
        GrayImage::from_fn(60, 50, |x, y| {
            let object = object(x, y);
            let value = match object {
                1 => 90.0,
                2 => 110.0,
                3 => 100.0,
                _ => 20.0 + y as f64 / 5.0,
            };
            (sign * (value + noise * stream.normal())) as f32
        })
        .unwrap()
    }

    fn object(x: usize, y: usize) -> u8 {
        let disc = (x as f64 - 42.0).hypot(y as f64 - 30.0) < 9.0;
        match (x, y) {
            (8..16, 5..45) => 1,
            (30..33, 3) => 3,
            _ if disc => 2,
            _ => 0,
        }
    }

    #[test]
    fn objects_on_a_quiet_ground_are_found_to_the_pixel() {
        let settings = SegmentSettings {
            thresholds: Thresholds::None,
            ..SegmentSettings::default()
        };
        for (sign, foreground) in [(1.0, Foreground::Bright), (-1.0, Foreground::Dark)] {
            let settings = SegmentSettings {
                foreground,
                clusters: 2,
                radius: 0,
                ..settings
            };
            let picture = scene(1.0, sign);
            let mut stream = Seed(0).stream("segment");
            let regions = segment(&picture, &settings, &mut stream).unwrap();
            // The speck is below the least area.
            assert_eq!(regions.len(), 2);
            assert_eq!(regions[0].bounds, [8.0, 5.0, 16.0, 45.0]);
            for (region, wanted) in regions.iter().zip([1, 2]) {
                for (at, &inside) in region.mask.inside().iter().enumerate() {
                    assert_eq!(inside, object(at % 60, at / 60) == wanted);
                }
            }
            assert!((sign * regions[1].mean_value - 110.0).abs() < 0.5);
        }
    }

    #[test]
    fn a_threshold_parts_what_k_means_leaves() {
        let settings = SegmentSettings {
            clusters: 2,
            ..SegmentSettings::default()
        };
        let regions = segment(&scene(0.0, 1.0), &settings, &mut Seed(0).stream("segment"));
        let regions = regions.unwrap();
        // Of 90, 100 and 110 the first is on the lower side, and the speck is small.
        assert_eq!(regions.len(), 1, "{regions:?}");
        assert_eq!(regions[0].mean_value, 110.0);
    }

    #[test]
    fn local_means_by_hand() {
        let picture = GrayImage::from_fn(3, 2, |x, y| (x + 10 * y) as f32).unwrap();
        assert_eq!(local_means(&picture, 1), [5.5, 6.0, 6.5, 5.5, 6.0, 6.5]);
        assert_eq!(local_means(&picture, 0), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    }

    #[test]
    fn nothing_to_find_and_nothing_that_can_be_searched() {
        let run = |picture: &GrayImage, settings| {
            segment(picture, &settings, &mut Seed(0).stream("segment"))
        };
        let flat = GrayImage::from_fn(8, 8, |_, _| 7.0).unwrap();
        assert_eq!(run(&flat, SegmentSettings::default()), Ok(Vec::new()));
        let broken = GrayImage::from_fn(8, 8, |x, _| if x == 3 { f32::NAN } else { 0.0 }).unwrap();
        assert!(run(&broken, SegmentSettings::default()).is_err());
        let one = SegmentSettings {
            clusters: 1,
            ..SegmentSettings::default()
        };
        assert!(run(&flat, one).is_err());
    }
}
