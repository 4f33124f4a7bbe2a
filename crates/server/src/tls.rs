use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use straylight_files::write_private;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use crate::config::Tls;
use crate::error::ServerError;

/// Names and addresses that the certificate is for, besides the one listened on.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What encrypts connections, and the certificate that clients have to trust.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) certificate: PathBuf,
}

/// Prepares TLS as configured; `None` for plain HTTP.
pub(crate) fn prepare(
    tls: &Tls,
    store: &Path,
    address: IpAddr,
) -> Result<Option<Identity>, ServerError> {
    let (certificate, key) = match tls {
        Tls::Off => return Ok(None),
        Tls::Files { certificate, key } => (certificate.clone(), key.clone()),
        Tls::SelfSigned => self_signed(&store.join("tls"), address)?,
    };
    let acceptor = acceptor(&certificate, &key)?;
    Ok(Some(Identity {
        acceptor,
        certificate,
    }))
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ServerError> {
    let bad = |detail: String| ServerError::Certificate {
        path: certificate.to_owned(),
        detail,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| bad(e.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(e.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| bad(e.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The pair of files in the store, made when it is not there.
fn self_signed(dir: &Path, address: IpAddr) -> Result<(PathBuf, PathBuf), ServerError> {
    let (certificate, key) = (dir.join("server-cert.pem"), dir.join("server-key.pem"));
    if certificate.is_file() && key.is_file() {
        return Ok((certificate, key));
    }
    let made = make(address).map_err(|e| ServerError::Certificate {
        path: certificate.clone(),
        detail: e.to_string(),
    })?;
    // The key first: a certificate is there only together with its key.
    for (path, text) in [(&key, made.1), (&certificate, made.0)] {
        write_private(path, text.as_bytes(), None).map_err(|e| ServerError::File {
            action: e.action,
            path: e.path,
            source: e.source,
        })?;
    }
    Ok((certificate, key))
}

/// A certificate and its key in PEM form, valid for a long time: clients pin the file.
fn make(address: IpAddr) -> Result<(String, String), rcgen::Error> {
    let mut names: Vec<String> = LOCAL_NAMES.iter().map(ToString::to_string).collect();
    let address = address.to_string();
    if !names.contains(&address) {
        names.push(address);
    }
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Straylight local server");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let address = IpAddr::from([192, 0, 2, 1]);
        let first = prepare(&Tls::SelfSigned, dir.path(), address)
            .unwrap()
            .unwrap();
        let text = fs::read(&first.certificate).unwrap();
        prepare(&Tls::SelfSigned, dir.path(), address).unwrap();
        assert_eq!(fs::read(&first.certificate).unwrap(), text);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let key = first.certificate.with_file_name("server-key.pem");
            assert_eq!(
                fs::metadata(key).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn files_that_are_no_pair_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cert.pem");
        fs::write(&path, "nothing").unwrap();
        let tls = Tls::Files {
            certificate: path.clone(),
            key: path.clone(),
        };
        let error = prepare(&tls, dir.path(), IpAddr::from([127, 0, 0, 1]))
            .err()
            .unwrap();
        assert!(error.to_string().contains("cert.pem"), "{error}");
    }
}
