//! The frames of a video file, with the times at which a player shows them.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use straylight_core::{RgbImage, Timestamp};

use super::probe::{Probe, probe, true_end};
use super::program::{Running, Version, seconds};
use super::{CONTAINERS, arguments, file_input};
use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind, SourceOptions, Stop};

/// Gives the frames of a video file.
pub(crate) struct VideoFeed {
    pub(crate) path: std::path::PathBuf,
    pub(crate) options: SourceOptions,
    pub(crate) stop: Stop,
}

impl Feed for VideoFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let place = self.path.display().to_string();
        if let Err(kind) = self.run(&place, sink) {
            let _ = sink(Err(SourceError::new(place, kind)));
        }
    }
}

impl VideoFeed {
    fn run(&self, place: &str, sink: Sink<'_>) -> Result<(), SourceErrorKind> {
        let options = &self.options;
        let version = Version::of(&options.ffmpeg)?;
        let showinfo = version.show_times();
        let arguments = arguments(options, version, self.input(), Some(showinfo));
        let probe = probe(&options.ffmpeg, &self.path);
        let mut clock = Clock::of_file(self, probe);
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut running = Running::start(&options.ffmpeg, &arguments, &self.stop)?;
        let broken = loop {
            match running.frame(&options.decode.limits) {
                Ok(Some(image)) => {
                    let item = clock.item(running.time(), image, place, &stem);
                    if sink(Ok(item)).is_break() {
                        return Ok(());
                    }
                }
                Ok(None) => break None,
                Err(_) if self.stop.is_asked() => return Ok(()),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    break Some(error.to_string());
                }
                // A frame that is too large; the program waits for it to be read.
                Err(error) => return Err(clock.broken(error.to_string())),
            }
        };
        let mut outcome = running.outcome();
        if self.stop.is_asked() {
            return Ok(());
        }
        if let Some(reason) = outcome.refused.take() {
            return Err(SourceErrorKind::NotAVideo(reason));
        }
        match outcome.wrong(broken) {
            Some(reason) => Err(clock.broken(reason)),
            None if clock.count == 0 => Err(SourceErrorKind::NoImage),
            None => self.ends_early(&clock, probe),
        }
    }

    fn input(&self) -> Vec<std::ffi::OsString> {
        let mut input = Vec::new();
        if let Some(start) = self.options.start {
            input.extend(["-ss".into(), seconds(start).into()]);
        }
        if let Some(end) = self.options.end {
            let length = end.saturating_sub(self.options.start.unwrap_or_default());
            input.extend(["-t".into(), seconds(length).into()]);
        }
        input.extend(file_input(&self.path, CONTAINERS));
        input
    }

    /// A file that was cut between two packets looks healthy, but is shorter than it says.
    fn ends_early(&self, clock: &Clock, probe: Probe) -> Result<(), SourceErrorKind> {
        const TOLERANCE: f64 = 1.0;
        let (Some(said), Some(last)) = (probe.duration, clock.last) else {
            return Ok(());
        };
        let last = last.as_secs_f64() + 2.0 * clock.step.unwrap_or(0.0);
        let wanted = self
            .options
            .end
            .map_or(said, |end| end.as_secs_f64().min(said));
        if wanted <= last + TOLERANCE {
            return Ok(());
        }
        // The last frame may be shown for long, or another stream may be longer.
        match true_end(&self.options.ffmpeg, &self.path) {
            Some(end) if end + TOLERANCE < said => Err(clock.broken(format!(
                "it should last {said:.1} s and ends after {end:.1} s"
            ))),
            _ => Ok(()),
        }
    }
}

/// Names and times of a file's frames.
struct Clock {
    begin: Timestamp,
    start: Duration,
    /// Seconds between two frames that are given, on average.
    step: Option<f64>,
    stride: u64,
    /// Frames that were given.
    count: u64,
    /// Time of the last frame, from the start of the file.
    last: Option<Duration>,
}

impl Clock {
    /// Frames are taken when the camera says that the video was, else when the file was last
    /// changed, plus their place in it.
    fn of_file(feed: &VideoFeed, probe: Probe) -> Self {
        let modified = || {
            let time = feed
                .path
                .metadata()
                .and_then(|metadata| metadata.modified());
            Timestamp::try_from(time.unwrap_or(SystemTime::UNIX_EPOCH)).unwrap_or_default()
        };
        let stride = feed.options.stride.max(1);
        let rate = feed.options.fps.or(probe.rate);
        Self {
            begin: probe.taken.unwrap_or_else(modified),
            start: feed.options.start.unwrap_or_default(),
            step: rate.map(|rate| stride as f64 / rate),
            stride,
            count: 0,
            last: None,
        }
    }

    /// The next frame. `shown` is when a player shows it, from where reading began; a file that
    /// does not say has frames at equal distances.
    fn item(&mut self, shown: Option<Duration>, image: RgbImage, video: &str, stem: &str) -> Item {
        let count = self.count;
        let counted = || Duration::try_from_secs_f64(self.step? * count as f64).ok();
        let passed = shown.or_else(counted);
        let passed = passed.map(|passed| self.start.saturating_add(passed));
        let place = match passed {
            Some(passed) => format!("{video} at {:.3} s", passed.as_secs_f64()),
            None => format!("{video}, frame {count}"),
        };
        let captured_at = passed.and_then(|passed| self.begin.checked_add(passed).ok());
        self.count += 1;
        self.last = passed.or(self.last);
        Item {
            place,
            content: Content::Pixels {
                image,
                name: format!("{stem}_{:06}", count * self.stride),
                captured_at: captured_at.unwrap_or(self.begin),
            },
        }
    }

    /// What is wrong with a video that gave these frames and no more.
    fn broken(&self, reason: String) -> SourceErrorKind {
        match self.count {
            0 => SourceErrorKind::Video(reason),
            frames => SourceErrorKind::Incomplete { frames, reason },
        }
    }
}
