//! The one mechanism behind most of them: the machine decides, the bug bends what it came to, and the machine is made to have decided that.

use mainstay::{
    Answer, Call, Command, Entry, Event, Events, Explain, Facts, Machine, Meddler, Now, Outcome,
    Query, Rejection, RunId, RunView, TaskId, TaskView, TenantId, Woken,
};

type Decided = Result<Outcome, Rejection>;

/// One command as the machine decided it.
pub(crate) struct Scene<'a> {
    pub(super) before: &'a Machine,
    pub(super) after: &'a Machine,
    pub(super) now: &'a Now,
    pub(super) asked: &'a Call,
}

/// A bug of the rules. It lives as long as its process, so that what it remembers is forgotten by a restart.
pub(crate) trait Bug: Send {
    /// Changes what a command came to; true when it did.
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool;

    /// Whether it bends what happens to any tenant; the others look at the default one alone.
    const ANYWHERE: bool = false;

    /// Hears of what was decided in the end.
    fn watch(&mut self, event: &Event) {
        let _ = event;
    }
}

/// A bug that bends events.
pub(crate) struct Bent<B>(pub(crate) B);

/// A bug that bends events, as the writer wants it.
pub(crate) fn meddler<B: Bug + 'static>(bug: B) -> Box<dyn Meddler> {
    Box::new(Bent(bug))
}

impl<B: Bug> Meddler for Bent<B> {
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Decided {
        let (before, asked) = (machine.clone(), call.clone());
        let mut decided = machine.step_into(now, facts, call, events);
        let scene = Scene {
            before: &before,
            after: machine,
            now,
            asked: &asked,
        };
        let concerned = B::ANYWHERE || is_at_home(&asked, events);
        if concerned && self.0.bend(&scene, events, &mut decided) {
            machine.take_woken(woken);
            *machine = before;
            events.iter().for_each(|entry| machine.replay(now, entry));
        }
        let own = events.iter();
        let own = own.filter(|entry| B::ANYWHERE || entry.tenant == TenantId::DEFAULT);
        own.for_each(|entry| self.0.watch(&entry.event));
        decided
    }
}

/// Whether only the default tenant is concerned: what happens to others is not bent.
fn is_at_home(asked: &Call, events: &Events) -> bool {
    let over_all = matches!(&asked.command, Command::Claim(claim) if claim.all_tenants);
    let at_home = |tenant: TenantId| tenant == TenantId::DEFAULT;
    !over_all && at_home(asked.principal.tenant) && events.iter().all(|entry| at_home(entry.tenant))
}

/// A fact about the default tenant.
pub(super) fn fact(event: impl Into<Event>) -> Entry {
    Entry {
        tenant: TenantId::DEFAULT,
        event: event.into(),
    }
}

pub(super) fn ask(machine: &Machine, now: &Now, query: Query) -> Answer {
    machine.answer(now, TenantId::DEFAULT, &query)
}

pub(super) fn run_of(machine: &Machine, now: &Now, id: RunId) -> Option<Box<RunView>> {
    match ask(machine, now, Query::Run(id)) {
        Answer::Run(view) => Some(view),
        _ => None,
    }
}

pub(super) fn task_of(machine: &Machine, now: &Now, id: TaskId) -> Option<Box<TaskView>> {
    match ask(machine, now, Query::Task(id)) {
        Answer::Task(view) => Some(view),
        _ => None,
    }
}

pub(super) fn explain(machine: &Machine, now: &Now, id: RunId) -> Option<Box<Explain>> {
    match ask(machine, now, Query::Explain(id)) {
        Answer::Explain(explain) => Some(explain),
        _ => None,
    }
}

impl Scene<'_> {
    pub(super) fn run(&self, id: RunId) -> Option<Box<RunView>> {
        run_of(self.after, self.now, id)
    }

    pub(super) fn task(&self, id: TaskId) -> Option<Box<TaskView>> {
        task_of(self.after, self.now, id)
    }

    /// The task that an event is about, be it by its run.
    pub(super) fn subject(&self, event: &Event) -> Option<TaskId> {
        let about = event.about();
        about.task.or_else(|| Some(self.run(about.run?)?.task))
    }
}
