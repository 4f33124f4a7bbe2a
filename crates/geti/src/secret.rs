use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{ErrorKind, GetiError};

/// A token or password: it can be used, but never printed.
///
/// `Debug` shows `Secret(***)`; there is no `Display` and no serialization.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as the secret, without blanks and line ends around it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// The secret itself, for a request header and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with every occurrence of the secret replaced by `***`.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            text.to_owned()
        } else {
            text.replace(&self.0, "***")
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Where a secret is kept: `env:NAME` or `file:PATH`.
///
/// This is what configuration files hold in the place of a secret. It may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path; blanks and line ends around its content do not count.
    File(PathBuf),
}

impl SecretRef {
    /// Looks the secret up; it is not kept.
    pub fn resolve(&self) -> Result<Secret, GetiError> {
        self.resolve_with(|name| std::env::var(name).ok())
    }

    /// Looks the secret up in an environment that the caller gives.
    pub fn resolve_with(&self, env: impl Fn(&str) -> Option<String>) -> Result<Secret, GetiError> {
        let secret = match self {
            Self::Env(name) => Secret::new(env(name).unwrap_or_default()),
            Self::File(path) => Secret::new(straylight_files::read_to_string(path)?),
        };
        if secret.is_empty() {
            let message = format!("the secret `{self}` is not set or empty");
            return Err(GetiError::new(ErrorKind::Settings, message)
                .with_hint("set the variable or write the secret into the file"));
        }
        Ok(secret)
    }
}

impl FromStr for SecretRef {
    type Err = GetiError;

    fn from_str(text: &str) -> Result<Self, GetiError> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            // The text itself may be a secret that somebody wrote here: it is not repeated.
            _ => Err(
                GetiError::new(ErrorKind::Settings, "this is not a reference to a secret")
                    .with_hint("write `env:NAME` or `file:PATH`, never the secret itself"),
            ),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new(" geti_pat_x\n");
        assert_eq!(secret.expose(), "geti_pat_x");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.redact("a geti_pat_x b"), "a *** b");
        assert_eq!(Secret::new("").redact("ab"), "ab");
    }

    #[test]
    fn references_are_read_written_and_resolved() {
        let env = |name: &str| (name == "TOKEN").then(|| "t".to_owned());
        let reference: SecretRef = "env:TOKEN".parse().unwrap();
        assert_eq!(reference.to_string(), "env:TOKEN");
        assert_eq!(reference.resolve_with(env).unwrap().expose(), "t");
        assert!(
            "env:OTHER"
                .parse::<SecretRef>()
                .unwrap()
                .resolve_with(env)
                .is_err()
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "t\r\n").unwrap();
        let reference: SecretRef = format!("file:{}", path.display()).parse().unwrap();
        assert_eq!(reference.resolve().unwrap().expose(), "t");
    }

    #[test]
    fn a_secret_in_the_place_of_a_reference_is_not_repeated() {
        for text in ["geti_pat_x", "env:", "file:", "token:x", ""] {
            let error = text.parse::<SecretRef>().unwrap_err();
            assert!(!error.to_string().contains("geti_pat"), "{error}");
        }
    }
}
