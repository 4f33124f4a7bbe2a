//! Numbered files: `frame_%04d.png`.

use std::path::PathBuf;

use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind};

/// A file name with one number in it, as `printf` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    before: String,
    width: usize,
    after: String,
}

/// A sequence may begin at any of these numbers, as with ffmpeg.
const FIRST: std::ops::RangeInclusive<u64> = 0..=4;

impl Pattern {
    /// `%d` and `%04d` are numbers; `%%` is a percent sign. Exactly one number must be there.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut number = None;
        let (mut before, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('%') {
            before.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                before.push('%');
                rest = after;
                continue;
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let width = rest[..digits].parse().unwrap_or(0);
            rest = rest[digits..].strip_prefix('d')?;
            if width > 20
                || number
                    .replace((std::mem::take(&mut before), width))
                    .is_some()
            {
                return None;
            }
        }
        before.push_str(rest);
        let (first, width) = number?;
        Some(Self {
            before: first,
            width,
            after: before,
        })
    }

    fn path(&self, number: u64) -> PathBuf {
        format!(
            "{}{number:0width$}{}",
            self.before,
            self.after,
            width = self.width
        )
        .into()
    }
}

/// Gives the files of a sequence from its first number up to the first that is missing.
pub(crate) struct SequenceFeed {
    pattern: Pattern,
    text: String,
}

impl SequenceFeed {
    pub(crate) fn new(text: String) -> Result<Self, SourceError> {
        if let Some(pattern) = Pattern::parse(&text) {
            return Ok(Self { pattern, text });
        }
        let kind = SourceErrorKind::Pattern(text.clone());
        Err(SourceError::new(text, kind))
    }
}

impl Feed for SequenceFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let first = FIRST
            .into_iter()
            .find(|number| self.pattern.path(*number).is_file());
        let Some(first) = first else {
            let _ = sink(Err(SourceError::new(
                self.text,
                SourceErrorKind::NothingFits,
            )));
            return;
        };
        for path in (first..).map(|number| self.pattern.path(number)) {
            if !path.is_file() {
                return;
            }
            let item = Item {
                place: path.display().to_string(),
                content: Content::File(path),
            };
            if sink(Ok(item)).is_break() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_write_their_numbers() {
        struct Case(&'static str, Option<&'static str>);
        for Case(text, seventh) in [
            Case("a/%d.png", Some("a/7.png")),
            Case("f_%04d.png", Some("f_0007.png")),
            Case("100%%_%02d", Some("100%_07")),
            Case("%d_%d.png", None),
            Case("plain.png", None),
            Case("50%.png", None),
            Case("%99d", None),
        ] {
            let path = Pattern::parse(text).map(|pattern| pattern.path(7));
            assert_eq!(path, seventh.map(PathBuf::from), "{text}");
        }
    }
}
