//! Claims judged: who is granted, in which order, and what the grant says.

use mainstay::{AttemptId, Cause, Claim, ClaimGrant, Event, Fence, RunState};

use super::closing::run_of;
use super::image::Written;
use super::model::{ClaimKey, Model, Verdict, demand};

impl Model {
    /// A claim's events must be exactly what walking the ready runs in order comes to.
    pub(crate) fn claimed(&mut self, written: &Written, claim: &Claim) -> Verdict {
        demand!(!self.paused, "work was granted while the engine is paused");
        let mut grants = Vec::new();
        let mut events = written.events.iter().map(|entry| &entry.event).peekable();
        // Who is blocked stays blocked within one claim: the walk goes on behind it.
        while let Some(event) = events.next() {
            self.sequence += 1;
            let at = self.sequence;
            self.claim_event(event, claim, &mut grants)
                .map_err(|error| format!("event {at}: {error}"))?;
            if matches!(event, Event::ClaimRecorded(_)) {
                demand!(events.peek().is_none(), "a claim went on after its end");
            }
        }
        demand!(
            grants.len() <= claim.max as usize,
            "{} grants",
            grants.len()
        );
        if let Some(key) = &claim.idempotency_key
            && !grants.is_empty()
        {
            let held = self.claim_keys.get(key);
            demand!(
                held.is_some_and(|held| held.grants == grants && held.claim == *claim),
                "a claim with key {key} left no record"
            );
        }
        if grants.len() < claim.max as usize && !grants.is_empty() {
            let next = self.first_for(claim, self.wall)?;
            demand!(
                next.is_none(),
                "a claim left {next:?} though it could take more"
            );
        }
        Ok(())
    }

    fn claim_event(
        &mut self,
        event: &Event,
        claim: &Claim,
        grants: &mut Vec<(mainstay::RunId, Fence)>,
    ) -> Verdict {
        match event {
            Event::RunCanceled(fact) => {
                let expired = self.is_expired(fact.run, self.wall)?;
                demand!(
                    expired && fact.cause == Cause::Expired,
                    "a claim canceled run {}",
                    fact.run
                );
                self.go(fact.run, RunState::Canceled, Cause::Expired)
            }
            Event::RunStarted(fact) => {
                let first = self.first_for(claim, self.wall)?;
                demand!(
                    first == Some(fact.run),
                    "run {} was granted before {first:?}",
                    fact.run
                );
                demand!(
                    !self.is_expired(fact.run, self.wall)?,
                    "run {} had expired",
                    fact.run
                );
                self.started(fact, claim)?;
                let (incarnation, counter) = (fact.incarnation, fact.counter);
                grants.push((
                    fact.run,
                    Fence {
                        incarnation,
                        counter,
                    },
                ));
                Ok(())
            }
            Event::ClaimRecorded(fact) => {
                demand!(
                    claim.idempotency_key.as_ref() == Some(&fact.key),
                    "another key"
                );
                let told = fact.runs.iter().copied().zip(fact.counters.iter().copied());
                let given = grants.iter().map(|(run, fence)| (*run, fence.counter));
                demand!(told.eq(given), "the record of a claim names other grants");
                let held = ClaimKey {
                    claim: claim.clone(),
                    grants: grants.clone(),
                };
                self.claim_keys.insert(fact.key.clone(), held);
                Ok(())
            }
            other => Err(format!("a claim made {other:?} about {:?}", run_of(other))),
        }
    }

    /// A grant as a worker got it must be what the log says, at this very moment of the log.
    pub(crate) fn granted(&self, grant: &ClaimGrant, is_fresh: bool) -> Verdict {
        let id = grant.run;
        let lease = self.live(id, grant.fence)?;
        let (run, spec) = (self.run(id)?, &self.task_of(id)?.spec);
        demand!(grant.task == run.task, "run {id} is of another task");
        demand!(
            grant.attempt == lease.number
                && grant.attempt_id == AttemptId::derive(id, lease.number),
            "attempt {} of run {id} is {}",
            grant.attempt,
            lease.number
        );
        let same = grant.kind == spec.kind
            && grant.queue == spec.queue
            && grant.payload == spec.payload
            && grant.priority == spec.priority
            && grant.lease_ms == lease.lease_ms;
        demand!(same, "the grant of run {id} is not the task's");
        if is_fresh {
            demand!(
                grant.expires_at.0 == lease.recorded_end_wall,
                "a lease until {}",
                grant.expires_at.0
            );
        }
        let rare = grant.rare.as_deref().cloned().unwrap_or_default();
        let memos: Vec<_> = run.checkpoints.clone().into_iter().collect();
        demand!(
            rare.checkpoints == memos && rare.resume_payload == run.resume_payload,
            "run {id} lost its memos: {:?}",
            rare.checkpoints
        );
        let extras = spec.extras.as_deref().cloned().unwrap_or_default();
        demand!(rare.extras == extras, "run {id} lost its extras");
        Ok(())
    }
}
