//! Colours that colour-blind readers can tell apart and that survive a grey printer.
//!
//! # Source
//! Okabe & Ito 2008, "Color universal design", for lines. The maps are piecewise linear through
//! our own samples: `sequential` follows the lightness of viridis (van der Walt & Smith 2015),
//! `diverging` goes from blue over near-white to red with equal lightness at both ends.

use super::scene::Ink;

/// Colours of lines, bars and points, in order of use.
pub(crate) const SERIES: [Ink; 7] = [
    Ink::new(0x00, 0x72, 0xb2),
    Ink::new(0xd5, 0x5e, 0x00),
    Ink::new(0x00, 0x9e, 0x73),
    Ink::new(0xcc, 0x79, 0xa7),
    Ink::new(0xe6, 0x9f, 0x00),
    Ink::new(0x56, 0xb4, 0xe9),
    Ink::new(0x7a, 0x7a, 0x7a),
];

/// Cells of a field without a value.
pub(crate) const MISSING: (u8, u8, u8) = (0xb9, 0xb9, 0xb9);

const SEQUENTIAL: [(u8, u8, u8); 9] = [
    (68, 1, 84),
    (71, 45, 123),
    (59, 82, 139),
    (44, 114, 142),
    (33, 145, 140),
    (40, 174, 128),
    (94, 201, 98),
    (173, 220, 48),
    (253, 231, 37),
];

const DIVERGING: [(u8, u8, u8); 9] = [
    (20, 58, 112),
    (41, 104, 168),
    (95, 155, 202),
    (172, 205, 228),
    (245, 245, 244),
    (247, 190, 163),
    (224, 124, 94),
    (183, 52, 54),
    (113, 14, 34),
];

/// The colour of a series by its place; a second round is darker.
pub(crate) fn series(i: usize) -> Ink {
    let ink = SERIES[i % SERIES.len()];
    if i < SERIES.len() {
        return ink;
    }
    let dark = |part: u8| (f64::from(part) * 0.5) as u8;
    Ink {
        rgb: (dark(ink.rgb.0), dark(ink.rgb.1), dark(ink.rgb.2)),
        ..ink
    }
}

/// From dark to light, for values of one sign; `share` in `0..=1`.
pub(crate) fn sequential(share: f64) -> (u8, u8, u8) {
    between(&SEQUENTIAL, share)
}

/// From blue over near-white to red, for values around zero at 0.5; `share` in `0..=1`.
pub(crate) fn diverging(share: f64) -> (u8, u8, u8) {
    between(&DIVERGING, share)
}

fn between(stops: &[(u8, u8, u8)], share: f64) -> (u8, u8, u8) {
    let position = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (position.floor() as usize).min(stops.len() - 2);
    let part = position - below as f64;
    let (a, b) = (stops[below], stops[below + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
