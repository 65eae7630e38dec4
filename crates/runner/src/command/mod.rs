//! One verb, one file, one `run`.

pub(crate) mod check;
pub(crate) mod claims;
pub(crate) mod completions;
mod conclude;
pub(crate) mod data;
mod data_check;
pub(crate) mod doctor;
pub(crate) mod pack;
pub(crate) mod plan;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod status;

pub(crate) use retrial_core::census::count;

use crate::failure::Failure;
pub(crate) use crate::terminal::{duration, print_json, table};

/// The ends of two checks as one: of two failures the first is printed, the second ends the command.
pub(crate) fn both(first: Result<(), Failure>, second: Result<(), Failure>) -> Result<(), Failure> {
    match (first, second) {
        (Err(first), Err(second)) => {
            first.print();
            Err(second)
        }
        (first, second) => first.and(second),
    }
}
