//! What the numbers of a picture file count as, and which pictures are refused whatever kind of file they are in.

/// Largest picture that is decoded, in pixels.
const MAX_PIXELS: u64 = 1 << 28;

retrial_core::words! {
    /// What becomes the grey value of a colour picture.
    pub enum Channel {
        /// `0.299 R + 0.587 G + 0.114 B`.
        Luma = "luma",
        /// Red alone.
        Red = "red",
        /// Green alone.
        Green = "green",
        /// Blue alone.
        Blue = "blue",
    }
}

impl Channel {
    /// The grey value of a colour.
    pub(super) fn of(self, r: f32, g: f32, b: f32) -> f32 {
        match self {
            Self::Luma => luma(r, g, b),
            Self::Red => r,
            Self::Green => g,
            Self::Blue => b,
        }
    }
}

/// What is said of a picture with an alpha channel that hides something.
pub(super) const TRANSPARENT: &str = "the picture is partly transparent, and what stands behind it is unknown; save it \
     without its alpha channel";

/// Refuses a picture whose file asks for it to be turned or mirrored; `code` is that of EXIF and TIFF.
pub(super) fn upright(code: u8) -> Result<(), String> {
    let turn = match code {
        0 | 1 => return Ok(()),
        2 => "mirrored",
        3 => "turned by 180 degrees",
        4 => "mirrored from top to bottom",
        5 => "mirrored and turned by 270 degrees",
        6 => "turned by 90 degrees",
        7 => "mirrored and turned by 90 degrees",
        8 => "turned by 270 degrees",
        _ => "shown in an unknown way",
    };
    Err(format!(
        "its orientation (EXIF or TIFF tag 274) is {code}: it is to be {turn}, which moves every pixel; save it upright, \
         with orientation 1"
    ))
}

/// Columns, rows, grey values, and the value of white.
pub(super) type Pixels = (usize, usize, Vec<f32>, Option<f32>);

pub(super) const WHITE_8: Option<f32> = Some(255.0);
pub(super) const WHITE_16: Option<f32> = Some(65535.0);

pub(super) fn check_size(width: u64, height: u64) -> Result<(), String> {
    match width.checked_mul(height) {
        Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
        _ => Err(format!(
            "{width} × {height} px, at most {MAX_PIXELS} pixels are read"
        )),
    }
}

/// The grey value of a colour; that of equal channels is theirs.
pub(super) fn luma(r: f32, g: f32, b: f32) -> f32 {
    if r == g && g == b {
        return r;
    }
    (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) as f32
}
