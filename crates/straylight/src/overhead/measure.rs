use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use straylight_core::Frame;
use straylight_deploy::{DeployError, Deployment, Input, StreamOptions};
use straylight_files::FileError;
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{HookOptions, Overflow, PostInferenceHook, QueueOptions};
use tempfile::TempDir;

use super::{Mode, OverheadError, OverheadOptions, OverheadRow};

/// How long a hook may take to deliver what it accepted.
const DRAIN: Duration = Duration::from_secs(600);
/// Inferences before the clock starts.
const WARM_UP: usize = 10;

/// A deployment and the images that it is measured on.
pub(super) struct Bench {
    deployment: Arc<Deployment>,
    frames: Vec<Frame>,
    files: Vec<PathBuf>,
    seconds: f64,
}

/// The latencies of all images, and the seconds of all of them with what the hook had to do.
type Measured = (Vec<Duration>, f64);

impl Bench {
    pub(super) fn new(
        deployment: Arc<Deployment>,
        options: &OverheadOptions,
    ) -> Result<Self, OverheadError> {
        let frames = options
            .images
            .iter()
            .map(|path| deployment.read_frame(path));
        let frames = frames.collect::<Result<_, _>>()?;
        Ok(Self {
            deployment,
            frames,
            files: options.images.clone(),
            seconds: options.seconds,
        })
    }

    pub(super) fn row(
        &self,
        mode: Mode,
        decode: bool,
        hook: bool,
    ) -> Result<OverheadRow, OverheadError> {
        // The folder goes, with what the hook wrote, when the row is measured.
        let _folder = hook.then(|| self.attach_hook()).transpose()?;
        for index in 0..WARM_UP {
            self.deployment.infer(&self.frame(index, decode)?)?;
        }
        self.deployment.hooks().drain(DRAIN);
        let (mut taken, elapsed) = match mode {
            Mode::Sync => self.one_by_one(decode)?,
            Mode::Async => self.several(decode)?,
        };
        self.deployment.clear_hooks();
        taken.sort_unstable();
        Ok(OverheadRow {
            mode,
            decode,
            hook,
            images: taken.len(),
            images_per_second: taken.len() as f64 / elapsed,
            latency_median_ms: quantile_ms(&taken, 0.5),
            latency_p90_ms: quantile_ms(&taken, 0.9),
            latency_p99_ms: quantile_ms(&taken, 0.99),
        })
    }

    fn attach_hook(&self) -> Result<TempDir, OverheadError> {
        let folder = tempfile::Builder::new()
            .prefix("straylight-bench-")
            .tempdir();
        let folder = folder
            .map_err(|error| FileError::new("create a folder in", std::env::temp_dir(), error))?;
        let action = FileSystemDataCollection::new(FileSystemOptions::new(folder.path()));
        let options = HookOptions {
            // Every image is to be written: whoever dropped some would look fast.
            queue: Some(QueueOptions {
                overflow: Overflow::Wait,
                ..QueueOptions::MEMORY
            }),
            ..HookOptions::default()
        };
        let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
        self.deployment.add_hook(hook)?;
        Ok(folder)
    }

    fn one_by_one(&self, decode: bool) -> Result<Measured, OverheadError> {
        let start = Instant::now();
        let mut taken = Vec::new();
        while start.elapsed().as_secs_f64() < self.seconds {
            let before = Instant::now();
            self.deployment.infer(&self.frame(taken.len(), decode)?)?;
            taken.push(before.elapsed());
        }
        self.deployment.hooks().drain(DRAIN);
        Ok((taken, start.elapsed().as_secs_f64()))
    }

    fn several(&self, decode: bool) -> Result<Measured, OverheadError> {
        let workers = self.deployment.start_async(StreamOptions::default())?;
        let (sender, done) = channel();
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed().as_secs_f64() < self.seconds {
            let sender = sender.clone();
            let before = Instant::now();
            workers.submit(self.input(count, decode), move |outcome| {
                // The receiver lives until all are done.
                let _ = sender.send(outcome.map(|_| before.elapsed()));
            })?;
            count += 1;
        }
        workers.await_all();
        self.deployment.hooks().drain(DRAIN);
        let elapsed = start.elapsed().as_secs_f64();
        drop(sender);
        let taken = done.iter().collect::<Result<Vec<_>, DeployError>>()?;
        Ok((taken, elapsed))
    }

    /// The image of this index, from the first again after the last.
    fn frame(&self, index: usize, decode: bool) -> Result<Frame, OverheadError> {
        let place = index % self.files.len();
        if decode {
            return Ok(self.deployment.read_frame(&self.files[place])?);
        }
        Ok(self.frames[place].clone())
    }

    fn input(&self, index: usize, decode: bool) -> Input {
        let place = index % self.files.len();
        if decode {
            return Input::File(self.files[place].clone());
        }
        Input::Frame(self.frames[place].clone())
    }
}

fn quantile_ms(sorted: &[Duration], part: f64) -> f64 {
    let index = ((sorted.len() as f64 - 1.0) * part).round().max(0.0) as usize;
    let value = sorted.get(index);
    value.map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
