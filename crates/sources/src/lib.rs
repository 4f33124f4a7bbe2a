//! Where images come from: files, folders, archives, videos, streams and cameras.
//!
//! [`open`] understands what a user names and gives [`Frames`]: decoded frames in order, with
//! the next ones decoded ahead in parallel and never more in memory than the options allow. A bad
//! image is an error among the frames, with its place; the next one follows.
//!
//! ```no_run
//! use straylight_sources::{SourceOptions, open};
//!
//! for sourced in open("photos", &SourceOptions::default())? {
//!     match sourced {
//!         Ok(sourced) => println!("{}: {:?}", sourced.place, sourced.frame.image()),
//!         Err(error) => eprintln!("{error}"),
//!     }
//! }
//! # Ok::<(), straylight_sources::SourceError>(())
//! ```
//!
//! Other sources, such as a dataset of a server, implement [`Feed`] and go through
//! [`Frames::start`].

mod archive;
mod budget;
mod error;
mod files;
mod frames;
mod item;
mod options;
mod sequence;
mod spec;
mod stop;
mod video;

pub use budget::PixelBudget;
pub use error::{SourceError, SourceErrorKind};
pub use frames::Frames;
pub use item::{Content, Feed, Item, Sink, Sourced};
pub use options::SourceOptions;
pub use spec::Spec;
pub use stop::Stop;
pub use video::{VideoWriter, frame_rate};

/// What every call of a program of `FFmpeg` shares.
pub mod ffmpeg {
    pub use crate::video::{CONTAINERS, file_input, ratio, refused_format};
}

use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;

use files::{FilesFeed, FolderFeed, GlobFeed, ListFeed, WatchFeed};
use sequence::SequenceFeed;
use video::{Live, LiveFeed, VideoFeed};

/// Opens the source that a user names; see [`Spec::parse`] for what may be written.
///
/// # Errors
///
/// When it does not exist or cannot be understood. What goes wrong later is an error among the
/// frames.
pub fn open(text: &str, options: &SourceOptions) -> Result<Frames, SourceError> {
    open_spec(Spec::parse(text)?, options)
}

/// Opens a source.
pub fn open_spec(spec: Spec, options: &SourceOptions) -> Result<Frames, SourceError> {
    let stop = Stop::default();
    let name = options.name.clone().unwrap_or_else(|| spec.short_name());
    let options = &SourceOptions {
        name: Some(name),
        ..options.clone()
    };
    // ffmpeg applies the stride itself: a frame that is not wanted need not be copied.
    let by_ffmpeg = matches!(spec, Spec::Video(_) | Spec::Stream(_) | Spec::Camera(_));
    let stride = if by_ffmpeg { 1 } else { options.stride };
    let feed = feed(spec, options, &stop)?;
    Ok(Frames::start(
        feed,
        &SourceOptions {
            stride,
            ..options.clone()
        },
        stop,
    ))
}

/// Opens image files in this order.
pub fn open_files(paths: Vec<PathBuf>, options: &SourceOptions) -> Frames {
    Frames::start(Box::new(FilesFeed { paths }), options, Stop::default())
}

/// Opens the files that a reader names one a line, as `-` does with standard input.
pub fn open_list(lines: impl BufRead + Send + 'static, options: &SourceOptions) -> Frames {
    Frames::start(Box::new(ListFeed { lines }), options, Stop::default())
}

fn feed(spec: Spec, options: &SourceOptions, stop: &Stop) -> Result<Box<dyn Feed>, SourceError> {
    let live = |address: String, kind: Live| {
        Box::new(LiveFeed {
            address,
            kind,
            options: options.clone(),
            stop: stop.clone(),
        })
    };
    let limits = options.decode.limits;
    Ok(match spec {
        Spec::File(path) => Box::new(FilesFeed { paths: vec![path] }),
        Spec::Folder(folder) => folder_feed(folder, options, stop),
        Spec::Glob(pattern) => Box::new(GlobFeed::new(pattern)?),
        Spec::Sequence(text) => Box::new(SequenceFeed::new(text)?),
        Spec::List => Box::new(ListFeed {
            lines: BufReader::new(stdin()),
        }),
        Spec::Zip(path) => Box::new(archive::ZipFeed { path, limits }),
        Spec::Tar(path) => Box::new(archive::TarFeed { path, limits }),
        Spec::Video(path) => Box::new(VideoFeed {
            path,
            options: options.clone(),
            stop: stop.clone(),
        }),
        Spec::Stream(address) => live(address, Live::Stream),
        Spec::Camera(address) => live(address, Live::Camera),
    })
}

fn folder_feed(folder: PathBuf, options: &SourceOptions, stop: &Stop) -> Box<dyn Feed> {
    let recursive = options.recursive;
    match options.watch {
        Some(interval) => Box::new(WatchFeed {
            folder,
            recursive,
            interval,
            stop: stop.clone(),
        }),
        None => Box::new(FolderFeed { folder, recursive }),
    }
}
