use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, oneshot};

use crate::error::ServerError;
use crate::server::open_port;

/// Connections at a time; a further one is closed.
const CONNECTIONS: usize = 16;
/// The longest time that a connection may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Tells the metrics of a process without a server: `GET /metrics` over plain HTTP, without a token.
///
/// It listens until it is dropped.
#[derive(Debug)]
pub struct MetricsEndpoint {
    address: SocketAddr,
    /// Dropped to end it.
    _stop: oneshot::Sender<()>,
}

impl MetricsEndpoint {
    /// Listens on an address; `render` gives the text of each answer, in Prometheus' format.
    ///
    /// # Errors
    ///
    /// When the address is in use or is not this machine's.
    pub fn start(
        address: SocketAddr,
        render: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Self, ServerError> {
        let listen = |source| ServerError::Listen { address, source };
        let listener = open_port(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| ServerError::System(e.to_string()))?;
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("straylight-metrics".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, Arc::new(render)) => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(|e| ServerError::System(e.to_string()))?;
        Ok(Self {
            address,
            _stop: stop,
        })
    }

    /// The address that is listened on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept<R>(listener: TcpListener, render: Arc<R>)
where
    R: Fn() -> String + Send + Sync + 'static,
{
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the metrics cannot be served"),
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, or the peer is gone: others may end meanwhile.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let render = Arc::clone(&render);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &*render);
                async { Ok::<_, Infallible>(answer) }
            });
            let talk = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LONGEST, talk).await;
            drop(place);
        });
    }
}

fn answer<B>(request: &Request<B>, render: &impl Fn() -> String) -> Response<Body> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, render()),
        (&Method::GET | &Method::HEAD, _) => (
            StatusCode::NOT_FOUND,
            "The metrics are at /metrics.\n".to_owned(),
        ),
        _ => (
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET is answered.\n".to_owned(),
        ),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let format = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, format);
    response
}
