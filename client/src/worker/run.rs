//! The worker's loop: claims for free slots, runs handlers, stops gracefully.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use super::finishes::{self, Ended};
use super::live::Live;
use super::presence::{ActorOptions, Presence};
use super::watch::{Event, Watch};
use super::{Lease, Verdict, beats};
use crate::retry::Backoff;
use crate::wire::{self, Claim, Str};
use crate::{Client, Error};

/// Ends that may be on their way before no more work is claimed.
const ENDS_MAX: usize = 1000;
/// An empty answer that comes sooner than this was not waited for.
const QUICK: Duration = Duration::from_millis(100);
/// How long a claim waits while an idle worker is about to leave but something still runs.
const LEAVING_WAIT: Duration = Duration::from_millis(500);

/// What a worker works on.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The worker's name in leases and histories.
    pub name: String,
    /// The queues to take from, at least one.
    pub queues: Vec<String>,
    /// Only these kinds; empty means every kind.
    pub kinds: Vec<String>,
    /// What it is able to do: work that needs more is left alone.
    pub capabilities: Vec<String>,
    /// How many handlers run at the same time.
    pub concurrency: usize,
    /// The lease; the task's own when absent.
    pub lease_ms: Option<u64>,
    /// How long one claim waits for work.
    pub wait: Duration,
    /// Leave when there is no work and nothing runs.
    pub until_idle: bool,
    /// As whom it registers, if it does: then it is listed, and told to drain, by that name. It needs at least one capability.
    pub actor: Option<ActorOptions>,
}

impl WorkerOptions {
    /// A worker on one queue, one run at a time, until stopped.
    #[must_use]
    pub fn new(name: impl Into<String>, queue: impl Into<String>) -> WorkerOptions {
        WorkerOptions {
            name: name.into(),
            queues: vec![queue.into()],
            kinds: Vec::new(),
            capabilities: Vec::new(),
            concurrency: 1,
            lease_ms: None,
            wait: Duration::from_secs(20),
            until_idle: false,
            actor: None,
        }
    }
}

/// Claims work and runs a handler for each lease.
///
/// ```no_run
/// use mainstay_client::{Client, Verdict, Worker, WorkerOptions};
///
/// # async fn work() -> Result<(), mainstay_client::Error> {
/// let client = Client::new("http://127.0.0.1:7420", Some("msk_..."))?;
/// let worker = Worker::new(client, WorkerOptions::new("mailer-1", "mail"));
/// let stop = worker.stop();
/// tokio::spawn(async move {
///     let _ = tokio::signal::ctrl_c().await;
///     stop.stop();
/// });
/// worker
///     .run(|lease| async move {
///         if lease.payload_text() == "null" {
///             return Verdict::failure("no_recipient", "the payload is empty", false);
///         }
///         Verdict::success(None)
///     })
///     .await?;
/// # Ok(()) }
/// ```
pub struct Worker {
    client: Client,
    options: WorkerOptions,
    stop: watch::Sender<bool>,
    watch: Watch,
}

/// Asks a worker to stop claiming and to leave when what runs is done.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// No more claims from now on.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Leases taken.
    pub claimed: u64,
}

impl Worker {
    /// A worker that is not running yet.
    #[must_use]
    pub fn new(client: Client, options: WorkerOptions) -> Worker {
        Worker {
            client,
            options,
            stop: watch::channel(false).0,
            watch: Watch::new(Arc::new(|_| {})),
        }
    }

    /// The same worker that tells `observer` what happens.
    #[must_use]
    pub fn observed(self, observer: impl Fn(Event) + Send + Sync + 'static) -> Worker {
        Worker {
            watch: Watch::new(Arc::new(observer)),
            ..self
        }
    }

    /// A handle to stop it.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Works until stopped (or idle, when so asked). While the server is away it keeps trying. A handler that panics has failed,
    /// retryable, with code `panic`.
    ///
    /// # Errors
    /// When the server refuses the claims themselves, such as for a revoked key, or the registration as an actor. What ran was finished
    /// before.
    pub async fn run<F, R>(self, handler: F) -> Result<Summary, Error>
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Verdict> + Send + 'static,
    {
        let presence = self.register().await?;
        let live = Live::default();
        let (ends, receiver) = mpsc::unbounded_channel();
        let mut helpers = JoinSet::new();
        helpers.spawn(beats::keep(
            self.client.clone(),
            live.clone(),
            self.watch.clone(),
        ));
        if let (Some(presence), Some(actor)) = (presence.clone(), self.options.actor.clone()) {
            let (client, options) = (self.client.clone(), self.options.clone());
            let told = (self.stop.clone(), self.watch.clone());
            helpers.spawn(presence.keep(client, options, actor, told));
        }
        let finisher = finishes::report(
            self.client.clone(),
            live.clone(),
            self.watch.clone(),
            receiver,
        );
        let mut finisher = AbortOnDrop(tokio::spawn(finisher));
        let mut crew = Crew {
            worker: &self,
            live,
            ends,
            tasks: JoinSet::new(),
            names: HashMap::new(),
            claimed: 0,
            presence: presence.clone(),
        };
        let result = crew.claim_until_stopped(&handler).await;
        while let Some(ended) = crew.tasks.join_next_with_id().await {
            crew.reap(ended);
        }
        let summary = Summary {
            claimed: crew.claimed,
        };
        drop(crew);
        // Every end is settled before the heartbeats stop.
        let _ = (&mut finisher.0).await;
        if let Some(presence) = presence {
            presence.leave(&self.client).await;
        }
        result.map(|()| summary)
    }

    async fn register(&self) -> Result<Option<Presence>, Error> {
        let Some(actor) = &self.options.actor else {
            return Ok(None);
        };
        let mut stopped = self.stop.subscribe();
        tokio::select! {
            begun = Presence::begin(&self.client, &self.options, actor, &self.watch) => begun.map(Some),
            // Nothing will be claimed.
            _ = stopped.wait_for(|stop| *stop) => Ok(None),
        }
    }
}

/// Ends a task when its owner is dropped.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The handlers at work.
struct Crew<'a> {
    worker: &'a Worker,
    live: Live,
    ends: mpsc::UnboundedSender<Ended>,
    tasks: JoinSet<()>,
    /// Which lease (run, token) a task works on, to report the panicked ones.
    names: HashMap<Id, (String, String)>,
    claimed: u64,
    presence: Option<Presence>,
}

/// Why a wait ended.
enum Turn {
    Claimed(Result<Vec<wire::Lease>, Error>),
    Stopped,
}

impl Crew<'_> {
    async fn claim_until_stopped<F, R>(&mut self, handler: &F) -> Result<(), Error>
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Verdict> + Send + 'static,
    {
        let mut stopped = self.worker.stop.subscribe();
        let mut backoff = Backoff::new();
        let client = self.worker.client.with_patience(Duration::ZERO);
        while !*stopped.borrow() {
            let free = self
                .worker
                .options
                .concurrency
                .max(1)
                .saturating_sub(self.tasks.len());
            if free == 0 || self.live.len() >= ENDS_MAX + self.tasks.len() {
                self.wait_for_room(&mut stopped).await;
                continue;
            }
            let idle = self.live.is_empty();
            let asked = Instant::now();
            match self.claim(&client, free, idle, &mut stopped).await {
                Turn::Stopped => break,
                Turn::Claimed(Ok(leases)) if leases.is_empty() => {
                    self.worker.watch.back();
                    if idle && self.worker.options.until_idle {
                        break;
                    }
                    if asked.elapsed() >= QUICK {
                        backoff.reset();
                        continue;
                    }
                    // A server that does not hold the claim back, because it is paused or leaving, is not asked without end.
                    let delay = backoff.next(None);
                    let _ = tokio::time::timeout(delay, stopped.wait_for(|stop| *stop)).await;
                }
                Turn::Claimed(Ok(leases)) => {
                    self.worker.watch.back();
                    backoff.reset();
                    leases
                        .into_iter()
                        .for_each(|grant| self.start(grant, handler));
                }
                Turn::Claimed(Err(error)) if error.is_not_now() || error.is_uncertain() => {
                    self.worker.watch.away(&error);
                    let delay = backoff.next(error.retry_after());
                    let _ = tokio::time::timeout(delay, stopped.wait_for(|stop| *stop)).await;
                }
                Turn::Claimed(Err(error)) if error.code() == Some("actor_not_found") => {
                    let Some(presence) = self.presence.clone() else {
                        return Err(error);
                    };
                    presence.again().await;
                }
                Turn::Claimed(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// One claim, while the ends of handlers are noted.
    async fn claim(
        &mut self,
        client: &Client,
        free: usize,
        idle: bool,
        stopped: &mut watch::Receiver<bool>,
    ) -> Turn {
        let options = &self.worker.options;
        let wait = match (options.until_idle, idle) {
            (false, _) => options.wait,
            (true, true) => Duration::ZERO,
            (true, false) => LEAVING_WAIT.min(options.wait),
        };
        let names = |names: &'_ [String]| {
            names
                .iter()
                .map(|name| Str::from(name.clone()))
                .collect::<Vec<_>>()
        };
        let claim = Claim {
            worker: options.name.as_str().into(),
            queues: Some(names(&options.queues)),
            kinds: (!options.kinds.is_empty()).then(|| names(&options.kinds)),
            capabilities: (!options.capabilities.is_empty()).then(|| names(&options.capabilities)),
            actor_id: self.presence.as_ref().map(|actor| Str::from(actor.id())),
            max: Some(u32::try_from(free.min(1000)).unwrap_or(1000)),
            lease_ms: options.lease_ms,
            wait_ms: Some(
                u64::try_from(wait.as_millis())
                    .unwrap_or(60_000)
                    .min(60_000),
            ),
            ..Claim::default()
        };
        let call = client.claim(&claim);
        tokio::pin!(call);
        loop {
            tokio::select! {
                // An answer that is there already is taken even when the stop came with it.
                biased;
                result = &mut call => return Turn::Claimed(result),
                Some(ended) = self.tasks.join_next_with_id() => self.reap(ended),
                _ = stopped.wait_for(|stop| *stop) => return Turn::Stopped,
            }
        }
    }

    async fn wait_for_room(&mut self, stopped: &mut watch::Receiver<bool>) {
        tokio::select! {
            Some(ended) = self.tasks.join_next_with_id() => self.reap(ended),
            _ = stopped.wait_for(|stop| *stop) => {}
            // Only ends on their way fill the room: they are settled by another task.
            () = tokio::time::sleep(Duration::from_millis(20)), if self.tasks.is_empty() => {}
        }
    }

    fn start<F, R>(&mut self, grant: wire::Lease, handler: &F)
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Verdict> + Send + 'static,
    {
        self.claimed += 1;
        let signal = self.live.add(&grant, Instant::now());
        let (run_id, token) = (grant.run_id.clone(), grant.token.clone());
        let name = (run_id.clone(), token.clone());
        let work = handler(Lease::new(grant, signal, self.worker.client.clone()));
        let ends = self.ends.clone();
        let task = self.tasks.spawn(async move {
            let verdict = work.await;
            // The receiver lives until every sender is gone.
            let _ = ends.send(Ended {
                run_id,
                token,
                verdict,
            });
        });
        self.names.insert(task.id(), name);
    }

    fn reap(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        if let Some((run_id, token)) = self.names.remove(&id)
            && panicked
        {
            let verdict = Verdict::failure("panic", "the handler panicked", true);
            let _ = self.ends.send(Ended {
                run_id,
                token,
                verdict,
            });
        }
    }
}
