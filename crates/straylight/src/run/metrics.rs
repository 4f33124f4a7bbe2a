//! What a run tells Prometheus: its sources, and the hooks of each.

use std::sync::Arc;

use prometheus::{GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};
use straylight_core::Timestamp;
use straylight_hooks::{HookSet, render_prometheus_of};

use super::Step;

/// The label that tells sources apart.
const SOURCE: &str = "source";

/// The counters of a run, and those of its hooks, with a label `source`.
pub struct RunMetrics {
    registry: Registry,
    images: IntCounterVec,
    bad: IntCounterVec,
    last: GaugeVec,
    sources: Vec<(String, Arc<HookSet>)>,
}

impl RunMetrics {
    /// Counters for these sources, all of them zero.
    ///
    /// # Errors
    ///
    /// What Prometheus' library says, which a user cannot bring about.
    pub fn new(sources: Vec<(String, Arc<HookSet>)>) -> Result<Self, String> {
        build(sources).map_err(|error| error.to_string())
    }

    /// Counts a step of the source with this number.
    pub fn count(&self, source: usize, step: &Step) {
        let Some((name, _)) = self.sources.get(source) else {
            return;
        };
        match step {
            Step::Image(_) => {
                self.images.with_label_values(&[name]).inc();
                let now = Timestamp::now().as_microsecond() as f64 / 1e6;
                self.last.with_label_values(&[name]).set(now);
            }
            Step::Bad(error) if error.kind().is_notice() => {}
            Step::Reloaded(_) => {}
            Step::Bad(_) | Step::Failed { .. } => self.bad.with_label_values(&[name]).inc(),
        }
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics could not be written");
        }
        let stats: Vec<_> = self
            .sources
            .iter()
            .map(|(name, hooks)| (name.as_str(), hooks.stats()))
            .collect();
        let hooks = stats.iter().map(|(name, stats)| (*name, stats.as_slice()));
        text.push_str(&render_prometheus_of(SOURCE, hooks));
        text
    }
}

fn build(sources: Vec<(String, Arc<HookSet>)>) -> prometheus::Result<RunMetrics> {
    let registry = Registry::new();
    let counter = |name: &str, help: &str| -> prometheus::Result<IntCounterVec> {
        let counter = IntCounterVec::new(Opts::new(name, help), &[SOURCE])?;
        registry.register(Box::new(counter.clone()))?;
        Ok(counter)
    };
    let images = counter("straylight_source_images_total", "Images inferred")?;
    let bad = counter(
        "straylight_source_bad_total",
        "Images that could not be read or inferred, and sources given up",
    )?;
    let opts = Opts::new(
        "straylight_source_last_image_timestamp_seconds",
        "When the last image was inferred, in seconds since 1970; 0 before the first",
    );
    let last = GaugeVec::new(opts, &[SOURCE])?;
    registry.register(Box::new(last.clone()))?;
    // A source that has given nothing yet is shown as well.
    for (name, _) in &sources {
        for counter in [&images, &bad] {
            counter.with_label_values(&[name]);
        }
        last.with_label_values(&[name]);
    }
    Ok(RunMetrics {
        registry,
        images,
        bad,
        last,
        sources,
    })
}
