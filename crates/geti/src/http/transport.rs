use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::http::{self, Response};
use ureq::{Agent, SendBody};

use super::failure::Failure;
use super::url::safe;
use super::{Answer, BaseUrl, Body, Method, Multipart, Request, RetryPolicy, agent};
use crate::api::ClientOptions;
use crate::clock::Clock;
use crate::error::{ErrorKind, GetiError};
use crate::secret::Secret;
use crate::settings::ServerDetails;

/// The most bytes of a JSON answer that are read.
const LONGEST_JSON: u64 = 64 * 1024 * 1024;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Bytes a second that an upload must reach on average after the patience of the request.
const SLOWEST_UPLOAD: u64 = 16 * 1024;

/// Sends requests to one server.
pub(crate) struct Transport {
    agent: Agent,
    base: BaseUrl,
    token: Secret,
    retry: RetryPolicy,
    patience: Duration,
    clock: Arc<dyn Clock>,
}

impl Transport {
    pub(crate) fn new(details: &ServerDetails, options: &ClientOptions) -> Result<Self, GetiError> {
        let base = BaseUrl::parse(&details.host)?;
        let agent = agent::build(details, &base)?;
        Ok(Self {
            agent,
            base,
            token: details.token.clone(),
            retry: options.retry,
            patience: options.patience,
            clock: Arc::clone(&options.clock),
        })
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends a request, again where that is safe, and hands the answer to `consume`.
    ///
    /// A failure of `consume` counts as a failure of the attempt.
    pub(crate) fn run<T>(
        &self,
        request: &Request,
        mut consume: impl FnMut(Answer) -> Result<T, Failure>,
    ) -> Result<T, GetiError> {
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(request).and_then(&mut consume) {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let chance = self.clock.chance();
            let Some(wait) = self.retry.wait(&failure, request.repeat, attempt, chance) else {
                return Err(self.named(failure.error, request));
            };
            self.clock.sleep(wait);
            attempt += 1;
        }
    }

    /// The JSON of an answer.
    pub(crate) fn json<T: DeserializeOwned>(&self, request: &Request) -> Result<T, GetiError> {
        let value = self.json_or_none(request)?;
        value.ok_or_else(|| {
            let error = GetiError::new(ErrorKind::Answer, "the server sent an empty answer");
            self.named(error.with_status(204, None), request)
        })
    }

    /// The JSON of an answer, or `None` for status 204.
    pub(crate) fn json_or_none<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<Option<T>, GetiError> {
        self.run(request, |answer| {
            if answer.status() == 204 {
                return Ok(None);
            }
            let bytes = answer.refuse_html()?.into_bytes(LONGEST_JSON)?;
            let value = serde_json::from_slice(&bytes).map_err(|error| {
                let message = format!("the answer is not the JSON that was expected: {error}");
                Failure::unclear(
                    GetiError::new(ErrorKind::Answer, message)
                        .with_hint("the server may be newer than this program"),
                )
            })?;
            Ok(Some(value))
        })
    }

    /// Sends a request whose answer does not matter.
    pub(crate) fn done(&self, request: &Request) -> Result<(), GetiError> {
        self.run(request, |answer| answer.refuse_html().map(drop))
    }

    /// Adds to an error which request it was; nothing in it may be the token.
    fn named(&self, error: GetiError, request: &Request) -> GetiError {
        if error.request().is_some() {
            return error;
        }
        // A server may repeat what it was sent.
        let error = error.map_message(|message| self.token.redact(message));
        let (url, _) = self.base.address(&request.target);
        let url = self.token.redact(&safe(&url));
        error.with_request(request.method.as_str(), url)
    }

    /// One attempt, redirects included.
    fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
        let (mut url, mut own) = self.base.address(&request.target);
        for _ in 0..=REDIRECTS {
            let response = self.send(request, &url, own)?;
            if !response.status().is_redirection() {
                return Answer::check(response, &self.clock);
            }
            (url, own) = self.follow(request, &url, &response)?;
        }
        let error = GetiError::new(ErrorKind::Redirect, "the server redirects without end");
        Err(Failure::unclear(error))
    }

    /// Where a redirect leads, if it may be followed.
    fn follow(
        &self,
        request: &Request,
        from: &str,
        response: &Response<ureq::Body>,
    ) -> Result<(String, bool), Failure> {
        let refuse = |message: String| {
            let error = GetiError::new(ErrorKind::Redirect, message);
            Failure::unclear(error.with_status(response.status().as_u16(), None))
        };
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default();
        let shown = self.token.redact(&safe(location));
        if !matches!(request.method, Method::Get | Method::Head) {
            return Err(refuse(format!("the server redirects a change to {shown}")));
        }
        match self.base.redirect(from, location) {
            Some((url, own)) if own || request.download => Ok((url, own)),
            _ => Err(refuse(format!(
                "the server redirects to {shown}, which is not the server"
            ))),
        }
    }

    /// One exchange; the token goes along only to the server itself.
    fn send(
        &self,
        request: &Request,
        url: &str,
        own: bool,
    ) -> Result<Response<ureq::Body>, Failure> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(url);
        if own {
            builder = builder.header("x-api-key", self.token.expose());
            if request.method.changes_something() {
                builder = builder.header("x-geti-csrf-protection", "1");
            }
        }
        if request.download {
            // A file is wanted as it is: packing it would hide its length.
            builder = builder.header("accept-encoding", "identity");
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        self.send_body(request, builder)
    }

    fn send_body(
        &self,
        request: &Request,
        builder: http::request::Builder,
    ) -> Result<Response<ureq::Body>, Failure> {
        match &request.body {
            Body::None
                if request.method.changes_something() && request.method != Method::Delete =>
            {
                self.exchange(request, builder, &mut &[][..], 0)
            }
            Body::None => self.finish(request, builder, SendBody::none(), 0),
            Body::Json(bytes) => {
                let builder = builder.header("content-type", "application/json");
                self.exchange(request, builder, &mut bytes.as_slice(), bytes.len() as u64)
            }
            Body::Bytes {
                content_type,
                bytes,
            } => {
                let builder = builder.header("content-type", *content_type);
                self.exchange(request, builder, &mut bytes.as_slice(), bytes.len() as u64)
            }
            Body::Multipart(multipart) => {
                let (mut reader, length) = multipart.open().map_err(|error| {
                    let message = format!("cannot read {}: {error}", multipart.file_name);
                    Failure::unclear(GetiError::new(ErrorKind::File, message).with_source(error))
                })?;
                let builder = builder.header("content-type", Multipart::content_type());
                self.exchange(request, builder, &mut reader, length)
            }
        }
    }

    fn exchange(
        &self,
        request: &Request,
        builder: http::request::Builder,
        body: &mut dyn Read,
        length: u64,
    ) -> Result<Response<ureq::Body>, Failure> {
        let builder = builder.header("content-length", length);
        self.finish(request, builder, SendBody::from_reader(body), length)
    }

    fn finish(
        &self,
        request: &Request,
        builder: http::request::Builder,
        body: SendBody<'_>,
        length: u64,
    ) -> Result<Response<ureq::Body>, Failure> {
        let exchange = builder.body(body).map_err(|_| {
            let message = "the address or a header is not valid";
            Failure::unclear(GetiError::new(ErrorKind::Argument, message))
        })?;
        let patience = self.patience.saturating_mul(request.patience);
        let sending = patience + Duration::from_secs(length / SLOWEST_UPLOAD);
        let exchange = self
            .agent
            .configure_request(exchange)
            .timeout_send_body(Some(sending))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .build();
        self.agent.run(exchange).map_err(Failure::of_transport)
    }
}
