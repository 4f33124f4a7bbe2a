use std::path::PathBuf;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientConfigKey, ClientOptions, Error, Result};
use reqwest::redirect::Policy;
use reqwest::tls::Certificate;

use crate::action::trust;

/// Makes the HTTP client of a bucket: the certificates of the settings, and no redirects.
///
/// A redirect leads to a page that asks to log in as likely as to the bucket: its success would
/// say nothing, and the token of a temporary session would go to another host.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) timeout: Duration,
}

impl Connector {
    fn build(&self, options: &ClientOptions) -> Result<HttpClient, Failed> {
        let is_plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("straylight/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .https_only(is_plain.is_none_or(|value| value != "true"))
            .timeout(self.timeout)
            .connect_timeout(self.timeout);
        if let Some(path) = &self.ca_file {
            let trusted = trust::read(path)?;
            let trusted = trusted.iter().map(|one| Certificate::from_der(one.der()));
            builder = builder.tls_certs_only(trusted.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(HttpClient::new(builder.build()?))
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        let failed = |source| Error::Generic {
            store: "S3",
            source,
        };
        self.build(options).map_err(failed)
    }
}
