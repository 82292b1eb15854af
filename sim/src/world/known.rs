//! What people know: the names they were told, the leases they hold, tenant by tenant.

use mainstay::{
    ActorId, ApprovalId, Claim, Command, Fence, Finish, Outcome, Rejection, RunId, Submitted,
    TaskId, TaskSpec, TenantId,
};

use crate::rng::Rng;

/// A lease as its worker knows it, live or not: workers may be zombies.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) run: RunId,
    pub(super) fence: Fence,
    pub(super) reported: Option<Finish>,
}

/// What the people of one tenant know.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    tenant: TenantId,
    /// The tenant is there, as far as they were told.
    pub(super) exists: bool,
    pub(super) tasks: Vec<TaskId>,
    runs: Vec<RunId>,
    pub(super) held: Vec<Held>,
    pub(super) keyed: Vec<TaskSpec>,
    pub(super) claims: Vec<Claim>,
    pub(super) actors: Vec<ActorId>,
    pub(super) approvals: Vec<ApprovalId>,
}

/// Everybody outside the engine.
#[derive(Clone, Debug)]
pub(crate) struct People {
    pub(super) tenants: Vec<Known>,
    /// In whose tenant they act now.
    pub(super) here: usize,
    asked: u64,
    /// They use everything a task can be.
    pub(super) wide: bool,
    /// What had ended may be gone: an id that was used may be free again.
    pub(super) lost: bool,
}

impl Default for People {
    fn default() -> People {
        let known = Known {
            tenant: TenantId::DEFAULT,
            exists: true,
            ..Known::default()
        };
        People {
            tenants: vec![known],
            here: 0,
            asked: 0,
            wide: false,
            lost: false,
        }
    }
}

impl People {
    /// From now on they use everything a task can be, in this many tenants.
    pub(crate) fn widen(&mut self, tenants: u64) {
        self.wide = true;
        let more = (1..tenants).map(|number| Known {
            tenant: TenantId(u128::from(number) + 6),
            ..Known::default()
        });
        self.tenants.extend(more);
    }

    /// The tenant in which they act now.
    pub(super) fn tenant(&self) -> TenantId {
        self.tenants[self.here].tenant
    }

    /// Whether they act in several tenants.
    pub(super) fn are_many(&self) -> bool {
        self.tenants.len() > 1
    }

    /// From now on they act in this tenant, if they know of it.
    pub(super) fn act_in(&mut self, tenant: TenantId) {
        let at = self.tenants.iter().position(|known| known.tenant == tenant);
        self.here = at.unwrap_or(self.here);
    }

    pub(super) fn known(&self) -> &Known {
        &self.tenants[self.here]
    }

    pub(super) fn known_mut(&mut self) -> &mut Known {
        &mut self.tenants[self.here]
    }

    /// A store was lost, and with it what had ended.
    pub(super) fn note_loss(&mut self) {
        self.lost = true;
    }

    /// Whose names they use: their own tenant's, now and then another's.
    fn names(&self, rng: &mut Rng) -> &Known {
        self.names_if(rng, true)
    }

    pub(super) fn names_if(&self, rng: &mut Rng, abroad: bool) -> &Known {
        if abroad && self.are_many() && rng.chance(8) {
            return rng.pick(&self.tenants);
        }
        self.known()
    }

    /// An id for a new run that a run has already, here or in another tenant.
    pub(super) fn taken_run(&self, rng: &mut Rng) -> Option<RunId> {
        self.run(rng).filter(|_| !self.lost)
    }

    /// A fresh number for a request; a batch takes as many as it has parts.
    pub(crate) fn number(&mut self, parts: usize) -> u64 {
        let first = self.asked + 1;
        self.asked += parts as u64;
        first
    }

    /// One of the leases; the younger, the likelier.
    pub(super) fn pick_held(&self, rng: &mut Rng) -> Option<usize> {
        let count = self.known().held.len() as u64;
        let back = if rng.chance(80) { count.min(3) } else { count };
        (count > 0).then(|| (count - 1 - rng.below(back)) as usize)
    }

    pub(super) fn lease(&self, rng: &mut Rng) -> Option<(RunId, Fence)> {
        let held = &self.known().held[self.pick_held(rng)?];
        Some((held.run, held.fence))
    }

    pub(super) fn run(&self, rng: &mut Rng) -> Option<RunId> {
        let recent = if rng.chance(75) { 12 } else { usize::MAX };
        let runs = &self.names(rng).runs;
        let from = runs.len().saturating_sub(recent);
        (!runs.is_empty()).then(|| *rng.pick(&runs[from..]))
    }

    pub(super) fn task(&self, rng: &mut Rng) -> Option<TaskId> {
        let recent = if rng.chance(75) { 12 } else { usize::MAX };
        let tasks = &self.names(rng).tasks;
        let from = tasks.len().saturating_sub(recent);
        (!tasks.is_empty()).then(|| *rng.pick(&tasks[from..]))
    }

    /// Names of tasks that may be gone are not chosen again.
    pub(crate) fn forget_tasks(&mut self, is_gone: impl Fn(TenantId, TaskId) -> bool) {
        for known in &mut self.tenants {
            let tenant = known.tenant;
            known.tasks.retain(|task| !is_gone(tenant, *task));
        }
    }

    /// Learns from an answer to somebody in this tenant.
    pub(crate) fn learn(&mut self, tenant: TenantId, said: &Result<Outcome, Rejection>) {
        let here = std::mem::replace(&mut self.here, 0);
        self.act_in(tenant);
        match said {
            Ok(outcome) => self.learn_here(outcome),
            Err(Rejection::TenantAlreadyExists { tenant }) => self.learn_of(*tenant),
            Err(_) => {}
        }
        self.here = here;
    }

    fn learn_of(&mut self, tenant: TenantId) {
        self.act_in(tenant);
        self.known_mut().exists = true;
    }

    fn learn_here(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Submitted(Submitted {
                task,
                run,
                more,
                created: true,
                ..
            }) => {
                let known = self.known_mut();
                known.tasks.push(*task);
                known.runs.push(run.run);
                known.runs.extend(more.iter().map(|run| run.run));
            }
            Outcome::RunCreated(run) => self.known_mut().runs.push(run.run),
            Outcome::TenantCreated(tenant) => self.learn_of(*tenant),
            Outcome::ApprovalRequested(approval) => self.known_mut().approvals.push(*approval),
            Outcome::SubmittedAll(all) => {
                let known = self.known_mut();
                for told in all {
                    known.tasks.push(told.task);
                    known.runs.push(told.run.run);
                }
            }
            Outcome::ActorRegistered(actor) => self.known_mut().actors.push(*actor),
            Outcome::Claimed(grants) => {
                for grant in grants {
                    self.act_in(grant.tenant);
                    self.known_mut().held.push(Held {
                        run: grant.run,
                        fence: grant.fence,
                        reported: None,
                    });
                }
            }
            _ => {}
        }
    }

    /// Nobody knows any more what there is.
    pub(crate) fn forget_names(&mut self) {
        for known in &mut self.tenants {
            known.tasks.clear();
            known.runs.clear();
        }
    }

    /// Grants that were ever learned of and are not forgotten.
    pub(crate) fn held_count(&self) -> usize {
        self.tenants.iter().map(|known| known.held.len()).sum()
    }

    /// Everything a good worker still holds: for the end, when all must come to an end.
    pub(crate) fn forget_leases(&mut self) {
        self.tenants.iter_mut().for_each(|known| known.held.clear());
    }

    /// Finishes of everything held in the tenant at hand, all successes.
    pub(crate) fn finish_all(&mut self) -> Vec<Command> {
        let held = std::mem::take(&mut self.known_mut().held);
        held.into_iter()
            .map(|held| Command::Finish(Box::new(Finish::success(held.run, held.fence, None))))
            .collect()
    }
}
