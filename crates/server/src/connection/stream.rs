//! A connection whose writes have to move.
//!
//! The system would keep megabytes of answers for a client that asks again and again and reads
//! nothing: making and copying them takes the time of others. So it keeps little for strangers.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::admission::Seat;
use super::pace::Pace;

/// Bytes that the system keeps for a stranger that does not read them; Linux doubles the number.
const UNREAD: usize = 32 << 10;
/// The same for known callers, who may be far away; the system may have a lower limit.
const UNREAD_KNOWN: usize = 4 << 20;

/// Ends with an error when the client does not take what it asked for.
pub(super) struct PacedStream {
    stream: TcpStream,
    seat: Arc<Seat>,
    pace: Pace,
    is_widened: bool,
}

impl PacedStream {
    pub(super) fn new(stream: TcpStream, seat: Arc<Seat>) -> Self {
        let pace = Pace::new(seat.patience(), seat.least_rate());
        // A system that does not do so keeps what it wants.
        let _ = SockRef::from(&stream).set_send_buffer_size(UNREAD);
        Self {
            stream,
            seat,
            pace,
            is_widened: false,
        }
    }

    /// Lets the system keep more as soon as it is known who asks.
    fn widen(&mut self) {
        if !self.is_widened && self.seat.is_known() {
            let _ = SockRef::from(&self.stream).set_send_buffer_size(UNREAD_KNOWN);
            self.is_widened = true;
        }
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

impl AsyncRead for PacedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.widen();
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, written, |n| n)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.widen();
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
