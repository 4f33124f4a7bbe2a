//! Progress bars on standard error, plain lines where that is not a terminal.
#![allow(clippy::print_stderr)]

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use straylight::Progress;

/// Counts images on a terminal, and nowhere else.
pub(crate) struct Ticker(Option<ProgressBar>);

impl Ticker {
    /// A count that is seen if standard error is a terminal and standard output is none, which
    /// the lines of results would share with it.
    pub(crate) fn new() -> Self {
        let is_seen = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        let style = ProgressStyle::with_template("{spinner} {pos} images, {per_sec}, {elapsed}");
        Self(is_seen.then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        }))
    }

    /// One image more.
    pub(crate) fn tick(&mut self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// Takes the count away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Shows one piece of work after the other.
pub(crate) struct TerminalProgress {
    bar: Mutex<Option<ProgressBar>>,
    is_terminal: bool,
}

impl TerminalProgress {
    /// Bars if standard error is a terminal, else one line for each piece of work.
    pub(crate) fn new() -> Self {
        Self {
            bar: Mutex::new(None),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn with_bar(&self, use_bar: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panicking holder leaves at worst a stale bar behind.
        use_bar(
            &mut self
                .bar
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
    }
}

impl Progress for TerminalProgress {
    fn begin(&self, what: &str, total: u64) {
        if !self.is_terminal {
            eprintln!("{what} ({total})");
            return;
        }
        let style = "{msg:32} {bar:32.cyan/dim} {pos:>6}/{len:6} {elapsed:>4} {eta:>4} left";
        let style = ProgressStyle::with_template(style);
        let bar = ProgressBar::new(total).with_message(what.to_owned());
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.with_bar(|slot| *slot = Some(bar));
    }

    fn advance(&self, steps: u64) {
        self.with_bar(|slot| {
            if let Some(bar) = slot {
                bar.inc(steps);
            }
        });
    }

    fn finish(&self) {
        self.with_bar(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish();
            }
        });
    }

    fn note(&self, text: &str) {
        self.with_bar(|slot| match slot {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        });
    }
}
