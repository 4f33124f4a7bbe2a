//! What `/metrics` tells Prometheus of the server itself. All names are in this file; those of the
//! hooks come with the loader of deployments.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::error::ServerError;

/// Upper bounds of the request durations in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// The server's counters.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    uploads: IntCounter,
    uploaded_bytes: IntCounter,
    predictions: IntCounter,
    failed_logins: IntCounter,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, ServerError> {
        build().map_err(|e| ServerError::System(e.to_string()))
    }

    /// Counts a request; `route` is the pattern, never what the caller wrote.
    pub(crate) fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = known_method(method);
        let labels = [method, route, &status.to_string()];
        self.requests.with_label_values(&labels).inc();
        let durations = self.durations.with_label_values(&[method, route]);
        durations.observe(took.as_secs_f64());
    }

    pub(crate) fn count_upload(&self, bytes: usize) {
        self.uploads.inc();
        self.uploaded_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn count_prediction(&self) {
        self.predictions.inc();
    }

    pub(crate) fn count_failed_login(&self) {
        self.failed_logins.inc();
    }

    /// Everything in Prometheus' text format, but for the hooks: theirs come with the loader.
    pub(crate) fn render(&self) -> String {
        let mut bytes = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            tracing::error!(%error, "the metrics could not be written");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn build() -> prometheus::Result<Metrics> {
    let registry = Registry::new();
    let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
        let counter = IntCounter::new(name, help)?;
        registry.register(Box::new(counter.clone()))?;
        Ok(counter)
    };
    let opts = Opts::new("straylight_http_requests_total", "Requests answered");
    let requests = IntCounterVec::new(opts, &["method", "route", "status"])?;
    let opts = HistogramOpts::new("straylight_http_request_seconds", "Time to answer");
    let durations = HistogramVec::new(opts.buckets(BUCKETS.to_vec()), &["method", "route"])?;
    registry.register(Box::new(requests.clone()))?;
    registry.register(Box::new(durations.clone()))?;
    Ok(Metrics {
        uploads: counter("straylight_uploads_total", "Images uploaded")?,
        uploaded_bytes: counter(
            "straylight_uploaded_bytes_total",
            "Bytes of uploaded images",
        )?,
        predictions: counter("straylight_predictions_total", "Images predicted")?,
        failed_logins: counter("straylight_failed_logins_total", "Wrong tokens and codes")?,
        requests,
        durations,
        registry,
    })
}

/// A method of the client's invention must not make a new time series.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_methods_make_no_series_of_their_own() {
        let metrics = Metrics::new().unwrap();
        metrics.observe("BREW", "/x", 200, Duration::ZERO);
        let text = metrics.render();
        assert!(
            text.contains(r#"method="OTHER",route="/x",status="200"} 1"#),
            "{text}"
        );
    }
}
