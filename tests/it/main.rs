//! The command, driven as a person would drive it.

mod anogan;
mod anogan_trouble;
mod data;
mod dic;
mod execute;
mod faults;
mod kill;
mod mask_rcnn;
mod project;
mod shipped;
mod verbs;
