//! A scripted HTTP server on loopback and a clock that never waits.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use straylight_geti::{
    ClientOptions, Clock, Geti, GetiError, ProxyChoice, RetryPolicy, Secret, ServerDetails,
};

/// The token that all tests use.
pub const TOKEN: &str = "geti_pat_secret";

/// One request as the server read it.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer: status, further headers, body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed without an answer.
    Hangup,
    /// A header, then single bytes for ever.
    Trickle,
    /// Nothing, until the client gives up.
    Silence,
}

impl Reply {
    pub fn json(value: Value) -> Self {
        Self::status(200, &value)
    }

    pub fn status(status: u16, value: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Full(status, headers, value.to_string().into_bytes())
    }

    pub fn empty(status: u16) -> Self {
        Self::Full(status, vec![], vec![])
    }

    pub fn bytes(content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::Full(
            200,
            vec![("content-type", content_type.to_owned())],
            bytes.into(),
        )
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Full(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

/// A server on loopback that answers as its handler says and remembers every request.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                // Ends when the client closes its connection.
                std::thread::spawn(move || serve(stream, &*handler, &log));
            }
        });
        Self {
            address,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    pub fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn details(&self) -> ServerDetails {
        ServerDetails {
            proxy: ProxyChoice::Direct,
            ..ServerDetails::new(self.host(), Secret::new(TOKEN))
        }
    }

    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    /// `METHOD path` of all requests so far; forgets them.
    pub fn take_calls(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests
            .iter()
            .map(|r| format!("{} {}", r.method, r.path))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Received>>) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    writer.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let reply = handler(&request);
        let head = request.method == "HEAD";
        log.lock().unwrap().push(request);
        if !write_reply(&mut writer, reply, head) {
            break;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    assert!(
        !headers.iter().any(|(name, _)| name == "transfer-encoding"),
        "chunked request"
    );
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        method,
        path,
        headers,
        body,
    })
}

/// Whether the connection stays open.
fn write_reply(writer: &mut TcpStream, reply: Reply, head: bool) -> bool {
    match reply {
        Reply::Full(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\n");
            for (name, value) in headers {
                text.extend([name, ": ", &value, "\r\n"]);
            }
            if status != 204 && !head {
                text.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
            }
            text.push_str("\r\n");
            let mut bytes = text.into_bytes();
            if status != 204 && !head {
                bytes.extend_from_slice(&body);
            }
            writer.write_all(&bytes).is_ok()
        }
        Reply::Raw(bytes) => {
            drop(writer.write_all(&bytes));
            drop(writer.shutdown(std::net::Shutdown::Both));
            false
        }
        Reply::Hangup => {
            drop(writer.shutdown(std::net::Shutdown::Both));
            false
        }
        Reply::Silence => {
            drop(writer.read(&mut [0]));
            false
        }
        Reply::Trickle => {
            let head = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n";
            drop(writer.write_all(head));
            // Until the client has had enough and closes.
            while writer.write_all(b" ").is_ok() {}
            false
        }
    }
}

/// A clock whose time passes only when somebody sleeps, or by a step at every look.
pub struct TestClock {
    now: AtomicU64,
    step: u64,
    sleeps: Mutex<Vec<Duration>>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Self::with_step(Duration::ZERO)
    }

    pub fn with_step(step: Duration) -> Arc<Self> {
        let step = u64::try_from(step.as_millis()).unwrap();
        Arc::new(Self {
            now: AtomicU64::new(0),
            step,
            sleeps: Mutex::default(),
        })
    }

    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.now.fetch_add(self.step, Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) {
        self.now.fetch_add(
            u64::try_from(duration.as_millis()).unwrap(),
            Ordering::SeqCst,
        );
        self.sleeps.lock().unwrap().push(duration);
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

pub fn options(clock: &Arc<TestClock>) -> ClientOptions {
    ClientOptions {
        retry: RetryPolicy::default(),
        patience: Duration::from_secs(60),
        threads: 2,
        media_a_page: 100,
        clock: Arc::<TestClock>::clone(clock),
    }
}

/// A session with a server, which must answer the first calls.
pub fn connect(server: &Server) -> (Geti, Arc<TestClock>) {
    let clock = TestClock::new();
    (try_connect(server, &clock).unwrap(), clock)
}

pub fn try_connect(server: &Server, clock: &Arc<TestClock>) -> Result<Geti, GetiError> {
    Geti::connect_with(&server.details(), options(clock))
}

/// The bytes of the smallest file that is taken for a PNG.
pub fn png(text: &str) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

pub fn jpeg(text: &str) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0".to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}
