use std::path::{Path, PathBuf};

use straylight_core::Progress;

use crate::env::Environment;
use crate::fetch::Wheel;
use crate::ffi::{self, Core};
use crate::locate::{self, Origin};
use crate::{CompileOptions, CompiledModel, EngineError, Model, ModelSource, Version, fetch};

/// How the runtime is found.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// The environment variables that steer the search.
    pub environment: Environment,
    /// Whether OpenVINO may be fetched when none is installed.
    pub may_fetch: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        let environment = Environment::of_process();
        let may_fetch = !environment.is_on(crate::env::STRAYLIGHT_OFFLINE);
        Self {
            environment,
            may_fetch,
        }
    }
}

/// A loaded OpenVINO.
///
/// A process loads one OpenVINO and keeps it; loading again gives the same one.
#[derive(Debug, Clone)]
pub struct Runtime {
    library: PathBuf,
    origin: Option<Origin>,
    version: Option<Version>,
    build: String,
}

impl Runtime {
    /// Finds OpenVINO, fetching it when none is installed, and loads it.
    ///
    /// The order: `STRAYLIGHT_OPENVINO`, the active virtual environment, an archive's and the
    /// system's folders, Straylight's cache, the `openvino` package of `python3`, and last a
    /// download with the user's own pip into the cache (59 MB, once).
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRuntime`] with all places that were searched,
    /// [`EngineError::Fetch`] when the download fails, [`EngineError::Load`] when a library is
    /// there but cannot be loaded or is older than 2025.1.
    pub fn load(options: &RuntimeOptions, progress: &dyn Progress) -> Result<Self, EngineError> {
        if let Some(loaded) = ffi::loaded_version() {
            let library = ffi::load(Path::new(""))?;
            return Ok(Self::describe(library, None, Some(loaded)));
        }
        let search = locate::search(&options.environment);
        let (library, origin) = match search.found {
            Some(found) => found,
            None => (
                Self::fetch(options, &search.log, progress)?,
                Origin::Fetched,
            ),
        };
        tracing::debug!(library = %library.display(), ?origin, "loading OpenVINO");
        let library = ffi::load(&library)?;
        Ok(Self::describe(library, Some(origin), ffi::loaded_version()))
    }

    fn fetch(
        options: &RuntimeOptions,
        searched: &[String],
        progress: &dyn Progress,
    ) -> Result<PathBuf, EngineError> {
        let refuse = |reason: &str| {
            Err(EngineError::NoRuntime {
                reason: reason.to_owned(),
                searched: searched.to_vec(),
            })
        };
        if options
            .environment
            .path(crate::env::STRAYLIGHT_OPENVINO)
            .is_some()
        {
            return refuse("STRAYLIGHT_OPENVINO names a place that holds none");
        }
        if !options.may_fetch {
            return refuse("fetching is switched off");
        }
        let Some(wheel) = Wheel::for_this_machine() else {
            return refuse("there is no pinned OpenVINO wheel for this kind of machine");
        };
        let Some(cache) = options.environment.cache_dir() else {
            return refuse("there is no cache folder: neither STRAYLIGHT_CACHE nor HOME is set");
        };
        let pip = fetch::Pip::new(options.environment.python());
        if !pip.works() {
            return refuse("python3 with pip is not there to fetch it");
        }
        fetch::fetch(&wheel, &pip, &cache, progress)
    }

    fn describe(
        library: PathBuf,
        origin: Option<Origin>,
        loaded: Option<(Option<Version>, String)>,
    ) -> Self {
        let (version, build) = loaded.unwrap_or_default();
        Self {
            library,
            origin,
            version,
            build,
        }
    }

    /// The loaded `libopenvino_c`.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Where it came from; `None` when an earlier call loaded it.
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// Its version; `None` for a build without a release number.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Its full build string.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The names of the devices that can infer here, such as `CPU`, `GPU.0`.
    pub fn devices(&self) -> Result<Vec<String>, EngineError> {
        Core::new()?.devices()
    }

    /// A property of a device, such as `FULL_DEVICE_NAME` or `OPTIMIZATION_CAPABILITIES`.
    pub fn device_property(&self, device: &str, key: &str) -> Result<String, EngineError> {
        Core::new()?.property(device, key)
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] and [`EngineError::Model`] for files that are missing, unreadable
    /// or damaged, [`EngineError::RuntimeTooOld`].
    pub fn read(&self, source: &ModelSource) -> Result<Model, EngineError> {
        Model::read(source, self.version)
    }

    /// Reads a model, builds its pre-processing into it and compiles it.
    ///
    /// # Errors
    ///
    /// Those of [`Runtime::read`], and [`EngineError::OpenVino`] for all that the device refuses.
    pub fn compile(
        &self,
        source: &ModelSource,
        options: &CompileOptions,
    ) -> Result<CompiledModel, EngineError> {
        self.read(source)?
            .compile(source.image_input.as_ref(), options)
    }
}
