//! Under which names the server is reached.
//!
//! A page of a stranger can have its own name resolved to our address and then ask as if it came
//! from us (DNS rebinding). Its name stands in the header `Host`, so only names that are ours are
//! answered. Addresses are no names: they cannot be rebound.

use std::net::IpAddr;
use std::path::Path;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::api::ApiError;
use crate::app::Shared;
use crate::auth::is_health;

/// The names that are ours, in lower case; one that begins with `*.` stands for any first part.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostNames(Vec<String>);

impl HostNames {
    /// Those that are configured, those of the certificate, and those of this machine.
    pub(crate) fn new(configured: &[String], certificate: Option<&Path>) -> Self {
        let mut names = vec!["localhost".to_owned(), "*.localhost".to_owned()];
        names.extend(configured.iter().map(|name| name.to_lowercase()));
        names.extend(certificate.into_iter().flat_map(names_of));
        if let Some(machine) = machine() {
            names.push(format!("{machine}.local"));
            names.push(machine);
        }
        Self(names)
    }

    /// Whether a value of the header `Host` is one of ours.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_lowercase();
        let name = name.trim_end_matches('.');
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || self.0.iter().any(|own| matches(own, name))
    }
}

fn matches(own: &str, name: &str) -> bool {
    match own.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, after)| after == rest),
        None => own == name,
    }
}

/// `name:8443` and `[::1]:8443` without what follows the name.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

/// The names that a certificate is for.
fn names_of(path: &Path) -> Vec<String> {
    let certificate = CertificateDer::from_pem_file(path).ok();
    let parsed = certificate
        .as_ref()
        .and_then(|der| webpki::EndEntityCert::try_from(der).ok());
    let names = parsed.iter().flat_map(|parsed| parsed.valid_dns_names());
    names.map(str::to_lowercase).collect()
}

/// The name of this machine, as far as the system tells it without a library.
fn machine() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok());
    let told = told.or_else(|| std::env::var("COMPUTERNAME").ok())?;
    Some(told.trim().to_lowercase()).filter(|name| !name.is_empty())
}

/// Refuses requests for names that are not ours; health is told to everybody.
pub(crate) async fn check(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|value| value.to_str().ok());
    let named = request.uri().host();
    let ours = |name: &str| app.hosts.allow(name);
    if is_health(request.uri().path()) {
        return next.run(request).await;
    }
    match host {
        None => ApiError::bad("The header Host is missing").into_response(),
        Some(host) if ours(host) && named.is_none_or(ours) => next.run(request).await,
        Some(_) => {
            let message = "This server is not called so: start it with `--host-name NAME`, or use \
                           its address";
            ApiError::Status(StatusCode::MISDIRECTED_REQUEST, message.to_owned()).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_ours_are_told_from_others() {
        let names = HostNames::new(
            &["Collect.Example.org".to_owned(), "*.plant".to_owned()],
            None,
        );
        for ours in [
            "localhost",
            "LOCALHOST:8443",
            "localhost.:1",
            "a.localhost",
            "127.0.0.1:80",
            "192.0.2.7",
            "[::1]:8443",
            "[::1]",
            "collect.example.org:443",
            "line3.plant",
        ] {
            assert!(names.allow(ours), "{ours}");
        }
        for foreign in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "example.org",
            "a.b.plant",
            "plant",
            "user@localhost",
        ] {
            assert!(!names.allow(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_names_of_the_certificate_are_ours() {
        let made = rcgen::generate_simple_self_signed(["line.example.org".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cert.pem");
        std::fs::write(&path, made.cert.pem()).unwrap();
        let names = HostNames::new(&[], Some(&path));
        assert!(names.allow("line.example.org:8443") && !names.allow("other.example.org"));
    }
}
