use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use straylight_core::{ContentHash, ImageFormat, Progress, sniff};
use straylight_files::FileError;

use super::dataset::DatasetApi;
use super::parallel::{Outcome, Transfer, transfer};
use crate::error::{ErrorKind, GetiError};
use crate::http::{Body, Multipart, Request, Source, escape};
use crate::media_names::{SNIFFED, is_accepted, stem_of, true_name};
use crate::wire::{MAX_UPLOAD_BYTES, Media, VIDEO_EXTENSIONS};

/// How many times as long as usual an upload may take: the server decodes the image first.
const PATIENCE: u32 = 2;

/// What a folder held.
#[derive(Debug, Default)]
pub struct FolderUpload {
    /// What became of the images, or of the videos.
    pub transfer: Transfer<Media>,
    /// Files that are no images (or videos) that the server takes; they were left out.
    pub ignored: Vec<PathBuf>,
}

impl DatasetApi {
    /// Uploads an encoded image from memory.
    ///
    /// `name` is the file name; its extension is set to what the bytes are. The server keeps
    /// the name without extension and does not mind duplicates. Not repeated when the answer
    /// is lost, for the image may be there: see [`super::DatasetSink`] for names that are unique.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if the bytes are no image of a format that servers take.
    pub fn upload_image(
        &self,
        bytes: impl Into<Arc<[u8]>>,
        name: &str,
    ) -> Result<Media, GetiError> {
        let bytes = bytes.into();
        let file_name = accepted(name, &bytes)?;
        self.upload("/media/images", file_name, Source::Bytes(bytes))
    }

    /// Uploads an image whose name no other has; a server that knows `Idempotency-Key` then
    /// stores a repetition only once, whoever repeated it.
    pub(crate) fn upload_unique(&self, bytes: Arc<[u8]>, name: &str) -> Result<Media, GetiError> {
        let file_name = accepted(name, &bytes)?;
        let source = Source::Bytes(bytes);
        // Hashed, for a header takes ASCII only.
        let key = ContentHash::of(stem_of(name).as_bytes()).to_hex();
        let request = Request::post(self.path("/media/images"))
            .header("idempotency-key", key)
            .body(Body::Multipart(Multipart { file_name, source }))
            .patience(PATIENCE);
        self.project().geti().transport().json(&request)
    }

    /// Uploads an image file as it is.
    pub fn upload_image_file(&self, path: &Path) -> Result<Media, GetiError> {
        let head = read_head(path)?;
        let file_name = accepted(&file_name(path), &head)?;
        check_length(path)?;
        self.upload("/media/images", file_name, Source::File(path.to_owned()))
    }

    /// Uploads a video file as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if its extension is not one of [`VIDEO_EXTENSIONS`].
    pub fn upload_video_file(&self, path: &Path) -> Result<Media, GetiError> {
        if !is_video(path) {
            let message = format!("{} is no video that servers take", path.display());
            return Err(GetiError::new(ErrorKind::Argument, message)
                .with_hint(format!("use one of: {}", VIDEO_EXTENSIONS.join(", "))));
        }
        check_length(path)?;
        self.upload(
            "/media/videos",
            file_name(path),
            Source::File(path.to_owned()),
        )
    }

    /// Uploads all images of a folder (not of its subfolders), several at once.
    ///
    /// Images are known by their content, whatever their extension. One whose name the dataset
    /// has already is skipped, so that an interrupted upload can be continued.
    pub fn upload_image_folder(
        &self,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<FolderUpload, GetiError> {
        let (images, ignored) = split(list_files(folder)?, is_image)?;
        let present = self.images()?.into_iter().map(|media| media.name).collect();
        let transfer = self.upload_image_files(&images, &present, progress)?;
        Ok(FolderUpload { transfer, ignored })
    }

    /// Uploads all videos of a folder (not of its subfolders), one after another.
    pub fn upload_video_folder(
        &self,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<FolderUpload, GetiError> {
        let (videos, ignored) = split(list_files(folder)?, |path| Ok(is_video(path)))?;
        let present: HashSet<String> = self.videos()?.into_iter().map(|media| media.name).collect();
        let transfer = transfer(
            "Uploading videos",
            &videos,
            1,
            progress,
            |p| shown(p),
            |path| {
                if is_present(&video_stem(path), &present) {
                    return Ok(Outcome::Skipped);
                }
                self.upload_video_file(path).map(Outcome::Done)
            },
        )?;
        Ok(FolderUpload { transfer, ignored })
    }

    /// Uploads files, several at once; those whose stem is in `present` are skipped.
    pub fn upload_image_files(
        &self,
        paths: &[PathBuf],
        present: &HashSet<String>,
        progress: &dyn Progress,
    ) -> Result<Transfer<Media>, GetiError> {
        let threads = self.project().geti().options().threads;
        transfer(
            "Uploading images",
            paths,
            threads,
            progress,
            |p| shown(p),
            |path| {
                if is_present(stem_of(&file_name(path)), present) {
                    return Ok(Outcome::Skipped);
                }
                self.upload_image_file(path).map(Outcome::Done)
            },
        )
    }

    fn upload(&self, to: &str, file_name: String, source: Source) -> Result<Media, GetiError> {
        let request = Request::post(self.path(to))
            .body(Body::Multipart(Multipart { file_name, source }))
            .patience(PATIENCE);
        self.project().geti().transport().json(&request)
    }
}

/// The file name under which an image may be sent.
fn accepted(name: &str, head: &[u8]) -> Result<String, GetiError> {
    match sniff(head) {
        Some(format) if is_accepted(format) => Ok(true_name(name, format)),
        format => Err(not_accepted(name, format)),
    }
}

fn not_accepted(name: &str, format: Option<ImageFormat>) -> GetiError {
    let what = format.map_or_else(|| "no image".to_owned(), |f| format!("a {f:?} image"));
    GetiError::new(
        ErrorKind::Argument,
        format!("`{name}` is {what}, which servers do not take"),
    )
    .with_hint("use JPEG, PNG, BMP, TIFF or WebP")
}

/// Files of a folder in the order of their names; hidden ones are left out.
pub(crate) fn list_files(folder: &Path) -> Result<Vec<PathBuf>, GetiError> {
    let failed = |source| FileError::new("list", folder, source);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The paths that are wanted, and the others.
pub(crate) fn split(
    paths: Vec<PathBuf>,
    wanted: impl Fn(&Path) -> Result<bool, GetiError>,
) -> Result<(Vec<PathBuf>, Vec<PathBuf>), GetiError> {
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for path in paths {
        if wanted(&path)? {
            yes.push(path);
        } else {
            no.push(path);
        }
    }
    Ok((yes, no))
}

/// Whether a file is an image that servers take, by its content.
pub(crate) fn is_image(path: &Path) -> Result<bool, GetiError> {
    Ok(sniff(&read_head(path)?).is_some_and(is_accepted))
}

fn is_video(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| VIDEO_EXTENSIONS.contains(&e.as_str()))
}

fn read_head(path: &Path) -> Result<Vec<u8>, GetiError> {
    let failed = |source| FileError::new("read", path, source);
    let mut head = Vec::with_capacity(SNIFFED);
    let file = File::open(path).map_err(failed)?;
    file.take(SNIFFED as u64)
        .read_to_end(&mut head)
        .map_err(failed)?;
    Ok(head)
}

fn check_length(path: &Path) -> Result<(), GetiError> {
    let metadata = fs::metadata(path).map_err(|e| FileError::new("read", path, e))?;
    if metadata.len() <= MAX_UPLOAD_BYTES {
        return Ok(());
    }
    let message = format!(
        "{} has {} bytes; servers take 4.7 GiB",
        path.display(),
        metadata.len()
    );
    Err(GetiError::new(ErrorKind::Argument, message))
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Whether a medium has this name, or the form in which the name travels.
fn is_present(name: &str, present: &HashSet<String>) -> bool {
    present.contains(name) || present.contains(&escape(name))
}

/// The name that the server will give a video: without its last extension.
fn video_stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
