//! Answers that need the store: payloads that are not in memory, and rows that have left it.
//! Owns: what is fetched before such an answer leaves.
//! Never: holds up the writer or the flusher; never sends an answer with a part missing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_core::limits::{CHILD_OUTPUT_BYTES_MAX, RUNS_SHOWN_MAX};
use mainstay_core::{
    Answer, Bytes, ChildView, ClaimGrant, Facts, Machine, Now, Outcome, PlaceRow, Query,
    RunColumns, RunId, SubmittedRun, TaskColumns, TaskView, TenantId,
};
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
        match self.complete(parked.sequence, &mut parked.parcel) {
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

    fn complete(&mut self, sequence: u64, parcel: &mut Parcel) -> Result<(), StoreError> {
        match parcel {
            Parcel::Decided(_, decided, _) => self.fill(decided),
            Parcel::Many(_, decided, _) => decided.iter_mut().try_for_each(|one| self.fill(one)),
            Parcel::Answer(_, answer, question) => {
                if let Some(asked) = question {
                    complete(self.reader.as_mut(), asked, sequence, answer)?;
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
                if let Some(rare) = &mut grant.rare {
                    self.fill_children(grant.tenant, &mut rare.children)?;
                }
            }
        }
        Ok(())
    }

    /// Outputs of children that have left memory, as many as a grant carries.
    fn fill_children(
        &mut self,
        tenant: TenantId,
        children: &mut [ChildView],
    ) -> Result<(), StoreError> {
        let bytes = |child: &ChildView| child.output.as_ref().map_or(0, |output| output.len());
        let mut room = CHILD_OUTPUT_BYTES_MAX.saturating_sub(children.iter().map(bytes).sum());
        for child in children.iter_mut().filter(|child| child.stored) {
            child.stored = false;
            let output = self.reader.output(tenant, child.task)?;
            child.output = output.filter(|output| output.len() <= room);
            room -= bytes(child);
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

/// Whether a part of a grant is in the store alone.
pub(crate) fn lacks(grant: &ClaimGrant) -> bool {
    let rare = grant.rare.as_deref();
    let children = rare.map_or(&[][..], |rare| &rare.children);
    grant.stored_payload.is_some() || children.iter().any(|child| child.stored)
}

/// Whether an answer from memory may not be all there is: rows have left memory.
pub(crate) fn is_wanting(answer: &Answer) -> bool {
    match answer {
        Answer::Absent => true,
        Answer::Task(task) => has_more_runs(task),
        _ => false,
    }
}

/// Whether runs are missing that an answer shows.
pub(crate) fn has_more_runs(task: &TaskView) -> bool {
    task.runs.len() < RUNS_SHOWN_MAX.min(task.runs_total as usize)
}

/// Completes an answer from memory at an event with rows that had left it by then.
pub(crate) fn complete(
    reader: &mut dyn Reader,
    asked: &Question,
    sequence: u64,
    answer: &mut Answer,
) -> Result<(), StoreError> {
    match answer {
        Answer::Absent => *answer = look(reader, asked, sequence)?,
        Answer::Task(task) => {
            if let Some(found) = reader.task(asked.tenant, task.id)? {
                join_runs(task, &found, sequence)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Puts the runs that have left memory among those in it. The store may be further than the answer: its newer runs are left out, and a run
/// in memory is shown as it stood there.
pub(crate) fn join_runs(
    task: &mut TaskView,
    found: &Found,
    sequence: u64,
) -> Result<(), StoreError> {
    let mut here: Vec<SubmittedRun> = std::mem::take(&mut task.runs);
    let mut by_id: HashMap<RunId, SubmittedRun> = here.iter().map(|run| (run.run, *run)).collect();
    for image in &found.runs {
        let run =
            RunColumns::read(image).map_err(|error| StoreError::Damaged(error.to_string()))?;
        if run.number > sequence {
            break;
        }
        task.runs
            .push(by_id.remove(&run.id).unwrap_or(SubmittedRun {
                run: run.id,
                state: run.state,
                scheduled_at: run.scheduled_at,
            }));
    }
    // What no cut has held yet was made after everything that one has.
    here.retain(|run| by_id.contains_key(&run.run));
    task.runs.extend(here);
    task.runs.truncate(RUNS_SHOWN_MAX);
    if let Some(first) = task.runs.first() {
        task.scheduled_at = first.scheduled_at;
    }
    Ok(())
}

/// Answers a question about rows that have left memory. The store may be further than the answer: what was made since is not there yet.
fn look(reader: &mut dyn Reader, asked: &Question, sequence: u64) -> Result<Answer, StoreError> {
    let found = match asked.query {
        Query::Task(id) => reader.task(asked.tenant, id)?,
        Query::Run(id) | Query::Explain(id) => reader.run(asked.tenant, id)?,
        Query::Stats | Query::Engine | Query::Places | Query::Queues | Query::Budgets => None,
        Query::Actor(_) | Query::Actors { .. } | Query::Workforce => None,
        // Operations.
        Query::Operation(_) | Query::Operations { .. } | Query::NextOperation(_) => None,
        // Statistics.
        Query::Overview | Query::Report { .. } => None,
        // Webhooks: all of it is in memory.
        Query::Webhook(_) | Query::Webhooks { .. } | Query::Deliveries { .. } => None,
        // Access: all of it is in memory.
        Query::Key(_) | Query::Keys { .. } | Query::Roles | Query::Grant(_) | Query::Tenants => {
            None
        }
    };
    let Some(found) = found else {
        return Ok(Answer::Absent);
    };
    if made_at(&found, &asked.query)? > sequence {
        return Ok(Answer::Absent);
    }
    let mut facts = Facts::default();
    let places = reader.base()?.places;
    add(&mut facts, &places, &found)?;
    Ok(facts.answer(&asked.now, asked.tenant, &asked.query))
}

/// The event that made what was asked about.
fn made_at(found: &Found, query: &Query) -> Result<u64, StoreError> {
    let damaged = |error: mainstay_core::codec::Malformed| StoreError::Damaged(error.to_string());
    if let Query::Run(id) | Query::Explain(id) = query {
        for image in &found.runs {
            let run = RunColumns::read(image).map_err(damaged)?;
            if run.id == *id {
                return Ok(run.number);
            }
        }
    }
    let task = TaskColumns::read(&found.task).map_err(damaged)?;
    Ok(task.number)
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
    let task = TaskColumns::read(&found.task).map_err(|error| damaged(&error))?;
    let place = place(task.place).ok_or_else(|| damaged(&"a task's place is not there"))?;
    facts.add_place(&place);
    facts
        .add_task(&found.task)
        .map_err(|error| damaged(&error))?;
    for run in &found.runs {
        let columns = RunColumns::read(run).map_err(|error| damaged(&error))?;
        // A live one is in memory, where more is known of it.
        if columns.state.is_terminal() {
            facts.add_run(run).map_err(|error| damaged(&error))?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::{Call, Command, TaskId, TaskSpec};
    use mainstay_store::{MemoryShelf, Store};

    #[test]
    fn a_look_up_finds_nothing_that_was_made_after_the_answer() {
        let (id, now) = (TaskId(7), Now::default());
        let mut machine = Machine::new(1);
        let submit = Command::SubmitAs(id, Box::new(TaskSpec::new("a")));
        let submitted = machine.step(&now, &Facts::default(), Call::new(submit));
        let Ok(Outcome::Submitted(made)) = submitted.outcome else {
            panic!("{:?}", submitted.outcome);
        };
        let task = id;
        let cancel = Command::CancelTask { task, reason: None };
        let canceled = machine.step(&now, &Facts::default(), Call::new(cancel));
        assert!(canceled.outcome.is_ok(), "what is live is in memory");
        let mut store = MemoryShelf::default().open("log").unwrap();
        let cut = machine.take_cut();
        let through = cut.through;
        store.put(cut).unwrap();
        store.durable(through).unwrap();
        let mut reader = store.reader().unwrap();
        let mut ask = |query, sequence| {
            let tenant = TenantId::DEFAULT;
            let asked = Question { tenant, query, now };
            let mut answer = Answer::Absent;
            complete(reader.as_mut(), &asked, sequence, &mut answer).unwrap();
            answer
        };
        for query in [Query::Task(id), Query::Run(made.run.run)] {
            assert!(matches!(ask(query, 0), Answer::Absent), "{query:?}");
            assert!(!matches!(ask(query, through), Answer::Absent), "{query:?}");
        }
    }
}
