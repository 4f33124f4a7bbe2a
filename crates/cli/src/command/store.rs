//! `straylight store`: the local store as a whole.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use straylight::store::{DiskUse, Page, Store, StoreError, restore};

use crate::exit::{Exit, Outcome};
use crate::output;

/// Arguments of `straylight store`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight store backup /mnt/backup/monday
  straylight store restore /mnt/backup/monday --store restored
  straylight store usage
  straylight store limit birds 20GB
  straylight store limit birds none")]
pub(crate) struct Arguments {
    /// Folder of the local store.
    #[arg(
        long,
        env = "STRAYLIGHT_STORE",
        default_value = "straylight-store",
        global = true
    )]
    store: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Copy the store as it is at this moment; servers and hooks go on meanwhile.
    Backup {
        /// Folder for the copy; empty or not there.
        folder: PathBuf,
    },
    /// Make a store (`--store`, empty or not there) of a backup, with every file checked.
    Restore {
        /// Folder of the backup.
        backup: PathBuf,
    },
    /// Show how much of the disk each project takes.
    Usage,
    /// Limit how much of the disk images and videos of a project may take.
    Limit {
        /// Name or identifier of the project.
        project: String,
        /// As 500MB, 20GB (powers of 1000), 20GiB (powers of 1024), or `none`.
        size: Size,
    },
}

/// Copies, restores, shows or limits.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let as_json = arguments.json;
    match &arguments.what {
        What::Restore { backup } => {
            let restored = restore(backup, &arguments.store)?;
            let text = format!(
                "{} is a store again, as of {}: {} files, {}, each as it was",
                arguments.store.display(),
                restored.created_at,
                restored.files,
                size(restored.bytes)
            );
            let value = json!({
                "store": arguments.store, "created_at": restored.created_at,
                "files": restored.files, "bytes": restored.bytes,
            });
            output::answer(as_json, &text, &value)?;
        }
        What::Backup { folder } => {
            let made = existing(arguments)?.backup(folder)?;
            let text = format!(
                "{}: {} images and videos, {} files in all, {}",
                folder.display(),
                made.media,
                made.files,
                size(made.bytes)
            );
            let value = json!({
                "backup": folder, "media": made.media, "files": made.files, "bytes": made.bytes,
            });
            output::answer(as_json, &text, &value)?;
        }
        What::Usage => return usage(&existing(arguments)?, as_json),
        What::Limit { project, size } => {
            let store = existing(arguments)?;
            let project = named(&store, project)?;
            store.set_disk_limit(&project.0, size.0)?;
            let used = store.disk_use(&project.0)?;
            output::answer(
                as_json,
                &as_text(&project, &used),
                &described(&project, &used),
            )?;
        }
    }
    Ok(Exit::Success)
}

/// A store that is there: these commands make none by mistake.
fn existing(arguments: &Arguments) -> Result<Store, Box<dyn std::error::Error>> {
    let path = &arguments.store;
    if !path.join("store.db").is_file() {
        let text = format!("`{}` is no store: name one with --store", path.display());
        return Err(text.into());
    }
    Ok(Store::open(path)?)
}

/// Identifier and name of a project.
type Named = (String, String);

/// The one project of this name or identifier.
fn named(store: &Store, wanted: &str) -> Result<Named, Box<dyn std::error::Error>> {
    let mut found = store.projects_named(wanted)?.into_iter();
    match (found.next(), found.next()) {
        (Some(project), None) => Ok((project.id, project.name)),
        (Some(_), Some(_)) => {
            Err(format!("several projects are named `{wanted}`: give the identifier").into())
        }
        (None, _) => {
            let project = store.project(wanted)?;
            Ok((project.id, project.name))
        }
    }
}

fn usage(store: &Store, as_json: bool) -> Outcome {
    let (projects, _) = store.projects(Page::ALL)?;
    let uses = projects
        .into_iter()
        .map(|project| Ok((store.disk_use(&project.id)?, (project.id, project.name))));
    let uses = uses.collect::<Result<Vec<_>, StoreError>>()?;
    if as_json {
        let list: Vec<Value> = uses
            .iter()
            .map(|(used, name)| described(name, used))
            .collect();
        output::json(&list, "-".as_ref())?;
    } else {
        for (used, name) in &uses {
            output::line(&as_text(name, used));
        }
    }
    Ok(Exit::Success)
}

fn described((id, name): &Named, used: &DiskUse) -> Value {
    json!({
        "id": id, "name": name, "media_bytes": used.media,
        "deployment_bytes": used.deployments, "limit_bytes": used.limit,
    })
}

fn as_text((id, name): &Named, used: &DiskUse) -> String {
    let limit = used.limit.map_or("no limit".to_owned(), |limit| {
        format!("limited to {}", size(limit))
    });
    format!(
        "{id}  {name}  images and videos {} ({limit}), deployments {}",
        size(used.media),
        size(used.deployments)
    )
}

/// Bytes for people, with three digits.
fn size(bytes: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.into_iter().find(|(unit, _)| bytes as f64 >= *unit);
    match unit {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{bytes} B"),
    }
}

/// A number of bytes, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(Option<u64>);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let wrong = || format!("`{text}` is no size: write 500MB, 20GB, 20GiB or none");
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let factor: u64 = match unit.trim().to_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1000_u64.pow(2),
            "gb" => 1000_u64.pow(3),
            "tb" => 1000_u64.pow(4),
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(wrong()),
        };
        Ok(Self(Some((number * factor as f64) as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        struct Case(&'static str, Option<Size>);
        for Case(text, expected) in [
            Case("none", Some(Size(None))),
            Case("1500", Some(Size(Some(1500)))),
            Case("1.5 kB", Some(Size(Some(1500)))),
            Case("20GB", Some(Size(Some(20_000_000_000)))),
            Case("2GiB", Some(Size(Some(2 << 30)))),
            Case("", None),
            Case("GB", None),
            Case("-1GB", None),
            Case("20 parsecs", None),
        ] {
            assert_eq!(text.parse::<Size>().ok(), expected, "{text}");
        }
        assert_eq!(
            (size(999), size(20_000_000_000)),
            ("999 B".into(), "20.0 GB".into())
        );
    }
}
