//! A request to a URL for each event.
//!
//! Every request has time-outs, follows no redirect, and carries the event's key as
//! `Idempotency-Key`, so that a receiver can tell a repetition. Headers may hold secrets: they
//! appear in no log, error or name of a sink, and go to no other host than the URL's.

mod body;
mod failure;

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use straylight_core::holds_user;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{RootCerts, TlsConfig};

use super::{Action, ActionError, resolve_secret, trust};
use crate::config::{ActionConfig, HttpConfig};
use crate::event::Event;

/// What the body of a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpBody {
    /// As the Python SDK does: the prediction for a POST if it is asked for, else nothing.
    #[default]
    Sdk,
    /// A JSON object with name, times, score, reason, prediction and, if asked for, the picture.
    Event,
    /// The same object as the data of an event in the structured mode of CloudEvents 1.0.
    CloudEvent,
}

/// Sends each event to a URL.
pub struct HttpRequestAction {
    config: HttpConfig,
    agent: OnceLock<Agent>,
}

impl HttpRequestAction {
    /// Sends requests as the settings say, or says what is wrong with them.
    pub fn new(config: HttpConfig) -> Result<Self, ActionError> {
        let action = Self {
            config,
            agent: OnceLock::new(),
        };
        action.check()?;
        Ok(action)
    }

    fn check(&self) -> Result<(), ActionError> {
        let has_scheme = ["http://", "https://"]
            .iter()
            .any(|s| self.config.url.starts_with(s));
        if !has_scheme {
            return Err(ActionError::permanent(
                "the URL begins with neither http:// nor https://",
            ));
        }
        if holds_user(&self.config.url) {
            let message = "the URL holds a user name or password: send them in a header that \
                           refers to `env:NAME` or `file:PATH`";
            return Err(ActionError::permanent(message));
        }
        let method = self.config.method.as_str();
        let takes_body = !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "CONNECT");
        if self.config.body != HttpBody::Sdk && !takes_body {
            let message = format!("a {method} request takes no body: use POST, PUT or PATCH");
            return Err(ActionError::permanent(message));
        }
        if !(self.config.timeout_seconds > 0.0 && self.config.timeout_seconds <= 3600.0) {
            return Err(ActionError::permanent("timeout_seconds is not in 0..=3600"));
        }
        Ok(())
    }

    /// Scheme, host and path of the URL: what may be shown.
    fn address(&self) -> &str {
        self.config.url.split(['?', '#']).next().unwrap_or_default()
    }

    fn agent(&self) -> Result<&Agent, ActionError> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let timeout = Duration::from_secs_f64(self.config.timeout_seconds);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .timeout_connect(Some(timeout))
            .timeout_global(Some(timeout))
            .tls_config(self.tls()?)
            .user_agent(concat!("straylight/", env!("CARGO_PKG_VERSION")));
        let agent = config.build().new_agent();
        Ok(self.agent.get_or_init(|| agent))
    }

    fn tls(&self) -> Result<TlsConfig, ActionError> {
        let builder = TlsConfig::builder();
        let Some(path) = &self.config.ca_file else {
            return Ok(builder.build());
        };
        let roots = RootCerts::new_with_certs(&trust::read(Path::new(path))?);
        Ok(builder.root_certs(roots).build())
    }

    fn request(&self, event: &Event, body: Vec<u8>) -> Result<Request<Vec<u8>>, ActionError> {
        let mut request = Request::builder()
            .method(self.config.method.as_str())
            .uri(&self.config.url)
            .header("idempotency-key", event.key());
        if let Some(media_type) = body::media_type(&self.config) {
            request = request.header("content-type", media_type);
        }
        for (name, value) in &self.config.headers {
            request = request.header(name, resolve_secret(name, value)?);
        }
        // The error may repeat a header's value: it is not shown.
        let failed =
            |_| ActionError::permanent("method, URL or a header has a forbidden character");
        request.body(body).map_err(failed)
    }

    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<ureq::Body>, ActionError> {
        let agent = self.agent()?;
        let (parts, body) = request.into_parts();
        let sent = if body.is_empty() {
            agent.run(Request::from_parts(parts, ()))
        } else {
            agent.run(Request::from_parts(parts, body))
        };
        sent.map_err(|error| failure::of_error(self.address(), &error))
    }
}

impl Action for HttpRequestAction {
    fn name(&self) -> &'static str {
        "HttpRequestAction"
    }

    fn sink(&self) -> String {
        format!("{} {}", self.config.method, self.address())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let body = body::body(&self.config, event)?;
        let response = self.send(self.request(event, body)?)?;
        failure::of_status(self.address(), &response)
    }

    fn config(&self) -> Option<ActionConfig> {
        Some(ActionConfig::HttpRequestAction(self.config.clone()))
    }
}

impl fmt::Debug for HttpRequestAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequestAction({})", self.sink())
    }
}

#[cfg(test)]
mod tests;
