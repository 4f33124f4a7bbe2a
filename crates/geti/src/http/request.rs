use serde::Serialize;

use super::{Multipart, Target};
use crate::error::{ErrorKind, GetiError};

/// An HTTP method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the gateway wants the header against cross-site requests.
    pub(crate) fn changes_something(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch | Self::Delete)
    }
}

/// Whether a request may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is as good as once.
    Safe,
    /// Only if the server surely did not act on the first.
    Untouched,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Body {
    None,
    Json(Vec<u8>),
    Bytes {
        content_type: &'static str,
        bytes: Vec<u8>,
    },
    Multipart(Multipart),
}

/// One call of the API.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) body: Body,
    pub(crate) repeat: Repeat,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// How many times as long as usual the server may take.
    pub(crate) patience: u32,
    /// Whether redirects to other origins are followed (without the token).
    pub(crate) download: bool,
}

impl Request {
    pub(crate) fn new(method: Method, target: Target) -> Self {
        let repeat = match method {
            Method::Post | Method::Patch => Repeat::Untouched,
            _ => Repeat::Safe,
        };
        Self {
            method,
            target,
            body: Body::None,
            repeat,
            headers: Vec::new(),
            patience: 1,
            download: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, Target::Api(path.into()))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, Target::Api(path.into()))
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::Post, Target::Api(path.into()))
    }

    pub(crate) fn json(mut self, value: &impl Serialize) -> Result<Self, GetiError> {
        let bytes = serde_json::to_vec(value).map_err(|error| {
            GetiError::new(
                ErrorKind::Argument,
                format!("cannot be written as JSON: {error}"),
            )
        })?;
        self.body = Body::Json(bytes);
        Ok(self)
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that sending it twice does no harm.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    pub(crate) fn patience(mut self, patience: u32) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn download(mut self) -> Self {
        self.download = true;
        self
    }
}
