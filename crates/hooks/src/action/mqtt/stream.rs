use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::action::trust;
use crate::config::MqttConfig;

/// A connection to a broker, encrypted or not.
pub(super) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// Connects within a time; every later read and write fails when that time is over.
pub(super) fn connect(config: &MqttConfig, limit: Duration) -> io::Result<Box<dyn Stream>> {
    let end = Instant::now() + limit;
    let tcp = Timed {
        stream: reach(config, end)?,
        end,
    };
    if !config.tls {
        return Ok(Box::new(tcp));
    }
    let name = ServerName::try_from(config.host.clone()).map_err(io::Error::other)?;
    let tls = ClientConnection::new(Arc::new(tls_config(config)?), name);
    let mut stream = StreamOwned::new(tls.map_err(io::Error::other)?, tcp);
    // Trouble with certificates shows before anything is sent.
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(Box::new(stream))
}

/// Tries each address of the host, all of them within the time.
fn reach(config: &MqttConfig, end: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (config.host.as_str(), config.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn tls_config(config: &MqttConfig) -> io::Result<ClientConfig> {
    let roots = match &config.ca_file {
        Some(path) => roots_of(Path::new(path))?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn roots_of(path: &Path) -> io::Result<RootCertStore> {
    let wrong = |error| io::Error::other(format!("ca_file {}: {error}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in trust::read(path).map_err(io::Error::other)? {
        let certificate = CertificateDer::from(certificate.der().to_vec());
        roots.add(certificate).map_err(wrong)?;
    }
    Ok(roots)
}

/// What is left of the time, or that it is over.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the time is over"));
    }
    Ok(left)
}

/// A connection whose reads and writes all end by one time.
struct Timed {
    stream: TcpStream,
    end: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.end)?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.end)?))?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
