//! Where a JPEG ends, and whether its data do: decoders accept a file that breaks off and invent the rest.
//!
//! # Source
//! ITU-T T.81, annex B: markers, segments with a length, entropy-coded data.

/// The first two bytes of every JPEG.
pub(crate) const START: [u8; 2] = [0xff, 0xd8];
/// What is wrong with a JPEG for which [`picture`] gives nothing.
pub(crate) const NO_END: &str = "not a readable JPEG: it ends before its end marker";

/// What is wrong with a JPEG whose pixels depend on [`with_another_end`].
pub(crate) const CUT: &str = "not a readable JPEG: its coded data end before its last block, and the pixels from there on \
     are not in the file";

/// The same JPEG with other bits between its coded data and its end marker, which no pixel of a whole picture depends
/// on. Decoders go on with zeros there, where data are missing.
pub(crate) fn with_another_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let (data, end) = picture(bytes)?.split_last_chunk::<2>()?;
    // A marker may have any number of such bytes before it.
    let fill = data.iter().rev().take_while(|byte| **byte == 0xff).count();
    Some([&data[..data.len() - fill], &[0xa5; 64][..], end].concat())
}

/// The bytes of a JPEG up to its end marker, or `None` where there is none.
pub(crate) fn picture(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xff => at += 1,
            0xd9 => return bytes.get(..at + 2),
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => {
                let length = bytes.get(at + 2..)?.first_chunk::<2>()?;
                at += 2 + usize::from(u16::from_be_bytes(*length));
                if marker == 0xda {
                    at = after_scan(bytes, at)?;
                }
            }
        }
    }
}

/// The next marker after entropy-coded data, in which `ff 00` and restart markers are data.
fn after_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let data = bytes.get(from..)?;
    data.windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
        .map(|found| from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_marker_is_found_past_lookalikes() {
        // A segment that holds an end marker, a scan with a stuffed byte and a restart marker.
        let jpeg = [
            0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd0, 2,
            0xff, 0xd9,
        ];
        let with_tail = [&jpeg[..], &[0xff, 0xd9, 7]].concat();
        assert_eq!(picture(&with_tail), Some(&jpeg[..]));
        assert_eq!(picture(&jpeg[..19]), None);
        assert_eq!(picture(&jpeg[..5]), None);
        assert_eq!(picture(&START), None);
    }
}
