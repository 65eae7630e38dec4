//! Runs a program by its command line: a verb of every program, or a command of one of its studies.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::cli::{self, Cli, Verb};
use crate::command;
use crate::execute::{signals, worker};
use crate::failure::Failure;
use crate::program::{Call, Ends, Program};

/// Runs a program by its command line.
pub fn main(program: &'static Program) -> ExitCode {
    retrial_elementary::link();
    retrial_core::program::set_name(program.name);
    let mut command_line = cli::command_line(program);
    let matches = command_line.get_matches_mut();
    let root = matches.get_one::<PathBuf>(cli::ROOT);
    let call = Call {
        program,
        root: root.map(PathBuf::as_path),
    };
    let own = matches.subcommand().and_then(|(name, matches)| {
        let own = program.commands().find(|own| own.name == name)?;
        Some((own, matches))
    });
    if let Some((own, matches)) = own {
        return ended(own.ends, || (own.run)(&call, matches));
    }
    let cli = Cli::from_arg_matches(&matches);
    let cli = cli.unwrap_or_else(|error| error.format(&mut command_line).exit());
    let ends = match &cli.verb {
        Verb::Worker { probe: None } => return worker::main(program),
        Verb::Worker {
            probe: Some(device),
        } => return command::doctor::probe_here(program, device),
        // What they say to workers must not end them: a worker may die.
        Verb::Run(_) | Verb::Reproduce(_) => Ends::WhenAsked,
        _ => Ends::AtOnce,
    };
    ended(ends, || run(&call, &cli.verb))
}

/// Does the work of a command, and gives the exit code of its end.
fn ended(ends: Ends, work: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    let ready = match ends {
        Ends::AtOnce => {
            sigpipe::reset();
            Ok(())
        }
        Ends::WhenAsked => signals::install(),
    };
    match ready.and_then(|()| work()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}

fn run(call: &Call<'_>, verb: &Verb) -> Result<(), Failure> {
    let workspace = || call.workspace();
    match verb {
        Verb::Check(args) => command::check::run(&workspace()?, args),
        Verb::Plan(args) => command::plan::run(&workspace()?, args),
        Verb::Run(args) => command::run::run(&workspace()?, args),
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
        Verb::Schema(args) => command::schema::run(call, args),
        Verb::Reference(args) => {
            command::reference::run(call.program, args.of);
            Ok(())
        }
        Verb::Doctor(args) => command::doctor::run(call, args),
        Verb::Completions { shell } => {
            command::completions::run(call.program, *shell);
            Ok(())
        }
        Verb::Worker { .. } => Ok(()),
    }
}
