use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::tls::{Connection, Identity, accept};

/// An MQTT broker on loopback that confirms what it is told.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) port: u16,
    heard: Arc<Mutex<Heard>>,
}

/// What came through to a [`Broker`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// The greetings of clients, with user names and passwords.
    pub(crate) greetings: Vec<Vec<u8>>,
    /// The keys of the events.
    pub(crate) keys: BTreeSet<String>,
}

impl Broker {
    /// Starts one that encrypts if it has an identity.
    pub(crate) fn start(identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let broker = Self {
            port: listener.local_addr().unwrap().port(),
            heard: Arc::default(),
        };
        let tls = identity.map(Identity::config);
        let serving = broker.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serving.serve(&mut accept(stream, tls.as_ref()));
            }
        });
        broker
    }

    /// What has come through until now.
    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    /// Until the client goes or says what is no MQTT.
    fn serve(&self, stream: &mut Box<dyn Connection>) {
        while let Some((kind, body)) = read_packet(stream) {
            let answer = match kind {
                1 => self.greeted(body),
                3 => self.told(&body),
                _ => continue,
            };
            if stream
                .write_all(&answer)
                .and_then(|()| stream.flush())
                .is_err()
            {
                return;
            }
        }
    }

    fn greeted(&self, greeting: Vec<u8>) -> [u8; 4] {
        self.heard.lock().unwrap().greetings.push(greeting);
        [0x20, 2, 0, 0]
    }

    fn told(&self, body: &[u8]) -> [u8; 4] {
        let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let json: serde_json::Value = serde_json::from_slice(&body[4 + topic..]).unwrap();
        let key = json["key"].as_str().unwrap().to_owned();
        self.heard.lock().unwrap().keys.insert(key);
        [0x40, 2, body[2 + topic], body[3 + topic]]
    }
}

/// Type and content of an MQTT 3.1.1 control packet (section 2.2).
fn read_packet(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let kind = byte[0] >> 4;
    let (mut length, mut shift) = (0usize, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((kind, body))
}
