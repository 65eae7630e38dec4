//! Named arrays with attributes in HDF5, and the other files that retrial writes: checkpoints,
//! displacement fields, tables. [`Quantity`] columns become CSV, [`npy`] and [`vtk`] files too. The only crate that sees HDF5; it knows nothing of trials.
//!
//! Every file is written beside its final name, closed, synced and renamed, so a reader finds
//! either the old file or the whole new one, whenever the writer is killed.

#[cfg(all(feature = "hdf5-source", feature = "hdf5-system"))]
compile_error!(
    "the features `hdf5-source`, a default, and `hdf5-system` exclude each other: add --no-default-features"
);

mod atomic;
mod checkpoint;
mod content;
pub mod csv;
mod error;
mod file;
pub mod npy;
mod quantity;
mod seal;
pub mod tiff;
mod tree;
pub mod vtk;

pub use atomic::{atomic_stream, atomic_write, remove_leftovers, sync_folder};
pub use checkpoint::{Loaded, load_latest, save_checkpoint};
pub use error::StoreError;
pub use file::{Packing, content_hash, read, write, write_packed};
pub use quantity::{Quantity, Values};
pub use tree::{Array, ArrayData, Attributes, Element, Tree, Value};
