//! A proxy on loopback that spoils some of the requests that go through it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// The connection closes before the request arrives.
    Reset,
    /// The request does not arrive; the answer is 503.
    Unavailable,
    /// The request arrives, the answer does not.
    AnswerLost,
    /// The request arrives twice, the second answer comes back.
    Doubled,
    /// The answer comes back in small pieces.
    Slow,
}

const FAULTS: [Fault; 5] = [
    Fault::Reset,
    Fault::Unavailable,
    Fault::AnswerLost,
    Fault::Doubled,
    Fault::Slow,
];

/// One request for each connection; it runs until the process ends.
pub(super) struct Proxy {
    address: SocketAddr,
    spoilt: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) fn start(server: SocketAddr, faults: f64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let spoilt = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&spoilt);
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let is_spoilt = random.f64() < faults;
                let fault = if is_spoilt {
                    FAULTS[random.usize(..FAULTS.len())]
                } else {
                    Fault::None
                };
                count.fetch_add(usize::from(is_spoilt), SeqCst);
                // A connection that breaks is what this is for: the result does not matter.
                std::thread::spawn(move || serve(&client, server, fault));
            }
        });
        Self { address, spoilt }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn spoilt(&self) -> usize {
        self.spoilt.load(SeqCst)
    }
}

fn serve(client: &TcpStream, server: SocketAddr, fault: Fault) -> Option<()> {
    if matches!(fault, Fault::Reset) {
        return client.shutdown(Shutdown::Both).ok();
    }
    let request = read_request(client)?;
    let answer = match fault {
        Fault::Unavailable => {
            b"HTTP/1.1 503 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
        }
        Fault::Doubled => {
            forward(server, &request)?;
            forward(server, &request)?
        }
        _ => forward(server, &request)?,
    };
    if matches!(fault, Fault::AnswerLost) {
        std::thread::sleep(Duration::from_millis(20));
        return client.shutdown(Shutdown::Both).ok();
    }
    let piece = if matches!(fault, Fault::Slow) {
        64
    } else {
        answer.len().max(1)
    };
    let mut writer = client;
    for part in answer.chunks(piece) {
        writer.write_all(part).ok()?;
        if matches!(fault, Fault::Slow) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    client.shutdown(Shutdown::Both).ok()
}

/// The whole request; the server is asked to close the connection after it.
fn read_request(client: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        let line = head[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            head.truncate(start);
            break;
        }
        if line.starts_with("connection:") {
            head.truncate(start);
        }
    }
    let mut request = format!("{head}connection: close\r\n\r\n").into_bytes();
    let start = request.len();
    request.resize(start + length, 0);
    reader.read_exact(&mut request[start..]).ok()?;
    Some(request)
}

fn forward(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut upstream = TcpStream::connect(server).ok()?;
    upstream.write_all(request).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    Some(answer)
}
