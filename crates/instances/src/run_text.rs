//! Run lengths as COCO writes them in text: differences, five bits a character.
//!
//! From the fourth run on the difference to the run before the last is written, least significant
//! five bits first; the sixth bit says that more follow, the fifth bit of the last group is the
//! sign. A group is one character from `'0'` on.

use retrial_core::instance_mask::{MaskError, RunLengths};
use thiserror::Error;

/// Why a text is no run lengths.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunTextError {
    /// A character that holds no five bits.
    #[error("character {character:?} at {at} is none of run lengths")]
    Character {
        /// The character, or the first byte of it.
        character: char,
        /// Its place in the text.
        at: usize,
    },
    /// The last group says that more follow.
    #[error("the text of {length} characters ends within a number")]
    Unfinished {
        /// Characters in the text.
        length: usize,
    },
    /// A run is negative or too long for 32 bits.
    #[error("run {run} has length {length}")]
    Length {
        /// Index of the run.
        run: usize,
        /// Its length.
        length: i64,
    },
    /// The runs do not cover the picture.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// The text of run lengths.
#[must_use]
pub fn encode(runs: &RunLengths) -> String {
    let counts = runs.counts();
    let mut text = String::with_capacity(counts.len() * 2);
    for (i, &count) in counts.iter().enumerate() {
        let before = if i > 2 { counts[i - 2] } else { 0 };
        let mut rest = i64::from(count) - i64::from(before);
        loop {
            let bits = (rest & 0x1f) as u8;
            rest >>= 5;
            let last = rest == if bits & 0x10 == 0 { 0 } else { -1 };
            let more = if last { 0 } else { 0x20 };
            text.push(char::from(b'0' + (bits | more)));
            if last {
                break;
            }
        }
    }
    text
}

/// The run lengths of a text, for a picture of `height` by `width`.
///
/// # Errors
/// [`RunTextError`] when the text is broken or its runs do not cover the picture.
pub fn decode(text: &str, height: usize, width: usize) -> Result<RunLengths, RunTextError> {
    let mut counts: Vec<u32> = Vec::new();
    let (mut number, mut shift) = (0_i64, 0_u32);
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let character = char::from(byte);
        let bits = match byte.wrapping_sub(b'0') {
            bits @ 0..64 if shift < 40 => i64::from(bits),
            _ => return Err(RunTextError::Character { character, at }),
        };
        number |= (bits & 0x1f) << shift;
        shift += 5;
        if bits & 0x20 != 0 {
            continue;
        }
        if bits & 0x10 != 0 {
            number |= -1 << shift;
        }
        let run = counts.len();
        let before = if run > 2 { counts[run - 2] } else { 0 };
        let length = number + i64::from(before);
        counts.push(u32::try_from(length).map_err(|_| RunTextError::Length { run, length })?);
        (number, shift) = (0, 0);
    }
    if shift > 0 {
        return Err(RunTextError::Unfinished { length: text.len() });
    }
    Ok(RunLengths::new(height, width, counts)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_texts() {
        let error = |text| decode(text, 2, 2).expect_err("it is broken");
        assert!(matches!(
            error("1 1"),
            RunTextError::Character { at: 1, .. }
        ));
        assert!(matches!(error("1p"), RunTextError::Character { at: 1, .. }));
        assert_eq!(error("13P"), RunTextError::Unfinished { length: 3 });
        let negative = RunTextError::Length { run: 0, length: -1 };
        assert_eq!(error("O"), negative);
        assert!(matches!(error("11"), RunTextError::Mask(_)));
        assert!(matches!(
            error("PPPPPPPPPPPP0"),
            RunTextError::Character { at: 8, .. }
        ));
    }
}
