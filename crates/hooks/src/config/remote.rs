//! Settings of actions that talk to other machines. Their `Debug` shows no secrets.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use straylight_core::hide_secrets;

use super::LogLevel;
use crate::action::HttpBody;

/// Settings of a `GetiDataCollection`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetiConfig {
    /// The server and how to log in.
    pub session: SessionConfig,
    /// Identifier of the workspace; the account's only one when empty.
    #[serde(default)]
    pub workspace_id: String,
    /// Name of the project.
    pub project: String,
    /// Name of the dataset, created when missing; the training dataset when absent.
    #[serde(default)]
    pub dataset: Option<String>,
    /// For the Python SDK.
    #[serde(default)]
    pub log_level: LogLevel,
    /// Seconds that the server may take to begin an answer, uploads twice as long; unknown to
    /// the Python SDK.
    #[serde(default = "sixty")]
    pub timeout_seconds: f64,
}

/// A Geti server and how to log in, as the Python SDK writes it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Address of the server.
    pub host: String,
    /// Whether the server's certificate is checked.
    #[serde(default = "yes")]
    pub has_valid_certificate: bool,
    /// Proxies by scheme; those of the environment when absent, none when empty. A value
    /// `env:NAME` or `file:PATH` is a reference to an address that holds a password.
    #[serde(default)]
    pub proxies: Option<BTreeMap<String, String>>,
    /// Reference to a personal access token: `env:NAME` or `file:PATH`.
    #[serde(default)]
    pub token: Option<String>,
    /// User name of the log-in that the platform has deprecated; read, but not supported.
    #[serde(default, skip_serializing)]
    pub username: Option<String>,
    /// Password of that log-in; never written.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// Organization of a cloud account; the token tells it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// PEM file of the only certificates that may sign the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

impl fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionConfig({})", hide_secrets(&self.host))
    }
}

/// Settings of an `HttpRequestAction`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where requests go.
    pub url: String,
    /// HTTP method.
    #[serde(default = "get")]
    pub method: String,
    /// Headers; a value `env:NAME` or `file:PATH` is a reference to a secret.
    #[serde(default, deserialize_with = "null_is_default")]
    pub headers: BTreeMap<String, String>,
    /// Whether the body holds the prediction.
    #[serde(default)]
    pub include_prediction_data: bool,
    /// For the Python SDK, whose default is `info` here.
    #[serde(default = "info")]
    pub log_level: LogLevel,
    /// What the body holds; unknown to the Python SDK, absent when `sdk`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: HttpBody,
    /// Whether the body holds the picture; unknown to the Python SDK.
    #[serde(default, skip_serializing_if = "is_default")]
    pub include_picture: bool,
    /// Seconds that a request may take in all; unknown to the Python SDK.
    #[serde(default = "ten", skip_serializing_if = "is_ten")]
    pub timeout_seconds: f64,
    /// PEM file of the only certificates that may sign the receiver's; the public ones if absent.
    /// Unknown to the Python SDK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

impl HttpConfig {
    /// The settings of the Python SDK for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: get(),
            headers: BTreeMap::new(),
            include_prediction_data: false,
            log_level: LogLevel::Info,
            body: HttpBody::default(),
            include_picture: false,
            timeout_seconds: ten(),
            ca_file: None,
        }
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.url.split(['?', '#']).next().unwrap_or_default();
        let headers: Vec<&String> = self.headers.keys().collect();
        write!(
            f,
            "HttpConfig({} {address}, headers {headers:?})",
            self.method
        )
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn yes() -> bool {
    true
}

fn get() -> String {
    "GET".to_owned()
}

fn info() -> LogLevel {
    LogLevel::Info
}

fn ten() -> f64 {
    10.0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_ten(seconds: &f64) -> bool {
    seconds.total_cmp(&ten()).is_eq()
}

fn sixty() -> f64 {
    60.0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
