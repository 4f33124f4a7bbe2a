use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use straylight_core::{Progress, sniff};
use straylight_files::FileError;
use tempfile::NamedTempFile;

use super::dataset::DatasetApi;
use super::naming::stems;
use super::parallel::{Outcome, Transfer, transfer};
use super::session::Geti;
use crate::error::{ErrorKind, GetiError};
use crate::http::Failure;
use crate::http::{Answer, Request, Target};
use crate::media_names::{ALL_EXTENSIONS, SNIFFED};
use crate::wire::{MAX_UPLOAD_BYTES, Media};

/// The largest image that is downloaded into memory, in bytes.
const LARGEST_IN_MEMORY: u64 = 1024 * 1024 * 1024;

/// Which form of an image is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rendition {
    /// The image as it was uploaded.
    #[default]
    Full,
    /// A small preview.
    Thumbnail,
}

/// How a dataset is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DownloadOptions {
    /// The form of the images.
    pub rendition: Rendition,
    /// Whether images that are in the folder already are downloaded again.
    pub again: bool,
}

impl DatasetApi {
    /// Downloads one image into memory.
    pub fn download_image(&self, image: &Media, form: Rendition) -> Result<Vec<u8>, GetiError> {
        let geti = self.project().geti();
        let request = download_request(geti, image, form)?;
        geti.transport().run(&request, |answer| {
            let bytes = answer.refuse_html()?.into_bytes(LARGEST_IN_MEMORY)?;
            match sniff(&bytes) {
                Some(_) => Ok(bytes),
                None => Err(no_image(image)),
            }
        })
    }

    /// Downloads images into a folder, several at once; returns the files written.
    ///
    /// A file is named `<name>.<true extension>`, or `<name>_<id>.<...>` where several images
    /// share a name. It appears under its name only when it is complete. An image whose file is
    /// there is skipped, so that an interrupted download can be continued.
    pub fn download_images(
        &self,
        images: &[Media],
        folder: &Path,
        options: DownloadOptions,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let jobs: Vec<(String, &Media)> = stems(images).into_iter().zip(images).collect();
        self.download_named_images(&jobs, folder, options, progress)
    }

    pub(crate) fn download_named_images(
        &self,
        jobs: &[(String, &Media)],
        folder: &Path,
        options: DownloadOptions,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        straylight_files::create_folder(folder)?;
        let present = present_stems(folder)?;
        let geti = self.project().geti();
        let name = |(_, image): &(String, &Media)| image.name.clone();
        let threads = geti.options().threads;
        let files = transfer(
            "Downloading images",
            jobs,
            threads,
            progress,
            name,
            |(stem, image)| {
                let old = present.get(stem);
                if old.is_some() && !options.again {
                    return Ok(Outcome::Skipped);
                }
                let request = download_request(geti, image, options.rendition)?;
                let extension = |head: &[u8]| sniff(head).map(|f| f.extension().to_owned());
                let path = geti.download_file(&request, folder, stem, extension)?;
                remove_outdated(old, &path)?;
                Ok(Outcome::Done(path))
            },
        )?;
        // Once for all: syncing the folder after every image would cost more than the images.
        straylight_files::sync_folder(folder)?;
        Ok(files)
    }

    /// Downloads videos into a folder, one after another; returns the files written.
    pub fn download_videos(
        &self,
        videos: &[Media],
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let jobs: Vec<(String, &Media)> = stems(videos).into_iter().zip(videos).collect();
        self.download_named_videos(&jobs, folder, progress)
    }

    pub(crate) fn download_named_videos(
        &self,
        jobs: &[(String, &Media)],
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        straylight_files::create_folder(folder)?;
        let geti = self.project().geti();
        let name = |(_, video): &(String, &Media)| video.name.clone();
        transfer(
            "Downloading videos",
            jobs,
            1,
            progress,
            name,
            |(stem, video)| {
                let extension = video_extension(video);
                if folder.join(format!("{stem}.{extension}")).exists() {
                    return Ok(Outcome::Skipped);
                }
                let target = geti.own_target(&video.media_information.display_url)?;
                let request = Request::new(crate::http::Method::Get, target).download();
                geti.download_file(&request, folder, stem, |_| Some(extension.clone()))
                    .map(Outcome::Done)
            },
        )
    }
}

impl Geti {
    /// Streams a file to `<folder>/<stem>.<extension>`; the extension comes from its first bytes.
    ///
    /// Each attempt begins a new temporary file; only a complete one gets the name.
    pub(crate) fn download_file(
        &self,
        request: &Request,
        folder: &Path,
        stem: &str,
        extension: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<PathBuf, GetiError> {
        self.transport().run(request, |answer| {
            let (file, head) = stream_to_file(answer.refuse_html()?, folder)?;
            let Some(extension) = extension(&head) else {
                let message = format!("what the server sent for `{stem}` is no image");
                return Err(GetiError::new(ErrorKind::Answer, message).into());
            };
            let path = folder.join(format!("{stem}.{extension}"));
            publish(file, &path)?;
            Ok(path)
        })
    }
}

/// Writes a body into a temporary file of the folder and returns it with its first bytes.
pub(crate) fn stream_to_file(
    answer: Answer,
    folder: &Path,
) -> Result<(NamedTempFile, Vec<u8>), Failure> {
    let announced = answer
        .header("content-length")
        .and_then(|text| text.parse::<u64>().ok());
    let file_error =
        |source| Failure::from(GetiError::from(FileError::new("write", folder, source)));
    let mut file = NamedTempFile::new_in(folder).map_err(file_error)?;
    let mut reader = answer.into_reader();
    let mut buffer = vec![0; 128 * 1024];
    let (mut head, mut length) = (Vec::new(), 0_u64);
    loop {
        let read = reader.read(&mut buffer).map_err(Failure::of_body)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        head.extend(part.iter().take(SNIFFED.saturating_sub(head.len())));
        length += read as u64;
        if length > MAX_UPLOAD_BYTES {
            return Err(GetiError::new(ErrorKind::Answer, "the file does not end").into());
        }
        file.write_all(part).map_err(file_error)?;
    }
    if length == 0 || announced.is_some_and(|announced| announced != length) {
        let announced = announced.map_or_else(|| "some".to_owned(), |n| n.to_string());
        let message = format!("the file is cut off: {length} of {announced} bytes came");
        return Err(Failure::unclear(GetiError::new(
            ErrorKind::Connection,
            message,
        )));
    }
    Ok((file, head))
}

/// Gives a complete file its name.
pub(crate) fn publish(file: NamedTempFile, path: &Path) -> Result<(), GetiError> {
    let failed = |source: io::Error| FileError::new("write", path, source);
    allow_reading(file.as_file()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Temporary files are born readable by their owner alone.
#[cfg(unix)]
fn allow_reading(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_reading(_file: &File) -> io::Result<()> {
    Ok(())
}

fn download_request(geti: &Geti, image: &Media, form: Rendition) -> Result<Request, GetiError> {
    let url = &image.media_information.display_url;
    let target = match (geti.own_target(url)?, form) {
        (Target::Api(path), Rendition::Thumbnail) => {
            let stem = path.trim_end_matches("/display/full");
            Target::Api(format!("{stem}/display/thumb"))
        }
        (target, _) => target,
    };
    Ok(Request::new(crate::http::Method::Get, target).download())
}

fn no_image(image: &Media) -> Failure {
    let message = format!("what the server sent for `{}` is no image", image.name);
    GetiError::new(ErrorKind::Answer, message).into()
}

/// The stems of the image files in a folder with their paths; all of them are complete.
fn present_stems(folder: &Path) -> Result<HashMap<String, PathBuf>, GetiError> {
    let failed = |source| FileError::new("list", folder, source);
    let mut stems = HashMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let text = |part: Option<&std::ffi::OsStr>| Some(part?.to_str()?.to_owned());
        let (Some(stem), Some(extension)) = (text(path.file_stem()), text(path.extension())) else {
            continue;
        };
        if ALL_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
            stems.insert(stem, path);
        }
    }
    Ok(stems)
}

/// Removes the file of an earlier download whose format, and so its name, was another.
fn remove_outdated(old: Option<&PathBuf>, new: &Path) -> Result<(), GetiError> {
    match old {
        Some(old) if old != new => {
            fs::remove_file(old).map_err(|e| FileError::new("remove", old, e).into())
        }
        _ => Ok(()),
    }
}

fn video_extension(video: &Media) -> String {
    let told = video
        .media_information
        .extension
        .as_deref()
        .unwrap_or("mp4");
    let told = told.trim_start_matches('.').to_ascii_lowercase();
    let plain =
        !told.is_empty() && told.len() <= 5 && told.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { told } else { "mp4".to_owned() }
}
