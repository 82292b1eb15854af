//! Follows a run until it ends, and ends the program with its outcome.

use mainstay_client::wire::{Change, Run, RunState};
use mainstay_client::{Client, EventFilter, EventFollower};

use crate::exit::{self, Code, Failure};
use crate::screen::Screen;

/// Waits for the run's end and writes its output.
pub(crate) async fn until_terminal(
    client: &Client,
    run_id: &str,
    screen: Screen,
) -> Result<Code, Failure> {
    let run = follow(client, run_id, |_| true).await?;
    let Some(run) = run else {
        return Ok(Code::Done);
    };
    if screen.is_json() {
        screen.json(&run);
    } else {
        show_end(screen, &run);
    }
    Ok(exit::of_state(run.state.name()))
}

/// Writes every change of state until the run's end.
pub(crate) async fn watch(client: &Client, run_id: &str, screen: Screen) -> Result<Code, Failure> {
    let show = |change: &Change| {
        if screen.is_json() {
            return screen.json(change);
        }
        let from = change.from.map_or("-", RunState::name);
        let actor = change.actor.as_deref().unwrap_or("-");
        screen.line(&format!(
            "{}  {from} -> {}  {}  {actor}",
            change.at, change.to, change.cause
        ))
    };
    let Some(run) = follow(client, run_id, show).await? else {
        return Ok(Code::Done);
    };
    if !screen.is_json() {
        show_end(screen, &run);
    }
    Ok(exit::of_state(run.state.name()))
}

/// Gives every change of state of a run as it happens, and the run once it has ended; none when `show` has seen enough.
async fn follow(
    client: &Client,
    run_id: &str,
    mut show: impl FnMut(&Change) -> bool,
) -> Result<Option<Run>, Failure> {
    let mut shown = 0;
    let mut events: Option<EventFollower> = None;
    loop {
        let run = client.run(run_id).await?;
        let new = run
            .state_history
            .iter()
            .filter(|change| change.sequence > shown);
        for change in new {
            if !show(change) {
                return Ok(None);
            }
        }
        let last = run.state_history.last();
        shown = last.map_or(shown, |change| change.sequence.max(shown));
        if run.state.is_terminal() {
            return Ok(Some(run));
        }
        let filter = || EventFilter {
            run_id: Some(run_id.to_owned()),
            ..EventFilter::default()
        };
        let after = |cursor| client.follow(filter(), Some(cursor));
        let follower = events.get_or_insert_with(|| after(shown));
        match follower.next().await {
            Ok(_) => {}
            // The run itself says what was missed: its events only tell when to look.
            Err(error) if error.code() == Some("cursor_expired") => {
                events = Some(after(client.stats().await?.latest_sequence));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a person wants to see of a run that has ended: the output, or why there is none.
fn show_end(screen: Screen, run: &Run) {
    if let Some(output) = &run.output {
        screen.line(output.get());
    }
    match run.state {
        RunState::Canceled => {
            let reason = run.reason.as_deref().unwrap_or("no reason given");
            screen.note(&format!("run {} was canceled: {reason}", run.run_id));
        }
        RunState::Failed => {
            let error = run
                .attempts
                .iter()
                .rev()
                .find_map(|attempt| attempt.error.as_ref());
            let error = error.map_or_else(String::new, |error| {
                format!(": {}: {}", error.code, error.message)
            });
            screen.note(&format!("run {} failed{error}", run.run_id));
        }
        _ => {}
    }
}
