//! Sends spans to the collector in the background: in batches, again while nobody answers, and never in anybody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use mainstay::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::cursor::Cursor;
use super::otlp::{self, Speaker};
use super::queue::Queue;
use super::reader;
use super::settings::Otel;
use super::story::Story;
use crate::outgoing::{Ask, Outgoing, Reach, Target};

/// Spans of one request.
const BATCH_SPANS: usize = 512;
/// How long a batch gathers.
const GATHER: Duration = Duration::from_millis(400);
/// For one request, from the name's lookup to the answer.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Pauses between tries of a batch.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What became of a request.
enum Sent {
    Taken,
    /// Not now: the same may be taken later.
    NotNow(String),
    /// Never as it is.
    Refused(u16),
}

struct Collector {
    outgoing: Outgoing,
    endpoint: Target,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Collector {
    async fn send(&self, body: Bytes) -> Sent {
        let asked = self.outgoing.send(Ask {
            method: Method::POST,
            url: &self.endpoint,
            headers: &self.headers,
            body,
            deadline: SEND_TIME_MAX,
            connect: CONNECT_TIME_MAX,
            answer_bytes_max: 0,
            reach: &Reach::Anywhere,
        });
        match asked.await {
            Ok(answer) if answer.status.is_success() => Sent::Taken,
            Ok(answer) => match answer.status.as_u16() {
                // Those that the protocol says to try again.
                status @ (429 | 502 | 503 | 504) => Sent::NotNow(format!("status {status}")),
                status => Sent::Refused(status),
            },
            Err(error) => Sent::NotNow(error.to_string()),
        }
    }
}

/// The exporter at work.
pub(crate) struct Exporter {
    queue: Arc<Queue>,
    stop: Arc<Stop>,
    reader: std::thread::JoinHandle<Cursor>,
    sender: JoinHandle<()>,
}

/// The word to end.
#[derive(Default)]
struct Stop {
    said: AtomicBool,
    heard: Notify,
}

/// Starts to read the log and to send.
pub(super) fn start(
    otel: &Otel,
    outgoing: Outgoing,
    handle: Handle,
    queue: Arc<Queue>,
) -> std::io::Result<Exporter> {
    let mut headers = otel.headers.clone();
    headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    let collector = Collector {
        outgoing,
        endpoint: otel.endpoint.clone(),
        headers,
    };
    let speaker = Speaker {
        service: otel.service.clone(),
        instance: handle.log_id(),
    };
    let stop = Arc::new(Stop::default());
    let sender = tokio::spawn(send(
        collector,
        speaker,
        Arc::clone(&queue),
        Arc::clone(&stop),
    ));
    let reader = {
        let story = Story::new(otel.sampling);
        let mut cursor = Cursor::new(otel.cursor.clone(), handle.log_id());
        // Here and not on the thread: what is served once this returns is told, however late the thread begins.
        let begin = cursor.begin(handle.sequence());
        let (queue, stop) = (Arc::clone(&queue), Arc::clone(&stop));
        std::thread::Builder::new()
            .name("mainstay-traces".into())
            .spawn(move || {
                reader::read(&handle, story, &queue, (&mut cursor, begin), &stop.said);
                cursor
            })?
    };
    Ok(Exporter {
        queue,
        stop,
        reader,
        sender,
    })
}

impl Exporter {
    /// Tells everything that is durable by now and sends it, as far as the collector takes it in this time. What it does not take, the
    /// next start tells again.
    pub(crate) async fn finish(self, within: Duration) {
        let Exporter {
            queue,
            stop,
            reader,
            mut sender,
        } = self;
        stop.said.store(true, Ordering::Release);
        stop.heard.notify_one();
        let joined = tokio::task::spawn_blocking(move || reader.join());
        let ended = timeout(within, async {
            let cursor = joined.await;
            // It may have failed; then nothing more is sent, and nothing is remembered.
            let _ = (&mut sender).await;
            cursor
        });
        match ended.await {
            Ok(Ok(Ok(mut cursor))) => cursor.save(queue.settled()),
            _ => {
                queue.close();
                sender.abort();
                tracing::warn!("traces were not sent in time; the next start sends them");
            }
        }
    }
}

async fn send(collector: Collector, speaker: Speaker, queue: Arc<Queue>, stop: Arc<Stop>) {
    let counts = &queue.counts;
    let mut reachable = true;
    while let Some(spans) = queue.take(BATCH_SPANS, GATHER).await {
        let number = spans.len() as u64;
        let body = Bytes::from(otlp::request(&speaker, &spans));
        let mut pause = PAUSE_MIN;
        loop {
            let why = match collector.send(body.clone()).await {
                Sent::Taken => {
                    counts.exported.fetch_add(number, Ordering::Relaxed);
                    if !reachable {
                        tracing::info!("the collector of traces takes them again");
                    }
                    reachable = true;
                    queue.set_healthy(true);
                    break;
                }
                Sent::Refused(status) => {
                    counts.failed.fetch_add(number, Ordering::Relaxed);
                    counts.refusals.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(status, spans = number, "the collector refused traces");
                    break;
                }
                Sent::NotNow(why) => why,
            };
            counts.refusals.fetch_add(1, Ordering::Relaxed);
            queue.set_healthy(false);
            if reachable {
                tracing::warn!(why, "the collector of traces does not take them; they wait");
            }
            reachable = false;
            if stop.said.load(Ordering::Acquire) {
                return;
            }
            let _ = timeout(pause, stop.heard.notified()).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        queue.settle();
    }
    // Whoever asks for the end meanwhile finds it done.
    sleep(Duration::ZERO).await;
}
