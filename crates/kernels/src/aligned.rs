//! Values that begin at a cache line.

#![expect(
    unsafe_code,
    reason = "cache lines are handed to the tiles as plain values"
)]

/// A cache line of values.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A buffer of whole cache lines, so that no vector load or store at a multiple of its width
/// straddles two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// At least `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut all = Self::default();
        all.resize(len);
        all
    }

    /// Makes it hold at least `len` values; old ones stay, new ones are zero.
    pub(crate) fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(16).max(self.lines.len());
        self.lines.resize(lines, Line([0.0; 16]));
    }

    pub(crate) fn values(&self) -> &[f32] {
        // SAFETY: a line is sixteen values without padding.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) }
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above; any bits are values.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16)
        }
    }
}
