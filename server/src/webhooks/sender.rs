//! One webhook's sender: reads the feed from the webhook's cursor, sends, and reports what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use mainstay::{EventPage, EventsAfter, FeedError, FeedEvent, Piece};
use mainstay_core::events::PublicType;
use mainstay_core::limits::DELIVERIES_PENDING_MAX;
use mainstay_core::{
    Answer, Attempted, Call, Command, DeliveriesOf, Delivery, Hook, Outcome, Principal, Query,
    Report, TaskId, TenantId, Text, Timestamp, WebhookId, WebhookView,
};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::event::{body_of, body_of_test};
use super::root::Secret;
use super::run::Post;
use super::sign::signature;
use crate::edge::Edge;
use crate::outgoing::{Ask, Target};

/// Events that are sent before it is reported what came of them.
const BATCH: usize = 64;
/// Events of one webhook that are sent at the same time.
const AT_ONCE: usize = 8;
/// For one request, all in all.
const DEADLINE: Duration = Duration::from_secs(10);
/// For its connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Events without interest after which it is recorded how far they were looked at.
const RECORD_AFTER: u64 = 10_000;
/// The shortest pause between two looks at the feed when nothing was found.
const BREATH: Duration = Duration::from_millis(20);
/// The longest pause after nothing but failures, and the longest without a look at what is due.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// For so long the secret before the last rotation signs too.
const OLD_SECRET_MS: u64 = 24 * 3_600_000;
/// A test's type.
const TEST: &str = "webhook_test";

pub(super) struct Sender {
    edge: Arc<Edge>,
    tenant: TenantId,
    webhook: WebhookId,
    /// Everything up to this event was looked at; the durable cursor may be behind.
    looked: u64,
    /// Batches of new events in a row of which nothing was taken.
    failed: u32,
    /// New events wait until then.
    rests_until: Instant,
}

/// One event to send.
struct Letter {
    event: u64,
    kind: Text,
    task: Option<TaskId>,
    run: Option<mainstay_core::RunId>,
    /// Absent when the event is in the log no more.
    body: Option<Vec<u8>>,
}

impl Sender {
    pub(super) fn new(edge: Arc<Edge>, tenant: TenantId, webhook: WebhookId) -> Sender {
        Sender {
            edge,
            tenant,
            webhook,
            looked: 0,
            failed: 0,
            rests_until: Instant::now(),
        }
    }

    /// Sends until the webhook is gone or disabled, or the engine answers no more.
    pub(super) async fn run(mut self) {
        while self.turn().await.is_some() {}
    }

    /// One look at what is due and what is new; `None` when there is nothing to be done any more.
    async fn turn(&mut self) -> Option<()> {
        let mut watch = self.edge.handle.watch_events();
        let view = self.view().await?;
        self.looked = self.looked.max(view.webhook.cursor);
        let now = now();
        let mut letters = Vec::new();
        for delivery in self.due(now).await? {
            letters.push(self.again(&delivery).await?);
        }
        let due = letters.len();
        let mut missed = None;
        let is_resting = self.rests_until > Instant::now();
        let has_room = (view.pending as usize) < DELIVERIES_PENDING_MAX - BATCH;
        if due < BATCH && has_room && !is_resting {
            missed = self.read_new(&view, BATCH - due, &mut letters).await?;
        }
        let is_far = self.looked >= view.webhook.cursor + RECORD_AFTER;
        if letters.is_empty() && missed.is_none() && !is_far {
            return self.wait(&mut watch, &view, is_resting || !has_room).await;
        }
        let fresh = letters.len() > due;
        let attempts = self.send_all(&view, letters).await?;
        let is_taken = |one: &Attempted| one.error.is_empty();
        let taken = attempts.iter().filter(|one| is_taken(one)).count();
        let counts = &self.edge.post.counts;
        counts.delivered.fetch_add(taken as u64, Ordering::Relaxed);
        let failed = attempts.len() - taken;
        counts.failed.fetch_add(failed as u64, Ordering::Relaxed);
        if taken > 0 {
            self.failed = 0;
        } else if fresh {
            self.rest();
        }
        self.report(attempts, missed).await
    }

    /// After nothing but failures new events wait a little: they would only fail too.
    fn rest(&mut self) {
        let pause = Duration::from_secs(1) * (1 << self.failed.min(6));
        self.failed = self.failed.saturating_add(1);
        self.rests_until = Instant::now() + pause.min(PAUSE_MAX);
    }

    /// Waits for the log to move on, or for the next thing that is due.
    async fn wait(
        &self,
        watch: &mut mainstay::EventWatch,
        view: &WebhookView,
        is_held: bool,
    ) -> Option<()> {
        let due = view
            .next_at
            .map(|at| Duration::from_millis(at.0.saturating_sub(now().0)));
        let rest = self.rests_until.saturating_duration_since(Instant::now());
        let until = match (due, is_held) {
            (Some(due), true) => due.min(rest.max(BREATH)),
            (None, true) => rest.max(BREATH),
            (Some(due), false) => due,
            (None, false) => PAUSE_MAX,
        };
        // What was reported last may not be counted among what is due yet.
        let until = until.clamp(BREATH, PAUSE_MAX);
        if is_held {
            sleep(until.min(Duration::from_secs(1))).await;
            return Some(());
        }
        tokio::select! {
            moved = watch.past(self.looked) => {
                if !moved {
                    return None;
                }
                sleep(BREATH).await;
            }
            () = sleep(until) => {}
        }
        Some(())
    }

    async fn ask(&self, query: Query) -> Option<Answer> {
        let asked = self.edge.handle.ask(self.tenant, query).await;
        asked.ok().map(|told| told.value)
    }

    async fn view(&self) -> Option<Box<WebhookView>> {
        match self.ask(Query::Webhook(self.webhook)).await? {
            Answer::Webhook(view) if view.webhook.disabled.is_none() => Some(view),
            _ => None,
        }
    }

    async fn due(&self, now: Timestamp) -> Option<Vec<Delivery>> {
        let query = Query::Deliveries {
            webhook: self.webhook,
            of: DeliveriesOf::DueBy(now),
            before: u64::MAX,
            limit: BATCH as u32,
        };
        match self.ask(query).await? {
            Answer::Deliveries(rows) => Some(rows),
            _ => None,
        }
    }

    /// What is sent again, looked up in the log.
    async fn again(&self, delivery: &Delivery) -> Option<Letter> {
        let mut letter = Letter {
            event: delivery.event,
            kind: delivery.kind.clone(),
            task: delivery.task,
            run: delivery.run,
            body: None,
        };
        if &*delivery.kind == TEST {
            let (at, tenant) = (delivery.created_at, self.tenant);
            letter.body = Some(body_of_test(delivery.event, at, tenant, TEST));
            return Some(letter);
        }
        let mut ask = EventsAfter::all(Some(delivery.event.saturating_sub(1)), 1);
        ask.tenant = Some(self.tenant);
        let (page, _) = self.read(ask).await?;
        let found = page.events.first();
        letter.body = found
            .filter(|found| found.sequence == delivery.event)
            .map(body_of);
        Some(letter)
    }

    /// Reads a piece of the feed; an expired cursor is an empty page and the oldest that works.
    async fn read(&self, ask: EventsAfter) -> Option<(EventPage, Option<u64>)> {
        let handle = self.edge.handle.clone();
        let after = ask.after.unwrap_or(0);
        let turn = self
            .edge
            .feeds
            .turn(handle.holds_events_after(after))
            .await
            .ok()?;
        let read = spawn_blocking(move || {
            let mut page = handle.begin_events(&ask)?;
            while matches!(handle.events_piece(&ask, &mut page)?, Piece::More) {}
            drop(turn);
            Ok(page)
        });
        match read.await.ok()? {
            Ok(page) => Some((page, None)),
            Err(FeedError::Expired { oldest }) => {
                let page = EventPage {
                    events: Vec::new(),
                    next: oldest,
                };
                Some((page, Some(oldest)))
            }
            Err(FeedError::Unreadable(_)) => {
                sleep(PAUSE_MAX).await;
                None
            }
        }
    }

    /// Adds what is new and wanted; gives what was trimmed before it was looked at.
    async fn read_new(
        &mut self,
        view: &WebhookView,
        limit: usize,
        letters: &mut Vec<Letter>,
    ) -> Option<Option<(u64, u64)>> {
        let spec = &view.webhook.spec;
        let after = self.looked;
        let mut ask = EventsAfter::all(Some(after), limit);
        ask.tenant = Some(self.tenant);
        if !spec.events.iter().any(|name| &**name == "*") {
            let known = spec.events.iter().filter_map(|name| PublicType::find(name));
            ask.types = known.map(|known| known.name).collect();
        }
        let (page, oldest) = self.read(ask).await?;
        let mut places = HashMap::new();
        for event in &page.events {
            if self.is_wanted(view, event, &mut places).await? {
                letters.push(Letter {
                    event: event.sequence,
                    kind: Text::from(event.kind),
                    task: event.task,
                    run: event.run,
                    body: Some(body_of(event)),
                });
            }
        }
        self.looked = page.next.max(self.looked);
        Some(
            oldest
                .filter(|oldest| *oldest > after)
                .map(|oldest| (after + 1, oldest)),
        )
    }

    /// Whether an event is about work in the queues and of the kinds that the webhook names.
    async fn is_wanted(
        &self,
        view: &WebhookView,
        event: &FeedEvent,
        places: &mut HashMap<TaskId, Option<(Text, Text)>>,
    ) -> Option<bool> {
        let spec = &view.webhook.spec;
        if spec.queues.is_empty() && spec.kinds.is_empty() {
            return Some(true);
        }
        let Some(task) = event.task else {
            return Some(false);
        };
        let found = match places.get(&task) {
            Some(found) => found.clone(),
            None => {
                let found = match self.ask(Query::Task(task)).await? {
                    Answer::Task(task) => Some((task.queue.clone(), task.kind.clone())),
                    _ => None,
                };
                places.insert(task, found.clone());
                found
            }
        };
        let Some((queue, kind)) = &found else {
            return Some(false);
        };
        Some(
            (spec.queues.is_empty() || spec.queues.contains(queue))
                && (spec.kinds.is_empty() || spec.kinds.contains(kind)),
        )
    }

    /// Sends all of them, a few at the same time.
    async fn send_all(&self, view: &WebhookView, letters: Vec<Letter>) -> Option<Vec<Attempted>> {
        let url = view.webhook.spec.url.clone();
        let shared = Arc::new(Route {
            edge: Arc::clone(&self.edge),
            tenant: self.tenant,
            webhook: self.webhook,
            url: self.edge.post.rules.check(&url).ok(),
            secrets: self.secrets(view).await?,
        });
        let mut sending = JoinSet::new();
        let mut attempts = Vec::new();
        let mut letters = letters.into_iter().map(|letter| {
            let route = Arc::clone(&shared);
            async move { route.send(letter).await }
        });
        for letter in letters.by_ref().take(AT_ONCE) {
            sending.spawn(letter);
        }
        while let Some(done) = sending.join_next().await {
            attempts.push(done.ok()?);
            if let Some(letter) = letters.next() {
                sending.spawn(letter);
            }
        }
        Some(attempts)
    }

    /// The secrets that sign now: for a day after a rotation the one before too.
    async fn secrets(&self, view: &WebhookView) -> Option<Vec<Secret>> {
        let row = &view.webhook;
        let generation = row.generation;
        let is_recent = |at: Timestamp| at.plus_ms(OLD_SECRET_MS) > now();
        let oldest = match row.rotated_at {
            Some(at) if is_recent(at) => generation.saturating_sub(1).max(1),
            _ => generation,
        };
        let (edge, tenant, webhook) = (Arc::clone(&self.edge), self.tenant, self.webhook);
        let made = spawn_blocking(move || {
            let root = &edge.post.root;
            let all = (oldest..=generation).rev();
            all.map(|one| root.secret(tenant, webhook, one))
                .collect::<std::io::Result<Vec<Secret>>>()
        });
        match made.await.ok()? {
            Ok(secrets) => Some(secrets),
            Err(_) => {
                // Without its key nothing can be signed: nothing is sent until somebody has put it right.
                sleep(PAUSE_MAX).await;
                None
            }
        }
    }

    async fn report(&self, attempts: Vec<Attempted>, missed: Option<(u64, u64)>) -> Option<()> {
        let report = Report {
            webhook: self.webhook,
            cursor: self.looked,
            attempts,
            missed,
        };
        let principal = Principal {
            tenant: self.tenant,
            name: Text::from("webhooks"),
            ..Principal::default()
        };
        let command = Command::Hook(Box::new(Hook::Report(report)));
        loop {
            let call = Call::by(&principal, command.clone());
            match self.edge.handle.call(call).await {
                Ok(told) => {
                    return matches!(told.value, Ok(Outcome::WebhookReported)).then_some(());
                }
                Err(mainstay::CallError::Busy { .. }) => sleep(Duration::from_millis(100)).await,
                Err(_) => return None,
            }
        }
    }
}

/// What all events of a batch share on their way.
struct Route {
    edge: Arc<Edge>,
    tenant: TenantId,
    webhook: WebhookId,
    url: Option<Target>,
    secrets: Vec<Secret>,
}

impl Route {
    async fn send(&self, letter: Letter) -> Attempted {
        let mut attempted = Attempted {
            event: letter.event,
            kind: letter.kind.clone(),
            task: letter.task,
            run: letter.run,
            ..Attempted::default()
        };
        let (Some(url), Some(body)) = (&self.url, letter.body) else {
            attempted.is_lost = self.url.is_some();
            let error = if attempted.is_lost {
                "event_expired"
            } else {
                "url_refused"
            };
            attempted.error = Text::from(error);
            return attempted;
        };
        let _place = self
            .edge
            .post
            .room
            .enter(self.tenant, &url.authority())
            .await;
        let begun = Instant::now();
        match self.exchange(url, letter.event, body).await {
            Ok((status, retry_after_ms)) => {
                attempted.status = status.into();
                attempted.retry_after_ms = retry_after_ms;
                if !(200..300).contains(&status) {
                    attempted.error = Text::from("status");
                }
            }
            Err(class) => attempted.error = Text::from(class),
        }
        attempted.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        attempted
    }

    /// The status of the answer, and how long the receiver asks to be left alone. Its body is not even read.
    async fn exchange(
        &self,
        url: &Target,
        event: u64,
        body: Vec<u8>,
    ) -> Result<(u16, u64), &'static str> {
        let edge = Arc::clone(&self.edge);
        let outgoing = spawn_blocking(move || Post::outgoing(&edge.post)).await;
        let outgoing = outgoing
            .map_err(|_| "internal")?
            .map_err(|error| error.class())?;
        let id = format!("msg_{:032x}_{event}", self.webhook.0);
        let timestamp = now().0 / 1000;
        let signed = signature(&self.secrets, &id, timestamp, &body);
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| "internal");
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("webhook-id"), value(&id)?),
            (
                HeaderName::from_static("webhook-timestamp"),
                HeaderValue::from(timestamp),
            ),
            (
                HeaderName::from_static("webhook-signature"),
                value(&signed)?,
            ),
        ];
        let ask = Ask {
            method: Method::POST,
            url,
            headers: &headers,
            body: Bytes::from(body),
            deadline: DEADLINE,
            connect: CONNECT,
            answer_bytes_max: 0,
            reach: &self.edge.post.rules.reach,
        };
        let answer = outgoing.send(ask).await.map_err(|error| error.class())?;
        let after = answer.headers.get(RETRY_AFTER);
        let seconds = after.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let retry_after_ms = seconds.unwrap_or(0).saturating_mul(1000);
        Ok((answer.status.as_u16(), retry_after_ms))
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }))
}
