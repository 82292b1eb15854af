//! What one commit left in memory.
//! Owns: its tables and the indexes over them.
//! Never: knows which commits are safe.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    ApprovalRow, Bytes, Cut, KeyClass, KeyRow, LedgerRow, ObjectClass, ObjectRow, PlaceRow,
    RowKind, RunColumns, RunId, RunState, TaskColumns, TaskId, TenantId, Text, brief_run,
    limits::RUNS_SHOWN_MAX,
};

use super::damaged;
use crate::seam::{Base, Found, StoreError, check_of, object_check};
use crate::trail::{Chained, Extent, Trail, chain_entry};

type KeyScope = (TenantId, KeyClass, Text);
type ObjectScope = (ObjectClass, TenantId, Text);

/// One stored row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: RowKind,
    pub(super) live: bool,
    pub(super) check: u64,
    pub(super) image: Vec<u8>,
}

/// What one commit left.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    pub(super) base: Base,
    pub(super) places: BTreeMap<u32, PlaceRow>,
    pub(super) rows: BTreeMap<u64, Row>,
    pub(super) tasks: BTreeMap<(TenantId, TaskId), u64>,
    pub(super) runs: BTreeMap<(TenantId, RunId), u64>,
    /// Runs by their task.
    pub(super) runs_of: BTreeSet<(u64, u64)>,
    pub(super) payloads: BTreeMap<u64, Bytes>,
    pub(super) keys: BTreeMap<KeyScope, KeyRow>,
    pub(super) objects: BTreeMap<ObjectScope, (ObjectRow, u64)>,
    pub(super) trail: Trail,
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) approvals: BTreeMap<u64, ApprovalRow>,
}

impl Shelf {
    pub(super) fn take(&mut self, cut: &Cut) -> Result<(), StoreError> {
        for row in &cut.rows {
            self.take_row(cut, row)?;
        }
        for place in &cut.places {
            self.places.insert(place.place, place.clone());
        }
        self.index(&cut.rows)?;
        for mark in &cut.marks {
            if let Some(row) = self.rows.get_mut(&mark.number) {
                row.image.extend_from_slice(&mark.tail);
                row.check = check_of(row.kind, mark.number, &row.image);
            }
        }
        self.payloads.extend(cut.payloads.iter().cloned());
        for key in &cut.keys {
            let scope = (key.tenant, key.class, key.key.clone());
            self.keys.insert(scope, key.clone());
        }
        for object in &cut.objects {
            self.take_object(object);
        }
        self.take_trail(cut);
        self.ledger.extend(cut.ledger.iter().cloned());
        let approvals = cut.approvals.iter();
        let numbered = approvals.map(|row| (row.approval.number, row.clone()));
        self.approvals.extend(numbered);
        self.base.sequence = cut.through;
        self.base.wall = cut.wall;
        self.base.meta.clone_from(&cut.meta);
        Ok(())
    }

    fn take_trail(&mut self, cut: &Cut) {
        let trail = &mut self.trail;
        if let Some(after) = cut.audit_after {
            trail.extent = Extent {
                after,
                ..Extent::default()
            };
        }
        for row in &cut.audit {
            let (row, hash) = (row.clone(), chain_entry(&trail.extent.head, row));
            trail.extent.head = hash;
            trail.rows.push(Chained { row, hash });
        }
        trail.checkpoint = cut.through;
    }

    pub(super) fn take_row(
        &mut self,
        cut: &Cut,
        row: &mainstay_core::CutRow,
    ) -> Result<(), StoreError> {
        let image = cut.image(row).to_vec();
        let check = check_of(row.kind, row.number, &image);
        let stored = Row {
            kind: row.kind,
            live: row.live,
            check,
            image,
        };
        let before = self.rows.insert(row.number, stored);
        if before.is_some() == row.fresh {
            return Err(damaged(format!(
                "row {}: fresh is {}",
                row.number, row.fresh
            )));
        }
        if let Some(before) = before.filter(|before| before.live) {
            self.base.live_rows -= 1;
            self.base.live_sum = self.base.live_sum.wrapping_sub(before.check);
        }
        if row.live {
            self.base.live_rows += 1;
            self.base.live_sum = self.base.live_sum.wrapping_add(check);
        }
        Ok(())
    }

    pub(super) fn take_object(&mut self, row: &ObjectRow) {
        let scope = (row.class, row.tenant, row.key.clone());
        let base = &mut self.base;
        if row.is_gone() {
            if let Some((_, before)) = self.objects.remove(&scope) {
                base.live_sum = base.live_sum.wrapping_sub(before);
                base.live_rows -= 1;
            }
            return;
        }
        let check = object_check(row);
        match self.objects.insert(scope, (row.clone(), check)) {
            Some((_, before)) => base.live_sum = base.live_sum.wrapping_sub(before),
            None => base.live_rows += 1,
        }
        base.live_sum = base.live_sum.wrapping_add(check);
    }

    pub(super) fn index(&mut self, rows: &[mainstay_core::CutRow]) -> Result<(), StoreError> {
        for row in rows.iter().filter(|row| row.fresh) {
            let Some(stored) = self.rows.get(&row.number) else {
                continue;
            };
            let tenant = |place: u32| {
                let place = self.places.get(&place);
                place.map_or(TenantId::DEFAULT, |place| place.tenant)
            };
            match row.kind {
                RowKind::Task => {
                    let columns = TaskColumns::read(&stored.image).map_err(damaged)?;
                    let scope = (tenant(columns.place), columns.id);
                    self.tasks.insert(scope, row.number);
                }
                RowKind::Run => {
                    let columns = RunColumns::read(&stored.image).map_err(damaged)?;
                    let scope = (tenant(columns.place), columns.id);
                    self.runs.insert(scope, row.number);
                    self.runs_of.insert((columns.task, row.number));
                }
            }
        }
        Ok(())
    }

    pub(super) fn run_row(&self, number: u64) -> Result<&Row, StoreError> {
        self.rows.get(&number).ok_or_else(|| damaged("no run"))
    }

    pub(super) fn runs_of(&self, task: u64) -> impl DoubleEndedIterator<Item = &(u64, u64)> {
        self.runs_of.range((task, 0)..=(task, u64::MAX))
    }

    pub(super) fn output(&self, task: u64) -> Result<Option<Bytes>, StoreError> {
        for (_, number) in self.runs_of(task).rev() {
            let columns = RunColumns::read(&self.run_row(*number)?.image).map_err(damaged)?;
            if columns.state == RunState::Completed {
                return Ok(columns.output.map(Bytes::from));
            }
        }
        Ok(None)
    }

    pub(super) fn found(&self, task: u64, only: Option<u64>) -> Result<Found, StoreError> {
        let row = self.rows.get(&task).ok_or_else(|| damaged("no task"))?;
        let mut found = Found {
            task: row.image.clone(),
            runs: Vec::new(),
        };
        if let Some(only) = only {
            found.runs.push(self.run_row(only)?.image.clone());
            return Ok(found);
        }
        let many = TaskColumns::read(&row.image).map_err(damaged)?.runs_total > 1;
        for (_, number) in self.runs_of(task).take(RUNS_SHOWN_MAX) {
            let image = &self.run_row(*number)?.image;
            found.runs.push(match many {
                true => brief_run(&RunColumns::read(image).map_err(damaged)?),
                false => image.clone(),
            });
        }
        Ok(found)
    }

    /// What stands here as a whole.
    pub(super) fn base(&self) -> Base {
        Base {
            places: self.places.values().cloned().collect(),
            ..self.base.clone()
        }
    }
}
