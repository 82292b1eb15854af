//! The sums that tell whether what is read is what was written.
//! Owns: the running digest of live rows, and the checks of payloads and keys.
//! Never: repairs.

use mainstay_core::{ApprovalRow, KeyRow, LedgerRow};

use crate::seam::{check_bytes, first_word};

/// Count and wrapping sum of the checks of all live rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LiveSum {
    /// How many rows are live.
    pub(super) rows: u64,
    /// The sum of their checks.
    pub(super) sum: u64,
}

impl LiveSum {
    /// Adds a live row.
    pub(super) fn add(&mut self, check: u64) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(check);
    }

    /// Takes a live row away.
    pub(super) fn remove(&mut self, check: u64) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(check);
    }

    /// Follows a row from what stood there, live or not, to what stands there now.
    pub(super) fn change(&mut self, (was_live, old): (bool, u64), (is_live, new): (bool, u64)) {
        if was_live {
            self.remove(old);
        }
        if is_live {
            self.add(new);
        }
    }

    /// Adds what another part counted.
    pub(super) fn join(&mut self, part: LiveSum) {
        self.rows = self.rows.wrapping_add(part.rows);
        self.sum = self.sum.wrapping_add(part.sum);
    }
}

/// Kind bytes of checks besides those of `RowKind`.
const PAYLOAD: u8 = 3;
const KEY: u8 = 4;
const ENTRY: u8 = 8;
const APPROVAL: u8 = 9;

/// The check beside a payload: over its kind byte, its task's number and its bytes.
pub(super) fn payload_check(number: u64, bytes: &[u8]) -> u64 {
    check_bytes(PAYLOAD, number, bytes)
}

/// The check beside an idempotency key: over everything that stands in its row.
pub(super) fn key_check(row: &KeyRow) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[KEY, row.class as u8]);
    hasher.update(&row.tenant.0.to_le_bytes());
    hasher.update(&row.until.0.to_le_bytes());
    hasher.update(&row.task.map_or(0, |task| task.0).to_le_bytes());
    hasher.update(&(row.key.len() as u64).to_le_bytes());
    hasher.update(row.key.as_bytes());
    hasher.update(&row.image);
    first_word(&hasher)
}

/// The check beside an entry of a ledger: over everything that stands in its row.
pub(super) fn ledger_check(row: &LedgerRow) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[ENTRY, u8::from(row.actor.is_some())]);
    hasher.update(&row.sequence.to_le_bytes());
    hasher.update(&row.at.0.to_le_bytes());
    hasher.update(&row.tenant.0.to_le_bytes());
    hasher.update(&row.actor.map_or(0, |actor| actor.0).to_le_bytes());
    for part in [row.key.as_bytes(), row.by.as_bytes(), &row.payload] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    first_word(&hasher)
}

/// The check beside an approval: over everything that stands in its row.
pub(super) fn approval_check(row: &ApprovalRow) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[APPROVAL]);
    hasher.update(&row.tenant.0.to_le_bytes());
    hasher.update(&row.id.0.to_le_bytes());
    hasher.update(&row.approval.image());
    first_word(&hasher)
}
