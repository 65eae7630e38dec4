//! `mnist-csv`: a row per digit, `label, pixel, pixel, …`, as MNIST circulates in CSV.
//!
//! With or without a header that begins with `label` and has the pixels in their order; lines end in
//! LF or CRLF; the file may be gzipped. Numbers are parsed by hand because this is the slowest step of reading 110 MB. What
//! spreadsheets and data frames write is read by `repair.rs`, which says so.

mod repair;

use std::path::Path;

use self::repair::{PIXELS, SIDE};
use super::{Format, Inputs};
use crate::content::digits::{DigitSet, Digits};
use crate::error::DataError;
use crate::gzip::read_maybe_gzip;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "mnist-csv",
    settings: None,
    roles: &["train", "test"],
    generates: false,
};

/// Largest text that is read, which is many times that of MNIST.
const MAX_BYTES: u64 = 2 << 30;

/// Decodes the two files of their roles.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Digits, DataError> {
    let mut repairs = Vec::new();
    let mut read = |role| {
        let path = inputs.role(role)?;
        let text = read_maybe_gzip(path, MAX_BYTES)?;
        let (set, own) = match parse_csv(path, &text) {
            Err(_) if !inputs.strict => repair::parse(path, &text)?,
            read => (read?, Vec::new()),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        repairs.extend(own.into_iter().map(|repair| format!("{name}: {repair}")));
        Ok::<_, DataError>(set)
    };
    let (train, test) = (read("train")?, read("test")?);
    Ok(Digits {
        train,
        test,
        repairs,
    })
}

/// Reads a CSV file of digits, plain or gzipped.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Format`] for a truncated gzip file, and as [`parse_csv`].
pub fn read_csv(path: &Path) -> Result<DigitSet, DataError> {
    let text = read_maybe_gzip(path, MAX_BYTES)?;
    parse_csv(path, &text)
}

/// Parses the text of `path`, whose name only enters errors.
///
/// # Errors
/// [`DataError::Text`] with the line and the field that is wrong.
pub fn parse_csv(path: &Path, text: &[u8]) -> Result<DigitSet, DataError> {
    let mut cursor = Cursor {
        path,
        text,
        at: 0,
        line: 1,
    };
    repair::separated(text).map_err(|what| cursor.fault(1, what))?;
    let header = text.starts_with(b"label");
    if header {
        let first = cursor.skip_line();
        repair::plain_header(first).map_err(|what| cursor.fault(1, what))?;
        cursor.line += 1;
    }
    // Rows of MNIST have about 1800 bytes.
    let rows = text.len() / 1600 + 1;
    let mut set = DigitSet {
        width: SIDE,
        height: SIDE,
        labels: Vec::with_capacity(rows),
        pixels: Vec::with_capacity(rows * PIXELS),
    };
    while cursor.at < text.len() {
        let label = cursor.number(1)?;
        if label > 9 {
            return Err(cursor.fault(1, format!("the label {label}, expected 0 to 9")));
        }
        set.labels.push(label);
        cursor.pixels(&mut set.pixels)?;
        cursor.end_of_line()?;
    }
    if set.labels.is_empty() {
        return Err(cursor.fault(1, "the file holds no digit".to_owned()));
    }
    if !header {
        repair::label_first(path, &set)?;
    }
    Ok(set)
}

struct Cursor<'a> {
    path: &'a Path,
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn fault(&self, field: usize, what: String) -> DataError {
        DataError::Text {
            path: self.path.to_owned(),
            line: self.line,
            column: field,
            what,
        }
    }

    /// The line that is passed over, without its end.
    fn skip_line(&mut self) -> &'a [u8] {
        let rest: &'a [u8] = &self.text[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        self.at += end.map_or(rest.len(), |end| end + 1);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The pixels of one row, each with the comma before it.
    fn pixels(&mut self, pixels: &mut Vec<u8>) -> Result<(), DataError> {
        let mut field = 1;
        while field <= PIXELS {
            // Four of five pixels are black, so four black ones at once save most of the work.
            if field + 4 <= PIXELS
                && self.text[self.at..].first_chunk::<8>() == Some(b",0,0,0,0")
                && self
                    .text
                    .get(self.at + 8)
                    .is_some_and(|byte| !byte.is_ascii_digit())
            {
                pixels.extend_from_slice(&[0; 4]);
                self.at += 8;
                field += 4;
                continue;
            }
            if self.text.get(self.at) != Some(&b',') {
                let what = format!("{field} fields in this row, expected {}", PIXELS + 1);
                return Err(self.not_separated(field, what));
            }
            self.at += 1;
            field += 1;
            pixels.push(self.number(field)?);
        }
        Ok(())
    }

    /// A whole number up to 255.
    fn number(&mut self, field: usize) -> Result<u8, DataError> {
        let start = self.at;
        let mut value = 0_u32;
        while let Some(&byte) = self.text.get(self.at) {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            if digit > 9 {
                break;
            }
            if self.at - start >= 3 {
                return Err(self.bad_value(start, field));
            }
            value = 10 * value + digit;
            self.at += 1;
        }
        match u8::try_from(value) {
            Ok(value) if self.at > start => Ok(value),
            _ => Err(self.bad_value(start, field)),
        }
    }

    fn bad_value(&self, start: usize, field: usize) -> DataError {
        let text = self.field_text(start);
        let what = if text.is_empty() && self.at == self.text.len() {
            "the file ends in the middle of a row".to_owned()
        } else {
            format!("expected a whole number from 0 to 255, found {text:?}")
        };
        self.fault(field, what)
    }

    /// A field that does not end where it should: a bad value, or a row that is too short.
    fn not_separated(&self, field: usize, what: String) -> DataError {
        match self.text.get(self.at) {
            Some(b'\n' | b'\r') => self.fault(field, what),
            None => self.fault(
                field,
                format!("the file ends in the middle of a row; {what}"),
            ),
            Some(_) => {
                let start = self.text[..self.at]
                    .iter()
                    .rposition(|byte| matches!(byte, b',' | b'\n'))
                    .map_or(0, |comma| comma + 1);
                self.bad_value(start, field)
            }
        }
    }

    fn field_text(&self, start: usize) -> String {
        let rest = &self.text[start..];
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'\n' | b'\r'))
            .unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end.min(40)]).into_owned()
    }

    fn end_of_line(&mut self) -> Result<(), DataError> {
        let rest = &self.text[self.at..];
        let skip = match rest {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [b',', ..] => {
                let end = rest
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .unwrap_or(rest.len());
                let more = rest[..end].iter().filter(|&&byte| byte == b',').count();
                let what = format!(
                    "{} fields in this row, expected {}",
                    PIXELS + 1 + more,
                    PIXELS + 1
                );
                return Err(self.fault(PIXELS + 2, what));
            }
            _ => return Err(self.not_separated(PIXELS + 1, String::new())),
        };
        self.at += skip;
        self.line += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: u8, pixels: &[u8]) -> String {
        let fields: Vec<String> = std::iter::once(&label)
            .chain(pixels)
            .map(ToString::to_string)
            .collect();
        fields.join(",")
    }

    fn digit(seed: usize) -> Vec<u8> {
        (0..PIXELS)
            .map(|i| {
                if (i + seed).is_multiple_of(7) {
                    (i * 31 % 256) as u8
                } else {
                    0
                }
            })
            .collect()
    }

    fn header() -> String {
        let names = (1..=SIDE).flat_map(|row| (1..=SIDE).map(move |x| format!(",{row}x{x}")));
        format!("label{}", names.collect::<String>())
    }

    fn fault(text: &str) -> String {
        parse_csv(Path::new("m.csv"), text.as_bytes())
            .expect_err("a fault")
            .to_string()
    }

    #[test]
    fn header_and_line_ends_do_not_matter() {
        let rows = [row(7, &digit(0)), row(2, &digit(3))];
        let plain = format!("{}\n{}\n", rows[0], rows[1]);
        let expected = parse_csv(Path::new("m.csv"), plain.as_bytes()).expect("valid");
        assert_eq!(expected.labels, [7, 2]);
        assert_eq!(expected.pixels, [digit(0), digit(3)].concat());
        for text in [
            format!("{}\n{}", rows[0], rows[1]),
            format!("{}\r\n{}\r\n{}\r\n", header(), rows[0], rows[1]),
            format!("{}\n{}\n{}\n", header(), rows[0], rows[1]),
        ] {
            let set = parse_csv(Path::new("m.csv"), text.as_bytes()).expect("valid");
            assert_eq!(set, expected);
        }
    }

    #[test]
    fn every_fault_has_its_place() {
        let good = row(1, &digit(1));
        let short = row(1, &digit(1)[..783]);
        let long = format!("{good},5");
        assert_eq!(
            fault(&format!("{good}\n{short}\n")),
            "m.csv:2:784: 784 fields in this row, expected 785"
        );
        assert_eq!(
            fault(&format!("{long}\n{good}\n")),
            "m.csv:1:786: 786 fields in this row, expected 785"
        );
        assert_eq!(
            fault(&good.replacen("1,", "12,", 1)),
            "m.csv:1:1: the label 12, expected 0 to 9"
        );
        let with = |value: &str| {
            let mut fields: Vec<&str> = good.split(',').collect();
            fields[10] = value;
            fault(&format!("{}\n{}\n", header(), fields.join(",")))
        };
        for value in ["256", "-1", "x", "1.5", "", " 3", "0000", "0x1", "\"1\""] {
            assert_eq!(
                with(value),
                format!("m.csv:2:11: expected a whole number from 0 to 255, found {value:?}")
            );
        }
        assert!(fault(&good[..good.len() - 60]).contains("the file ends in the middle of a row"));
        assert_eq!(fault(""), "m.csv:1:1: the file holds no digit");
        assert_eq!(
            fault(&format!("label,1x1,28x28\n{good}\n")),
            "m.csv:1:1: the header has 3 columns, expected 785"
        );
        assert_eq!(
            fault(&format!("{}\n{good}\n", header()).replace("1x2,1x3,", "1x3,1x2,")),
            "m.csv:1:1: the pixel columns are not in the order of their numbers, the first is \"1x3\" \
             in column 3; they are put into order"
        );
        assert_eq!(
            fault(&good.replace(',', ";")),
            "m.csv:1:1: the fields are separated by semicolons; separate them by commas"
        );
        assert_eq!(
            fault(&format!("{good}\r{good}\r")),
            "m.csv:1:1: the lines end with CR alone; end them with LF or CR LF"
        );
        assert!(fault("<!DOCTYPE html>").starts_with("m.csv:1:1: expected a whole number"));
        assert!(fault(&format!("{good}\n\n{good}\n")).starts_with("m.csv:2:1: expected"));
    }
}
