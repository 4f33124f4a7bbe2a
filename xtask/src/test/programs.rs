//! Programs of the system that tests need.

use std::process::{Command, Stdio};

use crate::Outcome;
use crate::process::run;

/// Installs the programs that are missing, where this user may.
///
/// # Errors
///
/// Names what is missing where it cannot be installed: a test that needs it must not pass.
pub(crate) fn install(programs: &[&str]) -> Outcome {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|program| !is_there(program))
        .map(|program| package_of(program))
        .collect();
    if missing.is_empty() || try_install(&missing) {
        return Ok(());
    }
    Err(format!(
        "tests need packages that are not installed: {}. Only root on a machine with apt-get has \
         them installed here; install them yourself and run the tests again",
        missing.join(", ")
    ))
}

/// The name of Debian's package with a program.
fn package_of(program: &str) -> &str {
    match program {
        "node" => "nodejs",
        "mosquitto_sub" => "mosquitto-clients",
        program => program,
    }
}

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    // Some end with a code of their own after it; what is not there cannot be started.
    command.arg("--help").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

fn try_install(packages: &[&str]) -> bool {
    println!("The tests need {}.", packages.join(", "));
    let mut id = Command::new("id");
    let is_root = id
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        run(command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"))
        .is_ok()
    };
    let install = [&["install", "-y", "--no-install-recommends"][..], packages].concat();
    is_root && is_there("apt-get") && apt(&["update"]) && apt(&install)
}
