//! Lists: ordered pages of tasks and runs, filtered and searched, by walking indexes.

mod ask;
mod audit;
mod cursor;
mod dead;
mod filter;
mod job_ask;
mod jobs;
mod ledger;
mod matching;
mod page;
mod places;
mod run_key;
mod runs;
mod search;
mod task_key;
mod tasks;
#[cfg(test)]
mod tests;
mod walk;

pub use ask::{
    AfterPage, ApprovalAsk, AuditAsk, AuditPage, EventLine, From, LedgerAsk, ListError, Listed,
    Page, RunAsk, RunLine, Scope, SqlAnswer, SqlAsk, SqlError, SqlValue, TaskAsk, TaskLine,
};
pub(crate) use audit::audit;
pub(crate) use dead::{groups, letters};
pub use job_ask::{
    DeadAsk, DeadGroup, DeadGroups, DeadLetter, JobAsk, JobLine, JobPage, MatchAsk, Matched,
    Matches,
};
pub(crate) use jobs::jobs;
pub(crate) use ledger::{approval, approvals, entries};
pub(crate) use matching::{matches, next};
pub(crate) use page::{places, runs, tasks};
pub(crate) use places::Places;
