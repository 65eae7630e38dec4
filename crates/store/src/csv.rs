//! Tables as comma-separated text.
//!
//! A number is written with the fewest digits that read back as the same number, a text is quoted
//! as in RFC 4180 where it must be or holds a `#`, a line ends with `\n`.

use std::path::Path;

use retrial_core::exact::push_exact;

use crate::atomic::atomic_write;
use crate::error::StoreError;

/// Why no write fails.
const TAKEN: &str = "memory takes every write, and all lines are equally long";

/// Named columns of the same length, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    head: Vec<String>,
    columns: Vec<(String, Column)>,
}

/// The cells of a column, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; `NaN`, `inf` and `-inf` are written so.
    F64(Vec<f64>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Texts.
    Text(Vec<String>),
}

impl Table {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same table with one more column on the right.
    ///
    /// # Errors
    /// [`StoreError::ColumnLength`] and [`StoreError::DuplicateColumn`].
    pub fn with(mut self, name: &str, column: impl Into<Column>) -> Result<Self, StoreError> {
        let column = column.into();
        if let Some((_, first)) = self.columns.first()
            && first.len() != column.len()
        {
            return Err(StoreError::ColumnLength {
                column: name.to_owned(),
                expected: first.len(),
                got: column.len(),
            });
        }
        if self.columns.iter().any(|(other, _)| other == name) {
            return Err(StoreError::DuplicateColumn {
                column: name.to_owned(),
            });
        }
        self.columns.push((name.to_owned(), column));
        Ok(self)
    }

    /// The same table with lines of comment before it, each after `# `; readers must be told to
    /// skip them (`comment="#"` in pandas).
    #[must_use]
    pub fn with_head(mut self, lines: &[String]) -> Self {
        let breaks = ['\n', '\r'];
        self.head
            .extend(lines.iter().map(|line| line.replace(breaks, " ")));
        self
    }

    /// The number of rows, without the line of names.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The table as text: a line of names, then a line a row.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let head = self.head.iter().map(|line| format!("# {line}\n"));
        let head: String = head.collect();
        if self.columns.is_empty() {
            return head + "\n";
        }
        let mut writer = csv::WriterBuilder::new()
            .comment(Some(b'#'))
            .from_writer(head.into_bytes());
        let names = self.columns.iter().map(|(name, _)| name);
        writer.write_record(names).expect(TAKEN);
        let mut cell = String::new();
        for row in 0..self.rows() {
            for (_, column) in &self.columns {
                cell.clear();
                match column {
                    Column::F64(cells) => push_exact(&mut cell, cells[row]),
                    Column::I64(cells) => cell.push_str(&cells[row].to_string()),
                    Column::Text(cells) => cell.push_str(&cells[row]),
                }
                writer.write_field(&cell).expect(TAKEN);
            }
            writer.write_record(None::<&[u8]>).expect(TAKEN);
        }
        let bytes = writer.into_inner().expect(TAKEN);
        String::from_utf8(bytes).expect("every cell is UTF-8")
    }

    /// Writes the table to `path` with [`atomic_write`].
    ///
    /// # Errors
    /// [`StoreError::Io`] with the path.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        atomic_write(path, self.to_csv().as_bytes())
    }
}

impl Column {
    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F64(cells) => cells.len(),
            Self::I64(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<f64>> for Column {
    fn from(cells: Vec<f64>) -> Self {
        Self::F64(cells)
    }
}

impl From<Vec<i64>> for Column {
    fn from(cells: Vec<i64>) -> Self {
        Self::I64(cells)
    }
}

impl From<Vec<String>> for Column {
    fn from(cells: Vec<String>) -> Self {
        Self::Text(cells)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn literal() {
        let texts = ["plain", "a,b", "say \"µm\"", "two\nlines", ""].map(str::to_owned);
        let table = Table::new()
            .with("u", vec![0.1, -0.0, 1e-300, f64::NAN, 3.0])
            .unwrap()
            .with("point", vec![i64::MIN, 0, 1, 2, i64::MAX])
            .unwrap()
            .with("the, name", texts.to_vec())
            .unwrap();
        assert_eq!(
            table.to_csv(),
            "u,point,\"the, name\"\n\
             0.1,-9223372036854775808,plain\n\
             -0,0,\"a,b\"\n\
             1e-300,1,\"say \"\"µm\"\"\"\n\
             NaN,2,\"two\nlines\"\n\
             3,9223372036854775807,\n"
        );
    }

    /// A reader that skips comments would cut the line at a `#` without quotes.
    #[test]
    fn a_hash_in_a_text_is_quoted() {
        let names = vec!["it's #5.png".to_owned()];
        let table = Table::new().with("name", names).unwrap();
        assert_eq!(table.to_csv(), "name\n\"it's #5.png\"\n");
    }

    #[test]
    fn a_lone_empty_cell_is_still_a_row() {
        let table = Table::new().with("note", vec![String::new()]).unwrap();
        assert_eq!(table.to_csv(), "note\n\"\"\n");
    }

    #[test]
    fn a_head_is_a_comment() {
        let table = Table::new().with("x", vec![1_i64]).unwrap();
        let head = ["unit: px".to_owned(), "two\nlines".to_owned()];
        assert_eq!(
            table.with_head(&head).to_csv(),
            "# unit: px\n# two lines\nx\n1\n"
        );
    }

    #[test]
    fn faults_are_named() {
        let table = Table::new().with("x", vec![1.0, 2.0]).unwrap();
        assert_eq!(
            table
                .clone()
                .with("y", vec![1_i64])
                .unwrap_err()
                .to_string(),
            "column `y` has 1 rows, the table has 2"
        );
        assert_eq!(
            table.with("x", vec![1.0, 2.0]).unwrap_err().to_string(),
            "column `x` appears twice"
        );
    }
}
