//! A command's hands: it reads the state and changes it only by emitting.
//! Owns: `emit`, minting of ids within a command.
//! Never: hands out `&mut State`.

use alloc::vec::Vec;

use super::apply;
use super::facts::Facts;
use super::model::{Entry, Events, Now};
use crate::command::Claim;
use crate::event::Event;
use crate::id::{Minted, mix};
use crate::image::KeyClass;
use crate::limits::KEY_HELD_MS;
use crate::rejection::Rejection;
use crate::schedule::{self, Ask, Instants, Unfit};
use crate::state::{At, Held, Note, Renewal, State, Volatile};
use crate::time::Steady;
use crate::{
    ActorId, ApprovalId, Bytes, OperationId, Principal, RunId, SubscriptionId, TaskId, TenantId,
    Text, WebhookId, budget, dependency, queue, run, task,
};

/// One command's view of the machine.
pub(crate) struct Tx<'a> {
    state: &'a mut State,
    volatile: &'a mut Volatile,
    facts: &'a Facts,
    events: &'a mut Events,
    pub(crate) now: &'a Now,
    pub(crate) principal: &'a Principal,
    /// The handle of the principal's tenant.
    pub(crate) tenant: u32,
    minted: Minted,
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        state: &'a mut State,
        volatile: &'a mut Volatile,
        facts: &'a Facts,
        events: &'a mut Events,
        now: &'a Now,
        principal: &'a Principal,
        tenant: u32,
    ) -> Tx<'a> {
        let minted = state.minted;
        Tx {
            state,
            volatile,
            facts,
            events,
            now,
            principal,
            tenant,
            minted,
        }
    }

    pub(crate) fn state(&self) -> &State {
        self.state
    }

    pub(crate) fn volatile(&self) -> &Volatile {
        self.volatile
    }

    /// A finished run that has left memory.
    pub(crate) fn past_run(&self, id: RunId) -> Result<&run::Row, Rejection> {
        let tenant = self.principal.tenant;
        self.facts
            .find_run(tenant, id)
            .map(|(state, run)| &state.runs[run])
            .ok_or(Rejection::UnknownRun { run: id })
    }

    /// A finished run that has left memory: where to look, and its handle there.
    pub(crate) fn past(&self, id: RunId) -> Option<(&State, u32)> {
        self.facts.find_run(self.principal.tenant, id)
    }

    /// The payload of a task, by its number, as the store holds it.
    pub(crate) fn past_payload(&self, number: u64) -> Option<&Bytes> {
        self.facts.payload(number)
    }

    /// A task, in memory or finished before: where to look, and its handle there.
    pub(crate) fn find_task(&self, id: TaskId) -> Option<(&State, u32)> {
        let live = self.state.find_task(self.tenant, id);
        match live {
            Some(task) => Some((self.state, task)),
            None => self.facts.find_task(self.principal.tenant, id),
        }
    }

    /// A task that has not ended, in memory: what the store holds of one that has ended is final.
    pub(crate) fn live_task(&self, id: TaskId) -> Result<u32, Rejection> {
        let found = self.find_task(id);
        let (state, task) = found.ok_or(Rejection::UnknownTask { task: id })?;
        match dependency::standing(state, task) {
            task::State::Canceled => Err(Rejection::TaskIsCanceled { task: id }),
            ended if ended.is_terminal() => Err(Rejection::TaskHasEnded {
                task: id,
                state: ended,
            }),
            _ => Ok(task),
        }
    }

    /// Whether there is or was a run of this id.
    pub(crate) fn knows_run(&self, id: RunId) -> bool {
        self.state.find_run(self.tenant, id).is_some() || self.past_run(id).is_ok()
    }

    /// A task that has left memory, or whose runs have: as the store holds it.
    pub(crate) fn past_task(&self, id: TaskId) -> Option<(&State, u32)> {
        self.facts.find_task(self.principal.tenant, id)
    }

    /// The task of a run, in memory or finished before.
    pub(crate) fn task_of_run(&self, id: RunId) -> Result<TaskId, Rejection> {
        let live = self.state.find_run(self.tenant, id);
        let found = live.map(|run| (&*self.state, run));
        let found = found.or_else(|| self.facts.find_run(self.principal.tenant, id));
        let (state, run) = found.ok_or(Rejection::UnknownRun { run: id })?;
        Ok(state.task_of(run).id)
    }

    /// Whether there is or was a task of this id.
    pub(crate) fn knows_task(&self, id: TaskId) -> bool {
        self.find_task(id).is_some()
    }

    /// What a key stands for, if it still holds: within its time, while its task is live, and as long again after the task's end.
    pub(crate) fn find_key(&self, class: KeyClass, key: &Text) -> Option<&Held> {
        let tenant = self.principal.tenant;
        let held = self.state.keys.find(self.tenant, class, key);
        let held = held.or_else(|| self.facts.find_key(tenant, class, key))?;
        let holds = |task| {
            let found = self.find_task(task);
            found.is_some_and(|(state, task)| match state.ended_at(task) {
                Some(ended) => ended.plus_ms(KEY_HELD_MS) > self.now.wall,
                None => true,
            })
        };
        (held.until > self.now.wall || held.task.is_some_and(holds)).then_some(held)
    }

    /// What the events so far mean to other rooms, one at a time, in order.
    pub(super) fn take_notes(&mut self, into: &mut Vec<Note>) {
        into.clear();
        core::mem::swap(&mut self.state.notes, into);
    }

    /// What the shell says about a task's calendar.
    pub(crate) fn instants(&self, number: u64) -> Option<&Result<Instants, Unfit>> {
        self.facts.instants(number)
    }

    /// What the shell says about a calendar that comes with the command.
    pub(crate) fn first_instant(&self, ask: &Ask) -> Option<&Result<Instants, Unfit>> {
        self.facts.first_instant(ask)
    }

    /// A run takes the place of the earlier runs of its schedule: `react` draws what follows.
    pub(crate) fn overtaken(&mut self, id: RunId, tenant: u32) {
        if let Some(run) = self.state.find_run(tenant, id) {
            self.state.notes.push(Note::Overtaken(run));
        }
    }

    /// Sets a future run aside until its queue is open: an index, not a fact.
    pub(crate) fn stall(&mut self, run: u32) {
        schedule::stall(self.state, run);
    }

    /// Takes up again what was set aside and may go on.
    pub(crate) fn reopen_schedules(&mut self, most: usize) {
        schedule::reopen(self.state, most);
    }

    /// Says which run the command at hand is about, so that its events need not look it up again.
    pub(crate) fn about(&mut self, run: u32) {
        self.state.about = run;
    }

    /// Records and applies a fact about the principal's tenant.
    #[inline]
    pub(crate) fn emit(&mut self, event: impl Into<Event>) {
        self.emit_for(self.tenant, event);
    }

    /// Records and applies a fact about a tenant: time passes for all of them.
    #[inline]
    pub(crate) fn emit_for(&mut self, tenant: u32, event: impl Into<Event>) {
        self.events.push(Entry {
            tenant: self.state.tenants[tenant as usize],
            event: event.into(),
        });
        self.apply_last(tenant);
    }

    /// Applies the fact recorded last, where it stands: it is not moved again.
    fn apply_last(&mut self, tenant: u32) {
        let at = At {
            wall: self.now.wall,
            steady: self.now.steady,
            tenant,
            sequence: 0,
        };
        if let Some(entry) = self.events.last() {
            apply(self.state, at, &entry.event);
        }
        self.volatile.settle(&mut self.state.closed);
    }

    /// A new id, greater than every id minted before in this data directory.
    fn mint(&mut self) -> u128 {
        self.minted = self.minted.next(self.now.wall);
        self.minted.id(mix(self.now.id_seed))
    }

    pub(crate) fn mint_task(&mut self) -> TaskId {
        TaskId(self.mint())
    }

    pub(crate) fn mint_run(&mut self) -> RunId {
        RunId(self.mint())
    }

    pub(crate) fn mint_tenant(&mut self) -> TenantId {
        TenantId(self.mint())
    }

    pub(crate) fn mint_actor(&mut self) -> ActorId {
        ActorId(self.mint())
    }

    pub(crate) fn mint_subscription(&mut self) -> SubscriptionId {
        SubscriptionId(self.mint())
    }

    pub(crate) fn mint_operation(&mut self) -> OperationId {
        OperationId(self.mint())
    }

    pub(crate) fn mint_approval(&mut self) -> ApprovalId {
        ApprovalId(self.mint())
    }

    pub(crate) fn mint_webhook(&mut self) -> WebhookId {
        WebhookId(self.mint())
    }

    /// Keeps a lease alive in memory only.
    pub(crate) fn renew(&mut self, run: u32, renewal: Renewal) {
        self.volatile.renewals.insert(run, renewal);
    }

    /// The process begins: nobody has asked for anything yet, and no actor could be heard of before.
    pub(crate) fn begin(&mut self) {
        self.volatile.workers.begin(self.now.steady);
        for row in self.state.actors.rows() {
            let now = (self.now.steady, self.now.wall);
            self.volatile.actors.note(row.number, now);
        }
    }

    /// An actor was heard of: kept in memory only.
    pub(crate) fn heard(&mut self, actor: u64) {
        let now = (self.now.steady, self.now.wall);
        self.volatile.actors.note(actor, now);
    }

    /// Looks then again whether an actor is silent: an index, not a fact.
    pub(crate) fn watch_actor(&mut self, actor: u64, at: Steady) {
        self.state.actors.rearm(actor, at);
    }

    /// An actor is registered no more.
    pub(crate) fn forget_actor(&mut self, actor: u64) {
        self.volatile.actors.forget(actor);
    }

    /// Remembers what a worker asks for, for a while.
    pub(crate) fn saw(&mut self, claim: &Claim) {
        let (tenant, now) = (self.tenant, self.now.steady);
        self.volatile.workers.saw(tenant, claim, now);
    }

    /// The run that a claim comes to next, past queues that are closed.
    pub(crate) fn next_ready(&mut self, pick: &mut queue::Pick) -> Option<u32> {
        pick.next(self.state, self.now.steady)
    }

    /// Wakes claims at queues whose rate allows the next start.
    pub(crate) fn open_queues(&mut self) {
        self.state.queues.open_due(self.now.steady);
    }

    /// Moves a blocked head aside until its blocker has room. The run stays `ready`; where a ready run waits is an index, not a fact.
    pub(crate) fn park(&mut self, run: u32, blocker: queue::Blocker) {
        queue::park(self.state, run, blocker);
    }

    /// Moves a run that waits for a budget to another one that covers it and is exhausted too: an index, not a fact.
    pub(crate) fn wait_again(&mut self, run: u32) {
        budget::wait_again(self.state, run);
    }

    /// Looks at the run again when its renewed lease ends.
    pub(crate) fn look_again(&mut self, run: u32) {
        let alarm = match self.state.runs[run].active.as_ref() {
            Some(active) => crate::state::Alarm::Steady(
                active.alarm(self.volatile.expires(run, active.expires)),
            ),
            None => self.state.runs[run].alarm(self.state.task_of(run)),
        };
        self.state.rearm_to(run, alarm);
    }

    /// Tells the shell that this run's lane may still have work for waiting claims.
    pub(crate) fn wake(&mut self, run: u32) {
        self.state.queues.wake(queue::lane_of(self.state, run));
    }
}
