//! Where a JPEG ends, and whether its data do: decoders accept a file that breaks off and invent the rest.
//!
//! # Source
//! ITU-T T.81, annex B: markers, segments with a length, entropy-coded data; annex G: progressive scans.

use image::{DynamicImage, ImageFormat};

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
    let mut scans = Scans::default();
    match walk(bytes, |marker, segment| scans.see(marker, segment)) {
        None => Err(NO_END.to_owned()),
        Some(_) if !scans.are_all_there() => Err(NO_SCAN.to_owned()),
        Some(_) => Ok(()),
    }
}

/// Refuses a JPEG whose coded data end early, by its decoded picture: decoders go on with zeros where data are missing,
/// so that the picture depends on what stands behind the data.
pub(crate) fn filled(bytes: &[u8], image: &DynamicImage) -> Result<(), String> {
    let other = with_another_end(bytes).unwrap_or_default();
    let other = image::load_from_memory_with_format(&other, ImageFormat::Jpeg);
    match other.ok().as_ref() == Some(image) {
        true => Ok(()),
        false => Err(CUT.to_owned()),
    }
}

/// The same JPEG with other bits between its coded data and its end marker, which no pixel of a whole picture depends
/// on.
fn with_another_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let (data, end) = picture(bytes)?.split_last_chunk::<2>()?;
    // A marker may have any number of such bytes before it.
    let fill = data.iter().rev().take_while(|byte| **byte == 0xff).count();
    Some([&data[..data.len() - fill], &[0xa5; 64][..], end].concat())
}

/// The bytes of a JPEG up to its end marker, or `None` where there is none.
pub(crate) fn picture(bytes: &[u8]) -> Option<&[u8]> {
    walk(bytes, |_, _| ())
}

/// The same; every marker that has a segment is seen with it.
fn walk(bytes: &[u8], mut see: impl FnMut(u8, &[u8])) -> Option<&[u8]> {
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
                see(marker, bytes.get(at + 4..end)?);
                at = end;
                if marker == 0xda {
                    at = after_scan(bytes, at)?;
                }
            }
        }
    }
}

/// What the scans of a picture hold of it.
#[derive(Default)]
struct Scans {
    is_progressive: bool,
    /// Number of each component, and the lowest bit that is there of each of its coefficients.
    components: Vec<(u8, [u8; COEFFICIENTS])>,
}

/// Of a block.
const COEFFICIENTS: usize = 64;

impl Scans {
    fn see(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            // Frames of the kinds that are read; others are for the decoder to refuse.
            0xc0..=0xc2 => {
                self.is_progressive = marker == 0xc2;
                let components = segment.get(6..).unwrap_or(&[]).chunks_exact(3);
                self.components = components
                    .map(|own| (own[0], [u8::MAX; COEFFICIENTS]))
                    .collect();
            }
            0xda => {
                self.scan(segment);
            }
            _ => {}
        }
    }

    /// Notes what a scan brings; nothing of one whose head is broken.
    fn scan(&mut self, head: &[u8]) -> Option<()> {
        let (count, rest) = head.split_first()?;
        let (components, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, bits] = *rest.first_chunk::<3>()?;
        let (range, lowest) = match self.is_progressive {
            true => (usize::from(first)..=usize::from(last), bits & 15),
            false => (0..=COEFFICIENTS - 1, 0),
        };
        for named in components.chunks_exact(2) {
            for (number, there) in &mut self.components {
                if *number == named[0] {
                    there.get_mut(range.clone())?.fill(lowest);
                }
            }
        }
        Some(())
    }

    fn are_all_there(&self) -> bool {
        let mut there = self.components.iter().flat_map(|(_, there)| there);
        there.all(|lowest| *lowest == 0)
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
