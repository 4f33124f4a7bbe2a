use std::collections::HashMap;
use std::path::{Path, PathBuf};

use straylight_core::RgbImage;
use straylight_files::FileError;
use straylight_image::{ImageError, Visualizer, encode_jpeg, encode_png};
use straylight_sources::{SourceError, VideoWriter};

use super::Seen;

/// Quality of JPEG pictures, 1 to 100.
const QUALITY: u8 = 90;

/// A picture of a prediction could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The picture could not be encoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The video could not be written.
    #[error(transparent)]
    Video(#[from] SourceError),
}

/// Draws the predictions of a run and writes them: a file for each image, or one video.
#[derive(Debug)]
pub struct Pictures {
    /// How predictions are drawn.
    pub visualizer: Visualizer,
    target: Target,
    /// How often a name was given away.
    names: HashMap<String, u32>,
}

#[derive(Debug)]
enum Target {
    Files {
        folder: PathBuf,
        extension: &'static str,
    },
    Video {
        file: PathBuf,
        ffmpeg: PathBuf,
        rate: f64,
        writer: Option<VideoWriter>,
    },
}

impl Pictures {
    /// A file for each image in a folder: PNG, or JPEG.
    pub fn in_folder(folder: impl Into<PathBuf>, jpeg: bool) -> Self {
        let extension = if jpeg { "jpg" } else { "png" };
        Self::to(Target::Files {
            folder: folder.into(),
            extension,
        })
    }

    /// One video with `rate` frames a second, written by the ffmpeg program.
    pub fn as_video(file: impl Into<PathBuf>, ffmpeg: &Path, rate: f64) -> Self {
        Self::to(Target::Video {
            file: file.into(),
            ffmpeg: ffmpeg.to_owned(),
            rate,
            writer: None,
        })
    }

    fn to(target: Target) -> Self {
        Self {
            visualizer: Visualizer::default(),
            target,
            names: HashMap::new(),
        }
    }

    /// Draws an image with its prediction and score, and a picture of each saliency map.
    pub fn draw(&self, seen: &Seen) -> (RgbImage, Vec<(String, RgbImage)>) {
        let image = seen.frame.image();
        let picture = self
            .visualizer
            .draw(image, &seen.prediction, seen.ood_score);
        let maps = seen.prediction.saliency_maps.iter().map(|map| {
            (
                map.label_name.clone(),
                self.visualizer.draw_saliency(image, map),
            )
        });
        (picture, maps.collect())
    }

    /// Draws and writes; returns the files written now (none yet for a video).
    ///
    /// Files are named after the image; further images of one name get a number. In a video
    /// a saliency map, that of the most probable label, lies below the shapes.
    pub fn write(&mut self, seen: &Seen) -> Result<Vec<PathBuf>, PictureError> {
        if matches!(self.target, Target::Video { .. }) {
            let picture = self.video_picture(seen);
            self.add_to_video(&picture)?;
            return Ok(Vec::new());
        }
        let (picture, maps) = self.draw(seen);
        let name = self.unique(seen.frame.name());
        let mut written = vec![self.save(&name, &picture)?];
        for (label, map) in maps {
            written.push(self.save(&format!("{name}_saliency_{}", file_name(&label)), &map)?);
        }
        Ok(written)
    }

    /// Ends a video and gives its file its name.
    pub fn finish(self) -> Result<Option<PathBuf>, PictureError> {
        match self.target {
            Target::Video {
                file,
                writer: Some(writer),
                ..
            } => {
                writer.finish()?;
                Ok(Some(file))
            }
            _ => Ok(None),
        }
    }

    fn video_picture(&self, seen: &Seen) -> RgbImage {
        let top = seen.prediction.top_label().map(|label| label.id.as_str());
        let maps = &seen.prediction.saliency_maps;
        let map = maps.iter().find(|map| Some(map.label_id.as_str()) == top);
        let image = seen.frame.image();
        // Frames of a video keep their size, however small.
        let drawn = Visualizer {
            enlarge_to: 0,
            ..self.visualizer.clone()
        };
        let below = map.map(|map| {
            Visualizer {
                labels: false,
                ..drawn.clone()
            }
            .draw_saliency(image, map)
        });
        drawn.draw(
            below.as_ref().unwrap_or(image),
            &seen.prediction,
            seen.ood_score,
        )
    }

    fn add_to_video(&mut self, picture: &RgbImage) -> Result<(), PictureError> {
        let Target::Video {
            file,
            ffmpeg,
            rate,
            writer,
        } = &mut self.target
        else {
            return Ok(());
        };
        let started = if let Some(started) = writer {
            started
        } else {
            let size = (picture.width(), picture.height());
            writer.insert(VideoWriter::create(ffmpeg, file, size, *rate)?)
        };
        Ok(started.write(picture)?)
    }

    fn save(&self, name: &str, picture: &RgbImage) -> Result<PathBuf, PictureError> {
        let Target::Files { folder, extension } = &self.target else {
            return Ok(PathBuf::new());
        };
        let path = folder.join(format!("{name}.{extension}"));
        let bytes = match *extension {
            "jpg" => encode_jpeg(picture, QUALITY)?,
            _ => encode_png(picture)?,
        };
        straylight_files::write_atomically(&path, &bytes)?;
        Ok(path)
    }

    fn unique(&mut self, name: &str) -> String {
        let name = file_name(name);
        let count = self.names.entry(name.clone()).or_insert(0);
        *count += 1;
        match *count {
            1 => name,
            count => format!("{name}-{count}"),
        }
    }
}

/// A name that is one file name on every system.
fn file_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || " -_.()+".contains(c);
    let clean: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    match clean.trim_start_matches('.') {
        "" => "image".to_owned(),
        clean => clean.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_stay_in_their_folder() {
        let mut pictures = Pictures::in_folder("out", false);
        let names = ["a", "a", "../x", "a", "", "b/c"].map(|name| pictures.unique(name));
        assert_eq!(names, ["a", "a-2", "_x", "a-3", "image", "b_c"]);
    }
}
