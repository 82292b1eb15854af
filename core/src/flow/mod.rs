//! Flows: named, versioned definitions of many steps.

mod check;
mod condition;
mod definition;
mod diagnostic;
mod fault;
mod number;
mod path;
mod read;
mod reading;
mod task;
mod template;
mod value;

#[cfg(test)]
mod tests;

pub use condition::{Comparison, Condition, Unsound};
pub use definition::{
    Body, Collect, Definition, Dispatch, Ending, Join, Need, OutputForm, Step, TaskWork, Work,
};
pub use diagnostic::{Diagnostic, Problem};
pub use fault::{Fault, FaultClass};
pub use number::Number;
pub use path::{Found, Held, Path, Root, Scope, is_step_name};
pub use template::{Flaw, Piece, Template};
pub use value::{NotJson, Value};
