//! The command that comes with the study.

mod similarity;

use clap::Args as _;
use retrial_runner::{Command, Ends, arguments};

use crate::cli::SimilarityArgs;

pub(crate) const COMMANDS: &[Command] = &[Command {
    name: "similarity",
    about: "Weigh and draw one's own pictures by the similarity of their texture to a target domain",
    arguments: SimilarityArgs::augment_args,
    run: |_, matches| similarity::run(&arguments(matches)),
    ends: Ends::AtOnce,
    replaces: &[],
}];
