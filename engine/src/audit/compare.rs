//! The trail in the store, read beside the log: entry for entry, and its own chain.
//! Owns: which entries must be there, and the words for one that differs.
//! Never: reads more than a bounded piece at a time.

use std::collections::VecDeque;

use mainstay_core::{AuditRow, Text};
use mainstay_store::{Chained, Reader, StoreError, chain_entry};

use super::report::AuditGap;

/// The store's file, relative to the data directory.
const FILE: &str = "store/mainstay.db";
/// Entries that are read at once.
const PIECE: usize = 500;
/// Entries that the log was not seen to hold; more are not remembered.
const UNMATCHED_MAX: usize = 10_000;

/// The entries of a store, oldest first.
pub(super) struct Entries {
    reader: Box<dyn Reader>,
    ahead: VecDeque<Chained>,
    /// The last entry read.
    last: u64,
    /// Its hash.
    hash: [u8; 32],
    /// The trail is whole after this event, and reaches this one.
    pub(super) after: u64,
    through: u64,
    is_begun: bool,
    is_over: bool,
    pub(super) compared: u64,
    /// Entries that no command of the log stood for.
    pub(super) unmatched: Vec<u64>,
}

fn gap(sequence: u64, message: String) -> AuditGap {
    AuditGap {
        from: sequence,
        to: sequence,
        file: FILE.to_owned(),
        offset: 0,
        frame: 0,
        message,
    }
}

impl Entries {
    pub(super) fn new(reader: Box<dyn Reader>) -> Entries {
        Entries {
            reader,
            ahead: VecDeque::new(),
            last: 0,
            hash: [0; 32],
            after: 0,
            through: 0,
            is_begun: false,
            is_over: false,
            compared: 0,
            unmatched: Vec::new(),
        }
    }

    /// Reads ahead when nothing is there. What does not hold is told, and ends the reading when the store cannot be read on.
    fn fill(&mut self, tell: &mut dyn FnMut(AuditGap)) {
        if !self.ahead.is_empty() || self.is_over {
            return;
        }
        let piece = match self.reader.trail(self.last, PIECE) {
            Ok(piece) => piece,
            Err(StoreError::Damaged(what)) => return self.give_up(what, tell),
            Err(error) => return self.give_up(error.to_string(), tell),
        };
        if !self.is_begun {
            self.is_begun = true;
            self.through = piece.checkpoint;
            self.hash = piece.extent.before;
            self.after = piece.extent.after;
        } else if piece.extent.after > self.last {
            // Retention was faster: it took entries that were not read yet.
            self.hash = piece.extent.before;
            self.after = piece.extent.after;
        }
        if piece.rows.is_empty() {
            self.is_over = true;
            if self.hash != piece.extent.head {
                let from = self.last.max(self.after) + 1;
                tell(AuditGap {
                    to: piece.checkpoint.max(from),
                    ..gap(
                        from,
                        "the newest entries of the trail are missing".to_owned(),
                    )
                });
            }
            return;
        }
        for entry in piece.rows {
            let hash = chain_entry(&self.hash, &entry.row);
            if hash != entry.hash {
                let message = "the entry is not the one that was chained to the one before";
                tell(gap(entry.row.sequence, message.to_owned()));
            }
            // The chain goes on from what stands there, so that one wrong entry is told once.
            self.hash = entry.hash;
            self.last = entry.row.sequence;
            self.ahead.push_back(entry);
        }
    }

    fn give_up(&mut self, what: String, tell: &mut dyn FnMut(AuditGap)) {
        self.is_over = true;
        let from = self.last + 1;
        tell(AuditGap {
            to: self.through.max(from),
            ..gap(from, format!("the trail cannot be read on: {what}"))
        });
    }

    /// Compares the entry that the log says there is.
    pub(super) fn expect(&mut self, logged: &AuditRow, tell: &mut dyn FnMut(AuditGap)) {
        self.pass(logged.sequence, logged.sequence, tell);
        match self.ahead.front() {
            Some(entry) if entry.row.sequence == logged.sequence => {
                self.compared += 1;
                if entry.row != *logged {
                    tell(gap(logged.sequence, differences(&entry.row, logged)));
                }
                self.ahead.pop_front();
            }
            _ if logged.sequence > self.after && logged.sequence <= self.through => {
                let message = format!(
                    "the trail lacks the entry of `{}` by `{}` that the log holds",
                    logged.what, logged.who
                );
                tell(gap(logged.sequence, message));
            }
            _ => {}
        }
    }

    /// Goes over the entries before an event. Those from `begins` on should have been asked for by the log.
    pub(super) fn pass(&mut self, before: u64, begins: u64, tell: &mut dyn FnMut(AuditGap)) {
        loop {
            self.fill(tell);
            let Some(entry) = self.ahead.front() else {
                return;
            };
            let sequence = entry.row.sequence;
            if sequence >= before {
                return;
            }
            self.ahead.pop_front();
            if sequence >= begins && self.unmatched.len() < UNMATCHED_MAX {
                self.unmatched.push(sequence);
            }
        }
    }

    pub(super) fn not_in_the_log(sequence: u64) -> AuditGap {
        gap(
            sequence,
            "the trail has an entry that the log does not hold".to_owned(),
        )
    }
}

fn differences(stored: &AuditRow, logged: &AuditRow) -> String {
    let shown = |text: Option<&Text>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
    let text = |text: &Text| shown(Some(text));
    let fields = [
        ("at", stored.at.0.to_string(), logged.at.0.to_string()),
        (
            "tenant",
            stored.tenant.to_string(),
            logged.tenant.to_string(),
        ),
        ("who", text(&stored.who), text(&logged.who)),
        ("what", text(&stored.what), text(&logged.what)),
        (
            "target",
            shown(stored.target.as_ref()),
            shown(logged.target.as_ref()),
        ),
        (
            "reason",
            shown(stored.reason.as_ref()),
            shown(logged.reason.as_ref()),
        ),
        (
            "request_id",
            shown(stored.request_id.as_ref()),
            shown(logged.request_id.as_ref()),
        ),
    ];
    let differing = fields
        .into_iter()
        .filter(|(_, stored, logged)| stored != logged);
    let words: Vec<String> = differing
        .map(|(name, stored, logged)| format!("{name} is {stored}, and {logged} in the log"))
        .collect();
    format!(
        "the entry of the trail differs from the log: {}",
        words.join("; ")
    )
}
