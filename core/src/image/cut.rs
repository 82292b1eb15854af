//! The nouns of a checkpoint cut: the rows that changed, as images at one applied sequence.
//! Owns: what a cut holds, and how two cuts in a row become one.
//! Never: touches the state.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use crate::ledger::{ApprovalRow, LedgerRow};
use crate::time::Timestamp;
use crate::{AuditRow, Bytes, TaskId, TenantId, Text};

/// Which table a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// A task.
    Task = 1,
    /// A run.
    Run = 2,
}

/// One changed row of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRow {
    /// Which table.
    pub kind: RowKind,
    /// The row's number: the sequence of the event that made it, unique over both tables.
    pub number: u64,
    /// Whether no earlier cut held it.
    pub fresh: bool,
    /// Whether recovery needs it: it is not finished.
    pub live: bool,
    /// Where its image stands in [`Cut::images`].
    pub range: Range<usize>,
}

/// A tenant's queue and kind, with the runs counted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceRow {
    /// Its number: dense, from 0, stable within a data directory.
    pub place: u32,
    /// The tenant.
    pub tenant: TenantId,
    /// The queue.
    pub queue: Text,
    /// The kind.
    pub kind: Text,
    /// Runs by [`crate::RunState`] code; terminal states count for life.
    pub counts: [u64; 9],
    /// Failed runs that were neither tried again nor cleared away.
    pub dead_letters: u64,
}

/// What became of a dead letter that has left memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRow {
    /// The run's number.
    pub number: u64,
    /// What is added to the end of its image, in tagged fields.
    pub tail: Vec<u8>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectClass {
    /// What is set on a queue; the key is its name.
    Queue = 1,
    /// What is known of a tenant besides its id; the key is empty.
    Tenant = 2,
    // Operations.
    /// An operation on many runs; the key is its id.
    Operation = 3,
    /// A registered actor; the key is its id.
    Actor = 4,
    // Access.
    /// A key; the key is its id.
    Key = 5,
    /// A role of a tenant's own; the key is its name.
    Role = 6,
    /// What an actor was granted; the key is its id.
    Grant = 11,
    // Ledgers.
    /// A plan that waits for approval; the key is its id.
    Approval = 7,
    // Webhooks.
    /// A webhook; the key is its id.
    Webhook = 8,
    /// An event on its way to a webhook, or one that got there; the key is the webhook's id, a slash and the event.
    Delivery = 9,
    // Statistics.
    /// What is counted of a tenant's kind; the key is its name, or `*` for all kinds that are not counted apart.
    Statistics = 10,
}

impl ObjectClass {
    /// The class with this code in a store, if there is one.
    #[must_use]
    pub fn from_code(code: u64) -> Option<ObjectClass> {
        match code {
            1 => Some(ObjectClass::Queue),
            2 => Some(ObjectClass::Tenant),
            // Operations.
            3 => Some(ObjectClass::Operation),
            4 => Some(ObjectClass::Actor),
            // Access.
            5 => Some(ObjectClass::Key),
            6 => Some(ObjectClass::Role),
            11 => Some(ObjectClass::Grant),
            // Ledgers.
            7 => Some(ObjectClass::Approval),
            // Webhooks.
            8 => Some(ObjectClass::Webhook),
            9 => Some(ObjectClass::Delivery),
            // Statistics.
            10 => Some(ObjectClass::Statistics),
            _ => None,
        }
    }
}

/// A small row that lives until a cut says that it is gone, by (class, tenant, key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// What it is.
    pub class: ObjectClass,
    /// The tenant.
    pub tenant: TenantId,
    /// Its name within the class and tenant.
    pub key: Text,
    /// Everything else, in tagged fields; only the machine reads them. Empty: there is no such object any more.
    pub image: Vec<u8>,
}

impl ObjectRow {
    /// Whether it says that there is no such object any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.image.is_empty()
    }
}

/// What an idempotency key was used for; the scope of a key is (tenant, class, key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyClass {
    /// A submit.
    Submit = 0,
    /// A claim.
    Claim = 1,
    /// An entry of a ledger.
    Ledger = 2,
}

/// A held idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The tenant.
    pub tenant: TenantId,
    /// What it was used for.
    pub class: KeyClass,
    /// The key.
    pub key: Text,
    /// Held at least until then, and as long as its task is live.
    pub until: Timestamp,
    /// The task it made, for submits.
    pub task: Option<TaskId>,
    /// Everything else, in tagged fields.
    pub image: Vec<u8>,
}

/// The rows that changed since the cut before, each once, as they stand at one applied sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The last event the images reflect.
    pub through: u64,
    /// Recorded time of that event.
    pub wall: Timestamp,
    /// Scalars and counters, in tagged fields; only the machine reads them.
    pub meta: Vec<u8>,
    /// Places that are new or whose counts changed.
    pub places: Vec<PlaceRow>,
    /// The changed rows; a task comes before its runs.
    pub rows: Vec<CutRow>,
    /// The rows' images, one after the other.
    pub images: Vec<u8>,
    /// Payloads of fresh tasks that are too large for the image, by the task's number.
    pub payloads: Vec<(u64, Bytes)>,
    /// Idempotency keys that are new.
    pub keys: Vec<KeyRow>,
    /// Objects that are new, changed or gone.
    pub objects: Vec<ObjectRow>,
    /// Entries of the audit trail since the cut before, in order: the log's command records, put here by whoever reads or writes them.
    pub audit: Vec<AuditRow>,
    /// Entries of ledgers since the cut before, in order.
    pub ledger: Vec<LedgerRow>,
    /// Approvals that are new, changed or decided.
    pub approvals: Vec<ApprovalRow>,
    /// When the trail is not whole from the cut before on: the event after which it is.
    pub audit_after: Option<u64>,
    /// Dead letters that were tried again or cleared away after they had left memory. A cut before this one held their rows.
    pub marks: Vec<MarkRow>,
}

impl Cut {
    /// A row's image.
    #[must_use]
    pub fn image(&self, row: &CutRow) -> &[u8] {
        &self.images[row.range.clone()]
    }

    /// About how much memory it holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let payloads: usize = self.payloads.iter().map(|(_, bytes)| bytes.len()).sum();
        self.images.len() + self.rows.len() * size_of::<CutRow>() + payloads
    }

    /// This cut and the one after it as one: the newest image of every row.
    #[must_use]
    pub fn merge(self, later: Cut) -> Cut {
        let mut places: BTreeMap<u32, PlaceRow> = BTreeMap::new();
        for place in self.places.into_iter().chain(later.places) {
            places.insert(place.place, place);
        }
        let mut objects = BTreeMap::new();
        for object in self.objects.into_iter().chain(later.objects) {
            let name = (object.class, object.tenant, object.key.clone());
            objects.insert(name, object);
        }
        let newer: BTreeMap<u64, usize> = later
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.number, at))
            .collect();
        let mut merged = Cut {
            through: later.through,
            wall: later.wall,
            meta: later.meta,
            places: places.into_values().collect(),
            rows: Vec::with_capacity(self.rows.len() + later.rows.len()),
            images: Vec::with_capacity(self.images.len() + later.images.len()),
            payloads: self.payloads,
            keys: self.keys,
            objects: objects.into_values().collect(),
            audit: self.audit,
            ledger: self.ledger,
            approvals: newest(self.approvals, later.approvals),
            audit_after: later.audit_after.or(self.audit_after),
            marks: self.marks,
        };
        if later.audit_after.is_some() {
            merged.audit.clear();
        }
        merged.audit.extend(later.audit);
        merged.ledger.extend(later.ledger);

        merged.payloads.extend(later.payloads);
        merged.keys.extend(later.keys);
        merged.marks.extend(later.marks);
        let mut later_rows = later.rows;
        let mut older_rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            match newer.get(&row.number) {
                Some(at) => later_rows[*at].fresh |= row.fresh,
                None => older_rows.push(row),
            }
        }
        // A task may have changed after its run did: tasks of both cuts come before runs of both.
        for kind in [RowKind::Task, RowKind::Run] {
            let of_kind = |row: &&CutRow| row.kind == kind;
            for row in older_rows.iter().filter(of_kind) {
                merged.push(&self.images, row);
            }
            for row in later_rows.iter().filter(of_kind) {
                merged.push(&later.images, row);
            }
        }
        merged
    }

    fn push(&mut self, images: &[u8], row: &CutRow) {
        let from = self.images.len();
        self.images.extend_from_slice(&images[row.range.clone()]);
        let range = from..self.images.len();
        self.rows.push(CutRow {
            range,
            ..row.clone()
        });
    }
}

/// Approvals of two cuts in a row: as the later one has them.
fn newest(earlier: Vec<ApprovalRow>, later: Vec<ApprovalRow>) -> Vec<ApprovalRow> {
    let all = earlier.into_iter().chain(later);
    let named = all.map(|row| ((row.tenant, row.approval.number), row));
    named.collect::<BTreeMap<_, _>>().into_values().collect()
}
