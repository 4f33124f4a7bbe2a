//! How `predict`, `run` and `replay` tell what comes out of a run.

use serde_json::{Value, json};
use straylight::DeployError;
use straylight::hooks::{HookStats, Ledger};
use straylight::run::{BadRecord, Seen, Step, Summary};
use straylight::sources::SourceError;

use crate::exit::{Exit, Failure};
use crate::output;

/// One image in words: place, labels with probability, OOD score.
pub(crate) fn in_words(seen: &Seen) -> String {
    let labels = seen.prediction.annotations.iter().flat_map(|a| &a.labels);
    let labels: Vec<String> = labels
        .map(|label| format!("{} {:.2}", label.name, label.probability))
        .collect();
    let labels = if labels.is_empty() {
        "nothing found".to_owned()
    } else {
        labels.join(", ")
    };
    let place = output::place(&seen.place);
    match seen.ood_score {
        Some(score) => format!("{place}: {labels}; OOD {score:.3}"),
        None => format!("{place}: {labels}"),
    }
}

/// Says on standard error that objects were left out, if they were.
pub(crate) fn note_left_out(seen: &Seen) {
    let left_out = seen.prediction.left_out;
    if left_out > 0 {
        output::note(&format!(
            "note: {}: {left_out} more objects were found and left out: too many for real ones \
             (check how the model's images are normalised), or with empty masks",
            output::place(&seen.place)
        ));
    }
}

/// Lists an image that was bad; nothing for one that was good.
///
/// # Errors
///
/// A program that is missing on this machine: no further image can be read.
pub(crate) fn list_bad(step: Step, json: bool) -> Result<(), Failure> {
    match step {
        Step::Bad(error) => bad_source(error, json),
        Step::Failed { place, error } => failed(&place, &error, json),
        _ => Ok(()),
    }
}

fn bad_source(error: SourceError, json: bool) -> Result<(), Failure> {
    if error.kind().is_about_the_machine() {
        return Err(error.into());
    }
    if error.kind().is_notice() {
        let place = output::place(error.place());
        output::note(&format!("note: {place}: {}", error.kind()));
        return Ok(());
    }
    list(error.place(), &error.kind().to_string(), json)
}

fn failed(place: &str, error: &DeployError, json: bool) -> Result<(), Failure> {
    list(place, &error.to_string(), json)
}

fn list(image: &str, error: &str, json: bool) -> Result<(), Failure> {
    output::note(&format!("bad: {}: {error}", output::place(image)));
    if json {
        output::json_line(&BadRecord { image, error })?;
    }
    Ok(())
}

/// How many images there were and how fast it went.
pub(crate) fn summary(summary: &Summary) {
    output::note(&counted(summary));
}

/// The same of one source among several.
pub(crate) fn summary_of(source: &str, summary: &Summary) {
    output::note(&format!("{}: {}", output::place(source), counted(summary)));
}

fn counted(summary: &Summary) -> String {
    let Summary { images, bad, .. } = summary;
    let seconds = summary.elapsed.as_secs_f64();
    let rate = summary.images_per_second();
    let bad = if *bad == 0 {
        String::new()
    } else {
        format!(", {bad} bad")
    };
    format!("{images} images in {seconds:.2} s ({rate:.1} a second){bad}")
}

/// Success, partial success, or failure when no image was good.
pub(crate) fn exit(summary: &Summary) -> Exit {
    match (summary.images, summary.bad) {
        (_, 0) => Exit::Success,
        (0, _) => Exit::Failure,
        _ => Exit::Partial,
    }
}

/// What each hook of each source did in this run: lines in words, or one line of JSON for all.
pub(crate) fn hook_statistics(sources: &[(&str, &[HookStats])], json: bool) -> Result<(), Failure> {
    let mut all = Vec::new();
    for (source, stats) in sources {
        all.extend(stats.iter().map(|stats| (*source, stats)));
    }
    if json {
        let all = all.into_iter().map(|(source, stats)| {
            let mut value = statistics(stats);
            value["source"] = json!(source);
            value
        });
        return output::json_line(&json!({ "hooks": all.collect::<Vec<Value>>() }));
    }
    for (source, stats) in all {
        let whose = match sources {
            [_] => String::new(),
            _ => format!("{}: ", output::place(source)),
        };
        output::line(&format!("{whose}{}", in_this_run(stats)));
        if stats.earlier.fired > 0 {
            let fired = format!("{} from earlier runs", stats.earlier.fired);
            let line = with_fates(&stats.hook, vec![fired], &stats.earlier);
            output::line(&format!("{whose}{line}"));
        }
    }
    Ok(())
}

fn in_this_run(stats: &HookStats) -> String {
    let HookStats {
        fired, evaluated, ..
    } = stats;
    let mut parts = vec![format!("{fired} of {evaluated} images fired")];
    let limits = stats.suppressed.iter().filter(|(_, count)| **count > 0);
    parts.extend(limits.map(|(limit, count)| format!("{count} held back ({})", limit.as_str())));
    if stats.failed > 0 {
        parts.push(format!("{} not scored", stats.failed));
    }
    let line = with_fates(&stats.hook, parts, &stats.run);
    match stats.already_there {
        0 => line,
        count => format!("{line} ({count} already there)"),
    }
}

fn with_fates(hook: &str, mut parts: Vec<String>, ledger: &Ledger) -> String {
    parts.push(format!("{} delivered", ledger.delivered));
    let counts = [
        (ledger.queued, "queued on disk"),
        (ledger.in_memory, "in memory only"),
        (ledger.total_dropped(), "dropped"),
        (ledger.dead, "dead letters"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(counts.map(|(count, what)| format!("{count} {what}")));
    format!("{hook}: {}", parts.join(", "))
}

/// The statistics of a hook as JSON: those of this run, then those of events that earlier runs
/// left, then those of all runs of the queue. For each of them
/// fired = delivered + queued + dropped + dead once the hooks have ended.
pub(crate) fn statistics(stats: &HookStats) -> Value {
    let suppressed = stats.suppressed.iter();
    let suppressed: serde_json::Map<String, Value> = suppressed
        .map(|(limit, count)| (limit.as_str().to_owned(), json!(count)))
        .collect();
    let mut value = fates(&stats.run);
    value["hook"] = json!(stats.hook);
    value["evaluated"] = json!(stats.evaluated);
    value["not_fired"] = json!(stats.not_fired);
    value["failed"] = json!(stats.failed);
    value["held"] = json!(stats.held);
    value["already_there"] = json!(stats.already_there);
    value["suppressed"] = suppressed.into();
    value["earlier"] = fates(&stats.earlier);
    value["total"] = fates(&stats.ledger);
    value
}

/// What became of events, as JSON.
pub(crate) fn fates(ledger: &Ledger) -> Value {
    let dropped = ledger.dropped.iter();
    let dropped: serde_json::Map<String, Value> = dropped
        .map(|(reason, count)| (reason.as_str().to_owned(), json!(count)))
        .collect();
    json!({
        "fired": ledger.fired,
        "delivered": ledger.delivered,
        "queued": ledger.queued,
        "in_memory": ledger.in_memory,
        "dropped": ledger.total_dropped(),
        "dropped_by_reason": dropped,
        "dead": ledger.dead,
    })
}
