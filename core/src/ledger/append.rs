//! Appending to a ledger.
//! Owns: the decision and its limits.
//! Never: changes or removes an entry.

use alloc::vec::Vec;

use crate::event::LedgerAppended;
use crate::image::KeyClass;
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{ActorId, Bytes, Text, task};

/// An entry to append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendLedger {
    /// Which ledger, `[a-z0-9._-]{1,128}`: `audit`, `decision`, `relationship`, `incident` or any other. It begins with its first entry.
    pub key: Text,
    /// What the entry says (JSON text), at most [`limits::PAYLOAD_BYTES_MAX`].
    pub payload: Bytes,
    /// The actor it is of.
    pub actor: Option<ActorId>,
    /// Appending again with this key finds the first entry.
    pub idempotency_key: Option<Text>,
}

/// Decides an entry.
pub(crate) fn decide(tx: &mut Tx<'_>, append: &AppendLedger) -> Result<Outcome, Rejection> {
    limits::check_name("ledger_key", &append.key)?;
    if append.payload.len() > limits::PAYLOAD_BYTES_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "payload_bytes",
            value: limits::PAYLOAD_BYTES_MAX as u64,
        });
    }
    let mut digest = 0;
    if let Some(key) = &append.idempotency_key {
        task::check_key(Some(key)).map_err(|message| Rejection::InvalidRequest {
            field: "idempotency_key",
            message,
        })?;
        digest = digest_of(append);
        if let Some(held) = tx.find_key(KeyClass::Ledger, key) {
            return match held.entry {
                Some(sequence) if held.digest == digest => Ok(Outcome::LedgerAppended {
                    sequence,
                    created: false,
                }),
                _ => Err(Rejection::IdempotencyConflict { key: key.clone() }),
            };
        }
    }
    tx.emit(LedgerAppended {
        ledger_key: append.key.clone(),
        payload: append.payload.clone(),
        actor: append.actor,
        by: tx.principal.name.clone(),
        idempotency_key: append.idempotency_key.clone(),
        digest,
    });
    Ok(Outcome::LedgerAppended {
        sequence: tx.state().sequence,
        created: true,
    })
}

/// What a request comes to, without its key.
fn digest_of(append: &AppendLedger) -> u128 {
    let mut text = Vec::with_capacity(append.payload.len() + 64);
    for part in [append.key.as_bytes(), &append.payload] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part);
    }
    text.extend_from_slice(&append.actor.map_or(0, |actor| actor.0).to_le_bytes());
    task::short_digest(&text)
}
