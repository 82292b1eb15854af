//! A worker that is a registered actor: it registers, says that it is there, hears when it is to drain, and leaves.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::run::WorkerOptions;
use super::watch::Watch;
use crate::retry::Backoff;
use crate::wire::{Directive, RegisterActor, Str};
use crate::{Client, Error};

/// As whom a worker registers. What it is able to do are the worker's own capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorOptions {
    /// Who it is, in words.
    pub identity: String,
    /// Where it belongs.
    pub department: Option<String>,
    /// How often it says that it is there: silent for three such intervals, it is deregistered and its leases end.
    pub heartbeat_interval: Duration,
}

impl ActorOptions {
    /// Somebody of this name, heard of every ten seconds.
    #[must_use]
    pub fn new(identity: impl Into<String>) -> ActorOptions {
        ActorOptions {
            identity: identity.into(),
            department: None,
            heartbeat_interval: Duration::from_secs(10),
        }
    }
}

/// The actor that a worker is.
#[derive(Clone)]
pub(super) struct Presence {
    id: watch::Sender<String>,
    /// Somebody was told that the actor is not registered.
    unknown: Arc<Notify>,
}

impl Presence {
    /// Registers, however long the server is away.
    ///
    /// # Errors
    /// When the server refuses it.
    pub(super) async fn begin(
        client: &Client,
        options: &WorkerOptions,
        actor: &ActorOptions,
        watch: &Watch,
    ) -> Result<Presence, Error> {
        let id = register(client, options, actor, watch).await?;
        Ok(Presence {
            id: watch::channel(id).0,
            unknown: Arc::default(),
        })
    }

    /// The actor's id at this moment.
    pub(super) fn id(&self) -> String {
        self.id.borrow().clone()
    }

    /// A claim was told that the actor is not registered: waits until it is again, for a while.
    pub(super) async fn again(&self) {
        let mut id = self.id.subscribe();
        id.mark_unchanged();
        self.unknown.notify_one();
        let _ = tokio::time::timeout(Duration::from_secs(5), id.changed()).await;
    }

    /// Says that the actor is there until it is told to drain: then the worker is asked to stop. One that fell silent registers anew.
    pub(super) async fn keep(
        self,
        client: Client,
        options: WorkerOptions,
        actor: ActorOptions,
        (stop, watch): (watch::Sender<bool>, Watch),
    ) {
        let client = client.with_patience(Duration::ZERO);
        let mut backoff = Backoff::new();
        let mut pause = actor.heartbeat_interval;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.unknown.notified() => {}
            }
            pause = actor.heartbeat_interval;
            match client.beat_actor(&self.id()).await {
                Ok(beat) => {
                    watch.back();
                    backoff.reset();
                    if beat.directive == Directive::Drain {
                        stop.send_replace(true);
                    }
                }
                Err(error) if error.code() == Some("actor_not_found") => {
                    match register(&client, &options, &actor, &watch).await {
                        Ok(id) => drop(self.id.send_replace(id)),
                        // Refused: the next claim tells its owner why.
                        Err(_) => pause = backoff.next(None),
                    }
                }
                Err(error) => {
                    watch.away(&error);
                    pause = backoff.next(error.retry_after()).min(pause);
                }
            }
        }
    }

    /// Leaves, if the server is there to hear it: else silence says the same.
    pub(super) async fn leave(&self, client: &Client) {
        let client = client.with_patience(Duration::ZERO);
        let _ = client
            .deregister_actor(&self.id(), Some("the worker left"))
            .await;
    }
}

async fn register(
    client: &Client,
    options: &WorkerOptions,
    actor: &ActorOptions,
    watch: &Watch,
) -> Result<String, Error> {
    let client = client.with_patience(Duration::ZERO);
    let interval_ms = actor.heartbeat_interval.as_millis();
    let body = RegisterActor {
        identity: actor.identity.as_str().into(),
        capabilities: options
            .capabilities
            .iter()
            .map(|name| Str::from(name.clone()))
            .collect(),
        department: actor.department.as_deref().map(Str::from),
        heartbeat_interval_ms: Some(u64::try_from(interval_ms).unwrap_or(u64::MAX)),
        ..RegisterActor::default()
    };
    let mut backoff = Backoff::new();
    loop {
        match client.register_actor(&body).await {
            Ok(registered) => {
                watch.back();
                return Ok(registered.actor_id);
            }
            // One that was registered unheard falls silent.
            Err(error) if error.is_not_now() || error.is_uncertain() => {
                watch.away(&error);
                tokio::time::sleep(backoff.next(error.retry_after())).await;
            }
            Err(error) => return Err(error),
        }
    }
}
