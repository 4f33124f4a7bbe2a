//! The local server that the child fires into; it is never killed.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use straylight_core::TaskType;
use straylight_server::{Server, ServerConfig, Tls, create_token};
use straylight_store::{NewProject, Store};

pub(super) const PROJECT: &str = "soak";
pub(super) const DATASET: &str = "strays";

pub(super) struct LocalServer {
    pub(super) store: Arc<Store>,
    pub(super) address: SocketAddr,
    pub(super) token: String,
}

impl LocalServer {
    pub(super) fn start(folder: &Path) -> Self {
        let store = Arc::new(Store::open(folder).unwrap());
        let project = NewProject::single(PROJECT, TaskType::Classification, &["a", "b"]);
        store.create_project(&project).unwrap();
        let token = create_token(&store, "soak", None).unwrap();
        let config = ServerConfig::default()
            .listen_on(SocketAddr::from(([127, 0, 0, 1], 0)))
            .with_tls(Tls::Off);
        let server = Server::bind(Arc::clone(&store), config, None).unwrap();
        let address = server.address();
        std::thread::spawn(move || server.run().unwrap());
        Self {
            store,
            address,
            token: token.reveal().to_owned(),
        }
    }
}
