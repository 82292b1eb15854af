//! A machine with one run in a certain state, and others beside it that do not matter.

use mainstay_core::{
    AttemptId, Call, Claim, Command, Entry, Event, Fence, Finish, FinishOutcome, HoldPolicy,
    Jitter, Machine, Now, Outcome, RunId, RunState, Step, SubscriptionId, TaskId, TaskSpec, Text,
    Timestamp,
};

use super::shelf::Shelf;

/// Where the run stands. A running run is there twice: with an attempt, and held by hand without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Scheduled,
    Ready,
    Leased,
    Idle,
    Running,
    RetryWait,
    Suspended,
    Completed,
    Failed,
    Canceled,
}

impl At {
    pub(crate) const ALL: [At; 10] = [
        At::Scheduled,
        At::Ready,
        At::Leased,
        At::Idle,
        At::Running,
        At::RetryWait,
        At::Suspended,
        At::Completed,
        At::Failed,
        At::Canceled,
    ];

    /// The run's state.
    pub(crate) fn state(self) -> RunState {
        match self {
            At::Scheduled => RunState::Scheduled,
            At::Ready => RunState::Ready,
            At::Leased => RunState::Leased,
            At::Idle | At::Running => RunState::Running,
            At::RetryWait => RunState::RetryWait,
            At::Suspended => RunState::Suspended,
            At::Completed => RunState::Completed,
            At::Failed => RunState::Failed,
            At::Canceled => RunState::Canceled,
        }
    }

    pub(crate) fn is_held(self) -> bool {
        self.state().is_held()
    }

    pub(crate) fn is_over(self) -> bool {
        self.state().is_terminal()
    }
}

/// Who holds the run, where somebody does.
pub(crate) const OWNER: &str = "ann";
/// A subscription of the task beside.
pub(crate) const SUBSCRIPTION: SubscriptionId = SubscriptionId(0x5ab5);
const LEASE_MS: u64 = 60_000;

/// The machine.
#[derive(Clone)]
pub(crate) struct Stand {
    pub(crate) machine: Machine,
    shelf: Shelf,
    pub(crate) now: Now,
    pub(crate) at: At,
    /// Whether the run, which has ended, has left memory.
    pub(crate) left: bool,
    pub(crate) task: TaskId,
    pub(crate) run: RunId,
    /// The token of its last lease; one that nobody got when there was none.
    pub(crate) fence: Fence,
    /// When its lease ends, where somebody holds it.
    pub(crate) expires_at: Timestamp,
    /// A task with a ready run, elsewhere.
    pub(crate) other: TaskId,
    log: Vec<(Now, Entry)>,
}

fn text(words: &str) -> Text {
    Text::from(words)
}

impl Stand {
    /// Does what must succeed.
    pub(crate) fn must(&mut self, command: Command) -> Outcome {
        let step = self.step(Call::new(command));
        step.outcome.expect("an arrangement is accepted")
    }

    pub(crate) fn step(&mut self, call: Call) -> Step {
        let (step, _) = self.shelf.step(&mut self.machine, &self.now, call);
        let entries = step.events.iter().cloned();
        self.log.extend(entries.map(|entry| (self.now, entry)));
        for entry in &step.events {
            match &entry.event {
                Event::RunStarted(e) if e.run == self.run => {
                    self.hold(e.incarnation, e.counter, e.lease_ms);
                }
                Event::LeaseAcquired(e) if e.run == self.run => {
                    self.hold(e.incarnation, e.counter, e.lease_ms);
                }
                _ => {}
            }
        }
        step
    }

    fn hold(&mut self, incarnation: u64, counter: u64, lease_ms: u64) {
        self.fence = Fence {
            incarnation,
            counter,
        };
        self.expires_at = self.now.wall.plus_ms(lease_ms);
    }

    /// The id of the run's first attempt.
    pub(crate) fn attempt(&self) -> AttemptId {
        AttemptId::derive(self.run, 1)
    }

    /// The indexes agree with the rows, and the log tells the same.
    pub(crate) fn check(&self, about: &str) {
        let verified = self.machine.verify();
        assert_eq!(verified, Ok(()), "{about} at {:?}", self.at);
        let mut replayed = Machine::new(99);
        for (now, entry) in &self.log {
            replayed.replay(now, entry);
        }
        let same = match self.left {
            true => replayed.digest() == self.machine.digest(),
            false => replayed.digest_all() == self.machine.digest_all(),
        };
        assert!(same, "{about} at {:?}: a replay differs", self.at);
    }

    fn submit(&mut self, spec: TaskSpec) -> (TaskId, RunId) {
        match self.must(Command::Submit(Box::new(spec))) {
            Outcome::Submitted(told) => (told.task, told.run.run),
            other => panic!("a submit came to {other:?}"),
        }
    }

    fn claim(&mut self) {
        let claim = Claim {
            worker: text(OWNER),
            queues: vec![text("subject")],
            max: 1,
            lease_ms: Some(LEASE_MS),
            ..Claim::default()
        };
        self.must(Command::Claim(Box::new(claim)));
    }

    pub(crate) fn finish(&mut self, outcome: FinishOutcome) {
        let finish = Finish {
            outcome,
            ..Finish::success(self.run, self.fence, None)
        };
        self.must(Command::Finish(Box::new(finish)));
    }

    /// Leads the run to its state.
    fn lead(&mut self) {
        let hold = Command::AcquireLease {
            run: self.run,
            owner: text(OWNER),
            lease_ms: Some(LEASE_MS),
        };
        let begin = Command::TransitionRun {
            run: self.run,
            expected: RunState::Leased,
            to: RunState::Running,
        };
        let cancel = Command::CancelRun {
            run: self.run,
            force: false,
            reason: None,
        };
        match self.at {
            At::Scheduled | At::Ready => {}
            At::Leased => drop(self.must(hold)),
            At::Idle => {
                self.must(hold);
                self.must(begin);
            }
            At::Running => self.claim(),
            At::RetryWait | At::Failed => {
                self.claim();
                self.finish(FinishOutcome::Failure);
            }
            At::Suspended => {
                self.claim();
                self.finish(FinishOutcome::Suspended);
            }
            At::Completed => {
                self.claim();
                self.finish(FinishOutcome::Success);
            }
            At::Canceled => drop(self.must(cancel)),
        }
    }

    /// What has ended is stored and leaves memory.
    fn leave(mut self) -> Stand {
        self.shelf.commit(self.machine.take_cut());
        while self.machine.stored(self.shelf.through, u64::MAX, 100) {}
        self.left = true;
        self
    }
}

/// A run there.
pub(crate) fn stand(at: At) -> Stand {
    let nobody = Fence {
        incarnation: 1,
        counter: 999,
    };
    let mut stand = Stand {
        machine: Machine::new(1),
        shelf: Shelf::default(),
        now: Now {
            wall: Timestamp(1_800_000_000_000),
            steady: mainstay_core::Steady(1000),
            id_seed: 7,
        },
        at,
        left: false,
        task: TaskId(0),
        run: RunId(0),
        fence: nobody,
        expires_at: Timestamp(1_800_000_060_000),
        other: TaskId(0),
        log: Vec::new(),
    };
    stand.must(Command::Start {
        incarnation: 1,
        downtime_ms: 0,
    });
    let mut other = TaskSpec::new("beside");
    other.queue = text("elsewhere");
    (stand.other, _) = stand.submit(other);
    let mut spec = TaskSpec::new("work");
    spec.queue = text("subject");
    if at == At::Scheduled {
        spec.run_at = Some(stand.now.wall.plus_ms(3_600_000));
    }
    let policy = spec.policy_mut();
    policy.max_attempts = if at == At::Failed { 1 } else { 3 };
    policy.hold_policy = HoldPolicy::ReleaseOnRetry;
    policy.retry.jitter = Jitter::None;
    policy.retry.initial_ms = 3_600_000;
    (stand.task, stand.run) = stand.submit(spec);
    stand.lead();
    stand
}

/// A run in every state; one that has ended also when it has left memory.
pub(crate) fn stands() -> Vec<Stand> {
    let here = At::ALL.into_iter().map(stand);
    let over = At::ALL.into_iter().filter(|at| at.is_over());
    let left = over.map(|at| stand(at).leave());
    here.chain(left).collect()
}
