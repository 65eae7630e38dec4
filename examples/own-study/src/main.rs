//! The command `buffon`: the list of its studies, which is one.

use std::process::ExitCode;

use buffon::Buffon;
use retrial_runner::{Program, build_info};

static PROGRAM: Program = Program::new(
    "buffon",
    "Throws Buffon's needle as often as Lazzarini reported in 1901.",
    build_info!(),
    &[&Buffon],
);

fn main() -> ExitCode {
    retrial_runner::main(&PROGRAM)
}
