use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use straylight_core::{Dataset, Project};
use straylight_store::{DatasetStatistics, LabelCount, TimeBucket};

use super::dataset::{find, path, statistics};
use super::{PageResult, layout};
use crate::app::{App, Shared};

/// Size of a plot in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
/// Room below for the words of the axis.
const FOOT: f64 = 24.0;
/// Stretches of time in which about so many bars are drawn.
const BARS: i64 = 48;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/projects/{p}/datasets/{d}/plots", get(show))
}

struct Shown {
    project: Project,
    dataset: Dataset,
    statistics: DatasetStatistics,
    timeline: Vec<TimeBucket>,
    seconds: u32,
}

async fn show(
    State(app): State<Shared>,
    Path((project, dataset)): Path<(String, String)>,
) -> PageResult<Markup> {
    let shown = app
        .run(move |app| {
            let (project, dataset) = find(app, &project, &dataset)?;
            let seconds = step(app, &dataset.id)?;
            Ok(Shown {
                statistics: statistics(app, &dataset.id)?,
                timeline: app.store.timeline(&dataset.id, seconds)?,
                project,
                dataset,
                seconds,
            })
        })
        .await?;
    let title = format!("{}: plots", shown.dataset.name);
    Ok(layout::page(&title, &render(&shown)))
}

/// A stretch of time, a round one, with which the whole span takes about [`BARS`] bars.
fn step(app: &App, dataset: &str) -> Result<u32, crate::api::ApiError> {
    let span = app.store.capture_span(dataset)?;
    let seconds = span.map_or(0, |(first, last)| last.as_second() - first.as_second());
    let wanted = seconds / BARS;
    let round = [
        60, 300, 900, 3600, 14_400, 43_200, 86_400, 604_800, 2_592_000,
    ];
    let fitting = round.into_iter().find(|&s| i64::from(s) >= wanted);
    Ok(fitting.unwrap_or(31_536_000))
}

fn render(shown: &Shown) -> Markup {
    let base = format!(
        "/projects/{}/datasets/{}",
        shown.project.id, shown.dataset.id
    );
    let statistics = &shown.statistics;
    let counts: Vec<f64> = shown.timeline.iter().map(|b| b.images as f64).collect();
    html! {
        (path(&shown.project))
        div.title { h1 { (shown.dataset.name) ": plots" } a href=(base) { "Images" } }
        p.dim { (statistics.images) " images, " (statistics.annotated) " labelled, "
            (statistics.rejected) " rejected" }
        (figure("Images by OOD score", &histogram(&statistics.score_histogram), "0", "1"))
        @if let (Some(first), Some(last)) = (shown.timeline.first(), shown.timeline.last()) {
            @let from = day(first.start);
            @let to = day(last.start);
            (figure(&format!("Images taken, {} a bar", period(shown.seconds)), &timed(&shown.timeline, &counts, shown.seconds), &from, &to))
            (figure(&format!("Mean (line) and greatest (dots) OOD score, {} a point", period(shown.seconds)), &drift(&shown.timeline, shown.seconds), &from, &to))
        }
        div.columns {
            (table("Labels", &statistics.labels, &base, "label"))
            (table("Hooks", &statistics.hooks, &base, "hook"))
            @if !statistics.sources.is_empty() {
                (table("Sources", &statistics.sources, &base, "source"))
            }
        }
    }
}

fn day(time: straylight_core::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn period(seconds: u32) -> String {
    match seconds {
        0..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn figure(title: &str, plot: &Markup, from: &str, to: &str) -> Markup {
    html! {
        figure.plot {
            figcaption { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT + FOOT) } role="img" aria-label=(title) {
                line.axis x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
                (plot)
                text x="0" y=(HEIGHT + 17.0) { (from) }
                text x=(WIDTH) y=(HEIGHT + 17.0) text-anchor="end" { (to) }
            }
        }
    }
}

fn histogram(bins: &[u64]) -> Markup {
    let top = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = WIDTH / bins.len().max(1) as f64;
    html! {
        @for (index, &count) in bins.iter().enumerate() {
            (bar(index as f64 * width, width, count as f64 / top, &format!(
                "{:.2} to {:.2}: {count}", index as f64 / bins.len() as f64, (index + 1) as f64 / bins.len() as f64)))
        }
        text x="0" y="12" { (top) }
    }
}

/// A bar of a height in `0..=1`, with what it stands for.
fn bar(x: f64, width: f64, height: f64, title: &str) -> Markup {
    let height = height * (HEIGHT - 18.0);
    html! {
        rect.bar x=(fixed(x + 1.0)) y=(fixed(HEIGHT - height)) width=(fixed((width - 2.0).max(1.0))) height=(fixed(height)) {
            title { (title) }
        }
    }
}

fn fixed(value: f64) -> String {
    format!("{value:.1}")
}

/// Where a stretch begins and how wide it is: the axis is time itself, gaps included.
fn place(buckets: &[TimeBucket], bucket: &TimeBucket, seconds: u32) -> (f64, f64) {
    let second = |b: &TimeBucket| b.start.as_second();
    let (first, last) = (
        buckets.first().map_or(0, second),
        buckets.last().map_or(0, second),
    );
    let span = (last - first + i64::from(seconds)).max(1) as f64;
    let x = (second(bucket) - first) as f64 / span * WIDTH;
    (x, f64::from(seconds) / span * WIDTH)
}

fn timed(buckets: &[TimeBucket], values: &[f64], seconds: u32) -> Markup {
    let top = values.iter().copied().fold(1.0, f64::max);
    html! {
        @for (bucket, value) in buckets.iter().zip(values) {
            @let (x, width) = place(buckets, bucket, seconds);
            (bar(x, width, value / top, &format!("{}: {value}", day(bucket.start))))
        }
        text x="0" y="12" { (top) }
    }
}

fn drift(buckets: &[TimeBucket], seconds: u32) -> Markup {
    let at = |bucket: &TimeBucket, score: f64| {
        let (x, width) = place(buckets, bucket, seconds);
        (
            x + width / 2.0,
            HEIGHT - score.clamp(0.0, 1.0) * (HEIGHT - 18.0),
        )
    };
    let mean = buckets.iter().filter_map(|b| Some(at(b, b.mean_score?)));
    let line: Vec<String> = mean.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let greatest = buckets
        .iter()
        .filter_map(|b| Some((at(b, b.max_score?), b)));
    html! {
        polyline.line points=(line.join(" ")) {}
        @for ((x, y), bucket) in greatest {
            circle.point cx=(fixed(x)) cy=(fixed(y)) r="3" {
                title { (day(bucket.start)) ": mean " (format!("{:.2}", bucket.mean_score.unwrap_or(0.0)))
                    ", greatest " (format!("{:.2}", bucket.max_score.unwrap_or(0.0))) }
            }
        }
        text x="0" y="12" { "1" }
    }
}

fn table(title: &str, counts: &[LabelCount], base: &str, filter: &str) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if counts.is_empty() { p.empty { "None" } }
            @else { table { tbody { @for count in counts.iter().take(30) { tr {
                td { a href={ (base) "?" (filter) "=" (super::filter::encode(&count.name)) } { (count.name) } }
                td.number { (count.images) }
            } } } } }
        }
    }
}
