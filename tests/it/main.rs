//! The command, driven as a person would drive it.

mod anogan;
mod anogan_trouble;
mod calibrate;
mod damage;
mod data;
mod dic;
mod dic_choice;
mod dic_command;
mod dic_hostile;
mod dic_lens;
mod dic_resume;
mod dic_series;
mod execute;
mod faults;
mod gone;
mod kill;
mod lost;
mod mask_rcnn;
mod neighbours;
mod own_data;
mod project;
mod shipped;
mod signals;
mod similarity;
mod speckle;
mod verbs;
