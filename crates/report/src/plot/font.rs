//! The font of all figures: Noto Sans, shipped as bytes by the crate `notosans` (SIL Open Font
//! Licence 1.1). No figure depends on what fonts a machine has.
//!
//! A text may raise a part of itself: `10^{-3}`. Superscript characters are set the same way,
//! because the font lacks some of them.

use ab_glyph::{Font as _, FontRef, GlyphId};

/// Size of a raised part against the rest.
const RAISED_SIZE: f64 = 0.7;
/// How far a raised part is lifted, in parts of the text's size.
const RAISED_BY: f64 = 0.36;

/// The weights in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// A glyph at its place on the baseline, in units of the text's size.
pub(crate) struct Placed {
    pub(crate) glyph: GlyphId,
    /// Distance from the start of the text.
    pub(crate) x: f64,
    /// Height above the baseline.
    pub(crate) lift: f64,
    /// Size against that of the text.
    pub(crate) size: f64,
}

/// The font of a weight.
pub(crate) fn font(weight: Weight) -> FontRef<'static> {
    let bytes = match weight {
        Weight::Regular => notosans::REGULAR_TTF,
        Weight::Bold => notosans::BOLD_TTF,
    };
    FontRef::try_from_slice(bytes).expect("the bytes are a font fixed at build time")
}

/// Glyphs of a text in order, and its width, in units of its size.
pub(crate) fn lay_out(text: &str, weight: Weight) -> (Vec<Placed>, f64) {
    let font = font(weight);
    let em = f64::from(font.units_per_em().unwrap_or(1000.0));
    let mut placed = Vec::new();
    let mut x = 0.0;
    let mut place = |part: &str, size: f64, lift: f64| {
        for c in part.chars() {
            let (c, size, lift) = match superscript(c) {
                Some(digit) => (digit, RAISED_SIZE * size, RAISED_BY + lift),
                None => (c, size, lift),
            };
            let glyph = font.glyph_id(c);
            placed.push(Placed {
                glyph,
                x,
                lift,
                size,
            });
            x += size * f64::from(font.h_advance_unscaled(glyph)) / em;
        }
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("^{") {
        let Some((raised, after)) = after.split_once('}') else {
            break;
        };
        place(before, 1.0, 0.0);
        place(raised, RAISED_SIZE, RAISED_BY);
        rest = after;
    }
    place(rest, 1.0, 0.0);
    (placed, x)
}

/// The character that stands raised in a superscript character of a power of ten.
fn superscript(c: char) -> Option<char> {
    match c {
        '⁻' => Some('\u{2212}'),
        '⁰' | '⁴'..='⁹' => char::from_digit(u32::from(c) - 0x2070, 10),
        _ => None,
    }
}

/// Width of a text in units of its size.
pub(crate) fn width(text: &str, weight: Weight) -> f64 {
    lay_out(text, weight).1
}

/// A text without the marks of raised parts, as it is read aloud.
pub(crate) fn bare(text: &str) -> String {
    text.replace("^{", "^").replace('}', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_every_letter_that_figures_need() {
        for weight in [Weight::Regular, Weight::Bold] {
            let (placed, width) = lay_out("Δλσµμ²³±−×≤≥→·…°∞≈–%()[]⁻⁰⁵¹", weight);
            assert!(placed.iter().all(|glyph| glyph.glyph.0 != 0));
            assert!(width > 10.0);
        }
    }

    #[test]
    fn raised_parts_are_smaller_and_higher() {
        let (placed, raised) = lay_out("10^{−3} px", Weight::Regular);
        assert_eq!(placed.len(), 7);
        assert!(placed[2].lift > 0.0 && placed[2].size < 1.0 && placed[4].lift == 0.0);
        assert!(raised < width("10−3 px", Weight::Regular));
        assert_eq!(bare("10^{−3} px"), "10^−3 px");
    }
}
