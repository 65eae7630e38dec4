//! `retrial completions`: a shell's completion script.

use clap::CommandFactory as _;
use clap_complete::Shell;

pub(crate) fn run(shell: Shell) {
    let mut command = crate::cli::Cli::command();
    clap_complete::generate(shell, &mut command, "retrial", &mut std::io::stdout());
}
