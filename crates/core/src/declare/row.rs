//! Rows of tables as structs: the columns that a table has are the fields of its row.

use crate::metric::TableDef;

/// The cells of a column of a table, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers.
    Float(Vec<f64>),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Texts.
    Text(Vec<String>),
}

/// A type that the cells of a column can have.
pub trait Cell: Sized {
    /// The cells of one column.
    fn cells(column: impl Iterator<Item = Self>) -> Cells;
}

impl Cell for f64 {
    fn cells(column: impl Iterator<Item = Self>) -> Cells {
        Cells::Float(column.collect())
    }
}

impl Cell for usize {
    fn cells(column: impl Iterator<Item = Self>) -> Cells {
        Cells::Int(
            column
                .map(|cell| i64::try_from(cell).unwrap_or(i64::MAX))
                .collect(),
        )
    }
}

impl Cell for i64 {
    fn cells(column: impl Iterator<Item = Self>) -> Cells {
        Cells::Int(column.collect())
    }
}

impl Cell for String {
    fn cells(column: impl Iterator<Item = Self>) -> Cells {
        Cells::Text(column.collect())
    }
}

impl Cell for &'static str {
    fn cells(column: impl Iterator<Item = Self>) -> Cells {
        Cells::Text(column.map(str::to_owned).collect())
    }
}

/// A row of a table that trials leave beside their metrics, as a struct with a field a column.
pub trait Row: Sized {
    /// The table.
    const TABLE: TableDef;

    /// The cells of every column, in order.
    fn columns(rows: &[Self]) -> Vec<Cells>;
}

/// The tables of a file, of which each is declared by the struct that is its row: its name, the names of its columns,
/// their units and meanings stand here and nowhere else.
///
/// ```
/// use retrial_core::declare::{Cells, Row as _};
/// retrial_core::rows! {
///     /// What a training leaves.
///     const TABLES;
///
///     /// One row an epoch.
///     pub struct Epoch in "training" {
///         /// Epoch, from 1.
///         epoch: usize;
///         /// Time, from the start.
///         time: f64, unit "s";
///     }
/// }
/// let rows = [Epoch { epoch: 1, time: 0.5 }];
/// assert_eq!(Epoch::columns(&rows)[0], Cells::Int(vec![1]));
/// assert_eq!((TABLES[0].name, TABLES[0].columns[1].unit), ("training", "s"));
/// ```
#[macro_export]
macro_rules! rows {
    (
        $(#[doc = $of_all:literal])+
        $all_vis:vis const $all:ident;
        $(
            $(#[doc = $about:literal])+
            $vis:vis struct $name:ident in $table:literal $(was $($old_table:literal)+)? { $($columns:tt)+ }
        )+
    ) => {
        $(#[doc = $of_all])+
        $all_vis const $all: &[$crate::metric::TableDef] =
            &[$(<$name as $crate::declare::Row>::TABLE),+];
        $($crate::row! {
            $(#[doc = $about])+
            $vis struct $name in $table $(was $($old_table)+)? { $($columns)+ }
        })+
    };
}

/// One struct of [`rows`].
#[doc(hidden)]
#[macro_export]
macro_rules! row {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident in $table:literal $(was $($old_table:literal)+)? {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(was $($old:literal)+)?: $type:ty $(, unit $unit:literal)?
            );+ $(;)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl $crate::declare::Row for $name {
            const TABLE: $crate::metric::TableDef = $crate::metric::TableDef {
                name: $table,
                columns: &[
                    $($crate::metric::ColumnDef {
                        name: stringify!($field),
                        unit: concat!($($unit)?),
                        was: &[$($($old),+)?],
                        doc: concat!($($doc),+).trim_ascii(),
                    }),+
                ],
                was: &[$($($old_table),+)?],
                doc: concat!($($about),+).trim_ascii(),
            };

            fn columns(rows: &[Self]) -> Vec<$crate::declare::Cells> {
                vec![$(
                    <$type as $crate::declare::Cell>::cells(rows.iter().map(|row| row.$field.clone()))
                ),+]
            }
        }
    };
}
