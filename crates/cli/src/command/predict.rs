//! `straylight predict`: infer, draw, write.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use straylight::hooks::{HookSet, HookSetOptions};
use straylight::image::TerminalGraphics;
use straylight::run::{Pictures, Record, RunOptions, Seen, Step, run as run_images};
use straylight::sources::frame_rate;
use straylight::{Deployment, Keep, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::source::SourceArguments;
use crate::command::steps;
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::progress::{TerminalProgress, Ticker};

/// Pictures in a terminal are not larger than this, in pixels.
const TERMINAL_SIDE: u32 = 640;
/// Frames a second of a video that is made of anything but a video.
const RATE: f64 = 25.0;
/// Where `--show` puts pictures when the terminal can show none.
const SHOW_FOLDER: &str = "straylight-predictions";
/// Extensions that make `--out` one video.
const VIDEOS: [&str; 6] = ["mp4", "mkv", "webm", "mov", "avi", "m4v"];

/// Arguments of `straylight predict`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight predict photo.jpg --deployment D --show
  straylight predict photos/ --deployment D --out drawn --saliency
  straylight predict street.mp4 --deployment D --fps 5 --out street-drawn.mp4
  straylight predict photos.zip --deployment D --json > predictions.jsonl

Hooks are not asked; `straylight run` does that. Exit code 3: some images were bad or a video was cut
off, they are listed. Files beside the images that are no pictures (.txt, .xml, .json, hidden ones, ...)
are counted in one line and change no code.")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Arguments {
    /// Folder of the deployment.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_DEPLOYMENT")]
    deployment: PathBuf,
    /// Write a picture of each prediction into this folder, or all into this video (.mp4, .mkv,
    /// .webm, ...).
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Write pictures as JPEG instead of PNG.
    #[arg(long, requires = "out")]
    jpeg: bool,
    /// Explain: a heat map for each label as a picture of its own, or in the video.
    #[arg(long)]
    saliency: bool,
    /// Show pictures in the terminal (kitty, iTerm2, sixel), else write them to a folder.
    #[arg(long, conflicts_with = "json")]
    show: bool,
    /// Print one line of JSON for each image.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    source: SourceArguments,
}

/// Infers every image of the source.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let deployment = arguments.load()?;
    let frames = arguments.source.open(&deployment)?.frames;
    output::stop_on_interrupt(vec![frames.stop()]);
    let options = RunOptions {
        keep: Keep {
            saliency_maps: arguments.saliency,
            ..Keep::NOTHING
        },
        ..RunOptions::default()
    };
    let mut writer = Writer::new(arguments);
    let hooks = HookSet::new(HookSetOptions::default());
    let mut ticker = Ticker::new();
    let summary = run_images(&deployment, frames, &hooks, &options, &mut |step| {
        ticker.tick();
        writer.take(step)
    })?;
    ticker.finish();
    writer.finish()?;
    steps::summary(&summary);
    Ok(steps::exit(&summary))
}

impl Arguments {
    fn load(&self) -> Result<Arc<Deployment>, Failure> {
        let load = LoadOptions {
            hooks: SavedHooks::Ignore,
            ..self.engine.load_options()
        };
        let progress = TerminalProgress::new();
        let deployment = Deployment::from_folder_with_progress(&self.deployment, &load, &progress)?;
        Ok(Arc::new(deployment))
    }

    fn pictures(&self, graphics: Option<TerminalGraphics>) -> Option<Pictures> {
        match &self.out {
            Some(path) if is_video(path) => {
                let source = Path::new(&self.source.source);
                let rate = frame_rate(source, &self.source.reading.options()).unwrap_or(RATE);
                Some(Pictures::as_video(path, &self.source.reading.ffmpeg, rate))
            }
            Some(folder) => Some(Pictures::in_folder(folder, self.jpeg)),
            None if self.show && graphics.is_none() => {
                Some(Pictures::in_folder(SHOW_FOLDER, false))
            }
            None => None,
        }
    }
}

fn is_video(path: &Path) -> bool {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    VIDEOS.contains(&extension.as_str())
}

/// Prints, draws and writes what comes out.
struct Writer<'a> {
    arguments: &'a Arguments,
    graphics: Option<TerminalGraphics>,
    pictures: Option<Pictures>,
    failed: Option<Failure>,
}

impl<'a> Writer<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let graphics = output::graphics().filter(|_| arguments.show);
        Self {
            arguments,
            graphics,
            pictures: arguments.pictures(graphics),
            failed: None,
        }
    }

    fn take(&mut self, step: Step) -> ControlFlow<()> {
        let taken = match step {
            Step::Image(seen) => self.image(&seen),
            other => steps::list_bad(other, self.arguments.json),
        };
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn image(&mut self, seen: &Seen) -> Result<(), Failure> {
        steps::note_left_out(seen);
        if self.arguments.json {
            output::json_line(&Record::of(seen, &[]))?;
        } else {
            output::next_line(&steps::in_words(seen))?;
        }
        if let Some(graphics) = self.graphics {
            let drawn = Pictures::in_folder("", false).draw(seen);
            let maps = drawn.1.iter().map(|(_, map)| map);
            for picture in std::iter::once(&drawn.0).chain(maps) {
                output::graphics_line(graphics.render(picture, TERMINAL_SIDE)?.trim_end())?;
            }
        }
        if let Some(pictures) = &mut self.pictures {
            for path in pictures.write(seen)? {
                if self.arguments.show {
                    output::note(&format!("  {}", path.display()));
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        if let Some(video) = self.pictures.map(Pictures::finish).transpose()?.flatten() {
            output::note(&format!("wrote {}", video.display()));
        }
        Ok(())
    }
}
