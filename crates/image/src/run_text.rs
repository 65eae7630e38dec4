//! COCO's run lengths written as text.
//!
//! From the fourth run on, each is the difference to the run before the last. A number is cut into
//! groups of five bits, the lowest first; a sixth bit says that a group follows, and the highest bit
//! of the last group is the sign. A group is written as the character 48 above it.
//!
//! # Source
//! The format of the COCO data set, Lin et al. 2014, arXiv:1405.0312; the golden text in the tests
//! comes from pycocotools 2.0.

use thiserror::Error;

const FIRST: u8 = 48;
const LAST: u8 = FIRST + 63;
const MORE: u8 = 0x20;
const SIGN: u8 = 0x10;
/// Groups of five bits that any difference of two `u32` fits into.
const MAX_GROUPS: u32 = 7;

/// Why a text is no run lengths.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the text of run lengths {what} at character {at}")]
pub struct RunTextError {
    what: &'static str,
    /// From 0.
    at: usize,
}

/// The run lengths of a text.
///
/// # Errors
/// [`RunTextError`] for a character, a number or an end that the form does not allow.
pub fn read(text: &str) -> Result<Vec<u32>, RunTextError> {
    let mut counts: Vec<u32> = Vec::new();
    let (mut value, mut groups) = (0_i64, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        let fault = |what| Err(RunTextError { what, at });
        if !(FIRST..=LAST).contains(&byte) {
            return fault("has a character that is not allowed");
        }
        let bits = byte - FIRST;
        value |= i64::from(bits & 0x1f) << (5 * groups);
        groups += 1;
        if bits & MORE != 0 {
            if groups == MAX_GROUPS {
                return fault("has a number above 32 bits");
            }
            continue;
        }
        if bits & SIGN != 0 {
            value |= -1 << (5 * groups);
        }
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        let Ok(count) = u32::try_from(value) else {
            return fault("has a run that is negative or above 32 bits");
        };
        counts.push(count);
        (value, groups) = (0, 0);
    }
    if groups > 0 {
        return Err(RunTextError {
            what: "breaks off",
            at: text.len(),
        });
    }
    Ok(counts)
}

/// Run lengths as text.
#[must_use]
pub fn write(counts: &[u32]) -> String {
    let mut text = String::new();
    for (i, &count) in counts.iter().enumerate() {
        let before = if i > 2 { counts[i - 2] } else { 0 };
        let mut rest = i64::from(count) - i64::from(before);
        loop {
            let bits = (rest & 0x1f) as u8;
            rest >>= 5;
            let sign = if bits & SIGN != 0 { -1 } else { 0 };
            let more = if rest == sign { 0 } else { MORE };
            text.push(char::from(FIRST + (bits | more)));
            if more == 0 {
                break;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pycocotools.mask.encode` of 40 rows and 50 columns, rows 5 to 29 and columns 7 to 40 inside
    /// but for rows 10 and 11 of columns 9 to 29, and column 45.
    const GOLDEN: &str = "m8i0?00\\OC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==CC==700000000000000000000k4?F";

    #[test]
    fn the_text_of_pycocotools() {
        let mut inside = vec![false; 40 * 50];
        for y in 0..40 {
            for x in 0..50 {
                let block = (5..30).contains(&y) && (7..41).contains(&x);
                let hole = (10..12).contains(&y) && (9..30).contains(&x);
                inside[y * 50 + x] = block && !hole || x == 45;
            }
        }
        let mask = crate::instance_mask::InstanceMask::new(40, 50, inside);
        let runs = mask.expect("the size fits").runs();
        assert_eq!(write(runs.counts()), GOLDEN);
        assert_eq!(read(GOLDEN).as_deref(), Ok(runs.counts()));
        assert_eq!(runs.area(), 848);
    }

    #[test]
    fn faults_have_their_place() {
        let fault = |text: &str| read(text).expect_err("a fault").to_string();
        assert!(fault("00 ").contains("not allowed at character 2"));
        assert!(fault("00P").contains("breaks off at character 3"));
        assert!(fault("0O").contains("negative or above 32 bits at character 1"));
        assert!(fault("PPPPPPPP0").contains("above 32 bits"));
        assert!(fault("é").contains("not allowed"));
    }
}
