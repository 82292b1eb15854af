//! What people ask of everything a task can be: schedules, bonds, budgets, subscriptions, queues and the direct lane.

use mainstay::{
    ActorId, Amount, AppendLedger, Attest, BudgetScope, BudgetSpec, Command, Cron, Decision,
    Filter, Finish, FinishOutcome, Misfire, Overlap, QueueConfig, RateLimit, Registration, Repeat,
    RequestApproval, RunId, RunState, Schedule, SubscriptionId, TaskId, TaskPatch, TaskSpec, Text,
    Timestamp,
};

use super::known::People;
use super::people::{KINDS, QUEUES, json, reason, text, word};
use crate::rng::Rng;

/// What workers may be able to do; good ones can do all of it.
pub(super) const CAPABILITIES: &[&str] = &["gpu", "eu"];
const DIMENSIONS: &[&str] = &["token", "time_secs"];
const EVENTS: &[&str] = &["e1", "e2"];

/// One of them; the younger, the likelier.
fn one_of(rng: &mut Rng, actors: &[ActorId]) -> ActorId {
    let count = actors.len() as u64;
    let back = if rng.chance(80) { count.min(2) } else { count };
    actors[(count - 1 - rng.below(back)) as usize]
}

fn dimension(rng: &mut Rng) -> Text {
    word(rng, DIMENSIONS)
}

/// Makes a plain task one that uses more of what a task can be.
pub(super) fn widen(people: &People, rng: &mut Rng, spec: &mut TaskSpec, wall_ms: u64) {
    if rng.chance(25) {
        spec.run_at = None;
        spec.schedule = Some(Box::new(schedule(rng, wall_ms)));
    }
    if rng.chance(25) {
        let parent = people.task(rng);
        spec.bonds_mut().parent = parent;
    }
    if rng.chance(35) {
        for _ in 0..rng.within(1, 3) {
            let Some(task) = people.task(rng) else { break };
            spec.bonds_mut().depends_on.push(task);
        }
    }
    if rng.chance(30) {
        for name in DIMENSIONS.iter().take(rng.within(1, 2) as usize) {
            spec.bonds_mut().budgets.push(BudgetSpec {
                dimension: text(name),
                limit: rng.within(1, 12),
                reserve: rng.chance(40).then(|| rng.below(6)),
            });
        }
    }
    if rng.chance(20) {
        let needs = word(rng, CAPABILITIES);
        spec.policy_mut().required_capabilities.push(needs);
    }
    if rng.chance(30) {
        spec.policy_mut().fairness_key = Some(word(rng, &["f1", "f2", "f3"]));
    }
    if rng.chance(10) {
        spec.extras_mut().unique_key = Some(word(rng, &["u1", "u2"]));
    }
}

fn schedule(rng: &mut Rng, wall_ms: u64) -> Schedule {
    if rng.chance(50) {
        return Schedule::Repeat(Repeat {
            count: rng.within(1, 5) as u32,
            interval_ms: rng.within(1, 4000),
            start_at: rng
                .chance(40)
                .then(|| Timestamp(wall_ms + rng.below(8000).saturating_sub(4000))),
        });
    }
    let expression = word(
        rng,
        &[
            "* * * * *",
            "*/2 * * * * *",
            "*/7 * * * * *",
            "0 3 * * *",
            "30 2 * * 0",
        ],
    );
    Schedule::Cron(Box::new(Cron {
        expression,
        timezone: word(rng, &["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        max_occurrences: rng.chance(50).then(|| rng.within(1, 20)),
        misfire: *rng.pick(&[Misfire::Skip, Misfire::RunOnce, Misfire::RunAll]),
        misfire_grace_ms: rng.below(4000),
        catch_up_max: rng.within(1, 4) as u32,
        overlap: *rng.pick(&[
            Overlap::Allow,
            Overlap::Skip,
            Overlap::QueueOne,
            Overlap::CancelPrevious,
        ]),
        start_at: None,
        end_at: rng
            .chance(20)
            .then(|| Timestamp(wall_ms + rng.below(600_000))),
        jitter_ms: if rng.chance(30) { rng.below(900) } else { 0 },
    }))
}

impl People {
    /// What somebody asks next in a wide world.
    pub(super) fn wide_next(&mut self, rng: &mut Rng, wall_ms: u64) -> Option<Command> {
        match rng.below(23) {
            0..=2 => self.run(rng).map(|run| lane(rng, run)),
            3 => self.task(rng).map(|task| {
                let mut patch = TaskPatch {
                    task,
                    priority: rng.chance(50).then(|| rng.below(3) as i32 - 1),
                    paused: rng.chance(40).then(|| rng.chance(50)),
                    ..TaskPatch::default()
                };
                if rng.chance(20) {
                    patch.schedule = Some(Box::new(schedule(rng, wall_ms)));
                }
                Command::UpdateTask(Box::new(patch))
            }),
            4 => self.task(rng).map(|task| Command::CreateRun {
                task,
                // Now and then one that is there, here or in another tenant.
                run: if rng.chance(15) {
                    self.taken_run(rng)
                } else {
                    None
                },
                state: RunState::Scheduled,
                scheduled_at: rng.chance(40).then(|| Timestamp(wall_ms + rng.below(5000))),
            }),
            5 => {
                let (task, depends_on) = (self.task(rng)?, vec![self.task(rng)?]);
                Some(Command::DeclareDependencies { task, depends_on })
            }
            6..=10 => self.spending(rng),
            11..=14 => self.hearing(rng),
            15..=17 => Some(self.employing(rng)),
            18 | 19 => Some(self.attesting(rng)),
            20 => Some(self.many_at_once(rng, wall_ms)),
            _ => Some(queue(rng)),
        }
    }

    /// Whether somebody registered claims, and who: actors that left or fell silent too.
    pub(super) fn claimant(&self, rng: &mut Rng) -> Option<ActorId> {
        let actors = &self.known().actors;
        (!actors.is_empty() && rng.chance(40)).then(|| one_of(rng, actors))
    }

    /// Somebody registers, says that it is there, drains or leaves.
    fn employing(&self, rng: &mut Rng) -> Command {
        let actors = &self.known().actors;
        if actors.is_empty() || rng.chance(35) {
            let all = CAPABILITIES.len() as u64;
            let able = CAPABILITIES.iter().take(rng.within(1, all) as usize);
            return Command::RegisterActor(Box::new(Registration {
                actor: None,
                identity: word(rng, &["ann", "bob"]),
                capabilities: able.map(|name| text(name)).collect(),
                department: rng.chance(30).then(|| text("render")),
                heartbeat_interval_ms: rng.within(1000, 4000),
            }));
        }
        let actor = one_of(rng, actors);
        match rng.below(8) {
            0..=4 => Command::BeatActor { actor },
            5 | 6 => Command::DrainActor {
                actor,
                reason: reason(rng),
            },
            _ => Command::DeregisterActor {
                actor,
                reason: reason(rng),
            },
        }
    }

    /// Somebody puts something on record.
    fn attesting(&self, rng: &mut Rng) -> Command {
        let approvals = &self.known().approvals;
        let ledger = |rng: &mut Rng| word(rng, &["audit", "incident"]);
        let what = match rng.below(5) {
            0 => Attest::Append(AppendLedger {
                key: ledger(rng),
                payload: json(rng),
                ..AppendLedger::default()
            }),
            // Under one key mostly the same again.
            1 => Attest::Append(AppendLedger {
                key: text("relationship"),
                payload: word(rng, &["1", "1", "1", "2"]).as_bytes().into(),
                actor: None,
                idempotency_key: Some(word(rng, &["l1", "l2", "l3"])),
            }),
            2 => Attest::Request(RequestApproval {
                approval: None,
                subject: text("a payment"),
                plan: json(rng),
                ledger_key: rng.chance(50).then(|| ledger(rng)),
            }),
            _ if approvals.is_empty() => Attest::Append(AppendLedger {
                key: ledger(rng),
                payload: json(rng),
                ..AppendLedger::default()
            }),
            _ => Attest::Decide {
                approval: approvals
                    [approvals.len() - 1 - rng.below(approvals.len().min(2) as u64) as usize],
                decision: *rng.pick(&[
                    Decision::Review,
                    Decision::Approve,
                    Decision::Approve,
                    Decision::Reject,
                ]),
                reason: reason(rng),
            },
        };
        Command::Attest(Box::new(what))
    }

    /// Several tasks at once, all or none: one may wait for those before it, or stand below them.
    fn many_at_once(&mut self, rng: &mut Rng, wall_ms: u64) -> Command {
        let mut tasks: Vec<(Option<TaskId>, TaskSpec)> = Vec::new();
        for _ in 0..rng.within(2, 4) {
            let mut spec = TaskSpec::new(*rng.pick(KINDS));
            spec.queue = word(rng, QUEUES);
            if rng.chance(30) {
                widen(self, rng, &mut spec, wall_ms);
            }
            let before: Vec<TaskId> = tasks.iter().filter_map(|(id, _)| *id).collect();
            if !before.is_empty() && rng.chance(50) {
                let earlier = *rng.pick(&before);
                if rng.chance(70) {
                    spec.bonds_mut().depends_on.push(earlier);
                } else {
                    spec.bonds_mut().parent = Some(earlier);
                }
            }
            let id = TaskId(u128::from(rng.draw()) << 64 | u128::from(rng.draw()) | 1);
            tasks.push((rng.chance(70).then_some(id), spec));
        }
        Command::SubmitAll(tasks)
    }

    fn scope(&self, rng: &mut Rng) -> Option<BudgetScope> {
        if rng.chance(25) {
            Some(BudgetScope::Tenant)
        } else {
            self.task(rng).map(BudgetScope::Task)
        }
    }

    fn spending(&self, rng: &mut Rng) -> Option<Command> {
        let dimension = dimension(rng);
        Some(match rng.below(6) {
            0 => Command::AllocateBudget {
                scope: self.scope(rng)?,
                dimension,
                limit: rng.within(1, 30),
                reserve: rng.chance(30).then(|| rng.below(4)),
            },
            1 => Command::ConsumeBudget {
                scope: self.scope(rng)?,
                dimension,
                amount: rng.below(6),
            },
            2 | 3 => {
                let (run, fence) = self.lease(rng)?;
                let amount = rng.below(6);
                let consumption = vec![Amount { dimension, amount }];
                Command::Consume {
                    run,
                    fence,
                    consumption,
                }
            }
            _ => Command::ReplenishBudget {
                scope: self.scope(rng)?,
                dimension,
                new_limit: rng.within(1, 30),
            },
        })
    }

    fn hearing(&mut self, rng: &mut Rng) -> Option<Command> {
        let id = SubscriptionId(u128::from(rng.below(40)) + 1);
        Some(match rng.below(6) {
            0..=2 => {
                let watched = self.task(rng)?;
                let filter = match rng.below(4) {
                    0 => Filter::TaskCompleted(watched),
                    1 => Filter::RunStateChanged(
                        watched,
                        *rng.pick(&[RunState::Running, RunState::Completed, RunState::Suspended]),
                    ),
                    2 => {
                        Filter::BudgetThreshold(watched, dimension(rng), rng.within(1, 100) as u32)
                    }
                    _ => Filter::Custom(word(rng, EVENTS)),
                };
                Command::Subscribe {
                    task: self.task(rng)?,
                    id: Some(id),
                    filter: Box::new(filter),
                }
            }
            3 => Command::Unsubscribe { subscription: id },
            4 => Command::TriggerSubscription { subscription: id },
            _ => Command::PublishEvent {
                key: word(rng, EVENTS),
                payload: rng.chance(50).then(|| json(rng)),
            },
        })
    }
}

/// What a finish carries besides its outcome in a wide world.
pub(super) fn widen_finish(people: &People, rng: &mut Rng, finish: &mut Finish, wall_ms: u64) {
    if rng.chance(40) {
        finish.consumption.push(Amount {
            dimension: dimension(rng),
            amount: rng.below(6),
        });
    }
    let carries = matches!(
        finish.outcome,
        FinishOutcome::Success | FinishOutcome::Suspended
    );
    if carries && rng.chance(25) {
        for _ in 0..rng.within(1, 2) {
            let mut child = TaskSpec::new(*rng.pick(KINDS));
            child.queue = word(rng, QUEUES);
            if rng.chance(20) {
                widen(people, rng, &mut child, wall_ms);
                if let Some(bonds) = child.bonds.as_mut() {
                    bonds.parent = None;
                }
            }
            finish.children.push((None, child));
        }
        if rng.chance(50) {
            finish.reason = Some(text("waiting_for_children"));
        }
    }
    if carries && rng.chance(15) {
        finish.custom_events.push((word(rng, EVENTS), None));
    }
}

/// One act of the direct lane.
fn lane(rng: &mut Rng, run: RunId) -> Command {
    let owner = word(rng, &["w1", "w2"]);
    let expires_at = Timestamp(rng.below(2_000_000_000_000));
    match rng.below(8) {
        0 | 1 => Command::AcquireLease {
            run,
            owner,
            lease_ms: rng.chance(50).then(|| rng.within(1000, 9000)),
        },
        2 => Command::RenewLease {
            run,
            owner,
            expires_at,
        },
        3 => Command::ReleaseLease {
            run,
            owner,
            expires_at,
        },
        4 | 5 => Command::TransitionRun {
            run,
            expected: RunState::Leased,
            to: RunState::Running,
        },
        6 => Command::StartAttempt { run },
        _ => {
            let states = RunState::ALL;
            Command::TransitionRun {
                run,
                expected: *rng.pick(states),
                to: *rng.pick(states),
            }
        }
    }
}

fn queue(rng: &mut Rng) -> Command {
    let queue = word(rng, QUEUES);
    match rng.below(6) {
        0 => Command::PauseQueue {
            queue,
            reason: reason(rng),
        },
        1 | 2 => Command::ResumeQueue {
            queue,
            reason: reason(rng),
        },
        _ => Command::ConfigureQueue {
            queue,
            config: QueueConfig {
                concurrency_limit: rng.chance(40).then(|| rng.within(1, 4) as u32),
                rate_limit: rng.chance(30).then(|| RateLimit {
                    per_ms: rng.within(1, 3000),
                    max: rng.within(1, 5),
                }),
                weight: rng.chance(30).then(|| rng.within(1, 5) as u32),
            },
        },
    }
}

/// What a patient operator does so that everything can come to its end: opens queues and budgets, ends schedules.
pub(super) fn open_everything(
    crons: Vec<TaskId>,
    purses: Vec<(BudgetScope, Text)>,
) -> Vec<Command> {
    let mut commands = Vec::new();
    for name in QUEUES {
        let queue = text(name);
        commands.push(Command::ResumeQueue {
            queue: queue.clone(),
            reason: None,
        });
        let config = QueueConfig::default();
        commands.push(Command::ConfigureQueue { queue, config });
    }
    for (scope, dimension) in purses {
        commands.push(Command::ReplenishBudget {
            scope,
            dimension,
            new_limit: 1 << 40,
        });
    }
    let cancel = |task| Command::CancelTask { task, reason: None };
    commands.extend(crons.into_iter().map(cancel));
    commands
}
