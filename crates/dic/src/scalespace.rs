//! Distinct places of a picture with their size: extrema of the difference of Gaussians.
//!
//! # Source
//! Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94, sections 3 and 4. The picture is divided by
//! its standard deviation first, so that the contrast threshold suits any exposure, and it is
//! never enlarged.

use rayon::prelude::*;

use crate::plane::Plane;

/// Scales an octave is divided into.
const SCALES: usize = 3;

/// Blur of the first level of an octave, in its own pixels.
const FIRST_SIGMA: f64 = 1.6;

/// Blur that a picture is taken to have already, px.
const CAMERA_SIGMA: f64 = 0.7;

/// Smallest difference of Gaussians of a keypoint, in standard deviations of the picture.
const SMALLEST_CONTRAST: f32 = 0.02;

/// Largest ratio of the principal curvatures of a keypoint: above it lies on an edge.
const LARGEST_EDGE_RATIO: f32 = 10.0;

/// Pixels kept free around the border of a level.
const BORDER: usize = 5;

/// Smallest side of the first level of an octave, px.
const SMALLEST_SIDE: usize = 24;

/// Grey values without padding.
#[derive(Clone, Debug)]
pub(crate) struct Raster {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<f32>,
}

/// Pictures of one size, each more blurred than the one before.
pub(crate) struct Octave {
    /// Full-resolution pixels a pixel of this octave, a power of two.
    pub(crate) scale: f64,
    pub(crate) levels: Vec<Raster>,
}

/// An extremum of the difference of Gaussians.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extremum {
    /// Index into the octaves.
    pub(crate) octave: usize,
    /// Index of the blurred level nearest to its size.
    pub(crate) level: usize,
    /// Column and row in pixels of the octave.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Size in pixels of the octave.
    pub(crate) sigma: f32,
    /// Absolute difference of Gaussians.
    pub(crate) contrast: f32,
}

impl Raster {
    /// The picture with mean 0 and standard deviation 1; `None` where it has no contrast.
    pub(crate) fn standardised(plane: &Plane) -> Option<Self> {
        let mut data = Vec::with_capacity(plane.width * plane.height);
        for y in 0..plane.height {
            let start = plane.index(0, y);
            data.extend_from_slice(&plane.data[start..start + plane.width]);
        }
        let count = data.len() as f64;
        let mean = data.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let square = |&value: &f32| (f64::from(value) - mean).powi(2);
        let deviation = (data.iter().map(square).sum::<f64>() / count).sqrt();
        if !deviation.is_finite() || deviation <= 1e-6 * mean.abs() {
            return None;
        }
        for value in &mut data {
            *value = ((f64::from(*value) - mean) / deviation) as f32;
        }
        Some(Self {
            width: plane.width,
            height: plane.height,
            data,
        })
    }

    /// A Gaussian blur; beyond the border the nearest pixel counts.
    pub(crate) fn blurred(&self, sigma: f64) -> Self {
        let radius = (3.5 * sigma).ceil().max(1.0) as usize;
        let mut kernel: Vec<f32> = (0..=2 * radius)
            .map(|i| (-0.5 * ((i as f64 - radius as f64) / sigma).powi(2)).exp() as f32)
            .collect();
        let sum: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|weight| *weight /= sum);
        let (width, height) = (self.width, self.height);
        let mut across = vec![0.0_f32; width * height];
        across
            .par_chunks_mut(width)
            .zip(self.data.par_chunks(width))
            .for_each_init(Vec::new, |padded, (out, row)| {
                padded.clear();
                padded.resize(radius, row[0]);
                padded.extend_from_slice(row);
                padded.resize(width + 2 * radius, row[width - 1]);
                for (&weight, start) in kernel.iter().zip(0..) {
                    for (value, &source) in out.iter_mut().zip(&padded[start..]) {
                        *value += weight * source;
                    }
                }
            });
        let mut data = vec![0.0_f32; width * height];
        data.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
            for (i, &weight) in kernel.iter().enumerate() {
                let line = (y + i).saturating_sub(radius).min(height - 1);
                let source = &across[line * width..(line + 1) * width];
                for (value, &source) in out.iter_mut().zip(source) {
                    *value += weight * source;
                }
            }
        });
        Self {
            width,
            height,
            data,
        }
    }

    /// Every second pixel of every second row.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut data = Vec::with_capacity(width * height);
        for row in self.data.chunks_exact(self.width).step_by(2) {
            data.extend(row.iter().step_by(2));
        }
        Self {
            width,
            height,
            data,
        }
    }

    fn minus(&self, other: &Self) -> Self {
        let pixels = self.data.iter().zip(&other.data);
        Self {
            width: self.width,
            height: self.height,
            data: pixels.map(|(a, b)| a - b).collect(),
        }
    }
}

/// The blurred pictures of up to `most` octaves, the first of at most `largest_px` pixels.
pub(crate) fn octaves(picture: &Raster, most: usize, largest_px: usize) -> Vec<Octave> {
    let ratio = 2.0_f64.powf(1.0 / SCALES as f64);
    let mut scale = 1.0;
    let mut sigma = CAMERA_SIGMA;
    let mut base = picture.clone();
    while base.width * base.height > largest_px {
        let smooth = base.blurred((FIRST_SIGMA.powi(2) - sigma * sigma).sqrt());
        (base, sigma, scale) = (smooth.halved(), 0.5 * FIRST_SIGMA, 2.0 * scale);
    }
    let mut first = base.blurred((FIRST_SIGMA.powi(2) - sigma * sigma).sqrt());
    let mut out = Vec::new();
    while out.len() < most && first.width.min(first.height) >= SMALLEST_SIDE {
        let mut levels = vec![first];
        for i in 1..SCALES + 3 {
            let before = FIRST_SIGMA * ratio.powi(i as i32 - 1);
            let blur = before * (ratio * ratio - 1.0).sqrt();
            let next = levels[i - 1].blurred(blur);
            levels.push(next);
        }
        first = levels[SCALES].halved();
        out.push(Octave { scale, levels });
        scale *= 2.0;
    }
    out
}

/// The extrema of all octaves, in the order of octave, level, row and column.
pub(crate) fn extrema(octaves: &[Octave]) -> Vec<Extremum> {
    let mut out = Vec::new();
    for (index, octave) in octaves.iter().enumerate() {
        let differences: Vec<Raster> = octave
            .levels
            .windows(2)
            .map(|pair| pair[1].minus(&pair[0]))
            .collect();
        for level in 1..=SCALES {
            let around: [&Raster; 3] = [
                &differences[level - 1],
                &differences[level],
                &differences[level + 1],
            ];
            let height = around[1].height;
            let rows: Vec<Vec<Extremum>> = (BORDER..height.saturating_sub(BORDER))
                .into_par_iter()
                .map(|y| {
                    (BORDER..around[1].width.saturating_sub(BORDER))
                        .filter_map(|x| extremum_at(around, index, level, x, y))
                        .collect()
                })
                .collect();
            out.extend(rows.into_iter().flatten());
        }
    }
    out
}

/// The extremum at a pixel, if there is one of enough contrast that is no edge.
fn extremum_at(
    around: [&Raster; 3],
    octave: usize,
    level: usize,
    x: usize,
    y: usize,
) -> Option<Extremum> {
    let width = around[1].width;
    let at = y * width + x;
    let middle = &around[1].data;
    let value = middle[at];
    if value.abs() < 0.8 * SMALLEST_CONTRAST {
        return None;
    }
    let beats = |other: f32| {
        if value > 0.0 {
            value > other
        } else {
            value < other
        }
    };
    let neighbours = [
        at - 1,
        at + 1,
        at - width,
        at + width,
        at - width - 1,
        at - width + 1,
        at + width - 1,
        at + width + 1,
    ];
    let wins = neighbours.iter().all(|&i| beats(middle[i]))
        && [around[0], around[2]].iter().all(|raster| {
            beats(raster.data[at]) && neighbours.iter().all(|&i| beats(raster.data[i]))
        });
    if !wins {
        return None;
    }
    let dx = 0.5 * (middle[at + 1] - middle[at - 1]);
    let dy = 0.5 * (middle[at + width] - middle[at - width]);
    let ds = 0.5 * (around[2].data[at] - around[0].data[at]);
    let dxx = middle[at + 1] + middle[at - 1] - 2.0 * value;
    let dyy = middle[at + width] + middle[at - width] - 2.0 * value;
    let dss = around[2].data[at] + around[0].data[at] - 2.0 * value;
    let dxy = 0.25
        * (middle[at + width + 1] + middle[at - width - 1]
            - middle[at + width - 1]
            - middle[at - width + 1]);
    let determinant = dxx * dyy - dxy * dxy;
    let edge = LARGEST_EDGE_RATIO;
    if determinant <= 0.0 || (dxx + dyy).powi(2) * edge >= (edge + 1.0).powi(2) * determinant {
        return None;
    }
    // The peak of the parabola in space; size and space are fitted apart.
    let step_x = -(dyy * dx - dxy * dy) / determinant;
    let step_y = -(dxx * dy - dxy * dx) / determinant;
    let step_s = if dss == 0.0 { 0.0 } else { -ds / dss };
    let contrast = (value + 0.5 * (dx * step_x + dy * step_y)).abs();
    if step_x.abs() > 1.0 || step_y.abs() > 1.0 || contrast < SMALLEST_CONTRAST {
        return None;
    }
    let place = level as f32 + step_s.clamp(-0.5, 0.5);
    Some(Extremum {
        octave,
        level,
        x: x as f32 + step_x,
        y: y as f32 + step_y,
        sigma: FIRST_SIGMA as f32 * (place / SCALES as f32).exp2(),
        contrast,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_found_with_its_place_and_size() {
        for (sigma, x, y) in [(2.7, 40.3, 36.8), (5.2, 47.6, 46.2)] {
            let pixels: Vec<f32> = (0..100 * 90)
                .map(|i| {
                    let (dx, dy) = ((i % 100) as f64 - x, (i / 100) as f64 - y);
                    (-(dx * dx + dy * dy) / (2.0 * sigma * sigma)).exp() as f32
                })
                .collect();
            let plane = Plane::from_pixels(100, 90, &pixels);
            let raster = Raster::standardised(&plane).expect("a picture with contrast");
            let octaves = octaves(&raster, 3, 1_000_000);
            let found = extrema(&octaves);
            let best = found
                .iter()
                .max_by(|a, b| a.contrast.total_cmp(&b.contrast))
                .expect("the blob");
            let scale = octaves[best.octave].scale;
            let (fx, fy) = (scale * f64::from(best.x), scale * f64::from(best.y));
            assert!((fx - x).abs() < 0.3 && (fy - y).abs() < 0.3, "{fx} {fy}");
            // The difference of Gaussians responds most where its blur is near that of the blob.
            let size = scale * f64::from(best.sigma);
            assert!((0.7..1.3).contains(&(size / sigma)), "{size} {sigma}");
        }
    }

    #[test]
    fn a_flat_picture_has_no_keypoint() {
        let plane = Plane::from_pixels(60, 60, &[7.0; 3600]);
        assert!(Raster::standardised(&plane).is_none());
    }
}
