//! The event feed: pages, long polls, and streams of server-sent events.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mainstay::store::Scope;
use mainstay::{EventPage, EventWatch, EventsAfter, FeedError, FeedEvent, Handle, Piece, Status};
use mainstay_core::events::PublicType;
use mainstay_core::limits::{CLAIM_WAIT_MS_MAX, LIST_LIMIT_MAX};
use mainstay_core::{Answer, Query, TenantId};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};

use super::event_json::write_event;
use super::filters::invalid_page;
use crate::auth::{Caller, Needs};
use crate::edge::{
    Edge, Exchange, Failure, Reply, ReplyBody, invalid_parameter, read_run, read_task, until_ended,
};
use crate::json::Writer;

/// What [`events`] reads, as `name type`.
pub(super) const EVENT_PARAMETERS: &[&str] = &[
    "after position",
    "limit limit",
    "type [event_type]",
    "task_id uuid",
    "run_id uuid",
    "wait_ms wait_ms",
];

/// The same where the path names whom the events are about.
pub(super) const OWN_EVENT_PARAMETERS: &[&str] = &[
    "after position",
    "limit limit",
    "type [event_type]",
    "wait_ms wait_ms",
];

/// Events of a page when nothing is asked for.
const LIMIT_DEFAULT: usize = 100;
/// Events of one piece of a stream.
const STREAM_EVENTS_MAX: usize = 128;
/// How long a stream may say nothing.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Bytes of an event, about.
const EVENT_BYTES: usize = 384;

/// `GET /api/v1/events`.
pub(crate) async fn events(exchange: Exchange) -> Result<Reply, Failure> {
    let mut ask = read_ask(&exchange)?;
    ask.task = exchange.parameter("task_id").map(read_task).transpose()?;
    ask.run = exchange.parameter("run_id").map(read_run).transpose()?;
    answer(exchange, ask).await
}

/// `GET /api/v1/runs/{run_id}/events`.
pub(crate) async fn of_run(exchange: Exchange) -> Result<Reply, Failure> {
    let mut ask = read_ask(&exchange)?;
    let run = exchange.run()?;
    let asked = exchange.ask(Query::Run(run)).await?;
    if !matches!(asked.value, Answer::Run(_)) {
        return Err(Failure::run_not_found(run).at(asked.sequence));
    }
    ask.run = Some(run);
    answer(exchange, ask).await
}

/// `GET /api/v1/tasks/{task_id}/events`.
pub(crate) async fn of_task(exchange: Exchange) -> Result<Reply, Failure> {
    let mut ask = read_ask(&exchange)?;
    let task = exchange.task()?;
    let asked = exchange.ask(Query::Task(task)).await?;
    if !matches!(asked.value, Answer::Task(_)) {
        return Err(Failure::task_not_found(task).at(asked.sequence));
    }
    ask.task = Some(task);
    answer(exchange, ask).await
}

fn read_ask(exchange: &Exchange) -> Result<EventsAfter, Failure> {
    let number = |name: &'static str| {
        let text = exchange.parameter(name);
        let read = text.map(|text| text.parse().map_err(|_| not_a_number(name)));
        read.transpose()
    };
    let limit = match exchange.parameter("limit") {
        None => LIMIT_DEFAULT,
        Some(text) => {
            let limit = text
                .parse()
                .ok()
                .filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit));
            let message = || format!("limit must be between 1 and {LIST_LIMIT_MAX}");
            limit.ok_or_else(|| invalid_page("limit", message()))? as usize
        }
    };
    let wait_ms: u64 = number("wait_ms")?.unwrap_or(0);
    if wait_ms > CLAIM_WAIT_MS_MAX {
        let what = format!("must be between 0 and {CLAIM_WAIT_MS_MAX}");
        return Err(invalid_parameter("wait_ms", &what));
    }
    let after = match exchange.following.last_event {
        Some(last) => Some(last),
        None => number("after")?,
    };
    Ok(EventsAfter {
        types: read_types(&exchange.parameters)?,
        tenant: tenant_of(exchange.scope),
        wait: Duration::from_millis(wait_ms),
        ..EventsAfter::all(after, limit)
    })
}

fn not_a_number(name: &'static str) -> Failure {
    invalid_parameter(name, "must be a number that is not negative")
}

fn tenant_of(scope: Scope) -> Option<TenantId> {
    match scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant),
    }
}

/// The types asked for: `type` given again and again, or with commas between.
fn read_types(parameters: &[(&'static str, String)]) -> Result<Vec<&'static str>, Failure> {
    let given = parameters.iter().filter(|(name, _)| *name == "type");
    let names = given.flat_map(|(_, value)| value.split(','));
    names
        .map(|name| {
            let known = PublicType::find(name).map(|known| known.name);
            known.ok_or_else(|| {
                let all = mainstay_core::events::PUBLIC_TYPES.iter();
                let allowed: Vec<&'static str> = all.map(|known| known.name).collect();
                invalid_parameter("type", "is not a type of event").list("allowed", allowed)
            })
        })
        .collect()
}

async fn answer(exchange: Exchange, mut ask: EventsAfter) -> Result<Reply, Failure> {
    let handle = exchange.handle().clone();
    if let Status::ReadOnly { .. } = handle.status() {
        // What it could read may not be durable: it is told once the log is written again.
        return Err(Failure::not_ready("without room to write its log"));
    }
    let known_log = exchange.following.log.as_ref();
    if known_log.is_some_and(|log| *log != handle.log_id()) {
        let message = "the cursor is of another log; begin again without one";
        return Err(expired(oldest_of(&handle).await?, message));
    }
    let is_stream = exchange.following.streams;
    if is_stream {
        ask.limit = STREAM_EVENTS_MAX;
    }
    let place = (is_stream || !ask.wait.is_zero())
        .then(|| exchange.edge.feeds.place())
        .transpose()?;
    let until = Instant::now() + ask.wait;
    let mut reader = Reader {
        watch: handle.watch_events(),
        edge: Arc::clone(&exchange.edge),
        ask: Arc::new(ask),
        caller: exchange.caller.clone(),
        needs: exchange.route.needs,
    };
    let mut page = reader.begin().await?;
    if let (true, Some(place)) = (is_stream, place) {
        let (sender, body) = ReplyBody::stream();
        tokio::spawn(send(reader, page, sender, place));
        return Ok(Reply::stream(body));
    }
    let mut ended = pin!(reader.until_ended());
    while page.events.is_empty() {
        let next = page.next;
        let past = timeout_at(until, reader.watch.past(next));
        let moved = tokio::select! {
            moved = past => moved,
            failure = &mut ended => return Err(failure),
        };
        let Ok(true) = moved else { break };
        exchange.check_still().await?;
        page = reader.fill(page).await?;
    }
    let mut json = Writer::with_capacity(64 + page.events.len() * EVENT_BYTES);
    json.object().name("events").array();
    for event in &page.events {
        write_event(&mut json, event);
    }
    json.end_array()
        .number_field("next", page.next)
        .end_object();
    Ok(Reply::json(json.done()))
}

async fn oldest_of(handle: &Handle) -> Result<u64, Failure> {
    let handle = handle.clone();
    let oldest = spawn_blocking(move || handle.oldest_cursor()).await;
    oldest.map_err(|_| Failure::internal())?.map_err(refused)
}

fn expired(oldest: u64, message: &'static str) -> Failure {
    Failure::new("cursor_expired", message).number("oldest", oldest)
}

fn refused(error: FeedError) -> Failure {
    match error {
        FeedError::Expired { oldest } => {
            expired(oldest, "events after the cursor are no longer kept")
        }
        FeedError::Unreadable(_) => Failure::not_ready("not able to read its log"),
    }
}

/// Reads for one request.
struct Reader {
    edge: Arc<Edge>,
    ask: Arc<EventsAfter>,
    watch: EventWatch,
    caller: Caller,
    needs: Needs,
}

impl Reader {
    /// Waits until whoever reads may read no more.
    fn until_ended(&self) -> impl Future<Output = Failure> + Send + use<> {
        until_ended(Arc::clone(&self.edge), self.caller.clone(), self.needs)
    }

    /// Refuses a reader who may read no more.
    async fn check(&self) -> Result<(), Failure> {
        self.edge.keyring.check(&self.caller, self.needs).await
    }

    /// The first page; empty when nothing that is wanted is there.
    async fn begin(&mut self) -> Result<EventPage, Failure> {
        let (handle, ask) = (self.edge.handle.clone(), Arc::clone(&self.ask));
        let page = spawn_blocking(move || handle.begin_events(&ask)).await;
        let page = page.map_err(|_| Failure::internal())?.map_err(refused)?;
        self.fill(page).await
    }

    /// Goes on after a page until something is found or the durable end is reached. Between two pieces others have their turn.
    async fn fill(&mut self, page: EventPage) -> Result<EventPage, Failure> {
        let mut page = EventPage {
            events: Vec::new(),
            next: page.next,
        };
        loop {
            let (handle, ask) = (self.edge.handle.clone(), Arc::clone(&self.ask));
            let is_near = handle.holds_events_after(page.next);
            let turn = self.edge.feeds.turn(is_near).await?;
            let read = spawn_blocking(move || {
                let piece = handle.events_piece(&ask, &mut page);
                drop(turn);
                (piece, page)
            });
            let (piece, read) = read.await.map_err(|_| Failure::internal())?;
            page = read;
            match piece.map_err(refused)? {
                Piece::More => {}
                Piece::Filled | Piece::End => return Ok(page),
            }
        }
    }
}

/// Sends a stream until nobody takes it, the engine ends, or its cursor has expired: then its reader comes again and is told.
async fn send(
    mut reader: Reader,
    mut page: EventPage,
    sender: mpsc::Sender<Bytes>,
    _place: OwnedSemaphorePermit,
) {
    // Who reads a stream that broke off comes again after a second.
    let mut piece = b"retry: 1000\n\n".to_vec();
    let mut ended = pin!(reader.until_ended());
    loop {
        if !page.events.is_empty() && reader.check().await.is_err() {
            return;
        }
        for event in &page.events {
            write_sent(&mut piece, event);
        }
        if !piece.is_empty()
            && sender
                .send(Bytes::from(std::mem::take(&mut piece)))
                .await
                .is_err()
        {
            return;
        }
        let next = page.next;
        tokio::select! {
            () = sender.closed() => return,
            _ = &mut ended => return,
            moved = reader.watch.past(next) => {
                if !moved {
                    return;
                }
                let Ok(more) = reader.fill(page).await else {
                    return;
                };
                page = more;
            }
            () = sleep(HEARTBEAT) => {
                // A comment that keeps the way open, and the cursor that a reader of a filtered stream goes on from.
                piece = format!(": {next}\nid: {next}\n\n").into_bytes();
                page.events.clear();
            }
        }
    }
}

/// One event of a stream.
fn write_sent(out: &mut Vec<u8>, event: &FeedEvent) {
    let mut json = Writer::with_capacity(EVENT_BYTES);
    write_event(&mut json, event);
    out.extend_from_slice(format!("id: {}\nevent: {}\n", event.sequence, event.kind).as_bytes());
    // Spliced values may have line breaks of their own, between tokens.
    for line in json.done().split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}
