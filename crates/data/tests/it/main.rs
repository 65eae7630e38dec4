//! Everything that needs files, sockets or the data sets of this repository.

mod annotated_pictures;
mod annotation_faults;
mod annotation_files;
mod annotation_forms;
mod annotation_repairs;
mod bounds;
mod coded_pictures;
mod datasets;
mod folder_set;
mod hostile_bytes;
mod manifest_faults;
mod packages;
mod picture_kinds;
mod pictures;
mod real_data;
mod server;
mod several;
mod sources;
mod thermal_forms;
mod torch_weights;
