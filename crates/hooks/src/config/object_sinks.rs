use std::fmt;

use serde::{Deserialize, Serialize};

/// Settings of an `S3Collection`; its `Debug` shows no secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// Name of the bucket.
    pub bucket: String,
    /// Put before every key; ends with `/` to be a folder.
    #[serde(default)]
    pub prefix: String,
    /// Region of the bucket.
    #[serde(default = "region")]
    pub region: String,
    /// Address of a server other than Amazon's; plain HTTP only if it begins with `http://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Identifier of the access key, or a reference to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Reference to the secret of the access key: `env:NAME` or `file:PATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// Reference to the token of a temporary session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// PEM file of the only certificates that may sign the server's; the public ones if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Seconds that one request may take.
    #[serde(default = "thirty")]
    pub timeout_seconds: f64,
}

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Config({}, {})", self.bucket, self.prefix)
    }
}

/// Settings of an `MqttPublish`; its `Debug` shows no secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttConfig {
    /// Host of the broker.
    pub host: String,
    /// Port of the broker.
    #[serde(default = "port")]
    pub port: u16,
    /// Whether the connection is encrypted; the port is then usually 8883.
    #[serde(default)]
    pub tls: bool,
    /// PEM file of the only certificates that may sign the broker's; the public ones if absent.
    /// Needs `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Topic to publish to.
    pub topic: String,
    /// User name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Reference to the password: `env:NAME` or `file:PATH`. Needs `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the message holds the prediction.
    #[serde(default)]
    pub include_prediction_data: bool,
    /// Whether the message holds the picture.
    #[serde(default)]
    pub include_picture: bool,
    /// Seconds until the broker must have confirmed.
    #[serde(default = "thirty")]
    pub timeout_seconds: f64,
}

impl fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MqttConfig({}:{}, {})", self.host, self.port, self.topic)
    }
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn port() -> u16 {
    1883
}

fn thirty() -> f64 {
    30.0
}
