use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection of a client, encrypted or not.
pub(crate) trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

/// Who a server says it is, with a certificate that only those accept who have its file.
pub(crate) struct Identity {
    config: Arc<ServerConfig>,
    folder: tempfile::TempDir,
}

impl Identity {
    /// An identity for a host name or address.
    pub(crate) fn of(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), cert.pem()).unwrap();
        Self {
            config: Arc::new(config),
            folder,
        }
    }

    /// The file with the certificate, for configurations.
    pub(crate) fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// A folder of this identity's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What encrypts the connections of a server.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// The server's side of a connection; the client is greeted when somebody reads.
pub(crate) fn accept(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Box<dyn Connection> {
    match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(Arc::clone(config)).unwrap();
            Box::new(StreamOwned::new(connection, stream))
        }
    }
}
