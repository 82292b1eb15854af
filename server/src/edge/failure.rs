//! An error on its way to the caller: a code of the table, a message, details.

use std::borrow::Cow;

use mainstay::CallError;
use mainstay_core::{Family, Rejection};

use super::codes::{Code, find_code};
use crate::json::Writer;

/// One value in `details`.
#[derive(Clone, Debug)]
enum Detail {
    Text(Cow<'static, str>),
    Number(Cow<'static, str>),
    List(Cow<'static, [&'static str]>),
}

/// An error that will be answered.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    code: &'static Code,
    message: Cow<'static, str>,
    details: Vec<(&'static str, Detail)>,
    /// The log position the refusal reflects, when it came from the engine.
    pub(crate) sequence: Option<u64>,
    /// Whether the caller should come again, after a second.
    pub(crate) retry: bool,
    /// Whether the connection must end with this answer.
    pub(crate) close: bool,
}

impl Failure {
    /// A failure with a code of the table; a code that is not in it is a fault of the server.
    pub(crate) fn new(code: &str, message: impl Into<Cow<'static, str>>) -> Failure {
        let known = find_code(code)
            .or_else(|| find_code("internal_error"))
            .unwrap_or(&super::CODES[0]);
        debug_assert_eq!(known.name, code, "every code stands in the table");
        Failure {
            code: known,
            message: message.into(),
            details: Vec::new(),
            sequence: None,
            retry: matches!(
                known.name,
                "busy" | "not_ready" | "storage_full" | "rate_limited"
            ),
            close: false,
        }
    }

    pub(crate) fn text(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Failure {
        self.details.push((name, Detail::Text(value.into())));
        self
    }

    pub(crate) fn number(mut self, name: &'static str, value: u64) -> Failure {
        self.details
            .push((name, Detail::Number(value.to_string().into())));
        self
    }

    pub(crate) fn list(
        mut self,
        name: &'static str,
        values: impl Into<Cow<'static, [&'static str]>>,
    ) -> Failure {
        self.details.push((name, Detail::List(values.into())));
        self
    }

    pub(crate) fn closing(mut self) -> Failure {
        self.close = true;
        self
    }

    pub(crate) fn at(mut self, sequence: u64) -> Failure {
        self.sequence = Some(sequence);
        self
    }

    /// For one line of many: positions count from the body's start, not from the line's.
    pub(crate) fn on_line(mut self, line: usize) -> Failure {
        for (name, value) in &mut self.details {
            if *name == "line" {
                *value = Detail::Number(line.to_string().into());
            }
        }
        self
    }

    /// For one item of many: the field's path begins at the batch.
    pub(crate) fn within(mut self, list: &str, index: usize) -> Failure {
        for (name, value) in &mut self.details {
            if let ("field", Detail::Text(field)) = (*name, value) {
                let prefix = format!("{list}.{index}");
                *field = if field.is_empty() {
                    prefix
                } else {
                    format!("{prefix}.{field}")
                }
                .into();
            }
        }
        self
    }

    /// A well-known field that this version does not act on.
    pub(crate) fn not_supported(field: impl Into<Cow<'static, str>>) -> Failure {
        let field = field.into();
        Failure::new(
            "not_supported",
            format!("{field} is not supported by this version"),
        )
        .text("field", field)
    }

    pub(crate) fn run_not_found(run: impl ToString) -> Failure {
        Failure::new("run_not_found", "run not found").text("run_id", run.to_string())
    }

    pub(crate) fn task_not_found(task: impl ToString) -> Failure {
        Failure::new("task_not_found", "task not found").text("task_id", task.to_string())
    }

    pub(crate) fn tenant_not_found(tenant: impl ToString) -> Failure {
        Failure::new("tenant_not_found", "tenant not found").text("tenant_id", tenant.to_string())
    }

    pub(crate) fn queue_not_found(queue: impl ToString) -> Failure {
        Failure::new("queue_not_found", "queue not found").text("queue", queue.to_string())
    }

    pub(crate) fn lease_lost(run: impl ToString) -> Failure {
        Failure::new(
            "lease_lost",
            "the lease is no longer held with this token; nothing was changed",
        )
        .text("run_id", run.to_string())
    }

    /// The refusal of what came with a lease's token: nobody holds a run that is not there, and another tenant's is not there.
    pub(crate) fn of_token(self) -> Failure {
        let run = self.details.iter().find(|(name, _)| *name == "run_id");
        match run {
            Some((_, Detail::Text(run))) if self.code() == "run_not_found" => Failure {
                sequence: self.sequence,
                ..Failure::lease_lost(run)
            },
            _ => self,
        }
    }

    /// A cursor that this list with these filters did not give to this caller.
    pub(crate) fn invalid_cursor() -> Failure {
        let message = "cursor must be the next_cursor of this list with the same filters";
        Failure::new("invalid_pagination", message).text("field", "cursor")
    }

    /// The server does not do this at the moment.
    pub(crate) fn not_ready(reason: &'static str) -> Failure {
        Failure::new("not_ready", format!("the server is {reason}")).text("reason", reason)
    }

    pub(crate) fn internal() -> Failure {
        Failure::new("internal_error", "the server failed to answer this request")
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code.name
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> u16 {
        self.code.status
    }

    /// The envelope.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut json = Writer::new();
        json.object();
        self.write_fields(&mut json);
        json.end_object();
        json.done()
    }

    /// `error`, `message` and `details`, into an object that is open.
    pub(crate) fn write_fields(&self, json: &mut Writer) {
        json.string_field("error", self.code.name)
            .string_field("message", &self.message)
            .name("details")
            .object();
        for (name, value) in &self.details {
            json.name(name);
            match value {
                Detail::Text(text) => json.string(text),
                Detail::Number(digits) => json.raw(digits.as_bytes()),
                Detail::List(values) => {
                    json.array();
                    for value in values.iter() {
                        json.string(value);
                    }
                    json.end_array()
                }
            };
        }
        json.end_object();
    }
}

/// The code on the wire of a refusal of the machine.
pub(crate) fn wire_code(code: &str) -> &str {
    match code {
        "unknown_run" => "run_not_found",
        "unknown_task" => "task_not_found",
        "unknown_tenant" => "tenant_not_found",
        "unknown_actor" => "actor_not_found",
        // Access.
        "unknown_key" => "key_not_found",
        "unknown_role" => "role_not_found",
        // Ledgers.
        "unknown_approval" => "approval_not_found",
        "unknown_subscription" => "subscription_not_found",
        "unknown_operation" => "operation_not_found",
        // Webhooks.
        "unknown_webhook" => "webhook_not_found",
        "unknown_delivery" => "delivery_not_found",
        code => code,
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Failure {
        let code = wire_code(rejection.code());
        let mut failure = Failure::new(code, rejection.to_string());
        debug_assert_eq!(
            failure.status(),
            match rejection.family() {
                Family::NotFound => 404,
                Family::Conflict => 409,
                Family::Invalid => 422,
                Family::Forbidden => 403,
            },
            "{code} has its family's status"
        );
        for (name, value, number) in rejection.details() {
            let value = Cow::Owned(value);
            failure.details.push((
                name,
                if number {
                    Detail::Number(value)
                } else {
                    Detail::Text(value)
                },
            ));
        }
        failure
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        match error {
            CallError::Busy { limit } => {
                Failure::new("busy", format!("too much work in progress: {limit}"))
                    .text("limit", limit)
            }
            CallError::StorageFull {
                free_bytes,
                needed_bytes,
            } => {
                let message = "the disk is nearly full; nothing was changed";
                Failure::new("storage_full", message)
                    .number("free_bytes", free_bytes)
                    .number("needed_bytes", needed_bytes)
            }
            CallError::CommitUnknown { sequence } => {
                let message =
                    "written, but not confirmed; after a restart it is fully there or never was";
                Failure::new("commit_unknown", message).number("sequence", sequence)
            }
            // The cause may name files: it belongs to the operator's log, not to a caller.
            CallError::Stopped { .. } | CallError::Append { .. } => Failure::not_ready("stopped"),
            CallError::ShuttingDown => Failure::not_ready("draining"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use mainstay::CallError;
    use mainstay_core::{
        ActorId, AttemptId, Rejection, RunId, RunState, SubscriptionId, TaskId, TaskState,
        TenantId, Text, Timestamp,
    };

    /// One of each kind.
    fn every_rejection() -> Vec<Rejection> {
        let (run, task, state) = (RunId(7), TaskId(8), RunState::Ready);
        let (tenant, subscription) = (TenantId::DEFAULT, SubscriptionId(9));
        let attempt = AttemptId::derive(run, 1);
        let actor = ActorId(10);
        let name = || Text::from("n");
        let at = Timestamp(1);
        vec![
            Rejection::InvalidTask {
                field: "kind",
                message: "must not be empty".into(),
            },
            Rejection::InvalidRequest {
                field: "max",
                message: "must be 1 to 1000".into(),
            },
            Rejection::NotSupported {
                field: "budgets".into(),
            },
            Rejection::LimitExceeded {
                limit: "payload",
                value: 1,
            },
            Rejection::TaskAlreadyExists { task },
            Rejection::UnknownTask { task },
            Rejection::UnknownRun { run },
            Rejection::UnknownTenant { tenant },
            Rejection::IdempotencyConflict { key: name() },
            Rejection::LeaseLost { run },
            Rejection::AlreadyFinished { run, state },
            Rejection::InvalidTransition {
                from: state,
                to: state,
            },
            Rejection::PreviousStateMismatch {
                expected: state,
                actual: state,
            },
            Rejection::NonMonotonicSequence {
                expected: 1,
                provided: 2,
            },
            Rejection::RunSuspendRequiresRunning { state },
            Rejection::RunResumeRequiresSuspended { state },
            Rejection::CheckpointConflict { name: name() },
            Rejection::ParentTerminal { task },
            Rejection::HierarchyTooDeep { limit: 8 },
            Rejection::DependencyCycle { task },
            Rejection::EmptyDependencyList,
            Rejection::TaskAlreadyStarted { task },
            Rejection::RunAlreadyExists { run },
            Rejection::RunCreateRequiresScheduled { state },
            Rejection::TaskIsCanceled { task },
            Rejection::NotDeadLettered { run, state },
            Rejection::UniqueKeyTaken { task },
            Rejection::LeaseInvalidRunState {
                state,
                blocked: Some("queue_paused"),
            },
            Rejection::LeaseAlreadyActive { owner: name() },
            Rejection::LeaseMissingActive { run },
            Rejection::LeaseOwnerMismatch {
                expected: name(),
                provided: name(),
            },
            Rejection::LeaseExpiryMismatch {
                expected: at,
                provided: at,
            },
            Rejection::LeaseHeartbeatExpiryRegression {
                current: at,
                provided: at,
            },
            Rejection::AttemptStartRequiresRunning { state },
            Rejection::AttemptAlreadyActive { attempt },
            Rejection::AttemptFinishRequiresRunning { state },
            Rejection::AttemptFinishMissingActive { run },
            Rejection::AttemptMismatch {
                expected: attempt,
                provided: attempt,
            },
            Rejection::BudgetNotAllocated { dimension: name() },
            Rejection::ZeroLimit { dimension: name() },
            Rejection::SubscriptionAlreadyExists { subscription },
            Rejection::UnknownSubscription { subscription },
            Rejection::SubscriptionAlreadyCanceled { subscription },
            Rejection::QueueAlreadyPaused { queue: name() },
            Rejection::QueueNotPaused { queue: name() },
            Rejection::TenantAlreadyExists { tenant },
            Rejection::EngineAlreadyPaused,
            Rejection::EngineNotPaused,
            Rejection::UnknownActor { actor },
            Rejection::ActorAlreadyRegistered { actor },
            Rejection::EmptyCapabilities,
            Rejection::CapabilityMissing { capability: name() },
            Rejection::SequenceOverflow,
            Rejection::TaskHasEnded {
                task,
                state: TaskState::Completed,
            },
            Rejection::InList {
                list: "tasks",
                index: 3,
                why: Box::new(Rejection::ZeroLimit { dimension: name() }),
            },
        ]
    }

    #[test]
    fn every_rejection_of_the_machine_has_a_code_and_its_familys_status() {
        let rejections = every_rejection();
        for rejection in rejections {
            let failure = Failure::from(rejection.clone());
            assert_ne!(failure.status(), 500, "{rejection:?}");
            let documented: Vec<&str> = failure.code.details.split(", ").collect();
            for (name, _) in &failure.details {
                assert!(
                    documented.contains(name) || *name == "index",
                    "{rejection:?}: {name} is not in the reference"
                );
            }
            assert!(serde_json::from_slice::<serde_json::Value>(&failure.body()).is_ok());
        }
    }

    #[test]
    fn a_full_disk_and_a_store_that_lags_say_when_to_come_again() {
        let full = Failure::from(CallError::StorageFull {
            free_bytes: 7,
            needed_bytes: 9,
        });
        let expected = r#"{"error":"storage_full","message":"the disk is nearly full; nothing was changed","details":{"free_bytes":7,"needed_bytes":9}}"#;
        assert_eq!(String::from_utf8(full.body()).expect("UTF-8"), expected);
        assert_eq!((full.status(), full.retry), (503, true));
        let lag = Failure::from(CallError::Busy { limit: "store_lag" });
        assert_eq!((lag.code(), lag.status(), lag.retry), ("busy", 503, true));
        let body = String::from_utf8(lag.body()).expect("UTF-8");
        assert!(
            body.contains(r#""details":{"limit":"store_lag"}"#),
            "{body}"
        );
    }

    #[test]
    fn a_missing_run_answers_exactly_as_the_contract_says() {
        let failure = Failure::from(Rejection::UnknownRun { run: RunId(1) });
        let expected = r#"{"error":"run_not_found","message":"run not found","details":{"run_id":"00000000-0000-0000-0000-000000000001"}}"#;
        assert_eq!(String::from_utf8(failure.body()).expect("UTF-8"), expected);
    }
}
