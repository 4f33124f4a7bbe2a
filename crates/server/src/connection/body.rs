//! Bodies of requests: they have to move, and those that nobody wants are read on for a while.
//!
//! A connection that is closed while the client still sends is reset, and the client may lose
//! the answer that says why. So what is still coming is read and thrown away for a while.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

use super::admission::Seat;
use super::pace::{Pace, TooSlow};

/// Bytes that are thrown away at most.
const LIMIT_BYTES: usize = 16 << 20;
/// How long that may take at most.
const LIMIT_TIME: Duration = Duration::from_secs(5);

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It came too slowly.
    #[error(transparent)]
    Slow(#[from] TooSlow),
    /// The connection broke off or does not speak HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// The body of a request.
pub(crate) struct PacedBody {
    incoming: Option<Incoming>,
    seat: Arc<Seat>,
    pace: Option<Pace>,
}

impl PacedBody {
    pub(super) fn new(body: Incoming, seat: Arc<Seat>) -> Self {
        Self {
            incoming: Some(body),
            seat,
            pace: None,
        }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self {
            incoming: Some(body),
            seat,
            pace,
        } = &mut *self
        else {
            return Poll::Ready(None);
        };
        // Made when the first part is asked for: by then it is known who sends it.
        let pace = pace.get_or_insert_with(|| Pace::new(seat.patience(), seat.least_rate()));
        let Poll::Ready(frame) = Pin::new(body).poll_frame(context) else {
            seat.set_waiting(true);
            let slow = ready!(pace.poll_wait(context));
            // The rest is not waited for either.
            self.incoming = None;
            return Poll::Ready(Some(Err(slow.into())));
        };
        seat.set_waiting(false);
        if let Some(Ok(frame)) = &frame {
            pace.moved(frame.data_ref().map_or(0, Bytes::len), seat.patience());
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.incoming.as_ref();
        body.map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        let rest = self.incoming.take().filter(|body| !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LIMIT_TIME, throw_away(rest)));
        }
    }
}

async fn throw_away(mut body: Incoming) {
    let mut left = LIMIT_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
