//! Why a file could not be written or read, always with the path or the name concerned.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A fault of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// The HDF5 library refused: the file is truncated, damaged or no HDF5 file.
    #[error("cannot {action} {} as HDF5: {source}", path.display())]
    Hdf5 {
        /// What was tried, such as `open`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The refusal.
        source: Box<hdf5::Error>,
    },
    /// An HDF5 file that this crate did not write.
    #[error("{} is an HDF5 file, but not one that retrial wrote", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file of another version of this crate.
    #[error("{} has store format {found}, this program reads {supported}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The version stated in the file.
        found: i64,
        /// The version this crate writes.
        supported: i64,
    },
    /// The content is not what was written.
    #[error("{} is damaged: it states {stated}, its content is {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The hash stated in the file.
        stated: String,
        /// The hash of what was read.
        found: String,
    },
    /// Lengths in a file without a seal that lead nowhere.
    #[error("{} is damaged at byte {at}: a length there leads out of its place", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where.
        at: usize,
    },
    /// A file that lost its seal: its end, or more, was cut off.
    #[error("{} is damaged: the line at its end with the hash of its bytes is gone", path.display())]
    Unsealed {
        /// The file.
        path: PathBuf,
    },
    /// A sound file that belongs to something else.
    #[error("{} is not used: {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why, in words.
        reason: String,
    },
    /// An object of a kind that a tree cannot hold.
    #[error("`{name}` in {} is {found}, which a tree cannot hold", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The array, group or attribute.
        name: String,
        /// What it is.
        found: String,
    },
    /// A name or a text that HDF5 cannot keep, or that collides with another.
    #[error("the name `{name}` {reason}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text with a NUL character, which HDF5 would cut short.
    #[error("a text in `{name}` contains a NUL character")]
    NulInText {
        /// The array or attribute.
        name: String,
    },
    /// The number of values does not fit the shape.
    #[error("an array of shape {shape:?} does not hold {got} values")]
    ShapeMismatch {
        /// The stated shape.
        shape: Vec<usize>,
        /// Values given.
        got: usize,
    },
    /// An array that was asked for is not there.
    #[error("no array `{name}`")]
    Missing {
        /// The path in the tree.
        name: String,
    },
    /// An array holds another type than was asked for.
    #[error("array `{name}` holds {found}, expected {expected}")]
    WrongType {
        /// The path in the tree.
        name: String,
        /// The type asked for.
        expected: &'static str,
        /// The type there.
        found: &'static str,
    },
    /// The columns of a table differ in length.
    #[error("column `{column}` has {got} rows, the table has {expected}")]
    ColumnLength {
        /// The column.
        column: String,
        /// Rows of the columns before it.
        expected: usize,
        /// Its rows.
        got: usize,
    },
    /// Two columns of a table share a name.
    #[error("column `{column}` appears twice")]
    DuplicateColumn {
        /// The column.
        column: String,
    },
}

/// Adds the action and the path to an error of the operating system.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        action,
        path,
        source,
    }
}
