//! An answer on its way out: its bytes, its log position, and the grants that must go back if it never arrives.

use bytes::Bytes;
use mainstay::Handle;
use mainstay_core::{Fence, Principal, RunId, TenantId};

use super::pieces::{Pieces, ReplyBody};

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: ReplyBody,
    pub(crate) content_type: &'static str,
    /// The name under which the answer is saved, when it is a file.
    pub(crate) filename: Option<String>,
    /// Whether something was written for the caller: lists read afterwards with the same key show it.
    pub(crate) acknowledges: bool,
    /// Whether the answer reflects less than the caller may expect.
    pub(crate) stale: bool,
    /// The log position that the answer reflects; the last durable one when the engine was not asked.
    pub(crate) sequence: Option<u64>,
    /// Leases that are only the caller's once this answer has left.
    pub(crate) grants: Option<Grants>,
}

impl Reply {
    pub(crate) fn json(body: Vec<u8>) -> Reply {
        Reply {
            status: 200,
            body: ReplyBody::Whole(Bytes::from(body)),
            content_type: "application/json",
            filename: None,
            acknowledges: true,
            stale: false,
            sequence: None,
            grants: None,
        }
    }

    /// A tar archive that arrives in pieces.
    pub(crate) fn archive(pieces: Pieces, filename: String) -> Reply {
        Reply {
            body: ReplyBody::Pieces(pieces),
            content_type: "application/x-tar",
            filename: Some(filename),
            ..Reply::json(Vec::new())
        }
    }

    /// Server-sent events.
    pub(crate) fn stream(body: ReplyBody) -> Reply {
        Reply {
            body,
            content_type: "text/event-stream",
            ..Reply::json(Vec::new())
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

    /// Nothing was written for the caller.
    pub(crate) fn unwritten(mut self) -> Reply {
        self.acknowledges = false;
        self
    }

    pub(crate) fn stale(mut self, stale: bool) -> Reply {
        self.stale = stale;
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
    grants: Vec<(TenantId, RunId, Fence)>,
}

impl Grants {
    pub(crate) fn new(
        handle: Handle,
        principal: Principal,
        grants: Vec<(TenantId, RunId, Fence)>,
    ) -> Grants {
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
        let grants = std::mem::take(&mut self.grants);
        if !grants.is_empty() {
            self.handle.release(self.principal.clone(), grants);
        }
    }
}
