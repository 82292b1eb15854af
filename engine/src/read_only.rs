//! A start on a full disk: everything can be read, nothing changed, until there is room.
//! Owns: the state that is looked at meanwhile, and the answers given from it.
//! Never: writes a byte, or takes what it reads for durable beyond what the log proves.

use std::time::{Duration, Instant};

use mainstay_core::{Answer, Machine, Now};
use mainstay_log::{Base as LogBase, Disk, Frame, Known, Looked, OpenError, Options, Recover};
use mainstay_store::{Reader, StoreError};

use crate::call::Replied;
use crate::inbox::Request;
use crate::reads::{Question, complete, is_wanting};
use crate::recovery::{Shelf, from_snapshot, from_store, reaches, replay};
use crate::shared::Shared;
use crate::snapshot::newest_first;

/// How often it is tried whether there is room again.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// What a data directory holds, read without changing it.
pub(crate) struct ReadOnly<D: Disk> {
    machine: Machine,
    reader: Option<Box<dyn Reader>>,
    looked: Looked<D::Lock>,
}

/// Why serving in this way ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is time to try a full start.
    Try,
    /// The engine is told to stop.
    Stop,
}

struct Looking<'a, D: Disk> {
    seed: u64,
    disk: &'a D,
    shelf: &'a mut dyn Shelf,
    machine: Option<Machine>,
    reader: Option<Box<dyn Reader>>,
}

impl<D: Disk> Looking<'_, D> {
    /// The store's rows, when it can be opened and read at all.
    fn try_store(&mut self, log_id: &str, oldest: u64) -> Result<Option<Machine>, StoreError> {
        let store = self.shelf.open(log_id)?;
        let mut reader = store.reader()?;
        let found = from_store(self.seed, reader.as_mut())?;
        let usable = found.filter(|(_, base)| reaches(base.sequence, oldest));
        self.reader = usable.is_some().then_some(reader);
        Ok(usable.map(|(machine, _)| machine))
    }
}

impl<D: Disk> Recover for Looking<'_, D> {
    fn begin(&mut self, known: &Known<'_>) -> Result<LogBase, String> {
        let log_id = known.identity.log_id.to_string();
        let oldest = known.oldest_sequence;
        let mut machine = self.try_store(&log_id, oldest).ok().flatten();
        for sequence in newest_first(self.disk).unwrap_or_default() {
            if machine.is_none() && reaches(sequence, oldest) {
                machine = from_snapshot(self.disk, self.seed, &log_id, sequence).ok();
            }
        }
        if machine.is_none() && reaches(0, oldest) {
            machine = Some(Machine::new(self.seed));
        }
        let machine = machine.ok_or("there is no room to start, and nothing to read from")?;
        let from_sequence = machine.sequence();
        self.machine = Some(machine);
        Ok(LogBase {
            from_sequence,
            proven_sequence: from_sequence,
        })
    }

    fn frame(&mut self, frame: &Frame<'_>, _proven: bool) -> Result<(), String> {
        match self.machine.as_mut() {
            Some(machine) => replay(machine, frame),
            None => Err("a frame came before the base".to_owned()),
        }
    }
}

impl<D: Disk> ReadOnly<D> {
    /// Reads a data directory under its lock.
    ///
    /// # Errors
    /// As any start, without those of writing.
    pub(crate) fn look(
        disk: &D,
        options: &Options,
        shelf: &mut dyn Shelf,
    ) -> Result<ReadOnly<D>, OpenError> {
        let mut looking = Looking {
            seed: 0,
            disk,
            shelf,
            machine: None,
            reader: None,
        };
        let looked = mainstay_log::look(disk, options, &mut looking)?;
        let Looking {
            machine, reader, ..
        } = looking;
        let machine = machine.ok_or_else(|| OpenError::Declined {
            reason: "the log was read without its base".to_owned(),
        })?;
        Ok(ReadOnly {
            machine,
            reader,
            looked,
        })
    }

    /// Whose log this is.
    pub(crate) fn identity(&self) -> &mainstay_log::Identity {
        &self.looked.identity
    }

    /// The last event that was read.
    pub(crate) fn sequence(&self) -> u64 {
        self.machine.sequence()
    }

    /// Answers questions, refuses everything else, until it is time to try a full start.
    pub(crate) fn serve(&mut self, shared: &Shared) -> Ended {
        let until = Instant::now() + TRY_EVERY;
        let mut requests = Vec::new();
        loop {
            shared.space.look();
            shared
                .inbox
                .wait(until.saturating_duration_since(Instant::now()));
            shared.inbox.take(&mut requests, usize::MAX, usize::MAX);
            for request in requests.drain(..) {
                if matches!(request, Request::Stop) {
                    return Ended::Stop;
                }
                self.answer(request, shared);
            }
            if Instant::now() >= until {
                return Ended::Try;
            }
        }
    }

    fn answer(&mut self, request: Request, shared: &Shared) {
        let full = || shared.no_room();
        match request {
            Request::Ask(tenant, query, reply) => {
                let now: Now = self.machine.moment();
                let answered = self.look_up(Question { tenant, query, now });
                let sequence = self.machine.sequence();
                let answered = answered.map(|value| Replied {
                    value,
                    sequence,
                    durable: true,
                });
                reply.send(answered.map_err(|_| full())).ok();
            }
            Request::Call(_, _, reply) | Request::Claim(_, _, _, reply) => {
                reply.send(Err(full())).ok();
            }
            Request::Calls(_, _, reply) => {
                reply.send(Err(full())).ok();
            }
            Request::Release(..)
            | Request::Stored(_)
            | Request::Cut
            | Request::Drain
            | Request::Stop => {}
        }
    }

    /// The answer from memory, or with what the store adds to it.
    ///
    /// # Errors
    /// [`StoreError`]: what cannot be read is not therefore absent, and no payload is empty for want of it.
    fn look_up(&mut self, asked: Question) -> Result<Answer, StoreError> {
        let mut value = self.machine.answer(&asked.now, asked.tenant, &asked.query);
        let Some(reader) = self.reader.as_mut() else {
            return Ok(value);
        };
        if is_wanting(&value) {
            complete(reader.as_mut(), &asked, self.machine.sequence(), &mut value)?;
        }
        if let Answer::Task(task) = &mut value
            && let Some(number) = task.stored_payload.take()
        {
            let found = reader.payload(number)?;
            task.payload.bytes = found.ok_or_else(|| {
                StoreError::Damaged(format!("the payload of task {number} is gone"))
            })?;
        }
        Ok(value)
    }
}
