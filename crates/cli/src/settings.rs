//! Settings from a TOML file, beneath the environment and the flags.
//!
//! A setting has the name of an option and counts for every command that has this option. The
//! file is the one named by `--config` or `STRAYLIGHT_CONFIG`, else `straylight.toml` in the
//! current folder, else `straylight/config.toml` in the user's configuration folder. Its values
//! become the defaults of the options, so that a flag or a variable has the last word.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::builder::OsStr;
use clap::{Arg, Command, Id};
use strsim::levenshtein;

/// A setting: its name, the variable of the environment, its default, and what it is.
pub(crate) struct Setting {
    /// Name of the option and of the key.
    pub(crate) name: &'static str,
    /// Variable of the environment.
    pub(crate) variable: &'static str,
    /// What counts if nothing is said.
    pub(crate) default: Option<&'static str>,
}

const fn setting(
    name: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
) -> Setting {
    Setting {
        name,
        variable,
        default,
    }
}

/// All settings.
pub(crate) const SETTINGS: [Setting; 8] = [
    setting("deployment", "STRAYLIGHT_DEPLOYMENT", None),
    setting("store", "STRAYLIGHT_STORE", None),
    setting("server", "STRAYLIGHT_SERVER", None),
    setting("state", "STRAYLIGHT_HOOK_STATE", None),
    setting("device", "STRAYLIGHT_DEVICE", Some("CPU")),
    setting("precision", "STRAYLIGHT_PRECISION", Some("f32")),
    setting("ffmpeg", "STRAYLIGHT_FFMPEG", Some("ffmpeg")),
    setting("max-pixels", "STRAYLIGHT_MAX_PIXELS", Some("134217728")),
];

/// Name of the file in the current folder.
const FILE: &str = "straylight.toml";
/// Name of the file in the user's configuration folder.
const USER_FILE: &str = "straylight/config.toml";

/// The settings of a file.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The file, if there is one.
    pub(crate) file: Option<PathBuf>,
    values: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the file that is named, or the first that is there.
    pub(crate) fn find(named: Option<PathBuf>) -> Result<Self, String> {
        let file = match named {
            Some(file) => Some(file),
            None => standard_places().into_iter().find(|place| place.is_file()),
        };
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let values = parse(&text).map_err(|reason| format!("{}: {reason}", file.display()))?;
        Ok(Self {
            file: Some(file),
            values,
        })
    }

    /// The value of a setting in the file.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Makes the values the defaults of all options of these names, in all subcommands.
    pub(crate) fn apply(&self, command: Command) -> Command {
        let options: Vec<(Id, &Setting)> = command
            .get_arguments()
            .filter_map(|argument| {
                let name = argument.get_long()?;
                let setting = SETTINGS.iter().find(|setting| setting.name == name)?;
                Some((argument.get_id().clone(), setting))
            })
            .collect();
        let command = options.into_iter().fold(command, |command, (id, setting)| {
            let value = self
                .value(setting.name)
                .map(|value| OsStr::from(value.to_owned()));
            command.mut_arg(id, |argument| with_value(argument, setting, value))
        });
        let below: Vec<String> = command
            .get_subcommands()
            .map(|below| below.get_name().to_owned())
            .collect();
        below.iter().fold(command, |command, name| {
            command.mut_subcommand(name, |below| self.apply(below))
        })
    }
}

fn with_value(argument: Arg, setting: &Setting, value: Option<OsStr>) -> Arg {
    let argument = argument.env(setting.variable);
    match value {
        // An option with a default cannot be required.
        Some(value) => argument.required(false).default_value(value),
        None => argument,
    }
}

fn standard_places() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let user = variable("XDG_CONFIG_HOME")
        .or_else(|| variable("APPDATA"))
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&variable("HOME")?).join(".config")));
    let user = user.map(|folder| folder.join(USER_FILE));
    std::iter::once(PathBuf::from(FILE)).chain(user).collect()
}

/// The known keys of a file; an unknown key is an error, with the nearest known one.
fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        if !SETTINGS.iter().any(|setting| setting.name == key) {
            return Err(unknown(&key));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            _ => return Err(format!("`{key}` must be a text in quotes")),
        };
        values.insert(key, value);
    }
    Ok(values)
}

fn unknown(key: &str) -> String {
    let names = SETTINGS.map(|setting| setting.name);
    let nearest = names.iter().min_by_key(|name| levenshtein(key, name));
    match nearest.filter(|name| levenshtein(key, name) <= 2) {
        Some(name) => format!("there is no setting `{key}`; did you mean `{name}`?"),
        None => format!(
            "there is no setting `{key}`; there are: {}",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        struct Case(&'static str, Result<&'static str, &'static str>);
        for Case(text, wanted) in [
            Case("store = \"a/b\"", Ok("a/b")),
            Case("stor = \"a\"", Err("did you mean `store`?")),
            Case("colour = \"a\"", Err("there are: deployment, store")),
            Case("store = []", Err("`store` must be a text")),
            Case("store = ", Err("line 1")),
        ] {
            match (parse(text), wanted) {
                (Ok(values), Ok(value)) => assert_eq!(values["store"], value),
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
