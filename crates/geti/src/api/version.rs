use std::fmt;
use std::str::FromStr;

use crate::error::{ErrorKind, GetiError};

/// The version that a server says it has; decides which generation of the API is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    numbers: (u64, u64, u64),
    text: String,
}

impl ServerVersion {
    /// The oldest server that the client speaks with.
    const OLDEST: (u64, u64, u64) = (1, 16, 0);

    /// Major, minor and patch number.
    pub fn numbers(&self) -> (u64, u64, u64) {
        self.numbers
    }

    /// Whether the three kinds of anomaly task are one, named `anomaly` (from 2.5 on).
    pub fn has_one_anomaly_task(&self) -> bool {
        self.numbers >= (2, 5, 0)
    }

    /// Whether deployments are packed and sent in one request (from 2.11 on).
    pub fn has_deployment_package(&self) -> bool {
        self.numbers >= (2, 11, 0)
    }

    /// Whether projects have `project_configuration` (from 2.12 on).
    pub fn has_project_configuration(&self) -> bool {
        self.numbers >= (2, 12, 0)
    }

    /// Refuses servers that speak another language altogether.
    pub(crate) fn supported(self) -> Result<Self, GetiError> {
        if self.numbers >= Self::OLDEST {
            return Ok(self);
        }
        let message = format!("the server has version {self}, which is too old");
        Err(GetiError::new(ErrorKind::Answer, message).with_hint("1.16 is the oldest supported"))
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ServerVersion {
    type Err = GetiError;

    /// Reads `2.13.0`, `2.13.0-tag-20260101000000`, and leniently also `2.13` and `v2.13.0`.
    fn from_str(text: &str) -> Result<Self, GetiError> {
        let bad = || {
            let shown: String = text.chars().take(80).collect();
            GetiError::new(ErrorKind::Answer, format!("`{shown}` is not a version"))
                .with_hint("HOST may not be a Geti server")
        };
        let core = text.trim().trim_start_matches('v');
        let core = core.split(['-', '+']).next().unwrap_or_default();
        let mut parts = core
            .split('.')
            .map(|part| part.parse::<u64>().map_err(|_| bad()));
        let mut number = |required: bool| match parts.next() {
            Some(part) => part,
            None if required => Err(bad()),
            None => Ok(0),
        };
        let numbers = (number(true)?, number(true)?, number(false)?);
        Ok(Self {
            numbers,
            text: text.trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        struct Case(&'static str, Option<(u64, u64, u64)>);
        for Case(text, numbers) in [
            Case("2.13.0", Some((2, 13, 0))),
            Case("2.9.0-rc1-20250101000000", Some((2, 9, 0))),
            Case("2.13", Some((2, 13, 0))),
            Case("v1.16.3", Some((1, 16, 3))),
            Case("2", None),
            Case("two.three", None),
            Case("", None),
        ] {
            assert_eq!(
                text.parse::<ServerVersion>().ok().map(|v| v.numbers()),
                numbers,
                "{text}"
            );
        }
        let old: ServerVersion = "2.9.0".parse().unwrap();
        assert!(old.has_one_anomaly_task() && !old.has_deployment_package());
        assert!(
            "1.15.9"
                .parse::<ServerVersion>()
                .unwrap()
                .supported()
                .is_err()
        );
    }
}
