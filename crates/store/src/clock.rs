use straylight_core::Timestamp;

/// Tells the time; handed in so that tests need not wait.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Writes a time as the Geti REST API does: `2024-08-20T10:00:00.000000+00:00`.
///
/// Always UTC, always six digits of the second, never a `Z`, which Python 3.10 cannot read.
pub fn render_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

/// Microseconds since 1970, the form in which the database keeps times.
pub(crate) fn to_micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time of a database column; values beyond the calendar become the epoch.
pub(crate) fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_platform_writes_them() {
        struct Case(i64, &'static str);
        for Case(micros, text) in [
            Case(0, "1970-01-01T00:00:00.000000+00:00"),
            Case(1_724_148_000_123_456, "2024-08-20T10:00:00.123456+00:00"),
            Case(-1, "1969-12-31T23:59:59.999999+00:00"),
        ] {
            assert_eq!(render_time(from_micros(micros)), text);
            assert_eq!(to_micros(from_micros(micros)), micros);
        }
    }
}
