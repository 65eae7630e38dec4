//! Pictures of which many pixels have the smallest or the largest grey value.

/// Share of pixels at the smallest or the largest grey value from which a picture is called clipped.
const CLIPPED: f64 = 0.01;

/// An end of the grey values of a picture.
pub(super) struct End {
    pub(super) value: &'static str,
    pub(super) word: &'static str,
}

/// The smallest and the largest grey value.
pub(super) const ENDS: [End; 2] = [
    End {
        value: "smallest",
        word: "clipped to black",
    },
    End {
        value: "largest",
        word: "saturated",
    },
];

/// The smallest and the largest grey value, each with its share of the pixels where that is large; nothing for a
/// picture of a single value.
pub(super) fn clipped(pixels: &[f32]) -> [Option<(f32, f64)>; 2] {
    let ends = [
        pixels.iter().copied().fold(f32::INFINITY, f32::min),
        pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    ];
    ends.map(|end| {
        let share = pixels.iter().filter(|v| **v == end).count() as f64 / pixels.len() as f64;
        (share > CLIPPED && share < 1.0).then_some((end, share))
    })
}
