//! Where the server is and how to log in: from a `.env` file, from the environment, or by hand.
//!
//! | key | meaning |
//! |---|---|
//! | `HOST` | the server, with or without `https://` |
//! | `TOKEN` | a personal access token, or a reference to it (`env:NAME`, `file:PATH`) |
//! | `VERIFY_CERT` | whether the server's certificate is checked (default: yes) |
//! | `CA_FILE` | PEM file of the certificates that sign the server's, and of no others |
//! | `HTTPS_PROXY` | proxy for the connection, `http://user:password@host:port` |
//! | `WORKSPACE_ID` | the workspace, where the account has several |
//!
//! In the process environment every key has the prefix `GETI_`; in a file it may have it.
//! `USERNAME` and `PASSWORD` (a log-in that the platform has deprecated) are not supported:
//! they are refused with advice, never sent.

use std::path::{Path, PathBuf};

use crate::env_file::parse_env_file;
use crate::error::{ErrorKind, GetiError};
use crate::secret::{Secret, SecretRef};

/// The prefix of all keys in the process environment.
pub const ENV_PREFIX: &str = "GETI_";

/// Which certificates of a server are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Certificates {
    /// Those signed by the authorities that browsers trust.
    #[default]
    Public,
    /// Those signed by a certificate in this PEM file, and no others.
    SignedBy(PathBuf),
    /// All; anybody on the way can then read the token.
    Unchecked,
}

/// Through which proxy the server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProxyChoice {
    /// The one of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in the process environment.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one, `http://user:password@host:port`.
    Through(Secret),
}

/// Where a Geti server is and how to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerDetails {
    /// The server; `https://` is added when no scheme is there.
    pub host: String,
    /// A personal access token.
    pub token: Secret,
    /// Which certificates are trusted.
    pub certificates: Certificates,
    /// Through which proxy the server is reached.
    pub proxy: ProxyChoice,
    /// The workspace; needed only where the account has several.
    pub workspace_id: Option<String>,
}

impl ServerDetails {
    /// A server by host and token, with the usual certificates and proxy.
    pub fn new(host: impl Into<String>, token: Secret) -> Self {
        Self {
            host: host.into(),
            token,
            certificates: Certificates::default(),
            proxy: ProxyChoice::default(),
            workspace_id: None,
        }
    }

    /// Reads the details from a `.env` file.
    pub fn from_env_file(path: &Path) -> Result<Self, GetiError> {
        let text = straylight_files::read_to_string(path)?;
        let pairs = parse_env_file(&text).map_err(|error| {
            GetiError::new(ErrorKind::Settings, format!("{}: {error}", path.display()))
        })?;
        Self::read(|key| {
            let prefixed = format!("{ENV_PREFIX}{key}");
            pairs.get(key).or_else(|| pairs.get(&prefixed)).cloned()
        })
        .map_err(|error| error.with_place(&path.display().to_string()))
    }

    /// Reads the details from the process environment (`GETI_HOST`, `GETI_TOKEN`, ...).
    pub fn from_env() -> Result<Self, GetiError> {
        Self::from_env_with(|name| std::env::var(name).ok())
    }

    /// Reads the details from an environment that the caller gives.
    pub fn from_env_with(env: impl Fn(&str) -> Option<String>) -> Result<Self, GetiError> {
        Self::read(|key| env(&format!("{ENV_PREFIX}{key}")))
            .map_err(|error| error.with_place("environment (all keys with the prefix GETI_)"))
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, GetiError> {
        let get = |key: &str| get(key).filter(|value| !value.trim().is_empty());
        let host = get("HOST").ok_or_else(|| missing("HOST", "write the server's address"))?;
        let token = match get("TOKEN") {
            Some(text) => read_token(&text)?,
            None if get("USERNAME").is_some() || get("PASSWORD").is_some() => {
                return Err(missing(
                    "TOKEN",
                    "a user name and password are not supported: make a \
                    personal access token on the server",
                ));
            }
            None => {
                return Err(missing(
                    "TOKEN",
                    "make a personal access token on the server",
                ));
            }
        };
        let proxy = get("HTTPS_PROXY").map(|url| ProxyChoice::Through(Secret::new(url)));
        Ok(Self {
            host,
            token,
            certificates: certificates(get("VERIFY_CERT"), get("CA_FILE"))?,
            proxy: proxy.unwrap_or_default(),
            workspace_id: get("WORKSPACE_ID"),
        })
    }
}

impl GetiError {
    /// Says in which file or environment the trouble is.
    fn with_place(self, place: &str) -> Self {
        self.map_message(|message| format!("{place}: {message}"))
    }
}

fn missing(key: &str, hint: &str) -> GetiError {
    GetiError::new(ErrorKind::Settings, format!("{key} is missing")).with_hint(hint)
}

/// A token, or what a reference to it stands for.
fn read_token(text: &str) -> Result<Secret, GetiError> {
    match text.trim().parse::<SecretRef>() {
        Ok(reference) => reference.resolve(),
        Err(_) => Ok(Secret::new(text)),
    }
}

fn certificates(verify: Option<String>, ca: Option<String>) -> Result<Certificates, GetiError> {
    let verify = verify.map_or(Ok(true), |text| parse_bool("VERIFY_CERT", &text))?;
    match (verify, ca) {
        (true, None) => Ok(Certificates::Public),
        (true, Some(path)) => Ok(Certificates::SignedBy(path.trim().into())),
        (false, None) => Ok(Certificates::Unchecked),
        (false, Some(_)) => {
            let message = "CA_FILE is given, but VERIFY_CERT switches its use off";
            Err(GetiError::new(ErrorKind::Settings, message).with_hint("remove one of the two"))
        }
    }
}

/// Reads a yes or no in any usual spelling and case.
fn parse_bool(key: &str, text: &str) -> Result<bool, GetiError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" | "y" | "on" => Ok(true),
        "false" | "0" | "f" | "no" | "n" | "off" => Ok(false),
        _ => {
            let message = format!("{key}={} is neither true nor false", text.trim());
            Err(GetiError::new(ErrorKind::Settings, message).with_hint("write true or false"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ServerDetails, GetiError> {
        ServerDetails::from_env_with(|name| {
            let name = name.strip_prefix(ENV_PREFIX)?;
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_usual_spelling_of_a_yes_is_a_yes() {
        struct Case(&'static str, Option<Certificates>);
        for Case(text, certificates) in [
            Case("True", Some(Certificates::Public)),
            Case("TRUE", Some(Certificates::Public)),
            Case("true", Some(Certificates::Public)),
            Case("1", Some(Certificates::Public)),
            Case("yes", Some(Certificates::Public)),
            Case("On", Some(Certificates::Public)),
            Case("t", Some(Certificates::Public)),
            Case("", Some(Certificates::Public)),
            Case("False", Some(Certificates::Unchecked)),
            Case("0", Some(Certificates::Unchecked)),
            Case("no", Some(Certificates::Unchecked)),
            Case("OFF", Some(Certificates::Unchecked)),
            Case("maybe", None),
        ] {
            let details = read(&[("HOST", "h"), ("TOKEN", "t"), ("VERIFY_CERT", text)]);
            assert_eq!(details.ok().map(|d| d.certificates), certificates, "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_contradictory_is_named() {
        struct Case(&'static [(&'static str, &'static str)], &'static str);
        for Case(pairs, needle) in [
            Case(&[], "HOST is missing"),
            Case(&[("HOST", "h")], "TOKEN is missing"),
            Case(
                &[("HOST", "h"), ("USERNAME", "u"), ("PASSWORD", "p")],
                "personal access token",
            ),
            Case(
                &[
                    ("HOST", "h"),
                    ("TOKEN", "t"),
                    ("VERIFY_CERT", "0"),
                    ("CA_FILE", "f"),
                ],
                "CA_FILE",
            ),
        ] {
            let error = read(pairs).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_with_and_without_prefix() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "geti_pat_x\n").unwrap();
        let path = folder.path().join(".env");
        let text = format!(
            "HOST=https://h\nGETI_TOKEN=file:{}\nCA_FILE=ca.pem\nHTTPS_PROXY=http://u:p@proxy:1\n",
            token.display()
        );
        std::fs::write(&path, text).unwrap();
        let details = ServerDetails::from_env_file(&path).unwrap();
        assert_eq!(details.token.expose(), "geti_pat_x");
        assert_eq!(
            details.certificates,
            Certificates::SignedBy("ca.pem".into())
        );
        let shown = format!("{details:?}");
        assert!(
            !shown.contains("geti_pat") && !shown.contains("u:p"),
            "{shown}"
        );
        assert!(ServerDetails::from_env_file(&folder.path().join("none")).is_err());
    }
}
