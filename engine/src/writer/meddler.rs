//! Where a simulated bug of the rules stands: between the writer and the machine, never inside the machine.
//! Owns: the seam through which decisions, answers, calendars and cuts may be falsified.
//! Never: stands in an engine that nobody planted a bug in; then each of its places costs one comparison.

use mainstay_core::{
    Answer, Ask, Call, Cut, Events, Facts, Instants, Machine, Now, Outcome, Query, Rejection,
    TenantId, Unfit, Woken,
};
use mainstay_log::Log;

use super::model::Writer;
use crate::inbox::Decided;

/// What the writer asks of the machine, by somebody who may lie. Each method does what the machine does unless it is replaced; one meddler
/// lives as long as its process. Test power.
#[doc(hidden)]
pub trait Meddler: Send {
    /// Decides a command. Whatever the events are, the machine must have applied them; `woken` takes what [`Machine::replay`] forgets of
    /// where there is work for waiting claims.
    ///
    /// # Errors
    /// The refusal.
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Result<Outcome, Rejection> {
        let _ = woken;
        machine.step_into(now, facts, call, events)
    }

    /// Answers a question.
    fn answer(&mut self, machine: &Machine, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        machine.answer(now, tenant, query)
    }

    /// Passes on what a calendar says.
    ///
    /// # Errors
    /// Why it says nothing.
    fn instants(&mut self, ask: &Ask, said: Result<Instants, Unfit>) -> Result<Instants, Unfit> {
        let _ = ask;
        said
    }

    /// Passes on what a store is given.
    fn cut(&mut self, cut: Cut) -> Cut {
        cut
    }
}

/// A bug to plant: makes its meddler anew in each process life.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Meddling {
    /// The bug's name; two of one name are the same.
    pub name: &'static str,
    /// Makes who lies.
    pub make: fn() -> Box<dyn Meddler>,
}

impl PartialEq for Meddling {
    fn eq(&self, other: &Meddling) -> bool {
        self.name == other.name
    }
}

impl Eq for Meddling {}

impl<L: Log> Writer<L> {
    /// One step of the machine, into the list of events.
    pub(super) fn step(&mut self, facts: &Facts, call: &mut Call) -> Decided {
        let (now, events) = (&self.now, &mut self.events);
        match self.meddler.as_mut() {
            None => self.machine.step_into(now, facts, call, events),
            Some(meddler) => {
                meddler.decide(&mut self.machine, now, facts, call, events, &mut self.woken)
            }
        }
    }

    /// What the machine says to a question.
    pub(super) fn look(&mut self, tenant: TenantId, query: &Query) -> Answer {
        match self.meddler.as_mut() {
            None => self.machine.answer(&self.now, tenant, query),
            Some(meddler) => meddler.answer(&self.machine, &self.now, tenant, query),
        }
    }

    /// What a calendar says.
    pub(super) fn calendar(&mut self, ask: &Ask) -> Result<Instants, Unfit> {
        let said = self.desk.calendars.answer(ask);
        match self.meddler.as_mut() {
            None => said,
            Some(meddler) => meddler.instants(ask, said),
        }
    }

    /// What changed since the last cut, for the store, and what the audit trail got.
    pub(super) fn cut(&mut self) -> Cut {
        let mut cut = self.machine.take_cut();
        cut.audit = std::mem::take(&mut self.desk.trail);
        match self.meddler.as_mut() {
            None => cut,
            Some(meddler) => meddler.cut(cut),
        }
    }
}
