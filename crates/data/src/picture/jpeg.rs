//! Where a JPEG ends, and whether its data are whole: decoders accept a file that breaks off or was damaged and invent
//! the rest.
//!
//! # Source
//! ITU-T T.81, annex B: markers, segments with a length, entropy-coded data; annex G: progressive scans.

use super::jpeg_scan::{Flaw, Frame};
use retrial_core::census::count;

/// The first two bytes of every JPEG.
pub(crate) const START: [u8; 2] = [0xff, 0xd8];
/// What is wrong with a JPEG for which [`picture`] gives nothing.
pub(crate) const NO_END: &str = "not a readable JPEG: it ends before its end marker";

const NO_SCAN: &str = "not a readable JPEG: it ends before its last scan, and what that adds to the pixels is not in \
     the file";

const CUT: &str = "not a readable JPEG: its coded data end before its last block, and the pixels from there on \
     are not in the file";

/// Refuses a JPEG without its end marker, and one without a scan that its pixels need.
pub(crate) fn ended(bytes: &[u8]) -> Result<(), String> {
    let mut frame = Frame::default();
    match walk(bytes, |marker, segment, _| frame.see(marker, segment)) {
        None => Err(NO_END.to_owned()),
        Some(_) if !frame.is_whole() => Err(NO_SCAN.to_owned()),
        Some(_) => Ok(()),
    }
}

/// Refuses a JPEG whose coded data are not those of its blocks, one for one.
pub(crate) fn coded(bytes: &[u8]) -> Result<(), String> {
    let mut frame = Frame::default();
    let mut read = Ok(());
    walk(bytes, |marker, segment, data| {
        frame.see(marker, segment);
        if marker == SCAN && read.is_ok() {
            read = frame.read(segment, data);
        }
    });
    let (row, what) = match read {
        Ok(()) => return Ok(()),
        Err((_, Flaw::Missing)) => return Err(CUT.to_owned()),
        Err((_, Flaw::Table)) => {
            return Err(
                "not a readable JPEG: a scan uses a Huffman table that is not in the file; save it \
                 again as PNG"
                    .to_owned(),
            );
        }
        Err((row, Flaw::Left(bytes))) => {
            let left = count(bytes, "byte");
            (row, format!("they hold {left} behind its last block"))
        }
        Err((row, Flaw::Code)) => (row, "they name no coefficients".to_owned()),
        Err((row, Flaw::Restart)) => (row, "a restart marker is out of turn".to_owned()),
    };
    Err(format!(
        "not a readable JPEG: its coded data are damaged at pixel row {row} or above: {what}; take the file again from \
         where it comes from"
    ))
}

/// The bytes of a JPEG up to its end marker, or `None` where there is none.
pub(crate) fn picture(bytes: &[u8]) -> Option<&[u8]> {
    walk(bytes, |_, _, _| ())
}

/// The marker of a scan, behind which coded data stand.
const SCAN: u8 = 0xda;

/// The same; every marker that has a segment is seen with it and with the coded data behind it.
fn walk(bytes: &[u8], mut see: impl FnMut(u8, &[u8], &[u8])) -> Option<&[u8]> {
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
                let end = at + 2 + usize::from(u16::from_be_bytes(*length));
                let segment = bytes.get(at + 4..end)?;
                at = match marker {
                    SCAN => after_scan(bytes, end)?,
                    _ => end,
                };
                see(marker, segment, &bytes[end..at]);
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

    /// A grey picture of 16 × 8 px in two intervals, whose blocks are two bits each.
    fn two_blocks(with_tables: bool, data: &[u8]) -> Vec<u8> {
        let one_code = |place| [&[place, 1][..], &[0; 16]].concat();
        let tables = [one_code(0), one_code(0x10)].concat();
        let segment = |marker: u8, bytes: &[u8]| {
            let length = 2 + bytes.len() as u8;
            [&[0xff, marker, 0, length][..], bytes].concat()
        };
        let tables = segment(0xc4, &tables);
        [
            &START[..],
            &segment(0xc0, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0]),
            if with_tables { &tables } else { &[] },
            &segment(0xdd, &[0, 1]),
            &segment(SCAN, &[1, 1, 0, 0, 63, 0]),
            data,
            &[0xff, 0xd9],
        ]
        .concat()
    }

    #[test]
    fn coded_data_are_those_of_their_blocks() {
        let said = |data: &[u8]| coded(&two_blocks(true, data)).err().unwrap_or_default();
        for whole in [
            &[0x3f, 0xff, 0xd0, 0x3f][..],
            &[0x3f, 0xff, 0xff, 0xd0, 0x3f, 0xff],
            &[0x3f, 0xff, 0xd0, 0x3f, 0xff, 0, 0xff, 0],
            &[0x3f, 0xff, 0xd0, 0, 0],
            &[0x3f, 0xff, 0xd0, 0x3f, 0xff, 0xd1],
        ] {
            assert_eq!(said(whole), "", "{whole:02x?}");
        }
        for (data, words) in [
            (&[][..], "end before its last block"),
            (&[0x3f], "end before its last block"),
            (&[0x3f, 0xff, 0xd0], "end before its last block"),
            (&[0x3f, 0xff, 0xd1, 0x3f], "a restart marker is out of turn"),
            (
                &[0x3f, 0xff, 0xd0, 0x3f, 7, 8],
                "they hold 2 bytes behind its last block",
            ),
            (
                &[0x3f, 7, 0xff, 0xd0, 0x3f],
                "row 0 or above: they hold 1 byte behind",
            ),
            (
                &[0xbf, 0x3f, 0x3f, 0xff, 0xd0, 0x3f],
                "row 0 or above: they name no coefficients",
            ),
        ] {
            assert!(said(data).contains(words), "{data:02x?}: {}", said(data));
        }
        let without = coded(&two_blocks(false, &[0x3f, 0xff, 0xd0, 0x3f]));
        assert!(
            without.is_err_and(|fault| fault.contains("a Huffman table that is not in the file"))
        );
    }
}
