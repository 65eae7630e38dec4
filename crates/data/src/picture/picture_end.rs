//! What follows a picture in its file: padding, a second picture, or something unknown. Decoders read the first
//! picture and say nothing of the rest.
//!
//! # Sources
//! ISO/IEC 15948 (PNG), ITU-T T.81 annex B (JPEG), the manual pages `pnm` and `pam` of Netpbm, `BITMAPINFOHEADER` of
//! Windows (BMP).

use super::jpeg;
use retrial_core::census::count;

/// Refuses a file that is no TIFF and holds more than one picture, padding of zeros and blanks apart.
pub(super) fn single(bytes: &[u8]) -> Result<(), String> {
    let mut rest = bytes;
    let mut pictures = 1;
    // Where no end is found, the decoder says what is broken.
    while let Some(end) = end(rest) {
        let after = rest.get(end..).unwrap_or(&[]);
        let is_padding = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
        let padding = after.iter().take_while(|byte| is_padding(byte)).count();
        rest = &after[padding..];
        if rest.is_empty() {
            break;
        }
        if image::guess_format(rest).is_err() {
            return Err(format!(
                "{} behind the picture, from byte {} on; save it again as one picture",
                count(rest.len(), "byte"),
                bytes.len() - rest.len()
            ));
        }
        pictures += 1;
    }
    match pictures {
        1 => Ok(()),
        _ => Err(format!(
            "the file holds {pictures} pictures; save them as files of their own"
        )),
    }
}

/// The number of bytes of the first picture; nothing where it is broken or of another kind.
fn end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [0xff, 0xd8, ..] => jpeg::picture(bytes).map(<[u8]>::len),
        [b'P', b'7', ..] => pam(bytes),
        [b'P', b'1'..=b'6', ..] => pnm(bytes),
        [b'B', b'M', ..] => bmp(bytes),
        _ => None,
    }
}

/// Up to the chunk `IEND` with its checksum.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8_usize;
    loop {
        let head = bytes.get(at..)?.first_chunk::<8>()?;
        let length = u32::from_be_bytes(*head.first_chunk()?) as usize;
        at = at.checked_add(length)?.checked_add(12)?;
        if head.ends_with(b"IEND") {
            return Some(at);
        }
    }
}

fn pnm(bytes: &[u8]) -> Option<usize> {
    let kind = *bytes.get(1)?;
    let mut at = 2;
    let (width, height) = (number(bytes, &mut at)?, number(bytes, &mut at)?);
    let most = match kind {
        b'1' | b'4' => 1,
        _ => number(bytes, &mut at)?,
    };
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let samples = width.checked_mul(height)?.checked_mul(channels)?;
    // A single blank divides the head from binary samples.
    let start = at + 1;
    match kind {
        b'1' => bits(bytes, at, samples),
        b'2' | b'3' => (0..samples).try_fold(at, |mut at, _| {
            number(bytes, &mut at)?;
            Some(at)
        }),
        b'4' => start.checked_add(width.div_ceil(8).checked_mul(height)?),
        _ => start.checked_add(samples.checked_mul(if most > 255 { 2 } else { 1 })?),
    }
}

/// The next number of a PNM, behind blanks and comments; `at` comes to stand behind it.
fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    loop {
        match bytes.get(*at)? {
            b'#' => *at += bytes[*at..].iter().position(|byte| *byte == b'\n')?,
            byte if byte.is_ascii_whitespace() => *at += 1,
            _ => break,
        }
    }
    let digits = bytes[*at..].iter().take_while(|byte| byte.is_ascii_digit());
    let text = &bytes[*at..*at + digits.count()];
    *at += text.len();
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Behind so many bits written as the signs 0 and 1, which no blank need divide.
fn bits(bytes: &[u8], from: usize, count: usize) -> Option<usize> {
    let signs = (from..).zip(bytes.get(from..)?);
    let mut signs = signs.filter(|(_, byte)| matches!(byte, b'0' | b'1'));
    signs.nth(count.checked_sub(1)?).map(|(at, _)| at + 1)
}

fn pam(bytes: &[u8]) -> Option<usize> {
    let mut at = 3;
    let mut values = [1_usize; 4];
    for line in bytes.get(at..)?.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let line = std::str::from_utf8(line).ok()?.trim();
        if line == "ENDHDR" {
            let [width, height, depth, most] = values;
            let samples = width.checked_mul(height)?.checked_mul(depth)?;
            return at.checked_add(samples.checked_mul(if most > 255 { 2 } else { 1 })?);
        }
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let names = ["WIDTH", "HEIGHT", "DEPTH", "MAXVAL"];
        if let Some(place) = names.iter().position(|name| *name == key) {
            values[place] = value.trim().parse().ok()?;
        }
    }
    None
}

/// Behind the rows of pixels, or what the file says of its size, if that is more: a colour profile may follow.
fn bmp(bytes: &[u8]) -> Option<usize> {
    let long = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (stated, start) = (long(2)? as usize, long(10)? as usize);
    let (width, height, depth) = match long(14)? {
        12 => (u64::from(short(18)?), u64::from(short(20)?), short(24)?),
        _ => (
            u64::from(long(18)?),
            u64::from(long(22)?.cast_signed().unsigned_abs()),
            short(28)?,
        ),
    };
    let is_packed = long(14)? >= 40 && matches!(long(30)?, 1 | 2 | 4 | 5);
    let pixels = match is_packed {
        true => u64::from(long(34)?),
        false => (width * u64::from(depth)).div_ceil(32) * 4 * height,
    };
    let end = start.checked_add(usize::try_from(pixels).ok()?)?;
    Some(end.max(if stated <= bytes.len() { stated } else { 0 }))
}
