//! What a task's state is, and what it follows from.
//! Owns: the one rule of a task's state.
//! Never: stored: it is derived whenever it is asked for.

/// A task's state, derived from its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// A run is not terminal.
    Active = 0,
    /// All runs are terminal and one completed.
    Completed = 1,
    /// All runs are terminal and none completed.
    Failed = 2,
    /// The task was canceled.
    Canceled = 3,
    /// Its own runs are terminal, some of its descendants are not.
    WaitingForChildren = 4,
}

impl State {
    /// Every state, in code order.
    pub const ALL: &'static [State] = &[
        State::Active,
        State::Completed,
        State::Failed,
        State::Canceled,
        State::WaitingForChildren,
    ];

    /// The state with this wire name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL
            .iter()
            .copied()
            .find(|state| state.name() == name)
    }

    /// The wire name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Canceled => "canceled",
            State::WaitingForChildren => "waiting_for_children",
        }
    }

    /// What it means, in words: the text of the reference.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            State::Active => "A run is not terminal, or its schedule goes on.",
            State::Completed => "All runs are terminal and one completed; so are all descendants.",
            State::Failed => {
                "All runs are terminal and none completed; all descendants are terminal."
            }
            State::Canceled => "The task was canceled.",
            State::WaitingForChildren => {
                "Its own runs are terminal, some of its descendants are not."
            }
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Canceled)
    }
}

/// What a task's state is derived from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) canceled: bool,
    pub(crate) runs_total: u32,
    pub(crate) runs_live: u32,
    pub(crate) runs_completed: u32,
    /// Its schedule will make more runs.
    pub(crate) goes_on: bool,
    /// A descendant is not terminal.
    pub(crate) has_live_descendants: bool,
}

/// The one rule of a task's state.
pub(crate) fn derive_state(task: Standing) -> State {
    if task.canceled {
        State::Canceled
    } else if task.runs_live > 0 || task.goes_on || task.runs_total == 0 {
        State::Active
    } else if task.has_live_descendants {
        State::WaitingForChildren
    } else if task.runs_completed > 0 {
        State::Completed
    } else {
        State::Failed
    }
}
