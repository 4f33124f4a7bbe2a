use std::sync::Arc;

use straylight_geti::GetiError;
use straylight_sources::{Frames, SourceError, SourceOptions, Spec, open_spec};

use crate::platform::{Platform, dataset_frames};

/// What a dataset's name begins with.
const DATASET: &str = "dataset:";

/// A source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file, folder, stream or camera.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A dataset of a server or of the local store.
    #[error(transparent)]
    Server(#[from] GetiError),
    /// A dataset is named and no server.
    #[error(
        "`{0}` is a dataset: say of which server (GETI_HOST and GETI_TOKEN, or --server FILE) or \
         of which local store (--store FOLDER)"
    )]
    NoServer(String),
}

/// A source that is open.
#[derive(Debug)]
pub struct OpenedSource {
    /// Its images.
    pub frames: Frames,
    /// Whether the images have times of their own (a video file), which limits of hooks should
    /// then follow.
    pub is_recording: bool,
    /// Whether it is a camera or a stream, which does not wait; everything else can be read later.
    pub is_live: bool,
}

/// Opens what a user names: everything that [`Spec::parse`] knows, and `dataset:PROJECT/DATASET`.
pub fn open_source(
    text: &str,
    options: &SourceOptions,
    platform: Option<&Arc<Platform>>,
) -> Result<OpenedSource, OpenError> {
    if let Some(name) = text.strip_prefix(DATASET) {
        let platform = platform.ok_or_else(|| OpenError::NoServer(text.to_owned()))?;
        return Ok(OpenedSource {
            frames: dataset_frames(platform, name, options)?,
            is_recording: false,
            is_live: false,
        });
    }
    let spec = Spec::parse(text)?;
    let (is_recording, is_live) = (spec.is_recording(), spec.is_live());
    Ok(OpenedSource {
        frames: open_spec(spec, options)?,
        is_recording,
        is_live,
    })
}
