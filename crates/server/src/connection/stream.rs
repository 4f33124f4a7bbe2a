//! A connection whose writes have to move.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::admission::Seat;
use super::pace::Pace;

/// Ends with an error when the client does not take what it asked for.
pub(super) struct PacedStream<S> {
    stream: S,
    seat: Arc<Seat>,
    pace: Pace,
}

impl<S> PacedStream<S> {
    pub(super) fn new(stream: S, seat: Arc<Seat>) -> Self {
        let pace = Pace::new(seat.patience(), seat.least_rate());
        Self { stream, seat, pace }
    }

    fn paced<T: Copy>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl FnOnce(T) -> usize,
    ) -> Poll<io::Result<T>> {
        self.seat.written();
        match written {
            Poll::Pending => self
                .pace
                .poll_wait(context)
                .map(|slow| Err(io::Error::new(ErrorKind::TimedOut, slow))),
            Poll::Ready(Ok(value)) => {
                self.pace.moved(bytes(value), self.seat.patience());
                Poll::Ready(Ok(value))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, written, |n| n)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.paced(context, written, |n| n)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.paced(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.paced(context, closed, |()| 0)
    }
}
