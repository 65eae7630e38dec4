//! Features under boxes, read between pixels, and the gradient by the features.
//!
//! A box is cut into `out` × `out` bins, the features are read at some points of each bin by bilinear
//! interpolation, and their mean is written. Bilinear weights are products of a weight of the row
//! and one of the column, so each axis of each box is prepared once, and points that share a pixel
//! share its weight.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3; where it leaves a choice, that of torchvision.

use crate::dispatch::pass;
use crate::error::{KernelError, check_length, check_rows};
use crate::rows::{for_rows, share};

/// Corners beyond this many pixels of the feature map are refused: adaptive sampling would not end.
const FAR: f32 = 1_048_576.0;

/// The number of an image, and a box on it: left, top, right, bottom, in pixels of the image.
pub type Roi = (usize, [f32; 4]);

/// How boxes are read from a feature map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Rows of the feature map.
    pub height: usize,
    /// Columns of the feature map.
    pub width: usize,
    /// Channels of the feature map.
    pub channels: usize,
    /// Bins along each edge of a box.
    pub out: usize,
    /// Pixels of the feature map in a pixel of the image.
    pub scale: f32,
    /// Points along each edge of a bin; none for as many as the bin has pixels.
    pub sampling_ratio: Option<usize>,
    /// Whether coordinates are moved by half a pixel, so that the centre of a pixel is at its half;
    /// otherwise boxes are also widened to at least one pixel.
    pub aligned: bool,
}

/// Reads `rois` from `features`.
///
/// # Shapes
/// - `features`: `[images, height, width, channels]`
/// - `y`: `[rois, out, out, channels]`, written
///
/// # Errors
/// A dimension of zero, slices of other lengths, a box of no image or without finite corners.
pub fn roi_align(
    align: &RoiAlign,
    features: &[f32],
    rois: &[Roi],
    y: &mut [f32],
) -> Result<(), KernelError> {
    let map_len = align.map_len()?;
    let images = check_rows("features", map_len, features.len())?;
    check_length("y", rois.len() * align.roi_len(), y.len())?;
    let taps = Taps::new(align, rois, images)?;
    let pieces = share(y.len());
    for_rows(y, align.roi_len(), pieces, |range, chunk| {
        for (roi, y) in range.zip(chunk.chunks_exact_mut(align.roi_len())) {
            let map = &features[rois[roi].0 * map_len..][..map_len];
            read_roi(align, &taps, roi, map, y);
        }
    });
    Ok(())
}

/// The gradient of [`roi_align`] by the features, with the same bits for any number of threads.
///
/// # Shapes
/// - `dy`: `[rois, out, out, channels]`
/// - `dx`: `[images, height, width, channels]`, written
///
/// # Errors
/// As [`roi_align`].
pub fn roi_align_gradient(
    align: &RoiAlign,
    rois: &[Roi],
    dy: &[f32],
    dx: &mut [f32],
) -> Result<(), KernelError> {
    let images = check_rows("dx", align.map_len()?, dx.len())?;
    check_length("dy", rois.len() * align.roi_len(), dy.len())?;
    let taps = Taps::new(align, rois, images)?;
    let pieces = 4 * share(dy.len());
    // Every row collects its terms in the order of the boxes and bins, however rows are divided.
    for_rows(dx, align.width * align.channels, pieces, |rows, chunk| {
        chunk.fill(0.0);
        for (roi, dy) in dy.chunks_exact(align.roi_len()).enumerate() {
            let top = rois[roi].0 * align.height;
            if top < rows.end && rows.start < top + align.height {
                add_roi(align, &taps, roi, dy, (top, rows.start, rows.end), chunk);
            }
        }
    });
    Ok(())
}

impl RoiAlign {
    /// Elements of a map, once the dimensions are known to be some.
    fn map_len(&self) -> Result<usize, KernelError> {
        let named = [
            ("height", self.height),
            ("width", self.width),
            ("channels", self.channels),
            ("out", self.out),
            ("sampling_ratio", self.sampling_ratio.unwrap_or(1)),
        ];
        if let Some(&(dimension, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::Zero { dimension });
        }
        let product = |factors: [usize; 3]| {
            let product = factors.iter().try_fold(1_usize, |a, &b| a.checked_mul(b));
            product.filter(|&len| len < 1 << 32)
        };
        let sizes = (
            product([self.height, self.width, self.channels]),
            product([self.out, self.out, self.channels]),
        );
        match sizes {
            (Some(len), Some(_)) => Ok(len),
            _ => Err(KernelError::TooLarge {
                batch: 1,
                height: self.height,
                width: self.width,
            }),
        }
    }

    fn roi_len(&self) -> usize {
        self.out * self.out * self.channels
    }

    /// The start and the size of a box along one axis, in pixels of the feature map.
    fn extent(&self, low: f32, high: f32) -> (f32, f32) {
        let offset = if self.aligned { 0.5 } else { 0.0 };
        let (start, end) = (low * self.scale - offset, high * self.scale - offset);
        if self.aligned {
            (start, end - start)
        } else {
            (start, (end - start).max(1.0))
        }
    }
}

/// A row or column of the map and its share in the mean of a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    at: usize,
    weight: f32,
}

/// The taps of all bins of all boxes, rows and columns apart.
struct Taps {
    taps: Vec<Tap>,
    /// Where those of each bin begin: `[rois, axis, out]`, and the end of the last.
    starts: Vec<usize>,
    out: usize,
}

impl Taps {
    fn new(align: &RoiAlign, rois: &[Roi], images: usize) -> Result<Self, KernelError> {
        let mut all = Self {
            taps: Vec::new(),
            starts: vec![0],
            out: align.out,
        };
        for (index, &(image, [left, top, right, bottom])) in rois.iter().enumerate() {
            if image >= images {
                return Err(KernelError::RoiImage {
                    index,
                    image,
                    images,
                });
            }
            let corners = [left, top, right, bottom].map(|corner| corner * align.scale);
            if !corners.iter().all(|corner| corner.abs() <= FAR) {
                return Err(KernelError::RoiCorners { index });
            }
            all.add_axis(align, align.extent(top, bottom), align.height);
            all.add_axis(align, align.extent(left, right), align.width);
        }
        Ok(all)
    }

    fn add_axis(&mut self, align: &RoiAlign, (start, extent): (f32, f32), size: usize) {
        let bin_size = extent / align.out as f32;
        let points = align.sampling_ratio.unwrap_or(bin_size.ceil() as usize);
        for bin in 0..align.out {
            let first = self.taps.len();
            for point in 0..points {
                let inside = (point as f32 + 0.5) * bin_size / points as f32;
                let at = start + bin as f32 * bin_size + inside;
                for tap in between(at, size).into_iter().flatten() {
                    self.add(first, tap, points);
                }
            }
            self.starts.push(self.taps.len());
        }
    }

    /// Adds a tap to the bin that begins at `first`; neighbouring points share their pixels.
    fn add(&mut self, first: usize, tap: Tap, points: usize) {
        let weight = tap.weight / points as f32;
        let recent = self.taps.len().saturating_sub(2).max(first);
        match self.taps[recent..].iter_mut().find(|t| t.at == tap.at) {
            Some(known) => known.weight += weight,
            None => self.taps.push(Tap { at: tap.at, weight }),
        }
    }

    fn rows(&self, roi: usize, bin: usize) -> &[Tap] {
        self.get(2 * roi * self.out + bin)
    }

    fn columns(&self, roi: usize, bin: usize) -> &[Tap] {
        self.get((2 * roi + 1) * self.out + bin)
    }

    fn get(&self, i: usize) -> &[Tap] {
        &self.taps[self.starts[i]..self.starts[i + 1]]
    }
}

/// The two pixels around a coordinate; none beyond a pixel outside the map.
fn between(at: f32, size: usize) -> Option<[Tap; 2]> {
    if !(-1.0..=size as f32).contains(&at) {
        return None;
    }
    let low = (at.max(0.0) as usize).min(size - 1);
    let high = (low + 1).min(size - 1);
    let part = if low == high {
        0.0
    } else {
        at.max(0.0) - low as f32
    };
    Some([(low, 1.0 - part), (high, part)].map(|(at, weight)| Tap { at, weight }))
}

pass! {
    fn read_roi(align: &RoiAlign, taps: &Taps, roi: usize, map: &[f32], y: &mut [f32]) {
        let (out, channels) = (align.out, align.channels);
        for (bin, y) in y.chunks_exact_mut(channels).enumerate() {
            let rows = taps.rows(roi, bin / out);
            let columns = taps.columns(roi, bin % out);
            let mut c = 0;
            while c + 64 <= channels {
                read_channels::<64>(align, rows, columns, map, c, &mut y[c..]);
                c += 64;
            }
            while c + 16 <= channels {
                read_channels::<16>(align, rows, columns, map, c, &mut y[c..]);
                c += 16;
            }
            while c < channels {
                read_channels::<1>(align, rows, columns, map, c, &mut y[c..]);
                c += 1;
            }
        }
    }
}

/// `N` channels from `c` of a bin, summed in registers.
#[inline(always)]
fn read_channels<const N: usize>(
    align: &RoiAlign,
    rows: &[Tap],
    columns: &[Tap],
    map: &[f32],
    c: usize,
    y: &mut [f32],
) {
    let mut sums = [0.0_f32; N];
    for row in rows {
        for column in columns {
            let weight = row.weight * column.weight;
            let from = (row.at * align.width + column.at) * align.channels + c;
            for (sum, value) in sums.iter_mut().zip(&map[from..][..N]) {
                *sum += weight * value;
            }
        }
    }
    y[..N].copy_from_slice(&sums);
}

pass! {
    /// Adds the terms of a box to those of the rows `band.1..band.2` that it reads; rows count through the
    /// batch, and `band.0` is the first of its image.
    fn add_roi(
        align: &RoiAlign,
        taps: &Taps,
        roi: usize,
        dy: &[f32],
        band: (usize, usize, usize),
        dx: &mut [f32],
    ) {
        let (top, start, end) = band;
        let (out, channels) = (align.out, align.channels);
        for (bin_y, dy) in dy.chunks_exact(out * channels).enumerate() {
            for row in taps.rows(roi, bin_y) {
                let y = top + row.at;
                if y < start || y >= end {
                    continue;
                }
                let dx = &mut dx[(y - start) * align.width * channels..];
                for (bin_x, dy) in dy.chunks_exact(channels).enumerate() {
                    for column in taps.columns(roi, bin_x) {
                        let weight = row.weight * column.weight;
                        let dx = &mut dx[column.at * channels..][..channels];
                        for (dx, dy) in dx.iter_mut().zip(dy) {
                            *dx += weight * dy;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::against_formulas::noise;

    const ALIGN: RoiAlign = RoiAlign {
        height: 11,
        width: 14,
        channels: 85,
        out: 5,
        scale: 0.5,
        sampling_ratio: Some(3),
        aligned: true,
    };

    fn rois(count: usize) -> Vec<Roi> {
        let value = |i: usize, n: usize| ((i * 37 + n * 11) % 23) as f32;
        let roi = |i| {
            let (x, y) = (value(i, 1) - 2.0, value(i, 2) - 3.0);
            (i % 2, [x, y, x + 1.5 * value(i, 3), y + value(i, 4)])
        };
        (0..count).map(roi).collect()
    }

    /// Bilinear reading is exact on a plane, so the mean of a bin is the value at its centre.
    #[test]
    fn a_plane_is_read_at_the_centres_of_the_bins() {
        let (height, width) = (12, 15);
        let plane = |x: f64, y: f64, c: usize| 2.0 + 0.25 * x - (0.5 + c as f64) * y;
        let mut features = Vec::new();
        for y in 0..height {
            for x in 0..width {
                features.extend((0..3).map(|c| plane(x as f64, y as f64, c) as f32));
            }
        }
        let roi = [4.2_f32, 6.4, 21.0, 19.6];
        for (sampling_ratio, aligned) in [(None, true), (Some(2), true), (Some(5), false)] {
            let align = RoiAlign {
                height,
                width,
                channels: 3,
                out: 4,
                scale: 0.5,
                sampling_ratio,
                aligned,
            };
            let mut y = vec![f32::NAN; 48];
            roi_align(&align, &features, &[(0, roi)], &mut y).expect("a box on the map");
            let offset = if aligned { 0.5 } else { 0.0 };
            let [left, top, right, bottom] = roi.map(|corner| f64::from(corner) * 0.5 - offset);
            for (i, y) in y.iter().enumerate() {
                let part = |bin: usize| (bin as f64 + 0.5) / 4.0;
                let at_x = left + (right - left) * part(i / 3 % 4);
                let at_y = top + (bottom - top) * part(i / 12);
                let expected = plane(at_x, at_y, i % 3);
                assert!(
                    (f64::from(*y) - expected).abs() < 1e-4,
                    "{i} {y} {expected}"
                );
            }
        }
    }

    #[test]
    fn the_gradient_is_the_adjoint() {
        for sampling_ratio in [None, Some(2)] {
            let align = RoiAlign {
                sampling_ratio,
                ..ALIGN
            };
            let rois = rois(40);
            let x = noise(2 * 11 * 14 * 85, 1);
            let dy = noise(40 * 25 * 85, 2);
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            roi_align(&align, &x, &rois, &mut y).expect("lengths");
            roi_align_gradient(&align, &rois, &dy, &mut dx).expect("lengths");
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                products.sum()
            };
            let size = (dot(&y, &y) * dot(&dy, &dy)).sqrt();
            assert!((dot(&y, &dy) - dot(&x, &dx)).abs() < 1e-6 * size);
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let rois = rois(60);
        let (x, dy) = (noise(2 * 11 * 14 * 85, 1), noise(60 * 25 * 85, 2));
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads can be started").install(|| {
                let (mut y, mut dx) = (dy.clone(), x.clone());
                roi_align(&ALIGN, &x, &rois, &mut y).expect("lengths");
                roi_align_gradient(&ALIGN, &rois, &dy, &mut dx).expect("lengths");
                (y, dx)
            })
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3));
    }

    #[test]
    fn boxes_that_are_none() {
        let x = vec![0.0; 11 * 14 * 85];
        let mut y = vec![0.0; 25 * 85];
        let mut read = |roi: Roi| roi_align(&ALIGN, &x, &[roi], &mut y);
        assert_eq!(read((0, [3.0, 3.0, 1.0, 1.0])), Ok(()));
        let nan = read((0, [0.0, f32::NAN, 1.0, 1.0]));
        assert_eq!(nan, Err(KernelError::RoiCorners { index: 0 }));
        let image = KernelError::RoiImage {
            index: 0,
            image: 1,
            images: 1,
        };
        assert_eq!(read((1, [0.0; 4])), Err(image));
        assert_eq!(roi_align(&ALIGN, &x, &[], &mut []), Ok(()));
        let none = RoiAlign { out: 0, ..ALIGN };
        assert!(roi_align(&none, &x, &[], &mut []).is_err());
        assert!(roi_align(&ALIGN, &x[1..], &[], &mut []).is_err());
    }
}
