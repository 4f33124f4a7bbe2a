//! A session with a Geti server. Records travel as the JSON of the REST API.

mod jobs;
mod labels;
mod media;
mod models;
mod predictions;
mod projects;
mod settings;
mod videos;

pub(crate) use settings::server_details;

use std::fmt::Display;
use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Serialize;
use straylight_geti::{
    Certificates, Geti, GetiError, ProxyChoice, Secret, ServerDetails, Transfer,
};

use crate::error::{Outcome, Raised};

/// An open session; `straylight.http_session.GetiSession` wraps it.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Client {
    geti: Geti,
}

impl Client {
    /// The session.
    pub(crate) fn geti(&self) -> &Geti {
        &self.geti
    }

    /// Makes a call without the interpreter lock.
    fn call<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Geti) -> Result<T, GetiError> + Send,
    ) -> PyResult<T> {
        Ok(py.detach(|| call(&self.geti)).map_err(Raised::from)?)
    }

    /// Makes a call and gives what it returns as JSON.
    fn json<T: Serialize + Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Geti) -> Result<T, GetiError> + Send,
    ) -> PyResult<String> {
        Ok(to_json(&self.call(py, call)?)?)
    }
}

#[pymethods]
impl Client {
    /// Opens a session.
    #[new]
    #[pyo3(signature = (host, token, verify, ca_file = None, proxy = None, workspace_id = None))]
    fn new(
        py: Python<'_>,
        host: String,
        token: String,
        verify: bool,
        ca_file: Option<PathBuf>,
        proxy: Option<String>,
        workspace_id: Option<String>,
    ) -> PyResult<Self> {
        let mut details = ServerDetails::new(host, Secret::new(token));
        details.certificates = match (ca_file, verify) {
            (Some(file), _) => Certificates::SignedBy(file),
            (None, true) => Certificates::Public,
            (None, false) => Certificates::Unchecked,
        };
        if let Some(proxy) = proxy {
            details.proxy = ProxyChoice::Through(Secret::new(proxy));
        }
        details.workspace_id = workspace_id;
        let geti = py
            .detach(|| Geti::connect(&details))
            .map_err(Raised::from)?;
        Ok(Self { geti })
    }

    /// The server's address.
    #[getter]
    fn host(&self) -> String {
        self.geti.host()
    }

    /// The version that the server says it has.
    #[getter]
    fn version(&self) -> String {
        self.geti.version().to_string()
    }

    /// Identifier of the organization.
    #[getter]
    fn organization_id(&self) -> &str {
        self.geti.organization_id()
    }

    /// The credits that are left; null if the server has no credit system.
    fn balance(&self, py: Python<'_>) -> PyResult<String> {
        self.json(py, Geti::balance)
    }

    /// Identifier of the workspace.
    #[getter]
    fn workspace_id(&self) -> &str {
        self.geti.workspace_id()
    }
}

fn to_json<T: Serialize>(value: &T) -> Outcome<String> {
    Ok(serde_json::to_string(value)?)
}

/// What was transferred, as JSON, with a warning for each that was not.
fn transferred<T: Serialize>(what: &str, transfer: &Transfer<T>) -> Outcome<String> {
    for (name, error) in &transfer.failed {
        warn(what, name, error);
    }
    to_json(&transfer.done)
}

fn warn(what: &str, name: &str, error: &dyn Display) {
    tracing::warn!("not {what}: {name}: {error}");
}
