use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Socket, Type};
use straylight_store::Store;
use tokio::sync::watch;

use crate::app::App;
use crate::auth::note_address;
use crate::config::{ServerConfig, Tls};
use crate::connection::Connections;
use crate::error::ServerError;
use crate::hosts::HostNames;
use crate::predictor::PredictorLoader;
use crate::tls::{self, Identity};
use crate::{api, router};

/// A server that listens and waits to be run.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    identity: Option<Identity>,
    stop: Stop,
}

/// Stops a running server; may be cloned and used from any thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Lets the server answer what it has begun and end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Opens the port and prepares TLS; requests wait until [`Server::run`].
    ///
    /// Without a `loader` deployments are kept and handed out, but nothing is predicted.
    ///
    /// # Errors
    ///
    /// The address is in use, the certificate cannot be used, or plain HTTP was asked for on
    /// an address that is not loopback.
    pub fn bind(
        store: Arc<Store>,
        config: ServerConfig,
        loader: Option<Arc<dyn PredictorLoader>>,
    ) -> Result<Self, ServerError> {
        let address = config.listen;
        if config.tls == Tls::Off && !address.ip().is_loopback() {
            return Err(ServerError::PlainHttp { address });
        }
        let identity = tls::prepare(&config.tls, store.root(), address.ip())?;
        let listen = |source| ServerError::Listen { address, source };
        let listener = open_port(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let certificate = identity.as_ref().map(|i| i.certificate.as_path());
        let hosts = HostNames::new(&config.host_names, certificate);
        let app = Arc::new(App::new(store, config, loader, hosts)?);
        let stop = Stop(watch::Sender::new(false));
        let server = Self {
            app,
            listener,
            address,
            identity,
            stop,
        };
        note_address(&server.app.store, &server.url())?;
        Ok(server)
    }

    /// The address that is listened on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser or the SDK finds the server.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() {
            "https"
        } else {
            "http"
        };
        if self.address.ip().is_loopback() {
            format!("{scheme}://localhost:{}", self.address.port())
        } else {
            format!("{scheme}://{}", self.address)
        }
    }

    /// The page with a code that logs one browser in, once.
    pub fn login_url(&self) -> String {
        let code = self.app.sessions.code().unwrap_or_default();
        format!("{}/login#{code}", self.url())
    }

    /// The certificate that clients have to trust, unless plain HTTP is spoken.
    pub fn certificate(&self) -> Option<&Path> {
        self.identity.as_ref().map(|i| i.certificate.as_path())
    }

    /// What stops the server.
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Serves until it is stopped by [`Stop`], Ctrl-C or a termination signal.
    pub fn run(self) -> Result<(), ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("straylight-server")
            .build()
            .map_err(|e| ServerError::System(e.to_string()))?;
        let timeout = self.app.config.stop_timeout;
        let result = runtime.block_on(self.serve());
        runtime.shutdown_timeout(timeout);
        result
    }

    async fn serve(self) -> Result<(), ServerError> {
        let address = self.address;
        let listener = tokio::net::TcpListener::from_std(self.listener)
            .map_err(|source| ServerError::Listen { address, source })?;
        let connections = Connections {
            app: Arc::clone(&self.app),
            router: router::build(&self.app),
            acceptor: self.identity.map(|i| i.acceptor),
        };
        let sweeping = tokio::spawn(sweep(Arc::clone(&self.app)));
        let graceful = GracefulShutdown::new();
        let mut stopped = self.stop.0.subscribe();
        let signal = std::pin::pin!(signal());
        let ended = async {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = signal => {}
            }
        };
        tokio::select! {
            () = connections.accept(&listener, &graceful) => {}
            () = ended => {}
        }
        drop(listener);
        tracing::info!("stopping: no new connections are taken");
        if tokio::time::timeout(self.app.config.stop_timeout, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests took too long and were cut off");
        }
        sweeping.abort();
        self.app.jobs.stop();
        Ok(())
    }
}

/// How often uploads are looked for that were given up.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Removes what was given up, at the start and now and then.
async fn sweep(app: Arc<App>) {
    let mut moments = tokio::time::interval(SWEEP);
    loop {
        moments.tick().await;
        let swept = app.run(|app| {
            api::remove_abandoned(app.store.root());
            Ok(())
        });
        // Whatever stays is looked at an hour later.
        let _ = swept.await;
    }
}

/// Connections that the system keeps for us until they are taken.
const BACKLOG: i32 = 1024;

pub(crate) fn open_port(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A server that is started again need not wait for the connections of the last one to fade.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Completes at Ctrl-C or at a termination signal.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await;
}
