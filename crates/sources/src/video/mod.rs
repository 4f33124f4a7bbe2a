//! Videos, streams and cameras through the ffmpeg program.
//!
//! ffmpeg decodes, turns frames upright, picks frames by rate and stride, and writes portable
//! pixmaps to a pipe. The pipe is what bounds memory: while the consumer is behind, ffmpeg waits.
//! Frames of a file have the times at which a player shows them. A live stream that breaks off is
//! started again after a wait that doubles with each failure in a row. Addresses with passwords are
//! hidden in every message, those of ffmpeg too.

mod file;
mod input;
mod live;
mod messages;
mod ppm;
mod probe;
mod program;
mod write;

use std::ffi::OsString;
use std::path::Path;

use program::Version;

use crate::SourceOptions;

pub(crate) use file::VideoFeed;
pub use input::{CONTAINERS, file_input, ratio, refused_format};
pub(crate) use live::{Live, LiveFeed};
pub use write::VideoWriter;

/// How many frames of a video file are taken a second with these options, on average; `None` if
/// ffprobe does not know the file's own rate.
pub fn frame_rate(video: &Path, options: &SourceOptions) -> Option<f64> {
    let own = probe::probe(&options.ffmpeg, video).rate;
    let rate = match (options.fps, own) {
        (Some(wanted), Some(own)) => wanted.min(own),
        (wanted, own) => wanted.or(own)?,
    };
    Some(rate / options.stride.max(1) as f64)
}

/// Everything but the input; with `show_times` a filter that tells the time of each frame.
fn arguments(
    options: &SourceOptions,
    version: Version,
    input: Vec<OsString>,
    show_times: Option<&str>,
) -> Vec<OsString> {
    let mut filters: Vec<String> = options.fps.map(at_most).into_iter().collect();
    if options.stride > 1 {
        filters.push(format!("framestep={}", options.stride));
    }
    filters.extend(show_times.map(str::to_owned));
    let level = if show_times.is_some() {
        "level+info"
    } else {
        "error"
    };
    let mut arguments: Vec<OsString> = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", level]
        .map(Into::into)
        .to_vec();
    arguments.extend(input);
    arguments.extend(["-map", "0:v:0", "-an", "-sn"].map(Into::into));
    if !filters.is_empty() {
        arguments.extend(["-vf".into(), filters.join(",").into()]);
    }
    arguments.extend(version.pass_every_frame().map(Into::into));
    let output = [
        "-c:v",
        "ppm",
        "-pix_fmt",
        "rgb24",
        "-f",
        "image2pipe",
        "pipe:1",
    ];
    arguments.extend(output.map(Into::into));
    arguments
}

/// A filter that takes at most `fps` frames a second: the first of each part of a second.
///
/// The filter `fps` would repeat frames where there are fewer, and move their times.
fn at_most(fps: f64) -> String {
    let part = |time: &str| format!("floor({time}*{fps}+1e-6)");
    let (now, before) = (part("t"), part("prev_selected_t"));
    format!("select='isnan(prev_selected_t)+not(eq({now},{before}))'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_stride_and_times_are_filters() {
        let options = SourceOptions {
            fps: Some(2.5),
            stride: 3,
            ..SourceOptions::default()
        };
        let arguments = arguments(&options, Version::default(), Vec::new(), Some("showinfo"));
        let place = arguments.iter().position(|word| word == "-vf").unwrap();
        let filters = arguments[place + 1].to_str().unwrap();
        assert!(filters.starts_with("select='isnan"), "{filters}");
        assert!(filters.ends_with("',framestep=3,showinfo"), "{filters}");
    }
}
