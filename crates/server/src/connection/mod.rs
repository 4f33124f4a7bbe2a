//! Connections: taking them, encrypting them, and ending those that only hold a place.

mod admission;
mod body;
mod pace;
mod stream;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

pub(crate) use self::admission::{Admission, Seat};
pub(crate) use self::body::BodyError;

use self::body::PacedBody;
use self::stream::PacedStream;
use crate::app::Shared;
use crate::web;

/// Bytes of the head of a request, and of what is buffered of a body or an answer.
const BUFFER: usize = 16 << 10;

/// What a new connection needs.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) app: Shared,
    pub(crate) router: Router,
    pub(crate) acceptor: Option<TlsAcceptor>,
}

/// The place of a connection until it ends, in whatever way.
struct Place(Shared, Arc<Seat>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.admission.leave(&self.1);
    }
}

impl Connections {
    /// Takes connections for ever.
    pub(crate) async fn accept(&self, listener: &TcpListener, graceful: &GracefulShutdown) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or the peer is gone: others may end meanwhile.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(seat) = self.app.admission.admit(peer.ip()) else {
                tracing::debug!(%peer, "a connection is refused: all places are in use");
                continue;
            };
            let (this, watcher) = (self.clone(), graceful.watcher());
            let place = Place(Arc::clone(&self.app), seat);
            tokio::spawn(async move {
                let seat = &place.1;
                tokio::select! {
                    () = this.serve(stream, peer, seat, watcher) => {}
                    () = seat.closed() => tracing::debug!(%peer, "closed for the sake of others"),
                }
            });
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, seat: &Arc<Seat>, w: Watcher) {
        // Small answers shall not wait for more to say.
        let _ = stream.set_nodelay(true);
        let stream = PacedStream::new(stream, Arc::clone(seat));
        let Some(acceptor) = &self.acceptor else {
            return self.talk(stream, peer, seat, w).await;
        };
        let agreed = acceptor.accept_with(stream, |tls| tls.set_buffer_limit(Some(BUFFER)));
        match tokio::time::timeout(self.app.config.limits.head_timeout, agreed).await {
            Ok(Ok(stream)) => self.talk(stream, peer, seat, w).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS was agreed on"),
            Err(_) => tracing::debug!(%peer, "TLS took too long"),
        }
    }

    /// Answers the requests of one connection.
    async fn talk<S>(&self, stream: S, peer: SocketAddr, seat: &Arc<Seat>, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (router, seat) = (self.router.clone(), Arc::clone(seat));
            seat.asked();
            let body_seat = Arc::clone(&seat);
            let mut request = request.map(|body| Body::new(PacedBody::new(body, body_seat)));
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(Arc::clone(&seat));
            async move {
                let answer = web::respond(router.oneshot(request).await);
                seat.answered();
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.app.config.limits.head_timeout)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, %error, "a connection ended early");
        }
    }
}
