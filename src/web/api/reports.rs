//! `/api/v1/reports`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};

use super::{Api, Problem};
use crate::service::report_feed::FeedError;

/// Entries in an answer.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 500;
/// Seconds that a reader can ask to be kept waiting.
const WAIT_MAX_S: u64 = 60;

/// What is asked of the feed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    after: Option<String>,
    limit: Option<usize>,
    wait_s: Option<u64>,
}

/// `GET /reports/feed?after=CURSOR&limit=100&wait=30`: what follows a cursor.
pub(super) async fn feed(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(uri.query().unwrap_or_default())?;
    let limit = asked.limit.unwrap_or(LIMIT);
    let wait = Duration::from_secs(asked.wait_s.unwrap_or_default());
    let fed = api.feed.read(asked.after.as_deref(), limit, wait).await;
    let fed = fed.map_err(|error| problem(&error))?;
    let text = serde_json::json!({ "items": fed.items, "next": fed.next });
    let mut response = Response::new(Body::from(format!("{text}\n")));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

impl Asked {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let again = match name.as_ref() {
                "after" => asked.after.replace(value.into_owned()).is_some(),
                "limit" => {
                    let limit = value.parse().ok();
                    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    let limit = limit.ok_or_else(|| wrong("limit is a number from 1 to 500"))?;
                    asked.limit.replace(limit).is_some()
                }
                "wait" => {
                    let wait = value.parse().ok().filter(|wait| *wait <= WAIT_MAX_S);
                    let wait = wait.ok_or_else(|| wrong("wait is a number of seconds up to 60"))?;
                    asked.wait_s.replace(wait).is_some()
                }
                _ => return Err(wrong("the parameters are after, limit and wait")),
            };
            if again {
                return Err(wrong("a parameter stands there twice"));
            }
        }
        Ok(asked)
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn problem(error: &FeedError) -> Problem {
    match error {
        FeedError::Cursor => wrong("after is no cursor: write what stood in next, or leave it out"),
        FeedError::Ahead => Problem::new(
            StatusCode::GONE,
            "the cursor is ahead of the queue: it is of another store, or this one was put back to \
             an earlier state; begin without after",
        ),
        FeedError::Crowded => Problem::unavailable(5, "too many read the feed at once"),
        FeedError::Store(error) => {
            tracing::warn!(%error, "the report feed could not be read");
            Problem::unavailable(5, "the store does not answer at the moment")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_checked() {
        let asked = Asked::read("after=AQ&limit=500&wait=60").unwrap();
        let expected = Asked {
            after: Some("AQ".to_owned()),
            limit: Some(500),
            wait_s: Some(60),
        };
        assert_eq!(asked, expected);
        assert_eq!(Asked::read("").unwrap(), Asked::default());
        for query in [
            "limit=0",
            "limit=501",
            "limit=x",
            "limit=",
            "wait=61",
            "wait=-1",
            "wait=1.5",
            "since=1",
            "wait=1&wait=1",
        ] {
            assert!(Asked::read(query).is_err(), "{query}");
        }
    }
}
