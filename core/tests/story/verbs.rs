//! The verbs of the scenario language: what each word of a line asks of the machine.

use mainstay_core::{
    Answer, Bytes, CheckpointPut, Claim, Command, CutRow, Finish, FinishOutcome, HeartbeatItem,
    HoldPolicy, Jitter, Outcome, Query, Rejection, RunError, RunId, SafetyLevel, Strategy, TaskId,
    TaskSpec, Text, Timestamp,
};

use super::budget::{amounts, published, specs};
use super::line::Line;
use super::schedule::SCHEDULE;
use super::show::rejection;
use super::world::World;
use crate::shelf::Shelf;

pub(super) const SHARED: [&str; 3] = ["by", "at_sequence", "in_state"];

pub(super) fn text(line: &Line, name: &str) -> Option<Text> {
    line.find(name).map(Text::from)
}

/// A value of this many bytes when it is written `size:N`, else the text itself.
pub(super) fn bytes(line: &Line, name: &str) -> Option<Bytes> {
    let value = line.find(name)?;
    let size = value.strip_prefix("size:").and_then(|n| n.parse().ok());
    Some(match size {
        Some(size) => Bytes::from(vec![b'7'; size]),
        None => Bytes::from(value.as_bytes()),
    })
}

impl World {
    /// Does what a line says and shows what came.
    pub(crate) fn act(&mut self, line: &Line) -> Result<String, String> {
        match line.verb.as_str() {
            "submit" => self.submit(line),
            "gather" => self.gather(line),
            "submit_all" => self.submit_all(line),
            "claim" => self.claim(line),
            "beat" => self.beat(line),
            "complete" => self.finish(line, FinishOutcome::Success),
            "fail" => self.finish(line, FinishOutcome::Failure),
            "suspended" => self.finish(line, FinishOutcome::Suspended),
            "canceled" => self.finish(line, FinishOutcome::Canceled),
            "release" => self.finish(line, FinishOutcome::Released),
            "update" => self.update(line),
            "pass" => self.pass(line),
            "schedule" => self.show_schedule(line),
            "create_run" => self.create_run(line),
            "retry" => self.retry(line),
            "clear" => self.clear(line),
            "operate" => self.operate(line),
            "piece" => self.piece(line),
            "stop" => self.stop_operation(line),
            "operation" => self.show_operation(line),
            "allocate" => self.allocate(line),
            "use" => self.spend(line),
            "replenish" => self.replenish(line),
            "consume" => self.consume(line),
            "budgets" => self.show_budgets(line),
            "subscribe" => self.subscribe(line),
            "unsubscribe" => self.unsubscribe(line),
            "trigger" => self.trigger(line),
            "publish" => self.publish(line),
            "checkpoint" => self.checkpoint(line),
            "cancel" => self.cancel(line),
            "cancel_task" => self.cancel_task(line),
            "suspend" => self.suspend(line),
            "resume" => self.resume(line),
            "pause_engine" | "resume_engine" => self.switch(line),
            "tenant" => self.tenant(line),
            "weigh" => self.weigh(line),
            "key" => self.make_key(line),
            "revoke_key" | "role" | "remove_role" | "assign" | "unassign" | "grant" | "ungrant" => {
                self.change_access(line)
            }
            "append" => self.append(line),
            "plan" => self.plan(line),
            "review" | "approve" | "reject" => self.decide(line),
            "hook" | "rehook" => self.set_hook(line),
            "unhook" | "rotate" | "enable" | "disable" | "test" | "redeliver" => {
                self.change_hook(line)
            }
            "sent" => self.sent(line),
            "hooked" => self.show_hook(line),
            "deliveries" => self.show_deliveries(line),
            "may" => self.show_key(line),
            "keys" => self.show_keys(line),
            "restart" => self.restart(line),
            "cut" => self.cut(line),
            "store" => self.store(line),
            "reload" => self.reload(line),
            "snapshot" => self.snapshot(line),
            "memory" => self.memory(line),
            "clock" => self.clock(line),
            "tick" => self.tick(line),
            "events" => line.only(&[]).map(|()| self.events()),
            "show" => self.show(line),
            "explain" => self.explain(line),
            "task" => self.show_task(line),
            "stats" => self.stats(line),
            "engine" => self.engine(line),
            "next" => self.next(line),
            "woken" => self.woken(line),
            "move" => self.move_run(line),
            "hold" | "keep" | "expire" | "let_go" => self.lease(line),
            "start" => self.start_attempt(line),
            "end" => self.end_attempt(line),
            "configure" => self.configure(line),
            "pause_queue" | "resume_queue" => self.switch_queue(line),
            "declare" => self.declare(line),
            "bond" => self.bond(line),
            "register" => self.register(line),
            "drain" | "leave" | "alive" => self.employ(line),
            "actor" => self.show_actor(line),
            "actors" => self.show_actors(line),
            "workforce" => self.show_workforce(line),
            other => Err(format!("`{other}` is not a verb")),
        }
    }

    pub(crate) fn answer(&mut self, line: &Line, name: &str, command: Command) -> String {
        let outcome = self.step(line, command);
        self.tell_outcome(name, outcome)
    }

    pub(crate) fn tell_outcome(&self, name: &str, outcome: Result<Outcome, Rejection>) -> String {
        match outcome {
            Ok(outcome) => self.outcome(name, &outcome),
            Err(refused) => rejection(&refused),
        }
    }

    fn submit(&mut self, line: &Line) -> Result<String, String> {
        let name = line.get("task")?.to_owned();
        let spec = Box::new(self.spec(line)?);
        let command = match line.number::<u128>("id")? {
            Some(id) => Command::SubmitAs(TaskId(id), spec),
            None => Command::Submit(spec),
        };
        let outcome = self.step(line, command);
        if let Ok(Outcome::Submitted(submitted)) = &outcome {
            let names = &mut self.names;
            names
                .tasks
                .entry(submitted.task)
                .or_insert_with(|| name.clone());
            names
                .runs
                .entry(submitted.run.run)
                .or_insert_with(|| name.clone());
            self.name_runs();
        }
        Ok(self.tell_outcome(&name, outcome))
    }

    pub(super) fn spec(&self, line: &Line) -> Result<TaskSpec, String> {
        let known = [
            "task", "id", "kind", "queue", "payload", "priority", "run_at", "expires", "idem",
            "trace", "tags", "parent", "after", "from", "token", "unique", "attempts", "lost",
            "timeout", "lease", "grace", "key", "limit", "hold", "safety", "retry", "initial",
            "mult", "max", "jitter", "never", "able", "fair",
        ];
        line.only(&[&known[..], &SCHEDULE, &["budgets", "many"], &SHARED].concat())?;
        let mut spec = TaskSpec::new(line.find("kind").unwrap_or("work"));
        spec.schedule = self.schedule(line)?;
        if line.find("budgets").is_some() {
            spec.bonds_mut().budgets = specs(line)?;
        }
        spec.queue = text(line, "queue").unwrap_or(spec.queue);
        spec.priority = line.number("priority")?.unwrap_or(0);
        spec.run_at = self.instant(line, "run_at")?;
        if let Some(payload) = bytes(line, "payload") {
            spec.payload.bytes = payload;
        }
        let expires = self.instant(line, "expires")?;
        if line.find("idem").is_some() || line.find("trace").is_some() || expires.is_some() {
            let extras = spec.extras_mut();
            extras.idempotency_key = text(line, "idem");
            extras.traceparent = text(line, "trace");
            extras.expires_at = expires;
        }
        if !line.list("tags").is_empty() {
            spec.extras_mut().tags = line.list("tags").into_iter().map(Text::from).collect();
        }
        if known[16..].iter().any(|name| line.find(name).is_some()) {
            policy(line, &mut spec)?;
        }
        self.put_bonds(line, &mut spec)?;
        Ok(spec)
    }

    pub(super) fn instant(&self, line: &Line, name: &str) -> Result<Option<Timestamp>, String> {
        let at = line.span(name)?;
        Ok(at.map(|ms| Timestamp(self.names.base_ms + ms)))
    }

    fn claim(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[
            "worker", "queue", "kind", "max", "for", "idem", "able", "by", "actor",
        ])?;
        let queues = match line.find("queue") {
            Some(_) => line.list("queue"),
            None => vec!["default"],
        };
        let claim = Claim {
            worker: text(line, "worker").unwrap_or_else(|| "w".into()),
            queues: queues.into_iter().map(Text::from).collect(),
            kinds: line.list("kind").into_iter().map(Text::from).collect(),
            max: line.number("max")?.unwrap_or(1),
            lease_ms: line.span("for")?,
            idempotency_key: text(line, "idem"),
            capabilities: line.list("able").into_iter().map(Text::from).collect(),
            actor: line.find("actor").map(|name| self.actor_called(name)),
            ..Claim::default()
        };
        Ok(self.answer(line, "", Command::Claim(Box::new(claim))))
    }

    fn beat(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "token", "for", "progress", "by", "in_state"])?;
        let beat = HeartbeatItem {
            run: self.run(line)?,
            fence: self.fence(line)?,
            lease_ms: line.span("for")?,
            progress: bytes(line, "progress"),
        };
        Ok(self.answer(line, line.get("run")?, Command::Heartbeat(beat)))
    }

    fn finish(&mut self, line: &Line, outcome: FinishOutcome) -> Result<String, String> {
        let known = [
            "run", "token", "output", "code", "message", "final", "after", "reason", "memo",
            "used", "publish", "child",
        ];
        line.only(&[&known[..], &SHARED].concat())?;
        let error = text(line, "code").map(|code| {
            let message = text(line, "message").unwrap_or_else(|| "".into());
            let retryable = line.find("final").is_none();
            Box::new(RunError {
                code,
                message,
                retryable,
            })
        });
        let memos = line.list("memo").into_iter();
        let memos = memos.filter_map(|memo| memo.split_once(':'));
        let finish = Finish {
            run: self.run(line)?,
            fence: self.fence(line)?,
            outcome,
            output: bytes(line, "output"),
            error,
            retry_after_ms: line.span("after")?,
            reason: text(line, "reason"),
            checkpoints: memos
                .map(|(name, value)| (Text::from(name), Bytes::from(value.as_bytes())))
                .collect(),
            consumption: amounts(line)?,
            custom_events: published(line),
            children: self.children(line),
        };
        let told = self.answer(line, line.get("run")?, Command::Finish(Box::new(finish)));
        self.name_children();
        Ok(told)
    }

    /// Saves one memo, or with `count=` that many under numbered names.
    fn checkpoint(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "token", "name", "value", "count", "in_state"])?;
        let count: Option<u32> = line.number("count")?;
        let mut shown = String::new();
        for at in 0..count.unwrap_or(1) {
            let name = match count {
                Some(_) => format!("{}{at}", line.get("name")?),
                None => line.get("name")?.to_owned(),
            };
            let put = CheckpointPut {
                run: self.run(line)?,
                fence: self.fence(line)?,
                name: Text::from(name.as_str()),
                value: bytes(line, "value").ok_or("a memo needs a value")?,
            };
            shown = self.answer(line, line.get("run")?, Command::Checkpoint(Box::new(put)));
        }
        Ok(shown)
    }

    fn cancel(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "force", "reason", "by", "in_state", "at_sequence"])?;
        let command = Command::CancelRun {
            run: self.run(line)?,
            force: line.find("force").is_some(),
            reason: text(line, "reason"),
        };
        Ok(self.answer(line, line.get("run")?, command))
    }

    fn cancel_task(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "reason", "by"])?;
        let (task, reason) = (self.task(line)?, text(line, "reason"));
        Ok(self.answer(
            line,
            line.get("task")?,
            Command::CancelTask { task, reason },
        ))
    }

    fn suspend(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "reason", "by", "in_state"])?;
        let (run, reason) = (self.run(line)?, text(line, "reason"));
        Ok(self.answer(line, line.get("run")?, Command::SuspendRun { run, reason }))
    }

    fn resume(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "payload", "by", "in_state"])?;
        let (run, payload) = (self.run(line)?, bytes(line, "payload"));
        Ok(self.answer(line, line.get("run")?, Command::ResumeRun { run, payload }))
    }

    fn switch(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["by", "reason"])?;
        let reason = text(line, "reason");
        let command = if line.verb == "pause_engine" {
            Command::PauseEngine { reason }
        } else {
            Command::ResumeEngine { reason }
        };
        Ok(self.answer(line, "", command))
    }

    /// The process ends and another one starts from the log.
    fn restart(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["downtime"])?;
        self.check_replay()?;
        self.machine = self.replayed();
        // From the log alone a new store is filled.
        self.shelf = Shelf::default();
        self.waiting.clear();
        self.begin(line)
    }

    fn begin(&mut self, line: &Line) -> Result<String, String> {
        self.incarnation += 1;
        let command = Command::Start {
            incarnation: self.incarnation,
            downtime_ms: line.span("downtime")?.unwrap_or(0),
        };
        Ok(self.answer(line, "", command))
    }

    /// What changed is cut; it waits to be committed.
    fn cut(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let cut = self.machine.take_cut();
        let count = |wanted: fn(&CutRow) -> bool| cut.rows.iter().filter(|row| wanted(row)).count();
        let shown = format!(
            "cut rows={} fresh={} live={} keys={} payloads={} places={}",
            cut.rows.len(),
            count(|row| row.fresh),
            count(|row| row.live),
            cut.keys.len(),
            cut.payloads.len(),
            cut.places.len(),
        );
        self.waiting.push(cut);
        Ok(shown)
    }

    /// Every cut is committed, and what is finished leaves memory.
    fn store(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["budget"])?;
        for cut in self.waiting.drain(..) {
            self.shelf.commit(cut);
        }
        let budget = line.number("budget")?.unwrap_or(u64::MAX);
        let before = self.machine.rows();
        while self.machine.stored(self.shelf.through, budget, 3) {}
        let after = self.machine.rows();
        for run in self.names.runs.keys().copied() {
            let tenant = mainstay_core::TenantId::DEFAULT;
            let known = self.machine.answer(&self.now, tenant, &Query::Run(run));
            if matches!(known, Answer::Absent) != self.shelf.holds_end_of(run) {
                return Err("a run is in memory though its end is stored, or the reverse".into());
            }
        }
        Ok(format!(
            "stored tasks={} runs={}",
            before.0 - after.0,
            before.1 - after.1
        ))
    }

    /// The process ends, and another one starts from what was committed and the log after it.
    fn reload(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["downtime"])?;
        self.check_replay()?;
        self.machine = self.reloaded(false);
        self.waiting.clear();
        self.begin(line)
    }

    /// Like `reload`, but what was committed comes from elsewhere: the store that is written to has none of the live rows yet.
    fn snapshot(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["downtime"])?;
        self.check_replay()?;
        self.machine = self.reloaded(true);
        self.shelf.forget_live();
        self.waiting.clear();
        self.begin(line)
    }

    fn memory(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let (tasks, runs) = self.machine.rows();
        let payloads = self.machine.payload_bytes();
        Ok(format!(
            "memory tasks={tasks} runs={runs} payloads={payloads}"
        ))
    }

    fn clock(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["ahead"])?;
        let ahead_ms = line.span("ahead")?.unwrap_or(0);
        self.ahead_ms += ahead_ms;
        self.set_time(line.at_ms)?;
        Ok(self.answer(line, "", Command::AdoptClock { ahead_ms }))
    }

    fn tick(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        Ok(self.answer(line, "", Command::Tick))
    }

    fn asked_run(&self, line: &Line) -> Result<RunId, String> {
        line.only(&["run"])?;
        self.run(line)
    }

    fn show(&self, line: &Line) -> Result<String, String> {
        match self.ask(Query::Run(self.asked_run(line)?)) {
            Answer::Run(view) => Ok(self.show_run(&view)),
            _ => Ok("absent".into()),
        }
    }

    fn explain(&self, line: &Line) -> Result<String, String> {
        match self.ask(Query::Explain(self.asked_run(line)?)) {
            Answer::Explain(explain) => Ok(self.show_explain(line.get("run")?, &explain)),
            _ => Ok("absent".into()),
        }
    }

    fn show_task(&self, line: &Line) -> Result<String, String> {
        line.only(&["task"])?;
        match self.ask(Query::Task(self.task(line)?)) {
            Answer::Task(view) => Ok(format!(
                "{} {} runs={} priority={} by={} canceled={} updated={} states={} tags={} about={}",
                view.state.name(),
                line.get("task")?,
                view.runs_total,
                view.priority,
                view.created_by,
                view.canceled_at
                    .map_or("-".into(), |at| self.names.instant(at)),
                view.updated_at
                    .map_or("-".into(), |at| self.names.instant(at)),
                view.runs_by_state.map(|count| count.to_string()).join(","),
                view.extras.tags.join(","),
                view.extras.description.as_deref().unwrap_or("-"),
            )),
            _ => Ok("absent".into()),
        }
    }

    fn stats(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let Answer::Stats(stats) = self.ask(Query::Stats) else {
            return Ok("absent".into());
        };
        let list = |counts: &[u64]| {
            let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
            counts.join(",")
        };
        Ok(format!(
            "stats tasks={} runs={} attempts={} results={} states={} sequence={} oldest={}",
            stats.tasks_total,
            stats.runs_total,
            stats.attempts_total,
            list(&stats.attempts_by_result),
            list(&stats.runs_by_state),
            stats.sequence,
            stats
                .oldest_ready_at
                .map_or("-".into(), |at| self.names.instant(at)),
        ))
    }

    fn engine(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let Answer::Engine(view) = self.ask(Query::Engine) else {
            return Ok("absent".into());
        };
        let since = view.since.map(|at| self.names.instant(at));
        Ok(format!(
            "engine paused={} since={} by={} reason={}",
            view.paused,
            since.unwrap_or("-".into()),
            view.by.as_deref().unwrap_or("-"),
            view.reason.as_deref().unwrap_or("-"),
        ))
    }

    /// When time alone would change something.
    fn next(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let next = self.machine.next_deadline_in_ms(&self.now);
        Ok(next.map_or("never".into(), |ms| format!("in ms={ms}")))
    }

    /// Whether waiting claims may be tried again.
    fn woken(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let mut woken = Vec::new();
        self.machine.take_woken(&mut woken);
        let shown = if woken.is_empty() {
            "nobody"
        } else {
            "waiters"
        };
        Ok(shown.into())
    }
}

fn policy(line: &Line, spec: &mut TaskSpec) -> Result<(), String> {
    let policy = spec.policy_mut();
    policy.max_attempts = line.number("attempts")?.unwrap_or(policy.max_attempts);
    policy.max_lost_leases = line.number("lost")?.unwrap_or(policy.max_lost_leases);
    policy.timeout_ms = line.span("timeout")?;
    policy.lease_ms = line.span("lease")?.unwrap_or(policy.lease_ms);
    policy.cancel_grace_ms = line.span("grace")?.unwrap_or(policy.cancel_grace_ms);
    policy.required_capabilities = line.list("able").into_iter().map(Text::from).collect();
    policy.fairness_key = text(line, "fair");
    policy.concurrency_key = text(line, "key");
    policy.concurrency_limit = line.number("limit")?.unwrap_or(1);
    policy.hold_policy = match line.find("hold") {
        Some("release") => HoldPolicy::ReleaseOnRetry,
        _ => HoldPolicy::HoldDuringRetry,
    };
    policy.safety_level = match line.find("safety") {
        Some("pure") => SafetyLevel::Pure,
        Some("transactional") => SafetyLevel::Transactional,
        _ => SafetyLevel::Idempotent,
    };
    let retry = &mut policy.retry;
    if line.find("retry") == Some("fixed") {
        retry.strategy = Strategy::Fixed;
    }
    retry.initial_ms = line.span("initial")?.unwrap_or(retry.initial_ms);
    retry.multiplier_milli = line.number("mult")?.unwrap_or(retry.multiplier_milli);
    retry.max_ms = line.span("max")?.unwrap_or(retry.max_ms);
    if line.find("jitter") != Some("full") {
        retry.jitter = Jitter::None;
    }
    retry.non_retryable = line.list("never").into_iter().map(Text::from).collect();
    Ok(())
}
