//! Numbers with every digit, as tables for other programs have them.

use std::fmt::Write as _;

/// The shorter of the plain and the scientific form; both read back as the same number. What is not finite is `NaN`,
/// `inf` or `-inf`.
#[must_use]
pub fn exact(number: f64) -> String {
    let mut text = String::new();
    push_exact(&mut text, number);
    text
}

/// Writes what [`exact`] gives behind `text`.
pub fn push_exact(text: &mut String, number: f64) {
    // `Debug` turns to the scientific form for large and small numbers; it adds `.0` to whole ones.
    let start = text.len();
    write!(text, "{number:?}").expect("a String never refuses");
    if text[start..].ends_with(".0") {
        text.truncate(text.len() - 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_shorter_form() {
        for (number, text) in [
            (0.1, "0.1"),
            (-0.0, "-0"),
            (3.0, "3"),
            (2.5e-6, "2.5e-6"),
            (1e-300, "1e-300"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(exact(number), text);
        }
    }

    #[test]
    fn numbers_read_back_exactly() {
        let mut bits = 1_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = f64::from_bits(bits);
            let text = exact(number);
            let back: f64 = text.parse().expect("a number");
            assert!(
                back.to_bits() == number.to_bits() || number.is_nan(),
                "{text}"
            );
            assert!(text.len() <= 24, "{text}");
        }
    }
}
