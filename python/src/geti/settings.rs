//! Where the server is: the keys of a `.env` file, or of the environment.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use straylight_geti::{Certificates, ProxyChoice, ServerDetails, parse_env_file};

use crate::error::Raised;

/// Reads server details as JSON from a `.env` file, or from the environment without one.
///
/// `token_reference` is the token's reference (`env:NAME`, `file:PATH`) if the file has one.
#[pyfunction]
#[pyo3(signature = (file = None))]
pub(crate) fn server_details(file: Option<PathBuf>) -> PyResult<String> {
    let details = match &file {
        Some(file) => ServerDetails::from_env_file(file),
        None => ServerDetails::from_env(),
    };
    let details = details.map_err(Raised::from)?;
    let (verify, ca_file) = match &details.certificates {
        Certificates::Public => (true, None),
        Certificates::SignedBy(path) => (true, Some(path.clone())),
        Certificates::Unchecked => (false, None),
    };
    let proxy = match &details.proxy {
        ProxyChoice::Through(url) => Some(url.expose().to_owned()),
        ProxyChoice::Environment | ProxyChoice::Direct => None,
    };
    let reference = match &file {
        // The environment is a place that a saved hook can refer to.
        None => Some("env:GETI_TOKEN".to_owned()),
        Some(file) => reference_in(file),
    };
    Ok(json!({
        "host": details.host,
        "token": details.token.expose(),
        "token_reference": reference,
        "has_valid_certificate": verify,
        "ca_file": ca_file,
        "proxy": proxy,
        "workspace_id": details.workspace_id,
    })
    .to_string())
}

/// The reference that stands in the place of the token, if it is one.
fn reference_in(file: &std::path::Path) -> Option<String> {
    let pairs = parse_env_file(&std::fs::read_to_string(file).ok()?).ok()?;
    let token = pairs.get("TOKEN").or_else(|| pairs.get("GETI_TOKEN"))?;
    let is_reference = token.starts_with("env:") || token.starts_with("file:");
    is_reference.then(|| token.clone())
}
