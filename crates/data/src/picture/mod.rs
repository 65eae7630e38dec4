//! Single picture files, read as grey values or in colour.

mod gray;
pub(crate) mod jpeg;
mod picture_end;
mod rgb;
mod tiff_chunks;
mod tiff_page;
mod value;

pub(crate) use self::gray::single;
pub use self::gray::{
    GradedImage, ReadMask, picture_pages, read_graded, read_gray, read_mask, read_page,
};
pub use self::rgb::Depth;
pub(crate) use self::rgb::{Rgb, decode_rgb};
pub use self::value::Channel;
