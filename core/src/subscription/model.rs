//! The nouns of subscriptions.
//! Owns: what can be waited for, and the row that remembers who waits.
//! Never: decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Field, Malformed, Reader, Record};
use crate::run::State;
use crate::{SubscriptionId, TaskId, Text};

/// What a subscription waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// A task has completed.
    TaskCompleted(TaskId),
    /// A run of a task came to a state.
    RunStateChanged(TaskId, State),
    /// A task's budget passed so many percent of its limit.
    BudgetThreshold(TaskId, Text, u32),
    /// Somebody published a custom event of this key.
    Custom(Text),
}

impl Filter {
    /// The wire name of its type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Filter::TaskCompleted(_) => "task_completed",
            Filter::RunStateChanged(..) => "run_state_changed",
            Filter::BudgetThreshold(..) => "budget_threshold",
            Filter::Custom(_) => "custom",
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Filter::Custom(Text::default())
    }
}

/// 1 kind, 2 task, 3 state, 4 dimension, 5 percent, 6 key.
impl Record for Filter {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Filter::TaskCompleted(task) => {
                1u32.put(1, out);
                task.put(2, out);
            }
            Filter::RunStateChanged(task, state) => {
                2u32.put(1, out);
                task.put(2, out);
                state.put(3, out);
            }
            Filter::BudgetThreshold(task, dimension, percent) => {
                3u32.put(1, out);
                task.put(2, out);
                dimension.put(4, out);
                percent.put(5, out);
            }
            Filter::Custom(key) => {
                4u32.put(1, out);
                key.put(6, out);
            }
        }
    }

    fn read(body: &[u8]) -> Result<Self, Malformed> {
        let (mut kind, mut task, mut state) = (4u32, TaskId::default(), State::default());
        let (mut dimension, mut percent, mut key) = (Text::default(), 0u32, Text::default());
        let mut reader = Reader::new(body);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => kind.take(value)?,
                2 => task.take(value)?,
                3 => state.take(value)?,
                4 => dimension.take(value)?,
                5 => percent.take(value)?,
                6 => key.take(value)?,
                _ => {}
            }
        }
        match kind {
            1 => Ok(Filter::TaskCompleted(task)),
            2 => Ok(Filter::RunStateChanged(task, state)),
            3 => Ok(Filter::BudgetThreshold(task, dimension, percent)),
            4 => Ok(Filter::Custom(key)),
            _ => Err(Malformed("an unknown kind of filter")),
        }
    }
}

/// One task's wish to hear of something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) filter: Box<Filter>,
    pub(crate) canceled: bool,
    /// How often it released or resumed a run.
    pub(crate) triggered: u64,
    /// Happenings it has still to act on.
    pub(crate) pending: u32,
}
