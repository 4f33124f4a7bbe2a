use std::fmt;
use std::time::{Duration, Instant};

use rumqttc::{
    Client, Connection, ConnectionError, Event as Notice, MqttOptions, Packet, QoS,
    RecvTimeoutError, Transport,
};

use super::event_json::event_json;
use super::{Action, ActionError, resolve_secret};
use crate::config::{ActionConfig, MqttConfig};
use crate::event::Event;

/// Room of a packet beside its payload.
const HEADER_BYTES: usize = 1 << 16;

/// Publishes each event to a topic with QoS 1 and waits until the broker has confirmed it.
///
/// Each event has a connection of its own: a broker that hangs or restarts costs one attempt.
/// QoS 1 may deliver twice; receivers tell a repetition by the event's `key`.
#[derive(Clone)]
pub struct MqttPublish {
    config: MqttConfig,
}

impl MqttPublish {
    /// Publishes as the settings say; contacts nobody yet.
    pub fn new(config: MqttConfig) -> Self {
        Self { config }
    }

    fn options(&self, event: &Event, payload_bytes: usize) -> Result<MqttOptions, ActionError> {
        let config = &self.config;
        let client = format!("straylight-{}", event.id);
        let mut options = MqttOptions::new(client, &config.host, config.port);
        let most = payload_bytes + HEADER_BYTES;
        options.set_max_packet_size(most, most);
        if config.tls {
            // Another part of the process may have chosen a provider before: that one serves.
            let _ = rustls::crypto::ring::default_provider().install_default();
            options.set_transport(Transport::tls_with_default_config());
        }
        if let Some(user) = &config.username {
            let password = config.password.as_deref().unwrap_or_default();
            options.set_credentials(user, resolve_secret("password", password)?);
        }
        Ok(options)
    }

    /// Lets the connection work until the broker has confirmed the message.
    fn wait(&self, connection: &mut Connection) -> Result<(), ActionError> {
        let limit = Duration::from_secs_f64(self.config.timeout_seconds.clamp(0.1, 3_600.0));
        let start = Instant::now();
        let mut is_sent = false;
        while let Some(left) = limit.checked_sub(start.elapsed()) {
            match connection.recv_timeout(left) {
                Ok(Ok(Notice::Incoming(Packet::PubAck(_)))) => return Ok(()),
                Ok(Ok(Notice::Outgoing(rumqttc::Outgoing::Publish(_)))) => is_sent = true,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(self.of_error(&error, is_sent)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let message = format!("{}: no confirmation in {limit:?}", self.sink());
        Err(if is_sent {
            ActionError::ambiguous(message)
        } else {
            ActionError::transient(message)
        })
    }

    fn of_error(&self, error: &ConnectionError, is_sent: bool) -> ActionError {
        let message = format!("{}: {error}", self.sink());
        if is_sent {
            ActionError::ambiguous(message)
        } else {
            ActionError::transient(message)
        }
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
        let config = &self.config;
        let json = event_json(
            event,
            config.include_prediction_data,
            config.include_picture,
        )?;
        let payload = serde_json::to_vec(&json).map_err(ActionError::permanent)?;
        let (client, mut connection) = Client::new(self.options(event, payload.len())?, 4);
        client
            .publish(&config.topic, QoS::AtLeastOnce, false, payload)
            .map_err(|_| ActionError::permanent(format!("`{}` is no topic", config.topic)))?;
        self.wait(&mut connection)
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
