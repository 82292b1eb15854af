//! Bugs of what people are shown.

use mainstay::{Answer, Machine, Meddler, Now, Query, RunState, TaskState, TenantId};

/// A ready run that something holds back is called runnable.
pub(crate) struct CalledRunnable;

impl Meddler for CalledRunnable {
    fn answer(&mut self, machine: &Machine, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        let mut answer = machine.answer(now, tenant, query);
        if let Answer::Explain(explain) = &mut answer
            && explain.state == RunState::Ready
        {
            explain.runnable = true;
            explain.reasons.clear();
        }
        answer
    }
}

/// A ready run that nothing holds back is said to be held back.
pub(crate) struct CalledBlocked;

impl Meddler for CalledBlocked {
    fn answer(&mut self, machine: &Machine, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        let mut answer = machine.answer(now, tenant, query);
        if let Answer::Explain(explain) = &mut answer
            && explain.runnable
        {
            explain.runnable = false;
            explain.reasons = vec![mainstay::Block::default()];
        }
        answer
    }
}

/// A task whose children go on is shown as completed.
pub(crate) struct ShownCompleted;

impl Meddler for ShownCompleted {
    fn answer(&mut self, machine: &Machine, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        let mut answer = machine.answer(now, tenant, query);
        if let Answer::Task(view) = &mut answer
            && view.state == TaskState::WaitingForChildren
        {
            view.state = TaskState::Completed;
        }
        answer
    }
}
