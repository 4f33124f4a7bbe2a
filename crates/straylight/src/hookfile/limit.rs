use std::str::FromStr;

use straylight_hooks::{BestOfOptions, LimitOptions, NearDuplicateOptions, SameObjectOptions};

/// One limit as users write it.
///
/// `1/s` (or `0.5/s`): images a second in the long run; `10/min`, `100/h`, `500/d`: quotas of the
/// clock and the calendar; `2000`: in all; `label 30`: seconds before a label is collected again;
/// `similar` or `similar 4`: no near-duplicates (of at most so many bits); `object 60` or
/// `object 60 0.9`: nothing that was collected and not away for so many seconds (with feature vectors
/// whose angle has at least this cosine); `best 3/60`: the three
/// highest scores of every 60 seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// Images a second.
    Rate(f64),
    /// Images a minute of the clock.
    Minute(u64),
    /// Images an hour of the clock.
    Hour(u64),
    /// Images a day of the calendar.
    Day(u64),
    /// Images in all.
    Total(u64),
    /// Seconds before a label is collected again.
    Label(f64),
    /// Near-duplicates, of at most so many bits of 64.
    Similar(u32),
    /// Seconds for which an object must be away, and the least cosine of two images of it.
    Object(f64, f64),
    /// The best so many of so many seconds.
    Best(usize, f64),
}

/// A text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no limit: write 1/s, 10/min, 100/h, 500/d, 2000, `label 30`, `similar 4`, `object 60` or `best 3/60`"
)]
pub struct LimitError(pub String);

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        parse(text.trim()).ok_or_else(|| LimitError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Limit> {
    if let Some((word, rest)) = text
        .split_once(' ')
        .or((text == "similar").then_some((text, "4")))
    {
        let rest = rest.trim();
        return match word {
            "label" => Some(Limit::Label(rest.trim_end_matches('s').parse().ok()?)),
            "similar" => Some(Limit::Similar(rest.parse().ok()?)),
            "object" => {
                let usual = SameObjectOptions::default().min_similarity;
                let (seconds, cosine) = match rest.split_once(' ') {
                    Some((seconds, cosine)) => (seconds, cosine.trim().parse().ok()?),
                    None => (rest, usual),
                };
                let seconds = seconds.trim_end_matches('s').parse().ok()?;
                Some(Limit::Object(seconds, cosine))
            }
            "best" => {
                let (keep, seconds) = rest.split_once('/')?;
                let seconds = seconds.trim_end_matches('s').parse().ok()?;
                Some(Limit::Best(keep.parse().ok()?, seconds))
            }
            _ => None,
        };
    }
    let Some((count, unit)) = text.split_once('/') else {
        return Some(Limit::Total(text.parse().ok()?));
    };
    Some(match unit {
        "s" | "sec" | "second" => Limit::Rate(count.parse().ok()?),
        "m" | "min" | "minute" => Limit::Minute(count.parse().ok()?),
        "h" | "hour" => Limit::Hour(count.parse().ok()?),
        "d" | "day" => Limit::Day(count.parse().ok()?),
        _ => return None,
    })
}

impl Limit {
    pub(super) fn apply(self, limits: &mut LimitOptions) {
        match self {
            Self::Rate(rate) => limits.max_frames_per_second = Some(rate),
            Self::Minute(count) => limits.max_per_minute = Some(count),
            Self::Hour(count) => limits.max_per_hour = Some(count),
            Self::Day(count) => limits.max_per_day = Some(count),
            Self::Total(count) => limits.max_total = Some(count),
            Self::Label(seconds) => limits.min_seconds_per_label = Some(seconds),
            Self::Similar(max_distance) => {
                limits.near_duplicates = Some(NearDuplicateOptions {
                    max_distance,
                    ..NearDuplicateOptions::default()
                });
            }
            Self::Object(seconds, min_similarity) => {
                limits.same_object = Some(SameObjectOptions {
                    seconds,
                    min_similarity,
                });
            }
            Self::Best(keep, window_seconds) => {
                limits.best_of = Some(BestOfOptions {
                    keep,
                    window_seconds,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        struct Case(&'static str, Option<Limit>);
        for Case(text, wanted) in [
            Case("1/s", Some(Limit::Rate(1.0))),
            Case("0.5/second", Some(Limit::Rate(0.5))),
            Case("10/min", Some(Limit::Minute(10))),
            Case("100/h", Some(Limit::Hour(100))),
            Case("500/d", Some(Limit::Day(500))),
            Case("2000", Some(Limit::Total(2000))),
            Case("label 30s", Some(Limit::Label(30.0))),
            Case("similar", Some(Limit::Similar(4))),
            Case("similar 6", Some(Limit::Similar(6))),
            Case("object 60", Some(Limit::Object(60.0, 0.9))),
            Case("object 5s 0.8", Some(Limit::Object(5.0, 0.8))),
            Case("object", None),
            Case("best 3/60s", Some(Limit::Best(3, 60.0))),
            Case("1/year", None),
            Case("often", None),
            Case("best 3", None),
            Case("", None),
        ] {
            assert_eq!(text.parse().ok(), wanted, "{text}");
        }
    }
}
