//! What goes wrong while a step is prepared: typed, so that a typo never silently skips work.
//! Owns: the two classes and their words.
//! Never: carries a value; values may be secrets.

use alloc::string::String;
use core::fmt;

/// Why a template could not be rendered or a condition not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which of the two it was.
    pub class: FaultClass,
    /// What was wrong, for people.
    pub message: String,
}

/// Which kind of fault it is, as the failure ledger names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// A condition asked for something that is not there, or compared what cannot be compared.
    Condition,
    /// A template asked for something that is not there.
    Template,
}

impl FaultClass {
    /// Its name in the failure ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultClass::Condition => "condition_fault",
            FaultClass::Template => "template_fault",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.message)
    }
}
