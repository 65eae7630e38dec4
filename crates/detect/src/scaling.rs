//! From the grey levels of a picture to the numbers that a detector sees.

retrial_words::words! {
    /// How the grey levels `0..=255` of a picture become the numbers that a detector sees.
    pub enum Scaling {
        /// `x / 127.5 − 1`, clamped to `-1..=1`: what a generator that ends in `tanh` can reach.
        Tanh = "tanh",
        /// `(x / 255 − 0.1307) / 0.3081`: what the constants are meant for.
        Unit = "unit",
        /// `(x − 0.1307) / 0.3081` with `x` in `0..=255`: MNIST's constants on undivided grey levels, as
        /// published.
        Raw255 = "raw255",
    }
}

/// Mean of MNIST's training pixels in `0..=1`, as the published programs round it.
const MNIST_MEAN: f64 = 0.1307;
/// Their standard deviation.
const MNIST_SD: f64 = 0.3081;

impl Scaling {
    /// The scaled value of a grey level; a bicubic overshoot beyond `0..=255` is a grey level too.
    #[must_use]
    pub fn apply(self, gray: f32) -> f32 {
        let gray = f64::from(gray);
        let scaled = match self {
            Self::Raw255 => (gray - MNIST_MEAN) / MNIST_SD,
            Self::Unit => (gray / 255.0 - MNIST_MEAN) / MNIST_SD,
            Self::Tanh => (gray / 127.5 - 1.0).clamp(-1.0, 1.0),
        };
        scaled as f32
    }
}
