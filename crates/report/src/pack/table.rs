//! Rows of cells as one table: a CSV text, or an Arrow file.

use std::collections::HashMap;
use std::sync::Arc;

use polars::error::PolarsError;
use polars_arrow::array::{Array, BooleanArray, Float64Array, Int64Array, Utf8Array};
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;

use super::row;
use crate::csv_text::csv_text;

/// Rows under the names of all their columns; where a row lacks one, its cell is empty.
pub(super) struct Table {
    columns: Vec<String>,
    /// Cells, row by row.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of rows of cells with the names of their columns.
    pub(super) fn new(all: Vec<Vec<(String, String)>>) -> Self {
        let columns = row::merged(&all);
        let rows = all.into_iter().map(|row| {
            let mut cells: HashMap<String, String> = row.into_iter().collect();
            let own = |name: &String| cells.remove(name).unwrap_or_default();
            columns.iter().map(own).collect()
        });
        Self {
            rows: rows.collect(),
            columns,
        }
    }

    /// The table as CSV.
    pub(super) fn csv(&self) -> String {
        csv_text(std::iter::once(&self.columns).chain(&self.rows))
    }

    /// The table as an Arrow file, without compression: pandas, polars, R and DuckDB read it. A column holds whole
    /// numbers, numbers, truth values or texts, whatever all its cells are; an empty cell is null.
    pub(super) fn arrow(&self) -> Result<Vec<u8>, PolarsError> {
        let arrays: Vec<Box<dyn Array>> = (0..self.columns.len())
            .map(|at| {
                array(
                    &self
                        .rows
                        .iter()
                        .map(|row| row[at].as_str())
                        .collect::<Vec<_>>(),
                )
            })
            .collect();
        let named = self.columns.iter().zip(&arrays);
        let fields = named
            .map(|(name, array)| Field::new(name.as_str().into(), array.dtype().clone(), true));
        let schema = Arc::new(ArrowSchema::from_iter(fields));
        let options = WriteOptions { compression: None };
        let mut writer = FileWriter::try_new(Vec::new(), Arc::clone(&schema), None, options)?;
        writer.write(
            &RecordBatchT::try_new(self.rows.len(), schema, arrays)?,
            None,
        )?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}

/// The cells of a column in the narrowest type that holds them all.
fn array(cells: &[&str]) -> Box<dyn Array> {
    let given = || {
        cells
            .iter()
            .map(|cell| Some(*cell).filter(|cell| !cell.is_empty()))
    };
    let whole = given().map(|cell| cell.map(str::parse::<i64>).transpose());
    if let Ok(values) = whole.collect::<Result<Vec<_>, _>>() {
        return Int64Array::from_iter(values).boxed();
    }
    let numbers = given().map(|cell| cell.map(str::parse::<f64>).transpose());
    if let Ok(values) = numbers.collect::<Result<Vec<_>, _>>() {
        return Float64Array::from_iter(values).boxed();
    }
    let truths = given().map(|cell| cell.map(str::parse::<bool>).transpose());
    if let Ok(values) = truths.collect::<Result<Vec<_>, _>>() {
        return BooleanArray::from_iter(values).boxed();
    }
    Utf8Array::<i64>::from_iter(given()).boxed()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_arrow::datatypes::ArrowDataType;
    use polars_arrow::io::ipc::read::{FileReader, read_file_metadata};

    use super::*;

    #[test]
    fn an_arrow_file_has_types_and_nulls() {
        let cell = |name: &str, cell: &str| (name.to_owned(), cell.to_owned());
        let table = Table::new(vec![
            vec![
                cell("trial", "a"),
                cell("seed", "3"),
                cell("auroc", "0.5"),
                cell("pictures", "true"),
            ],
            vec![
                cell("trial", "b, 1"),
                cell("seed", "4"),
                cell("auroc", "NaN"),
                cell("loss", "1"),
            ],
        ]);
        assert_eq!(
            table.csv(),
            "trial,seed,auroc,loss,pictures\na,3,0.5,,true\n\"b, 1\",4,NaN,1,\n"
        );
        let mut bytes = Cursor::new(table.arrow().expect("a file"));
        let metadata = read_file_metadata(&mut bytes).expect("a head");
        let mut reader = FileReader::new(bytes, metadata, None, None);
        let batch = reader.next().expect("a batch").expect("a sound one");
        let types: Vec<&ArrowDataType> = batch.arrays().iter().map(|a| a.dtype()).collect();
        let expected = [
            ArrowDataType::LargeUtf8,
            ArrowDataType::Int64,
            ArrowDataType::Float64,
            ArrowDataType::Int64,
            ArrowDataType::Boolean,
        ];
        assert_eq!(types, expected.iter().collect::<Vec<_>>());
        let nulls: Vec<usize> = batch.arrays().iter().map(|a| a.null_count()).collect();
        assert_eq!(nulls, [0, 0, 0, 1, 1]);
    }
}
