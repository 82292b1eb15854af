//! Answers that need the store: payloads that are not in memory, and rows that have left it.
//! Owns: what is fetched before such an answer leaves.
//! Never: holds up the writer or the flusher; never sends an answer with a part missing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_core::{Answer, Bytes, Facts, Machine, Now, Outcome, PlaceRow, Query, TenantId};
use mainstay_store::{Found, Reader, StoreError};

use crate::inbox::Decided;
use crate::release::{Parcel, Parked};
use crate::shared::Shared;
use crate::writer::Plant;

/// A question that memory could not answer, kept with its answer until the store is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) tenant: TenantId,
    pub(crate) query: Query,
    pub(crate) now: Now,
}

#[derive(Debug, Default)]
struct Queue {
    parcels: VecDeque<Parked>,
    closed: bool,
}

/// Answers that wait for the store.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    queue: Mutex<Queue>,
    filled: Condvar,
}

impl Fetches {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an answer over; gives it back when nobody fetches any more.
    pub(crate) fn push(&self, parcel: Parked) -> Option<Parked> {
        let mut queue = self.lock();
        if queue.closed {
            return Some(parcel);
        }
        queue.parcels.push_back(parcel);
        drop(queue);
        self.filled.notify_one();
        None
    }

    fn pop(&self) -> Option<Parked> {
        self.lock().parcels.pop_front()
    }

    /// Sleeps until something waits or the end. False at the end.
    fn wait(&self) -> bool {
        let mut queue = self.lock();
        while queue.parcels.is_empty() && !queue.closed {
            queue = self
                .filled
                .wait_timeout(queue, Duration::from_secs(60))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        !queue.closed
    }

    /// Nothing is fetched any more; what waited comes back.
    pub(crate) fn close(&self) -> VecDeque<Parked> {
        let mut queue = self.lock();
        queue.closed = true;
        self.filled.notify_all();
        std::mem::take(&mut queue.parcels)
    }
}

/// Fetches what answers need and lets them out.
pub struct Reads {
    reader: Box<dyn Reader>,
    shared: Arc<Shared>,
    plant: Plant,
}

impl Reads {
    pub(crate) fn new(reader: Box<dyn Reader>, shared: Arc<Shared>, plant: Plant) -> Reads {
        Reads {
            reader,
            shared,
            plant,
        }
    }

    /// Completes one answer, if one waits.
    ///
    /// # Errors
    /// [`StoreError`]: what was stored cannot be read; the engine must stop.
    pub fn step(&mut self) -> Result<bool, StoreError> {
        let Some(mut parked) = self.shared.fetches.pop() else {
            return Ok(false);
        };
        match self.complete(&mut parked.parcel) {
            Ok(()) => {
                if let Some(request) = parked.deliver() {
                    self.shared.inbox.push_always(request);
                }
                Ok(true)
            }
            Err(error) => {
                parked.fail(&error.to_string());
                Err(error)
            }
        }
    }

    fn complete(&mut self, parcel: &mut Parcel) -> Result<(), StoreError> {
        match parcel {
            Parcel::Decided(_, decided, _) => self.fill(decided),
            Parcel::Many(_, decided, _) => decided.iter_mut().try_for_each(|one| self.fill(one)),
            Parcel::Answer(_, answer, question) => {
                if let (Answer::Absent, Some(asked)) = (&*answer, question) {
                    *answer = look(self.reader.as_mut(), asked)?;
                }
                if let Answer::Task(task) = answer
                    && let Some(number) = task.stored_payload.take()
                {
                    match self.payload(number) {
                        Ok(bytes) => task.payload.bytes = bytes,
                        // Retention may have taken a finished task away since it was looked up.
                        Err(_) if self.reader.task(task.tenant, task.id)?.is_none() => {
                            *answer = Answer::Absent;
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
        }
    }

    fn fill(&mut self, decided: &mut Decided) -> Result<(), StoreError> {
        if let Ok(Outcome::Claimed(grants)) = decided {
            for grant in grants {
                if let Some(number) = grant.stored_payload.take() {
                    grant.payload.bytes = self.payload(number)?;
                }
            }
        }
        Ok(())
    }

    fn payload(&mut self, number: u64) -> Result<Bytes, StoreError> {
        if self.plant.payload_not_fetched {
            return Ok(Bytes::default());
        }
        let found = self.reader.payload(number)?;
        found.ok_or_else(|| StoreError::Damaged(format!("the payload of task {number} is gone")))
    }
}

/// Answers a question about rows that have left memory.
pub(crate) fn look(reader: &mut dyn Reader, asked: &Question) -> Result<Answer, StoreError> {
    let found = match asked.query {
        Query::Task(id) => reader.task(asked.tenant, id)?,
        Query::Run(id) | Query::Explain(id) => reader.run(asked.tenant, id)?,
        Query::Stats | Query::Engine | Query::Places | Query::Queues | Query::Budgets => None,
    };
    let Some(found) = found else {
        return Ok(Answer::Absent);
    };
    let mut facts = Facts::default();
    let places = reader.base()?.places;
    add(&mut facts, &places, &found)?;
    Ok(facts.answer(&asked.now, asked.tenant, &asked.query))
}

/// Puts a row that was looked up among the facts.
fn add(facts: &mut Facts, places: &[PlaceRow], found: &Found) -> Result<(), StoreError> {
    add_with(facts, found, |number| places.get(number as usize).cloned())
}

/// The same beside a machine, which knows every place.
pub(crate) fn add_known(
    facts: &mut Facts,
    machine: &Machine,
    found: &Found,
) -> Result<(), StoreError> {
    add_with(facts, found, |number| machine.place(number))
}

fn add_with(
    facts: &mut Facts,
    found: &Found,
    place: impl Fn(u32) -> Option<PlaceRow>,
) -> Result<(), StoreError> {
    let damaged = |what: &dyn std::fmt::Display| StoreError::Damaged(what.to_string());
    let task = mainstay_core::TaskColumns::read(&found.task).map_err(|error| damaged(&error))?;
    let place = place(task.place).ok_or_else(|| damaged(&"a task's place is not there"))?;
    facts.add_place(&place);
    facts
        .add_task(&found.task)
        .map_err(|error| damaged(&error))?;
    for run in &found.runs {
        facts.add_run(run).map_err(|error| damaged(&error))?;
    }
    Ok(())
}

/// The reader's thread.
pub(crate) fn read(mut reads: Reads) -> Result<(), StoreError> {
    let shared = Arc::clone(&reads.shared);
    while shared.fetches.wait() {
        while reads.step()? {}
    }
    Ok(())
}
