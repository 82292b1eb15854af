//! What every route's work starts from: the engine, who asks, and the request's parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::HeaderValue;
use mainstay::store::Scope;
use mainstay::{Durability, Handle};
use mainstay_core::{
    ActorId, Answer, Call, Command, Fence, KeyId, Outcome, Principal, Query, Rejection, RunId,
    SubscriptionId, TaskId, TenantId, Text,
};

use tokio::time::sleep;

use super::body::{BodyBudget, HeldBody};
use super::cursor::cursor_key;
use super::failure::Failure;
use super::feeds::Feeds;
use super::headers::{Following, Form, unescape};
use super::stored::Stored;
use crate::api::Route;
use crate::auth::{Caller, Keyring, Needs, Verifier};
use crate::config::Config;
use crate::connection::Admission;
use crate::journal::Seldom;
use crate::json::{Subject, read};
use crate::key::AdminKey;
use crate::metrics::Metrics;
use crate::traces::Tracer;
use crate::webhooks::Post;

/// What all requests of a server share.
pub(crate) struct Edge {
    pub(crate) handle: Handle,
    pub(crate) config: Config,
    pub(crate) keyring: Keyring,
    pub(crate) log_id: HeaderValue,
    pub(crate) metrics: Metrics,
    pub(crate) bodies: Arc<BodyBudget>,
    pub(crate) stored: Stored,
    pub(crate) feeds: Feeds,
    /// What the cursors of lists are sealed with.
    pub(super) cursor_key: [u8; 32],
    pub(crate) admission: Admission,
    pub(crate) tracer: Tracer,
    /// Requests without a valid key, requests refused for want of room, and for too much at once.
    pub(crate) refusals: Seldom,
    pub(crate) shortages: Seldom,
    pub(crate) rushes: Seldom,
    pub(crate) post: Post,
    request_seed: u64,
    requests: AtomicU64,
}

impl Edge {
    pub(crate) fn new(handle: Handle, mut config: Config, key: AdminKey) -> std::io::Result<Edge> {
        let log_id = HeaderValue::from_str(&handle.log_id()).map_err(std::io::Error::other)?;
        let request_seed = getrandom::u64().map_err(std::io::Error::other)?;
        let recovered = handle.sequence();
        let post = Post::new(&config.webhooks)?;
        let failures_max = config.auth_failures_per_minute_max;
        let verifier = Verifier::new(&config.issuers).map_err(std::io::Error::other)?;
        Ok(Edge {
            cursor_key: cursor_key(key.reveal()),
            keyring: Keyring::new(handle.clone(), key, verifier, failures_max),
            admission: Admission::new(config.connections_max, config.connections_per_ip_max),
            tracer: Tracer::new(config.otel.take())?,
            refusals: Seldom::default(),
            shortages: Seldom::default(),
            rushes: Seldom::default(),
            handle,
            config,
            log_id,
            metrics: Metrics::new(),
            bodies: Arc::default(),
            stored: Stored::new(recovered),
            feeds: Feeds::default(),
            post,
            request_seed,
            requests: AtomicU64::new(0),
        })
    }

    /// A request id that no other request of this process has.
    pub(crate) fn mint_request_id(&self) -> String {
        format!(
            "{:08x}{:08x}",
            self.request_seed as u32,
            self.requests.fetch_add(1, Ordering::Relaxed) as u32
        )
    }
}

/// One request on its way through its route.
pub(crate) struct Exchange {
    pub(crate) edge: Arc<Edge>,
    pub(crate) route: &'static Route,
    /// The ids and names in the path, as they were written.
    pub(crate) targets: Vec<String>,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) principal: Principal,
    /// Who asks, as its key says.
    pub(crate) caller: Caller,
    /// Whose rows lists show.
    pub(crate) scope: Scope,
    /// What `Mainstay-Tenant` says; nothing for the default tenant.
    pub(crate) addressed: Option<Addressed>,
    /// `Mainstay-Wait-For`.
    pub(crate) wait_for: Option<u64>,
    /// `If-Sequence`.
    pub(crate) expected_sequence: Option<u64>,
    /// `Idempotency-Key`.
    pub(crate) idempotency_key: Option<String>,
    pub(crate) form: Form,
    /// What a reader of events says of itself.
    pub(crate) following: Following,
    pub(crate) body: HeldBody,
}

/// What `Mainstay-Tenant` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// One tenant.
    One(TenantId),
    /// `*`: all of them.
    All,
}

/// An answer of the engine with the log position it reflects.
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) sequence: u64,
    /// False only for submits that asked not to wait for the disk.
    pub(crate) durable: bool,
}

impl Exchange {
    pub(crate) fn handle(&self) -> &Handle {
        &self.edge.handle
    }

    /// The id that the header `Idempotency-Key` stands for: the same key for the same task is the same id, so that the thing is made once.
    /// A body that chooses an id of its own needs no key.
    pub(crate) fn keyed_id(
        &self,
        what: &str,
        task: TaskId,
        chosen: Option<&'static str>,
    ) -> Result<Option<u128>, Failure> {
        let Some(key) = &self.idempotency_key else {
            return Ok(None);
        };
        if let Some(field) = chosen {
            return Err(Subject::Request.wrong(field, "and Idempotency-Key exclude each other"));
        }
        let mut hasher = blake3::Hasher::new_derive_key("mainstay: ids of idempotency keys");
        for part in [
            what,
            &self.principal.tenant.to_string(),
            &task.to_string(),
            key,
        ] {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        // A UUID of version 8 (RFC 9562): its bits mean what its maker says.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(Some(u128::from_be_bytes(bytes)))
    }

    /// The refusal of a key that was used for something else.
    pub(crate) fn key_conflict(&self) -> Failure {
        let message = "the idempotency key was used for a different request";
        let key = self.idempotency_key.clone().unwrap_or_default();
        Failure::new("idempotency_conflict", message).text("idempotency_key", key)
    }

    /// The token's fence. A token that cannot be read is one that is not held.
    pub(crate) fn fence(&self, run: RunId, token: &str) -> Result<Fence, Failure> {
        let fence = self.handle().read_token(run, token);
        fence.ok_or_else(|| Failure::lease_lost(run))
    }

    /// The tenant that a body names, or the request's own.
    pub(crate) fn tenant_of(
        &self,
        subject: Subject,
        given: Option<&str>,
    ) -> Result<TenantId, Failure> {
        let Some(text) = given else {
            return Ok(self.principal.tenant);
        };
        let tenant = read_tenant(text)?;
        if self.caller.tenant.is_some_and(|own| own != tenant) {
            return Err(Failure::tenant_not_found(text).at(self.handle().sequence()));
        }
        match self.addressed {
            Some(Addressed::One(other)) if other != tenant => {
                Err(subject.wrong("tenant_id", "differs from the header Mainstay-Tenant"))
            }
            _ => Ok(tenant),
        }
    }

    /// Refuses a caller whose key was ended, or may less, since the request began.
    pub(crate) async fn check_still(&self) -> Result<(), Failure> {
        self.edge
            .keyring
            .check(&self.caller, self.route.needs)
            .await
    }

    /// What stands in the path's braces, as it was written.
    pub(crate) fn target(&self, at: usize) -> &str {
        self.targets.get(at).map_or("", String::as_str)
    }

    /// A name in the path.
    pub(crate) fn name(&self, at: usize) -> Text {
        Text::from(unescape(self.target(at)).as_str())
    }

    /// The subscription named in the path.
    pub(crate) fn subscription(&self) -> Result<SubscriptionId, Failure> {
        read_subscription(self.target(0))
    }

    /// The key named in the path.
    pub(crate) fn key(&self) -> Result<KeyId, Failure> {
        let text = self.target(0);
        text.parse().map_err(|_| {
            Failure::new("invalid_key_id", "invalid key id").text("key_id", text.to_owned())
        })
    }

    /// The actor named in the path.
    pub(crate) fn actor(&self) -> Result<ActorId, Failure> {
        read_actor(self.target(0))
    }

    /// The run named in the path.
    pub(crate) fn run(&self) -> Result<RunId, Failure> {
        read_run(self.target(0))
    }

    /// The task named in the path.
    pub(crate) fn task(&self) -> Result<TaskId, Failure> {
        read_task(self.target(0))
    }

    /// The body; an empty one stands for `{}` where the route allows it.
    pub(crate) fn read<'a, T: serde::Deserialize<'a>>(
        &'a self,
        subject: Subject,
    ) -> Result<T, Failure> {
        let body: &[u8] = if self.body.bytes.is_empty() && !self.route.needs_body() {
            b"{}"
        } else {
            &self.body.bytes
        };
        read(body, subject)
    }

    /// A parameter's value.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A call of this request's principal.
    pub(crate) fn call_of(&self, command: Command) -> Call {
        Call {
            principal: self.principal.clone(),
            expected_sequence: self.expected_sequence,
            expected_state: None,
            reason: None,
            command,
        }
    }

    /// Asks the engine for one change.
    pub(crate) async fn call(&self, command: Command) -> Result<Placed<Outcome>, Failure> {
        self.call_by(self.call_of(command)).await
    }

    /// Asks the engine for one change, with the reason for it.
    pub(crate) async fn call_because(
        &self,
        command: Command,
        reason: Option<Text>,
    ) -> Result<Placed<Outcome>, Failure> {
        let call = Call {
            reason,
            ..self.call_of(command)
        };
        self.call_by(call).await
    }

    /// Asks the engine for one change by whoever the call names.
    pub(crate) async fn call_by(&self, call: Call) -> Result<Placed<Outcome>, Failure> {
        self.call_with(call, Durability::Immediate).await
    }

    /// The same, answered when `durability` says.
    pub(crate) async fn call_with(
        &self,
        call: Call,
        durability: Durability,
    ) -> Result<Placed<Outcome>, Failure> {
        let by_token = is_by_token(&call.command);
        let replied = self.handle().call_with(call, durability).await?;
        let (sequence, durable) = (replied.sequence, replied.durable);
        match replied.value {
            Ok(value) => Ok(Placed {
                value,
                sequence,
                durable,
            }),
            Err(rejection) => {
                let failure = Failure::from(rejection).at(sequence);
                Err(if by_token {
                    failure.of_token()
                } else {
                    failure
                })
            }
        }
    }

    /// Asks the engine for many changes, each well or badly by itself.
    pub(crate) async fn call_many(
        &self,
        calls: Vec<Call>,
        durability: Durability,
    ) -> Result<Placed<Vec<Result<Outcome, Rejection>>>, Failure> {
        if calls.is_empty() {
            return Ok(Placed {
                value: Vec::new(),
                sequence: self.handle().sequence(),
                durable: true,
            });
        }
        let replied = self.handle().call_many_with(calls, durability).await?;
        Ok(Placed {
            value: replied.value,
            sequence: replied.sequence,
            durable: replied.durable,
        })
    }

    /// Asks the engine a question.
    pub(crate) async fn ask(&self, query: Query) -> Result<Placed<Answer>, Failure> {
        self.ask_in(self.principal.tenant, query).await
    }

    /// Asks the engine a question about a tenant's things.
    pub(crate) async fn ask_in(
        &self,
        tenant: TenantId,
        query: Query,
    ) -> Result<Placed<Answer>, Failure> {
        let replied = self.handle().ask(tenant, query).await?;
        Ok(Placed {
            value: replied.value,
            sequence: replied.sequence,
            durable: replied.durable,
        })
    }

    /// Refuses bytes beyond the configured bound for payloads and outputs, naming the limit.
    pub(crate) fn check_size(
        &self,
        limit: &'static str,
        bytes: Option<usize>,
    ) -> Result<(), Failure> {
        let max = self.edge.config.payload_max();
        if bytes.is_none_or(|bytes| bytes <= max) {
            return Ok(());
        }
        let message = format!("the limit {limit} of {max} is exceeded");
        Err(Failure::new("limit_exceeded", message)
            .text("limit", limit)
            .number("value", max as u64))
    }

    /// The header that a batch of commands cannot honor, because it speaks of one.
    pub(crate) fn refuse_expectation(&self) -> Result<(), Failure> {
        match self.expected_sequence {
            Some(_) => Err(Failure::not_supported("If-Sequence")),
            None => Ok(()),
        }
    }

    /// The header's key and the body's must be the same when both are there.
    pub(crate) fn merge_key(
        &self,
        body_key: Option<&str>,
        subject: &'static str,
    ) -> Result<Option<String>, Failure> {
        match (&self.idempotency_key, body_key) {
            (Some(header), Some(body)) if header != body => {
                let message = "idempotency_key differs from the header Idempotency-Key";
                Err(Failure::new(subject, message).text("field", "idempotency_key"))
            }
            (Some(key), _) => Ok(Some(key.clone())),
            (None, key) => Ok(key.map(str::to_owned)),
        }
    }
}

/// Whether a run is named together with its lease's token, and nowhere else.
fn is_by_token(command: &Command) -> bool {
    matches!(
        command,
        Command::Heartbeat { .. }
            | Command::Finish(_)
            | Command::Checkpoint(_)
            | Command::Consume { .. }
            | Command::Submit(_)
            | Command::SubmitAs(..)
            | Command::SubmitAll(_)
    )
}

/// How often somebody who waits is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Waits until a caller may no more what its route needs; says how it is told.
pub(crate) async fn until_ended(edge: Arc<Edge>, caller: Caller, needs: Needs) -> Failure {
    loop {
        sleep(LOOK_AGAIN).await;
        match edge.keyring.check(&caller, needs).await {
            Err(failure) if matches!(failure.status(), 401 | 403) => return failure,
            // An engine that does not answer says nothing about the key.
            _ => {}
        }
    }
}

/// A run's id from its text.
pub(crate) fn read_run(text: &str) -> Result<RunId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_run_id", "invalid run id").text("run_id", text.to_owned())
    })
}

/// A task's id from its text.
pub(crate) fn read_task(text: &str) -> Result<TaskId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_task_id", "invalid task id").text("task_id", text.to_owned())
    })
}

/// An actor's id from its text.
pub(crate) fn read_actor(text: &str) -> Result<ActorId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_actor_id", "invalid actor id").text("actor_id", text.to_owned())
    })
}

/// A subscription's id from its text.
pub(crate) fn read_subscription(text: &str) -> Result<SubscriptionId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_subscription_id", "invalid subscription id")
            .text("subscription_id", text.to_owned())
    })
}

/// A tenant from its id, or from the name of the one that is always there.
pub(crate) fn read_tenant(text: &str) -> Result<TenantId, Failure> {
    if text == "default" {
        return Ok(TenantId::DEFAULT);
    }
    text.parse().map_err(|_| Failure::tenant_not_found(text))
}
