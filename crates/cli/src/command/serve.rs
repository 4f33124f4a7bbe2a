//! `straylight serve`: the local server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use straylight::serve::{EngineLoader, TakeError, take_deployment};
use straylight::server::{Network, SdkGeneration, Server, ServerConfig, Tls, create_token};
use straylight::store::Store;

use crate::access_log;
use crate::command::engine::EngineArguments;
use crate::exit::{Exit, Outcome};
use crate::output;

/// Arguments of `straylight serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight serve
  straylight serve --store straylight-demo/store --deployment straylight-demo
  straylight serve --deployment my-model
  straylight serve --listen 0.0.0.0:8443 --certificate cert.pem --key key.pem")]
pub(crate) struct Arguments {
    /// Folder of the local store; made if it is missing.
    #[arg(long, env = "STRAYLIGHT_STORE", default_value = "straylight-store")]
    store: PathBuf,
    /// Address and port; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Take a deployment's folder into the store before the start; may be given several times.
    #[arg(long, value_name = "FOLDER")]
    deployment: Vec<PathBuf>,
    /// Certificate in PEM form; without it one is made at the first start.
    #[arg(long, requires = "key", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Private key of the certificate in PEM form.
    #[arg(long, requires = "certificate", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Speak plain HTTP; only on a loopback address.
    #[arg(long, conflicts_with = "certificate")]
    plain_http: bool,
    /// Another name under which clients reach the server; may be given several times. Addresses,
    /// the names of the certificate and that of this machine are known.
    #[arg(long, value_name = "NAME")]
    host_name: Vec<String>,
    /// Address or range (10.0.0.0/8) of a proxy that may say for whom it asks; may be given several
    /// times.
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<Network>,
    /// Do not write a line of JSON to standard error for every request.
    #[arg(long)]
    no_access_log: bool,
    /// Answer as Geti 2.11 did, for the Python SDK up to 2.5.
    #[arg(long)]
    legacy_sdk: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Serves until Ctrl-C.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let store = Arc::new(Store::open(&arguments.store)?);
    for folder in &arguments.deployment {
        let taken = take_deployment(&store, folder, &arguments.engine.load_options());
        let record = taken.map_err(|error| -> Box<dyn std::error::Error> {
            match error {
                TakeError::Load(error) => error.into(),
                other => other.into(),
            }
        })?;
        output::line(&format!(
            "Serves the deployment {} as {}",
            folder.display(),
            record.id
        ));
    }
    let first_token = first_token(&store)?;
    let loader = Arc::new(EngineLoader::new(arguments.engine.load_options()));
    let server = Server::bind(store, arguments.config(), Some(loader))?;
    output::line(&format!("Page         {}", server.login_url()));
    output::line(&format!(
        "REST API     {}  (described at {0}/docs)",
        server.url()
    ));
    if let Some(path) = server.certificate() {
        output::line(&format!(
            "Certificate  {}  (clients must trust it)",
            path.display()
        ));
    }
    if let Some(token) = first_token {
        output::line(&format!(
            "Token        {token}  (shown once; `straylight token` makes more, also for less than everything)"
        ));
    }
    output::line("Ctrl-C stops it; `straylight token login` makes a new link to the page.");
    server.run()?;
    Ok(Exit::Success)
}

/// A token for a store that has none yet, so that the first start can be used at once.
fn first_token(store: &Store) -> Result<Option<String>, Box<dyn std::error::Error>> {
    if !store.tokens()?.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        create_token(store, "first", None)?.reveal().to_owned(),
    ))
}

impl Arguments {
    fn config(&self) -> ServerConfig {
        let mut config = ServerConfig::default()
            .listen_on(self.listen)
            .with_host_names(self.host_name.iter().cloned());
        config
            .limits
            .trusted_proxies
            .clone_from(&self.trusted_proxy);
        if !self.no_access_log {
            config = config.with_access_log(access_log::to_stderr());
        }
        config.tls = match (&self.certificate, &self.key) {
            _ if self.plain_http => Tls::Off,
            (Some(certificate), Some(key)) => Tls::Files {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            _ => Tls::SelfSigned,
        };
        if self.legacy_sdk {
            config = config.for_sdk(SdkGeneration::Legacy);
        }
        config
    }
}
