//! The reference model's rules: each command's events, judged against the state before them.

use mainstay::events as fact;
use mainstay::{Cause, Command, Event, Fence, RunId, RunState, Text};

use super::history::Wish;
use super::image::Written;
use super::model::{LONG_RENEWAL_MS, Lease, Model, Run, Task, Verdict, demand, policy_of};

/// A day.
const KEY_HELD_MS: u64 = 86_400_000;

impl Model {
    /// Judges one command of the log and moves the model over it.
    pub(crate) fn command(&mut self, written: &Written, wish: Option<&Wish>) -> Verdict {
        demand!(
            written.first_sequence == self.sequence + 1,
            "event {} follows event {}",
            written.first_sequence,
            self.sequence
        );
        demand!(
            !written.events.is_empty(),
            "a command without events is in the log"
        );
        demand!(
            written.wall >= self.wall && written.steady >= self.steady,
            "time ran backwards: ({}, {}) after ({}, {})",
            written.wall,
            written.steady,
            self.wall,
            self.steady
        );
        let jump = (written.wall - self.wall).saturating_sub(written.steady - self.steady);
        let may_jump = matches!(written.record.kind, 12 | 13) || self.sequence == 0;
        demand!(
            may_jump || jump <= LONG_RENEWAL_MS,
            "recorded time jumped {jump} ms ahead without a word"
        );
        (self.wall, self.steady) = (written.wall, written.steady);
        if written.record.kind != 12 {
            demand!(
                written.incarnation == self.incarnation,
                "life {} writes under the start of life {}",
                written.incarnation,
                self.incarnation
            );
        }
        match (written.record.kind, wish) {
            (12, None) => self.start(written),
            (13, None) => self.each(written, |_, event| {
                demand!(
                    matches!(event, Event::ClockAdopted(_)),
                    "not a clock: {event:?}"
                );
                Ok(())
            }),
            (14, None) => self.each(written, Model::due),
            (kind, Some(wish)) => self.asked(kind, written, wish),
            (kind, None) => Err(format!(
                "a command of kind {kind} by {:?}, whom nobody knows",
                written.record.principal
            )),
        }
    }

    fn each(
        &mut self,
        written: &Written,
        mut rule: impl FnMut(&mut Model, &Event) -> Verdict,
    ) -> Verdict {
        for entry in &written.events {
            self.sequence += 1;
            rule(self, &entry.event)
                .map_err(|error| format!("event {}: {error}", self.sequence))?;
        }
        Ok(())
    }

    fn asked(&mut self, kind: u64, written: &Written, wish: &Wish) -> Verdict {
        let command = match wish {
            Wish::Claim(claim) if kind == 2 => return self.claimed(written, claim),
            Wish::Claim(_) => {
                // Grants that nobody took go back.
                demand!(kind == 4, "a claim led to a command of kind {kind}");
                return self.each(written, Model::given_back);
            }
            Wish::Command(command) => command,
        };
        demand!(
            command.code() == kind,
            "asked for {}, logged {kind}",
            command.code()
        );
        let by = &written.record.principal;
        let mut position = 0;
        let count = written.events.len();
        self.each(written, |model, event| {
            position += 1;
            model.fact(command, by, event, position == count)
        })?;
        let (least, most) = match command {
            Command::Submit(_) | Command::SubmitAs(..) => (2, 2),
            Command::Finish(finish) => (1, 1 + finish.checkpoints.len()),
            Command::CancelTask { .. } => (1, 2),
            _ => (1, 1),
        };
        demand!(
            (least..=most).contains(&count),
            "a command of kind {kind} made {count} events"
        );
        Ok(())
    }

    fn fact(&mut self, command: &Command, by: &Text, event: &Event, is_last: bool) -> Verdict {
        match (command, event) {
            (Command::Submit(spec), Event::TaskCreated(fact)) => {
                demand!(
                    fact.task.0 > self.last_id,
                    "the minted id {} does not grow",
                    fact.task
                );
                self.last_id = fact.task.0;
                self.task_created(spec, by, fact)
            }
            (Command::SubmitAs(id, spec), Event::TaskCreated(fact)) => {
                demand!(fact.task == *id, "asked for {id}, made {}", fact.task);
                self.task_created(spec, by, fact)
            }
            (Command::Submit(_) | Command::SubmitAs(..), Event::RunCreated(fact)) => {
                self.run_created(fact)
            }
            (Command::Heartbeat(beat), Event::LeaseExtended(fact)) => {
                demand!(fact.run == beat.run, "another run's lease was extended");
                self.extended(beat.fence, fact)
            }
            (Command::Finish(finish), Event::CheckpointSaved(fact)) if !is_last => {
                let given = finish
                    .checkpoints
                    .iter()
                    .any(|(name, value)| *name == fact.name && *value == fact.value);
                demand!(given, "checkpoint {} was not in the finish", fact.name);
                self.live(finish.run, finish.fence)?;
                self.saved(finish.run, fact)
            }
            (Command::Finish(finish), event) => self.finished(finish, event),
            (Command::Checkpoint(put), Event::CheckpointSaved(fact)) => {
                demand!(
                    put.name == fact.name && put.value == fact.value,
                    "another memo"
                );
                self.live(put.run, put.fence)?;
                self.saved(put.run, fact)
            }
            (Command::CancelRun { run, force, .. }, event) => {
                self.called_off(*run, *force, Cause::Cancel, event)
            }
            (Command::CancelTask { task, .. }, Event::TaskCanceled(fact)) => {
                demand!(fact.task == *task, "another task was canceled");
                let row = self.tasks.get_mut(task).ok_or("a cancel of no task")?;
                demand!(!row.canceled, "task {task} was canceled twice");
                row.canceled = true;
                let run = row.run.ok_or("a task without its run")?;
                let run = self.run(run)?;
                let is_told = run
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.cancel.is_some());
                demand!(
                    is_last == (run.state.is_terminal() || is_told),
                    "a canceled task left its run alone"
                );
                Ok(())
            }
            (Command::CancelTask { task, .. }, event) => {
                let run = self.tasks.get(task).and_then(|row| row.run);
                let run = run.ok_or("a task without its run")?;
                self.called_off(run, false, Cause::TaskCancel, event)
            }
            (command, event) => self.control(command, event),
        }
    }

    /// What an operator's command did.
    fn control(&mut self, command: &Command, event: &Event) -> Verdict {
        match (command, event) {
            (Command::SuspendRun { run, .. }, Event::RunSuspendRequested(fact)) => {
                demand!(fact.run == *run, "another run");
                let lease = self.run_mut(*run)?.lease.as_mut();
                let lease = lease.ok_or("a suspend of a run that nobody holds")?;
                demand!(!lease.suspend, "suspend was requested twice");
                lease.suspend = true;
                Ok(())
            }
            (Command::ResumeRun { run, payload }, Event::RunResumed(fact)) => {
                demand!(
                    fact.run == *run && fact.payload == *payload,
                    "another resume"
                );
                self.run_mut(*run)?.resume_payload = payload.clone();
                demand!(
                    self.run(*run)?.state == RunState::Suspended,
                    "a resume of a run that is not suspended"
                );
                self.go(*run, RunState::Ready, Cause::Resume)
            }
            (Command::PauseEngine { .. }, Event::EnginePaused(_)) => {
                demand!(!self.paused, "paused twice");
                self.paused = true;
                Ok(())
            }
            (Command::ResumeEngine { .. }, Event::EngineResumed(_)) => {
                demand!(self.paused, "resumed twice");
                self.paused = false;
                Ok(())
            }
            (command, event) => Err(format!("command {} made {event:?}", command.code())),
        }
    }

    fn start(&mut self, written: &Written) -> Verdict {
        self.each(written, |model, event| {
            let Event::EngineStarted(fact) = event else {
                return Err(format!("a start made {event:?}"));
            };
            demand!(
                fact.incarnation > model.incarnation && fact.incarnation == written.incarnation,
                "life {} follows life {}",
                fact.incarnation,
                model.incarnation
            );
            model.incarnation = fact.incarnation;
            let (wall, steady) = (model.wall, model.steady);
            for run in model.runs.values_mut() {
                if let Some(lease) = run.lease.as_mut() {
                    lease.deadline = lease.deadline.map(|at| at + fact.downtime_ms);
                    let fresh_ms = lease.lease_ms.min(LONG_RENEWAL_MS);
                    lease.end = lease.recorded_end.max(steady + fresh_ms);
                    lease.end_wall = lease.recorded_end_wall.max(wall + fresh_ms);
                }
            }
            Ok(())
        })
    }

    fn task_created(
        &mut self,
        spec: &mainstay::TaskSpec,
        by: &Text,
        fact: &fact::TaskCreated,
    ) -> Verdict {
        demand!(
            *fact.spec == *spec,
            "the task logged is not the task asked for"
        );
        demand!(fact.by == *by, "made by {} for {by}", fact.by);
        demand!(
            !self.tasks.contains_key(&fact.task),
            "task {} exists",
            fact.task
        );
        let key = spec
            .extras
            .as_ref()
            .and_then(|extras| extras.idempotency_key.clone());
        if let Some(key) = key {
            if let Some(held) = self.keys.get(&key) {
                let is_live = self.tasks[&held.task]
                    .run
                    .is_some_and(|run| !self.runs[&run].state.is_terminal());
                let is_held = is_live || self.wall < held.held_at + KEY_HELD_MS;
                demand!(
                    !is_held || held.may_be_gone,
                    "key {key} made task {} and {}",
                    held.task,
                    fact.task
                );
            }
            let held = super::model::Key {
                task: fact.task,
                spec: spec.clone(),
                held_at: self.wall,
                may_be_gone: false,
            };
            self.keys.insert(key, held);
        }
        let task = Task {
            spec: spec.clone(),
            run: None,
            canceled: false,
            created_at: self.wall,
            incarnation: self.incarnation,
        };
        self.tasks.insert(fact.task, task);
        Ok(())
    }

    fn run_created(&mut self, fact: &fact::RunCreated) -> Verdict {
        demand!(
            fact.run.0 > self.last_id,
            "the minted id {} does not grow",
            fact.run
        );
        self.last_id = fact.run.0;
        let wall = self.wall;
        let task = self
            .tasks
            .get_mut(&fact.task)
            .ok_or("a run without its task")?;
        demand!(task.run.is_none(), "a second run of task {}", fact.task);
        task.run = Some(fact.run);
        let due = task.spec.run_at.map_or(wall, |at| at.0);
        demand!(
            fact.scheduled_at.0 == due && fact.ready == (due <= wall),
            "run {} is due at {due}",
            fact.run
        );
        let born = if fact.ready {
            RunState::Ready
        } else {
            RunState::Scheduled
        };
        self.order += u64::from(fact.ready);
        let run = Run {
            task: fact.task,
            state: born,
            scheduled_at: due,
            created_at: wall,
            ready_order: self.order,
            attempts: Vec::new(),
            granted: 0,
            failures: 0,
            lost: 0,
            lease: None,
            holds: false,
            retry_due: 0,
            output: None,
            checkpoints: std::collections::BTreeMap::new(),
            resume_payload: None,
            path: vec![(born, self.sequence, Cause::Submit)],
            may_be_gone: false,
        };
        self.runs.insert(fact.run, run);
        Ok(())
    }

    /// The live lease of a run, if this token is it.
    pub(crate) fn live(&self, run: RunId, fence: Fence) -> Result<&Lease, String> {
        let lease = self.run(run)?.lease.as_ref();
        lease.filter(|lease| lease.fence == fence).ok_or_else(|| {
            format!(
                "token {}.{} of run {run} is not the live one, yet it had an effect",
                fence.incarnation, fence.counter
            )
        })
    }

    fn extended(&mut self, fence: Fence, fact: &fact::LeaseExtended) -> Verdict {
        self.live(fact.run, fence)?;
        let (wall, steady) = (self.wall, self.steady);
        if let Some(lease) = self.run_mut(fact.run)?.lease.as_mut() {
            demand!(
                steady + fact.lease_ms > lease.recorded_end + LONG_RENEWAL_MS,
                "a short renewal became an event"
            );
            lease.recorded_end = steady + fact.lease_ms;
            lease.recorded_end_wall = wall + fact.lease_ms;
            lease.end = lease.end.max(lease.recorded_end);
            lease.end_wall = lease.end_wall.max(lease.recorded_end_wall);
        }
        Ok(())
    }

    fn saved(&mut self, run: RunId, fact: &fact::CheckpointSaved) -> Verdict {
        demand!(fact.run == run, "another run's memo");
        let memos = &mut self.run_mut(run)?.checkpoints;
        let before = memos.insert(fact.name.clone(), fact.value.clone());
        demand!(before.is_none(), "memo {} was saved twice", fact.name);
        Ok(())
    }

    /// What a claim's event does once its order is judged.
    pub(crate) fn started(&mut self, fact: &fact::RunStarted, claim: &mainstay::Claim) -> Verdict {
        let id = fact.run;
        let policy = policy_of(&self.task_of(id)?.spec);
        let timeout_ms = policy.timeout_ms;
        let lease_ms = claim.lease_ms.unwrap_or(policy.lease_ms);
        let fence = Fence {
            incarnation: fact.incarnation,
            counter: fact.counter,
        };
        demand!(fact.worker == claim.worker, "granted to {}", fact.worker);
        demand!(
            fact.incarnation == self.incarnation,
            "a token of another life"
        );
        demand!(
            fact.counter > self.last_counter,
            "token counter {} again",
            fact.counter
        );
        demand!(
            self.fences.insert(fence, id).is_none(),
            "token {fence:?} again"
        );
        self.last_counter = fact.counter;
        let (wall, steady) = (self.wall, self.steady);
        demand!(fact.lease_ms == lease_ms, "a lease of {} ms", fact.lease_ms);
        self.go(id, RunState::Leased, Cause::Claim)?;
        self.go(id, RunState::Running, Cause::Claim)?;
        let run = self.run_mut(id)?;
        demand!(
            fact.number == run.granted + 1,
            "attempt {} again",
            fact.number
        );
        run.granted = fact.number;
        run.lease = Some(Lease {
            fence,
            number: fact.number,
            worker: fact.worker.clone(),
            lease_ms,
            end: steady + lease_ms,
            recorded_end: steady + lease_ms,
            recorded_end_wall: wall + lease_ms,
            end_wall: wall + lease_ms,
            deadline: timeout_ms.map(|ms| steady + ms),
            cancel: None,
            suspend: false,
        });
        Ok(())
    }
}
