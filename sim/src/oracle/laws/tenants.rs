//! The laws of all tenants: each is judged by its own, and nothing passes from one to another but by a claim over all.

use std::collections::BTreeMap;

use mainstay::events::TenantCreated;
use mainstay::{
    Answer, Claim, ClaimGrant, Command, Entry, Event, Outcome, Query, Rejection, Stats, TenantId,
    Text,
};

use super::model::{Laws, Shared};
use super::turns::Turns;
use crate::marks::Marks;
use crate::oracle::history::Wish;
use crate::oracle::image::Written;
use crate::oracle::model::{Verdict, demand};
use crate::oracle::replies::Told;

/// What time and the engine itself do, for any tenant.
const BY_ITSELF: std::ops::RangeInclusive<u64> = 12..=14;
const FINISH: u64 = 4;

/// Every tenant's laws.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    pub(crate) shared: Shared,
    laws: BTreeMap<TenantId, Laws>,
    names: BTreeMap<Text, TenantId>,
    turns: Turns,
}

impl Default for Tenants {
    fn default() -> Tenants {
        Tenants {
            shared: Shared::default(),
            laws: BTreeMap::from([(TenantId::DEFAULT, Laws::default())]),
            names: BTreeMap::from([(Text::from("default"), TenantId::DEFAULT)]),
            turns: Turns::default(),
        }
    }
}

impl Tenants {
    /// Each tenant with its laws.
    pub(crate) fn each(&self) -> impl Iterator<Item = (TenantId, &Laws)> {
        self.laws.iter().map(|(tenant, laws)| (*tenant, laws))
    }

    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut Laws> {
        self.laws.values_mut()
    }

    pub(crate) fn of(&self, tenant: TenantId) -> Result<&Laws, String> {
        self.laws
            .get(&tenant)
            .ok_or_else(|| format!("there is no tenant {tenant}"))
    }

    fn of_mut(&mut self, tenant: TenantId) -> Result<&mut Laws, String> {
        self.laws
            .get_mut(&tenant)
            .ok_or_else(|| format!("there is no tenant {tenant}"))
    }

    /// What one tenant's law changed of what all share, the others see.
    fn spread(&mut self, shared: Shared) {
        self.shared = shared;
        self.each_mut().for_each(|laws| laws.shared = shared);
    }

    /// Judges one command of the log, asked for in `tenant`, and moves over it.
    pub(crate) fn command(
        &mut self,
        written: &Written,
        tenant: TenantId,
        wish: Option<&Wish>,
        marks: &mut Marks,
    ) -> Verdict {
        let mut shared = self.shared;
        demand!(
            written.first_sequence == shared.sequence + 1,
            "event {} follows event {}",
            written.first_sequence,
            shared.sequence
        );
        demand!(
            written.wall >= shared.wall && written.steady >= shared.steady,
            "time ran backwards"
        );
        (shared.wall, shared.steady) = (written.wall, written.steady);
        self.spread(shared);
        if let (Some(Wish::Command(command)), kind) = (wish, written.record.kind) {
            demand!(
                command.code() == kind,
                "asked for {}, logged {kind}",
                command.code()
            );
        }
        for (of, laws) in &mut self.laws {
            laws.begins(wish.filter(|_| *of == tenant));
        }
        for entry in &written.events {
            let mut shared = self.shared;
            shared.sequence += 1;
            self.spread(shared);
            self.may_reach(written, tenant, wish, entry)
                .and_then(|()| self.event(entry, wish, marks))
                .map_err(|error| {
                    let sequence = self.shared.sequence;
                    format!("event {sequence} of tenant {}: {error}", entry.tenant)
                })?;
        }
        for (of, laws) in &mut self.laws {
            let own = written.events.iter().filter(|entry| entry.tenant == *of);
            let own: Vec<&Event> = own.map(|entry| &entry.event).collect();
            laws.ends(&own, wish.filter(|_| *of == tenant))?;
        }
        self.note_idle(None);
        Ok(())
    }

    /// A command reaches its own tenant and no other; only a claim over all tenants grants of every one, and gives back to each.
    fn may_reach(
        &self,
        written: &Written,
        asked_in: TenantId,
        wish: Option<&Wish>,
        entry: &Entry,
    ) -> Verdict {
        let record = &written.record;
        if BY_ITSELF.contains(&record.kind) {
            demand!(wish.is_none(), "somebody acts as the engine");
            return Ok(());
        }
        let over_all = matches!(wish, Some(Wish::Claim(claim)) if claim.all_tenants);
        let goes_back = record.kind == FINISH && over_all;
        demand!(
            record.tenant == asked_in || goes_back,
            "asked for in tenant {asked_in}, logged for {}",
            record.tenant
        );
        demand!(
            entry.tenant == record.tenant || over_all && !goes_back,
            "a command of tenant {} reached another",
            record.tenant
        );
        Ok(())
    }

    fn event(&mut self, entry: &Entry, wish: Option<&Wish>, marks: &mut Marks) -> Verdict {
        let tenant = entry.tenant;
        match &entry.event {
            Event::TenantCreated(fact) => return self.created(fact, wish),
            Event::TenantWeighted(fact) => {
                let asked = matches!(wish, Some(Wish::Command(Command::WeighTenant { weight })) if *weight == fact.weight);
                demand!(
                    asked && fact.weight > 0,
                    "a weight that nobody asked for: {}",
                    fact.weight
                );
                self.turns.weigh(tenant, fact.weight);
                return Ok(());
            }
            Event::EngineStarted(_) => self.turns.forget(),
            Event::TaskUpdated(_) => self.turns.leaves(tenant),
            Event::TaskCreated(fact)
                if self.is_elsewhere(tenant, |laws| laws.tasks.contains_key(&fact.task)) =>
            {
                marks.hit("two tenants have a task of the same id");
            }
            Event::RunStarted(_) => {
                if let Some(Wish::Claim(claim)) = wish.filter(|_| self.laws.len() > 1) {
                    self.takes_turn(tenant, claim, marks)?;
                }
            }
            _ => {}
        }
        let laws = self.of_mut(tenant)?;
        laws.event(&entry.event, wish)?;
        let shared = laws.shared;
        self.spread(shared);
        if matches!(&entry.event, Event::RunStarted(_) | Event::LeaseAcquired(_)) {
            self.turns.pays(tenant);
        }
        self.note_idle(Some(tenant));
        Ok(())
    }

    fn created(&mut self, fact: &TenantCreated, wish: Option<&Wish>) -> Verdict {
        let Some(Wish::Command(Command::CreateTenant { tenant, name })) = wish else {
            return Err(String::from("a tenant that nobody asked for"));
        };
        demand!(
            tenant.is_none_or(|tenant| tenant == fact.id) && *name == fact.name,
            "another tenant than was asked for"
        );
        let shared = self.shared;
        let laws = Laws {
            shared,
            ..Laws::default()
        };
        let is_new = self.laws.insert(fact.id, laws).is_none()
            && self.names.insert(fact.name.clone(), fact.id).is_none();
        demand!(is_new, "tenant {} again", fact.id);
        self.turns.weigh(fact.id, fact.weight);
        Ok(())
    }

    /// A claim over all tenants grants a run of this one: it must be its turn among those with work for the claim.
    fn takes_turn(&mut self, tenant: TenantId, claim: &Claim, marks: &mut Marks) -> Verdict {
        if !claim.all_tenants {
            return Ok(());
        }
        marks.hit("claim over all tenants granted");
        let mut waiting = Vec::new();
        for (other, laws) in &self.laws {
            if *other != tenant && laws.passed_over(claim)?.is_some() {
                waiting.push(*other);
            }
        }
        for other in waiting {
            if self.turns.chosen(tenant, other)? {
                marks.hit("tenants took turns by weight");
            }
        }
        Ok(())
    }

    /// Who has no work for a moment takes its place anew: nothing is known of its turn.
    fn note_idle(&mut self, only: Option<TenantId>) {
        for tenant in self.turns.known() {
            let asked = only.is_none_or(|only| only == tenant);
            if asked && !self.laws.get(&tenant).is_some_and(Laws::has_work) {
                self.turns.leaves(tenant);
            }
        }
    }

    /// Judges one answer to somebody in `tenant`; the laws stand at the answer's sequence.
    pub(crate) fn told(&mut self, tenant: TenantId, told: &mut Told<'_>) -> Verdict {
        if let Err(Rejection::UnknownTenant { tenant: named }) = told.said {
            demand!(
                *named == tenant && !self.laws.contains_key(&tenant),
                "tenant {tenant} is not known any more"
            );
            told.marks.hit("unknown tenant refused");
            return Ok(());
        }
        if let Err(Rejection::TenantAlreadyExists { tenant: named }) = told.said {
            return self.of(*named).map(drop);
        }
        match (told.wish, told.said) {
            (Wish::Claim(claim), Ok(Outcome::Claimed(grants))) => {
                self.told_claimed(tenant, claim, grants, told)
            }
            _ => {
                if let Err(Rejection::UnknownRun { run }) = told.said
                    && self.is_elsewhere(tenant, |laws| laws.runs.contains_key(run))
                {
                    told.marks.hit("another tenant's run is unknown");
                }
                self.of_mut(tenant)?.told(told)
            }
        }
    }

    fn is_elsewhere(&self, tenant: TenantId, holds: impl Fn(&Laws) -> bool) -> bool {
        self.each()
            .any(|(other, laws)| other != tenant && holds(laws))
    }

    fn told_claimed(
        &mut self,
        tenant: TenantId,
        claim: &Claim,
        grants: &[ClaimGrant],
        told: &Told<'_>,
    ) -> Verdict {
        if grants.is_empty() && !told.draining && claim.idempotency_key.is_none() {
            let wall = told.now.map_or(u64::MAX, |now| now.wall.0);
            if claim.all_tenants {
                self.each_mut()
                    .try_for_each(|laws| laws.told_nothing(claim, wall))?;
            } else {
                self.of_mut(tenant)?.told_nothing(claim, wall)?;
            }
        }
        for grant in grants {
            demand!(
                grant.tenant == tenant || claim.all_tenants,
                "run {} of tenant {} was granted to tenant {tenant}",
                grant.run,
                grant.tenant
            );
            if told.wrote {
                self.of(grant.tenant)?.told_granted(grant)?;
            }
        }
        Ok(())
    }

    /// Judges one look of somebody in `tenant`.
    pub(crate) fn seen(&self, tenant: TenantId, query: &Query, answer: &Answer) -> Verdict {
        let Some(laws) = self.laws.get(&tenant) else {
            demand!(
                matches!(answer, Answer::Absent),
                "a tenant that is not there was shown {answer:?}"
            );
            return Ok(());
        };
        let shown = match (query, answer) {
            (Query::Run(id), Answer::Run(view)) => view.tenant == tenant && view.id == *id,
            (Query::Task(id), Answer::Task(view)) => view.tenant == tenant && view.id == *id,
            (Query::Stats, Answer::Stats(stats)) => return self.seen_stats(stats),
            _ => true,
        };
        demand!(
            shown,
            "{query:?} of tenant {tenant} was answered {answer:?}"
        );
        laws.seen(query, answer)
    }

    fn seen_stats(&self, stats: &Stats) -> Verdict {
        let (mut by_state, mut tasks, mut runs) = ([0; 9], 0, 0);
        for (_, laws) in self.each() {
            let counts = laws.by_state();
            (0..9).for_each(|state| by_state[state] += counts[state]);
            tasks += laws.tasks.len() as u64;
            runs += laws.runs.len() as u64;
        }
        demand!(
            stats.runs_by_state == by_state,
            "counters {:?}, recount {by_state:?}",
            stats.runs_by_state
        );
        demand!(
            stats.tasks_total == tasks
                && stats.runs_total == runs
                && stats.sequence == self.shared.sequence,
            "totals {stats:?} differ from a recount"
        );
        Ok(())
    }
}
