//! The log replayed from its first event, or from the oldest state that it goes on from, past everything that was loaded.
//! Owns: the comparison of what the log comes to with what store and snapshots say.
//! Never: judges what follows a frame that cannot be replayed.

use mainstay_core::Machine;
use mainstay_log::{Disk, Extent, Frame};

use super::bases::{Kept, Mark};
use crate::recovery::{Progress, from_snapshot, reaches, replay};

/// Frames between two reports of progress.
const PROGRESS_FRAMES: u64 = 256;

pub(super) struct Walk<'a> {
    machine: Machine,
    begun: u64,
    /// The store's state, which goes on with the log beside the other one.
    store: Option<Kept>,
    /// In rising order, the next one last.
    marks: Vec<Mark>,
    findings: Vec<String>,
    /// Nothing more can be judged.
    over: bool,
    frames: u64,
    total: u64,
    listener: &'a mut dyn FnMut(Progress),
}

/// What came of it.
pub(super) struct Walked {
    pub(super) machine: Machine,
    pub(super) begun: u64,
    pub(super) findings: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        extent: Option<&Extent>,
        snapshots: &[Mark],
        store: Option<Kept>,
        listener: &'a mut dyn FnMut(Progress),
    ) -> Walk<'a> {
        let stored = store.as_ref().map(|kept| &kept.mark);
        let mut marks: Vec<Mark> = snapshots.iter().chain(stored).cloned().collect();
        marks.sort_by_key(|mark| std::cmp::Reverse(mark.sequence));
        Walk {
            machine: Machine::new(0),
            begun: 0,
            store,
            marks,
            findings: Vec::new(),
            over: false,
            frames: 0,
            total: extent.map_or(0, |extent| extent.floor_sequence),
            listener,
        }
    }

    /// Chooses where to begin: the further back, the more is compared.
    pub(super) fn begin<D: Disk>(&mut self, disk: &D, extent: Option<&Extent>) {
        let Some(extent) = extent.filter(|extent| extent.oldest_sequence > 1) else {
            return;
        };
        let oldest = extent.oldest_sequence;
        let marks = self.marks.iter().rev();
        let snapshots = marks.filter(|mark| mark.is_snapshot);
        let first = snapshots
            .map(|mark| mark.sequence)
            .find(|at| reaches(*at, oldest));
        let loaded = first.map(|at| from_snapshot(disk, 0, &extent.log_id.to_string(), at));
        let stored = self.store.as_ref();
        let stored = stored.filter(|kept| reaches(kept.mark.sequence, oldest));
        let machine = match (loaded, stored) {
            (Some(Ok(machine)), _) => machine,
            (_, Some(kept)) => (*kept.machine).clone(),
            (_, None) => {
                self.findings.push(format!(
                    "the log begins at event {oldest}, and neither the store nor a snapshot reaches it: restore a backup"
                ));
                self.over = true;
                return;
            }
        };
        self.begun = machine.sequence();
        self.machine = machine;
        self.compare();
    }

    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        if self.frames.is_multiple_of(PROGRESS_FRAMES) {
            (self.listener)(Progress {
                what: "reading the log".to_owned(),
                done: frame.first_sequence,
                total: self.total,
            });
        }
        if self.over || frame.is_seal() {
            return;
        }
        if frame.last_sequence() > self.machine.sequence()
            && let Err(reason) = replay(&mut self.machine, frame)
        {
            self.findings.push(format!(
                "frame {} cannot be replayed: {reason}",
                frame.number
            ));
            self.over = true;
            return;
        }
        self.compare();
        if let Some(store) = &mut self.store
            && frame.last_sequence() > store.machine.sequence()
            && let Err(reason) = replay(&mut store.machine, frame)
        {
            self.findings.push(format!(
                "frame {} cannot be replayed on {}: {reason}",
                frame.number, store.mark
            ));
            self.store = None;
        }
    }

    /// Compares what was loaded at or before the event that the replay has come to.
    fn compare(&mut self) {
        let at = self.machine.sequence();
        while let Some(mark) = self.marks.pop_if(|mark| mark.sequence <= at) {
            if mark.sequence == at {
                let found = self.machine.digest();
                if found != mark.digest {
                    self.findings.push(format!(
                        "{mark} has digest {}, and the log comes to {found} there",
                        mark.digest
                    ));
                }
            } else if mark.sequence > self.begun {
                self.findings.push(format!(
                    "{mark} stands in the middle of a frame: no commit ends there"
                ));
            }
        }
    }

    /// The rest of the comparisons, once the log was read. With damage in the log they say nothing.
    pub(super) fn end(mut self, log_end: u64, has_damage: bool) -> Walked {
        if let Err(reason) = self.machine.verify() {
            self.findings
                .push(format!("the replayed state contradicts itself: {reason}"));
        }
        let is_judged = !self.over && !has_damage;
        for mark in self.marks.iter().rev().filter(|_| is_judged) {
            if mark.is_snapshot && mark.sequence > log_end {
                self.findings.push(format!(
                    "{mark} is there, and the log ends at {log_end}: the end of the log was lost"
                ));
            }
        }
        if let Some(store) = self.store.filter(|_| is_judged)
            && store.machine.sequence() == self.machine.sequence()
            && store.machine.digest() != self.machine.digest()
        {
            self.findings.push(format!(
                "{}, gone on with the log, comes to digest {}, and the log alone to {}",
                store.mark,
                store.machine.digest(),
                self.machine.digest()
            ));
        }
        Walked {
            machine: self.machine,
            begun: self.begun,
            findings: self.findings,
        }
    }
}
