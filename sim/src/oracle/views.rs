//! Reads judged: every view must be the model's state at the sequence it names.

use mainstay::{Answer, Query, RunState, RunView, Stats, TaskState, TaskView};

use super::model::{Model, Run, Verdict, demand};

impl Model {
    /// Judges one read against the model, which stands at the answer's sequence.
    pub(crate) fn seen(&self, query: &Query, answer: &Answer) -> Verdict {
        match (query, answer) {
            (Query::Run(id), Answer::Absent) | (Query::Explain(id), Answer::Absent) => {
                demand!(self.is_gone(*id), "run {id} was called absent");
                Ok(())
            }
            (Query::Task(id), Answer::Absent) => {
                let gone = !self.tasks.contains_key(id) || self.may_be_gone(*id);
                demand!(gone, "task {id} was called absent");
                Ok(())
            }
            (Query::Run(id), Answer::Run(view)) => {
                demand!(view.id == *id, "another run");
                self.seen_run(view)
            }
            (Query::Task(id), Answer::Task(view)) => {
                demand!(view.id == *id, "another task");
                self.seen_task(view)
            }
            (Query::Explain(id), Answer::Explain(explain)) => {
                let run = self.run(*id)?;
                demand!(
                    explain.state == run.state,
                    "explained as {}",
                    explain.state.name()
                );
                let blocked = self.paused || !self.has_room(*id)?;
                demand!(
                    !explain.runnable || run.state == RunState::Ready && !blocked,
                    "run {id} was called runnable"
                );
                demand!(
                    explain.runnable || !explain.reasons.is_empty(),
                    "run {id} does not run for no reason"
                );
                Ok(())
            }
            (Query::Stats, Answer::Stats(stats)) => self.seen_stats(stats),
            (Query::Engine, Answer::Engine(view)) => {
                demand!(view.paused == self.paused, "paused is {}", view.paused);
                Ok(())
            }
            (query, answer) => Err(format!("{query:?} was answered {answer:?}")),
        }
    }

    fn seen_run(&self, view: &RunView) -> Verdict {
        let (id, run) = (view.id, self.run(view.id)?);
        demand!(
            view.state == run.state,
            "run {id} was shown {}, the log says {}",
            view.state.name(),
            run.state.name()
        );
        demand!(
            (view.attempt_count, view.failures, view.lost_leases)
                == (run.granted, run.failures, run.lost),
            "run {id} was shown with {} attempts, {} failures, {} lost leases",
            view.attempt_count,
            view.failures,
            view.lost_leases
        );
        let times = view.scheduled_at.0 == run.scheduled_at && view.created_at.0 == run.created_at;
        demand!(
            view.task == run.task && times,
            "run {id} was shown otherwise"
        );
        demand!(
            view.output == run.output,
            "run {id} was shown with another output"
        );
        let memos: Vec<_> = run.checkpoints.clone().into_iter().collect();
        demand!(
            view.checkpoints == memos,
            "run {id} was shown with other memos"
        );
        demand!(
            view.lease.is_some() == run.lease.is_some()
                && view.lease.is_some() == view.state.is_held(),
            "run {id}: its lease and its state disagree"
        );
        self.seen_attempts(view, run)?;
        seen_path(view, run)
    }

    fn seen_attempts(&self, view: &RunView, run: &Run) -> Verdict {
        let id = view.id;
        let ended = view
            .attempts
            .iter()
            .filter(|attempt| attempt.result.is_some());
        let ended: Vec<_> = ended.collect();
        let kept = run.attempts.len().min(50);
        demand!(
            ended.len() == kept,
            "run {id} was shown with {} ends",
            ended.len()
        );
        let known = &run.attempts[run.attempts.len() - kept..];
        for (shown, known) in ended.iter().zip(known) {
            let same = shown.number == known.number
                && shown.fence == known.fence
                && shown.worker == known.worker
                && shown.result == Some(known.result)
                && shown.output == known.output
                && (shown.error == known.error || known.after == RunState::Completed);
            demand!(
                same,
                "attempt {} of run {id} was shown otherwise",
                shown.number
            );
        }
        let live = view
            .attempts
            .iter()
            .find(|attempt| attempt.result.is_none());
        demand!(
            live.map(|attempt| attempt.fence) == run.lease.as_ref().map(|lease| lease.fence),
            "run {id} was shown with another live attempt"
        );
        Ok(())
    }

    fn seen_task(&self, view: &TaskView) -> Verdict {
        let id = view.id;
        let task = self
            .tasks
            .get(&id)
            .ok_or_else(|| format!("task {id} is not in the log"))?;
        let same = view.kind == task.spec.kind
            && view.queue == task.spec.queue
            && view.payload == task.spec.payload
            && view.priority == task.spec.priority
            && view.created_at.0 == task.created_at;
        demand!(same, "task {id} was shown otherwise");
        let run = self.run(task.run.ok_or("a task without its run")?)?;
        let state = match run.state {
            _ if task.canceled => TaskState::Canceled,
            RunState::Completed => TaskState::Completed,
            state if state.is_terminal() => TaskState::Failed,
            _ => TaskState::Active,
        };
        demand!(
            view.state == state,
            "task {id} was shown {}",
            view.state.name()
        );
        demand!(
            view.runs_total == 1 && view.runs.len() == 1 && view.runs[0].state == run.state,
            "task {id} was shown with {} runs",
            view.runs_total
        );
        Ok(())
    }

    fn seen_stats(&self, stats: &Stats) -> Verdict {
        demand!(
            stats.runs_by_state == self.by_state(),
            "counters {:?}, recount {:?}",
            stats.runs_by_state,
            self.by_state()
        );
        let attempts: u64 = self.runs.values().map(|run| u64::from(run.granted)).sum();
        let ended: usize = self.runs.values().map(|run| run.attempts.len()).sum();
        demand!(
            stats.tasks_total == self.tasks.len() as u64
                && stats.runs_total == self.runs.len() as u64
                && stats.attempts_total == attempts
                && stats.attempts_by_result.iter().sum::<u64>() == ended as u64
                && stats.sequence == self.sequence,
            "totals {stats:?} differ from a recount"
        );
        Ok(())
    }
}

fn seen_path(view: &RunView, run: &Run) -> Verdict {
    let shown: Vec<_> = view
        .changes
        .iter()
        .map(|change| (change.to, change.sequence, change.cause))
        .collect();
    let known = run.path.len().saturating_sub(shown.len());
    demand!(
        shown.len() >= run.path.len().min(100) && shown == run.path[known..],
        "run {} was shown with the path {shown:?}, the log says {:?}",
        view.id,
        run.path
    );
    Ok(())
}
