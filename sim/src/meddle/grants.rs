//! Bugs of claims: what is held back is granted, a newer run before an older one, a suspended one goes on by itself.

use std::collections::BTreeSet;

use mainstay::events::{LeaseAcquired, RunResumed, RunStarted};
use mainstay::{
    Answer, AttemptId, Call, Claim, ClaimGrant, Command, Event, Events, Facts, Fence, Outcome,
    Query, QueueConfig, QueueView, Rejection, RunId, RunState, RunView, Step, TaskView, Text,
    Timestamp,
};

use super::bend::{Bug, Scene, ask, explain, fact, task_of};

type Decided = Result<Outcome, Rejection>;

/// Tokens as they are given out in this life, and the runs that were heard of in it.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) runs: BTreeSet<RunId>,
    pub(super) last: Option<Fence>,
}

impl Seen {
    pub(super) fn note(&mut self, event: &Event) {
        self.runs.extend(event.about().run);
        let last = match event {
            Event::RunStarted(fact) => (fact.incarnation, fact.counter),
            Event::LeaseAcquired(fact) => (fact.incarnation, fact.counter),
            _ => return,
        };
        self.last = Some(Fence {
            incarnation: last.0,
            counter: last.1,
        });
    }

    /// Grants one more run, as a claim that does not look would: after all those that it has granted. True when it could.
    pub(super) fn grant(
        &self,
        scene: &Scene<'_>,
        view: &RunView,
        events: &mut Events,
        decided: &mut Decided,
    ) -> bool {
        let (Command::Claim(claim), Ok(Outcome::Claimed(grants))) = (&scene.asked.command, decided)
        else {
            return false;
        };
        let task = task_of(scene.before, scene.now, view.task);
        let (Some(last), Some(task)) = (self.last, task) else {
            return false;
        };
        let before = grants.last().map_or(last, |grant| grant.fence);
        let fence = Fence {
            counter: before.counter + 1,
            ..before
        };
        grants.push(granted(view, &task, fence, scene.now.wall));
        events.push(fact(RunStarted {
            run: view.id,
            number: view.attempt_count + 1,
            incarnation: fence.incarnation,
            counter: fence.counter,
            worker: claim.worker.clone(),
            lease_ms: LEASE_MS,
            ..RunStarted::default()
        }));
        true
    }
}

const LEASE_MS: u64 = 4000;

fn granted(view: &RunView, task: &TaskView, fence: Fence, now: Timestamp) -> ClaimGrant {
    let attempt = view.attempt_count + 1;
    ClaimGrant {
        tenant: view.tenant,
        run: view.id,
        task: view.task,
        attempt_id: AttemptId::derive(view.id, attempt),
        attempt,
        fence,
        kind: view.kind.clone(),
        queue: view.queue.clone(),
        payload: task.payload.clone(),
        stored_payload: task.stored_payload,
        priority: task.priority,
        expires_at: now.plus_ms(LEASE_MS),
        lease_ms: LEASE_MS,
        deadline_at: None,
        rare: None,
    }
}

/// Whether a claim asks for such a run.
pub(super) fn fits(scene: &Scene<'_>, claim: &Claim, view: &RunView) -> bool {
    let needs = task_of(scene.after, scene.now, view.task);
    let able = |name: &Text| claim.capabilities.contains(name);
    claim.idempotency_key.is_none()
        && claim.queues.contains(&view.queue)
        && (claim.kinds.is_empty() || claim.kinds.contains(&view.kind))
        && needs.is_some_and(|task| task.policy.required_capabilities.iter().all(able))
}

/// A claim grants what only this holds back; by hand it is granted too.
pub(crate) struct Overgrant {
    code: &'static str,
    seen: Seen,
}

impl Overgrant {
    pub(crate) fn past(code: &'static str) -> Overgrant {
        Overgrant {
            code,
            seen: Seen::default(),
        }
    }

    fn is_wanted(&self, scene: &Scene<'_>, id: RunId, claim: &Claim) -> Option<Box<RunView>> {
        let said = explain(scene.after, scene.now, id)?;
        let ahead = |(name, ..): &(&str, String, bool)| *name == "ahead";
        let only = said
            .reasons
            .iter()
            .all(|block| block.code == self.code && !block.details.iter().any(ahead));
        if said.runnable || said.state != RunState::Ready || !only {
            return None;
        }
        let view = scene.run(id)?;
        fits(scene, claim, &view).then_some(view)
    }
}

impl Bug for Overgrant {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let (Command::Claim(claim), Ok(_)) = (&scene.asked.command, &*decided) else {
            return false;
        };
        let mut runs = self.seen.runs.iter();
        let view = runs.find_map(|id| self.is_wanted(scene, *id, claim));
        view.is_some_and(|view| self.seen.grant(scene, &view, events, decided))
    }

    fn watch(&mut self, event: &Event) {
        self.seen.note(event);
    }
}

/// What a queue's rate has let through before this life is forgotten.
#[derive(Default)]
pub(crate) struct RateForgotten {
    /// Queues of which something was started in this life.
    started: BTreeSet<Text>,
}

impl RateForgotten {
    /// What the claim would get of a queue without a rate.
    fn without_rate(scene: &Scene<'_>, claim: &Claim, queue: &QueueView) -> Option<Step> {
        let mut machine = scene.after.clone();
        let config = QueueConfig {
            rate_limit: None,
            ..queue.config.clone()
        };
        let queue = queue.name.clone();
        let mut step = |command| machine.step(scene.now, &Facts::default(), Call::new(command));
        let claim = Claim {
            queues: vec![queue.clone()],
            max: 1,
            ..claim.clone()
        };
        step(Command::ConfigureQueue { queue, config });
        let got = step(Command::Claim(Box::new(claim)));
        let is_start =
            matches!(&got.events[..], [one] if matches!(one.event, Event::RunStarted(_)));
        is_start.then_some(got)
    }
}

impl Bug for RateForgotten {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        for entry in events.iter() {
            if let Event::RunStarted(fact) = &entry.event {
                let view = scene.run(fact.run);
                self.started.extend(view.map(|view| view.queue));
            }
        }
        let Command::Claim(claim) = &scene.asked.command else {
            return false;
        };
        let refused = events.is_empty() && claim.idempotency_key.is_none();
        let Answer::Queues(queues) = ask(scene.after, scene.now, Query::Queues) else {
            return false;
        };
        let mut queues = queues.iter().filter(|queue| {
            let limited = queue.config.rate_limit.is_some();
            refused && limited && claim.queues.contains(&queue.name)
        });
        let fresh = queues.find(|queue| !self.started.contains(&queue.name));
        let got = fresh.and_then(|queue| RateForgotten::without_rate(scene, claim, queue));
        let Some(got) = got else { return false };
        *events = got.events;
        *decided = got.outcome;
        self.started.extend(fresh.map(|queue| queue.name.clone()));
        true
    }
}

/// The direct lane gives a lease on a run that is held back.
#[derive(Default)]
pub(crate) struct ByHand(Seen);

impl Bug for ByHand {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let Command::AcquireLease { run, owner, .. } = &scene.asked.command else {
            return false;
        };
        let held_back = matches!(
            decided,
            Err(Rejection::LeaseInvalidRunState {
                state: RunState::Ready,
                ..
            })
        );
        let Some(last) = self.0.last.filter(|_| held_back) else {
            return false;
        };
        let fence = Fence {
            counter: last.counter + 1,
            ..last
        };
        events.push(fact(LeaseAcquired {
            run: *run,
            incarnation: fence.incarnation,
            counter: fence.counter,
            owner: owner.clone(),
            lease_ms: LEASE_MS,
        }));
        *decided = Ok(Outcome::LeaseAcquired {
            fence,
            expires_at: scene.now.wall.plus_ms(LEASE_MS),
        });
        true
    }

    fn watch(&mut self, event: &Event) {
        self.0.note(event);
    }
}

/// Of two runs that are alike in all that counts, the newer is granted.
#[derive(Default)]
pub(crate) struct Newest(Seen);

impl Newest {
    fn newer(&self, scene: &Scene<'_>, first: &RunView, claim: &Claim) -> Option<Box<RunView>> {
        let own = scene.task(first.task)?;
        let is_alike = |view: &RunView| {
            let other = scene.task(view.task);
            other.is_some_and(|other| {
                other.queue == own.queue
                    && other.kind == own.kind
                    && other.priority == own.priority
                    && other.policy.required_capabilities == own.policy.required_capabilities
                    && other.policy.fairness_key == own.policy.fairness_key
            })
        };
        let runs = self.0.runs.iter().rev();
        runs.filter_map(|id| scene.run(*id))
            .filter(|view| view.id != first.id && fits(scene, claim, view))
            .filter(|view| is_alike(view))
            .find(|view| {
                let said = explain(scene.after, scene.now, view.id);
                said.is_some_and(|said| said.runnable)
            })
    }
}

impl Bug for Newest {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let (Command::Claim(claim), Ok(Outcome::Claimed(grants))) = (&scene.asked.command, decided)
        else {
            return false;
        };
        let [grant] = &grants[..] else { return false };
        let Some(first) = scene.run(grant.run) else {
            return false;
        };
        let newer = self.newer(scene, &first, claim);
        let view = newer.filter(|_| claim.idempotency_key.is_none());
        let Some(view) = view else { return false };
        let Some(task) = scene.task(view.task) else {
            return false;
        };
        let fence = grant.fence;
        *grants = vec![granted(&view, &task, fence, scene.now.wall)];
        for entry in events {
            if let Event::RunStarted(fact) = &mut entry.event {
                fact.run = view.id;
                fact.number = view.attempt_count + 1;
            }
        }
        true
    }

    fn watch(&mut self, event: &Event) {
        self.0.note(event);
    }
}

/// Time resumes what was suspended.
#[derive(Default)]
pub(crate) struct Unasked(Seen);

impl Bug for Unasked {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        if !matches!(scene.asked.command, Command::Tick) {
            return false;
        }
        let mut runs = self.0.runs.iter().filter_map(|id| scene.run(*id));
        let sleeper = runs.find(|view| view.state == RunState::Suspended);
        let bends = sleeper.is_some();
        events.extend(sleeper.map(|view| {
            fact(RunResumed {
                run: view.id,
                ..RunResumed::default()
            })
        }));
        bends
    }

    fn watch(&mut self, event: &Event) {
        self.0.note(event);
    }
}
