//! How outcomes, events and views are written as items of a line.

use std::collections::BTreeMap;
use std::fmt::Write;

use mainstay_core::{
    ActorId, Answer, BudgetView, Bytes, Entry, Event, Explain, Outcome, Query, Rejection, RunError,
    RunId, RunView, TaskId, Text, Timestamp,
};

use super::facts::{amounts, short_budget};
use super::world::World;

/// What the story calls things.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) base_ms: u64,
    pub(crate) runs: BTreeMap<RunId, String>,
    pub(crate) tasks: BTreeMap<TaskId, String>,
    pub(crate) actors: BTreeMap<ActorId, String>,
}

impl Names {
    pub(crate) fn run(&self, id: RunId) -> &str {
        self.runs.get(&id).map_or("?", String::as_str)
    }

    pub(crate) fn task(&self, id: TaskId) -> &str {
        self.tasks.get(&id).map_or("?", String::as_str)
    }

    /// An instant as the story tells time.
    pub(crate) fn instant(&self, at: Timestamp) -> String {
        let mut rest = at.0.saturating_sub(self.base_ms);
        let mut text = String::new();
        for (unit, ms) in [
            ("d", 86_400_000),
            ("h", 3_600_000),
            ("m", 60_000),
            ("s", 1000),
        ] {
            if rest >= ms {
                let _ = write!(text, "{}{unit}", rest / ms);
                rest %= ms;
            }
        }
        if rest > 0 || text.is_empty() {
            let _ = write!(text, "{rest}{}", if rest == 0 { "s" } else { "ms" });
        }
        text
    }

    pub(crate) fn event(&self, entry: &Entry) -> String {
        let (name, event) = (entry.event.kind().name(), &entry.event);
        let about = match event {
            Event::TaskCreated(e) => self.task(e.task).to_owned(),
            Event::TaskCanceled(e) => {
                let source = e.source.as_deref();
                format!(
                    "{} by={} reason={} source={}:{}",
                    self.task(e.task),
                    text(Some(&e.by)),
                    word(e.reason.as_ref()),
                    source.map_or("-", |why| why.cause.name()),
                    source
                        .and_then(|why| why.task)
                        .map_or("-", |task| self.task(task)),
                )
            }
            Event::RunCreated(e) => format!(
                "{} ready={} due={} occurrence={}",
                self.run(e.run),
                e.ready,
                self.instant(e.scheduled_at),
                e.occurrence.map_or("-".into(), |at| self.instant(at))
            ),
            Event::RunReady(e) => self.run(e.run).to_owned(),
            Event::RunStarted(e) => format!(
                "{} token={} actor={}",
                self.run(e.run),
                e.counter,
                e.actor.map_or("-", |actor| self.actor(actor))
            ),
            Event::LeaseExtended(e) => format!("{} lease_ms={}", self.run(e.run), e.lease_ms),
            Event::RunCompleted(e) => {
                format!("{} output={}", self.run(e.run), bytes(e.output.as_ref()))
            }
            Event::RunRetryScheduled(e) => format!(
                "{} result={} delay_ms={} code={}",
                self.run(e.run),
                e.result.name(),
                e.delay_ms,
                code(e.error.as_deref())
            ),
            Event::RunReturned(e) => format!("{} result={}", self.run(e.run), e.result.name()),
            Event::RunFailed(e) => format!(
                "{} result={} cause={} code={}",
                self.run(e.run),
                e.result.name(),
                e.cause.name(),
                code(e.error.as_deref())
            ),
            Event::RunSuspended(e) => format!(
                "{} result={} reason={} hold={}",
                self.run(e.run),
                e.result.name(),
                text(e.reason.as_ref()),
                e.hold.name()
            ),
            Event::RunCanceled(e) => format!(
                "{} result={} cause={} by={} reason={}",
                self.run(e.run),
                e.result.map_or("-", |result| result.name()),
                e.cause.name(),
                text(Some(&e.by)),
                word(e.reason.as_ref())
            ),
            Event::RunCancelRequested(e) => {
                format!(
                    "{} grace_ms={} by={} cause={}",
                    self.run(e.run),
                    e.grace_ms,
                    text(Some(&e.by)),
                    e.cause.as_deref().map_or("-", |why| why.cause.name())
                )
            }
            Event::RunSuspendRequested(e) => {
                let by = text(Some(&e.by));
                format!("{} by={by} budget={}", self.run(e.run), e.budget)
            }
            Event::RunResumed(e) => {
                let cause = e.cause.as_ref().map_or("resume", |why| why.cause.name());
                let payload = bytes(e.payload.as_ref());
                format!("{} payload={payload} cause={cause}", self.run(e.run))
            }
            Event::CheckpointSaved(e) => format!("{} name={}", self.run(e.run), e.name),
            Event::ClaimRecorded(e) => format!("key={} runs={}", e.key, e.runs.len()),
            Event::EnginePaused(e) => format!("by={}", e.by),
            Event::EngineResumed(e) => format!("by={}", e.by),
            Event::EngineStarted(e) => format!("incarnation={}", e.incarnation),
            Event::ClockAdopted(e) => format!("ahead_ms={}", e.ahead_ms),
            newer => self.fact(newer),
        };
        format!("{name} {about}")
    }
}

pub(crate) fn bytes(bytes: Option<&Bytes>) -> String {
    bytes.map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into())
}

pub(crate) fn text(text: Option<&Text>) -> &str {
    text.map(|text| &**text)
        .filter(|text| !text.is_empty())
        .unwrap_or("-")
}

/// A text as one word of a line.
fn word(value: Option<&Text>) -> String {
    text(value).replace(' ', "_")
}

fn code(error: Option<&RunError>) -> &str {
    text(error.map(|error| &error.code))
}

fn budgets(views: &[BudgetView]) -> String {
    let shown: Vec<String> = views.iter().map(short_budget).collect();
    shown.join(",")
}

fn or_nothing(items: Vec<String>) -> String {
    if items.is_empty() {
        "nothing".into()
    } else {
        items.join("; ")
    }
}

/// A refusal with its details.
pub(crate) fn rejection(rejection: &Rejection) -> String {
    let details = rejection.details().into_iter();
    let details: String = details
        .map(|(name, value, _)| format!(" {name}={}", value.replace(' ', "_")))
        .collect();
    format!("reject {}{details}", rejection.code())
}

impl World {
    /// The events of the last command.
    pub(crate) fn events(&self) -> String {
        let events = self.last_events.iter();
        or_nothing(events.map(|entry| self.names.event(entry)).collect())
    }

    /// What a command answered about the run that the story calls `name`.
    pub(crate) fn outcome(&self, name: &str, outcome: &Outcome) -> String {
        let names = &self.names;
        match outcome {
            Outcome::Submitted(submitted) => {
                let what = if submitted.created {
                    submitted.run.state.name()
                } else {
                    "found"
                };
                format!(
                    "{what} {} state={} due={}",
                    names.run(submitted.run.run),
                    submitted.run.state.name(),
                    names.instant(submitted.run.scheduled_at)
                )
            }
            Outcome::Claimed(grants) => {
                or_nothing(grants.iter().map(|grant| self.grant(grant)).collect())
            }
            Outcome::Beat(beat) => format!(
                "{} {name} until={}",
                beat.directive.name(),
                names.instant(beat.expires_at)
            ),
            Outcome::Finished(state) => format!("{} {name}", state.name()),
            Outcome::CheckpointSaved => format!("saved {name}"),
            Outcome::RunCanceled => format!("canceled {name}"),
            Outcome::RunCancelRequested => format!("cancel_requested {name}"),
            Outcome::RunAlreadyCanceled => format!("already_canceled {name}"),
            Outcome::RunAlreadyTerminal => format!("already_terminal {name}"),
            Outcome::TaskCanceled(task) => format!(
                "task_canceled {name} already_canceled={} already_terminal={} canceled={} requested={} ended={} total={} below={}",
                task.already_canceled,
                task.already_terminal,
                task.runs_canceled,
                task.runs_cancel_requested,
                task.runs_already_terminal,
                task.runs_total,
                task.descendants_canceled
            ),
            Outcome::RunSuspendRequested => format!("suspend_requested {name}"),
            Outcome::RunResumed => format!("resumed {name}"),
            Outcome::EnginePaused => "paused".into(),
            Outcome::EngineResumed => "resumed".into(),
            Outcome::Started => format!("started incarnation={}", self.incarnation),
            Outcome::ClockAdopted => "adopted".into(),
            Outcome::Ticked { .. } => self.events(),
            newer => self.newer_outcome(name, newer),
        }
    }

    fn grant(&self, grant: &mainstay_core::ClaimGrant) -> String {
        let names = &self.names;
        let rare = grant.rare.as_deref();
        let checkpoints = rare.map_or(Vec::new(), |rare| {
            let saved = rare.checkpoints.iter();
            saved
                .map(|(name, value)| format!("{name}:{}", bytes(Some(value))))
                .collect()
        });
        format!(
            "leased {} token={} attempt={} until={} lease_ms={} deadline={} priority={} payload={} stored={} kind={} queue={} resume={} trace={} checkpoints={} budgets={} children={} of={}",
            names.run(grant.run),
            grant.fence.counter,
            grant.attempt,
            names.instant(grant.expires_at),
            grant.lease_ms,
            grant.deadline_at.map_or("-".into(), |at| names.instant(at)),
            grant.priority,
            bytes(Some(&grant.payload.bytes)),
            grant.stored_payload.map_or("-", |_| "yes"),
            grant.kind,
            grant.queue,
            bytes(rare.and_then(|rare| rare.resume_payload.as_ref())),
            text(rare.and_then(|rare| rare.extras.traceparent.as_ref())),
            checkpoints.join(","),
            budgets(rare.map_or(&[], |rare| &rare.budgets)),
            self.grant_children(grant),
            rare.map_or("0/0".into(), |rare| {
                format!("{}/{}", rare.children_count.1, rare.children_count.0)
            }),
        )
    }

    pub(crate) fn ask(&self, query: Query) -> Answer {
        self.shelf.answer(&self.machine, &self.now, query)
    }

    pub(crate) fn show_run(&self, view: &RunView) -> String {
        let names = &self.names;
        let lease = view.lease.as_ref();
        let cancel = view.cancel_requested.as_ref();
        let path: Vec<&str> = view.changes.iter().map(|c| c.to.name()).collect();
        let causes: Vec<&str> = view.changes.iter().map(|c| c.cause.name()).collect();
        let actors: Vec<&str> = view
            .changes
            .iter()
            .map(|c| text(c.actor.as_ref()))
            .collect();
        let ends = view.attempts.iter();
        let ends: Vec<&str> = ends.map(|a| a.result.map_or("-", |r| r.name())).collect();
        let memos: Vec<String> = view.checkpoints.iter().map(|c| c.0.to_string()).collect();
        format!(
            "{} {} attempts={} failures={} lost={} path={} causes={} actors={} ends={} owner={} until={} progress={} force={} suspend={} block={} reason={} output={} memos={} retry={} due={} budgets={} used={}",
            view.state.name(),
            names.run(view.id),
            view.attempt_count,
            view.failures,
            view.lost_leases,
            path.join(">"),
            causes.join(">"),
            actors.join(">"),
            ends.join(","),
            text(lease.map(|lease| &lease.owner)),
            lease.map_or("-".into(), |lease| names.instant(lease.expires_at)),
            bytes(lease.and_then(|lease| lease.progress.as_ref())),
            cancel.map_or("-".into(), |cancel| names.instant(cancel.force_at)),
            view.suspend_requested,
            view.block_reason.unwrap_or("-"),
            word(view.reason.as_ref()),
            bytes(view.output.as_ref()),
            memos.join(","),
            view.retry_at.map_or("-".into(), |at| names.instant(at)),
            names.instant(view.scheduled_at),
            budgets(&view.budgets),
            view.attempts
                .last()
                .map_or("".into(), |last| amounts(&last.consumption)),
        )
    }

    pub(crate) fn show_explain(&self, name: &str, explain: &Explain) -> String {
        let reasons: Vec<&str> = explain.reasons.iter().map(|reason| reason.code).collect();
        let mut shown = format!(
            "{} {name} runnable={} reasons={} position={} when={}",
            explain.state.name(),
            explain.runnable,
            if reasons.is_empty() {
                "-".into()
            } else {
                reasons.join(",")
            },
            explain
                .position
                .map_or("-".into(), |place| place.to_string()),
            explain.would_run_when.replace(' ', "_"),
        );
        for (name, value, number) in explain.reasons.iter().flat_map(|reason| &reason.details) {
            let value = match value.parse() {
                Ok(ms) if *number && name.ends_with("_at_ms") => self.names.instant(Timestamp(ms)),
                _ => value.replace(' ', "_"),
            };
            let _ = write!(shown, " {name}={value}");
        }
        shown
    }

    /// Every run, for the text of a failure.
    pub(crate) fn describe(&self) -> String {
        let mut shown = format!("     state: at {}", self.names.instant(self.now.wall));
        for id in self.names.runs.keys() {
            if let Answer::Run(view) = self.ask(Query::Run(*id)) {
                let _ = write!(shown, "\n       {}", self.show_run(&view));
            }
        }
        shown
    }
}
