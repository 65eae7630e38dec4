//! Tables of digits as spreadsheets and data frames write them: a byte order mark, quotes, numbers
//! with a point, an index column, the label in another column, blank lines at the end.

use std::path::Path;

use super::mnist_csv::{PIXELS, SIDE};
use crate::content::DigitSet;
use crate::error::DataError;

/// Reads the text of `path` and says what was changed.
///
/// # Errors
/// [`DataError::Text`] with the line and the field that is wrong.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<(DigitSet, Vec<String>), DataError> {
    let mut repairs = Vec::new();
    let fault = |line: usize, column: usize, what: String| DataError::Text {
        path: path.to_owned(),
        line,
        column,
        what,
    };
    let body = text.strip_prefix(b"\xef\xbb\xbf");
    if body.is_some() {
        repairs.push("a byte order mark is passed over".to_owned());
    }
    let text = std::str::from_utf8(body.unwrap_or(text))
        .map_err(|error| fault(1, 1, format!("no text in UTF-8: {error}")))?;
    let mut lines: Vec<&str> = text.lines().collect();
    let all = lines.len();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    if lines.len() < all {
        let blank = all - lines.len();
        repairs.push(format!("{blank} blank lines at the end are passed over"));
    }
    let Some(first) = lines.first() else {
        return Err(fault(1, 1, "the file holds no digit".to_owned()));
    };
    let columns = Columns::new(first, &mut repairs).map_err(|what| fault(1, 1, what))?;
    let mut set = DigitSet {
        width: SIDE,
        height: SIDE,
        labels: Vec::with_capacity(lines.len()),
        pixels: Vec::with_capacity(lines.len() * PIXELS),
    };
    // Fields that are quoted, padded, or written with a point.
    let mut odd = 0_usize;
    for (at, line) in lines.iter().enumerate().skip(usize::from(columns.header)) {
        let count = line.split(',').count();
        let expected = columns.count;
        if count != expected {
            let what = format!("{count} fields in this row, expected {expected}");
            return Err(fault(at + 1, count.min(expected + 1), what));
        }
        for (column, field) in line.split(',').enumerate() {
            if columns.index == Some(column) {
                continue;
            }
            let value = value(field).ok_or_else(|| {
                let what = format!("expected a whole number from 0 to 255, found {field:?}");
                fault(at + 1, column + 1, what)
            })?;
            odd += usize::from(!field.bytes().all(|byte| byte.is_ascii_digit()));
            if column != columns.label {
                set.pixels.push(value);
            } else if value > 9 {
                let what = format!("the label {value}, expected 0 to 9");
                return Err(fault(at + 1, column + 1, what));
            } else {
                set.labels.push(value);
            }
        }
    }
    if set.labels.is_empty() {
        return Err(fault(1, 1, "the file holds no digit".to_owned()));
    }
    if odd > 0 {
        repairs.push(format!(
            "{odd} fields with quotes, spaces or a point are read as whole numbers"
        ));
    }
    if !columns.header {
        label_first(path, &set)?;
    }
    Ok((set, repairs))
}

/// What the columns of a table are.
struct Columns {
    header: bool,
    /// How many there are.
    count: usize,
    label: usize,
    /// A column of row numbers, as data frames write it.
    index: Option<usize>,
}

impl Columns {
    fn new(first: &str, repairs: &mut Vec<String>) -> Result<Self, String> {
        let names = first.split(',').map(plain);
        let names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
        let count = names.len();
        let mut own = Self {
            header: names.iter().any(|name| name.parse::<f64>().is_err()),
            count,
            label: 0,
            index: None,
        };
        if !own.header {
            return match count == PIXELS + 1 {
                true => Ok(own),
                false => Err(format!("{count} fields in this row, expected {}", PIXELS + 1)),
            };
        }
        let mut labels = (0..count).filter(|&i| names[i] == "label");
        own.label = match (labels.next(), labels.next()) {
            (Some(label), None) => label,
            (None, _) => {
                let text: String = first.chars().take(60).collect();
                return Err(format!(
                    "expected a whole number, or a header with one column `label`, found {text:?}"
                ));
            }
            (Some(_), Some(_)) => return Err("the header has two columns `label`".to_owned()),
        };
        if count == PIXELS + 2
            && own.label != 0
            && (names[0].is_empty() || names[0] == "index" || names[0].starts_with("unnamed"))
        {
            own.index = Some(0);
            repairs.push("the first column holds row numbers and is passed over".to_owned());
        }
        let expected = PIXELS + 1 + usize::from(own.index.is_some());
        if count != expected {
            return Err(format!("the header has {count} columns, expected {expected}"));
        }
        let whole = first.split(',').nth(own.label);
        if whole != Some("label") {
            let written = whole.unwrap_or_default();
            repairs.push(format!("the column {written:?} is taken for `label`"));
        }
        if own.label != usize::from(own.index.is_some()) {
            let place = own.label + 1;
            repairs.push(format!("the label is taken from column {place}, as the header says"));
        }
        Ok(own)
    }
}

/// A field without quotes and spaces around it.
fn plain(field: &str) -> &str {
    let field = field.trim();
    let inner = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(field).trim()
}

/// A whole number up to 255, with or without quotes, spaces and `.0`.
fn value(field: &str) -> Option<u8> {
    let text = plain(field);
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = !whole.is_empty() && whole.len() <= 3 && whole.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| whole.parse().ok())?
}

/// Refuses a table without a header whose last column looks like the label.
pub(super) fn label_first(path: &Path, set: &DigitSet) -> Result<(), DataError> {
    const ROWS: usize = 10;
    let distinct = |values: &mut dyn Iterator<Item = u8>| {
        let mut seen = [false; 256];
        values.for_each(|value| seen[usize::from(value)] = true);
        let greatest = seen.iter().rposition(|seen| *seen).unwrap_or(0);
        (seen.iter().filter(|seen| **seen).count(), greatest)
    };
    let (labels, _) = distinct(&mut set.labels.iter().copied());
    let last = set.pixels.iter().skip(PIXELS - 1).step_by(PIXELS);
    let (lasts, greatest) = distinct(&mut last.copied());
    if set.labels.len() >= ROWS && greatest <= 9 && lasts >= 2 && lasts > labels {
        let what = format!(
            "the first column holds {labels} different values and the last one {lasts}, none above \
             9: the label seems to come last; write a header that names the column `label`"
        );
        return Err(DataError::format(path, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rows: the label and 784 pixels.
    fn rows() -> Vec<Vec<String>> {
        let pixel = |row: usize, i: usize| (if i % 9 == row { i % 256 } else { 0 }).to_string();
        let row = |row: usize| {
            let label = [7, 2, 8][row].to_string();
            std::iter::once(label).chain((0..PIXELS).map(move |i| pixel(row, i))).collect()
        };
        (0..3).map(row).collect()
    }

    fn header() -> Vec<String> {
        let pixels = (0..PIXELS).map(|i| format!("pixel{i}"));
        std::iter::once("label".to_owned()).chain(pixels).collect()
    }

    fn text(rows: &[Vec<String>]) -> String {
        rows.iter().map(|row| row.join(",") + "\n").collect()
    }

    fn read(text: &str) -> Result<(DigitSet, Vec<String>), String> {
        parse(Path::new("m.csv"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_tools_write_is_read_and_said() {
        let (expected, none) = read(&text(&rows())).expect("plain");
        assert_eq!((none.len(), &expected.labels[..]), (0, &[7, 2, 8][..]));
        let with = |change: &dyn Fn(usize, &mut Vec<String>)| {
            let mut all = vec![header()];
            all.extend(rows());
            for (i, row) in all.iter_mut().enumerate() {
                change(i, row);
            }
            text(&all)
        };
        let cases = [
            (format!("\u{feff}{}", text(&rows())), "byte order mark"),
            (with(&|_, _| ()).replace("label", "Label"), "\"Label\""),
            (with(&|i, row| {
                if i == 0 {
                    row.iter_mut().for_each(|name| *name = format!("\"{name}\""));
                }
            }), "label"),
            (with(&|i, row| {
                if i > 0 {
                    row.iter_mut().for_each(|value| value.push_str(".0"));
                }
            }), "2355 fields"),
            (with(&|_, row| row.rotate_left(1)), "column 785"),
            (with(&|i, row| row.insert(0, if i == 0 { String::new() } else { i.to_string() })), "row numbers"),
            (text(&rows()) + "\n\n", "2 blank lines"),
        ];
        for (text, said) in cases {
            let (set, repairs) = read(&text).unwrap_or_else(|error| panic!("{said}: {error}"));
            assert_eq!(set, expected, "{said}");
            assert!(repairs.iter().any(|line| line.contains(said)), "{repairs:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let with = |value: &str| {
            let mut all = rows();
            all[1][10] = value.to_owned();
            read(&text(&all)).expect_err(value)
        };
        for value in ["256", "-1", "x", "1.5", "", "0000", "0x1", ".0", "1e2"] {
            let expected =
                format!("m.csv:2:11: expected a whole number from 0 to 255, found {value:?}");
            assert_eq!(with(value), expected);
        }
        let blank = text(&rows()).replacen('\n', "\n\n", 1);
        assert!(read(&blank).expect_err("blank").starts_with("m.csv:2:1: 1 fields"));
        let nameless = text(&[header(), rows().remove(0)]).replace("label", "digit");
        assert!(read(&nameless).expect_err("no label").contains("one column `label`"));
        let index = rows().into_iter().map(|row| [vec!["0".to_owned()], row].concat());
        let index = text(&index.collect::<Vec<_>>());
        assert!(read(&index).expect_err("786").contains("786 fields in this row, expected 785"));
    }

    #[test]
    fn a_label_in_the_last_column_needs_a_header() {
        let moved = |label: u8| {
            let mut row = vec!["0".to_owned(); PIXELS];
            row[300] = "200".to_owned();
            row.push(label.to_string());
            row
        };
        let all: Vec<Vec<String>> = (0..12).map(|i| moved(i % 10)).collect();
        let error = read(&text(&all)).expect_err("the label is last");
        assert!(error.contains("the label seems to come last"), "{error}");
        let strict = super::super::mnist_csv::parse_csv(Path::new("m.csv"), text(&all).as_bytes());
        assert!(strict.is_err());
    }
}
