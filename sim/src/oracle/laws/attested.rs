//! The laws of ledgers and approvals: an entry is put on record once and stays, a plan is reviewed before it is approved.

use std::collections::BTreeMap;

use mainstay::events::{ApprovalDecided, ApprovalRequested, LedgerAppended};
use mainstay::{
    AppendLedger, ApprovalId, ApprovalState, Attest, Bytes, Command, Decision, Event, LedgerRow,
    Outcome, Rejection, TenantId, Text,
};

use super::model::Laws;
use super::tenants::Tenants;
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

/// How long an idempotency key is held at least.
const KEY_HELD_MS: u64 = 24 * 3_600_000;

/// An entry as its event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: Text,
    payload: Bytes,
    by: Text,
    at: u64,
    /// It was on record when a store was lost that alone held it.
    may_be_gone: bool,
}

/// What is on record in one tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attested {
    entries: BTreeMap<u64, Entry>,
    /// Idempotency keys with the entry that each stands for, and since when.
    keys: BTreeMap<Text, (u64, u64)>,
    approvals: BTreeMap<ApprovalId, (Text, ApprovalState)>,
}

impl Attested {
    /// A store was lost where the log does not reach back.
    pub(super) fn forget(&mut self) {
        self.entries
            .values_mut()
            .for_each(|entry| entry.may_be_gone = true);
        self.keys.clear();
    }
}

fn asked(wish: Option<&Wish>) -> Option<&Attest> {
    match wish {
        Some(Wish::Command(Command::Attest(what))) => Some(what),
        _ => None,
    }
}

impl Laws {
    /// Something is put on record.
    pub(super) fn attested(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::LedgerAppended(fact) => self.appended(fact, wish),
            Event::ApprovalRequested(fact) => self.requested(fact),
            Event::ApprovalDecided(fact) => self.decided(fact, wish),
            _ => Ok(()),
        }
    }

    fn appended(&mut self, fact: &LedgerAppended, wish: Option<&Wish>) -> Verdict {
        match asked(wish) {
            Some(Attest::Append(append)) => demand!(
                append.key == fact.ledger_key && append.payload == fact.payload,
                "another entry than was asked for"
            ),
            Some(Attest::Decide { approval, .. }) => {
                let known = self.attested.approvals.get(approval);
                let fits = known.is_some_and(|(ledger, _)| *ledger == fact.ledger_key);
                demand!(fits, "a decision is on record in another ledger");
            }
            _ => return Err(String::from("an entry that nobody asked for")),
        }
        let (sequence, at) = (self.sequence, self.wall);
        if let Some(key) = &fact.idempotency_key {
            let before = self.attested.keys.insert(key.clone(), (sequence, at));
            demand!(
                before.is_none_or(|(_, held_at)| at >= held_at + KEY_HELD_MS),
                "the key of entry {before:?} made another"
            );
        }
        let entry = Entry {
            key: fact.ledger_key.clone(),
            payload: fact.payload.clone(),
            by: fact.by.clone(),
            at,
            may_be_gone: false,
        };
        self.attested.entries.insert(sequence, entry);
        Ok(())
    }

    fn requested(&mut self, fact: &ApprovalRequested) -> Verdict {
        let new = (fact.ledger_key.clone(), ApprovalState::Planned);
        let before = self.attested.approvals.insert(fact.approval, new);
        demand!(before.is_none(), "approval {} again", fact.approval);
        if !fact.chosen {
            demand!(fact.approval.0 > self.last_id, "an id that does not grow");
            self.last_id = fact.approval.0;
        }
        Ok(())
    }

    fn decided(&mut self, fact: &ApprovalDecided, wish: Option<&Wish>) -> Verdict {
        let is_asked = matches!(asked(wish), Some(Attest::Decide { approval, decision, .. })
            if *approval == fact.approval && *decision == fact.decision);
        demand!(is_asked, "a decision that nobody asked for");
        let known = self.attested.approvals.get_mut(&fact.approval);
        let (_, state) = known.ok_or("a decision about an approval that is not there")?;
        let next = match (*state, fact.decision) {
            (ApprovalState::Planned, Decision::Review) => ApprovalState::Reviewed,
            (ApprovalState::Reviewed, Decision::Approve) => ApprovalState::Approved,
            (ApprovalState::Planned | ApprovalState::Reviewed, Decision::Reject) => {
                ApprovalState::Rejected
            }
            (state, decision) => {
                return Err(format!("{} after {}", decision.name(), state.name()));
            }
        };
        *state = next;
        Ok(())
    }

    /// A decision leaves with its entry, in one command.
    pub(super) fn decisions_are_on_record(&self, events: &[&Event]) -> Verdict {
        let count =
            |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
        let decided = count(|event| matches!(event, Event::ApprovalDecided(_)));
        let appended = count(|event| matches!(event, Event::LedgerAppended(_)));
        demand!(
            decided == 0 || decided == appended,
            "{decided} decisions, {appended} entries"
        );
        Ok(())
    }

    /// What somebody was told about ledgers and approvals.
    pub(super) fn told_attested(&self, what: &Attest, outcome: &Outcome, wrote: bool) -> Verdict {
        match (what, outcome) {
            (Attest::Append(append), Outcome::LedgerAppended { sequence, created }) => {
                demand!(*created == wrote, "created is {created}, yet it is not so");
                self.is_on_record(append, *sequence)
            }
            (Attest::Request(_), Outcome::ApprovalRequested(id)) => {
                demand!(
                    self.attested.approvals.contains_key(id),
                    "approval {id} is not in the log"
                );
                Ok(())
            }
            (Attest::Decide { approval, .. }, Outcome::ApprovalDecided(told)) => {
                let known = self.attested.approvals.get(approval);
                demand!(
                    wrote && known.is_some_and(|(_, state)| state == told),
                    "approval {approval} was told to be {}",
                    told.name()
                );
                Ok(())
            }
            (what, outcome) => Err(format!("{what:?} was answered {outcome:?}")),
        }
    }

    fn is_on_record(&self, append: &AppendLedger, sequence: u64) -> Verdict {
        let entry = self.attested.entries.get(&sequence);
        let entry = entry.ok_or("an entry that is not in the log")?;
        demand!(
            entry.key == append.key && entry.payload == append.payload,
            "entry {sequence} is another one"
        );
        Ok(())
    }

    /// A refusal of something about ledgers and approvals.
    pub(super) fn refused_attested(&self, what: &Attest, rejection: &Rejection) -> Verdict {
        let holds = match (what, rejection) {
            (Attest::Append(_), Rejection::IdempotencyConflict { key }) => {
                self.attested.keys.contains_key(key)
                    || self
                        .attested
                        .entries
                        .values()
                        .any(|entry| entry.may_be_gone)
            }
            (Attest::Decide { approval, .. }, Rejection::UnknownApproval { .. }) => {
                // What is decided has left memory.
                let known = self.attested.approvals.get(approval);
                known.is_none_or(|(_, state)| state.is_final())
            }
            (
                Attest::Decide {
                    approval, decision, ..
                },
                Rejection::ApprovalStateMismatch { .. },
            ) => {
                let known = self.attested.approvals.get(approval);
                known.is_some_and(|(_, state)| match decision {
                    Decision::Review => *state != ApprovalState::Planned,
                    Decision::Approve => *state != ApprovalState::Reviewed,
                    Decision::Reject => state.is_final(),
                })
            }
            _ => true,
        };
        demand!(holds, "{what:?} was refused: {rejection}");
        Ok(())
    }
}

impl Tenants {
    /// The entries that a store holds are those of the log up to its checkpoint, each once and as it was.
    pub(crate) fn are_stored(&self, rows: &[LedgerRow], checkpoint: u64) -> Verdict {
        let mut stored: BTreeMap<(TenantId, u64), &LedgerRow> = BTreeMap::new();
        for row in rows {
            let before = stored.insert((row.tenant, row.sequence), row);
            demand!(before.is_none(), "entry {} is stored twice", row.sequence);
        }
        for (tenant, laws) in self.each() {
            for (sequence, entry) in laws.attested.entries.range(..=checkpoint) {
                let Some(row) = stored.remove(&(tenant, *sequence)) else {
                    demand!(entry.may_be_gone, "entry {sequence} is not stored");
                    continue;
                };
                demand!(
                    row.key == entry.key
                        && row.payload == entry.payload
                        && row.by == entry.by
                        && row.at.0 == entry.at,
                    "entry {sequence} is stored as {row:?}, it was {entry:?}"
                );
            }
        }
        let left = stored.keys().next();
        demand!(
            left.is_none(),
            "entry {left:?} is stored and not in the log"
        );
        Ok(())
    }
}
