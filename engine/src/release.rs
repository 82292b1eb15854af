//! Answers that wait for their frame: nothing leaves before it is durable.
//! Owns: the parked answers, in frame order.
//! Never: lets an answer out early, or leaves one without an end.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mainstay_core::{Answer, Fence, Outcome, Principal, RunId, TenantId};

use crate::call::{CallError, Replied, Reply};
use crate::inbox::{Decided, Request};
use crate::reads::{self, Fetches, Question};

/// One answer with the caller it is for.
#[derive(Debug)]
pub(crate) enum Parcel {
    Decided(Reply<Decided>, Decided, Option<Principal>),
    Many(Reply<Vec<Decided>>, Vec<Decided>, Option<Principal>),
    Answer(Reply<Answer>, Answer, Option<Question>),
}

impl Parcel {
    /// Whether it says nothing but that tasks were accepted.
    pub(crate) fn is_submitted(&self) -> bool {
        let submitted = |decided: &Decided| match decided {
            Ok(Outcome::Submitted(told)) => told.created,
            Ok(Outcome::SubmittedAll(all)) => {
                !all.is_empty() && all.iter().all(|told| told.created)
            }
            _ => false,
        };
        match self {
            Parcel::Decided(_, decided, _) => submitted(decided),
            Parcel::Many(_, decided, _) => decided.iter().all(submitted),
            Parcel::Answer(..) => false,
        }
    }

    /// Whether a part of the answer is in the store alone.
    fn needs_store(&self) -> bool {
        let stored = |decided: &Decided| match decided {
            Ok(Outcome::Claimed(grants)) => grants.iter().any(reads::lacks),
            _ => false,
        };
        match self {
            Parcel::Decided(_, decided, _) => stored(decided),
            Parcel::Many(_, decided, _) => decided.iter().any(stored),
            Parcel::Answer(_, Answer::Absent, question) => question.is_some(),
            Parcel::Answer(_, Answer::Task(task), question) => {
                task.stored_payload.is_some() || question.is_some()
            }
            Parcel::Answer(..) => false,
        }
    }
}

/// What has become of a call's own events, should the log stop now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// There are none.
    Nothing,
    /// They are in a frame that the log has not taken.
    Dropped,
    /// They are in a frame that is not durable yet.
    Written,
}

/// A parcel, the frame it waits for, and what it would mean if that frame is never confirmed.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    pub(crate) fate: Fate,
    /// Whether it leaves as soon as the log has taken its frame.
    pub(crate) early: bool,
    /// The last event before the call.
    pub(crate) before: u64,
    pub(crate) parcel: Parcel,
}

impl Parked {
    /// Sends the answer. Grants that nobody takes any more come back as a request to release them.
    pub(crate) fn deliver(self) -> Option<Request> {
        let (sequence, durable) = (self.sequence, !self.early);
        match self.parcel {
            Parcel::Decided(reply, value, unkeyed_claim) => {
                let undelivered = reply
                    .send(Ok(Replied {
                        value,
                        sequence,
                        durable,
                    }))
                    .err()?;
                give_back(vec![undelivered.ok()?.value], unkeyed_claim?)
            }
            Parcel::Many(reply, value, unkeyed_claims) => {
                let undelivered = reply
                    .send(Ok(Replied {
                        value,
                        sequence,
                        durable,
                    }))
                    .err()?;
                give_back(undelivered.ok()?.value, unkeyed_claims?)
            }
            Parcel::Answer(reply, value, _) => {
                reply
                    .send(Ok(Replied {
                        value,
                        sequence,
                        durable,
                    }))
                    .ok();
                None
            }
        }
    }

    pub(crate) fn fail(self, cause: &str) {
        let (sequence, cause) = (self.sequence, cause.to_owned());
        let error = match self.fate {
            Fate::Nothing => CallError::Stopped { cause },
            Fate::Dropped => CallError::Append { cause },
            Fate::Written => CallError::CommitUnknown { sequence },
        };
        match self.parcel {
            Parcel::Decided(reply, ..) => drop(reply.send(Err(error))),
            Parcel::Many(reply, ..) => drop(reply.send(Err(error))),
            Parcel::Answer(reply, ..) => drop(reply.send(Err(error))),
        }
    }
}

fn give_back(decided: Vec<Decided>, principal: Principal) -> Option<Request> {
    let granted = decided.iter().filter_map(|decided| match decided {
        Ok(Outcome::Claimed(grants)) => Some(grants),
        _ => None,
    });
    let grants: Vec<(TenantId, RunId, Fence)> = granted
        .flatten()
        .map(|grant| (grant.tenant, grant.run, grant.fence))
        .collect();
    (!grants.is_empty()).then(|| Request::Release(principal, grants))
}

/// The parked answers of one engine.
#[derive(Debug, Default)]
pub(crate) struct Release {
    parked: Mutex<VecDeque<Parked>>,
}

impl Release {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Parks answers in frame order.
    pub(crate) fn park(&self, parcels: &mut Vec<Parked>) {
        self.lock().extend(parcels.drain(..));
    }

    /// Lets out every answer whose frame is durable. Gives what nobody took.
    pub(crate) fn up_to(&self, durable_frame: u64, fetches: &Fetches) -> Vec<Request> {
        let ready: Vec<Parked> = {
            let mut parked = self.lock();
            let count = parked.partition_point(|parcel| parcel.frame <= durable_frame);
            parked.drain(..count).collect()
        };
        let mut back = Vec::new();
        for parked in ready {
            let parked = if parked.parcel.needs_store() {
                match fetches.push(parked) {
                    None => continue,
                    Some(late) => {
                        late.fail("the engine is shutting down");
                        continue;
                    }
                }
            } else {
                parked
            };
            back.extend(parked.deliver());
        }
        back
    }

    /// The log has stopped: every parked answer ends with an error.
    pub(crate) fn fail(&self, cause: &str) {
        let parked: Vec<Parked> = self.lock().drain(..).collect();
        parked.into_iter().for_each(|parcel| parcel.fail(cause));
    }
}
