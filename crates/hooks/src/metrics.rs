//! The counters of hooks in the text format of Prometheus (version 0.0.4).
//!
//! For every hook, at any scrape, `fired_total = delivered_total + queued + in_memory +
//! dropped_total + dead`. The totals go on over restarts when the queue is on disk.

use std::fmt::Write;

use crate::queue::DropReason;
use crate::stats::{Histogram, HookStats};

/// One family of numbers: name, type, help.
struct Family(&'static str, &'static str, &'static str);

/// A number of a hook with the label that it needs beside the hook's name.
type Sample = (String, f64);

/// A hook with the labels that tell it from all others.
type Row<'a> = (String, &'a HookStats);

/// Renders the statistics of hooks; every family once, with a line for each hook.
pub fn render_prometheus(stats: &[HookStats]) -> String {
    let rows = stats.iter().map(|hook| (of(hook), hook));
    render(&rows.collect::<Vec<Row<'_>>>())
}

/// Renders the statistics of the hooks of several deployments, told apart by a label `deployment`.
pub fn render_prometheus_of<'a>(
    deployments: impl IntoIterator<Item = (&'a str, &'a [HookStats])>,
) -> String {
    let rows = deployments.into_iter().flat_map(|(deployment, stats)| {
        let label = format!(",deployment=\"{}\"", escaped(deployment));
        stats.iter().map(move |hook| (of(hook) + &label, hook))
    });
    render(&rows.collect::<Vec<Row<'_>>>())
}

fn render(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    for (family, read) in FAMILIES {
        head(&mut text, family);
        for (hook, stats) in rows {
            for (label, value) in read(stats) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{}{{{hook}{label}}} {value}", family.0);
            }
        }
    }
    for (family, read) in HISTOGRAMS {
        head(&mut text, family);
        for (hook, stats) in rows {
            histogram(&mut text, family.0, hook, read(stats));
        }
    }
    text
}

/// The value of a label, as the format wants it.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

type Read = fn(&HookStats) -> Vec<Sample>;

const FAMILIES: &[(Family, Read)] = &[
    (
        Family(
            "straylight_hook_evaluated_total",
            "counter",
            "Images that were submitted.",
        ),
        |hook| one(hook.evaluated),
    ),
    (
        Family(
            "straylight_hook_failed_total",
            "counter",
            "Images that the trigger could not score.",
        ),
        |hook| one(hook.failed),
    ),
    (
        Family(
            "straylight_hook_not_fired_total",
            "counter",
            "Images for which the trigger saw no reason to act.",
        ),
        |hook| one(hook.not_fired),
    ),
    (
        Family(
            "straylight_hook_suppressed_total",
            "counter",
            "Images that a limit held back.",
        ),
        |hook| {
            each(
                hook.suppressed
                    .iter()
                    .map(|(limit, n)| (limit.as_str(), *n)),
            )
        },
    ),
    (
        Family(
            "straylight_hook_held",
            "gauge",
            "Images that wait for the end of their window.",
        ),
        |hook| one(hook.held),
    ),
    (
        Family(
            "straylight_hook_fired_total",
            "counter",
            "Events that went to the queue, since the queue was made.",
        ),
        |hook| one(hook.ledger.fired),
    ),
    (
        Family(
            "straylight_hook_queued",
            "gauge",
            "Events that wait or are being delivered and are safe on disk.",
        ),
        |hook| one(hook.ledger.queued),
    ),
    (
        Family(
            "straylight_hook_in_memory",
            "gauge",
            "Events that wait or are being delivered and are in memory only.",
        ),
        |hook| one(hook.ledger.in_memory),
    ),
    (
        Family(
            "straylight_hook_delivered_total",
            "counter",
            "Events that are at their sink.",
        ),
        |hook| one(hook.ledger.delivered),
    ),
    (
        Family(
            "straylight_hook_retried_total",
            "counter",
            "Deliveries that were tried again.",
        ),
        |hook| one(hook.retried),
    ),
    (
        Family(
            "straylight_hook_dropped_total",
            "counter",
            "Events that were given up.",
        ),
        |hook| {
            // A reason that has not come up is shown as well: its first event is then an increase.
            let count = |reason| hook.ledger.dropped.get(&reason).copied().unwrap_or(0);
            each(
                DropReason::ALL
                    .into_iter()
                    .map(|reason| (reason.as_str(), count(reason))),
            )
        },
    ),
    (
        Family(
            "straylight_hook_dead",
            "gauge",
            "Events that could not be delivered.",
        ),
        |hook| one(hook.ledger.dead),
    ),
    (
        Family(
            "straylight_hook_queue_bytes",
            "gauge",
            "Bytes of the events that wait.",
        ),
        |hook| {
            let place = |place: &str, bytes| (format!(",place=\"{place}\""), bytes as f64);
            vec![
                place("memory", hook.memory_bytes),
                place("disk", hook.disk_bytes),
            ]
        },
    ),
    (
        Family(
            "straylight_hook_breaker_open",
            "gauge",
            "1 while a failing sink is left alone.",
        ),
        |hook| one(u64::from(hook.breaker_open)),
    ),
];

type ReadHistogram = fn(&HookStats) -> &Histogram;

const HISTOGRAMS: &[(Family, ReadHistogram)] = &[
    (
        Family(
            "straylight_hook_delivery_seconds",
            "histogram",
            "Time of successful deliveries.",
        ),
        |hook| &hook.delivery_seconds,
    ),
    (
        Family(
            "straylight_hook_score",
            "histogram",
            "Scores that the trigger gave.",
        ),
        |hook| &hook.scores,
    ),
];

fn head(text: &mut String, Family(name, kind, help): &Family) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn of(hook: &HookStats) -> String {
    format!("hook=\"{}\"", hook.hook)
}

fn one(value: u64) -> Vec<Sample> {
    vec![(String::new(), value as f64)]
}

fn each<'a>(values: impl Iterator<Item = (&'a str, u64)>) -> Vec<Sample> {
    values
        .map(|(reason, n)| (format!(",reason=\"{reason}\""), n as f64))
        .collect()
}

fn histogram(text: &mut String, name: &str, hook: &str, values: &Histogram) {
    for (bound, count) in &values.buckets {
        let _ = writeln!(text, "{name}_bucket{{{hook},le=\"{bound}\"}} {count}");
    }
    let Histogram { count, sum, .. } = values;
    let _ = writeln!(text, "{name}_bucket{{{hook},le=\"+Inf\"}} {count}");
    let _ = writeln!(
        text,
        "{name}_sum{{{hook}}} {sum}\n{name}_count{{{hook}}} {count}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::LimitKind;
    use crate::stats::{Account, Counters};

    #[test]
    fn every_family_and_reason_is_documented() {
        let readme = include_str!("../README.md");
        let families = FAMILIES.iter().map(|(family, _)| family);
        for family in families.chain(HISTOGRAMS.iter().map(|(family, _)| family)) {
            let row = format!("| `{}` | {} |", family.0, family.1);
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
        let text = render_prometheus_of([("a", &stats[..]), ("\"b\\\n", &stats[..])]);
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
