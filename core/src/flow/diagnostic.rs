//! What is wrong with a definition: every problem at once, each with a stable code and its place.
//! Owns: the codes.
//! Never: stops at the first one.

use alloc::string::String;
use core::fmt;

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $text:literal),+ $(,)?) => {
        /// What kind of problem it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Problem { $($(#[$doc])* $name),+ }

        impl Problem {
            /// All of them.
            pub const ALL: &'static [Problem] = &[$(Problem::$name),+];

            /// Its code on the wire.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Problem::$name => $text),+ }
            }
        }
    };
}

problems! {
    /// It is not JSON, or not an object.
    NotADefinition "not_a_definition",
    /// A field that there is not here.
    UnknownField "unknown_field",
    /// A field comes twice.
    DuplicateField "duplicate_field",
    /// A field is missing.
    MissingField "missing_field",
    /// A field has a value that it cannot have.
    InvalidField "invalid_field",
    /// More steps than a flow may have.
    TooManySteps "too_many_steps",
    /// Steps wait for each other in a ring.
    CycleDetected "flow_cycle_detected",
    /// A step that there is not.
    UnknownStep "flow_unknown_step",
    /// A step waits for itself.
    SelfDependency "flow_self_dependency",
    /// A quorum without a number of at least 1, or where there is nothing to count.
    QuorumInvalid "quorum_invalid",
    /// A quorum larger than what there is to count.
    QuorumUnreachable "quorum_unreachable",
    /// A branch group with a single member.
    BranchGroupTooSmall "branch_group_too_small",
    /// A member of a branch group without a condition.
    BranchStepMissingCondition "branch_step_missing_condition",
    /// Members of a branch group that do not wait for the same steps.
    BranchStepConflictingNeeds "branch_step_conflicting_needs",
    /// A step waits for any of several, none of which exclude each other.
    BranchJoinWithoutBranch "branch_join_without_branch",
    /// A template or a path in it is not one.
    TemplateSyntax "template_syntax",
    /// A path to something that is not there for this step.
    TemplateUnknownPath "template_unknown_path",
    /// A path to the output of a step that this one does not wait for.
    TemplateNotAnAncestor "template_not_an_ancestor",
    /// A condition is not one.
    ConditionSyntax "condition_syntax",
    /// A condition compares with what it cannot be compared with.
    ConditionTypeMismatch "condition_type_mismatch",
    /// A JSON Schema is not one.
    SchemaInvalid "schema_invalid",
    /// A step may take longer than its flow.
    TimeoutExceedsFlowLimit "timeout_exceeds_flow_limit",
    /// Two steps have the same name.
    DuplicateStep "duplicate_step",
    /// A name that begins with `__`.
    ReservedName "reserved_name",
    /// A step without anything to do.
    StepWithoutWork "step_without_work",
    /// A loop without a bound.
    LoopWithoutBound "loop_without_bound",
}

impl Problem {
    /// Whether a definition with it may be used all the same.
    #[must_use]
    pub fn is_warning(self) -> bool {
        self == Problem::BranchJoinWithoutBranch
    }
}

/// One problem of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it is.
    pub problem: Problem,
    /// What is wrong, for people.
    pub message: String,
    /// Where, as a dotted path within the definition; empty for all of it.
    pub location: String,
}

impl Diagnostic {
    /// `error` or `warning`.
    #[must_use]
    pub fn severity(&self) -> &'static str {
        match self.problem.is_warning() {
            true => "warning",
            false => "error",
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, code) = (self.severity(), self.problem.code());
        write!(f, "{}: {severity} {code}: {}", self.location, self.message)
    }
}
