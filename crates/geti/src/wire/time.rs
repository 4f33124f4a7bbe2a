use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, written `2024-08-20T10:00:00.000000+00:00`.
///
/// Always six digits of a second and `+00:00`: Python 3.10 cannot read `Z`, and the SDK would
/// then store no date at all. Holds whole microseconds, so that a time that was written and
/// read again is equal to itself. Reading accepts any offset, `Z`, and none (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// The moment as a time stamp of whole microseconds.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for Time {
    /// Drops what is below a microsecond.
    fn from(timestamp: Timestamp) -> Self {
        Self(Timestamp::from_microsecond(timestamp.as_microsecond()).unwrap_or(timestamp))
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = TimeZone::UTC.to_datetime(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.subsec_nanosecond() / 1000
        )
    }
}

impl FromStr for Time {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(timestamp.into());
        }
        let local: civil::DateTime = text.parse()?;
        Ok(TimeZone::UTC.to_timestamp(local)?.into())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Reads an optional time; what is no time (a null, an empty text) becomes `None`.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Time>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    let text = value.as_ref().and_then(serde_json::Value::as_str);
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_leniently_and_written_one_way() {
        struct Case(&'static str, Option<&'static str>);
        for Case(text, written) in [
            Case(
                "2022-11-09T11:59:56.036000+00:00",
                Some("2022-11-09T11:59:56.036000+00:00"),
            ),
            Case(
                "2024-08-20T10:00:00Z",
                Some("2024-08-20T10:00:00.000000+00:00"),
            ),
            Case(
                "2024-08-20T12:00:00.1234567+02:00",
                Some("2024-08-20T10:00:00.123456+00:00"),
            ),
            Case(
                "2024-08-20T10:00:00",
                Some("2024-08-20T10:00:00.000000+00:00"),
            ),
            Case(
                "2024-08-20 10:00:00.5",
                Some("2024-08-20T10:00:00.500000+00:00"),
            ),
            Case("yesterday", None),
            Case("", None),
        ] {
            assert_eq!(
                text.parse::<Time>().ok().map(|t| t.to_string()).as_deref(),
                written
            );
        }
    }

    #[test]
    fn a_time_that_was_written_is_read_as_itself() {
        let time = Time::from(Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap());
        assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
    }
}
