use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use straylight_core::Timestamp;
use straylight_geti::{ProxyChoice, Secret, ServerDetails};
use straylight_server::{Server, ServerConfig, Stop, Tls, create_token};
use straylight_store::Store;

use super::PlatformError;

/// A token that a crash leaves behind is of no use for longer than this.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Our own server on loopback for one client, this process.
#[derive(Debug)]
pub(super) struct LocalServer {
    store: Arc<Store>,
    token: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl LocalServer {
    /// Serves a store and says how to log in.
    pub(super) fn start(folder: &Path) -> Result<(Self, ServerDetails), PlatformError> {
        let store = Arc::new(Store::open(folder)?);
        let mut config =
            ServerConfig::default().listen_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        config.tls = Tls::Off;
        config.stop_timeout = Duration::from_secs(1);
        let server = Server::bind(Arc::clone(&store), config, None)?;
        let stop = server.stop_handle();
        let details = ServerDetails {
            // By number: a name may lead to another protocol's loopback, where nobody listens.
            host: format!("http://{}", server.address()),
            proxy: ProxyChoice::Direct,
            ..ServerDetails::new("", Secret::new(""))
        };
        let thread = std::thread::Builder::new()
            .name("local-store".to_owned())
            .spawn(move || {
                if let Err(error) = server.run() {
                    tracing::error!(%error, "the local store's server ended");
                }
            })
            .map_err(PlatformError::Thread)?;
        let mut local = Self {
            store,
            token: String::new(),
            stop,
            thread: Some(thread),
        };
        let ends = Timestamp::now().checked_add(TOKEN_LIFE).ok();
        let token = create_token(&local.store, "this program", ends)?;
        local.token.clone_from(&token.record.id);
        let token = Secret::new(token.reveal());
        Ok((local, ServerDetails { token, ..details }))
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        if let Err(error) = self.store.revoke_token(&self.token) {
            tracing::warn!(%error, "a token was left behind; it ends by itself within a day");
        }
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // It logs its own failure.
            let _ = thread.join();
        }
    }
}
