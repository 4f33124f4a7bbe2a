//! `straylight completions` and `straylight man`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::command;
use crate::exit::{Exit, Outcome};

/// Arguments of `straylight completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  straylight completions bash > ~/.local/share/bash-completion/completions/straylight")]
pub(crate) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &CompletionArguments) -> Outcome {
    let mut script = Vec::new();
    let mut program = command::Arguments::command();
    clap_complete::generate(arguments.shell, &mut program, "straylight", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Success)
}

/// Prints the manual page in roff.
pub(crate) fn manual() -> Outcome {
    clap_mangen::Man::new(command::Arguments::command()).render(&mut io::stdout())?;
    Ok(Exit::Success)
}
