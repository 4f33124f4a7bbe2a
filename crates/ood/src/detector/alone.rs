//! Single detectors outside a model.

use std::path::Path;

use super::{FitContext, OodDetector, Reason};
use crate::error::ModelFileError;
use crate::io::{read_tensors, write_tensors};
use crate::state::{StateReader, StateWriter};
use crate::{ActivationSet, DetectorSpec, Head};

impl DetectorSpec {
    /// Fits this detector alone to in-distribution images, or says why it cannot be.
    ///
    /// The head, where there is one, is taken to be the last layer of the model that gave the
    /// activations; [`Head::mismatch`](crate::Head::mismatch) tells whether it is.
    pub fn fit_alone(
        &self,
        set: &ActivationSet,
        head: Option<&Head>,
    ) -> Result<Box<dyn OodDetector>, Reason> {
        self.fit(&FitContext::new(set, head, self.neighbours()))
    }

    /// Reads a detector that [`save_detector`] wrote; the specification must be the one it was
    /// fitted with.
    pub fn load_alone(&self, path: &Path) -> Result<Box<dyn OodDetector>, ModelFileError> {
        let state = StateReader::new(read_tensors(path)?);
        self.load(&state)
            .map_err(|error| format_error(path, error.to_string()))
    }
}

/// Writes what a detector needs to score again as a safetensors file; the same detector gives the
/// same bytes.
pub fn save_detector(detector: &dyn OodDetector, path: &Path) -> Result<(), ModelFileError> {
    let mut state = StateWriter::default();
    detector.save(&mut state);
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    straylight_files::write_named(folder, |file| -> Result<String, ModelFileError> {
        write_tensors(&state.into_arrays(), file)?;
        Ok(name.into_owned())
    })?;
    Ok(())
}

fn format_error(path: &Path, reason: String) -> ModelFileError {
    let path = path.to_owned();
    ModelFileError::Format { path, reason }
}
