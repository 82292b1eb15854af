//! The rows about tasks that wait for tasks.

use mainstay_core::{Command, TaskId};

use super::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![row(
        "of a task that nobody knows",
        |stand| Command::DeclareDependencies {
            task: TaskId(0xdead),
            depends_on: vec![stand.other],
        },
        |_| "not_supported",
    )]
}
