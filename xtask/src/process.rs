//! Running other programs with their command lines shown.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::Outcome;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The `cargo` that started this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a program in the root of the repository and says how long it took.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = shown(command);
    println!("$ {line}");
    let start = Instant::now();
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| format!("`{line}` cannot be started: {error}"))?;
    println!("  ({:.0} s)", start.elapsed().as_secs_f64());
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` failed: {status}"))
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy();
    let arguments = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name.into_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
