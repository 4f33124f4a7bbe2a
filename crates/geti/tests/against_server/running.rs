use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use straylight_geti::{
    Certificates, ClientOptions, Geti, ProxyChoice, RetryPolicy, Secret, ServerDetails,
};
use straylight_server::{SdkGeneration, Server, ServerConfig, Stop, create_token};
use straylight_store::Store;
use tempfile::TempDir;

/// A server of ours in its own thread.
pub struct Running {
    folder: TempDir,
    pub store: Arc<Store>,
    pub details: ServerDetails,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(generation: SdkGeneration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path().join("store")).unwrap());
        let token = create_token(&store, "test", None).unwrap();
        let config = ServerConfig::default()
            .listen_on("127.0.0.1:0".parse().unwrap())
            .for_sdk(generation);
        let server = Server::bind(Arc::clone(&store), config, None).unwrap();
        let details = ServerDetails {
            certificates: Certificates::SignedBy(server.certificate().unwrap().to_owned()),
            proxy: ProxyChoice::Direct,
            ..ServerDetails::new(server.url(), Secret::new(token.reveal()))
        };
        let stop = server.stop_handle();
        let thread = std::thread::spawn(move || server.run().unwrap());
        Self {
            folder,
            store,
            details,
            stop,
            thread: Some(thread),
        }
    }

    pub fn connect(&self) -> Geti {
        let options = ClientOptions {
            retry: RetryPolicy::never(),
            ..ClientOptions::default()
        };
        Geti::connect_with(&self.details, options).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
