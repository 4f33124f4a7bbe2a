//! What the tests of this crate share.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};

use straylight_core::{
    Annotation, Color, ContentHash, Frame, Prediction, RgbImage, ScoredLabel, Shape, Timestamp,
};

use crate::event::{Event, EventId, KeyPolicy, Picture};

/// 2024-08-20 17:22:42.537 UTC.
pub(crate) const NOON: i64 = 1_724_174_562_537;

pub(crate) fn time(millis_after_noon: i64) -> Timestamp {
    Timestamp::from_millisecond(NOON + millis_after_noon).unwrap()
}

/// A picture that differs with the name, as small as a Geti server takes it.
pub(crate) fn frame(name: &str) -> Frame {
    let hash = ContentHash::of(name.as_bytes()).0;
    let image = RgbImage::new(32, 32, hash[..24].repeat(128)).unwrap();
    Frame::new(image, name, time(0))
}

pub(crate) fn scored(name: &str, probability: f32) -> ScoredLabel {
    ScoredLabel {
        id: name.to_owned(),
        name: name.to_owned(),
        color: Color::BLACK,
        probability,
    }
}

pub(crate) fn object(labels: &[(&str, f32)]) -> Annotation {
    let shape = Shape::Rectangle {
        x: 0.0,
        y: 0.0,
        width: 1.0,
        height: 1.0,
    };
    let labels = labels
        .iter()
        .map(|(name, probability)| scored(name, *probability))
        .collect();
    Annotation { shape, labels }
}

pub(crate) fn prediction(labels: &[(&str, f32)]) -> Prediction {
    let shape = Shape::whole_image(32, 32);
    let labels = labels
        .iter()
        .map(|(name, probability)| scored(name, *probability))
        .collect();
    Prediction {
        annotations: vec![Annotation { shape, labels }],
        ..Default::default()
    }
}

pub(crate) fn event_with(id: u128, name: &str) -> Event {
    Event {
        id: EventId(id),
        hook: Arc::from("hook"),
        name: Arc::from(name),
        captured_at: time(0),
        fired_at: time(0),
        trigger: Arc::from("OODTrigger"),
        score: 0.93,
        reason: Arc::from("OOD score 0.930 > 0.500"),
        picture: Picture::of_frame(&frame(name)),
        prediction: Arc::new(prediction(&[("dog", 0.9)])),
        key_policy: KeyPolicy::Event,
        key: OnceLock::new(),
    }
}

pub(crate) fn event_named(name: &str) -> Event {
    event_with(1 << 64, name)
}

/// How a [`Receiver`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// Reads the request and says nothing.
    Hang,
    /// Reads the request and closes the connection.
    Close,
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
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) fn start(answer: impl Fn(&Received) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(received) = read_request(&stream) else {
                    continue;
                };
                let answer = answer(&received);
                kept.lock().unwrap().push(received);
                match answer {
                    Answer::Status(status) => {
                        let head = "content-length: 0\r\netag: \"1\"\r\nconnection: close\r\n\r\n";
                        let _ = write!(&stream, "HTTP/1.1 {status} x\r\n{head}");
                    }
                    Answer::Hang => hanging.push(stream),
                    Answer::Close => {}
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

fn read_request(stream: &TcpStream) -> Option<Received> {
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
