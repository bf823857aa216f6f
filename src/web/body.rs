//! A request's body, read whole within the listener's limits.

use std::error::Error;
use std::io;

use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;

use super::problem::Problem;

/// Reads a body of at most `max` bytes.
pub(super) async fn read<B>(body: B, max: usize) -> Result<Vec<u8>, Problem>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let announced = body.size_hint().lower();
    if announced > max as u64 {
        return Err(too_large());
    }
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) => Err(problem(error.as_ref())),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
}

fn problem(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner.is::<LengthLimitError>() {
            return too_large();
        }
        let timed_out = inner
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if timed_out {
            return Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
        }
        cause = inner.source();
    }
    Problem::new(StatusCode::BAD_REQUEST, "the body cannot be read")
}
