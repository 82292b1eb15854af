//! Makes spans of events: a submit, each wait for a worker, each attempt. What happened before somebody listened is looked up.

use std::collections::HashMap;

use mainstay_core::events::RunStarted;
use mainstay_core::{
    AttemptId, AttemptResult, Event, RunError, RunId, RunState, RunView, TaskId, TaskSpec,
    TenantId, Text, Timestamp,
};

use super::context::{Context, Sampling, attempt_span, own_trace, submit_span, wait_span};
use super::span::{Outcome, Span, SpanKind};

/// Runs and tasks that are remembered; beyond that all are forgotten and looked up again when they are heard of.
const KNOWN_MAX: usize = 65_536;

/// What a task's spans need to know of it.
#[derive(Clone, Debug)]
pub(super) struct TaskFacts {
    pub(super) kind: Text,
    pub(super) queue: Text,
    pub(super) context: Option<Context>,
}

/// Where things are looked up that were not heard of.
pub(super) trait Look {
    fn task(&self, tenant: TenantId, task: TaskId) -> Option<TaskFacts>;
    fn run(&self, tenant: TenantId, run: RunId) -> Option<Box<RunView>>;
}

/// Something that happened.
#[derive(Clone, Copy)]
pub(super) struct Heard<'a> {
    pub(super) at: Timestamp,
    pub(super) tenant: TenantId,
    pub(super) event: &'a Event,
}

/// An attempt that is on its way, or was.
#[derive(Clone, Debug)]
struct Begun {
    number: u32,
    at: Timestamp,
    worker: Text,
}

/// A run that is told of.
#[derive(Clone, Debug)]
struct Followed {
    task: TaskId,
    facts: TaskFacts,
    trace: u128,
    parent: Option<u64>,
    /// What its first attempt goes on from.
    link: Option<(u128, u64)>,
    ready_at: Option<Timestamp>,
    begun: Option<Begun>,
}

/// What came before: tasks and runs whose end is not heard yet. Nothing stands for what is not told of.
pub(super) struct Story {
    sampling: Sampling,
    tasks: HashMap<(TenantId, TaskId), TaskFacts>,
    runs: HashMap<(TenantId, RunId), Option<Box<Followed>>>,
}

impl Story {
    pub(super) fn new(sampling: Sampling) -> Story {
        Story {
            sampling,
            tasks: HashMap::new(),
            runs: HashMap::new(),
        }
    }

    /// Adds the spans that end with this.
    pub(super) fn hear(&mut self, heard: Heard<'_>, look: &dyn Look, out: &mut Vec<Span>) {
        match heard.event {
            Event::TaskCreated(event) => self.submitted(heard, event.task, &event.spec, out),
            Event::RunCreated(event) => {
                let facts = self.task(heard.tenant, event.task, look);
                let followed = facts.and_then(|facts| {
                    let of = (heard.tenant, event.task, event.run);
                    let own = event.occurrence.is_some();
                    let mut followed = self.follow(of, facts, own)?;
                    followed.ready_at = event.ready.then_some(heard.at);
                    if let Some(origin) = event.retry_of {
                        followed.link = self.origin(heard.tenant, origin, look);
                    }
                    Some(followed)
                });
                self.remember(heard.tenant, event.run, followed);
            }
            Event::RunReady(event) => self.ready(heard, event.run, look),
            Event::LeaseEnded(event) => self.ready(heard, event.run, look),
            Event::RunResumed(event) => self.ready(heard, event.run, look),
            Event::RunStarted(event) => self.started(heard, event, look, out),
            Event::RunReturned(event) => {
                let ended = (event.run, event.result, event.error.as_deref());
                self.ended(heard, ended, look, out);
                self.ready(heard, event.run, look);
            }
            Event::RunRetryScheduled(event) => {
                let ended = (event.run, event.result, event.error.as_deref());
                self.ended(heard, ended, look, out);
            }
            Event::RunSuspended(event) => {
                let ended = (event.run, event.result, event.error.as_deref());
                self.ended(heard, ended, look, out);
            }
            Event::RunCompleted(event) => {
                let ended = (event.run, AttemptResult::Success, None);
                self.ended(heard, ended, look, out);
                self.forget(heard.tenant, event.run);
            }
            Event::RunFailed(event) => {
                let ended = (event.run, event.result, event.error.as_deref());
                self.ended(heard, ended, look, out);
                self.forget(heard.tenant, event.run);
            }
            Event::RunCanceled(event) => {
                if let Some(result) = event.result {
                    let ended = (event.run, result, event.error.as_deref());
                    self.ended(heard, ended, look, out);
                }
                self.forget(heard.tenant, event.run);
            }
            Event::RunTransitioned(event) => {
                self.closed(heard, event.run, look, out);
                if event.to.is_terminal() {
                    self.forget(heard.tenant, event.run);
                }
            }
            _ => {}
        }
    }

    fn submitted(&mut self, heard: Heard<'_>, task: TaskId, spec: &TaskSpec, out: &mut Vec<Span>) {
        let extras = spec.extras.as_deref();
        let traceparent = extras.and_then(|extras| extras.traceparent.as_deref());
        let facts = TaskFacts {
            kind: spec.kind.clone(),
            queue: spec.queue.clone(),
            context: traceparent.and_then(Context::parse),
        };
        let (trace, parent) = match facts.context {
            Some(context) => (context.trace, Some(context.span)),
            None => (own_trace(task.0), None),
        };
        if self.keeps(&facts, trace) {
            let mut span = Span {
                trace,
                id: submit_span(heard.tenant, task),
                parent,
                name: format!("submit {}", facts.kind).into(),
                kind: SpanKind::Producer,
                begin: nanos(heard.at),
                end: nanos(heard.at),
                attributes: Vec::with_capacity(4),
                links: Vec::new(),
                outcome: Outcome::Unset,
            };
            name_task(&mut span, heard.tenant, task, &facts);
            out.push(span);
        }
        if self.tasks.len() >= KNOWN_MAX {
            self.tasks.clear();
        }
        self.tasks.insert((heard.tenant, task), facts);
    }

    fn keeps(&self, facts: &TaskFacts, trace: u128) -> bool {
        match facts.context {
            Some(context) => self.sampling.keeps_under(context),
            None => self.sampling.keeps_own(trace),
        }
    }

    fn task(&mut self, tenant: TenantId, task: TaskId, look: &dyn Look) -> Option<TaskFacts> {
        if let Some(facts) = self.tasks.get(&(tenant, task)) {
            return Some(facts.clone());
        }
        look.task(tenant, task)
    }

    /// Where a run's spans belong: in the trace of its submit. A calendar goes on for ever, so its runs have traces of their own, unless
    /// its submit named one.
    fn follow(
        &self,
        (tenant, task, run): (TenantId, TaskId, RunId),
        facts: TaskFacts,
        is_occurrence: bool,
    ) -> Option<Box<Followed>> {
        let submit = submit_span(tenant, task);
        let (trace, parent, link) = match facts.context {
            Some(context) => (context.trace, Some(submit), None),
            None if is_occurrence => {
                let link = (own_trace(task.0), submit);
                (own_trace(run.0), None, Some(link))
            }
            None => (own_trace(task.0), Some(submit), None),
        };
        self.keeps(&facts, trace).then(|| {
            Box::new(Followed {
                task,
                facts,
                trace,
                parent,
                link,
                ready_at: None,
                begun: None,
            })
        })
    }

    fn remember(&mut self, tenant: TenantId, run: RunId, followed: Option<Box<Followed>>) {
        if self.runs.len() >= KNOWN_MAX {
            self.runs.clear();
        }
        self.runs.insert((tenant, run), followed);
    }

    fn forget(&mut self, tenant: TenantId, run: RunId) {
        if let Some(Some(followed)) = self.runs.remove(&(tenant, run)) {
            self.tasks.remove(&(tenant, followed.task));
        }
    }

    /// The run, if it is told of.
    fn run(&mut self, heard: Heard<'_>, run: RunId, look: &dyn Look) -> Option<&mut Followed> {
        if !self.runs.contains_key(&(heard.tenant, run)) {
            let followed = self.recall(heard, run, look);
            self.remember(heard.tenant, run, followed);
        }
        let known = self.runs.get_mut(&(heard.tenant, run))?;
        known.as_deref_mut()
    }

    /// A run that was made before anybody listened, as it was when this happened.
    fn recall(&mut self, heard: Heard<'_>, run: RunId, look: &dyn Look) -> Option<Box<Followed>> {
        let view = look.run(heard.tenant, run)?;
        let facts = self.task(heard.tenant, view.task, look)?;
        let of = (heard.tenant, view.task, run);
        let mut followed = self.follow(of, facts, view.occurrence.is_some())?;
        if let Some(origin) = view.retry_of {
            followed.link = self.origin(heard.tenant, origin, look);
        }
        let before = view.changes.iter().rev();
        let mut before = before.filter(|change| change.at <= heard.at);
        let ready = before.find(|change| change.to == RunState::Ready);
        followed.ready_at = ready.map(|change| change.at);
        let mut begun = view.attempts.iter().rev();
        let begun = begun.find(|attempt| {
            let is_over = attempt.finished_at.is_some_and(|end| end < heard.at);
            attempt.started_at <= heard.at && !is_over
        });
        followed.begun = begun.map(|attempt| Begun {
            number: attempt.number,
            at: attempt.started_at,
            worker: attempt.worker.clone(),
        });
        Some(followed)
    }

    /// The last attempt of the dead letter that a run tries again.
    fn origin(&mut self, tenant: TenantId, run: RunId, look: &dyn Look) -> Option<(u128, u64)> {
        let view = look.run(tenant, run)?;
        let facts = self.task(tenant, view.task, look)?;
        let of = (tenant, view.task, run);
        let origin = self.follow(of, facts, view.occurrence.is_some())?;
        Some((origin.trace, attempt_span(run, view.attempt_count)))
    }

    fn ready(&mut self, heard: Heard<'_>, run: RunId, look: &dyn Look) {
        if let Some(followed) = self.run(heard, run, look) {
            followed.ready_at = Some(heard.at);
        }
    }

    fn started(
        &mut self,
        heard: Heard<'_>,
        event: &RunStarted,
        look: &dyn Look,
        out: &mut Vec<Span>,
    ) {
        let Some(followed) = self.run(heard, event.run, look) else {
            return;
        };
        followed.begun = Some(Begun {
            number: event.number,
            at: heard.at,
            worker: event.worker.clone(),
        });
        if let Some(since) = followed.ready_at.take() {
            let mut span = Span {
                trace: followed.trace,
                id: wait_span(event.run, event.number),
                parent: followed.parent,
                name: format!("wait {}", followed.facts.queue).into(),
                kind: SpanKind::Internal,
                begin: nanos(since.min(heard.at)),
                end: nanos(heard.at),
                attributes: Vec::with_capacity(6),
                links: Vec::new(),
                outcome: Outcome::Unset,
            };
            name_task(&mut span, heard.tenant, followed.task, &followed.facts);
            name_attempt(&mut span, event.run, event.number);
            out.push(span);
        }
    }

    fn ended(
        &mut self,
        heard: Heard<'_>,
        (run, result, error): (RunId, AttemptResult, Option<&RunError>),
        look: &dyn Look,
        out: &mut Vec<Span>,
    ) {
        let Some(followed) = self.run(heard, run, look) else {
            return;
        };
        match followed.begun.take() {
            Some(begun) => {
                let code = error.map(|error| &*error.code);
                let spans = followed.attempt(heard, run, &begun, (result, code));
                out.push(spans);
            }
            None => self.closed(heard, run, look, out),
        }
    }

    /// An attempt ended that nothing was heard of: what began and ended by hand.
    fn closed(&mut self, heard: Heard<'_>, run: RunId, look: &dyn Look, out: &mut Vec<Span>) {
        let Some(followed) = self.run(heard, run, look) else {
            return;
        };
        let Some(view) = look.run(heard.tenant, run) else {
            return;
        };
        let mut attempts = view.attempts.iter().rev();
        let ended = attempts.find(|attempt| attempt.finished_at == Some(heard.at));
        if let Some(attempt) = ended
            && let Some(result) = attempt.result
        {
            let begun = Begun {
                number: attempt.number,
                at: attempt.started_at,
                worker: attempt.worker.clone(),
            };
            followed.begun = None;
            let code = attempt.error.as_ref().map(|error| &*error.code);
            out.push(followed.attempt(heard, run, &begun, (result, code)));
        }
    }
}

impl Followed {
    fn attempt(
        &self,
        heard: Heard<'_>,
        run: RunId,
        begun: &Begun,
        (result, code): (AttemptResult, Option<&str>),
    ) -> Span {
        let before = begun.number.checked_sub(1).filter(|number| *number > 0);
        let before = before.map(|number| (self.trace, attempt_span(run, number)));
        let outcome = match result {
            AttemptResult::Success => Outcome::Good,
            AttemptResult::Failure | AttemptResult::Timeout | AttemptResult::LeaseExpired => {
                Outcome::Bad(code.unwrap_or(result.name()).to_owned())
            }
            AttemptResult::Suspended | AttemptResult::Released | AttemptResult::Canceled => {
                Outcome::Unset
            }
        };
        let mut span = Span {
            trace: self.trace,
            id: attempt_span(run, begun.number),
            parent: self.parent,
            name: format!("attempt {}", self.facts.kind).into(),
            kind: SpanKind::Consumer,
            begin: nanos(begun.at.min(heard.at)),
            end: nanos(heard.at),
            attributes: Vec::with_capacity(10),
            links: before.or(self.link).into_iter().collect(),
            outcome,
        };
        name_task(&mut span, heard.tenant, self.task, &self.facts);
        name_attempt(&mut span, run, begun.number);
        span.text("mainstay.worker", &*begun.worker);
        span.text("mainstay.result", result.name());
        if let Some(code) = code {
            span.text("error.type", code);
        }
        span
    }
}

fn nanos(at: Timestamp) -> u64 {
    at.0.saturating_mul(1_000_000)
}

fn name_task(span: &mut Span, tenant: TenantId, task: TaskId, facts: &TaskFacts) {
    span.text("mainstay.tenant_id", tenant.to_string());
    span.text("mainstay.task_id", task.to_string());
    span.text("mainstay.queue", &*facts.queue);
    span.text("mainstay.kind", &*facts.kind);
}

fn name_attempt(span: &mut Span, run: RunId, number: u32) {
    span.text("mainstay.run_id", run.to_string());
    let attempt = AttemptId::derive(run, number);
    span.text("mainstay.attempt_id", attempt.to_string());
    span.number("mainstay.attempt", i64::from(number));
}
