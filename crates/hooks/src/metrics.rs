//! The counters of hooks in the text format of Prometheus (version 0.0.4).
//!
//! For every hook, at any scrape, `fired_total = delivered_total + queued + in_memory +
//! dropped_total + dead`. The totals go on over restarts when the queue is on disk.

use prometheus::TextEncoder;
use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};

use crate::queue::DropReason;
use crate::stats::{Histogram, HookStats};

/// A family of numbers: name, type, what it is, and how it is read.
struct Family(&'static str, MetricType, &'static str, Read);

/// How the numbers of a family are read from the statistics of a hook.
enum Read {
    One(fn(&HookStats) -> u64),
    /// Several numbers, told apart by the values of a label.
    Each(&'static str, fn(&HookStats) -> Vec<(&str, u64)>),
    Histogram(fn(&HookStats) -> &Histogram),
}

/// A hook with the labels that tell it from all others.
type Row<'a> = (Vec<LabelPair>, &'a HookStats);

/// Renders the statistics of hooks; every family once, with a line for each hook.
pub fn render_prometheus(stats: &[HookStats]) -> String {
    let rows = stats.iter().map(|stats| (vec![hook(stats)], stats));
    render(&rows.collect::<Vec<Row<'_>>>())
}

/// Renders the statistics of the hooks of several deployments or sources, told apart by a label.
pub fn render_prometheus_of<'a>(
    name: &str,
    groups: impl IntoIterator<Item = (&'a str, &'a [HookStats])>,
) -> String {
    let rows = groups.into_iter().flat_map(|(group, stats)| {
        let labels = move |stats| vec![hook(stats), label(name, group)];
        stats.iter().map(move |stats| (labels(stats), stats))
    });
    render(&rows.collect::<Vec<Row<'_>>>())
}

fn render(rows: &[Row<'_>]) -> String {
    let families = FAMILIES.iter().map(|family| family.of(rows));
    // The encoder refuses a family without numbers.
    let families = families.filter(|family| !family.get_metric().is_empty());
    let text = TextEncoder::new().encode_to_string(&families.collect::<Vec<_>>());
    text.unwrap_or_else(|error| {
        tracing::error!(%error, "the metrics of the hooks could not be written");
        String::new()
    })
}

use MetricType::{COUNTER, GAUGE, HISTOGRAM};
use Read::{Each, One};

const FAMILIES: [Family; 17] = [
    Family(
        "straylight_hook_evaluated_total",
        COUNTER,
        "Images that were submitted.",
        One(|hook| hook.evaluated),
    ),
    Family(
        "straylight_hook_failed_total",
        COUNTER,
        "Images that the trigger could not score.",
        One(|hook| hook.failed),
    ),
    Family(
        "straylight_hook_not_fired_total",
        COUNTER,
        "Images for which the trigger saw no reason to act.",
        One(|hook| hook.not_fired),
    ),
    Family(
        "straylight_hook_suppressed_total",
        COUNTER,
        "Images that a limit held back.",
        Each("reason", |hook| {
            let limits = hook.suppressed.iter();
            limits.map(|(limit, n)| (limit.as_str(), *n)).collect()
        }),
    ),
    Family(
        "straylight_hook_held",
        GAUGE,
        "Images that wait for the end of their window.",
        One(|hook| hook.held),
    ),
    Family(
        "straylight_hook_fired_total",
        COUNTER,
        "Events that went to the queue, since the queue was made.",
        One(|hook| hook.ledger.fired),
    ),
    Family(
        "straylight_hook_queued",
        GAUGE,
        "Events that wait or are being delivered and are safe on disk.",
        One(|hook| hook.ledger.queued),
    ),
    Family(
        "straylight_hook_in_memory",
        GAUGE,
        "Events that wait or are being delivered and are in memory only.",
        One(|hook| hook.ledger.in_memory),
    ),
    Family(
        "straylight_hook_delivered_total",
        COUNTER,
        "Events that are at their sink.",
        One(|hook| hook.ledger.delivered),
    ),
    Family(
        "straylight_hook_already_there_total",
        COUNTER,
        "Deliveries of this process whose image was at the sink before.",
        One(|hook| hook.already_there),
    ),
    Family(
        "straylight_hook_retried_total",
        COUNTER,
        "Deliveries that were tried again.",
        One(|hook| hook.retried),
    ),
    Family(
        "straylight_hook_dropped_total",
        COUNTER,
        "Events that were given up.",
        // A reason that has not come up is shown as well: its first event is then an increase.
        Each("reason", |hook| {
            let count = |reason| hook.ledger.dropped.get(&reason).copied().unwrap_or(0);
            let reasons = DropReason::ALL.into_iter();
            reasons
                .map(|reason| (reason.as_str(), count(reason)))
                .collect()
        }),
    ),
    Family(
        "straylight_hook_dead",
        GAUGE,
        "Events that could not be delivered.",
        One(|hook| hook.ledger.dead),
    ),
    Family(
        "straylight_hook_queue_bytes",
        GAUGE,
        "Bytes of the events that wait.",
        Each("place", |hook| {
            vec![("memory", hook.memory_bytes), ("disk", hook.disk_bytes)]
        }),
    ),
    Family(
        "straylight_hook_breaker_open",
        GAUGE,
        "1 while a failing sink is left alone.",
        One(|hook| u64::from(hook.breaker_open)),
    ),
    Family(
        "straylight_hook_delivery_seconds",
        HISTOGRAM,
        "Time of successful deliveries.",
        Read::Histogram(|hook| &hook.delivery_seconds),
    ),
    Family(
        "straylight_hook_score",
        HISTOGRAM,
        "Scores that the trigger gave.",
        Read::Histogram(|hook| &hook.scores),
    ),
];

impl Family {
    /// The family with the numbers of all hooks.
    fn of(&self, rows: &[Row<'_>]) -> MetricFamily {
        let Self(name, kind, help, read) = self;
        let metrics = rows.iter().flat_map(|(labels, hook)| match read {
            One(value) => vec![number(*kind, labels.clone(), value(hook))],
            Each(key, values) => {
                let labelled = |value| [&labels[..], &[label(key, value)]].concat();
                let values = values(hook).into_iter();
                values
                    .map(|(value, n)| number(*kind, labelled(value), n))
                    .collect()
            }
            Read::Histogram(values) => vec![histogram(labels.clone(), values(hook))],
        });
        let mut family = MetricFamily::default();
        family.set_name((*name).to_owned());
        family.set_help((*help).to_owned());
        family.set_field_type(*kind);
        family.set_metric(metrics.collect());
        family
    }
}

fn hook(stats: &HookStats) -> LabelPair {
    label("hook", &stats.hook)
}

fn label(name: &str, value: &str) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    label
}

fn number(kind: MetricType, labels: Vec<LabelPair>, value: u64) -> Metric {
    let mut metric = Metric::from_label(labels);
    if kind == COUNTER {
        let mut counter = proto::Counter::default();
        counter.set_value(value as f64);
        metric.set_counter(counter);
    } else {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value as f64);
        metric.set_gauge(gauge);
    }
    metric
}

fn histogram(labels: Vec<LabelPair>, values: &Histogram) -> Metric {
    let bucket = |(bound, count): &(f64, u64)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*count);
        bucket
    };
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(values.buckets.iter().map(bucket).collect());
    histogram.set_sample_count(values.count);
    histogram.set_sample_sum(values.sum);
    let mut metric = Metric::from_label(labels);
    metric.set_histogram(histogram);
    metric
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::LimitKind;
    use crate::stats::{Account, Counters};

    #[test]
    fn every_family_and_reason_is_documented() {
        let readme = include_str!("../README.md");
        for Family(name, kind, ..) in FAMILIES {
            let kind = format!("{kind:?}").to_lowercase();
            let row = format!("| `{name}` | {kind} |");
            assert!(readme.contains(&row), "{row}");
        }
        let reasons = DropReason::ALL.map(DropReason::as_str);
        let limits = LimitKind::ALL.map(LimitKind::as_str);
        for reason in reasons.iter().chain(&limits) {
            assert!(readme.contains(&format!("`{reason}`")), "{reason}");
        }
    }

    #[test]
    fn hooks_of_one_name_are_told_apart_by_their_deployments() {
        let counters = Counters::default();
        counters.evaluated(Account::NotFired);
        let stats = [counters.stats("strays", crate::queue::Ledgers::default())];
        let text = render_prometheus_of("deployment", [("a", &stats[..]), ("\"b\\\n", &stats[..])]);
        let family = "straylight_hook_evaluated_total";
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(family)).collect();
        let expected = [
            "# HELP straylight_hook_evaluated_total Images that were submitted.",
            "# TYPE straylight_hook_evaluated_total counter",
            r#"straylight_hook_evaluated_total{hook="strays",deployment="a"} 1"#,
            r#"straylight_hook_evaluated_total{hook="strays",deployment="\"b\\\n"} 1"#,
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn every_family_appears_once_with_its_hooks() {
        let counters = Counters::default();
        counters.evaluated(Account::Suppressed(LimitKind::Rate));
        counters.scored(0.95);
        let stats = ["a", "b"].map(|hook| counters.stats(hook, crate::queue::Ledgers::default()));
        let text = render_prometheus(&stats);
        for line in [
            "# TYPE straylight_hook_evaluated_total counter",
            "straylight_hook_evaluated_total{hook=\"b\"} 1",
            "straylight_hook_suppressed_total{hook=\"a\",reason=\"rate\"} 1",
            "straylight_hook_dropped_total{hook=\"a\",reason=\"too_large\"} 0",
            "straylight_hook_score_bucket{hook=\"a\",le=\"0.9\"} 0",
            "straylight_hook_score_bucket{hook=\"a\",le=\"1\"} 1",
            "straylight_hook_score_sum{hook=\"a\"} 0.95",
            "straylight_hook_queue_bytes{hook=\"a\",place=\"disk\"} 0",
        ] {
            assert_eq!(
                text.lines().filter(|found| *found == line).count(),
                1,
                "{line}\n{text}"
            );
        }
    }
}
