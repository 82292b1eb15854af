//! Bugs of what is put on record: entries that are lost or made twice, decisions out of order, batches in part.

use mainstay::events::{ApprovalDecided, LedgerAppended};
use mainstay::{
    ApprovalState, Attest, Call, Command, Cut, Decision, Event, Events, Facts, Machine, Meddler,
    Now, Outcome, Rejection, Woken,
};

use super::bend::{Bug, Scene, fact};

type Decided = Result<Outcome, Rejection>;

/// A decision leaves no entry.
pub(crate) struct Unrecorded;

impl Bug for Unrecorded {
    fn bend(&mut self, _: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let decides = |event: &Event| matches!(event, Event::ApprovalDecided(_));
        if !events.iter().any(|entry| decides(&entry.event)) {
            return false;
        }
        events.retain(|entry| decides(&entry.event));
        true
    }
}

/// A plan is approved that nobody reviewed.
pub(crate) struct Unreviewed;

impl Bug for Unreviewed {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let Command::Attest(what) = &scene.asked.command else {
            return false;
        };
        let Attest::Decide {
            approval,
            decision: Decision::Approve,
            ..
        } = **what
        else {
            return false;
        };
        let planned = matches!(
            decided,
            Err(Rejection::ApprovalStateMismatch {
                state: ApprovalState::Planned,
                ..
            })
        );
        if planned {
            events.push(fact(ApprovalDecided {
                approval,
                decision: Decision::Approve,
                by: scene.asked.principal.name.clone(),
                ..ApprovalDecided::default()
            }));
            events.push(fact(LedgerAppended {
                ledger_key: "decision".into(),
                by: scene.asked.principal.name.clone(),
                ..LedgerAppended::default()
            }));
            *decided = Ok(Outcome::ApprovalDecided(ApprovalState::Approved));
        }
        planned
    }
}

/// The key of an entry is noted and not looked up.
pub(crate) struct EntryAgain;

impl Meddler for EntryAgain {
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Decided {
        let mut asked = call.clone();
        let key = match &mut asked.command {
            Command::Attest(what) => match &mut **what {
                Attest::Append(append) => append.idempotency_key.take(),
                _ => None,
            },
            _ => None,
        };
        if key.is_none() {
            return machine.step_into(now, facts, call, events);
        }
        let before = machine.clone();
        let decided = machine.step_into(now, facts, &mut asked, events);
        for entry in events.iter_mut() {
            if let Event::LedgerAppended(fact) = &mut entry.event {
                fact.idempotency_key.clone_from(&key);
            }
        }
        machine.take_woken(woken);
        *machine = before;
        events.iter().for_each(|entry| machine.replay(now, entry));
        decided
    }
}

/// The last task of a batch is not made.
pub(crate) struct InPart;

impl Bug for InPart {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        if !matches!(scene.asked.command, Command::SubmitAll(_)) {
            return false;
        }
        let made = |event: &Event| matches!(event, Event::TaskCreated(_));
        let last = events.iter().rposition(|entry| made(&entry.event));
        if let Some(last) = last.filter(|last| *last > 0) {
            events.truncate(last);
        }
        last.is_some_and(|last| last > 0)
    }
}

/// What cuts leave out of what the store alone keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unstored {
    /// Entries of ledgers, but the first of a cut.
    Entries,
    /// Entries of the audit trail, but the first of a cut.
    Trail,
}

impl Meddler for Unstored {
    fn cut(&mut self, mut cut: Cut) -> Cut {
        match self {
            Unstored::Entries => cut.ledger.truncate(1),
            Unstored::Trail => cut.audit.truncate(1),
        }
        cut
    }
}
