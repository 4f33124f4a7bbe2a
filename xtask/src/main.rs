//! The project's own chores: `cargo xtask <chore>`.

// A chore talks to the developer's terminal and has no caller to hand errors to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod build_time;
#[cfg(test)]
mod crate_table;
mod demo_seeds;
mod fuzz;
mod lint;
mod process;
mod python;
mod soak;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
The project's own chores.

Usage: cargo xtask <chore> [arguments]

  test [WHAT]        run every test there is; installs what it needs. WHAT: `peers` (hooks with real
                     brokers and buckets), `python` (the package), `sdk` (the Python SDK against
                     our server), `pages`, or names of Cargo's tests
  lint               check format, lints, licences and sources
  build-time         build the default features from nothing and print how long it took
  soak [FORM] [N]    trouble hooks for a long time: kills, clock, disk and limit with N (300)
                     kills each, hang for N (60) seconds; without a form all but limit
  fuzz NAME [N]      fuzz a target, or each of a group (images, annotations, models, ood, server), for
                     N (600) seconds; `fuzz/README.md` lists them
  demo-seeds [N]     run the demo on N splits (5) of its photos, each with a head fitted anew
  help               print this
";

/// What a chore comes to: nothing, or what went wrong and what to do.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Outcome {
    match words {
        ["test", filters @ ..] => test::run(filters),
        ["lint"] => lint::run(),
        ["fuzz", name] => fuzz::run(name, "600"),
        ["fuzz", name, seconds] => fuzz::run(name, seconds),
        ["build-time"] => build_time::run(),
        ["soak", arguments @ ..] => soak::run(arguments),
        ["demo-seeds"] => demo_seeds::run(5),
        ["demo-seeds", count] => demo_seeds::run(
            count
                .parse()
                .map_err(|_| format!("`{count}` is not a number"))?,
        ),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [unknown, ..] => Err(format!("no chore is called `{unknown}`\n\n{HELP}")),
    }
}
