use std::path::PathBuf;

use straylight_engine::{CompileOptions, Hint, Precision, RuntimeOptions};

/// Where compiled models are kept between starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ModelCache {
    /// In Straylight's cache folder, when the user has one that can be written.
    #[default]
    Standard,
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere: models are compiled anew at each start.
    Off,
}

/// How JPEG files are decoded that are far larger than what the network sees of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JpegDecoding {
    /// With an eighth, a quarter or half of their pixels a side, so that at least three times as many a
    /// side remain as the network sees: up to twice as fast, and single scores move a little.
    #[default]
    Scaled,
    /// With all pixels, as OpenCV and Pillow read them: the same predictions as with other programs.
    Whole,
}

impl JpegDecoding {
    /// What it is called on the command line and in OOD models.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scaled => "scaled",
            Self::Whole => "whole",
        }
    }
}

/// How a deployment is loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// How OpenVINO is found.
    pub runtime: RuntimeOptions,
    /// OpenVINO's device names, one for each trainable task; the last one stands for all
    /// further tasks, none at all means `CPU`.
    pub devices: Vec<String>,
    /// Precision of the arithmetic.
    pub precision: Precision,
    /// Latency or throughput.
    pub hint: Hint,
    /// Inferences of each task that may run at once; 0 leaves it to the device.
    pub requests: usize,
    /// Threads of the CPU device; 0 leaves it to OpenVINO.
    pub threads: usize,
    /// Where compiled models are kept.
    pub cache: ModelCache,
    /// How large JPEG files are decoded; as for the deployment's OOD model if `None`, else scaled.
    pub jpeg_decoding: Option<JpegDecoding>,
    /// What becomes of the OOD model saved with the deployment.
    pub ood_model: SavedOodModel,
    /// What becomes of the hooks saved with the deployment.
    pub hooks: SavedHooks,
    /// Folder for hooks' queues on disk; without one all queues are in memory.
    pub hook_state: Option<PathBuf>,
}

/// What becomes of the hooks saved with a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SavedHooks {
    /// They are attached.
    #[default]
    Attach,
    /// They are not even read.
    Ignore,
}

/// What becomes of the OOD model saved with a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SavedOodModel {
    /// It scores images.
    #[default]
    Attach,
    /// It is not even read, as before another is fitted.
    Ignore,
}

impl LoadOptions {
    /// The engine's options for the task of this index among the trainable ones.
    pub(crate) fn compile_options(&self, task: usize) -> CompileOptions {
        let device = self.devices.get(task).or_else(|| self.devices.last());
        CompileOptions {
            device: device.cloned().unwrap_or_else(|| "CPU".to_owned()),
            precision: self.precision,
            hint: self.hint,
            requests: self.requests,
            threads: self.threads,
            cache: self.cache_folder(),
        }
    }

    fn cache_folder(&self) -> Option<PathBuf> {
        let folder = match &self.cache {
            ModelCache::Standard => self.runtime.environment.cache_dir()?.join("models"),
            ModelCache::Folder(folder) => folder.clone(),
            ModelCache::Off => return None,
        };
        match std::fs::create_dir_all(&folder) {
            Ok(()) => Some(folder),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "compiled models are not cached");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_device_stands_for_all_further_tasks() {
        let devices = |names: &[&str], task| {
            let devices = names.iter().map(|&name| name.to_owned()).collect();
            let options = LoadOptions {
                devices,
                cache: ModelCache::Off,
                ..LoadOptions::default()
            };
            options.compile_options(task).device
        };
        assert_eq!(devices(&[], 0), "CPU");
        assert_eq!(devices(&["GPU"], 1), "GPU");
        assert_eq!(devices(&["GPU", "CPU"], 1), "CPU");
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_done_without() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = ModelCache::Folder(file.path().join("below a file"));
        let options = LoadOptions {
            cache,
            ..LoadOptions::default()
        };
        assert_eq!(options.compile_options(0).cache, None);
    }
}
