//! The help of every command.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Scratch, snapshot};

/// The names of the subcommands in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let after = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let lines = after.lines().take_while(|line| !line.is_empty());
    // Lines of a description that goes on are indented further.
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn check(scratch: &Scratch, path: &[String], seen: &mut usize) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = scratch.run(&arguments).expect(0).out;
    let name = if path.is_empty() {
        "straylight".to_owned()
    } else {
        path.join("-")
    };
    snapshot(&format!("help-{name}"), &scratch.normal(&help));
    *seen += 1;
    for below in subcommands(&help) {
        let path: Vec<String> = path.iter().cloned().chain([below]).collect();
        check(scratch, &path, seen);
    }
}

#[test]
fn every_command_has_the_help_that_it_had() {
    let mut seen = 0;
    check(&Scratch::new(), &[], &mut seen);
    assert!(seen > 40, "only {seen} commands were found");
}

#[test]
fn exit_codes_are_in_the_help() {
    let help = Scratch::new().run(&["--help"]).expect(0).out;
    for code in [
        "0 done",
        "1 failed",
        "2 arguments",
        "3 the good",
        "4 something",
    ] {
        assert!(help.contains(code), "{help}");
    }
}

#[test]
fn completions_and_manual_page_know_the_commands() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = scratch.run(&["completions", shell]).expect(0).out;
        assert!(
            script.contains("replay") && script.contains("deployment"),
            "{shell}"
        );
    }
    let manual = scratch.run(&["man"]).expect(0).out;
    assert!(
        manual.starts_with(".ie") && manual.contains("predict"),
        "{manual}"
    );
}
