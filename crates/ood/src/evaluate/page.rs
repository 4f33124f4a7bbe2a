//! The evaluation as one HTML page with inline drawings.

use std::fmt::Write;

use super::{Evaluation, Notable};
use crate::{Metrics, RocPoint};

const BINS: usize = 40;
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#222;background:#fff}table{border-collapse:collapse}td,th{padding:.2rem .8rem;\
text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}\
svg{max-width:100%;height:auto}figure{display:inline-block;margin:.5rem;width:9rem;\
vertical-align:top}figure img{max-width:100%}figcaption{font-size:12px;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}}";

/// Text that is safe inside an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

pub(super) fn render(evaluation: &Evaluation, title: &str) -> String {
    let title = escaped(title);
    let metrics = &evaluation.model;
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style>\
         <h1>{title}</h1><p>{} in-distribution images, {} outliers. A higher score is more out of \
         distribution.</p>{}<h2>Receiver operating characteristic</h2>{}<h2>Scores</h2>{}\
         <h2>Worst false alarms</h2>{}<h2>Worst misses</h2>{}</html>\n",
        metrics.in_distribution,
        metrics.outliers,
        table(evaluation),
        curve(&evaluation.roc),
        histograms(evaluation),
        pictures(&evaluation.false_alarms),
        pictures(&evaluation.misses),
    )
}

fn table(evaluation: &Evaluation) -> String {
    let mut rows = row("combined", &evaluation.model);
    for (name, metrics) in &evaluation.detectors {
        rows.push_str(&row(name, metrics));
    }
    let operating = evaluation.model.operating.as_ref().map_or_else(String::new, |at| {
        format!(
            "<p>At the threshold {:.4}: {:.1} % of the in-distribution images are called outliers, \
             {:.1} % of the outliers are found, F1 {:.3}, accuracy {:.3}.</p>",
            at.threshold,
            100.0 * at.fpr,
            100.0 * at.tpr,
            at.f1,
            at.accuracy
        )
    });
    format!(
        "<table><tr><th>score<th>AUROC<th>AUPR in<th>AUPR out<th>TPR at 1 % FPR<th>TPR at 5 % FPR\
         <th>FPR at 95 % TPR (in)<th>FPR at 95 % TPR (out)</tr>{rows}</table>{operating}"
    )
}

fn row(name: &str, m: &Metrics) -> String {
    let numbers = [
        m.auroc,
        m.aupr_in,
        m.aupr_out,
        m.tpr_at_1_fpr,
        m.tpr_at_5_fpr,
        m.fpr_at_95_tpr_in,
        m.fpr_at_95_tpr_out,
    ];
    let mut cells = String::new();
    for number in numbers {
        // Writing to a String cannot fail.
        let _ = write!(cells, "<td>{:.1}", 100.0 * number);
    }
    format!("<tr><td>{}{cells}</tr>", escaped(name))
}

fn curve(points: &[RocPoint]) -> String {
    let mut path = String::new();
    for point in points {
        // Writing to a String cannot fail.
        let _ = write!(
            path,
            "{:.1},{:.1} ",
            10.0 + 300.0 * point.fpr,
            310.0 - 300.0 * point.tpr
        );
    }
    format!(
        "<svg viewBox=\"0 0 320 335\" width=\"420\" role=\"img\" aria-label=\"true positive rate over \
         false positive rate\"><rect x=\"10\" y=\"10\" width=\"300\" height=\"300\" fill=\"none\" \
         stroke=\"gray\"/><path d=\"M10 310L310 10\" stroke=\"gray\" stroke-dasharray=\"4\"/><polyline \
         points=\"{path}\" fill=\"none\" stroke=\"#c33\" stroke-width=\"2\"/><text x=\"10\" y=\"328\" \
         font-size=\"12\" fill=\"currentColor\">false positive rate (0 to 1), true positive rate \
         upwards</text></svg>"
    )
}

fn histograms(evaluation: &Evaluation) -> String {
    let inside = bars(&evaluation.in_distribution, "#38c");
    let outside = bars(&evaluation.outliers, "#c33");
    let threshold = evaluation
        .model
        .operating
        .as_ref()
        .map_or_else(String::new, |at| {
            let x = 10.0 + 600.0 * at.threshold.clamp(0.0, 1.0);
            format!("<path d=\"M{x:.1} 10V170\" stroke=\"currentColor\" stroke-dasharray=\"4\"/>")
        });
    format!(
        "<svg viewBox=\"0 0 620 190\" width=\"620\" role=\"img\" aria-label=\"histograms of the \
         scores\">{inside}{outside}{threshold}<text x=\"10\" y=\"186\" font-size=\"12\" \
         fill=\"currentColor\">score 0 to 1; blue: in-distribution, red: outliers, dashed: \
         threshold</text></svg>"
    )
}

/// One bar a bin, as high as its part of the fullest.
fn bars(scores: &[f64], colour: &str) -> String {
    let mut counts = [0_usize; BINS];
    for score in scores {
        counts[((score.clamp(0.0, 1.0) * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let top = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = 600.0 / BINS as f64;
    let bar = |(bin, &count): (usize, &usize)| {
        let (x, height) = (10.0 + width * bin as f64, 160.0 * count as f64 / top);
        format!(
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{colour}\" fill-opacity=\".55\"/>",
            170.0 - height
        )
    };
    counts.iter().enumerate().map(bar).collect()
}

fn pictures(images: &[Notable]) -> String {
    let figure = |image: &Notable| {
        let name = image
            .name
            .clone()
            .unwrap_or_else(|| format!("image {}", image.image));
        let picture = image.picture.as_ref().map_or_else(String::new, |picture| {
            format!(
                "<img src=\"{}\" alt=\"\" loading=\"lazy\">",
                escaped(picture)
            )
        });
        let name = escaped(&name);
        format!(
            "<figure>{picture}<figcaption>{name}<br>{:.4}</figcaption></figure>",
            image.score
        )
    };
    images.iter().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        let image = Notable {
            image: 1,
            score: 0.5,
            name: Some("<script>&".into()),
            picture: Some("a\"b.png".into()),
        };
        let html = pictures(&[image]);
        assert!(html.contains("&lt;script&gt;&amp;") && html.contains("a&quot;b.png"));
        assert!(!html.contains("<script>"));
    }
}
