//! Collection into a folder, in the layout of the Python SDK.
//!
//! ```text
//! <target>/images/<stem>.png  predictions/<stem>.json  scores/<stem>.txt  overlays/<stem>.jpg
//! ```
//!
//! The stem is the same in all subfolders; see [`names`]. The files of one event appear all or
//! not at all, also when the process is killed; see [`staging`].

mod durable;
mod names;
mod staging;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use serde::{Deserialize, Serialize};
use straylight_core::ImageFormat;
use straylight_files::FileError;
use straylight_image::Visualizer;

pub(super) use self::names::stem as unique_stem;
use self::staging::{Part, Staging};
use super::{Action, ActionError, Begun, Delivery, DeliveryProgress, PredictionJson};
use crate::clock::lock;
use crate::config::{ActionConfig, FileSystemConfig};
use crate::event::Event;

/// Longest side of overlays unless something else is asked for: enough to look at.
const OVERLAY_SIDE: u32 = 640;

/// JPEG quality of overlays, which are looked at and never trained on.
const OVERLAY_QUALITY: u8 = 75;

/// JPEG quality of pictures that are stored as JPEG.
const JPEG_QUALITY: u8 = 90;

/// The form in which pictures are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureFormat {
    /// PNG: the pixels exactly as they were scored. The Python SDK's form, and so what its
    /// configuration means.
    #[default]
    Png,
    /// JPEG of quality 90: smaller, not exact.
    Jpeg,
    /// The bytes of the source's own file; PNG for a picture that came as pixels.
    Original,
}

/// What is collected and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystemOptions {
    /// Folder that receives the subfolders; created when the first event arrives.
    pub target_folder: PathBuf,
    /// Put before the image's name in file names.
    pub file_name_prefix: String,
    /// Whether predictions are written.
    pub save_predictions: bool,
    /// Whether scores are written.
    pub save_scores: bool,
    /// Whether pictures with the prediction drawn on them are written.
    pub save_overlays: bool,
    /// The form of the pictures.
    pub picture_format: PictureFormat,
    /// Longest side of an overlay in pixels; larger pictures are shrunk. 0: never.
    pub overlay_side: u32,
}

impl FileSystemOptions {
    /// All four kinds of file, no prefix, pictures as [`PictureFormat::Original`] (exact, small,
    /// and nothing is encoded twice), overlays of at most 640 pixels.
    pub fn new(target_folder: impl Into<PathBuf>) -> Self {
        Self {
            target_folder: target_folder.into(),
            file_name_prefix: String::new(),
            save_predictions: true,
            save_scores: true,
            save_overlays: true,
            picture_format: PictureFormat::Original,
            overlay_side: OVERLAY_SIDE,
        }
    }
}

/// Writes image, prediction, score and overlay of each event into a folder.
#[derive(Debug)]
pub struct FileSystemDataCollection {
    options: FileSystemOptions,
    staging: OnceLock<Staging>,
    /// Whoever opens the staging folder.
    opening: Mutex<()>,
}

impl FileSystemDataCollection {
    /// Collects as the options say; touches no file yet.
    pub fn new(options: FileSystemOptions) -> Self {
        Self {
            options,
            staging: OnceLock::new(),
            opening: Mutex::default(),
        }
    }

    /// The folder that receives the subfolders.
    pub fn target_folder(&self) -> &Path {
        &self.options.target_folder
    }

    fn staging(&self) -> Result<&Staging, FileError> {
        if let Some(staging) = self.staging.get() {
            return Ok(staging);
        }
        // One thread at a time: the first finishes what dead processes left before any begins.
        let _others_wait = lock(&self.opening);
        if let Some(staging) = self.staging.get() {
            return Ok(staging);
        }
        let staging = Staging::open(&self.options.target_folder)?;
        Ok(self.staging.get_or_init(|| staging))
    }

    /// The files of an event; the picture comes last, as it says that the others are there.
    fn parts<'e>(&self, event: &'e Event) -> Result<Vec<Part<'e>>, ActionError> {
        let mut parts = Vec::with_capacity(4);
        if self.options.save_scores {
            parts.push(("scores", "txt", event.score.to_string().into_bytes().into()));
        }
        if self.options.save_predictions {
            let json = serde_json::to_vec(&PredictionJson::of(&event.prediction));
            let json = json.map_err(ActionError::permanent)?;
            parts.push(("predictions", "json", json.into()));
        }
        if self.options.save_overlays {
            parts.push(("overlays", "jpg", self.overlay(event)?.into()));
        }
        let (extension, bytes) = self.picture(event)?;
        parts.push(("images", extension, bytes));
        Ok(parts)
    }

    fn overlay(&self, event: &Event) -> Result<Vec<u8>, ActionError> {
        let visualizer = Visualizer {
            shrink_to: self.options.overlay_side,
            ..Visualizer::default()
        };
        let image = match self.options.picture_format {
            // Nothing else needs the pixels: they are drawn on, and not kept.
            PictureFormat::Original => event.picture.to_image()?,
            PictureFormat::Png | PictureFormat::Jpeg => Cow::Borrowed(event.picture.image()?),
        };
        let drawn = visualizer.draw_on(image, &event.prediction, event.ood_score);
        straylight_image::encode_jpeg(&drawn, OVERLAY_QUALITY).map_err(ActionError::permanent)
    }

    fn picture<'e>(&self, event: &'e Event) -> Result<Content<'e>, ActionError> {
        match self.options.picture_format {
            PictureFormat::Original => original(event),
            PictureFormat::Png => png(event),
            PictureFormat::Jpeg => {
                let image = event.picture.image()?;
                let bytes = straylight_image::encode_jpeg(image, JPEG_QUALITY);
                Ok(("jpg", bytes.map_err(ActionError::permanent)?.into()))
            }
        }
    }
}

/// Extension and bytes of a file.
type Content<'e> = (&'static str, Cow<'e, [u8]>);

fn original(event: &Event) -> Result<Content<'_>, ActionError> {
    let encoded = event.picture.encoded()?;
    Ok((encoded.format.extension(), Cow::Borrowed(&encoded.bytes)))
}

/// Encoded from the pixels even if the source was a PNG: it may have been turned or 16 bits deep.
fn png(event: &Event) -> Result<Content<'_>, ActionError> {
    if !event.picture.is_encoded() {
        return original(event);
    }
    let bytes = straylight_image::encode_png(event.picture.image()?);
    let bytes = bytes.map_err(ActionError::permanent)?;
    Ok((ImageFormat::Png.extension(), bytes.into()))
}

impl Action for FileSystemDataCollection {
    fn name(&self) -> &'static str {
        "FileSystemDataCollection"
    }

    fn sink(&self) -> String {
        format!("folder {}", self.options.target_folder.display())
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let DeliveryProgress::Begun(begun) = self.begin(event)? else {
            return Ok(());
        };
        let none = || Err(ActionError::transient("the event was left out"));
        self.finish(&[&begun]).pop().unwrap_or_else(none)
    }

    fn begin(&self, event: &Event) -> Result<DeliveryProgress, ActionError> {
        let stem = names::stem(&self.options.file_name_prefix, event);
        let parts = self.parts(event)?;
        let staging = self.staging().map_err(ActionError::transient)?;
        let staged = staging.stage(&stem, &parts);
        let staged = staged.map_err(ActionError::transient)?;
        Ok(DeliveryProgress::Begun(Begun::new(staged)))
    }

    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        let staging = match self.staging() {
            Ok(staging) => staging,
            Err(error) => return vec![Err(ActionError::transient(error)); begun.len()],
        };
        let missing = || ActionError::transient("nothing is staged");
        let staged = begun.iter().map(|one| one.get().ok_or_else(missing));
        staging.commit(staged.collect())
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        // Whoever opens the folder finishes what a process that died had decided.
        self.staging().map_err(ActionError::transient)?;
        let stem = names::stem(&self.options.file_name_prefix, event);
        let folder = self.options.target_folder.join("images");
        let is_there = |format: ImageFormat| {
            folder
                .join(format!("{stem}.{}", format.extension()))
                .exists()
        };
        Ok(if ImageFormat::ALL.into_iter().any(is_there) {
            Delivery::Done
        } else {
            Delivery::Missing
        })
    }

    fn config(&self) -> Option<ActionConfig> {
        let config = FileSystemConfig::from_options(&self.options);
        Some(ActionConfig::FileSystemDataCollection(config))
    }
}

#[cfg(test)]
mod tests;
