//! The files of a deployment folder.
//!
//! ```text
//! <root>/deployment/project.json
//! <root>/deployment/hook_config.json                     optional
//! <root>/deployment/ood/                                 optional: a fitted OOD model
//! <root>/deployment/<title of a trainable task>/model.json
//!                                              /hyper_parameters.json      optional
//!                                              /python/requirements.txt    optional
//!                                              /model/model.xml, model.bin
//!                                              /model/config.json          optional
//! ```
//!
//! A folder with `model.xml` or `model.onnx` whose `model_info` says all is a deployment as well:
//! so are those that Geti 3 gives (`self_described.rs`).
//!
//! Saving copies every file byte for byte from where the deployment was loaded, so that keys
//! which Straylight does not know survive, and save, load, save gives the same bytes. The new
//! folder is completed beside its place and then renamed into it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;
use straylight_core::Task;
use straylight_files::{self as files, FileError};

use crate::{DeployError, archive, custom, self_described};

/// Name of the folder below the root.
pub(crate) const DEPLOYMENT: &str = "deployment";
/// Name of the project's description.
pub(crate) const PROJECT: &str = "project.json";

/// The folder that holds `project.json`, the description of a model, or a model that describes
/// itself: the given one, or its subfolder `deployment`.
///
/// # Errors
///
/// [`DeployError::NotADeployment`] when neither does, [`DeployError::Zipped`] for a zip file,
/// [`DeployError::File`] when the folder cannot be read.
pub fn find(path: &Path) -> Result<PathBuf, DeployError> {
    let inner = path.join(DEPLOYMENT);
    let candidates = [path.to_owned(), inner];
    let is_deployment = |folder: &PathBuf| {
        folder.join(PROJECT).exists()
            || custom::find(folder).is_some()
            || self_described::find(folder).is_some()
    };
    if let Some(folder) = candidates.into_iter().find(is_deployment) {
        return Ok(folder);
    }
    if archive::is_zip(path) {
        return Err(DeployError::Zipped {
            path: path.to_owned(),
        });
    }
    // A folder that may not be listed looks empty; say so rather than that a file is missing.
    fs::read_dir(path).map_err(|source| FileError::new("read the folder", path, source))?;
    Err(DeployError::NotADeployment {
        path: path.to_owned(),
        missing: PROJECT,
    })
}

/// The folder of a trainable task, which bears the task's title.
///
/// A title that would lead out of the deployment is refused.
pub(crate) fn of_task(folder: &Path, task: &Task) -> Result<PathBuf, DeployError> {
    let mut components = Path::new(&task.title).components();
    if let (Some(Component::Normal(name)), None) = (components.next(), components.next()) {
        return Ok(folder.join(name));
    }
    let reason = format!("`{}` cannot be the name of a folder", task.title);
    Err(DeployError::config(&folder.join(PROJECT), "title", reason))
}

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DeployError> {
    let bytes = files::read(path)?;
    let wrong = |error: serde_json::Error| DeployError::Json {
        path: path.to_owned(),
        reason: format!("is not the JSON that it should be: {error}"),
    };
    serde_json::from_slice(&bytes).map_err(wrong)
}

/// Copies a deployment folder to `<root>/deployment`; `finish` may add to the copy before it
/// takes its place.
///
/// A deployment that is already there is replaced as a whole; when anything fails it stays.
pub(crate) fn save(
    source: &Path,
    root: &Path,
    finish: impl FnOnce(&Path) -> Result<(), DeployError>,
) -> Result<(), DeployError> {
    files::create_folder(root)?;
    let work = tempfile::Builder::new()
        .prefix(".deployment-")
        .tempdir_in(root);
    let work = work.map_err(|error| FileError::new("create a folder in", root, error))?;
    let copy = work.path().join("new");
    copy_folder(source, &copy)?;
    finish(&copy)?;
    replace(&copy, &root.join(DEPLOYMENT), &work.path().join("old"))?;
    Ok(())
}

fn replace(new: &Path, place: &Path, old: &Path) -> Result<(), FileError> {
    let had_one = place.exists();
    if had_one {
        fs::rename(place, old).map_err(|error| FileError::new("replace", place, error))?;
    }
    let placed = fs::rename(new, place);
    if placed.is_err() && had_one {
        // Best effort: the reason why the rename failed is what the caller must hear.
        let _ = fs::rename(old, place);
    }
    placed.map_err(|error| FileError::new("create", place, error))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), FileError> {
    files::create_folder(to)?;
    let list = |error| FileError::new("read the folder", from, error);
    for entry in fs::read_dir(from).map_err(list)? {
        let source = entry.map_err(list)?.path();
        let Some(name) = source.file_name() else {
            continue;
        };
        let target = to.join(name);
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), FileError> {
    let mut source = fs::File::open(from).map_err(|error| FileError::new("read", from, error))?;
    let copied = fs::File::create(to).and_then(|mut target| {
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    });
    copied.map_err(|error| FileError::new("write", to, error))
}
