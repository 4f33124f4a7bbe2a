//! The files of a fitted model, in one folder beside the deployment.
//!
//! - `ood_model.json`: format version, kind, detectors with their settings, threshold and
//!   promise, provenance, and the BLAKE3 hash of the arrays' file;
//! - `ood_arrays.safetensors`: all numbers.
//!
//! The arrays are written first and the JSON, which names their hash in its file name and
//! content, last: a fit that is interrupted leaves the old model whole. The same fit gives the
//! same bytes: no clock and no random name is written.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ModelKind, OodModel};
use crate::combine::Combination;
use crate::cross_fit::Members;
use crate::error::ModelFileError;
use crate::io::{read_tensors, write_tensors};
use crate::state::{StateReader, StateWriter};
use crate::{DetectorSpec, Threshold};

/// Newest version of the format.
const VERSION: u32 = 1;
const MODEL_FILE: &str = "ood_model.json";

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Hash of the deployed model whose activations it was fitted on; any stable text.
    pub model_hash: Option<String>,
    /// How JPEG files were decoded for the fit; versions that decoded all pixels did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg_decoding: Option<String>,
    /// What it was fitted on, for people: project, data sets, number of images.
    pub description: String,
    /// When it was fitted, as the caller's clock says; RFC 3339.
    pub created_at: Option<String>,
}

/// Which deployed model a loaded OOD model must belong to.
#[derive(Debug, Clone, Copy)]
pub enum ModelBinding<'a> {
    /// The model with this hash; an OOD model without a hash is accepted.
    Model(&'a str),
    /// Any model.
    Any,
}

/// The content of `ood_model.json`.
#[derive(Debug, Serialize, Deserialize)]
struct ModelFile {
    version: u32,
    kind: ModelKind,
    dimensions: usize,
    classes: usize,
    detectors: Vec<DetectorSpec>,
    combination: String,
    threshold: Threshold,
    provenance: Provenance,
    arrays: String,
    arrays_blake3: String,
}

impl OodModel {
    /// Writes the model into a folder, which is made if it is missing; a model that is there is
    /// replaced, as a whole or not at all.
    pub fn save(&self, folder: &Path) -> Result<(), ModelFileError> {
        let mut state = StateWriter::default();
        for (_, detector) in &self.members.list {
            detector.save(&mut state);
        }
        self.combination.save(&mut state);
        let path = folder.join(MODEL_FILE);
        let failed = |reason: String| ModelFileError::Format {
            path: path.clone(),
            reason,
        };
        let tensors = state.into_arrays();
        let mut hash = String::new();
        let arrays =
            straylight_files::write_named(folder, |file| -> Result<String, ModelFileError> {
                write_tensors(&tensors, file)?;
                hash = straylight_files::content_hash(file)?.to_hex().to_string();
                Ok(format!("ood_arrays_{}.safetensors", &hash[..16]))
            })?;
        let arrays = arrays.file_name().unwrap_or_default();
        let arrays = arrays.to_string_lossy().into_owned();
        let file = ModelFile {
            version: VERSION,
            kind: self.kind,
            dimensions: self.dimensions,
            classes: self.classes,
            detectors: self.members.specs(),
            combination: self.combination.section().to_owned(),
            threshold: self.threshold,
            provenance: self.provenance.clone(),
            arrays: arrays.clone(),
            arrays_blake3: hash,
        };
        let mut text = serde_json::to_vec_pretty(&file).map_err(|e| failed(e.to_string()))?;
        text.push(b'\n');
        straylight_files::write_atomically(&path, &text)?;
        remove_others(folder, &arrays);
        Ok(())
    }

    /// Whether a folder holds a saved model.
    pub fn exists(folder: &Path) -> bool {
        folder.join(MODEL_FILE).is_file()
    }

    /// Reads a model from a folder; large arrays are mapped into memory, not copied.
    ///
    /// Fails when files are missing, damaged (their hash is checked) or from a newer program, and
    /// when the model was fitted for another deployed model than `binding` names.
    pub fn load(folder: &Path, binding: ModelBinding<'_>) -> Result<Self, ModelFileError> {
        let path = folder.join(MODEL_FILE);
        let file = read_model_file(&path)?;
        check_binding(&path, &file, binding)?;
        let arrays_path = arrays_path(folder, &file.arrays)
            .ok_or_else(|| format_error(&path, "`arrays` is not the name of a file beside it"))?;
        if !arrays_path.is_file() {
            let reason = format!(
                "it names `{}`, which is not beside it: copy the whole folder again, or fit again",
                file.arrays
            );
            return Err(format_error(&path, reason));
        }
        check_hash(&arrays_path, &file.arrays_blake3)?;
        let state = StateReader::new(read_tensors(&arrays_path)?);
        let failed = |reason: &dyn std::fmt::Display| format_error(&arrays_path, reason);
        let mut members = Members::default();
        for spec in file.detectors {
            let detector = spec.load(&state).map_err(|error| failed(&error))?;
            members.list.push((spec, detector));
        }
        let combination = Combination::load(&state, &file.combination, members.list.len())
            .map_err(|error| failed(&error))?
            .ok_or_else(|| format_error(&path, "the combination is of an unknown kind"))?;
        Ok(Self {
            kind: file.kind,
            dimensions: file.dimensions,
            classes: file.classes,
            members,
            combination,
            threshold: file.threshold,
            provenance: file.provenance,
        })
    }
}

/// Refuses arrays that are not those that were written.
fn check_hash(path: &Path, expected: &str) -> Result<(), ModelFileError> {
    if straylight_files::content_hash(path)?.to_hex().as_str() == expected {
        return Ok(());
    }
    let reason = "the file is damaged (its hash is wrong): fit again, or copy the OOD model again";
    Err(format_error(path, reason))
}

fn format_error(path: &Path, reason: impl std::fmt::Display) -> ModelFileError {
    ModelFileError::Format {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Only a plain file name is followed: a model file from elsewhere cannot point outside its folder.
fn arrays_path(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = Path::new(name).file_name().is_some_and(|file| file == name);
    plain.then(|| folder.join(name))
}

fn read_model_file(path: &Path) -> Result<ModelFile, ModelFileError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let text = straylight_files::read(path)?;
    let failed = |error: serde_json::Error| {
        format_error(
            path,
            format!("this is not the description of an OOD model: {error}"),
        )
    };
    let Version { version: found } = serde_json::from_slice(&text).map_err(failed)?;
    if found > VERSION {
        return Err(ModelFileError::Version {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    serde_json::from_slice(&text).map_err(failed)
}

fn check_binding(
    path: &Path,
    file: &ModelFile,
    binding: ModelBinding<'_>,
) -> Result<(), ModelFileError> {
    match (binding, &file.provenance.model_hash) {
        (ModelBinding::Model(actual), Some(expected)) if actual != expected => {
            Err(ModelFileError::OtherModel {
                path: path.to_owned(),
                expected: expected.clone(),
                actual: actual.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// Removes arrays that no model names any more; what cannot be removed stays, and does no harm.
fn remove_others(folder: &Path, kept: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("ood_arrays_") && name.ends_with(".safetensors") && name != kept {
            // A reader may have it mapped: the map outlives the name.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
