//! Tables of digits as spreadsheets and data frames write them: a byte order mark, quotes, numbers
//! with a point, an index column, columns in another order, blank lines at the end.

use retrial_core::census::count;
use std::path::Path;

use crate::content::digits::DigitSet;
use crate::error::DataError;

/// Columns and rows of a digit.
pub(super) const SIDE: usize = 28;
/// Pixels of a digit.
pub(super) const PIXELS: usize = SIDE * SIDE;
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
    separated(text.as_bytes()).map_err(|what| fault(1, 1, what))?;
    let mut lines: Vec<&str> = text.lines().collect();
    let all = lines.len();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    if lines.len() < all {
        let blank = all - lines.len();
        let blank = count(blank, "blank line");
        repairs.push(format!("passed over at the end: {blank}"));
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
    let mut row = [0; PIXELS];
    for (at, line) in lines.iter().enumerate().skip(usize::from(columns.header)) {
        let fields = line.split(',').count();
        let expected = columns.count;
        if fields != expected {
            let what = format!(
                "{} in this row, expected {expected}",
                count(fields, "field")
            );
            return Err(fault(at + 1, fields.min(expected + 1), what));
        }
        let mut places = columns.places.iter();
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
                if let Some(&place) = places.next() {
                    row[place] = value;
                }
            } else if value > 9 {
                let what = format!("the label {value}, expected 0 to 9");
                return Err(fault(at + 1, column + 1, what));
            } else {
                set.labels.push(value);
            }
        }
        set.pixels.extend_from_slice(&row);
    }
    if set.labels.is_empty() {
        return Err(fault(1, 1, "the file holds no digit".to_owned()));
    }
    if odd > 0 {
        repairs.push(format!(
            "read as whole numbers: {} with quotes, spaces or a point",
            count(odd, "field")
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
    /// The pixel of every other column.
    places: Vec<usize>,
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
            places: (0..PIXELS).collect(),
        };
        if !own.header {
            return match count == PIXELS + 1 {
                true => Ok(own),
                false => Err(format!(
                    "{count} fields in this row, expected {}",
                    PIXELS + 1
                )),
            };
        }
        let mut labels = (0..count).filter(|&i| names[i] == "label");
        own.label = match (labels.next(), labels.next()) {
            (Some(label), None) => label,
            (None, _) => return Err(no_label(first, &names)),
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
            return Err(format!(
                "the header has {count} columns, expected {expected}"
            ));
        }
        let whole = first.split(',').nth(own.label);
        if whole != Some("label") {
            let written = whole.unwrap_or_default();
            repairs.push(format!("the column {written:?} is taken for `label`"));
        }
        if own.label != usize::from(own.index.is_some()) {
            let place = own.label + 1;
            repairs.push(format!(
                "the label is taken from column {place}, as the header says"
            ));
        }
        let skipped = [Some(own.label), own.index];
        let pixels = (0..count).filter(|&column| !skipped.contains(&Some(column)));
        let pixels: Vec<(usize, &str)> = pixels.map(|i| (i, names[i].as_str())).collect();
        if let Some(places) = pixel_places(&pixels)? {
            own.places = places;
            let mut moved = own.places.iter().enumerate().zip(&pixels);
            if let Some((_, (column, name))) = moved.find(|((at, place), _)| at != *place) {
                let column = column + 1;
                repairs.push(format!(
                    "the pixel columns are not in the order of their numbers, the first is {name:?} in column \
                     {column}; they are put into order"
                ));
            }
        }
        Ok(own)
    }
}

/// What is wrong with a first line that is no digit and has no column `label`.
fn no_label(first: &str, names: &[String]) -> String {
    const NAMED: usize = 4;
    let words = names.iter().filter(|name| name.parse::<f64>().is_err());
    let odd = names.iter().filter(|name| numbered(name).is_none());
    let odd: Vec<String> = odd.map(|name| format!("{name:?}")).collect();
    if 2 * words.count() <= names.len() || !(1..=NAMED).contains(&odd.len()) {
        let text: String = first.chars().take(60).collect();
        return format!(
            "expected a whole number, or a header with one column `label`, found {text:?}"
        );
    }
    format!(
        "expected a header with one column `label`, found {}: name the column of the digit so, and leave no other but pixels",
        odd.join(" and ")
    )
}

/// The letters of a pixel's name and its number, or its row and column: `pixel7` or `1x28`.
fn numbered(name: &str) -> Option<(String, [usize; 2])> {
    let letters = name.replace(|c: char| c.is_ascii_digit(), " ");
    let runs = name.split(|c: char| !c.is_ascii_digit());
    let mut runs = runs.filter(|run| !run.is_empty());
    let first = runs.next()?.parse().ok()?;
    let second = runs.next().map_or(Some(0), |run| run.parse().ok())?;
    let words: Vec<&str> = letters.split_whitespace().collect();
    runs.next()
        .is_none()
        .then(|| (words.join(" "), [first, second]))
}

/// The pixel of every column by the numbers in their names; nothing where the names have none.
fn pixel_places(columns: &[(usize, &str)]) -> Result<Option<Vec<usize>>, String> {
    let names: Vec<_> = columns.iter().map(|(_, name)| numbered(name)).collect();
    let mut kinds: Vec<&str> = names
        .iter()
        .flatten()
        .map(|(word, _)| word.as_str())
        .collect();
    kinds.sort_unstable();
    let most = kinds
        .chunk_by(|a, b| a == b)
        .max_by_key(|alike| alike.len());
    let Some(&[word, ..]) = most.filter(|alike| 2 * alike.len() > names.len()) else {
        return Ok(None);
    };
    let mut order = Vec::with_capacity(names.len());
    for (at, (name, (column, text))) in names.iter().zip(columns).enumerate() {
        match name {
            Some((own, number)) if own == word => order.push((*number, at)),
            _ => {
                let (column, other) = (column + 1, columns[usize::from(at == 0)].1);
                return Err(format!(
                    "column {column} {text:?} is no pixel like {other:?}; leave only `label` and {PIXELS} pixels"
                ));
            }
        }
    }
    order.sort_unstable();
    if let Some(two) = order.windows(2).find(|two| two[0].0 == two[1].0) {
        let (column, text) = columns[two[1].1];
        let column = column + 1;
        return Err(format!(
            "the pixel {text:?} of column {column} is there twice"
        ));
    }
    let start = order.first().map_or([0, 0], |(first, _)| *first);
    let in_rows = order.iter().any(|([_, column], _)| *column > 0);
    let mut places = vec![0; order.len()];
    for (place, (number, at)) in order.iter().enumerate() {
        let expected = match in_rows {
            true => [start[0] + place / SIDE, start[1] + place % SIDE],
            false => [start[0] + place, 0],
        };
        if *number != expected {
            let (column, text) = columns[*at];
            let column = column + 1;
            return Err(format!(
                "the pixel {text:?} of column {column} stands at place {place} by its number: there is a gap before it; \
                 name {PIXELS} pixels without one"
            ));
        }
        places[*at] = place;
    }
    Ok(Some(places))
}

/// Refuses a header that is not the label and the pixels in their order.
pub(super) fn plain_header(first: &[u8]) -> Result<(), String> {
    let mut repairs = Vec::new();
    Columns::new(&String::from_utf8_lossy(first), &mut repairs)?;
    repairs.into_iter().next().map_or(Ok(()), Err)
}

/// Refuses fields that no comma separates, and lines that no LF ends.
pub(super) fn separated(text: &[u8]) -> Result<(), String> {
    let end = text.iter().position(|&byte| byte == b'\n');
    let first = &text[..end.unwrap_or(text.len())];
    let count = |wanted: u8| first.iter().filter(|&&byte| byte == wanted).count();
    for (byte, word) in [(b';', "semicolons"), (b'\t', "tabs")] {
        if count(byte) >= PIXELS && count(byte) > count(b',') {
            return Err(format!(
                "the fields are separated by {word}; separate them by commas"
            ));
        }
    }
    let inner = match end {
        Some(_) => first.strip_suffix(b"\r").unwrap_or(first),
        None => first,
    };
    match inner.contains(&b'\r') {
        true => Err("the lines end with CR alone; end them with LF or CR LF".to_owned()),
        false => Ok(()),
    }
}

/// A field without quotes and spaces around it.
fn plain(field: &str) -> &str {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
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

/// Refuses a table without a header whose last column may be the label.
pub(super) fn label_first(path: &Path, set: &DigitSet) -> Result<(), DataError> {
    let distinct = |values: &mut dyn Iterator<Item = u8>| {
        let mut seen = [false; 256];
        values.for_each(|value| seen[usize::from(value)] = true);
        let greatest = seen.iter().rposition(|seen| *seen).unwrap_or(0);
        (seen.iter().filter(|seen| **seen).count(), greatest)
    };
    let (labels, greatest_label) = distinct(&mut set.labels.iter().copied());
    let last = set.pixels.iter().skip(PIXELS - 1).step_by(PIXELS);
    let (lasts, greatest) = distinct(&mut last.copied());
    // A corner of a picture is black, or noise of many values; a first column of zeros is a corner too.
    let like_label = lasts > labels || lasts == 1 || greatest_label == 0;
    if (1..=9).contains(&greatest) && like_label {
        let what = format!(
            "without a header the first column is the label; it holds {labels} different values and the last one \
             {lasts}, none above 9: the label seems to come last; write a header that names the column `label`"
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
            std::iter::once(label)
                .chain((0..PIXELS).map(move |i| pixel(row, i)))
                .collect()
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
            (
                with(&|i, row| {
                    if i == 0 {
                        row.iter_mut()
                            .for_each(|name| *name = format!("\"{name}\""));
                    }
                }),
                "label",
            ),
            (
                with(&|i, row| {
                    if i > 0 {
                        row.iter_mut().for_each(|value| value.push_str(".0"));
                    }
                }),
                "2355 fields",
            ),
            (with(&|_, row| row.rotate_left(1)), "column 785"),
            (
                with(&|_, row| row[1..].reverse()),
                "\"pixel783\" in column 2; they are put",
            ),
            (
                with(&|_, row| {
                    let mut order: Vec<usize> = (0..PIXELS).collect();
                    order.sort_by_key(ToString::to_string);
                    let sorted: Vec<String> = order.iter().map(|i| row[i + 1].clone()).collect();
                    row.splice(1.., sorted);
                }),
                "\"pixel10\" in column 4; they are put",
            ),
            (
                with(&|i, row| row.insert(0, if i == 0 { String::new() } else { i.to_string() })),
                "row numbers",
            ),
            (text(&rows()) + "\n\n", "2 blank lines"),
        ];
        for (text, said) in cases {
            let (set, repairs) = read(&text).unwrap_or_else(|error| panic!("{said}: {error}"));
            assert_eq!(set, expected, "{said}");
            assert!(
                repairs.iter().any(|line| line.contains(said)),
                "{repairs:?}"
            );
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
        assert!(
            read(&blank)
                .expect_err("blank")
                .starts_with("m.csv:2:1: 1 field in")
        );
        let nameless = text(&[header(), rows().remove(0)]).replace("label", "digit");
        assert!(
            read(&nameless)
                .expect_err("no label")
                .contains("one column `label`")
        );
        let named = |names: &[(usize, &str)]| {
            let mut header = header();
            for (column, name) in names {
                header[*column] = (*name).to_owned();
            }
            read(&text(&[header, rows().remove(0)])).expect_err("a fault")
        };
        let two = "expected a header with one column `label`, found \"label_of_scanner\" and \"class\": name";
        assert!(named(&[(0, "label_of_scanner"), (784, "class")]).contains(two));
        assert!(
            named(&[(784, "class")]).contains("column 785 \"class\" is no pixel like \"pixel0\"")
        );
        assert!(
            named(&[(784, "pixel5")]).contains("the pixel \"pixel5\" of column 785 is there twice")
        );
        let gap = "the pixel \"pixel784\" of column 785 stands at place 783 by its number: there is a gap";
        assert!(named(&[(784, "pixel784")]).contains(gap));
        let tabs = text(&rows()).replace(',', "\t");
        assert!(read(&tabs).expect_err("tabs").contains("separated by tabs"));
        let index = rows()
            .into_iter()
            .map(|row| [vec!["0".to_owned()], row].concat());
        let index = text(&index.collect::<Vec<_>>());
        assert!(
            read(&index)
                .expect_err("786")
                .contains("786 fields in this row, expected 785")
        );
    }

    #[test]
    fn a_label_in_the_last_column_needs_a_header() {
        let moved = |label: u8| {
            let mut row = vec!["0".to_owned(); PIXELS];
            row[300] = "200".to_owned();
            row.push(label.to_string());
            row
        };
        for labels in [
            &[8][..],
            &[8, 8, 8],
            &[8, 3],
            &[0, 0, 1],
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0],
        ] {
            let all: Vec<Vec<String>> = labels.iter().map(|&label| moved(label)).collect();
            let error = read(&text(&all)).expect_err("the label is last");
            assert!(error.contains("the label seems to come last"), "{error}");
            let strict = super::super::parse_csv(Path::new("m.csv"), text(&all).as_bytes());
            assert!(strict.is_err());
        }
    }
}
