//! The digits of the published split, read from the files of MNIST.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use retrial_detect::Scaling;
use retrial_image::GrayImage;
use retrial_image::resize::{Bicubic, bicubic};

/// Width and height of a picture after resizing, px.
const SIDE: usize = 64;

/// Pictures of 64 × 64 px one after another, and their digits.
pub(crate) struct Digits {
    pub(crate) pixels: Vec<f32>,
    pub(crate) labels: Vec<u8>,
}

impl Digits {
    pub(crate) const LENGTH: usize = SIDE * SIDE;

    /// The scores and labels of the items that show the anomalous 2 or one of `normal`.
    pub(crate) fn against(&self, scores: &[f64], normal: &[u8]) -> (Vec<f64>, Vec<bool>) {
        let shown = self.labels.iter().zip(scores);
        shown
            .filter(|(label, _)| **label == 2 || normal.contains(label))
            .map(|(label, score)| (*score, *label == 2))
            .unzip()
    }
}

/// The folder of the mirror with the four files.
pub(crate) fn folder() -> PathBuf {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let folder = Path::new(&mirror).join("mnist");
    assert!(folder.is_dir(), "{} is missing", folder.display());
    folder
}

/// The first 400 training digits that show a 7 or an 8.
pub(crate) fn training(folder: &Path, scaling: Scaling, kernel: Bicubic) -> Digits {
    digits(folder, "train", &[7, 8], 400, scaling, kernel)
}

/// The first 600 test digits that show a 2, a 7 or an 8.
pub(crate) fn test(folder: &Path, scaling: Scaling, kernel: Bicubic) -> Digits {
    digits(folder, "t10k", &[2, 7, 8], 600, scaling, kernel)
}

fn digits(
    folder: &Path,
    part: &str,
    shown: &[u8],
    count: usize,
    scaling: Scaling,
    kernel: Bicubic,
) -> Digits {
    // After the sizes: three of them for pictures, one for labels.
    let pictures = unpack(&folder.join(format!("{part}-images-idx3-ubyte.gz"))).split_off(16);
    let labels = unpack(&folder.join(format!("{part}-labels-idx1-ubyte.gz"))).split_off(8);
    let mut digits = Digits {
        pixels: Vec::with_capacity(count * Digits::LENGTH),
        labels: Vec::with_capacity(count),
    };
    let rows = pictures.chunks_exact(28 * 28).zip(labels);
    for (picture, label) in rows.filter(|(_, label)| shown.contains(label)).take(count) {
        let pixels = picture.iter().map(|&gray| f32::from(gray)).collect();
        let picture = GrayImage::new(28, 28, pixels).expect("28 × 28 values");
        let picture = bicubic(&picture, SIDE, SIDE, kernel).expect("a valid size");
        let scaled = picture.pixels().iter().map(|&gray| scaling.apply(gray));
        digits.pixels.extend(scaled);
        digits.labels.push(label);
    }
    assert_eq!(digits.labels.len(), count);
    digits
}

fn unpack(path: &Path) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .expect("a whole gzip file");
    bytes
}
