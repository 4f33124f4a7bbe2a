//! Publishing to an MQTT broker.
//!
//! The protocol is 3.1.1, which every broker speaks. A publisher that waits for each confirmation
//! needs five of its packets, see [`packet`]; a client library would bring a runtime of its own.

mod packet;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use self::packet::Answer;
use self::stream::Stream;
use super::event_json::event_json;
use super::{Action, ActionError, resolve_secret, trust};
use crate::config::{ActionConfig, MqttConfig};
use crate::event::Event;

/// Number of the only message of a session.
const NUMBER: u16 = 1;

/// Publishes each event to a topic with `QoS` 1 and waits until the broker has confirmed it.
///
/// Each event has a connection of its own: a broker that hangs or restarts costs one attempt.
/// `QoS` 1 may deliver twice; receivers tell a repetition by the event's `key`.
#[derive(Clone)]
pub struct MqttPublish {
    config: MqttConfig,
}

impl MqttPublish {
    /// Publishes as the settings say, or says what is wrong with them; contacts nobody yet.
    pub fn new(config: MqttConfig) -> Result<Self, ActionError> {
        let topic = &config.topic;
        if topic.is_empty() || topic.contains(['+', '#', '\0']) {
            let message = format!("`{topic}` is no topic: it is not empty and has no `+` or `#`");
            return Err(ActionError::permanent(message));
        }
        if config.ca_file.is_some() && !config.tls {
            let message = "`ca_file` is for encrypted connections: set `tls` to true";
            return Err(ActionError::permanent(message));
        }
        if config.password.is_some() && config.username.is_none() {
            return Err(ActionError::permanent("`password` needs a `username`"));
        }
        Ok(Self { config })
    }

    fn message(&self, event: &Event) -> Result<Vec<u8>, ActionError> {
        let topic = &self.config.topic;
        let (prediction, picture) = (
            self.config.include_prediction_data,
            self.config.include_picture,
        );
        let json = serde_json::to_vec(&event_json(event, prediction, picture)?);
        let json = json.map_err(ActionError::permanent)?;
        packet::publish(topic, NUMBER, &json).map_err(ActionError::permanent)
    }

    fn greeting(&self, event: &Event) -> Result<Vec<u8>, ActionError> {
        // At most 23 characters, which every broker takes (section 3.1.3.1); random ones, as a
        // second session of one name would end the first.
        let client = format!("straylight-{:012x}", event.id.0 & 0xffff_ffff_ffff);
        let Some(user) = &self.config.username else {
            return packet::connect(&client, None).map_err(ActionError::permanent);
        };
        let password = self.config.password.as_deref().unwrap_or_default();
        let password = resolve_secret("password", password)?;
        packet::connect(&client, Some((user, &password))).map_err(ActionError::permanent)
    }

    /// Opens a session; until it is open nothing of the event can have arrived.
    fn open(&self, greeting: &[u8]) -> Result<Box<dyn Stream>, ActionError> {
        let limit = Duration::from_secs_f64(self.config.timeout_seconds.clamp(0.1, 3_600.0));
        let failed = |error: io::Error| ActionError::transient(self.words(&error));
        let mut stream = stream::connect(&self.config, limit).map_err(failed)?;
        stream.write_all(greeting).map_err(failed)?;
        stream.flush().map_err(failed)?;
        loop {
            match packet::read(&mut stream).map_err(failed)? {
                Answer::Connection(0) => return Ok(stream),
                // A password or a right may be fixed while the event waits.
                Answer::Connection(code) => {
                    let message = format!("{}: {}", self.sink(), refusal(code));
                    return Err(ActionError::transient(message));
                }
                Answer::Arrived(_) | Answer::Other => {}
            }
        }
    }

    fn words(&self, error: &io::Error) -> String {
        if let Some(complaint) = trust::complaint(error) {
            return format!("{}: {complaint}", self.sink());
        }
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let seconds = self.config.timeout_seconds;
                format!("{}: no answer within {seconds} s", self.sink())
            }
            _ => format!("{}: {error}", self.sink()),
        }
    }
}

fn send(stream: &mut dyn Stream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message)?;
    stream.flush()?;
    loop {
        if packet::read(&mut &mut *stream)? == Answer::Arrived(NUMBER) {
            // The message is there: how the session ends no longer matters.
            let _ = stream.write_all(&packet::DISCONNECT);
            return Ok(());
        }
    }
}

/// Why a broker refuses a connection (section 3.2.2.3).
fn refusal(code: u8) -> &'static str {
    match code {
        1 => "the broker does not speak MQTT 3.1.1",
        2 => "the broker refuses the client's name",
        3 => "the broker is not available",
        4 => "the broker refuses user name or password",
        5 => "the broker does not allow the connection",
        _ => "the broker refuses the connection",
    }
}

impl Action for MqttPublish {
    fn name(&self) -> &'static str {
        "MqttPublish"
    }

    fn sink(&self) -> String {
        format!("MQTT broker {}:{}", self.config.host, self.config.port)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let message = self.message(event)?;
        let mut stream = self.open(&self.greeting(event)?)?;
        let sent = send(stream.as_mut(), &message);
        sent.map_err(|error| ActionError::ambiguous(self.words(&error)))
    }

    fn config(&self) -> Option<ActionConfig> {
        Some(ActionConfig::MqttPublish(self.config.clone()))
    }
}

impl fmt::Debug for MqttPublish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MqttPublish({}, {})", self.sink(), self.config.topic)
    }
}
