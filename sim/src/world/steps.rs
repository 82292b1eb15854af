//! The steps of one life: requests, turns, flushes and time, in any order.

use mainstay::{Claim, Command, Text};

use super::explained::explained;
use super::life::Life;
use super::plan::LifePlan;
use super::run::{End, World};
use super::wide;
use crate::oracle::Asked;

/// Turns that the end may take until everything is terminal.
const END_TURNS_MAX: u32 = 1500;
/// Turns in which nothing waits for time though runs are not terminal: an operator must come by first.
const IDLE_TURNS_MAX: u32 = 40;
/// Turns that the writer may want at once, one after another, without anybody asking for anything.
const BUSY_TURNS_MAX: u32 = 20;

/// Lives until a crash, a fault or the plan's end.
pub(super) fn live_on(world: &mut World, life: &mut Life, plan: &LifePlan) -> Result<End, String> {
    for _ in 0..plan.steps {
        step(world, life)?;
        if world.disk.is_dead() {
            mark_place(world);
            return Ok(End::Crash);
        }
        if life.stopped() {
            return stop(world, life, false);
        }
    }
    if !plan.ends_clean {
        return Ok(End::Crash);
    }
    close(world, life)
}

fn mark_place(world: &mut World) {
    let call = world.disk.last_call();
    let manifest_write = call.starts_with("Name manifest") || call.starts_with("SyncDir log");
    world
        .report
        .marks_if(manifest_write, "crash between segment name and manifest");
    let roll = call.starts_with("Name log/") || call.contains("manifest");
    world.report.marks_if(roll, "crash in segment roll");
    let named = call.starts_with("Name store/snapshot-") || call.starts_with("SyncDir store");
    world
        .report
        .marks_if(named, "crash in a snapshot's renaming");
}

pub(super) fn step(world: &mut World, life: &mut Life) -> Result<(), String> {
    world.clock.flow(&mut world.rng);
    if world.rng.chance(2) {
        let World {
            clock, rng, report, ..
        } = world;
        clock.jump(rng, &mut report.marks);
    }
    life.set_clock(world.clock);
    let requests = world.rng.below(5);
    for _ in 0..requests {
        let wall_ms = world.clock.raw().wall_ms;
        let request = world.people.next(&mut world.rng, wall_ms);
        world.ask(life, request);
    }
    if world.rng.chance(4) {
        life.hang_up(&mut world.rng);
    }
    if world.rng.chance(85) {
        turn(world, life)?;
    }
    if world.rng.chance(65) {
        flush(world, life, false)?;
    }
    if world.rng.chance(15) && !world.disk.is_dead() && !life.stopped() {
        flush(world, life, true)?;
    }
    keep_store(world, life)?;
    world.read_events(life)?;
    if world.rng.chance(10) && !world.disk.is_dead() {
        life.machine(|writer| writer.machine().verify())?;
    }
    if world.rng.chance(25) && !world.disk.is_dead() {
        explained(world, life)?;
    }
    Ok(())
}

/// The threads of the store, each now and then.
fn keep_store(world: &mut World, life: &mut Life) -> Result<(), String> {
    if world.rng.chance(50) {
        life.crew.commit();
    }
    if world.rng.chance(60) {
        world.fetch(life)?;
    }
    if world.rng.chance(40) {
        life.crew.snapshot();
        life.date();
    }
    if world.rng.chance(40) {
        life.crew.trim(world.clock.raw().wall_ms);
        life.date();
    }
    life.crew.trouble()?;
    if world.disk.is_dead() {
        return Ok(());
    }
    world.receive(life)
}

pub(super) fn turn(world: &mut World, life: &mut Life) -> Result<(), String> {
    let now = world.clock.raw();
    world.say(|| format!("turn {now:?}"));
    life.turn();
    life.crew.trouble()?;
    world.receive(life)
}

/// The flusher works; faults must come out, and nothing may leave after one.
pub(super) fn flush(world: &mut World, life: &mut Life, seal: bool) -> Result<(), String> {
    let Some(flushed) = life.flush(seal) else {
        return Ok(());
    };
    let waiting = life.open_count() > 1;
    world.report.marks_if(
        flushed.is_err() && waiting && !world.disk.is_dead(),
        "sync error with waiting answers",
    );
    world.say(|| format!("flush seal={seal} {flushed:?}"));
    life.crew.trouble()?;
    if world.disk.is_dead() {
        return Ok(());
    }
    if world.rng.chance(30) {
        life.turn();
        world.receive(life)?;
    }
    life.crew.settle(&flushed);
    world.receive(life)
}

/// The log has stopped: everybody gets an answer, nobody a wrong one.
fn stop(world: &mut World, life: &mut Life, writer_is_gone: bool) -> Result<End, String> {
    let (full, _) = world.disk.was_full_or_short();
    world.report.marks_if(full, "disk full");
    world.report.marks_if(!full, "write error");
    life.draining = true;
    for _ in 0..2 {
        let wall_ms = world.clock.raw().wall_ms;
        let request = world.people.next(&mut world.rng, wall_ms);
        world.ask(life, request);
        turn(world, life)?;
    }
    if !life.crew.is_over() {
        return Err(String::from("the writer goes on after the log has stopped"));
    }
    let stuck = life.stuck_count(writer_is_gone);
    if stuck > 0 {
        return Err(format!("{stuck} callers never get an answer"));
    }
    Ok(End::Fault)
}

pub(super) fn close(world: &mut World, life: &mut Life) -> Result<End, String> {
    if world.rng.chance(50) {
        life.draining = true;
        life.handle.drain();
    }
    if world.rng.chance(50) {
        turn(world, life)?;
    }
    let grave = world.disk.grave_faults();
    let closed = life.close();
    world.say(|| format!("close {closed:?}"));
    if world.disk.is_dead() {
        return Ok(End::Crash);
    }
    if !world.setup.blind && world.disk.grave_faults() > grave && closed.is_ok() {
        return Err(String::from("the close went on after an error of the disk"));
    }
    life.settle_close(&closed);
    world.receive(life)?;
    if closed.is_err() {
        return stop(world, life, true);
    }
    if world.rng.chance(50) {
        world.fetch(life)?;
    }
    life.handle.close_store();
    if world.rng.chance(80) {
        life.crew.commit();
    }
    life.crew.trouble()?;
    world.receive(life)?;
    if life.stuck_count(true) > 0 {
        return Err(String::from("a clean stop left callers without an answer"));
    }
    world.report.marks.hit("clean stop");
    Ok(End::Clean)
}

/// Sleeps for as long as the writer wants to, as its thread does. False when it waits for nothing.
fn pass_time(world: &mut World, life: &mut Life) -> Result<bool, String> {
    for _ in 0..BUSY_TURNS_MAX {
        if life.crew.next_in_ms() != Some(0) {
            let sleep = life.crew.next_in_ms();
            world.clock.advance(sleep.unwrap_or(0));
            return Ok(sleep.is_some());
        }
        turn(world, life)?;
        flush(world, life, false)?;
        keep_up(world, life)?;
    }
    Err(String::from(
        "the writer wants turn after turn and does nothing",
    ))
}

/// The threads of the store keep up with the log.
pub(super) fn keep_up(world: &mut World, life: &mut Life) -> Result<(), String> {
    life.crew.commit();
    world.fetch(life)?;
    life.crew.snapshot();
    life.crew.commit();
    life.crew.trim(world.clock.raw().wall_ms);
    life.date();
    life.crew.trouble()?;
    world.receive(life)
}

/// One tenant's working worker; and its patient operator, now and then.
fn work_on(world: &mut World, life: &mut Life, with_operator: bool) {
    let able = wide::CAPABILITIES.iter().map(|name| Text::from(*name));
    let claim = Claim {
        worker: Text::from("good"),
        queues: vec![Text::from("q1"), Text::from("q2")],
        max: 100,
        capabilities: able.collect(),
        ..Claim::default()
    };
    let request = world.people.request(Asked::Claim(Box::new(claim)), 0);
    world.ask(life, request);
    for finish in world.people.finish_all() {
        world.command(life, finish);
    }
    let tenant = world.people.tenant();
    if with_operator && world.oracle.laws.is_some() {
        let (crons, purses) = world.oracle.closable(tenant);
        for command in wide::open_everything(crons, purses) {
            world.command(life, command);
        }
    }
    let suspended = |life: &Life| life.machine(|writer| writer.machine().stats().runs_by_state[5]);
    if with_operator && suspended(life) > 0 {
        for run in world.oracle.runs(tenant) {
            world.command(life, Command::ResumeRun { run, payload: None });
        }
    }
}

/// Working workers, a patient operator, a healthy disk.
pub(super) fn bring_to_an_end(world: &mut World, life: &mut Life) -> Result<(), String> {
    world.command(life, Command::ResumeEngine { reason: None });
    let mut idle = 0;
    for turn_number in 0..END_TURNS_MAX {
        world.clock.advance(1);
        life.set_clock(world.clock);
        for tenant in world.oracle.tenants() {
            world.people.act_in(tenant);
            work_on(world, life, turn_number % 16 == 0);
        }
        turn(world, life)?;
        flush(world, life, false)?;
        keep_up(world, life)?;
        let live = life.machine(|writer| {
            let stats = writer.machine().stats();
            stats.runs_by_state[..6].iter().sum::<u64>()
        });
        if live == 0 {
            return Ok(());
        }
        idle = if pass_time(world, life)? { 0 } else { idle + 1 };
        if idle > IDLE_TURNS_MAX {
            return Err(String::from("runs wait, and the writer waits for nothing"));
        }
    }
    Err(String::from(
        "with working workers not every run comes to its end",
    ))
}
