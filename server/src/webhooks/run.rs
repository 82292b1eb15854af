//! The sender of every webhook that is enabled: begun when there is one, ended when there is none any more.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mainstay::EventWatch;
use mainstay_core::limits::LIST_LIMIT_MAX;
use mainstay_core::{Answer, Query, TenantId, WebhookId};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::places::Room;
use super::root::RootKey;
use super::rules::{Rules, WebhookRules};
use super::sender::Sender;
use crate::edge::Edge;
use crate::metrics::WebhookCounts;
use crate::outgoing::{Outgoing, OutgoingError, SystemWay, Way};

/// How long after an event somebody looks whether there is another webhook.
const LOOK: Duration = Duration::from_millis(200);
/// After so long somebody looks even though nothing happened.
const LOOK_MAX: Duration = Duration::from_secs(60);
/// How long nobody looks after the engine did not answer, or a sender ended.
const PAUSE: Duration = Duration::from_secs(1);

/// What senders share: rules, secrets, the way out.
pub(crate) struct Post {
    pub(crate) rules: Rules,
    pub(crate) root: RootKey,
    pub(super) room: Room,
    /// What came of attempts.
    pub(crate) counts: WebhookCounts,
    way: Arc<dyn Way>,
    outgoing: OnceLock<Outgoing>,
    /// Whether the log says that root certificates are missing.
    is_told: AtomicBool,
}

impl Post {
    /// As the operator's rules say, over the system's resolver.
    ///
    /// # Errors
    /// When the rules cannot be read.
    pub(crate) fn new(rules: &WebhookRules) -> std::io::Result<Post> {
        Ok(Post {
            rules: Rules::read(rules)?,
            root: RootKey::new(rules.directory.clone()),
            room: Room::new(),
            counts: WebhookCounts::default(),
            way: Arc::new(SystemWay::new()),
            outgoing: OnceLock::new(),
            is_told: AtomicBool::new(false),
        })
    }

    /// The way out; made when something is sent first. Blocks then: it reads root certificates.
    pub(super) fn outgoing(&self) -> Result<Outgoing, OutgoingError> {
        if let Some(made) = self.outgoing.get() {
            return Ok(made.clone());
        }
        let roots = self.rules.roots().map_err(|_| OutgoingError::Roots);
        match roots.and_then(|roots| Outgoing::over(roots, Arc::clone(&self.way))) {
            Ok(made) => Ok(self.outgoing.get_or_init(|| made).clone()),
            Err(error) => {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "webhooks are not sent");
                }
                Err(error)
            }
        }
    }
}

/// Sends until the server drains.
pub(crate) async fn run(edge: Arc<Edge>, mut draining: watch::Receiver<bool>) {
    let watch = edge.handle.watch_events();
    let office = Office {
        edge,
        watch,
        seen: 0,
    };
    tokio::select! {
        () = supervise(office) => {}
        _ = draining.wait_for(|draining| *draining) => {}
    }
}

/// Where a webhook is found.
type Scope = (TenantId, WebhookId);

/// What the supervisor knows of the world. A seam: tests have senders of their own.
trait Senders {
    /// Whose events are to be sent; `None` when nobody answers that now.
    fn wanted(&mut self) -> impl Future<Output = Option<Vec<Scope>>> + Send;
    /// Waits until something may have changed since; false when nothing will any more.
    fn moved(&mut self) -> impl Future<Output = bool> + Send;
    /// Whether nothing will change any more.
    fn has_ended(&self) -> bool;
    /// One sender, until there is nothing for it to do, or it cannot go on.
    fn sender(&self, scope: Scope) -> impl Future<Output = ()> + Send + 'static;
}

struct Office {
    edge: Arc<Edge>,
    watch: EventWatch,
    seen: u64,
}

impl Senders for Office {
    async fn wanted(&mut self) -> Option<Vec<Scope>> {
        self.seen = self.edge.handle.sequence();
        enabled(&self.edge).await
    }

    async fn moved(&mut self) -> bool {
        self.watch.past(self.seen).await
    }

    fn has_ended(&self) -> bool {
        self.watch.has_ended()
    }

    fn sender(&self, (tenant, webhook): Scope) -> impl Future<Output = ()> + Send + 'static {
        Sender::new(Arc::clone(&self.edge), tenant, webhook).run()
    }
}

/// Sees to it that every webhook that is enabled has a sender. One that ended though it is wanted, say because the engine was busy, is
/// begun again soon, whether or not anything happens: what is due on a quiet server waits for nobody.
async fn supervise(mut office: impl Senders) {
    let mut senders = JoinSet::new();
    let mut known: HashMap<Scope, AbortHandle> = HashMap::new();
    loop {
        let Some(wanted) = office.wanted().await else {
            if office.has_ended() {
                return;
            }
            sleep(PAUSE).await;
            continue;
        };
        while senders.try_join_next().is_some() {}
        known.retain(|_, sender| !sender.is_finished());
        for scope in wanted {
            known
                .entry(scope)
                .or_insert_with(|| senders.spawn(office.sender(scope)));
        }
        tokio::select! {
            moved = office.moved() => {
                if !moved {
                    return;
                }
                sleep(LOOK).await;
            }
            Some(_) = senders.join_next() => sleep(PAUSE).await,
            () = sleep(LOOK_MAX) => {}
        }
    }
}

/// Every webhook that is enabled; `None` when the engine does not answer.
async fn enabled(edge: &Edge) -> Option<Vec<(TenantId, WebhookId)>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query = Query::Webhooks {
            all: true,
            after,
            limit: LIST_LIMIT_MAX,
        };
        let asked = edge.handle.ask(TenantId::DEFAULT, query).await.ok()?;
        let Answer::Webhooks(page) = asked.value else {
            return None;
        };
        let is_last = page.len() < LIST_LIMIT_MAX as usize;
        after = page.last().map(|view| (view.tenant, view.id));
        let on = page.iter().filter(|view| view.webhook.disabled.is_none());
        found.extend(on.map(|view| (view.tenant, view.id)));
        if is_last {
            return Some(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, pending};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use mainstay_core::{TenantId, WebhookId};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::{Scope, Senders, supervise};

    /// A quiet server, on which the first sender ends at once.
    struct Quiet {
        has_failed: Arc<AtomicBool>,
        begun: UnboundedSender<Scope>,
    }

    impl Senders for Quiet {
        async fn wanted(&mut self) -> Option<Vec<Scope>> {
            Some(vec![(TenantId::DEFAULT, WebhookId(1))])
        }

        async fn moved(&mut self) -> bool {
            pending().await
        }

        fn has_ended(&self) -> bool {
            false
        }

        fn sender(&self, scope: Scope) -> impl Future<Output = ()> + Send + 'static {
            let (has_failed, begun) = (Arc::clone(&self.has_failed), self.begun.clone());
            async move {
                begun.send(scope).expect("somebody listens");
                if has_failed.swap(true, Ordering::Relaxed) {
                    pending().await
                }
            }
        }
    }

    #[tokio::test]
    async fn a_sender_that_ended_is_begun_again_though_nothing_happens() {
        let (begun, mut seen) = unbounded_channel();
        let quiet = Quiet {
            has_failed: Arc::default(),
            begun,
        };
        let supervisor = tokio::spawn(supervise(quiet));
        for _ in 0..2 {
            let scope = seen.recv().await;
            assert_eq!(scope, Some((TenantId::DEFAULT, WebhookId(1))));
        }
        assert!(!supervisor.is_finished());
        supervisor.abort();
    }
}
