//! `straylight config`: which settings count, and where they come from.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::{Exit, Outcome};
use crate::output;
use crate::settings::{SETTINGS, Setting, Settings};

/// Arguments of `straylight config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Settings are the options --deployment, --store, --server, --state, --device, --precision,
--ffmpeg and --max-pixels of all commands that have them. A flag counts before the environment, the environment
before the file, the file before the default. The file is the one of --config or STRAYLIGHT_CONFIG,
else straylight.toml in the current folder, else straylight/config.toml in the user's configuration
folder:

  deployment = \"/data/birds\"
  store = \"/data/store\"

Examples:
  straylight config show
  straylight config show --config other.toml --json")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the value of every setting and where it comes from.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Shows the settings.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Outcome {
    let What::Show { json } = arguments.what;
    if json {
        let all: Vec<Value> = SETTINGS.iter().map(|one| as_json(one, settings)).collect();
        output::json(&all, "-".as_ref())?;
    } else {
        show(settings);
    }
    Ok(Exit::Success)
}

fn show(settings: &Settings) {
    match &settings.file {
        Some(file) => output::line(&format!("file: {}", file.display())),
        None => output::line("file: none"),
    }
    for setting in &SETTINGS {
        let (value, source) = found(setting, settings);
        let value = value.unwrap_or_else(|| "-".to_owned());
        output::line(&format!("{:10}  {value}  ({source})", setting.name));
    }
}

fn as_json(setting: &Setting, settings: &Settings) -> Value {
    let (value, source) = found(setting, settings);
    json!({ "name": setting.name, "value": value, "source": source })
}

/// The value that counts for a command without the flag, and where it comes from.
fn found(setting: &Setting, settings: &Settings) -> (Option<String>, String) {
    if let Ok(value) = std::env::var(setting.variable) {
        return (Some(value), format!("environment: {}", setting.variable));
    }
    if let (Some(value), Some(file)) = (settings.value(setting.name), &settings.file) {
        return (Some(value.to_owned()), format!("file: {}", file.display()));
    }
    match setting.default {
        Some(value) => (Some(value.to_owned()), "default".to_owned()),
        None => (None, "not set".to_owned()),
    }
}
