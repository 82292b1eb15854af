//! Shares counted from the durable log alone: two parties that both have work ready, and who is granted how much.

use std::collections::BTreeMap;

use mainstay::{Event, RunId, TaskId, TaskSpec, TenantId};

use super::image::Written;

/// Who is who.
pub(crate) type IsModest = fn(TenantId, &TaskSpec) -> bool;

/// A ready run of the modest party.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Grants to the greedy party before it became ready.
    since: u64,
    /// Ready runs of its own party before it.
    ahead: u64,
}

/// What was counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    is_modest: IsModest,
    tasks: BTreeMap<(TenantId, TaskId), bool>,
    runs: BTreeMap<(TenantId, RunId), bool>,
    greedy_ready: u64,
    modest_ready: BTreeMap<(TenantId, RunId), Waiting>,
    greedy_granted: u64,
    in_spell: bool,
    in_a_row: u64,
    pub(crate) counted: Counted,
}

/// The figures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Grants while both had work ready: to the greedy party, to the modest one.
    pub(crate) granted: [u64; 2],
    /// Times without a break, within one life, in which both had work ready.
    pub(crate) spells: u64,
    /// Most grants to the greedy party in a row while the modest one had work ready.
    pub(crate) in_a_row: u64,
    /// Most grants to the greedy party while one ready run of the modest one waited, with the runs of its own party before it.
    pub(crate) waited: (u64, u64),
    /// Tasks submitted.
    pub(crate) submitted: [u64; 2],
}

impl Tally {
    pub(crate) fn new(is_modest: IsModest) -> Tally {
        Tally {
            is_modest,
            tasks: BTreeMap::new(),
            runs: BTreeMap::new(),
            greedy_ready: 0,
            modest_ready: BTreeMap::new(),
            greedy_granted: 0,
            in_spell: false,
            in_a_row: 0,
            counted: Counted::default(),
        }
    }

    /// Moves over one command of the log.
    pub(super) fn command(&mut self, written: &Written) {
        for entry in &written.events {
            self.event(entry.tenant, &entry.event);
        }
    }

    fn event(&mut self, tenant: TenantId, event: &Event) {
        match event {
            Event::TaskCreated(fact) => {
                let modest = (self.is_modest)(tenant, &fact.spec);
                self.tasks.insert((tenant, fact.task), modest);
                self.counted.submitted[usize::from(modest)] += 1;
            }
            Event::RunCreated(fact) => {
                let modest = self.tasks.get(&(tenant, fact.task)).copied();
                self.runs.insert((tenant, fact.run), modest == Some(true));
                if fact.ready {
                    self.ready((tenant, fact.run));
                }
            }
            Event::RunReady(fact) => self.ready((tenant, fact.run)),
            Event::RunReturned(fact) => self.ready((tenant, fact.run)),
            Event::RunStarted(fact) => self.granted((tenant, fact.run)),
            Event::EngineStarted(_) => self.in_spell = false,
            _ => {}
        }
    }

    fn ready(&mut self, run: (TenantId, RunId)) {
        if self.runs.get(&run) == Some(&true) {
            let ahead = self.modest_ready.len() as u64;
            let since = self.greedy_granted;
            self.modest_ready.insert(run, Waiting { since, ahead });
        } else {
            self.greedy_ready += 1;
        }
    }

    fn granted(&mut self, run: (TenantId, RunId)) {
        let modest = self.runs.get(&run) == Some(&true);
        if self.greedy_ready > 0 && !self.modest_ready.is_empty() {
            self.counted.spells += u64::from(!self.in_spell);
            self.in_spell = true;
            self.counted.granted[usize::from(modest)] += 1;
        } else {
            self.in_spell = false;
        }
        if modest {
            self.in_a_row = 0;
            if let Some(waiting) = self.modest_ready.remove(&run) {
                let waited = (self.greedy_granted - waiting.since, waiting.ahead);
                self.counted.waited = self.counted.waited.max(waited);
            }
        } else {
            self.greedy_granted += 1;
            self.greedy_ready -= 1;
            self.in_a_row = match self.modest_ready.is_empty() {
                true => 0,
                false => self.in_a_row + 1,
            };
            self.counted.in_a_row = self.counted.in_a_row.max(self.in_a_row);
        }
    }
}
