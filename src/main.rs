//! The command `retrial`: one match over the verbs.

/// As the macro of the standard library, but a reader that went away is no reason to die: what
/// goes to standard error is advice, and a run must not end because nobody listens.
macro_rules! eprintln {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

/// As [`eprintln`], without the end of the line.
macro_rules! eprint {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($argument)*);
    }};
}

mod cli;
mod command;
mod diagnostic;
mod execute;
mod experiment;
mod failure;
mod freshness;
mod integrity;
mod selected;
mod stage_tree;
mod studies;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Verb};
use crate::failure::Failure;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    retrial_elementary::link();
    let cli = Cli::parse();
    match cli.verb {
        Verb::Worker { probe: None } => return execute::worker::main(),
        Verb::Worker {
            probe: Some(device),
        } => return command::doctor::probe_here(device),
        _ => {}
    }
    // Verbs that print facts end quietly when their reader goes away, as in `retrial plan | head`.
    // Those that take long must not: their files are what counts, and a run writes to workers, which may die.
    if !matches!(cli.verb, Verb::Run(_) | Verb::Reproduce(_) | Verb::Dic(_)) {
        sigpipe::reset();
    } else if let Err(failure) = execute::signals::install() {
        failure.print();
        return failure.code();
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let workspace = || Workspace::find(cli.root.as_deref());
    match &cli.verb {
        Verb::Check(args) => command::check::run(&workspace()?, args),
        Verb::Plan(args) => command::plan::run(&workspace()?, args),
        Verb::Run(args) => command::run::run(&workspace()?, &args.selection, &args.options),
        Verb::Reproduce(args) => command::run::reproduce(&workspace()?, args),
        Verb::Status(args) => command::status::run(&workspace()?, args),
        Verb::Show(args) => command::show::run(&workspace()?, args),
        Verb::Claims(args) => command::claims::run(&workspace()?, args),
        Verb::Report(args) => command::report::run(&workspace()?, args),
        Verb::Pack(args) => command::pack::run(&workspace()?, args),
        Verb::Unpack(args) => command::pack::unpack(&workspace()?, args),
        Verb::Prune(args) => command::records::prune(&workspace()?, args),
        Verb::Rm(args) => command::records::rm(&workspace()?, args),
        Verb::Rename(args) => command::records::rename(&workspace()?, args),
        Verb::Export(args) => command::records::export(&workspace()?, args),
        Verb::Data(verb) => command::data::run(&workspace()?, verb),
        Verb::Schema(args) => command::schema::run(cli.root.as_deref(), args),
        Verb::Reference(args) => {
            command::reference::run(args.of);
            Ok(())
        }
        Verb::Doctor(args) => command::doctor::run(cli.root.as_deref(), args),
        Verb::Completions { shell } => {
            command::completions::run(*shell);
            Ok(())
        }
        Verb::Dic(args) => command::dic::run(args),
        Verb::Calibrate(args) => command::calibrate::run(cli.root.as_deref(), args),
        Verb::Speckle(args) => command::speckle::run(cli.root.as_deref(), args),
        Verb::Similarity(args) => command::similarity::run(args),
        Verb::Worker { .. } => Ok(()),
    }
}
