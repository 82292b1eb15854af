//! Finished rows that have left memory and that somebody names: brought back from the store to be looked at, never to be changed.
//! Owns: `Facts`, and what a caller must look up before a command is decided.
//! Never: beats a row in memory.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::model::{Machine, Now};
use crate::codec::{Malformed, Record};
use crate::command::{Call, Command};
use crate::image::{KeyClass, KeyRow, Loader, PlaceRow};
use crate::limits::{DEPENDS_ON_MAX, RUNS_SHOWN_MAX};
use crate::operation::{Action, Operate};
use crate::query::{Answer, Query};
use crate::rejection::Rejection;
use crate::schedule::{self, Ask, Instants, Unfit};
use crate::state::{Held, State};
use crate::{Bytes, RunId, TaskId, TaskSpec, TenantId, Text, dependency, task};

/// Terminal rows that a command names and that are no longer in memory, as the store holds them. A row in memory always beats a fact.
#[derive(Debug, Default)]
pub struct Facts(Option<Box<Recalled>>);

/// What was looked up: most commands need nothing.
#[derive(Debug, Default)]
struct Recalled {
    loader: Option<Box<Loader>>,
    state: Option<Box<State>>,
    instants: Vec<(Ask, Result<Instants, Unfit>)>,
    payloads: Vec<(u64, Bytes)>,
}

/// What is not in memory and must be looked up in the store before, or after, a command is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A task of this id.
    Task(TaskId),
    /// A run of this id.
    Run(RunId),
    /// A run of this id that may be tried again: with its task's payload, if that is stored by itself.
    DeadLetter(RunId),
    /// This key, with the task it made.
    Key(KeyClass, Text),
    /// The instants of a calendar. They are not in the store: the shell computes them.
    Instants(Box<Ask>),
}

impl Facts {
    fn loader(&mut self) -> &mut Loader {
        let recalled = self.0.get_or_insert_default();
        recalled
            .loader
            .get_or_insert_with(|| Box::new(Loader::of_facts(0)))
    }

    /// Describes a place that images name.
    pub fn add_place(&mut self, place: &PlaceRow) {
        self.loader().add_place(place);
    }

    /// Adds a task; its place was added before. Tasks come in any order, and one that is there already may come again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn add_task(&mut self, image: &[u8]) -> Result<(), Malformed> {
        self.loader().task(image)
    }

    /// Adds a run; its task was added before. One that is there already may come again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn add_run(&mut self, image: &[u8]) -> Result<(), Malformed> {
        self.loader().run(image)
    }

    /// Adds a held key.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn add_key(&mut self, row: &KeyRow) -> Result<(), Malformed> {
        let held = Held::read(&row.image)?;
        self.loader().add_key(row, held);
        Ok(())
    }

    /// Adds the payload of the task with this number.
    pub fn add_payload(&mut self, task: u64, bytes: Bytes) {
        let recalled = self.0.get_or_insert_default();
        recalled.payloads.push((task, bytes));
    }

    /// The payload of the task with this number.
    pub(crate) fn payload(&self, task: u64) -> Option<&Bytes> {
        let mut known = self.0.as_deref()?.payloads.iter();
        let found = known.find(|(number, _)| *number == task);
        found.map(|(_, bytes)| bytes)
    }

    /// Adds what the shell says about a calendar.
    pub fn add_instants(&mut self, ask: Ask, answer: Result<Instants, Unfit>) {
        let recalled = self.0.get_or_insert_default();
        recalled.instants.push((ask, answer));
    }

    /// What the shell says about a task's calendar.
    pub(crate) fn instants(&self, number: u64) -> Option<&Result<Instants, Unfit>> {
        let mut all = self.0.as_deref()?.instants.iter();
        let its = all.find(|(ask, _)| ask.number == number);
        its.map(|(_, answer)| answer)
    }

    /// What the shell says about a calendar that comes with a command.
    pub(crate) fn first_instant(&self, asked: &Ask) -> Option<&Result<Instants, Unfit>> {
        let mut all = self.0.as_deref()?.instants.iter();
        let same = all.find(|(ask, _)| ask == asked);
        same.map(|(_, answer)| answer)
    }

    /// The rows are complete: they may be looked at.
    #[must_use]
    pub fn ready(mut self) -> Facts {
        if let Some(recalled) = self.0.as_deref_mut()
            && let Some(loader) = recalled.loader.take()
        {
            recalled.state = Some(Box::new(loader.into_state()));
        }
        self
    }

    /// Answers a question from these rows alone. Call [`Facts::ready`] before.
    #[must_use]
    pub fn answer(self, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        match self.ready().0.and_then(|recalled| recalled.state) {
            Some(state) => Machine::from_state(*state).answer(now, tenant, query),
            None => Answer::Absent,
        }
    }

    fn state(&self) -> Option<&State> {
        self.0.as_deref()?.state.as_deref()
    }

    pub(crate) fn find_run(&self, tenant: TenantId, id: RunId) -> Option<(&State, u32)> {
        let state = self.state()?;
        let run = state.find_run(state.tenant(tenant)?, id)?;
        Some((state, run))
    }

    pub(crate) fn find_task(&self, tenant: TenantId, id: TaskId) -> Option<(&State, u32)> {
        let state = self.state()?;
        let task = state.find_task(state.tenant(tenant)?, id)?;
        Some((state, task))
    }

    pub(crate) fn find_key(&self, tenant: TenantId, class: KeyClass, key: &Text) -> Option<&Held> {
        let state = self.state()?;
        state.keys.find(state.tenant(tenant)?, class, key)
    }

    pub(crate) fn has_claimed(&self, tenant: TenantId, key: &Text) -> bool {
        self.find_key(tenant, KeyClass::Claim, key).is_some()
    }
}

/// What is to be asked about the calendars of new tasks.
fn ask_all(tasks: &[(Option<TaskId>, TaskSpec)], now: &Now, ask: impl FnMut(Ask)) {
    let asked = tasks.iter();
    asked
        .filter_map(|(_, spec)| schedule::ask_submit(spec, now.wall))
        .for_each(ask);
}

impl Machine {
    /// What must be looked up before this call is decided, because its absence would let it succeed: a task's chosen id, a key; or because
    /// only the shell knows it: what comes next by a calendar.
    pub fn wanted_before(&self, now: &Now, call: &Call, mut visit: impl FnMut(Wanted)) {
        self.instants_before(now, call, &mut visit);
        let Some(tenant) = self.state.tenant(call.principal.tenant) else {
            return;
        };
        match &call.command {
            Command::Claim(claim) => {
                let key = claim.idempotency_key.as_ref();
                self.wanted_key(tenant, KeyClass::Claim, key, &mut visit);
            }
            Command::Submit(spec) => self.wanted_by(tenant, None, spec, &mut visit),
            Command::SubmitAs(id, spec) => self.wanted_by(tenant, Some(*id), spec, &mut visit),
            Command::SubmitAll(tasks) if task::check_bounds(tasks).is_ok() => {
                self.wanted_by_all(tenant, tasks, visit);
            }
            Command::Finish(finish)
                if !finish.children.is_empty() && dependency::is_bounded(finish) =>
            {
                self.wanted_by_all(tenant, &finish.children, visit);
            }
            Command::DeclareDependencies { task, depends_on } => {
                let named = depends_on.iter().take(DEPENDS_ON_MAX);
                self.wanted_tasks(tenant, core::iter::once(task).chain(named), &mut visit);
            }
            Command::RetryRun { run, .. } => self.dead_letter_wanted(tenant, *run, &mut visit),
            Command::Operate(what) => self.operation_wanted(tenant, what, &mut visit),
            Command::Attest(what) => {
                let key = what.idempotency_key();
                self.wanted_key(tenant, KeyClass::Ledger, key, &mut visit);
            }
            Command::CreateRun { run: Some(run), .. }
                if self.state.find_run(tenant, *run).is_none() =>
            {
                visit(Wanted::Run(*run));
            }
            _ => {}
        }
    }

    /// What the submit of many tasks looks up: each task that they name once.
    fn wanted_by_all(
        &self,
        tenant: u32,
        tasks: &[(Option<TaskId>, TaskSpec)],
        mut visit: impl FnMut(Wanted),
    ) {
        let mut named = BTreeSet::new();
        let mut once = |wanted| match wanted {
            Wanted::Task(id) if !named.insert(id) => {}
            wanted => visit(wanted),
        };
        for (id, spec) in tasks {
            self.wanted_by(tenant, *id, spec, &mut once);
        }
    }

    /// What the submit of one task looks up: its key, its id, everything that its bonds name, and the runs that the answer shows of the
    /// holder of its unique key.
    fn wanted_by(
        &self,
        tenant: u32,
        id: Option<TaskId>,
        spec: &TaskSpec,
        visit: &mut impl FnMut(Wanted),
    ) {
        let extras = spec.extras.as_deref();
        let key = extras.and_then(|extras| extras.idempotency_key.as_ref());
        self.wanted_key(tenant, KeyClass::Submit, key, visit);
        if let Some(key) = extras.and_then(|extras| extras.unique_key.as_ref())
            && let Some(holder) = self.state.unique.get(&(tenant, key.clone()))
        {
            self.runs_wanted(tenant, self.state.tasks[*holder].id, visit);
        }
        if let Some(id) = id {
            self.wanted_task(tenant, id, visit);
        }
        let Some(bonds) = spec.bonds.as_deref() else {
            return;
        };
        // More of them are refused unseen.
        let named = bonds.depends_on.iter().take(DEPENDS_ON_MAX);
        self.wanted_tasks(tenant, bonds.parent.iter().chain(named), visit);
        if let Some((run, _)) = bonds.parent_run
            && self.state.find_run(tenant, run).is_none()
        {
            visit(Wanted::Run(run));
        }
    }

    /// A dead letter that has left memory, or whose task's payload has.
    fn dead_letter_wanted(&self, tenant: u32, id: RunId, visit: &mut impl FnMut(Wanted)) {
        let run = self.state.find_run(tenant, id);
        let payload = run.map(|run| self.state.task_of(run).payload.bytes());
        if payload.flatten().is_none() {
            visit(Wanted::DeadLetter(id));
        }
    }

    /// The runs of a piece that have left memory.
    fn operation_wanted(&self, tenant: u32, what: &Operate, visit: &mut impl FnMut(Wanted)) {
        let Operate::Advance(piece) = what else {
            return;
        };
        let row = self.state.operations.find(tenant, piece.operation);
        let Some(row) = row.filter(|row| row.takes(piece).is_ok()) else {
            return;
        };
        for (_, run) in &piece.runs {
            if row.action == Action::Retry {
                self.dead_letter_wanted(tenant, *run, visit);
            } else if self.state.find_run(tenant, *run).is_none() {
                visit(Wanted::Run(*run));
            }
        }
    }

    fn wanted_key(
        &self,
        tenant: u32,
        class: KeyClass,
        key: Option<&Text>,
        visit: &mut impl FnMut(Wanted),
    ) {
        let Some(key) = key else { return };
        match self.state.keys.find(tenant, class, key) {
            None => visit(Wanted::Key(class, key.clone())),
            // The answer shows runs that may have left memory before their task.
            Some(Held { task: Some(id), .. }) => self.runs_wanted(tenant, *id, visit),
            Some(_) => {}
        }
    }

    /// Several tasks, each once.
    fn wanted_tasks<'a>(
        &self,
        tenant: u32,
        ids: impl Iterator<Item = &'a TaskId>,
        visit: &mut impl FnMut(Wanted),
    ) {
        let mut seen = BTreeSet::new();
        for id in ids.filter(|id| seen.insert(**id)) {
            self.wanted_task(tenant, *id, visit);
        }
    }

    fn wanted_task(&self, tenant: u32, id: TaskId, visit: &mut impl FnMut(Wanted)) {
        if self.state.find_task(tenant, id).is_none() {
            visit(Wanted::Task(id));
        }
    }

    /// The instants that this call cannot be decided without.
    fn instants_before(&self, now: &Now, call: &Call, visit: &mut impl FnMut(Wanted)) {
        let mut ask = |ask: Ask| visit(Wanted::Instants(Box::new(ask)));
        match &call.command {
            Command::Submit(spec) | Command::SubmitAs(_, spec) => {
                schedule::ask_submit(spec, now.wall).map(ask);
            }
            Command::SubmitAll(tasks) => ask_all(tasks, now, ask),
            Command::Finish(finish) => ask_all(&finish.children, now, ask),
            Command::UpdateTask(patch) => {
                let tenant = self.state.tenant(call.principal.tenant);
                let task = tenant.and_then(|tenant| self.state.find_task(tenant, patch.task));
                task.and_then(|task| schedule::ask_change(&self.state, task, patch, now.wall))
                    .map(ask);
            }
            Command::Tick => schedule::ask_due(&self.state, now, &mut ask),
            _ => {}
        }
    }

    /// What must be looked up before a refusal is believed: what it calls unknown may have left memory.
    #[must_use]
    pub fn wanted_after(&self, rejection: &Rejection) -> Option<Wanted> {
        match rejection.innermost() {
            Rejection::UnknownRun { run } => Some(Wanted::Run(*run)),
            Rejection::UnknownTask { task } => Some(Wanted::Task(*task)),
            _ => None,
        }
    }

    /// Whether a task of this id is in memory, and with it as many of its runs as an answer shows.
    #[must_use]
    pub fn holds_task(&self, tenant: TenantId, id: TaskId) -> bool {
        let tenant = self.state.tenant(tenant);
        let task = tenant.and_then(|tenant| self.state.find_task(tenant, id));
        task.is_some_and(|task| self.shows_all(task))
    }

    /// What must be looked up for an answer that shows the runs of a task in memory.
    fn runs_wanted(&self, tenant: u32, id: TaskId, visit: &mut impl FnMut(Wanted)) {
        let task = self.state.find_task(tenant, id);
        if task.is_some_and(|task| !self.shows_all(task)) {
            visit(Wanted::Task(id));
        }
    }

    fn shows_all(&self, task: u32) -> bool {
        let row = &self.state.tasks[task];
        let shown = RUNS_SHOWN_MAX.min(row.runs_total as usize);
        shown == 0 || row.runs().nth(shown - 1).is_some()
    }
}
