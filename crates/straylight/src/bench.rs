//! How fast a deployment runs on this machine, alone, with decoding, and with a hook.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use straylight_core::{Frame, Prediction, Progress};
use straylight_deploy::{DeployError, Deployment, LoadOptions};
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight_hooks::{
    HookError, HookOptions, Ledger, Overflow, PostInferenceHook, QueueOptions, Trigger,
    TriggerError,
};
use straylight_image::ImageError;

/// How long a hook may take to deliver what it accepted.
const DRAIN: Duration = Duration::from_secs(600);
/// Most bytes that wait for the hook; when they do, inference waits, so that every image is
/// collected and counts.
const QUEUE_BYTES: u64 = 32 << 20;
/// Inferences before the clock starts.
const WARM_UP: usize = 20;

/// What is measured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BenchOptions {
    /// The deployment's folder.
    pub deployment: PathBuf,
    /// The images, at least one; they are used again and again.
    pub images: Vec<PathBuf>,
    /// Seconds of each measurement.
    pub seconds: f64,
    /// Folder for a hook that fires on every image and writes all four files; `None`: no hook.
    pub collect: Option<PathBuf>,
    /// Share of the images on which the hook fires, above 0 and at most 1.
    pub collect_share: f64,
    /// Whether images are decoded from their files each time, or once beforehand.
    pub decode: bool,
    /// How the deployment is loaded.
    pub load: LoadOptions,
}

impl BenchOptions {
    /// Five seconds of inference on these images, decoded beforehand, without a hook.
    pub fn new(deployment: impl Into<PathBuf>, images: Vec<PathBuf>) -> Self {
        Self {
            deployment: deployment.into(),
            images,
            seconds: 5.0,
            collect: None,
            collect_share: 1.0,
            decode: false,
            load: LoadOptions::default(),
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BenchReport {
    /// Seconds from the start of the measurement, before the deployment was loaded, to the
    /// first prediction.
    pub first_prediction_seconds: f64,
    /// Median time of one `infer`, in milliseconds.
    pub latency_median_ms: f64,
    /// Time within which 90 % of the calls returned, in milliseconds.
    pub latency_p90_ms: f64,
    /// Time within which 99 % of the calls returned, in milliseconds.
    pub latency_p99_ms: f64,
    /// Images a second, until the last one's files were written if there is a hook.
    pub images_per_second: f64,
    /// Images inferred.
    pub images: usize,
    /// Images that the hook collected.
    pub collected: u64,
    /// Images on which the hook fired and that its queue dropped.
    pub dropped: u64,
    /// Most memory that the process held, in bytes; `None` where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
}

/// The benchmark could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// No image was named.
    #[error("name at least one image to infer")]
    NoImages,
    /// Loading or running the deployment.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// Reading an image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Attaching the hook.
    #[error(transparent)]
    Hook(#[from] HookError),
}

/// Loads the deployment, infers for the time asked for, and reports.
pub fn run(options: &BenchOptions, progress: &dyn Progress) -> Result<BenchReport, BenchError> {
    let start = Instant::now();
    let first = options.images.first().ok_or(BenchError::NoImages)?;
    let deployment =
        Deployment::from_folder_with_progress(&options.deployment, &options.load, progress)?;
    deployment.infer(&deployment.read_frame(first)?)?;
    let first_prediction_seconds = start.elapsed().as_secs_f64();
    if let Some(folder) = &options.collect {
        attach_hook(&deployment, folder, options.collect_share)?;
    }
    let images = Images::new(&deployment, options)?;
    for index in 0..WARM_UP {
        deployment.infer(&images.get(&deployment, index)?)?;
    }
    deployment.hooks().drain(DRAIN);
    let (mut taken, elapsed) = measure(&deployment, &images, options.seconds)?;
    taken.sort_unstable();
    let stats = deployment.hooks().stats();
    let stats = stats.first().map(|hook| &hook.ledger);
    Ok(BenchReport {
        first_prediction_seconds,
        latency_median_ms: quantile_ms(&taken, 0.5),
        latency_p90_ms: quantile_ms(&taken, 0.9),
        latency_p99_ms: quantile_ms(&taken, 0.99),
        images_per_second: taken.len() as f64 / elapsed,
        images: taken.len(),
        collected: stats.map_or(0, |ledger| ledger.delivered),
        dropped: stats.map_or(0, Ledger::total_dropped),
        peak_memory_bytes: peak_memory(),
    })
}

/// The images of a benchmark, in memory or on disk.
enum Images {
    Decoded(Vec<Frame>),
    Files(Vec<PathBuf>),
}

impl Images {
    fn new(deployment: &Deployment, options: &BenchOptions) -> Result<Self, ImageError> {
        if options.decode {
            return Ok(Self::Files(options.images.clone()));
        }
        let frames = options
            .images
            .iter()
            .map(|path| deployment.read_frame(path));
        Ok(Self::Decoded(frames.collect::<Result<_, _>>()?))
    }

    /// The image of this index, from the first again after the last.
    fn get(&self, deployment: &Deployment, index: usize) -> Result<Frame, ImageError> {
        match self {
            Self::Decoded(frames) => Ok(frames[index % frames.len()].clone()),
            Self::Files(paths) => deployment.read_frame(&paths[index % paths.len()]),
        }
    }
}

/// Fires on a share of the images, evenly spread over their sequence.
#[derive(Debug)]
struct EveryNth {
    share: f64,
    seen: AtomicU64,
}

impl Trigger for EveryNth {
    fn name(&self) -> &'static str {
        "EveryNth"
    }

    fn score(&self, _: &Frame, _: &Prediction) -> Result<f64, TriggerError> {
        let before = self.seen.fetch_add(1, Ordering::Relaxed) as f64;
        let fires = ((before + 1.0) * self.share).floor() > (before * self.share).floor();
        Ok(f64::from(u8::from(fires)))
    }

    fn decide(&self, score: f64) -> bool {
        score > 0.5
    }
}

fn attach_hook(deployment: &Deployment, folder: &Path, share: f64) -> Result<(), HookError> {
    let action = FileSystemDataCollection::new(FileSystemOptions::new(folder));
    let options = HookOptions {
        queue: Some(QueueOptions {
            overflow: Overflow::Wait,
            max_bytes: QUEUE_BYTES,
            ..QueueOptions::MEMORY
        }),
        ..HookOptions::default()
    };
    let trigger = EveryNth {
        share,
        seen: AtomicU64::new(0),
    };
    let hook = PostInferenceHook::new(Box::new(trigger), Box::new(action), options);
    deployment.add_hook(hook)
}

/// The time of each call, and the seconds of all of them with what the hooks had to do.
fn measure(
    deployment: &Deployment,
    images: &Images,
    seconds: f64,
) -> Result<(Vec<Duration>, f64), BenchError> {
    let start = Instant::now();
    let mut taken = Vec::new();
    while start.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        deployment.infer(&images.get(deployment, taken.len())?)?;
        taken.push(before.elapsed());
    }
    deployment.hooks().drain(DRAIN);
    Ok((taken, start.elapsed().as_secs_f64()))
}

fn quantile_ms(sorted: &[Duration], part: f64) -> f64 {
    let index = ((sorted.len() as f64 - 1.0) * part).round().max(0.0) as usize;
    sorted
        .get(index)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

/// The kernel's high-water mark of resident memory.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_firings_is_exact_and_even() {
        struct Case(f64, usize);
        for Case(share, expected) in [Case(1.0, 100), Case(0.02, 2), Case(0.25, 25)] {
            let trigger = EveryNth {
                share,
                seen: AtomicU64::new(0),
            };
            let image = straylight_core::RgbImage::filled(8, 8, [0; 3]).unwrap();
            let frame = Frame::new(image, "x", straylight_core::Timestamp::UNIX_EPOCH);
            let fires = |_| trigger.decide(trigger.score(&frame, &Prediction::default()).unwrap());
            assert_eq!((0..100).filter(|n| fires(*n)).count(), expected, "{share}");
        }
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let times: Vec<Duration> = (1..=11).map(Duration::from_millis).collect();
        assert!((quantile_ms(&times, 0.5) - 6.0).abs() < 1e-9);
        assert!((quantile_ms(&times, 0.99) - 11.0).abs() < 1e-9);
        assert!(quantile_ms(&[], 0.5).is_nan());
    }
}
