//! What ffmpeg writes to standard error: complaints, and the times of the frames.
//!
//! The pixmaps on standard output have no times. The filter `showinfo` writes one line for each
//! frame before the frame is encoded, so the n-th line belongs to the n-th pixmap.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::refused_format;

/// Lines of the program's messages that are kept for an error.
const LAST_LINES: usize = 4;
/// What the program calls errors and is none: notes about parts that are not used.
const HARMLESS: [&str; 2] = ["unable to decode APP fields", "Referenced QT chapter track"];

/// What the program said until its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Messages {
    /// The last lines that are no mere information, joined by semicolons.
    pub(super) last: String,
    /// The first complaint about the data.
    pub(super) complaint: Option<String>,
    /// That it does not read files of this format, in plain words.
    pub(super) refused: Option<String>,
}

/// When a frame is shown, from the start of the video; `None` when the file does not say.
pub(super) type FrameTime = Option<Duration>;

/// Reads all messages; the time of each frame goes to `times`.
pub(super) fn read(messages: impl BufRead, times: &Sender<FrameTime>) -> Messages {
    let (mut last, mut complaint, mut refused) = (VecDeque::new(), None, None);
    let mut clock = ShownTimes::default();
    for line in messages.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(time) = clock.line(&line) {
            // Nobody may want times.
            let _ = times.send(time);
            if is_garbled_complaint(&line) {
                complaint.get_or_insert_with(|| line.trim().to_owned());
            }
            continue;
        }
        let (level, text) = level(line.trim());
        if text.is_empty() || matches!(level, Some("info" | "verbose" | "debug" | "trace")) {
            continue;
        }
        refused = refused.or_else(|| refused_format(&text));
        if complaint.is_none() && is_complaint(level, &text) {
            complaint = Some(text.clone());
        }
        if level != Some("warning") {
            last.push_back(text);
        }
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
    Messages {
        last: Vec::from(last).join("; "),
        complaint,
        refused,
    }
}

/// Errors, and warnings about damaged data.
fn is_complaint(level: Option<&str>, text: &str) -> bool {
    match level {
        Some("error" | "fatal" | "panic") => !HARMLESS.iter().any(|part| text.contains(part)),
        Some("warning") => text.to_lowercase().contains("corrupt"),
        Some(_) => false,
        None => is_garbled_complaint(text),
    }
}

/// Threads of ffmpeg that write at the same time may write into one line.
fn is_garbled_complaint(line: &str) -> bool {
    let is_told = line.contains("[error] ") || line.contains("[fatal] ");
    (is_told || line.contains("corrupt")) && !HARMLESS.iter().any(|part| line.contains(part))
}

/// Takes the level out of `[error] text` and `[h264 @ 0x55d1] [error] text`.
fn level(line: &str) -> (Option<&str>, String) {
    let (context, rest) = match line.split_once("] ") {
        Some((context, rest)) if context.starts_with('[') && context.contains(" @ 0x") => {
            (Some(context), rest)
        }
        _ => (None, line),
    };
    let found = rest.strip_prefix('[').and_then(|rest| {
        let (level, text) = rest.split_once(']')?;
        LEVELS
            .contains(&level)
            .then_some((level, text.trim_start()))
    });
    let Some((level, text)) = found else {
        return (None, line.to_owned());
    };
    match context {
        Some(context) if !text.is_empty() => (Some(level), format!("{context}] {text}")),
        _ => (Some(level), text.to_owned()),
    }
}

const LEVELS: [&str; 8] = [
    "panic", "fatal", "error", "warning", "info", "verbose", "debug", "trace",
];

/// Times in the lines of `showinfo`.
///
/// The line also has a time in seconds, of six digits: too few after a minute. So the whole number
/// is taken, times the time base that the filter tells when it begins.
#[derive(Default)]
struct ShownTimes {
    /// Length of one tick in seconds, as a fraction.
    base: Option<(u64, u64)>,
}

impl ShownTimes {
    /// The time in a line about a frame; `None` for other lines.
    fn line(&mut self, line: &str) -> Option<FrameTime> {
        if !line.contains("Parsed_showinfo_") {
            return None;
        }
        if let Some((_, after)) = line.split_once("config in time_base: ") {
            self.base = fraction(after.split([',', ' ']).next()?);
            return None;
        }
        let (_, after) = line.split_once(" n:")?;
        let (_, after) = after.split_once(" pts:")?;
        let ticks = after.split_whitespace().next()?;
        Some(ticks.parse().ok().and_then(|ticks| self.time(ticks)))
    }

    fn time(&self, ticks: i64) -> FrameTime {
        let (above, below) = self.base?;
        // Frames before the start of the video have negative times.
        let ticks = u128::try_from(ticks.max(0)).ok()?;
        let nanoseconds = ticks * u128::from(above) * 1_000_000_000 / u128::from(below);
        Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
    }
}

fn fraction(text: &str) -> Option<(u64, u64)> {
    let (above, below) = text.split_once('/')?;
    let (above, below) = (above.parse().ok()?, below.parse().ok()?);
    (above > 0 && below > 0).then_some((above, below))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn read_all(text: &str) -> (Messages, Vec<FrameTime>) {
        let (sender, times) = channel();
        let messages = read(text.as_bytes(), &sender);
        drop(sender);
        (messages, times.iter().collect())
    }

    #[test]
    fn times_are_exact_and_messages_are_sorted() {
        let (messages, times) = read_all(
            "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'a.mp4':\n\
             [Parsed_showinfo_1 @ 0x5] [info] config in time_base: 1/90000, frame_rate: 10/1\n\
             [Parsed_showinfo_1 @ 0x5] [info] config out time_base: 0/0, frame_rate: 0/0\n\
             [Parsed_showinfo_1 @ 0x5] [info] n:   0 pts:      0 pts_time:0       pos: 564 fmt:yuv\n\
             [h264 @ 0x5] [error] error while decoding MB 1 2, bytestream -48\n\
             [Parsed_showinfo_1 @ 0x5] [info] color_range:unknown color_space:unknown\n\
             [Parsed_showinfo_1 @ 0x5] [info] n:   1 pts:324000123 pts_time:3600     pos: 3 fmt:yuv\n\
             [Parsed_showinfo_1 @ 0x5] [info] n:   2 pts:   NOPTS pts_time:NOPTS pos: 3 fmt:yuv\n\
             [swscaler @ 0x5] [warning] deprecated pixel format used\n\
             [warning] a.mp4: corrupt decoded frame in stream 0\n",
        );
        let wanted = [Some(0), Some(3_600_001_366_666), None];
        assert_eq!(times, wanted.map(|time| time.map(Duration::from_nanos)));
        let said = "[h264 @ 0x5] error while decoding MB 1 2, bytestream -48";
        assert_eq!(messages.last, said);
        assert_eq!(messages.complaint.as_deref(), Some(said));
    }

    #[test]
    fn a_healthy_video_has_no_complaint() {
        let (messages, _) = read_all(
            "[mjpeg @ 0x1] [error] unable to decode APP fields: Invalid data found\n\
             [mov,mp4 @ 0x1] [warning] Referenced QT chapter track not found\n",
        );
        assert_eq!(messages.complaint, None);
    }

    #[test]
    fn a_complaint_that_stands_within_another_line_is_heard() {
        for line in [
            "[Parsed_showinfo_1 @ 0x5] [info] n:   0 pts:      0 pts_time:0 [h264 @ 0x6] [error] bad",
            "[swscaler @ 0x5[mpegts @ 0x7] [warning] Packet corrupt (stream = 0)",
        ] {
            let base =
                "[Parsed_showinfo_1 @ 0x5] [info] config in time_base: 1/90000, frame_rate: 10/1";
            let (messages, _) = read_all(&format!("{base}\n{line}\n"));
            assert!(messages.complaint.is_some(), "{line}");
        }
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
        let (messages, _) = read_all(&lines.join("\n"));
        assert_eq!(messages.last, "line 96; line 97; line 98; line 99");
    }
}
