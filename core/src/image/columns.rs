//! A borrowed look at an image: the fields that lists, filters and search need, without building the row.
//! Owns: which fields of an image stand in columns.
//! Never: allocates for text; never panics on any bytes.

use alloc::vec::Vec;

use crate::codec::{Field, Malformed, Reader, Value};
use crate::run::{AttemptResult, Cause, State as RunState};
use crate::task::{Standing, State as TaskState};
use crate::time::Timestamp;
use crate::{RunId, TaskId};

/// What lists and search show of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskColumns<'a> {
    /// Its number.
    pub number: u64,
    /// Its place.
    pub place: u32,
    /// Its id.
    pub id: TaskId,
    /// Higher first.
    pub priority: i32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: &'a str,
    /// When it was canceled.
    pub canceled_at: Option<Timestamp>,
    /// Runs it has.
    pub runs_total: u32,
    /// Of these, not terminal.
    pub runs_live: u32,
    /// Of these, completed.
    pub runs_completed: u32,
    /// When it ended, if that was not the end of its one run.
    pub ended_at: Option<Timestamp>,
    /// The number of its first run; 0 while it has none.
    pub first_run: u64,
    /// Its concurrency key.
    pub concurrency_key: Option<&'a str>,
    /// Text for people.
    pub description: Option<&'a str>,
    /// Its tags.
    pub tags: Vec<&'a str>,
    /// Its idempotency key.
    pub idempotency_key: Option<&'a str>,
    /// Bytes of its payload.
    pub payload_bytes: u32,
    /// Whether the payload is too large for the image.
    pub payload_stored: bool,
    /// The task it belongs to.
    pub parent: Option<TaskId>,
    /// Its schedule will make more runs.
    pub goes_on: bool,
    /// A descendant is not terminal.
    pub has_live_descendants: bool,
}

/// What lists and search show of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunColumns<'a> {
    /// Its number.
    pub number: u64,
    /// Its task's number.
    pub task: u64,
    /// Its place.
    pub place: u32,
    /// Its id.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is or was due.
    pub scheduled_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Grants so far.
    pub attempt_count: u32,
    /// The ended attempts that the row keeps, oldest first.
    pub attempts: Vec<AttemptColumns<'a>>,
    /// Who holds it now, and since when.
    pub held: Option<(&'a str, Timestamp)>,
    /// What it produced.
    pub output: Option<&'a [u8]>,
    /// Why it last changed its state.
    pub cause: Cause,
    /// Whether it was tried again or cleared away after it had failed.
    pub settled: bool,
}

/// What lists and search show of an ended attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptColumns<'a> {
    /// From 1.
    pub number: u32,
    /// How it ended.
    pub result: AttemptResult,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Who worked.
    pub worker: &'a str,
    /// The error's code.
    pub error_code: Option<&'a str>,
    /// The error's text.
    pub error_message: Option<&'a str>,
    /// What it produced.
    pub output: Option<&'a [u8]>,
}

fn text(value: Value<'_>) -> Result<&str, Malformed> {
    core::str::from_utf8(value.bytes()?).map_err(|_| Malformed("text that is not UTF-8"))
}

fn small(value: Value<'_>) -> Result<u32, Malformed> {
    u32::try_from(value.number()?).map_err(|_| Malformed("a number out of range"))
}

fn id(value: Value<'_>) -> Result<u128, Malformed> {
    let bytes = value.bytes()?.try_into();
    bytes
        .map(u128::from_be_bytes)
        .map_err(|_| Malformed("an id that is not 16 bytes"))
}

fn instant(value: Value<'_>) -> Result<Timestamp, Malformed> {
    value.number().map(Timestamp)
}

impl<'a> TaskColumns<'a> {
    /// Reads a task's image.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not an image of a task.
    pub fn read(image: &'a [u8]) -> Result<TaskColumns<'a>, Malformed> {
        let mut columns = TaskColumns {
            payload_stored: true,
            ..TaskColumns::default()
        };
        let mut reader = Reader::new(image);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => columns.number = value.number()?,
                2 => columns.place = small(value)?,
                3 => columns.id = TaskId(id(value)?),
                4 => {
                    let raw = small(value)?;
                    columns.priority = (raw >> 1) as i32 ^ -((raw & 1) as i32);
                }
                5 => columns.created_at = instant(value)?,
                6 => columns.created_by = text(value)?,
                7 => columns.canceled_at = Some(instant(value)?),
                8 => columns.read_policy(value.bytes()?)?,
                9 => columns.read_extras(value.bytes()?)?,
                10 => columns.runs_total = small(value)?,
                11 => columns.runs_live = small(value)?,
                12 => columns.runs_completed = small(value)?,
                13 => columns.payload_stored = false,
                15 => columns.payload_bytes = small(value)?,
                16 => columns.first_run = value.number()?,
                17 => columns.ended_at = Some(instant(value)?),
                19 => columns.read_bond(value.bytes()?)?,
                22 => {
                    let phase = value.number()?;
                    columns.goes_on = phase & 1 > 0;
                    columns.has_live_descendants = phase & 2 > 0;
                }
                _ => {}
            }
        }
        Ok(columns)
    }

    /// The state, derived from the runs.
    #[must_use]
    pub fn state(&self) -> TaskState {
        crate::task::derive_state(Standing {
            canceled: self.canceled_at.is_some(),
            runs_total: self.runs_total,
            runs_live: self.runs_live,
            runs_completed: self.runs_completed,
            goes_on: self.goes_on,
            has_live_descendants: self.has_live_descendants,
        })
    }

    fn read_bond(&mut self, bond: &'a [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(bond);
        while let Some((number, value)) = reader.field()? {
            if number == 1 {
                self.parent = Some(TaskId(id(value)?));
            }
        }
        Ok(())
    }

    fn read_policy(&mut self, policy: &'a [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(policy);
        while let Some((number, value)) = reader.field()? {
            if number == 6 {
                self.concurrency_key = Some(text(value)?);
            }
        }
        Ok(())
    }

    fn read_extras(&mut self, extras: &'a [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(extras);
        while let Some((number, value)) = reader.field()? {
            match number {
                2 => self.tags.push(text(value)?),
                3 => self.description = Some(text(value)?),
                5 => self.idempotency_key = Some(text(value)?),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> RunColumns<'a> {
    /// Reads a run's image.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not an image of a run.
    pub fn read(image: &'a [u8]) -> Result<RunColumns<'a>, Malformed> {
        let mut columns = RunColumns::default();
        let (mut changed_at, mut output_of_last) = (Timestamp(0), false);
        let mut reader = Reader::new(image);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => columns.number = value.number()?,
                2 => columns.task = value.number()?,
                3 => columns.place = small(value)?,
                4 => columns.id = RunId(id(value)?),
                5 => {
                    columns.state = RunState::from_code(value.number()?)
                        .ok_or(Malformed("an unknown run state"))?;
                }
                10 => columns.attempt_count = small(value)?,
                11 => columns.created_at = instant(value)?,
                13 => columns.scheduled_at = instant(value)?,
                17 => columns.held = Some(read_held(value.bytes()?)?),
                18 => (changed_at, columns.cause) = read_change(value.bytes()?)?,
                19 => columns.attempts.push(AttemptColumns::read(value.bytes()?)?),
                21 => columns.output = Some(value.bytes()?),
                24 => output_of_last = value.number()? > 0,
                30 | 31 => columns.settled = true,
                _ => {}
            }
        }
        if output_of_last {
            columns.output = columns.last().and_then(|last| last.output);
        }
        columns.finished_at = columns.state.is_terminal().then_some(changed_at);
        Ok(columns)
    }

    /// Whether it failed, and was neither tried again nor cleared away.
    #[must_use]
    pub fn is_dead_letter(&self) -> bool {
        self.state == RunState::Failed && !self.settled
    }

    /// The attempt that ended last.
    #[must_use]
    pub fn last(&self) -> Option<&AttemptColumns<'a>> {
        self.attempts.last()
    }
}

/// A run's image with no more in it than an answer shows of one run among many: number, place, id, state and times. It says nothing of
/// attempts, so it stands for runs that nobody holds.
#[must_use]
pub fn brief_run(run: &RunColumns<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    run.number.put(1, &mut out);
    run.task.put(2, &mut out);
    run.place.put(3, &mut out);
    run.id.put(4, &mut out);
    run.state.put(5, &mut out);
    run.created_at.put(11, &mut out);
    run.scheduled_at.put(13, &mut out);
    out
}

fn read_held(active: &[u8]) -> Result<(&str, Timestamp), Malformed> {
    let mut held = ("", Timestamp(0));
    let mut reader = Reader::new(active);
    while let Some((number, value)) = reader.field()? {
        match number {
            2 => held.0 = text(value)?,
            4 => held.1 = instant(value)?,
            _ => {}
        }
    }
    Ok(held)
}

/// When a run changed its state, and why.
fn read_change(change: &[u8]) -> Result<(Timestamp, Cause), Malformed> {
    let (mut at, mut cause) = (Timestamp(0), Cause::default());
    let mut reader = Reader::new(change);
    while let Some((number, value)) = reader.field()? {
        match number {
            3 => {
                let known = Cause::from_code(value.number()?);
                cause = known.ok_or(Malformed("an unknown cause"))?;
            }
            4 => at = instant(value)?,
            _ => {}
        }
    }
    Ok((at, cause))
}

impl<'a> AttemptColumns<'a> {
    fn read(attempt: &'a [u8]) -> Result<AttemptColumns<'a>, Malformed> {
        let mut columns = AttemptColumns::default();
        let mut reader = Reader::new(attempt);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => columns.number = small(value)?,
                2 => {
                    columns.result = AttemptResult::from_code(value.number()?)
                        .ok_or(Malformed("an unknown attempt result"))?;
                }
                4 => columns.started_at = instant(value)?,
                5 => columns.finished_at = instant(value)?,
                6 => columns.worker = text(value)?,
                7 => columns.read_error(value.bytes()?)?,
                8 => columns.output = Some(value.bytes()?),
                _ => {}
            }
        }
        Ok(columns)
    }

    fn read_error(&mut self, error: &'a [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(error);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => self.error_code = Some(text(value)?),
                2 => self.error_message = Some(text(value)?),
                _ => {}
            }
        }
        Ok(())
    }
}
