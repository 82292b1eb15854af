//! The sender of every webhook that is enabled: begun when there is one, ended when there is none any more.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
use crate::outgoing::{Outgoing, OutgoingError, SystemWay, Way};

/// How long after an event somebody looks whether there is another webhook.
const LOOK: Duration = Duration::from_millis(200);
/// How long nobody looks after the engine did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// What senders share: rules, secrets, the way out.
pub(crate) struct Post {
    pub(crate) rules: Rules,
    pub(crate) root: RootKey,
    pub(super) room: Room,
    way: Arc<dyn Way>,
    outgoing: OnceLock<Outgoing>,
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
            way: Arc::new(SystemWay::new()),
            outgoing: OnceLock::new(),
        })
    }

    /// The way out; made when something is sent first. Blocks then: it reads root certificates.
    pub(super) fn outgoing(&self) -> Result<Outgoing, OutgoingError> {
        if let Some(made) = self.outgoing.get() {
            return Ok(made.clone());
        }
        let roots = self.rules.roots().map_err(|_| OutgoingError::Roots)?;
        let made = Outgoing::over(roots, Arc::clone(&self.way))?;
        Ok(self.outgoing.get_or_init(|| made).clone())
    }
}

/// Sends until the server drains.
pub(crate) async fn run(edge: Arc<Edge>, mut draining: watch::Receiver<bool>) {
    tokio::select! {
        () = supervise(edge) => {}
        _ = draining.wait_for(|draining| *draining) => {}
    }
}

async fn supervise(edge: Arc<Edge>) {
    let mut senders = JoinSet::new();
    let mut known: HashMap<(TenantId, WebhookId), AbortHandle> = HashMap::new();
    let mut watch = edge.handle.watch_events();
    loop {
        let seen = edge.handle.sequence();
        let Some(wanted) = enabled(&edge).await else {
            if watch.has_ended() {
                return;
            }
            sleep(PAUSE).await;
            continue;
        };
        while senders.try_join_next().is_some() {}
        known.retain(|_, sender| !sender.is_finished());
        for (tenant, webhook) in wanted {
            known.entry((tenant, webhook)).or_insert_with(|| {
                let sender = Sender::new(Arc::clone(&edge), tenant, webhook);
                senders.spawn(sender.run())
            });
        }
        if !watch.past(seen).await {
            return;
        }
        sleep(LOOK).await;
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
