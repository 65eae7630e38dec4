//! Speckle pictures with an exact displacement, and the published image series where they are
//! at hand.

use std::path::{Path, PathBuf};

use retrial_core::displacement::Displacement;
use retrial_image::GrayImage;

/// A sum of Gaussian blobs on a jittered lattice; its grey value is known at every real position.
pub(crate) struct Speckle {
    blobs: Vec<(f64, f64, f64)>,
    columns: usize,
    rows: usize,
}

/// Spacing of the lattice and standard deviation of a blob, px.
const SPACING: f64 = 5.0;
const SIGMA: f64 = 1.7;

impl Speckle {
    /// A pattern that covers `width × height` px and 40 px around it.
    pub(crate) fn new(width: usize, height: usize, seed: u32) -> Self {
        let columns = ((width as f64 + 80.0) / SPACING).ceil() as usize;
        let rows = ((height as f64 + 80.0) / SPACING).ceil() as usize;
        let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
        let mut draw = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x7feb_352d);
            mixed ^= mixed >> 15;
            f64::from(mixed) / f64::from(u32::MAX)
        };
        let blobs = (0..columns * rows)
            .map(|i| {
                let x = (i % columns) as f64 * SPACING - 40.0 + 1.3 * SPACING * (draw() - 0.5);
                let y = (i / columns) as f64 * SPACING - 40.0 + 1.3 * SPACING * (draw() - 0.5);
                (x, y, 60.0 + 120.0 * draw())
            })
            .collect();
        Self {
            blobs,
            columns,
            rows,
        }
    }

    /// The grey value of the reference at `(x, y)`.
    pub(crate) fn value(&self, x: f64, y: f64) -> f64 {
        let column = ((x + 40.0) / SPACING).round() as isize;
        let row = ((y + 40.0) / SPACING).round() as isize;
        let mut sum = 20.0;
        for j in row - 3..=row + 3 {
            for i in column - 3..=column + 3 {
                if i < 0 || j < 0 || i as usize >= self.columns || j as usize >= self.rows {
                    continue;
                }
                let (bx, by, height) = self.blobs[j as usize * self.columns + i as usize];
                let d2 = (x - bx).powi(2) + (y - by).powi(2);
                sum += height * (-d2 / (2.0 * SIGMA * SIGMA)).exp();
            }
        }
        sum
    }

    /// The picture after `field`; every pixel is the grey value of its material point.
    pub(crate) fn picture(&self, width: usize, height: usize, field: &Displacement) -> GrayImage {
        self.picture_by(width, height, |x, y| field.reference_position(x, y))
    }

    /// The picture whose pixel `(x, y)` shows the reference position `origin(x, y)`.
    pub(crate) fn picture_by(
        &self,
        width: usize,
        height: usize,
        origin: impl Fn(f64, f64) -> (f64, f64),
    ) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let (rx, ry) = origin(x as f64, y as f64);
            self.value(rx, ry) as f32
        })
        .expect("a valid size")
    }
}

/// Normal deviates by Box and Muller from a counter-based generator.
fn noise(seed: u32, level: f64) -> impl FnMut() -> f64 {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    move || {
        let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
        level * radius * (std::f64::consts::TAU * uniform()).cos()
    }
}

/// A picture times `gain`, with white noise of standard deviation `level` before that.
pub(crate) fn noisy(image: &GrayImage, gain: f64, seed: u32, level: f64) -> GrayImage {
    let mut draw = noise(seed, level);
    let pixels = image.pixels().iter();
    let pixels = pixels.map(|&v| (gain * (f64::from(v) + draw())) as f32);
    GrayImage::new(image.width(), image.height(), pixels.collect()).expect("the size of an image")
}

/// The folder of a published series in the mirror.
pub(crate) fn real_series(name: &str) -> PathBuf {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let folder = Path::new(&mirror).join("dic").join(name);
    assert!(folder.is_dir(), "{} is missing", folder.display());
    folder
}

/// An 8-bit grey picture from a file.
pub(crate) fn read(path: &Path) -> GrayImage {
    let picture = image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let picture = picture.into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.as_raw().iter().map(|&value| f32::from(value));
    GrayImage::new(width, height, pixels.collect()).expect("a decoded picture has its size")
}

/// A deformed image and its true displacement.
pub(crate) struct Shifted {
    pub(crate) image: GrayImage,
    pub(crate) u: f64,
    pub(crate) v: f64,
}

/// Challenge Sample 1 or 2: `u = 0.05 i`, `v = −0.05 i`, `i = 1..=20`.
pub(crate) fn texgen(folder: &Path, prefix: &str) -> (GrayImage, Vec<Shifted>) {
    let image = |i: usize| read(&folder.join(format!("{prefix}_{i:02}.tif")));
    let shifted = (1..=20).map(|i| Shifted {
        image: image(i),
        u: 0.05 * i as f64,
        v: -0.05 * i as f64,
    });
    (image(0), shifted.collect())
}

/// Challenge Sample 3: `u = v = 0.1 i`, `i = 0..=10`.
pub(crate) fn sample3(folder: &Path) -> (GrayImage, Vec<Shifted>) {
    let shifted = (0..=10).map(|i| {
        let shift = format!("{}.{}0", i / 10, i % 10);
        Shifted {
            image: read(&folder.join(format!("Sample3-{i:03} X{shift} Y{shift} N2 C0 R0.tif"))),
            u: 0.1 * f64::from(i),
            v: 0.1 * f64::from(i),
        }
    });
    (
        read(&folder.join("Sample3 Reference.tif")),
        shifted.collect(),
    )
}
