//! Reports the ends of attempts in batches, again and again until each is accepted or its lease is another's.

use std::time::Duration;

use tokio::sync::mpsc;

use super::live::Live;
use super::verdict::Verdict;
use super::watch::{Event, Watch};
use crate::retry::Backoff;
use crate::wire::{Finish, Finished};
use crate::{Client, Error};

/// Internal errors of the server until a report is given up.
const CRASHES_MAX: u32 = 8;
/// Ends of one request.
const BATCH: usize = 1000;
/// Bytes of one request, roughly.
const BATCH_BYTES: usize = 16 << 20;

/// The end of one attempt on its way.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) run_id: String,
    pub(crate) token: String,
    pub(crate) verdict: Verdict,
}

/// Reports what arrives until the sender is gone and everything is settled.
pub(crate) async fn report(
    client: Client,
    live: Live,
    watch: Watch,
    mut ends: mpsc::UnboundedReceiver<Ended>,
) {
    let client = client.with_patience(Duration::ZERO);
    while let Some(first) = ends.recv().await {
        let mut bytes = first.verdict.bytes();
        let mut batch = vec![first];
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(next) = ends.try_recv() else { break };
            bytes += next.verdict.bytes();
            batch.push(next);
        }
        settle(&client, &live, &watch, batch).await;
    }
}

async fn settle(client: &Client, live: &Live, watch: &Watch, batch: Vec<Ended>) {
    let (told, silent): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|ended| ended.verdict.is_told());
    for ended in silent {
        live.remove(&ended.token);
    }
    let mut queue = if told.is_empty() { vec![] } else { vec![told] };
    while let Some(batch) = queue.pop() {
        match send(client, watch, &batch).await {
            Ok(results) => {
                let again: Vec<_> = batch
                    .into_iter()
                    .zip(results)
                    .filter_map(|(ended, result)| settled(live, watch, ended, result))
                    .collect();
                if !again.is_empty() {
                    queue.push(again);
                }
            }
            // One bad item refuses the whole batch: find it by sending each alone.
            Err(_) if batch.len() > 1 => queue.extend(batch.into_iter().map(|ended| vec![ended])),
            Err(error) => {
                let code = error.code().unwrap_or("error").to_owned();
                for ended in batch {
                    let result = Finished {
                        run_id: ended.run_id.clone(),
                        error: Some(code.clone()),
                        message: Some(error.to_string()),
                        ..Finished::default()
                    };
                    queue.extend(settled(live, watch, ended, result).map(|ended| vec![ended]));
                }
            }
        }
    }
}

/// Sends a batch until the server takes or refuses it.
async fn send(client: &Client, watch: &Watch, batch: &[Ended]) -> Result<Vec<Finished>, Error> {
    let items: Vec<Finish<'_>> = batch
        .iter()
        .map(|ended| ended.verdict.finish(&ended.run_id, &ended.token))
        .collect();
    let mut backoff = Backoff::new();
    let mut crashes = 0;
    loop {
        match client.finish_many(&items).await {
            Ok(answer) => {
                watch.back();
                return Ok(answer.results);
            }
            Err(error) if error.is_not_now() || error.is_uncertain() => {
                watch.away(&error);
                // A report that the server itself stumbles over must not hold up all others for ever.
                crashes += u32::from(error.refusal().is_some_and(|refusal| refusal.status == 500));
                if crashes >= CRASHES_MAX {
                    return Err(error);
                }
                tokio::time::sleep(backoff.next(error.retry_after())).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Takes note of one result; the end to report instead when this one cannot be taken as it is.
fn settled(live: &Live, watch: &Watch, ended: Ended, result: Finished) -> Option<Ended> {
    if let Some(state) = result.state {
        live.remove(&ended.token);
        watch.tell(Event::Finished {
            run_id: ended.run_id,
            state,
        });
        return None;
    }
    let code = result.error.unwrap_or_else(|| "error".into());
    let message = result.message.unwrap_or_default();
    watch.tell(Event::Refused {
        run_id: ended.run_id.clone(),
        code: code.clone(),
        message: message.clone(),
    });
    let final_word = matches!(
        code.as_str(),
        "lease_lost"
            | "already_finished"
            | "run_not_found"
            | "unknown_run"
            | "unauthorized"
            | "forbidden"
    );
    if final_word || ended.verdict.is_replacement() {
        live.remove(&ended.token);
        return None;
    }
    // What the handler gave is not valid (too large, too deep): the run must not hang until its lease ends.
    Some(Ended {
        verdict: Verdict::replacement(&code, &message),
        ..ended
    })
}
