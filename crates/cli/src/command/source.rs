//! The arguments that say where images come from.

use std::num::ParseFloatError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use straylight::Deployment;
use straylight::run::{OpenError, OpenedSource, open_sources};
use straylight::sources::SourceOptions;

use crate::command::platform::PlatformArguments;
use crate::exit::Failure;

/// Where images come from and how they are read.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// A file, folder, glob ("photos/*.jpg"), numbered files (frame_%04d.png), zip, tar, video,
    /// rtsp:// or http:// stream, camera:0, dataset:PROJECT/DATASET, or - for a list of files on
    /// standard input.
    #[arg(value_name = "SOURCE", help_heading = "Arguments")]
    pub(crate) source: String,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

impl SourceArguments {
    /// Opens the source.
    pub(crate) fn open(&self, deployment: &Deployment) -> Result<OpenedSource, Failure> {
        let sources = std::slice::from_ref(&self.source);
        let opened = self.reading.open(sources, &[], deployment)?;
        opened
            .into_iter()
            .next()
            .ok_or_else(|| "no source is named".to_owned().into())
    }
}

/// How sources are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Source")]
pub(crate) struct ReadingArguments {
    /// Keep watching a folder for new files, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// Frames a second taken from a video or stream.
    #[arg(long, value_name = "N", value_parser = positive)]
    fps: Option<f64>,
    /// Take only each n-th image.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    stride: u64,
    /// Where in a video to begin: seconds, or h:mm:ss.
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<Duration>,
    /// Where in a video to end: seconds, or h:mm:ss.
    #[arg(long, value_name = "TIME", value_parser = time)]
    end: Option<Duration>,
    /// Leave out the folders within a folder.
    #[arg(long)]
    flat: bool,
    /// How often in a row a stream is tried again after it broke off.
    #[arg(long, value_name = "N", default_value_t = 10)]
    reconnects: u32,
    /// The ffmpeg program, for videos, streams and cameras.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "STRAYLIGHT_FFMPEG",
        default_value = "ffmpeg"
    )]
    pub(crate) ffmpeg: PathBuf,
    #[command(flatten)]
    pub(crate) platform: PlatformArguments,
}

impl ReadingArguments {
    /// How sources are read.
    pub(crate) fn options(&self) -> SourceOptions {
        SourceOptions {
            stride: self.stride,
            fps: self.fps,
            start: self.start,
            end: self.end,
            recursive: !self.flat,
            watch: self.watch.then_some(Duration::from_secs(1)),
            reconnects: self.reconnects,
            ffmpeg: self.ffmpeg.clone(),
            ..SourceOptions::default()
        }
    }

    /// Opens the sources; the names are theirs in this order, if there are any.
    pub(crate) fn open(
        &self,
        sources: &[String],
        names: &[String],
        deployment: &Deployment,
    ) -> Result<Vec<OpenedSource>, Failure> {
        let mut options = self.options();
        options.decode.scaled = deployment.scaled_size();
        let opened = match open_sources(sources, names, &options, None) {
            Err(OpenError::NoServer(_)) => {
                let platform = Arc::new(self.platform.open()?);
                open_sources(sources, names, &options, Some(&platform))
            }
            opened => opened,
        };
        Ok(opened?)
    }
}

/// Seconds, or hours, minutes and seconds.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = |_: ParseFloatError| format!("`{text}` is no time: write 90.5 or 1:30.5");
    let parts = text
        .split(':')
        .map(|part| part.parse::<f64>().map_err(wrong));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let seconds = parts.iter().fold(0.0, |sum, part| sum * 60.0 + part);
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("`{text}`: {error}"))
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err(format!("`{text}` is not a number above 0")),
    }
}
