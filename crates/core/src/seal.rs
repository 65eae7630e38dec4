//! Texts whose last line is a hash of all lines above it: sheets and records.

use crate::hash;

/// What the last line of a sealed text begins with.
const SEAL: &str = "seal: ";

/// A text of lines that each end, with its seal below.
#[must_use]
pub fn sealed(text: &str) -> String {
    format!("{text}{SEAL}{}\n", hash::content(text.as_bytes()))
}

/// The text above a seal, and whether the seal is that of the text, with nothing after it; `None`
/// where there is no seal.
#[must_use]
pub fn unsealed(text: &str) -> Option<(&str, bool)> {
    let start = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let (body, last) = text.split_at(start);
    let seal = last.strip_prefix(SEAL)?;
    Some((
        body,
        seal.trim_end_matches('\n') == hash::content(body.as_bytes()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_that_of_every_byte() {
        let text = "format: 2\nquestion: |-\n  Does it?\n  seal: no\n";
        let whole = sealed(text);
        assert_eq!(unsealed(&whole), Some((text, true)));
        assert_eq!(unsealed(text), None);
        let cut = whole.replace("  Does it?\n", "");
        assert_eq!(unsealed(&cut).map(|(_, is_sound)| is_sound), Some(false));
        for end in ["\n", " ", " \n", "# a remark\n", "seal: no\n"] {
            let longer = format!("{whole}{end}");
            let is_sound = unsealed(&longer).map(|(_, is_sound)| is_sound);
            assert_ne!(is_sound, Some(true), "{end:?}");
        }
        assert_eq!(unsealed(whole.trim_end()), None);
    }
}
