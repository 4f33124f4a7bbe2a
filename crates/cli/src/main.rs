//! The `straylight` program; everything is in its library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(straylight_cli::main_with(std::env::args_os()))
}
