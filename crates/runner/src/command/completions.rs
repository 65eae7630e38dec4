//! `retrial completions`: a shell's completion script.

use clap_complete::Shell;

use crate::cli::command_line;
use crate::program::Program;

pub(crate) fn run(program: &'static Program, shell: Shell) {
    let mut command = command_line(program);
    clap_complete::generate(shell, &mut command, program.name, &mut std::io::stdout());
}
