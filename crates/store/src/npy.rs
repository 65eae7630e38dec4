//! Columns as one NumPy file: a structured array of one dimension, so that `a["u"]` is a column.
//!
//! Unit and meaning of a column are its field's title, in `a.dtype.fields`. The format has no
//! place for anything else.
//!
//! # Source
//! NumPy enhancement proposal 1, "A simple file format for NumPy arrays", version 1.0 and 2.0.

use std::fmt::Write as _;

use crate::error::StoreError;
use crate::quantity::Quantity;

/// The bytes of the file.
///
/// # Errors
/// [`StoreError::ColumnLength`] when the columns differ in length.
pub fn structured(columns: &[Quantity]) -> Result<Vec<u8>, StoreError> {
    let rows = same_length(columns)?;
    let parts: Vec<_> = columns.iter().map(Quantity::bytes).collect();
    let mut header = String::from("{'descr': [");
    for (column, (_, kind, _)) in columns.iter().zip(&parts) {
        let title = quoted(&column.line());
        write!(header, "(({title}, '{}'), '{kind}'), ", column.name)
            .expect("a String never refuses");
    }
    write!(header, "], 'fortran_order': False, 'shape': ({rows},), }}")
        .expect("a String never refuses");
    // Magic, version, length, text and a line feed fill whole blocks of 64 bytes.
    let wide = header.len() + 64 > usize::from(u16::MAX);
    let before = if wide { 12 } else { 10 };
    let total = (before + header.len() + 1).next_multiple_of(64);
    let length = total - before;
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.push(if wide { 2 } else { 1 });
    bytes.push(0);
    match u16::try_from(length) {
        Ok(short) if !wide => bytes.extend(short.to_le_bytes()),
        _ => bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()),
    }
    bytes.extend(header.as_bytes());
    bytes.resize(total - 1, b' ');
    bytes.push(b'\n');
    let widths: Vec<usize> = parts
        .iter()
        .map(|(values, ..)| values.len() / rows.max(1))
        .collect();
    bytes.reserve(rows * widths.iter().sum::<usize>());
    for row in 0..rows {
        for ((values, ..), width) in parts.iter().zip(&widths) {
            bytes.extend(&values[row * width..(row + 1) * width]);
        }
    }
    Ok(bytes)
}

/// The common length of the columns.
pub(crate) fn same_length(columns: &[Quantity]) -> Result<usize, StoreError> {
    let rows = columns.first().map_or(0, Quantity::len);
    match columns.iter().find(|column| column.len() != rows) {
        None => Ok(rows),
        Some(column) => Err(StoreError::ColumnLength {
            column: column.name.to_owned(),
            expected: rows,
            got: column.len(),
        }),
    }
}

/// A Python text of ASCII letters.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            other => write!(out, "\\U{:08x}", u32::from(other)).expect("a String never refuses"),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::process::Command;

    use super::*;
    use crate::quantity::Values;

    fn columns() -> Vec<Quantity> {
        let column = |name, unit, values| Quantity {
            name,
            unit,
            meaning: "what it's — in µm",
            values,
        };
        vec![
            column("x", "px", Values::I64(vec![3, -4, 5])),
            column("u", "px", Values::F64(vec![0.5, f64::NAN, -1e-9])),
            column("status", "", Values::Code(vec![0, 2, 1], &["a", "b", "c"])),
        ]
    }

    #[test]
    fn the_header_fills_whole_blocks() {
        let bytes = structured(&columns()).unwrap();
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!(
            (&bytes[..8], (10 + length) % 64),
            (&b"\x93NUMPY\x01\x00"[..], 0)
        );
        assert_eq!(bytes[9 + length], b'\n');
        assert_eq!(bytes.len(), 10 + length + 3 * 17);
        assert_eq!(bytes[10 + length..18 + length], 3_i64.to_le_bytes());
        assert_eq!(bytes[18 + length..26 + length], 0.5_f64.to_le_bytes());
        let mut uneven = columns();
        uneven[1].values = Values::F64(vec![1.0]);
        assert!(structured(&uneven).is_err());
    }

    #[test]
    #[ignore = "needs python3 with numpy"]
    fn numpy_reads_it_with_python() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, structured(&columns()).unwrap()).unwrap();
        let script = r#"
import sys, numpy
a = numpy.load(sys.argv[1])
assert a.shape == (3,) and a.dtype.names == ("x", "u", "status"), a.dtype
assert list(a["x"]) == [3, -4, 5] and list(a["status"]) == [0, 2, 1]
assert a["u"][0] == 0.5 and numpy.isnan(a["u"][1]) and a["u"][2] == -1e-9
assert a.dtype.fields["u"][2] == "u [px]: what it's — in µm", a.dtype.fields
"#;
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(&path)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }
}
