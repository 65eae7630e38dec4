//! The published validation: 22 settings, the four figures that the authors' code gives for each, and the
//! pictures, Samples 1, 2 and 3 of the DIC Challenge 1.0, from the folder that `RETRIAL_MIRROR` names.
//!
//! The figures were measured with the authors' code itself under Octave, unmodified and with its gradient divided by
//! six, on these pictures and by its own error table. They are not the article's.

use std::path::{Path, PathBuf};

use retrial_dic::Gradient::{self, Prewitt, PrewittUnscaled};
use retrial_image::GrayImage;

use crate::adic2d::{self, Picture};

/// Sample, subset size, order, step, gradient.
pub(crate) type Setting = (u8, usize, usize, usize, Gradient);

/// The table of the authors' code: mean absolute error and its standard deviation, headed "bias" and "variance" there,
/// RMSE, mean iterations. It was measured at these steps; the published one is 5 px.
pub(crate) const ROWS: [(Setting, [f64; 4]); 22] = [
    (
        (3, 21, 1, 80, PrewittUnscaled),
        [0.010095, 0.008316, 0.013070, 42.85],
    ),
    (
        (3, 41, 1, 80, PrewittUnscaled),
        [0.003751, 0.002815, 0.004685, 30.28],
    ),
    (
        (3, 61, 1, 80, PrewittUnscaled),
        [0.002493, 0.001838, 0.003094, 29.59],
    ),
    (
        (3, 41, 0, 80, PrewittUnscaled),
        [0.003527, 0.002678, 0.004424, 29.27],
    ),
    (
        (3, 41, 2, 80, PrewittUnscaled),
        [0.007421, 0.005509, 0.009233, 34.66],
    ),
    (
        (1, 41, 1, 80, PrewittUnscaled),
        [0.001166, 0.000940, 0.001497, 25.94],
    ),
    (
        (3, 81, 1, 80, PrewittUnscaled),
        [0.001794, 0.001331, 0.002232, 29.37],
    ),
    (
        (1, 21, 1, 80, PrewittUnscaled),
        [0.002609, 0.003353, 0.004246, 26.87],
    ),
    (
        (2, 41, 1, 80, PrewittUnscaled),
        [0.099742, 0.076963, 0.125909, 64.37],
    ),
    (
        (1, 61, 1, 80, PrewittUnscaled),
        [0.000732, 0.000557, 0.000919, 26.00],
    ),
    (
        (2, 21, 1, 80, PrewittUnscaled),
        [0.307351, 0.293070, 0.424480, 88.87],
    ),
    (
        (2, 61, 1, 80, PrewittUnscaled),
        [0.066175, 0.048296, 0.081880, 53.22],
    ),
    (
        (3, 21, 1, 40, Prewitt),
        [0.010107, 0.008456, 0.013176, 8.81],
    ),
    (
        (3, 41, 1, 40, Prewitt),
        [0.003753, 0.002866, 0.004721, 5.38],
    ),
    (
        (3, 61, 1, 40, Prewitt),
        [0.002410, 0.001807, 0.003011, 5.06],
    ),
    (
        (3, 41, 0, 40, Prewitt),
        [0.003572, 0.002704, 0.004480, 4.93],
    ),
    (
        (3, 41, 2, 40, Prewitt),
        [0.007552, 0.006046, 0.009672, 6.15],
    ),
    (
        (3, 81, 1, 40, Prewitt),
        [0.001783, 0.001372, 0.002250, 4.95],
    ),
    (
        (1, 21, 1, 40, Prewitt),
        [0.002354, 0.002942, 0.003767, 6.31],
    ),
    (
        (1, 41, 1, 40, Prewitt),
        [0.001066, 0.000860, 0.001370, 6.02],
    ),
    (
        (1, 61, 1, 40, Prewitt),
        [0.000731, 0.000586, 0.000936, 6.00],
    ),
    (
        (1, 81, 1, 40, Prewitt),
        [0.000571, 0.000432, 0.000716, 6.00],
    ),
];

/// Printed digits of the four figures.
pub(crate) const DIGITS: [usize; 4] = [6, 6, 6, 2];

/// The first picture and the others, with their true displacements.
pub(crate) type Sample = (GrayImage, Vec<Shifted>);

/// A deformed picture and its true displacement.
pub(crate) struct Shifted {
    pub(crate) image: GrayImage,
    pub(crate) u: f64,
    pub(crate) v: f64,
}

/// The pictures of a sample.
pub(crate) fn sample(number: u8) -> Result<Sample, String> {
    let (folder, first, count) = match number {
        1 => ("sample01_texgen_shift", "trxy_s2_00.tif", 1..=20),
        2 => (
            "sample02_texgen_shift_lowcontrast_noise",
            "trs2_b8_00.tif",
            1..=20,
        ),
        _ => ("sample03_fft_shift", "Sample3 Reference.tif", 0..=10),
    };
    let folder = series(folder)?;
    let shifted = |i: u32| {
        let shift = format!("{}.{}0", i / 10, i % 10);
        let (file, u, v) = match number {
            1 => (format!("trxy_s2_{i:02}.tif"), 0.05, -0.05),
            2 => (format!("trs2_b8_{i:02}.tif"), 0.05, -0.05),
            _ => (
                format!("Sample3-{i:03} X{shift} Y{shift} N2 C0 R0.tif"),
                0.1,
                0.1,
            ),
        };
        Ok(Shifted {
            image: read(&folder.join(file))?,
            u: u * f64::from(i),
            v: v * f64::from(i),
        })
    };
    let others = count.map(shifted).collect::<Result<_, String>>()?;
    Ok((read(&folder.join(first))?, others))
}

/// The four figures of the plain reference, over all points of all pictures.
pub(crate) fn measured((first, others): &Sample, setting: Setting) -> [f64; 4] {
    let pictures: Vec<Picture> = others.iter().map(|other| plain(&other.image)).collect();
    let fields = adic2d::correlate_series(&plain(first), &pictures, &plainly(setting));
    let pairs = fields.iter().zip(others);
    adic2d::statistics(
        pairs.flat_map(|(field, other)| field.iter().map(move |point| (point, (other.u, other.v)))),
    )
}

/// A setting as the plain reference has it.
pub(crate) fn plainly((_, subset_px, order, step_px, gradient): Setting) -> adic2d::Settings {
    adic2d::Settings {
        subset_px,
        is_circle: true,
        order,
        step_px,
        gradient_divisor: if gradient == Prewitt { 6.0 } else { 1.0 },
    }
}

/// A picture as the plain reference has it.
pub(crate) fn plain(image: &GrayImage) -> Picture {
    let row = |y| image.row(y).iter().copied().map(f64::from).collect();
    (0..image.height()).map(row).collect()
}

/// The folder of a published series in the mirror.
pub(crate) fn series(name: &str) -> Result<PathBuf, String> {
    let mirror = std::env::var_os("RETRIAL_MIRROR")
        .ok_or("RETRIAL_MIRROR is not set: it names a folder with copies of the data")?;
    let folder = Path::new(&mirror).join("dic").join(name);
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(format!("{}: there is no such folder", folder.display())),
    }
}

/// An 8-bit grey picture from a file.
pub(crate) fn read(path: &Path) -> Result<GrayImage, String> {
    let picture = image::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let picture = picture.into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.as_raw().iter().map(|&value| f32::from(value));
    GrayImage::new(width, height, pixels.collect())
        .map_err(|error| format!("{}: {error}", path.display()))
}
