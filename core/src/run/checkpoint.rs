//! Checkpoints: named memos inside a running attempt, there for every later one.
//! Owns: their limits and their idempotence.
//! Never: overwrites a memo with another value.

use super::finish::attempted;
use super::model::Row;
use crate::command::CheckpointPut;
use crate::event::CheckpointSaved;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Bytes, Text, limits};

/// Decides a checkpoint.
pub(crate) fn decide(tx: &mut Tx<'_>, put: &CheckpointPut) -> Result<Outcome, Rejection> {
    let (_, row) = attempted(tx, put.run, put.fence)?;
    fits(row, &put.name, &put.value)?;
    let past = row.past.as_deref();
    if past.is_some_and(|past| past.checkpoints.contains_key(&put.name)) {
        return Ok(Outcome::CheckpointSaved);
    }
    let (count, bytes) = past.map_or((0, 0), |past| {
        (past.checkpoints.len(), past.checkpoint_bytes)
    });
    room(count + 1, bytes + put.name.len() + put.value.len())?;
    tx.emit(CheckpointSaved {
        run: put.run,
        name: put.name.clone(),
        value: put.value.clone(),
    });
    Ok(Outcome::CheckpointSaved)
}

/// Whether this memo may stand beside those already there.
pub(crate) fn fits(row: &Row, name: &Text, value: &Bytes) -> Result<(), Rejection> {
    if name.is_empty() || name.len() > limits::CHECKPOINT_NAME_BYTES_MAX {
        return Err(Rejection::InvalidRequest {
            field: "name",
            message: "must have 1 to 255 bytes".into(),
        });
    }
    let known = row
        .past
        .as_ref()
        .and_then(|past| past.checkpoints.get(name));
    if known.is_some_and(|known| known != value) {
        return Err(Rejection::CheckpointConflict { name: name.clone() });
    }
    Ok(())
}

/// Whether a run may hold this many memos of this size.
pub(crate) fn room(count: usize, bytes: usize) -> Result<(), Rejection> {
    if count > limits::CHECKPOINTS_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "checkpoints",
            value: limits::CHECKPOINTS_MAX as u64,
        });
    }
    if bytes > limits::CHECKPOINT_BYTES_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "checkpoint_bytes",
            value: limits::CHECKPOINT_BYTES_MAX as u64,
        });
    }
    Ok(())
}
