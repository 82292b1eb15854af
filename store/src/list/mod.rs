//! Lists: ordered pages of tasks and runs, filtered and searched, by walking indexes.

mod ask;

pub use ask::{
    EventLine, From, ListError, Listed, Page, RunAsk, RunLine, Scope, SqlAnswer, SqlAsk, SqlError,
    SqlValue, TaskAsk, TaskLine,
};
