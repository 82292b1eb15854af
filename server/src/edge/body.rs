//! Reads request bodies within bounds: of bytes, of time, and of what all requests together may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::failure::Failure;
use crate::config::Config;

/// What is read and thrown away of a body that was refused, so that its sender gets to read the answer.
const DISCARD_BYTES_MAX: usize = 16 << 20;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(5);

/// Bytes of request bodies held by all requests together.
#[derive(Debug, Default)]
pub(crate) struct BodyBudget {
    held: AtomicUsize,
}

impl BodyBudget {
    /// Bytes held at the moment.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// A body with its share of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct HeldBody {
    pub(crate) bytes: Bytes,
    held: usize,
    budget: Arc<BodyBudget>,
}

impl HeldBody {
    pub(crate) fn empty(budget: &Arc<BodyBudget>) -> HeldBody {
        HeldBody {
            bytes: Bytes::new(),
            held: 0,
            budget: Arc::clone(budget),
        }
    }

    fn grow(&mut self, bytes: usize, max: usize) -> Result<(), Failure> {
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        self.held += bytes;
        if before + bytes <= max {
            return Ok(());
        }
        Err(
            Failure::new("busy", "too many bytes of request bodies at once")
                .text("limit", "body_bytes")
                .closing(),
        )
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// Reads a body of at most `limit` bytes. What is refused is read on and thrown away, within bounds, before the answer.
pub(crate) async fn read(
    body: &mut Incoming,
    limit: usize,
    expects: bool,
    config: &Config,
    budget: &Arc<BodyBudget>,
) -> Result<HeldBody, Failure> {
    let too_large = || {
        Failure::new(
            "body_too_large",
            format!("the body is longer than {limit} bytes"),
        )
        .number("limit_bytes", limit as u64)
        .closing()
    };
    if body.size_hint().lower() > limit as u64 {
        if !expects {
            discard(body).await;
        }
        return Err(too_large());
    }
    let result = collect(body, limit, config, budget).await;
    if let Err(failure) = &result
        && failure
            .as_ref()
            .is_none_or(|failure| failure.code() == "busy")
    {
        discard(body).await;
    }
    result.map_err(|failure| failure.unwrap_or_else(too_large))
}

/// `Err(None)` stands for a body that is too long.
async fn collect(
    body: &mut Incoming,
    limit: usize,
    config: &Config,
    budget: &Arc<BodyBudget>,
) -> Result<HeldBody, Option<Failure>> {
    let started = Instant::now();
    let mut held = HeldBody::empty(budget);
    let mut rest = BytesMut::new();
    let mut received = 0usize;
    loop {
        let earned = Duration::from_secs_f64(received as f64 / config.body_rate_min.max(1) as f64);
        let until =
            (Instant::now() + config.body_pause_max).min(started + config.body_grace + earned);
        let frame = match timeout_at(until, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => {
                let failure = Failure::new(
                    "malformed_request",
                    "the body ended early or is not of its declared form",
                );
                return Err(Some(failure.closing()));
            }
            Err(_) => {
                let failure = Failure::new(
                    "request_timeout",
                    "the body came too slowly; nothing was applied",
                );
                return Err(Some(failure.text("applied", "not_applied").closing()));
            }
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received += data.len();
        if received > limit {
            return Err(None);
        }
        held.grow(data.len(), config.bodies_bytes_max)
            .map_err(Some)?;
        if held.bytes.is_empty() && rest.is_empty() {
            // Most bodies arrive in one piece, which is used as it is.
            held.bytes = data;
        } else {
            if rest.is_empty() {
                rest.reserve((received * 2).min(limit));
                rest.extend_from_slice(&held.bytes);
            }
            rest.extend_from_slice(&data);
        }
    }
    if !rest.is_empty() {
        held.bytes = rest.freeze();
    }
    Ok(held)
}

/// Reads on and throws away, within bounds; true when the body's end was reached.
pub(crate) async fn discard(body: &mut Incoming) -> bool {
    let drain = async {
        let mut thrown = 0usize;
        while thrown <= DISCARD_BYTES_MAX {
            match body.frame().await {
                None => return true,
                Some(Ok(frame)) => thrown += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) => return false,
            }
        }
        false
    };
    timeout(DISCARD_TIME_MAX, drain).await.unwrap_or(false)
}
