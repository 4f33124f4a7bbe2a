//! Compiled models and the sessions in which they run.
//!
//! A [`CompiledModel`] is shared by any number of threads. Each inference takes a [`Session`]:
//! an OpenVINO request with its own input and output memory, handed out by a pool and given
//! back when the session is dropped. The pool makes requests when they are first needed, up to
//! a limit; then the next caller waits.
//!
//! Copies: the caller writes pixels straight into the request's input tensor, and reads
//! results straight out of its output tensors while it holds the session. Nothing read from a
//! session can outlive it, so a later inference never changes what a caller holds.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::ffi::{CompiledHandle, Core, Request, Tensor};
use crate::{Element, ElementType, EngineError, TensorInfo};

/// A model that is ready to infer; cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct CompiledModel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // Fields drop in this order: requests before the model, the model before the core.
    pool: Mutex<Pool>,
    returned: Condvar,
    handle: CompiledHandle,
    _core: Core,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Request>,
    made: usize,
}

impl CompiledModel {
    pub(crate) fn new(
        core: Core,
        handle: CompiledHandle,
        inputs: Vec<TensorInfo>,
        outputs: Vec<TensorInfo>,
        requests: usize,
    ) -> Self {
        let optimal = handle.property("OPTIMAL_NUMBER_OF_INFER_REQUESTS");
        let optimal = optimal.ok().and_then(|text| text.parse().ok()).unwrap_or(1);
        let limit = if requests == 0 { optimal } else { requests }.max(1);
        let (pool, returned) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner {
            pool,
            returned,
            handle,
            _core: core,
            inputs,
            outputs,
            limit,
        }))
    }

    /// The inputs, in the model's order.
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.0.inputs
    }

    /// The outputs, in the model's order.
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.0.outputs
    }

    /// The place in [`CompiledModel::outputs`] of the output that has this name.
    ///
    /// An output may have several names (ONNX gives it those of all identical tensors), and
    /// [`TensorInfo`] holds the first of them only; all of them are found.
    pub fn output_index(&self, name: &str) -> Option<usize> {
        let place = |name: &str| self.outputs().iter().position(|info| info.name == name);
        place(name).or_else(|| place(&self.0.handle.first_name(name)?))
    }

    /// How many inferences may run at once.
    pub fn requests(&self) -> usize {
        self.0.limit
    }

    /// A property of the compiled model, such as `EXECUTION_DEVICES`, `NUM_STREAMS` or
    /// `INFERENCE_PRECISION_HINT`.
    pub fn property(&self, key: &str) -> Result<String, EngineError> {
        self.0.handle.property(key)
    }

    /// Takes a session, waiting until one is free.
    pub fn session(&self) -> Result<Session, EngineError> {
        let mut pool = self.0.lock();
        loop {
            if let Some(request) = pool.idle.pop() {
                return Ok(self.lend(request));
            }
            if pool.made < self.0.limit {
                let request = self.0.handle.create_request()?;
                pool.made += 1;
                return Ok(self.lend(request));
            }
            pool = self
                .0
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lend(&self, request: Request) -> Session {
        Session {
            request: Some(request),
            model: Arc::clone(&self.0),
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in which one inference at a time runs; goes back to the pool when dropped.
#[derive(Debug)]
pub struct Session {
    // Always `Some` until drop.
    request: Option<Request>,
    model: Arc<Inner>,
}

impl Session {
    /// Lets `write` fill the memory of input `index`.
    ///
    /// The slice has as many values as the input's shape says; an error when they are of
    /// another type than `T`.
    pub fn write_input<T: Element, R>(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut [T]) -> R,
    ) -> Result<R, EngineError> {
        let name = self
            .model
            .inputs
            .get(index)
            .map_or_else(String::new, |info| info.name.clone());
        let mut tensor = self.input(index)?;
        let values = tensor
            .values_mut::<T>()
            .map_err(|error| error.of_tensor(&name))?;
        Ok(write(values))
    }

    /// Gives input `index` a shape, for inputs with unknown dimensions.
    pub fn set_input_shape(&mut self, index: usize, shape: &[usize]) -> Result<(), EngineError> {
        self.input(index)?.set_shape(shape)
    }

    /// Runs the inference and returns when the outputs are there.
    pub fn run(&mut self) -> Result<(), EngineError> {
        self.request.as_mut().ok_or_else(lost)?.infer()
    }

    /// Output `index` of the last run; stays valid until the session is used again.
    pub fn output(&self, index: usize) -> Result<Output<'_>, EngineError> {
        let tensor = self.request.as_ref().ok_or_else(lost)?.output(index)?;
        let (shape, element) = (tensor.shape()?, tensor.element()?);
        let name = self
            .model
            .outputs
            .get(index)
            .map_or("", |info| info.name.as_str());
        Ok(Output {
            tensor,
            shape,
            element,
            name,
        })
    }

    /// The output of this name of the last run, or `None` when the model has no such output.
    pub fn output_named(&self, name: &str) -> Result<Option<Output<'_>>, EngineError> {
        let index = self.model.outputs.iter().position(|info| info.name == name);
        index.map(|index| self.output(index)).transpose()
    }

    fn input(&mut self, index: usize) -> Result<Tensor, EngineError> {
        self.request.as_mut().ok_or_else(lost)?.input(index)
    }
}

fn lost() -> EngineError {
    EngineError::OpenVino {
        action: "infer".to_owned(),
        reason: "the session was given back".to_owned(),
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.model.lock().idle.push(request);
            self.model.returned.notify_one();
        }
    }
}

/// An output tensor; borrows its session.
#[derive(Debug)]
pub struct Output<'a> {
    tensor: Tensor,
    shape: Vec<usize>,
    element: ElementType,
    name: &'a str,
}

impl Output<'_> {
    /// Its shape; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of its values.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Its values in row-major order; an error when they are of another type than `T`.
    pub fn values<T: Element>(&self) -> Result<&[T], EngineError> {
        self.tensor
            .values()
            .map_err(|error| error.of_tensor(self.name))
    }

    /// Its values as 0 and 1, when they are booleans.
    pub fn booleans(&self) -> Result<&[u8], EngineError> {
        self.tensor
            .booleans()
            .map_err(|error| error.of_tensor(self.name))
    }
}
