//! The parts of a multipart body, whose heads are bounded.
//!
//! The parser reads the head of a part, and whatever stands before the first one, into memory
//! until it ends. So only so many bytes come while it looks for the next part.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use hyper::body::{Body as HttpBody, Frame};

use super::extract::too_large;
use super::{ApiError, ApiResult};
use crate::app::Shared;

/// Bytes that boundaries and heads of parts, and each part beside the file, may take.
pub(super) const AROUND: u64 = 64 << 10;

/// More came before a part began than may.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is longer than {AROUND} bytes")]
struct HeadTooLong;

/// A multipart body, part by part.
pub(super) struct Parts {
    multipart: Multipart,
    /// Bytes that may still come.
    left: Arc<AtomicUsize>,
}

/// The parts of a multipart body whose file has at most `limit` bytes.
pub(super) async fn parts(app: &Shared, request: Request, limit: u64) -> ApiResult<Parts> {
    let most = limit.saturating_add(AROUND);
    if content_length(&request).is_some_and(|length| length > most) {
        return Err(too_large(limit));
    }
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let limited = |body| LimitedBody {
        body,
        left: Arc::clone(&left),
        has_given: false,
    };
    let mut request = request.map(|body| Body::new(limited(body)));
    DefaultBodyLimit::max(most as usize).apply(&mut request);
    let multipart = Multipart::from_request(request, app).await;
    let multipart = multipart.map_err(|e| ApiError::bad(e.body_text()))?;
    Ok(Parts { multipart, left })
}

impl Parts {
    /// The next part; what is left of the one before counts as its head.
    pub(super) async fn next_field(&mut self) -> Result<Option<Field<'_>>, MultipartError> {
        self.left.store(AROUND as usize, Relaxed);
        let field = self.multipart.next_field().await;
        self.left.store(usize::MAX, Relaxed);
        field
    }
}

fn content_length(request: &Request) -> Option<u64> {
    let value = request.headers().get(axum::http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// A body of which only so many bytes come.
struct LimitedBody {
    body: Body,
    left: Arc<AtomicUsize>,
    /// The parser takes whatever is there: one piece at a time is enough.
    has_given: bool,
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if std::mem::take(&mut self.has_given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        self.has_given = true;
        let length = frame.data_ref().map_or(0, Bytes::len);
        let left = self.left.load(Relaxed).checked_sub(length);
        let Some(left) = left else {
            return Poll::Ready(Some(Err(HeadTooLong.into())));
        };
        self.left.store(left, Relaxed);
        Poll::Ready(Some(Ok(frame)))
    }
}

/// Whether an error says that the head of a part is too long.
pub(super) fn is_head_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<HeadTooLong>() {
            return true;
        }
        cause = error.source();
    }
    false
}
