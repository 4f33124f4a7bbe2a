use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use straylight_store::Store;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::app::App;
use crate::config::{Limits, ServerConfig, Tls};
use crate::error::ServerError;
use crate::linger::Lingering;
use crate::predictor::PredictorLoader;
use crate::tls::{self, Identity};
use crate::{api, router, web};

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
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        api::remove_abandoned(store.root());
        let app = Arc::new(App::new(store, config, loader)?);
        let stop = Stop(watch::Sender::new(false));
        Ok(Self {
            app,
            listener,
            address,
            identity,
            stop,
        })
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
            router: router::build(&self.app),
            acceptor: self.identity.map(|i| i.acceptor),
            limits: self.app.config.limits.clone(),
            open: Arc::new(Semaphore::new(self.app.config.limits.connections)),
        };
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
        self.app.jobs.stop();
        Ok(())
    }
}

/// What a new connection needs.
struct Connections {
    router: Router,
    acceptor: Option<TlsAcceptor>,
    limits: Limits,
    open: Arc<Semaphore>,
}

impl Connections {
    async fn accept(&self, listener: &tokio::net::TcpListener, graceful: &GracefulShutdown) {
        loop {
            let Ok(permit) = self.open.clone().acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or the peer is gone: others may end meanwhile.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            };
            let connection = self.connection(stream, peer, graceful.watcher());
            tokio::spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (router, limits) = (self.router.clone(), self.limits.clone());
        let acceptor = self.acceptor.clone();
        async move {
            // Small answers shall not wait for more to say.
            let _ = stream.set_nodelay(true);
            let Some(acceptor) = acceptor else {
                return talk(stream, router, peer, &limits, watcher).await;
            };
            match tokio::time::timeout(limits.head_timeout, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => talk(stream, router, peer, &limits, watcher).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS was agreed on"),
                Err(_) => tracing::debug!(%peer, "TLS took too long"),
            }
        }
    }
}

/// Answers the requests of one connection.
async fn talk<S>(
    stream: S,
    router: Router,
    peer: SocketAddr,
    limits: &Limits,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(|body| Body::new(Lingering::new(body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(web::respond(router.oneshot(request).await)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
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
