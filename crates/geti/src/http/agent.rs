use std::path::Path;
use std::time::Duration;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::BaseUrl;
use crate::error::{ErrorKind, GetiError};
use crate::settings::{Certificates, ProxyChoice, ServerDetails};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(15);

/// Connections kept open for the next request.
const IDLE: usize = 32;

/// How long they are kept; servers close theirs after 15 seconds or later, and a request that
/// meets a closing connection would fail without need.
const IDLE_AGE: Duration = Duration::from_secs(10);

/// Makes the HTTP agent for a server: certificates, proxy, no redirects of its own.
pub(crate) fn build(details: &ServerDetails, base: &BaseUrl) -> Result<Agent, GetiError> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls(&details.certificates)?)
        .proxy(proxy(&details.proxy, base)?)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .max_idle_age(IDLE_AGE)
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE)
        .user_agent(concat!("straylight/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(config.new_agent())
}

fn tls(certificates: &Certificates) -> Result<TlsConfig, GetiError> {
    let builder = TlsConfig::builder();
    Ok(match certificates {
        Certificates::Public => builder.build(),
        Certificates::SignedBy(path) => builder.root_certs(read_roots(path)?).build(),
        Certificates::Unchecked => builder.disable_verification(true).build(),
    })
}

fn read_roots(path: &Path) -> Result<RootCerts, GetiError> {
    let pem = straylight_files::read(path)?;
    let bad = |reason: &str| {
        let message = format!("{} is not a file of certificates: {reason}", path.display());
        GetiError::new(ErrorKind::Settings, message).with_hint("give a file in PEM format")
    };
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| bad("it is damaged"))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(bad("it holds none"));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// A server on this machine is never reached through a proxy that merely is in the environment.
fn proxy(choice: &ProxyChoice, base: &BaseUrl) -> Result<Option<Proxy>, GetiError> {
    match choice {
        ProxyChoice::Environment if base.is_loopback() => Ok(None),
        ProxyChoice::Environment => Ok(Proxy::try_from_env()),
        ProxyChoice::Direct => Ok(None),
        ProxyChoice::Through(url) => Proxy::new(url.expose()).map(Some).map_err(|_| {
            GetiError::new(ErrorKind::Settings, "the proxy's address is not valid")
                .with_hint("write HTTPS_PROXY as http://host:port")
        }),
    }
}
