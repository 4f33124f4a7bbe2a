use std::path::{Path, PathBuf};

use straylight_core::Progress;
use straylight_geti::wire::Media;
use straylight_geti::{DatasetApi, GetiError, Transfer};
use straylight_image::{NoPictures, is_no_picture_by_name};

/// What was uploaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Uploaded {
    /// Images and videos that are new in the dataset.
    pub media: usize,
    /// Media of this name that were there already.
    pub skipped: usize,
    /// Files that could not be uploaded, or that no server takes.
    pub problems: Vec<(String, String)>,
    /// Files of folders that are no pictures by design.
    pub passed_over: NoPictures,
}

/// Uploads files and the files directly in folders: images and videos.
///
/// In folders, media whose name the dataset has already are skipped, so that an upload that was cut
/// off can be repeated. What fails is listed and the rest goes in.
pub fn upload(
    dataset: &DatasetApi,
    paths: &[PathBuf],
    progress: &dyn Progress,
) -> Result<Uploaded, GetiError> {
    let mut uploaded = Uploaded::default();
    for path in paths {
        if path.is_dir() {
            uploaded.add_folder(dataset, path, progress)?;
            continue;
        }
        let sent = dataset.upload_image_file(path).or_else(|error| {
            // The error about the image says more than the one about the video.
            dataset.upload_video_file(path).map_err(|_| error)
        });
        match sent {
            Ok(_) => uploaded.media += 1,
            Err(error) if error.is_fatal() && path.exists() => return Err(error),
            Err(error) => {
                uploaded
                    .problems
                    .push((path.display().to_string(), error.to_string()));
            }
        }
    }
    Ok(uploaded)
}

impl Uploaded {
    fn add_folder(
        &mut self,
        dataset: &DatasetApi,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let images = dataset.upload_image_folder(folder, progress)?;
        let videos = dataset.upload_video_folder(folder, progress)?;
        let before = (self.media + self.skipped, self.problems.len());
        // What is neither image nor video was ignored by both.
        let ignored = images
            .ignored
            .iter()
            .filter(|path| videos.ignored.contains(path));
        for path in ignored {
            let name = path.file_name().unwrap_or_default();
            if is_no_picture_by_name(name) {
                self.passed_over.count(name);
            } else {
                self.problems
                    .push(bad(path, "no image or video that servers take"));
            }
        }
        self.add(images.transfer);
        self.add(videos.transfer);
        if before == (self.media + self.skipped, self.problems.len()) {
            self.problems.push(bad(
                folder,
                "holds no file; files of its subfolders are not meant",
            ));
        }
        Ok(())
    }

    fn add(&mut self, transfer: Transfer<Media>) {
        self.media += transfer.done.len();
        self.skipped += transfer.skipped;
        let failed = transfer.failed.into_iter();
        self.problems
            .extend(failed.map(|(name, error)| (name, error.to_string())));
    }
}

fn bad(path: &Path, reason: &str) -> (String, String) {
    (path.display().to_string(), reason.to_owned())
}
