use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use super::tls::{Connection, Identity, accept};

/// How a [`Receiver`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// A status with a `Retry-After` of so many seconds.
    After(u16, u64),
    /// A status with this address as `Location`.
    MovedTo(u16, SocketAddr),
    /// Reads the request and says nothing.
    Hang,
    /// Reads the request and closes the connection.
    Close,
}

impl Answer {
    /// Status line and the header that goes with it; `None` if there is no answer.
    fn head(self) -> Option<String> {
        match self {
            Self::Status(status) => Some(format!("{status} x\r\n")),
            Self::After(status, seconds) => {
                Some(format!("{status} x\r\nretry-after: {seconds}\r\n"))
            }
            Self::MovedTo(status, address) => Some(format!(
                "{status} x\r\nlocation: http://{address}/moved\r\n"
            )),
            Self::Hang | Self::Close => None,
        }
    }
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    #[cfg_attr(not(feature = "s3"), allow(dead_code, reason = "for buckets"))]
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// An HTTP server on loopback that keeps what it receives, one request a connection.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) fn start(answer: impl Fn(&Received) -> Answer + Send + 'static) -> Self {
        Self::with_identity(None, answer)
    }

    /// One that speaks HTTPS if it has an identity.
    pub(crate) fn with_identity(
        identity: Option<&Identity>,
        answer: impl Fn(&Received) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let tls = identity.map(Identity::config);
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let mut stream = accept(stream, tls.as_ref());
                let Some(received) = read_request(&mut stream) else {
                    continue;
                };
                let answer = answer(&received);
                kept.lock().unwrap().push(received);
                if let Some(head) = answer.head() {
                    let rest = "content-length: 0\r\netag: \"1\"\r\nconnection: close\r\n\r\n";
                    let _ = write!(stream, "HTTP/1.1 {head}{rest}").and_then(|()| stream.flush());
                } else if answer == Answer::Hang {
                    hanging.push(stream);
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut Box<dyn Connection>) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut received = Received {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = received
        .header("content-length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    received.body = vec![0; length];
    reader.read_exact(&mut received.body).ok()?;
    Some(received)
}
