//! The table as a picture.

use std::fmt::Write;

use super::{Mode, OverheadRow};

/// Pixels.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const ROW: f64 = 34.0;
const TOP: f64 = 60.0;
/// Room for the numbers beside the longest bar.
const RIGHT: f64 = 250.0;

/// The table as SVG: a bar for the throughput of each row, with its latencies beside it.
pub fn plot(title: &str, rows: &[OverheadRow]) -> String {
    let most = rows
        .iter()
        .map(|row| row.images_per_second)
        .fold(1e-9, f64::max);
    let height = TOP + ROW * rows.len() as f64 + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"46\" fill=\"#555\">images a second (latency: median, 90 %, 99 %)</text>\n",
        escaped(title)
    );
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let width = (WIDTH - LEFT - RIGHT) * row.images_per_second / most;
        let (color, mode) = match row.mode {
            Mode::Sync => ("#4a7fb5", "one at a time"),
            Mode::Async => ("#3a9a6c", "asynchronous"),
        };
        // Writing into a text cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"12\" y=\"{:.1}\">{mode}, {}</text>\n\
             <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{color}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{:.1} ({:.1}, {:.1}, {:.1} ms)</text>",
            y + 20.0,
            row.name(),
            y + 4.0,
            ROW - 10.0,
            LEFT + width + 8.0,
            y + 20.0,
            row.images_per_second,
            row.latency_median_ms,
            row.latency_p90_ms,
            row.latency_p99_ms,
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_row_has_the_longest_bar_and_names_are_escaped() {
        let row = |images_per_second| OverheadRow {
            mode: Mode::Sync,
            decode: false,
            hook: true,
            images: 1,
            images_per_second,
            latency_median_ms: 1.0,
            latency_p90_ms: 2.0,
            latency_p99_ms: 3.0,
        };
        let svg = plot("a < b", &[row(50.0), row(100.0)]);
        assert!(
            svg.contains("a &lt; b") && svg.contains("width=\"160.0\""),
            "{svg}"
        );
        assert!(
            svg.contains("width=\"320.0\"") && svg.contains("with a hook"),
            "{svg}"
        );
        assert_eq!(svg, plot("a < b", &[row(50.0), row(100.0)]));
    }
}
