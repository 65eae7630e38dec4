//! Records to tables, figures, verdicts and pages.
//!
//! A report is a pure function of what a results folder holds: the sheet of each experiment, the
//! records of its trials and their tables. It needs no spec, no data and no study, and the same
//! records give the same bytes, so that [`check`] can tell a stale report from a fresh one.

mod checklist;
mod csv_text;
mod error;
mod frame;
mod load;
mod loaded;
mod number;
mod pack;
mod page;
mod parallel;
mod plot;
mod quantity;
mod render;
mod table;
mod verdict;
mod view;

pub use error::ReportError;
pub use load::{
    Damaged, Experiment, has_records, load, load_experiment, read_attempt, read_finished,
    read_sheet,
};
pub use loaded::Loaded;
pub use pack::write::{Export, Packing, export, pack};
pub use pack::{ATTEMPTS_FILE, PACK_FOLDERS, Pack, Packed, TRIALS_FILE, record_text, without_rows};
pub use plot::{
    HistogramWords, SheetPicture, SheetRow, classes_png, contact_sheet_png, field_png,
    figure_kinds, gray_png, histogram_png,
};
pub use render::{KeptPage, ReportSummary, check, kept, render};
pub use verdict::{ClaimRow, Ours, verdicts};
