//! A proxy on loopback that spoils some of the requests that go through it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The connection closes before the request arrives.
    Reset,
    /// The request does not arrive; the answer is 503.
    Unavailable,
    /// The request arrives; the connection closes in the place of an answer.
    AnswerLost,
    /// The request arrives; the answer does not until the client has lost its patience.
    TimedOut,
    /// The request arrives twice, the second answer comes back.
    Doubled,
    /// Request and answer are read in small pieces.
    Slow,
}

const FAULTS: [Fault; 6] = [
    Fault::Reset,
    Fault::Unavailable,
    Fault::AnswerLost,
    Fault::TimedOut,
    Fault::Doubled,
    Fault::Slow,
];

/// Longest time for which a connection is held without an answer; clients give up before.
const HOLD: Duration = Duration::from_secs(10);

/// Bytes that a slow peer reads or writes at once, and its rest after them.
const SLOW: (usize, Duration) = (256, Duration::from_millis(1));

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
    if fault == Fault::Reset {
        return client.shutdown(Shutdown::Both).ok();
    }
    let request = read_request(client, fault == Fault::Slow)?;
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
    match fault {
        Fault::AnswerLost => {}
        Fault::TimedOut => wait_for_the_end(client),
        _ => answer_with(client, &answer, fault == Fault::Slow)?,
    }
    client.shutdown(Shutdown::Both).ok()
}

/// Returns when the client has closed the connection.
fn wait_for_the_end(mut client: &TcpStream) {
    let _ = client.set_read_timeout(Some(HOLD));
    let _ = client.read(&mut [0]);
}

fn answer_with(mut client: &TcpStream, answer: &[u8], is_slow: bool) -> Option<()> {
    let (piece, rest) = pace(answer.len(), is_slow);
    for part in answer.chunks(piece) {
        client.write_all(part).ok()?;
        std::thread::sleep(rest);
    }
    Some(())
}

fn pace(all: usize, is_slow: bool) -> (usize, Duration) {
    if is_slow {
        SLOW
    } else {
        (all.max(1), Duration::ZERO)
    }
}

/// The whole request; the server is asked to close the connection after it.
fn read_request(client: &TcpStream, is_slow: bool) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(client);
    let (head, length) = read_head(&mut reader)?;
    let mut request = format!("{head}connection: close\r\n\r\n").into_bytes();
    let start = request.len();
    request.resize(start + length, 0);
    let (piece, rest) = pace(length, is_slow);
    for part in request[start..].chunks_mut(piece) {
        reader.read_exact(part).ok()?;
        std::thread::sleep(rest);
    }
    Some(request)
}

/// Request line and headers without `Connection`, and the length of the body.
fn read_head(reader: &mut impl BufRead) -> Option<(String, usize)> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        let line = head[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() || line.starts_with("connection:") {
            head.truncate(start);
        }
        if line.is_empty() {
            return Some((head, length));
        }
    }
}

fn forward(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut upstream = TcpStream::connect(server).ok()?;
    upstream.write_all(request).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    Some(answer)
}
