//! One run led to its end by hand, and a submit that does not wait for the disk: `cargo run -p mainstay-engine --example by_hand`.
#![allow(clippy::print_stdout)]

use mainstay::{
    Bytes, Call, Command, Durability, Engine, FinishOutcome, RunState, Task, Timestamp,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("mainstay-by-hand-{}", std::process::id()));
    let engine = Engine::open(&directory)?;
    let handle = engine.handle();

    let run = handle.submit(Task::new("invoice.sign"))?.run.run;
    let (_, expires_at) = handle.acquire_lease(run, "ann", Some(60_000))?;
    let later = Timestamp(expires_at.0 + 60_000);
    handle.renew_lease(run, "ann", later)?;
    handle.transition_run(run, RunState::Leased, RunState::Running)?;
    let (attempt, number) = handle.start_attempt(run)?;
    let output = Some(Bytes::from(&br#"{"signed":true}"#[..]));
    let state = handle.finish_attempt(run, attempt, FinishOutcome::Success, output, None)?;
    println!("attempt {number} ended, the run is {}", state.name());

    let again = handle.acquire_lease(run, "bob", None).unwrap_err();
    println!("refused: {again}");

    let submit = Command::Submit(Box::new(Task::new("metrics.sample").into()));
    let told = handle
        .call_with(Call::new(submit), Durability::Deferred)
        .wait()?;
    println!(
        "accepted up to event {}, durable: {}",
        told.sequence, told.durable
    );

    engine.shutdown(std::time::Duration::from_secs(5))?;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
