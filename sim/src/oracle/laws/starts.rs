//! The laws of starting work: nothing is granted that something holds back, and nothing is passed over.

use mainstay::{Claim, Fence, RunId, RunState, TaskId};

use super::model::{Laws, Lease, Run};
use crate::oracle::model::{Verdict, demand, policy_of};

impl Laws {
    /// A run is taken by somebody: everything that could hold it back must not.
    pub(super) fn taken(&mut self, id: RunId, fence: Fence, idle: bool) -> Verdict {
        demand!(
            fence.incarnation == self.incarnation && fence.counter > self.last_counter,
            "token {fence:?} again"
        );
        self.last_counter = fence.counter;
        if let Some(why) = self.held_back(id)? {
            return Err(format!("run {id} was granted: {why}"));
        }
        let task = self.run(id)?.task;
        let reserved = self.shares(task)?;
        let queue = self.task(task)?.spec.queue.clone();
        let steady = self.steady;
        if let Some(queue) = self.queues.get_mut(&queue) {
            queue.start(steady);
        }
        self.go(id, RunState::Leased)?;
        self.run_mut(id)?.lease = Some(Lease {
            fence,
            idle,
            cancel: false,
            reserved,
            actor: None,
        });
        Ok(())
    }

    /// Why a ready run must not be granted now, if there is a reason; capabilities aside.
    pub(crate) fn held_back(&self, id: RunId) -> Result<Option<&'static str>, String> {
        self.held_back_at(id, self.wall, self.steady)
    }

    /// The same at a later moment, if nothing else happens until then.
    pub(super) fn held_back_at(
        &self,
        id: RunId,
        wall: u64,
        steady: u64,
    ) -> Result<Option<&'static str>, String> {
        let run = self.run(id)?;
        let task = self.task(run.task)?;
        if run.state != RunState::Ready {
            return Ok(Some("it is not ready"));
        }
        if self.paused {
            return Ok(Some("the engine is paused"));
        }
        if self.is_fenced(run.task)? {
            return Ok(Some("it or one above it is canceled"));
        }
        if !task.unmet.is_empty() {
            return Ok(Some("a prerequisite is not completed"));
        }
        let expires = task
            .spec
            .extras
            .as_ref()
            .and_then(|extras| extras.expires_at);
        if run.granted == 0 && expires.is_some_and(|at| at.0 <= wall) {
            return Ok(Some("it has expired"));
        }
        if !self.has_slot(id)? {
            return Ok(Some("its concurrency key is busy"));
        }
        if self.is_broke(run.task)? {
            return Ok(Some("a budget is exhausted"));
        }
        self.queue_holds(id, steady)
    }

    fn queue_holds(&self, id: RunId, steady: u64) -> Result<Option<&'static str>, String> {
        let name = &self.task(self.run(id)?.task)?.spec.queue;
        let Some(queue) = self.queues.get(name) else {
            return Ok(None);
        };
        if queue.paused {
            return Ok(Some("its queue is paused"));
        }
        if let Some(limit) = queue.config.concurrency_limit
            && self.held_in(name)? >= limit as usize
        {
            return Ok(Some("its queue is full"));
        }
        // A burst of `max`, and one more for every share of the span that has passed: within any window.
        if let Some(rate) = queue.config.rate_limit {
            for (at, from) in queue.starts.iter().enumerate() {
                let started = (queue.starts.len() - at) as u64 + 1;
                let passed = u128::from(steady - from) * u128::from(rate.max);
                let allowed = rate.max + (passed / u128::from(rate.per_ms)) as u64;
                if started > allowed {
                    return Ok(Some("its queue's rate is used up"));
                }
            }
        }
        Ok(None)
    }

    fn has_slot(&self, id: RunId) -> Result<bool, String> {
        let run = self.run(id)?;
        let policy = policy_of(&self.task(run.task)?.spec);
        let Some(key) = policy.concurrency_key.as_ref().filter(|_| !run.holds_key) else {
            return Ok(true);
        };
        let (mut holders, mut limit) = (0, policy.concurrency_limit);
        for other in self.runs.values().filter(|run| run.holds_key) {
            let theirs = policy_of(&self.task(other.task)?.spec);
            if theirs.concurrency_key.as_ref() == Some(key) {
                holders += 1;
                limit = limit.min(theirs.concurrency_limit);
            }
        }
        Ok(holders < limit)
    }

    /// Whether a budget that covers the task has no room for another attempt.
    pub(crate) fn is_broke(&self, id: TaskId) -> Result<bool, String> {
        for (whose, dimension, reserve) in self.shares(id)? {
            let purses = match whose {
                Some(task) => &self.task(task)?.purses,
                None => &self.purses,
            };
            let Some(purse) = purses.get(&dimension) else {
                continue;
            };
            let reserved = self.reserved(whose, &dimension);
            let needed = purse.consumed.saturating_add(reserved) + reserve;
            if purse.consumed >= purse.limit || needed > purse.limit {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nothing holds a run back, an earlier rate of its queue neither.
    fn is_free(&self, id: RunId) -> Result<bool, String> {
        let queue = self.queues.get(&self.task(self.run(id)?.task)?.spec.queue);
        let owes = queue.is_some_and(|queue| queue.may_owe(self.steady));
        Ok(!owes && self.held_back(id)?.is_none())
    }

    /// Whether something of this tenant could be granted now, by what its events tell.
    pub(super) fn has_work(&self) -> bool {
        let ready = |(_, run): &(&RunId, &Run)| run.state == RunState::Ready;
        let mut ready = self.runs.iter().filter(ready);
        ready.any(|(run, _)| self.is_free(*run).unwrap_or(false))
    }

    /// A run that this claim should have got, if there is one.
    pub(crate) fn passed_over(&self, claim: &Claim) -> Result<Option<RunId>, String> {
        let Some(able) = self.able(claim) else {
            return Ok(None);
        };
        for (id, run) in &self.runs {
            if run.state != RunState::Ready {
                continue;
            }
            let spec = &self.task(run.task)?.spec;
            let needs = &policy_of(spec).required_capabilities;
            let fits = claim.queues.contains(&spec.queue)
                && (claim.kinds.is_empty() || claim.kinds.contains(&spec.kind))
                && needs.iter().all(|need| able.contains(need));
            if fits && self.is_free(*id)? {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// A claim chose this run: it may have it, and none before it was passed over.
    pub(super) fn chosen(&self, id: RunId, claim: &Claim) -> Verdict {
        let able = self.able(claim);
        let able = able.ok_or("a claim got what its actor must not get")?;
        let spec = &self.task(self.run(id)?.task)?.spec;
        let needs = &policy_of(spec).required_capabilities;
        demand!(
            claim.queues.contains(&spec.queue)
                && (claim.kinds.is_empty() || claim.kinds.contains(&spec.kind))
                && needs.iter().all(|need| able.contains(need)),
            "run {id} was granted to a claim that does not fit it"
        );
        let before = self.overtaken(id)?;
        demand!(before.is_none(), "run {id} was granted before {before:?}");
        Ok(())
    }

    /// Whether a run of the same queue, kind, capabilities and fairness key comes before this one and could have been granted.
    fn overtaken(&self, id: RunId) -> Result<Option<RunId>, String> {
        let run = self.run(id)?;
        let spec = &self.task(run.task)?.spec;
        let policy = policy_of(spec);
        for (other, theirs) in &self.runs {
            if theirs.state != RunState::Ready || *other == id {
                continue;
            }
            let other_spec = &self.task(theirs.task)?.spec;
            let other_policy = policy_of(other_spec);
            let alike = other_spec.queue == spec.queue
                && other_spec.kind == spec.kind
                && other_policy.required_capabilities == policy.required_capabilities
                && other_policy.fairness_key == policy.fairness_key;
            let before = (-i64::from(other_spec.priority), theirs.ready_order)
                < (-i64::from(spec.priority), run.ready_order);
            if alike && before && self.held_back(*other)?.is_none() {
                return Ok(Some(*other));
            }
        }
        Ok(None)
    }
}
