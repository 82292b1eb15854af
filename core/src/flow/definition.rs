//! What a flow is: its steps, what each waits for, and what each does.
//! Owns: the nouns of a definition.
//! Never: reads or checks one.

use alloc::string::String;
use alloc::vec::Vec;

use super::condition::Condition;
use super::path::Path;
use super::template::Template;
use super::value::Value;
use crate::{TaskSpec, Text};

/// A definition without an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    /// The flow's name, when the definition says it.
    pub name: Option<Text>,
    /// What it is for, for people.
    pub description: Option<String>,
    /// The JSON Schema of its parameters.
    pub params_schema: Option<Value>,
    /// How long a run may take in milliseconds; nothing for as long as it likes.
    pub max_duration_ms: Option<u64>,
    /// How many steps may be under way at once; nothing for all that are ready.
    pub max_parallel_steps: Option<u32>,
    /// The steps, in the order they are written.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name, unique in the whole definition.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// What it waits for.
    pub needs: Vec<Need>,
    /// Whether it waits for all of them.
    pub join: Join,
    /// Whether it is done at all.
    pub when: Option<Condition>,
    /// The group of which only one step is done.
    pub branch: Option<String>,
    /// For whom or what it is done.
    pub dispatch: Dispatch,
    /// When enough of it is done.
    pub collect: Collect,
    /// Whether those that are no longer needed are let finish rather than canceled.
    pub let_finish: bool,
    /// What its output is made of.
    pub output: OutputForm,
    /// The JSON Schema of its output.
    pub output_schema: Option<Value>,
    /// Whether the flow goes on when it fails.
    pub may_fail: bool,
    /// How long it may take in milliseconds, all attempts together for a wait and each attempt for a task.
    pub timeout_ms: Option<u64>,
    /// What undoes it when the flow fails or is canceled later.
    pub compensate: Option<TaskWork>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// A task.
    Task(TaskWork),
    /// Another flow, as a child.
    Flow {
        /// Which.
        name: Text,
        /// Its parameters.
        params: Template,
    },
    /// Waits for a signal of this name.
    Signal(Text),
    /// Waits for an approval.
    Approval,
    /// Waits for so many milliseconds.
    Delay(u64),
    /// Does its steps again and again.
    Loop(Body),
}

/// What a task of a step is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskWork {
    /// Everything but the payload.
    pub spec: TaskSpec,
    /// The payload.
    pub input: Template,
}

/// The body of a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// It ends when this holds after an iteration.
    pub until: Condition,
    /// It fails after so many.
    pub max_iterations: u32,
    /// What one iteration does.
    pub steps: Vec<Step>,
}

/// A step that has to come before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Which.
    pub step: String,
    /// How it has to end.
    pub on: Ending,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// All of them, the default first.
            pub const ALL: &'static [$name] = &[$($name::$word),+];

            /// Its name in a definition.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$word => $text),+ }
            }
        }
    )+};
}

words! {
    /// How a step that another one waits for has to end.
    Ending {
        /// It completed.
        #[default]
        Success "success",
        /// It completed, failed or was skipped.
        Completion "completion",
        /// It failed.
        Failure "failure",
    }
    /// Whether all or any of what a step waits for is enough.
    Join {
        /// All.
        #[default]
        All "all",
        /// One.
        Any "any",
    }
    /// What a step's output is made of.
    OutputForm {
        /// The output of its one run.
        #[default]
        Value "value",
        /// An object: target to output.
        Map "map",
        /// A list in the order of the targets.
        List "list",
    }
}

/// For whom or what a step is done.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Dispatch {
    /// Once.
    #[default]
    One,
    /// Once for each live actor that has the capabilities.
    EachActor,
    /// Once for each item of a list.
    ForEach(Path),
}

/// When enough of a step's runs have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collect {
    /// When all have completed.
    #[default]
    All,
    /// When one has.
    Any,
    /// When so many have.
    Quorum(u32),
}

impl Definition {
    /// Every step with those within loops, each before those within it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Step)) {
        walk(&self.steps, visit);
    }
}

fn walk<'a>(steps: &'a [Step], visit: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        visit(step);
        if let Work::Loop(body) = &step.work {
            walk(&body.steps, visit);
        }
    }
}
