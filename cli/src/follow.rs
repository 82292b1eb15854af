//! Follows a run until it ends, and ends the program with its outcome.

use std::time::Duration;

use mainstay_client::Client;
use mainstay_client::wire::{Run, RunState};

use crate::exit::{self, Code, Failure};
use crate::screen::Screen;

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause between two looks.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits for the run's end and writes its output.
pub(crate) async fn until_terminal(
    client: &Client,
    run_id: &str,
    screen: Screen,
) -> Result<Code, Failure> {
    let mut pause = FIRST;
    let run = loop {
        let run = client.run(run_id).await?;
        if run.state.is_terminal() {
            break run;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    };
    if screen.is_json() {
        screen.json(&run);
    } else {
        show_end(screen, &run);
    }
    Ok(exit::of_state(run.state.name()))
}

/// Writes every change of state until the run's end.
pub(crate) async fn watch(
    client: &Client,
    run_id: &str,
    every: Duration,
    screen: Screen,
) -> Result<Code, Failure> {
    let mut shown = 0;
    loop {
        let run = client.run(run_id).await?;
        for change in run
            .state_history
            .iter()
            .filter(|change| change.sequence > shown)
        {
            let read = if screen.is_json() {
                screen.json(change)
            } else {
                let from = change.from.map_or("-", RunState::name);
                let actor = change.actor.as_deref().unwrap_or("-");
                screen.line(&format!(
                    "{}  {from} -> {}  {}  {actor}",
                    change.at, change.to, change.cause
                ))
            };
            if !read {
                return Ok(Code::Done);
            }
        }
        shown = run
            .state_history
            .last()
            .map_or(shown, |change| change.sequence.max(shown));
        if run.state.is_terminal() {
            if !screen.is_json() {
                show_end(screen, &run);
            }
            return Ok(exit::of_state(run.state.name()));
        }
        tokio::time::sleep(every).await;
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
