//! Everything that needs files, sockets or the data sets of this repository.

mod datasets;
mod manifest_faults;
mod packages;
mod pictures;
mod real_data;
mod server;
mod sources;
mod thermal_forms;
