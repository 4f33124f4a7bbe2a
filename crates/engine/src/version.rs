use std::fmt;

/// A version of the OpenVINO runtime, such as 2026.4.1; they compare in the order of release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Year of the release.
    pub year: u16,
    /// Number of the release in its year.
    pub minor: u8,
    /// Number of the patch.
    pub patch: u8,
}

impl Version {
    /// The oldest runtime whose element types the bindings know.
    pub const OLDEST: Self = Self {
        year: 2025,
        minor: 1,
        patch: 0,
    };

    /// Reads the start of a build string such as `2026.4.1-22982-e213a147257-releases/2026/4`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().split(['-', '+', ' ']).next()?;
        let mut parts = number.split('.');
        let year = parts
            .next()?
            .parse()
            .ok()
            .filter(|year| (2018..3000).contains(year))?;
        let minor = parts.next()?.parse().ok()?;
        let patch = parts.next().map_or(Some(0), |part| part.parse().ok())?;
        Some(Self { year, minor, patch })
    }

    /// Reads the version from a library's name: `libopenvino_c.so.2641` (Python wheel) or
    /// `libopenvino_c.so.2026.4.1` (archive); `None` when the name holds none.
    pub fn of_library(name: &str) -> Option<Self> {
        let digits = name.split(".so.").nth(1)?;
        if digits.contains('.') {
            return Self::parse(digits);
        }
        let [y1, y2, minor, patch] = digits.as_bytes().try_into().ok()?;
        let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
        let year = 2000 + u16::from(digit(y1)?) * 10 + u16::from(digit(y2)?);
        Some(Self {
            year,
            minor: digit(minor)?,
            patch: digit(patch)?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.year, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn version(year: u16, minor: u8, patch: u8) -> Version {
        Version { year, minor, patch }
    }

    #[test]
    fn build_strings() {
        struct Case(&'static str, Option<Version>);
        for Case(text, expected) in [
            Case(
                "2026.4.1-22982-e213a147257-releases/2026/4",
                Some(version(2026, 4, 1)),
            ),
            Case("2025.1.0", Some(version(2025, 1, 0))),
            Case("2025.4", Some(version(2025, 4, 0))),
            Case("custom_master_abc", None),
            Case("1.0", None),
            Case("", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn library_names() {
        assert_eq!(
            Version::of_library("libopenvino_c.so.2641"),
            Some(version(2026, 4, 1))
        );
        assert_eq!(
            Version::of_library("libopenvino_c.so.2025.1.0"),
            Some(version(2025, 1, 0))
        );
        assert_eq!(Version::of_library("libopenvino_c.so"), None);
        assert_eq!(Version::of_library("libopenvino_c.so.26x1"), None);
    }

    #[test]
    fn later_releases_are_greater() {
        assert!(version(2026, 0, 0) > version(2025, 4, 1));
        assert!(version(2026, 4, 1) > version(2026, 4, 0));
    }
}
