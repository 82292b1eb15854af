//! The order of runs and the index walks in that order.
//! Owns: the key of a run's list, the walks of its indexes.
//! Never: reads a row that an index covers.

use std::collections::VecDeque;

use mainstay_core::Text;
use rusqlite::{CachedStatement, Connection, Params};

use super::walk::Key;

macro_rules! walk {
    ($base:literal) => {
        concat!(
            "SELECT scheduled_at, number FROM run_row INDEXED BY ",
            $base,
            " AND (scheduled_at, number) > (?4, ?5) ORDER BY scheduled_at, number LIMIT ?3"
        )
    };
}

pub(super) const BY_STATE: &str = walk!("run_state WHERE tenant = ?1 AND state = ?2");
pub(super) const BY_PLACE: &str = walk!("run_place WHERE place = ?1 AND state = ?2");
pub(super) const BY_ERROR: &str = walk!("run_error WHERE tenant = ?1 AND error_code = ?2");
pub(super) const BY_WORKER: &str =
    walk!("run_worker WHERE tenant = ?1 AND worker = ?2 AND state IN (2, 3)");

/// Where a run stands in its list. Numbers stand for ids, which are minted in increasing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunKey {
    pub(super) scheduled_at: i64,
    pub(super) number: i64,
}

/// One index, walked in order.
#[derive(Clone, Debug)]
pub(super) enum RunSource {
    /// A tenant's runs in a state.
    State(i64, i64),
    /// A place's runs in a state.
    Place(u32, i64),
    /// A tenant's runs with this error.
    Error(i64, Text),
    /// A tenant's runs that this worker holds.
    Worker(i64, Text),
}

fn append(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
    into: &mut VecDeque<RunKey>,
) -> rusqlite::Result<()> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        into.push_back(RunKey {
            scheduled_at: row.get(0)?,
            number: row.get(1)?,
        });
    }
    Ok(())
}

impl Key for RunKey {
    type Source = RunSource;

    fn fetch(
        conn: &Connection,
        source: &RunSource,
        after: Option<&RunKey>,
        count: usize,
        into: &mut VecDeque<RunKey>,
    ) -> rusqlite::Result<()> {
        let (at, number) = after.map_or((i64::MIN, i64::MIN), |key| (key.scheduled_at, key.number));
        let count = count as i64;
        match source {
            RunSource::State(tenant, state) => {
                let mut walk = conn.prepare_cached(BY_STATE)?;
                append(&mut walk, (tenant, state, count, at, number), into)
            }
            RunSource::Place(place, state) => {
                let mut walk = conn.prepare_cached(BY_PLACE)?;
                append(&mut walk, (place, state, count, at, number), into)
            }
            RunSource::Error(tenant, code) => {
                let mut walk = conn.prepare_cached(BY_ERROR)?;
                append(&mut walk, (tenant, &**code, count, at, number), into)
            }
            RunSource::Worker(tenant, worker) => {
                let mut walk = conn.prepare_cached(BY_WORKER)?;
                append(&mut walk, (tenant, &**worker, count, at, number), into)
            }
        }
    }

    fn number(&self) -> Option<i64> {
        Some(self.number)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.scheduled_at.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<RunKey> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        Some(RunKey {
            scheduled_at: i64::from_le_bytes(bytes[..8].try_into().ok()?),
            number: i64::from_le_bytes(bytes[8..].try_into().ok()?),
        })
    }
}
