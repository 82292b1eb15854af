//! The audit trail: pages of it, all of it, and its verification.

use std::collections::VecDeque;

use crate::lists::Target;
use crate::retry::Repeat;
use crate::wire::{AuditEntry, AuditPage, AuditReport, EmptyBody};
use crate::{Client, Error};

/// Entries of one page of a walk.
const PAGE: u32 = 1000;

/// The entries of the trail one after another, to the end that it has when it is reached.
#[derive(Debug)]
pub struct AuditWalk {
    client: Client,
    after: u64,
    ready: VecDeque<AuditEntry>,
    is_over: bool,
}

impl Client {
    /// One page of the audit trail after an event, oldest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit(&self, after: u64, limit: Option<u32>) -> Result<AuditPage, Error> {
        let mut path = Target::new("/api/v1/audit");
        path.add("after", Some(&after.to_string()));
        let limit = limit.map(|limit| limit.to_string());
        path.add("limit", limit.as_deref());
        self.get(path.done()).await
    }

    /// Every entry of the audit trail after an event, page by page.
    #[must_use]
    pub fn audit_walk(&self, after: u64) -> AuditWalk {
        AuditWalk {
            client: self.clone(),
            after,
            ready: VecDeque::new(),
            is_over: false,
        }
    }

    /// Has the retained log and the trail verified.
    ///
    /// # Errors
    /// See [`Error`]; what does not hold is in the answer.
    pub async fn verify_audit(&self) -> Result<AuditReport, Error> {
        let path = "/api/v1/audit/verify".into();
        self.post(path, &EmptyBody {}, Repeat::Safe).await
    }
}

impl AuditWalk {
    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// See [`Error`]; after one that passes, the next call goes on where this one was.
    pub async fn next(&mut self) -> Result<Option<AuditEntry>, Error> {
        while self.ready.is_empty() && !self.is_over {
            let page = self.client.audit(self.after, Some(PAGE)).await?;
            self.is_over = page.entries.len() < PAGE as usize;
            self.after = page.next;
            self.ready.extend(page.entries);
        }
        Ok(self.ready.pop_front())
    }
}
