//! What `straylight doctor` tells: which runtime was found, where was searched, which devices
//! there are, and how to fix what is missing.

use std::path::PathBuf;

use crate::env::Environment;
use crate::locate::{self, Origin};
use crate::{EngineError, Runtime, Version, fetch};

/// The state of the engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The runtime that would be used.
    pub runtime: Option<FoundRuntime>,
    /// The places that were searched, in order, with what was found there.
    pub searched: Vec<String>,
    /// The devices that can infer.
    pub devices: Vec<Device>,
    /// The folder for fetched runtimes and compiled models.
    pub cache: Option<PathBuf>,
    /// What is wrong and what to do about it; empty when all is well.
    pub hints: Vec<String>,
}

/// A runtime that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRuntime {
    /// The C library.
    pub library: PathBuf,
    /// Where it came from, in words.
    pub origin: &'static str,
    /// Its version, if its build has one.
    pub version: Option<Version>,
    /// Its full build string.
    pub build: String,
}

/// A device that can infer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// OpenVINO's name for it, to be given as the device option.
    pub name: String,
    /// Its maker's name for it.
    pub full_name: String,
    /// What it is fast with, such as `FP32 INT8 BF16`.
    pub capabilities: String,
    /// The precision that it chooses when it may, such as `bf16`.
    pub own_precision: String,
}

/// Looks at this machine without fetching anything.
pub fn examine(environment: &Environment) -> Report {
    let search = locate::search(environment);
    let mut report = Report {
        searched: search.log,
        cache: environment.cache_dir(),
        ..Report::default()
    };
    match search.found {
        Some((_, origin)) => report.look_at_runtime(environment, origin),
        None => report.say_how_to_install(environment),
    }
    report
}

impl Report {
    fn look_at_runtime(&mut self, environment: &Environment, origin: Origin) {
        let options = crate::RuntimeOptions {
            environment: environment.clone(),
            may_fetch: false,
        };
        let runtime = match Runtime::load(&options, &straylight_core::NoProgress) {
            Ok(runtime) => runtime,
            Err(error) => {
                self.complain(&error);
                return;
            }
        };
        match runtime.devices() {
            Ok(names) => {
                self.devices = names
                    .iter()
                    .map(|name| Device::of(&runtime, name))
                    .collect();
            }
            Err(error) => self.complain(&error),
        }
        if self.devices.is_empty() {
            self.hints.push(
                "OpenVINO was loaded but offers no device: its plugins are missing.".to_owned(),
            );
        }
        self.runtime = Some(FoundRuntime {
            library: runtime.library().to_owned(),
            origin: runtime.origin().unwrap_or(origin).describe(),
            version: runtime.version(),
            build: runtime.build().to_owned(),
        });
    }

    fn complain(&mut self, error: &EngineError) {
        self.hints.push(error.to_string());
        if !error.hint().is_empty() {
            self.hints.push(error.hint().to_owned());
        }
    }

    fn say_how_to_install(&mut self, environment: &Environment) {
        let python = environment.python();
        self.hints.push(if fetch::Pip::new(&python).works() {
            format!(
                "No OpenVINO is installed: the first run fetches {} with `{} -m pip` into {}.",
                fetch::VERSION,
                python.display(),
                self.cache.as_deref().map_or("the cache".into(), |cache| cache.to_string_lossy()),
            )
        } else {
            format!(
                "No OpenVINO is installed, and {} with pip is not there to fetch it: install python3 and pip, \
                 or set STRAYLIGHT_OPENVINO to the folder of OpenVINO's libraries.",
                python.display(),
            )
        });
    }
}

impl Device {
    fn of(runtime: &Runtime, name: &str) -> Self {
        let property = |key| runtime.device_property(name, key).unwrap_or_default();
        Self {
            name: name.to_owned(),
            full_name: property("FULL_DEVICE_NAME"),
            capabilities: property("OPTIMIZATION_CAPABILITIES"),
            own_precision: property("INFERENCE_PRECISION_HINT"),
        }
    }
}
