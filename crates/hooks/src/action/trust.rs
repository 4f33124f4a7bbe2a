//! Certificates of sinks: which are trusted, and what to say about those that are not.

use std::io;
use std::path::Path;

use rustls::{CertificateError, Error};
use ureq::tls::{Certificate, PemItem, parse_pem};

use super::ActionError;

/// Reads the certificates of a `ca_file` in PEM form.
///
/// A file that is not there or not right is no fault of the event: somebody may yet fix it.
pub(super) fn read(path: &Path) -> Result<Vec<Certificate<'static>>, ActionError> {
    let pem = straylight_files::read(path)
        .map_err(|error| ActionError::transient(format!("ca_file: {error}")))?;
    let wrong = |what: &str| {
        let path = path.display();
        ActionError::transient(format!(
            "ca_file {path} {what}: give certificates in PEM form"
        ))
    };
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| wrong("is damaged"))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong("holds no certificate"));
    }
    Ok(certificates)
}

/// What is wrong with a sink's certificate, if the error is about it.
///
/// Nothing was sent then: certificates are checked before the first byte of an event.
pub(super) fn complaint(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    if let Some(error) = inner.downcast_ref() {
        return complaint(error);
    }
    match inner.downcast_ref()? {
        Error::InvalidCertificate(reason) => Some(words(reason)),
        _ => None,
    }
}

fn words(reason: &CertificateError) -> String {
    let hint = match reason {
        // The signer is not known, or has the name of one that is.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ": give the file of its signer as `ca_file`"
        }
        _ => "",
    };
    format!("the certificate is refused ({reason}){hint}")
}
