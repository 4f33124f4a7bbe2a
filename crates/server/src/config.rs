use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use straylight_image::DecodeLimits;

use crate::access_log::AccessLog;
use crate::network::Network;

/// How the server listens, what it allows, and how it describes itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How connections are encrypted.
    pub tls: Tls,
    /// Which generation of the Python SDK the answers are for.
    pub generation: SdkGeneration,
    /// What a request may cost.
    pub limits: Limits,
    /// How long open requests may take after the server was told to stop.
    pub stop_timeout: Duration,
    /// The programs that read videos.
    pub video: VideoTools,
    /// Names under which the server is reached, besides those of its certificate, of this machine
    /// and all addresses. Requests for other names are refused.
    pub host_names: Vec<String>,
    /// Who is told of every request that was answered.
    pub access_log: Option<AccessLog>,
}

/// The programs of `FFmpeg`; without them the server takes no videos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoTools {
    /// Makes pictures of frames; looked for in `PATH` when it is a bare name.
    pub ffmpeg: PathBuf,
    /// Reads sizes and lengths.
    pub ffprobe: PathBuf,
    /// How long either may take for one file.
    pub timeout: Duration,
}

impl Default for VideoTools {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            timeout: Duration::from_secs(60),
        }
    }
}

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// A certificate for `localhost`, `127.0.0.1` and `::1` (and the address listened on) that
    /// is made at the first start and kept in the store's directory.
    SelfSigned,
    /// The user's own files in PEM form.
    Files {
        /// The certificate and those above it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// Plain HTTP; only on a loopback address.
    Off,
}

/// Which Python SDK shall understand the answers; one server cannot speak to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SdkGeneration {
    /// SDK 2.13 and what follows the API of Geti 2.12 and later.
    #[default]
    Current,
    /// SDK 2.5, which knows Geti up to 2.11.
    Legacy,
}

impl SdkGeneration {
    /// The version that the server gives as its own: a full semantic version with a part
    /// after the hyphen, without which SDK 2.5 fails.
    pub fn version(self) -> &'static str {
        match self {
            Self::Current => "2.13.0-local-20260101000000",
            Self::Legacy => "2.11.0-local-20260101000000",
        }
    }
}

/// What a request may cost.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one uploaded image file.
    pub image_bytes: u64,
    /// Pixels of one uploaded image.
    pub image_pixels: u64,
    /// Bytes of one resumable upload.
    pub upload_bytes: u64,
    /// Bytes of a JSON body.
    pub json_bytes: usize,
    /// Bytes of all uploads and bodies that are in memory at the same time; what is still coming
    /// waits on the disk.
    pub memory_bytes: u64,
    /// Connections of callers with a token or a session that are open at the same time.
    pub connections: usize,
    /// Connections of all others. Beyond, the oldest of the address with most of them is closed.
    pub strangers: usize,
    /// Connections of all others that one address may have. Beyond, its oldest is closed.
    pub strangers_per_address: usize,
    /// Proxies that may say for whom they ask (`X-Forwarded-For`), and whose connections do not
    /// count as those of strangers.
    pub trusted_proxies: Vec<Network>,
    /// How long a connection may take to send the head of a request, or to agree on TLS; and how
    /// long a stranger may keep us waiting in all else.
    pub head_timeout: Duration,
    /// How long a known caller may pause, and how far it may fall behind the least rate.
    pub body_timeout: Duration,
    /// Bytes a second that must come or be taken.
    pub least_rate: u64,
    /// Failed logins of one address in a minute before it has to wait.
    pub failed_logins: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes: 64 << 20,
            image_pixels: DecodeLimits::default().max_pixels,
            upload_bytes: straylight_geti::wire::MAX_UPLOAD_BYTES,
            json_bytes: 16 << 20,
            memory_bytes: 128 << 20,
            connections: 512,
            strangers: 256,
            strangers_per_address: 64,
            trusted_proxies: Vec::new(),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            least_rate: 1024,
            failed_logins: 10,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443),
            tls: Tls::SelfSigned,
            generation: SdkGeneration::default(),
            limits: Limits::default(),
            stop_timeout: Duration::from_secs(10),
            video: VideoTools::default(),
            host_names: Vec::new(),
            access_log: None,
        }
    }
}

impl ServerConfig {
    /// The configuration with another address.
    #[must_use]
    pub fn listen_on(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The configuration with another source of the certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The configuration for another generation of the Python SDK.
    #[must_use]
    pub fn for_sdk(mut self, generation: SdkGeneration) -> Self {
        self.generation = generation;
        self
    }

    /// The configuration with other programs for videos.
    #[must_use]
    pub fn with_video_tools(mut self, tools: VideoTools) -> Self {
        self.video = tools;
        self
    }

    /// The configuration with further names of the server.
    #[must_use]
    pub fn with_host_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.host_names.extend(names);
        self
    }

    /// The configuration with somebody who is told of every request.
    #[must_use]
    pub fn with_access_log(mut self, log: AccessLog) -> Self {
        self.access_log = Some(log);
        self
    }

    /// The configuration with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
