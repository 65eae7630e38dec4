//! The command, driven as a person would drive it.

mod anogan;
mod anogan_trouble;
mod calibrate;
mod data;
mod dic;
mod dic_choice;
mod dic_command;
mod dic_hostile;
mod execute;
mod faults;
mod kill;
mod mask_rcnn;
mod project;
mod shipped;
mod signals;
mod similarity;
mod speckle;
mod verbs;
