use std::path::{Path, PathBuf};

use straylight_core::Progress;

use crate::env::Environment;
use crate::fetch::Wheel;
use crate::ffi::{self, Core, Model, Preprocessor};
use crate::graph::IrModel;
use crate::locate::{self, Origin};
use crate::{CompileOptions, CompiledModel, EngineError, ModelSource, Version, fetch};

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

    /// Reads a model, builds its pre-processing into it and compiles it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] and [`EngineError::Model`] for files that are missing, unreadable
    /// or damaged, [`EngineError::RuntimeTooOld`], and [`EngineError::OpenVino`] for all that
    /// the device refuses.
    pub fn compile(
        &self,
        source: &ModelSource,
        options: &CompileOptions,
    ) -> Result<CompiledModel, EngineError> {
        let core = Core::new()?;
        let device = options.property_device();
        if let Some(cache) = &options.cache {
            core.set_property(device, "CACHE_DIR", &cache.to_string_lossy())?;
        }
        for (key, value) in options.properties() {
            core.set_property(device, key, &value)?;
        }
        let model = self.read(&core, source)?;
        let model = prepare(model, source)?;
        let handle = core.compile(&model, &options.device)?;
        let (inputs, outputs) = (model.inputs()?, model.outputs()?);
        Ok(CompiledModel::new(
            core,
            handle,
            inputs,
            outputs,
            options.requests,
        ))
    }

    fn read(&self, core: &Core, source: &ModelSource) -> Result<Model, EngineError> {
        check_readable(&source.path)?;
        let weights = match (&source.weights, source.is_ir()) {
            (Some(weights), _) => Some(weights.clone()),
            (None, true) => Some(source.path.with_extension("bin")),
            (None, false) => None,
        };
        if let Some(weights) = &weights {
            check_readable(weights)?;
        }
        let model = core.read_model(&source.path, weights.as_deref());
        model.map_err(|error| self.explain(error, source))
    }

    /// Says that the runtime is too old, when that is why a model cannot be read.
    fn explain(&self, error: EngineError, source: &ModelSource) -> EngineError {
        let EngineError::OpenVino { reason, .. } = error else {
            return error;
        };
        let path = source.path.clone();
        let written_by = source
            .is_ir()
            .then(|| IrModel::read(&path).ok()?.written_by())
            .flatten();
        match (written_by, self.version) {
            (Some(written_by), Some(runtime)) if written_by > runtime => {
                EngineError::RuntimeTooOld {
                    path,
                    written_by,
                    runtime,
                    reason,
                }
            }
            _ => EngineError::Model { path, reason },
        }
    }
}

/// Opens the file once, so that a missing file or right has the system's own words.
fn check_readable(path: &Path) -> Result<(), EngineError> {
    std::fs::File::open(path).map_err(EngineError::io("read", path))?;
    Ok(())
}

fn prepare(model: Model, source: &ModelSource) -> Result<Model, EngineError> {
    let outputs = model.outputs()?;
    let floats: Vec<usize> = (0..outputs.len())
        .filter(|&i| outputs[i].element.is_other_float())
        .collect();
    if source.image_input.is_none() && floats.is_empty() {
        return Ok(model);
    }
    let preprocessor = Preprocessor::new(&model)?;
    if let Some(image) = &source.image_input {
        preprocessor.image_input(0, image)?;
    }
    for index in floats {
        preprocessor.output_as_f32(index)?;
    }
    preprocessor.build()
}
