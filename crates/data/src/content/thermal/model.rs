//! Infrared pictures, their temperatures and annotation sets.

use crate::annotation::AnnotationSet;
use crate::picture::Depth;

/// Infrared pictures with annotations.
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalSet {
    /// The pictures, sorted by name.
    pub pictures: Vec<ThermalPicture>,
    /// The annotation sets, in the manifest's order.
    pub annotations: Vec<AnnotationSet>,
    /// Black and white of 16-bit grey, where the manifest states them.
    pub stated_range: Option<[u16; 2]>,
}

/// One infrared picture.
///
/// # Shapes
/// - `rgb`: `[row, column, 3]`, the camera's pseudo-colour
/// - `temperature`: `[row, column]`, raw units of the camera
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalPicture {
    /// Name, as annotations use it.
    pub name: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pseudo-colour.
    pub rgb: Vec<u8>,
    /// Temperatures, where the camera's plane is at hand.
    pub temperature: Option<Vec<i16>>,
    /// blake3 of the compressed picture up to its end marker. It enters the digest in place of
    /// `rgb`, because two JPEG decoders may differ by a grey level.
    pub encoded: String,
    /// What the file holds.
    pub depth: Depth,
    /// The values of a file of 16-bit grey, which `rgb` shows by their upper byte.
    pub gray16: Option<Vec<u16>>,
}

impl ThermalSet {
    /// Black and white of 16-bit grey: as stated, else the least and the greatest value of the
    /// set. Nothing without such pictures.
    #[must_use]
    pub fn grey_range(&self) -> Option<[u16; 2]> {
        let deep = || self.pictures.iter().filter_map(|p| p.gray16.as_ref());
        let least = deep().flatten().min()?;
        let greatest = deep().flatten().max()?;
        Some(self.stated_range.unwrap_or([*least, *greatest]))
    }

    /// The picture of that name.
    #[must_use]
    pub fn picture(&self, name: &str) -> Option<&ThermalPicture> {
        let i = self
            .pictures
            .binary_search_by(|picture| picture.name.as_str().cmp(name));
        i.ok().map(|i| &self.pictures[i])
    }
}
