//! `straylight bench --table`: alone, with decoding, with a hook.

use std::path::{Path, PathBuf};

use clap::Args;
use straylight::overhead::{Mode, OverheadOptions, OverheadRow, overhead, plot};

use crate::exit::{Exit, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight bench` that ask for the table.
#[derive(Debug, Args)]
pub(crate) struct OverheadArguments {
    /// Measure alone, with decoding, with a hook and with both, one image at a time and
    /// asynchronously: a table.
    #[arg(long, conflicts_with_all = ["collect", "decode"])]
    pub(crate) table: bool,
    /// Draw the table into this file (SVG).
    #[arg(long, value_name = "FILE", requires = "table")]
    plot: Option<PathBuf>,
}

impl OverheadArguments {
    /// Measures, prints, draws.
    pub(crate) fn run(&self, options: &OverheadOptions, json: Option<&Path>) -> Outcome {
        let rows = overhead(options, &TerminalProgress::new())?;
        if let Some(path) = &self.plot {
            let title = format!("straylight bench {}", options.deployment.display());
            straylight::write_atomically(path, plot(&title, &rows).as_bytes())?;
        }
        match json {
            Some(target) => output::json(&rows, target)?,
            None => output::line(&as_text(&rows)),
        }
        Ok(Exit::Success)
    }
}

fn as_text(rows: &[OverheadRow]) -> String {
    let mut lines = vec![
        "                               images/s   median ms     90 % ms     99 % ms".to_owned(),
    ];
    for row in rows {
        let mode = match row.mode {
            Mode::Sync => "one at a time",
            Mode::Async => "asynchronous",
        };
        lines.push(format!(
            "{mode:13}  {:13}  {:9.1}  {:10.2}  {:10.2}  {:10.2}",
            row.name(),
            row.images_per_second,
            row.latency_median_ms,
            row.latency_p90_ms,
            row.latency_p99_ms
        ));
    }
    lines.extend(in_short(rows));
    lines.join("\n")
}

/// The notebook's question, answered.
fn in_short(rows: &[OverheadRow]) -> Option<String> {
    let find = |hook: bool| {
        let mut all = rows.iter();
        all.find(|row| row.mode == Mode::Async && row.decode && row.hook == hook)
    };
    let kept = find(true)?.images_per_second / find(false)?.images_per_second * 100.0;
    Some(format!(
        "A hook that writes four files for every image leaves {kept:.0} % of the throughput."
    ))
}
