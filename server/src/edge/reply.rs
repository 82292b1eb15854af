//! An answer on its way out: its bytes, its log position, and the grants that must go back if it never arrives.

use bytes::Bytes;
use http_body_util::Full;
use mainstay::Handle;
use mainstay_core::{Fence, Principal, RunId};

/// The body type of every response: one buffer of known length.
pub(crate) type ReplyBody = Full<Bytes>;

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) content_type: &'static str,
    /// The log position that the answer reflects; the last durable one when the engine was not asked.
    pub(crate) sequence: Option<u64>,
    /// Leases that are only the caller's once this answer has left.
    pub(crate) grants: Option<Grants>,
}

impl Reply {
    pub(crate) fn json(body: Vec<u8>) -> Reply {
        Reply {
            status: 200,
            body: Bytes::from(body),
            content_type: "application/json",
            sequence: None,
            grants: None,
        }
    }

    pub(crate) fn text(body: String) -> Reply {
        Reply {
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            ..Reply::json(body.into_bytes())
        }
    }

    pub(crate) fn status(mut self, status: u16) -> Reply {
        self.status = status;
        self
    }

    pub(crate) fn at(mut self, sequence: u64) -> Reply {
        self.sequence = Some(sequence);
        self
    }

    pub(crate) fn with_grants(mut self, grants: Grants) -> Reply {
        self.grants = Some(grants);
        self
    }
}

/// Leases granted but not yet delivered: dropped before [`Grants::delivered`], they go back to the engine at once.
pub(crate) struct Grants {
    handle: Handle,
    principal: Principal,
    grants: Vec<(RunId, Fence)>,
}

impl Grants {
    pub(crate) fn new(handle: Handle, principal: Principal, grants: Vec<(RunId, Fence)>) -> Grants {
        Grants {
            handle,
            principal,
            grants,
        }
    }

    /// The answer was handed to the network whole.
    pub(crate) fn delivered(mut self) {
        self.grants.clear();
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grants")
            .field("count", &self.grants.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Grants {
    fn drop(&mut self) {
        if !self.grants.is_empty() {
            self.handle
                .release(self.principal.clone(), std::mem::take(&mut self.grants));
        }
    }
}
