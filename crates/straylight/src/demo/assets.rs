//! Where the demo's deployment, photos and split are, and which photo plays which part.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::demo::DemoError;

/// A photo of the demo and what it shows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Photo {
    /// Path below the folder of assets.
    pub(super) file: PathBuf,
    /// Its class for photos of known classes; for strange ones the folder it came from.
    #[serde(alias = "folder")]
    pub(super) label: String,
}

impl Photo {
    /// Class or folder, and the file's name without extension: `wild_animal/koala`.
    pub(super) fn name(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default();
        format!("{}/{}", self.label, stem.to_string_lossy())
    }
}

/// Which photos the model was trained on, and which it meets for the first time.
#[derive(Debug, Deserialize)]
pub(super) struct Split {
    /// Photos that the head was fitted on.
    pub(super) train: Vec<Photo>,
    /// Held-out photos of the model's classes.
    pub(super) known: Vec<Photo>,
    /// Photos of other things.
    pub(super) strange: Vec<Photo>,
}

/// The demo's folder of assets.
#[derive(Debug)]
pub(super) struct Assets {
    folder: PathBuf,
    /// Who plays which part.
    pub(super) split: Split,
}

impl Assets {
    /// Opens the given folder, or finds the one that came with the program.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, DemoError> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => find()?,
        };
        let split = read_json(&folder.join("split.json"))?;
        Ok(Self { folder, split })
    }

    /// The deployment's folder.
    pub(super) fn deployment(&self) -> PathBuf {
        self.folder.join("deployment")
    }

    /// The project that the deployment was made for, as its file has it.
    pub(super) fn project_json(&self) -> Result<Value, DemoError> {
        read_json(&self.deployment().join("project.json"))
    }

    /// The file of a photo.
    pub(super) fn path(&self, photo: &Photo) -> PathBuf {
        self.folder.join(&photo.file)
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DemoError> {
    let text = straylight_files::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|source| DemoError::Json {
        path: path.to_owned(),
        source,
    })
}

/// Looks beside the program (an installation) and in the source tree (development).
fn find() -> Result<PathBuf, DemoError> {
    let places = places();
    let found = places
        .iter()
        .find(|place| place.join("split.json").is_file());
    found
        .cloned()
        .ok_or(DemoError::NoAssets { searched: places })
}

fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let program = std::env::current_exe().and_then(std::fs::canonicalize);
    if let Some(prefix) = program
        .ok()
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::parent)
    {
        places.push(prefix.join("share/straylight/demo"));
    }
    places.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo"));
    places
}
