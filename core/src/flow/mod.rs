//! Flows: named, versioned definitions of many steps.

mod condition;
mod fault;
mod number;
mod path;
mod template;
mod value;

pub use condition::{Comparison, Condition, Unsound};
pub use fault::{Fault, FaultClass};
pub use number::Number;
pub use path::{Found, Held, Path, Root, Scope, is_step_name};
pub use template::{Flaw, Piece, Template};
pub use value::{NotJson, Value};
