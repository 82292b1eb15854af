//! Fairness, measured in a world of its own: two parties, one with a hundred times the work, through the whole engine and its crashes.

use mainstay::{Call, Claim, Command, QueueConfig, TaskSpec, TenantId, Text};

use super::known::People;
use super::life::Life;
use super::run::{End, Setup, World};
use super::steps;
use crate::disk::Plan;
use crate::oracle::{Asked, Counted, IsModest, Request, Tally};

/// Tasks that the greedy party submits for each one of the modest party.
const TIMES: usize = 100;
/// Rounds in which both only submit; then as many in which workers claim too, at most twice as fast as the modest party submits, so that
/// both have work ready all the time.
const ROUNDS: u64 = 30;
/// Grants to the modest party in all rounds.
const MODEST_GRANTS: u64 = 57;
/// Lives of a contest, each but the last ended by a crash, or sometimes by a stop.
const LIVES: u64 = 4;
const GREEDY: TenantId = TenantId(7);
const MODEST: TenantId = TenantId(8);

/// What two parties contend for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contest {
    /// Claims over all tenants; the weights of the greedy tenant and the modest one.
    Tenants(u32, u32),
    /// Claims over two queues of one tenant, with weights.
    Queues(u32, u32),
    /// Claims over one queue with two fairness keys.
    Keys,
}

impl Contest {
    /// Every contest that is measured.
    pub const ALL: &'static [Contest] = &[
        Contest::Tenants(1, 1),
        Contest::Tenants(3, 1),
        Contest::Tenants(10, 1),
        Contest::Queues(3, 1),
        Contest::Keys,
    ];

    /// The weights of the greedy party and the modest one.
    #[must_use]
    pub fn weights(self) -> [u64; 2] {
        match self {
            Contest::Tenants(greedy, modest) | Contest::Queues(greedy, modest) => {
                [greedy.into(), modest.into()]
            }
            Contest::Keys => [1, 1],
        }
    }

    fn is_modest(self) -> IsModest {
        match self {
            Contest::Tenants(..) => |tenant, _| tenant == MODEST,
            Contest::Queues(..) => |_, spec| &*spec.queue == "modest",
            Contest::Keys => |_, spec| {
                let key = spec.policy.as_ref().and_then(|it| it.fairness_key.as_ref());
                key.is_some_and(|key| &**key == "modest")
            },
        }
    }

    fn tenant(self, modest: bool) -> TenantId {
        match (self, modest) {
            (Contest::Tenants(..), true) => MODEST,
            (Contest::Tenants(..), false) => GREEDY,
            _ => TenantId::DEFAULT,
        }
    }

    fn task(self, modest: bool) -> TaskSpec {
        let name = if modest { "modest" } else { "greedy" };
        let mut spec = TaskSpec::new("work");
        let policy = spec.policy_mut();
        policy.lease_ms = 86_400_000;
        match self {
            Contest::Tenants(..) => {}
            Contest::Queues(..) => spec.queue = Text::from(name),
            Contest::Keys => policy.fairness_key = Some(Text::from(name)),
        }
        spec
    }
}

/// What a contest came to.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// Grants while both had work ready: to the greedy party, to the modest one.
    pub granted: [u64; 2],
    /// Tasks in the log: of the greedy party, of the modest one.
    pub submitted: [u64; 2],
    /// Times without a break, within one life, in which both had work ready.
    pub spells: u64,
    /// Crashes and stops in between.
    pub restarts: u64,
    /// Most grants to the greedy party in a row while the modest one had work ready.
    pub in_a_row: u64,
    /// Most grants to the greedy party that a ready run of the modest one waited for.
    pub waited: u64,
    /// What is not as it must be.
    pub failure: Option<String>,
}

/// Runs one contest.
#[must_use]
pub fn run_contest(seed: u64, contest: Contest) -> Shares {
    let setup = Setup {
        damage: 0,
        wide: Some(true),
        ..Setup::default()
    };
    let mut world = World::new(seed, setup);
    world.options.segment_bytes = 1 << 16;
    world.settings.snapshot_every_bytes = 1 << 18;
    world.settings.store_lag_rows = 1_000_000;
    world.people = People::default();
    world.people.widen(3);
    world.oracle.tally = Some(Box::new(Tally::new(contest.is_modest())));
    let lived = Course {
        contest,
        claimed: 0,
        submitted: 0,
    }
    .run(&mut world);
    let counted = world.oracle.tally.take().map(|tally| tally.counted);
    let counted = counted.unwrap_or_default();
    let judged = lived.and_then(|()| judge(contest, &counted));
    Shares {
        granted: counted.granted,
        submitted: counted.submitted,
        spells: counted.spells,
        restarts: LIVES - 1,
        in_a_row: counted.in_a_row,
        waited: counted.waited.0,
        failure: judged.err(),
    }
}

/// The bounds.
///
/// Who is served next is the one whose turn comes first, and a grant moves a turn on by one over the weight. So while both have work ready
/// within one life (a spell), what a party of share p = weight / sum of weights got of n grants differs from p·n by at most 1. A start
/// begins anew, so over s spells with W grants together the difference is at most s, and that is within a tenth of p·W when
/// W ≥ 10·s / p. A spell can begin and end inside a round of the greedy party's grants, so that at most 2·⌈greedy / modest⌉ come in a row, and a
/// ready run waits for at most ⌈greedy / modest⌉ of them for itself, for each run of its party before it, and for each spell.
fn judge(contest: Contest, counted: &Counted) -> Result<(), String> {
    let weights = contest.weights();
    let (sum, all) = (
        weights.iter().sum::<u64>(),
        counted.granted.iter().sum::<u64>(),
    );
    for (weight, granted) in weights.iter().zip(counted.granted) {
        let due = all * weight;
        let off = (granted * sum).abs_diff(due);
        if due < 10 * counted.spells * sum {
            return Err(format!(
                "{all} grants in {} spells measure nothing",
                counted.spells
            ));
        }
        if off > counted.spells * sum || off * 10 > due {
            return Err(format!(
                "weight {weight} of {sum} got {granted} of {all} grants in {} spells",
                counted.spells
            ));
        }
    }
    let round = weights[0].div_ceil(weights[1]);
    if counted.in_a_row > 2 * round {
        return Err(format!(
            "{} grants in a row to the greedy party, a round has {round}",
            counted.in_a_row
        ));
    }
    let (waited, ahead) = counted.waited;
    if waited > (ahead + 1 + counted.spells) * round {
        return Err(format!(
            "a ready run with {ahead} before it waited for {waited} grants to the greedy party"
        ));
    }
    Ok(())
}

/// One contest on its way.
struct Course {
    contest: Contest,
    /// Leases that workers asked for so far, as far as they were granted for good.
    claimed: u64,
    /// Tasks of the modest party, in the same way.
    submitted: u64,
}

impl Course {
    fn run(&mut self, world: &mut World) -> Result<(), String> {
        let rounds = 2 * ROUNDS;
        let mut round = 0;
        for number in 1..=LIVES {
            // The first life fills the queues.
            let until = ROUNDS + ROUNDS * number / LIVES;
            let mut life = self.open(world, number)?;
            while round < until && !world.disk.is_dead() {
                self.round(world, &mut life, round)?;
                round += 1;
            }
            // The last life ends in order, so that nothing of it is taken back.
            let falls = number < LIVES && world.rng.chance(70);
            let end = match world.disk.is_dead() || falls {
                true => End::Crash,
                false => steps::close(world, &mut life)?,
            };
            world.bury(life, end)?;
        }
        debug_assert!(round <= rounds, "no more rounds than planned");
        world.disk.heal();
        world.open(Plan::default()).map(drop)
    }

    fn open(&mut self, world: &mut World, number: u64) -> Result<Life, String> {
        let mut plan = Plan::default();
        if number > 1 && number < LIVES && world.rng.chance(50) {
            plan.crash_at = Some(world.rng.within(20, 120));
        }
        let mut life = world.open(plan)?;
        // What a crash took back is submitted and claimed again.
        let counted = world.oracle.tally.as_deref().map(|tally| tally.counted);
        let counted = counted.unwrap_or_default();
        self.claimed = counted.granted.iter().sum();
        self.submitted = counted.submitted[1];
        if number > 1 {
            life.crew.hook();
            return Ok(life);
        }
        for (tenant, name) in [(GREEDY, "greedy"), (MODEST, "modest")] {
            let (tenant, name) = (Some(tenant), Text::from(name));
            world.people.act_in(TenantId::DEFAULT);
            world.command(&mut life, Command::CreateTenant { tenant, name });
        }
        for modest in [false, true] {
            let weight = self.contest.weights()[usize::from(modest)] as u32;
            world.people.act_in(self.contest.tenant(modest));
            let command = match self.contest {
                Contest::Tenants(..) => Command::WeighTenant { weight },
                Contest::Queues(..) | Contest::Keys => Command::ConfigureQueue {
                    queue: Text::from(if modest { "modest" } else { "greedy" }),
                    config: QueueConfig {
                        weight: Some(weight),
                        ..QueueConfig::default()
                    },
                },
            };
            world.command(&mut life, command);
        }
        steps::turn(world, &mut life)?;
        Ok(life)
    }

    /// One submit of the modest party, a hundred of the greedy one, and later on claims.
    fn round(&mut self, world: &mut World, life: &mut Life, round: u64) -> Result<(), String> {
        world.clock.advance(world.rng.below(40));
        life.set_clock(world.clock);
        for _ in self.submitted..=round {
            self.submit(world, life, true, 1);
            self.submit(world, life, false, TIMES / 2);
            self.submit(world, life, false, TIMES / 2);
        }
        self.submitted = round + 1;
        if round >= ROUNDS {
            self.work(world, life, round)?;
        }
        steps::turn(world, life)?;
        steps::flush(world, life, false)?;
        if !world.disk.is_dead() && world.rng.chance(40) {
            steps::keep_up(world, life)?;
        }
        Ok(())
    }

    fn submit(&mut self, world: &mut World, life: &mut Life, modest: bool, count: usize) {
        world.people.act_in(self.contest.tenant(modest));
        let task = self.contest.task(modest);
        let call = Call::new(Command::Submit(Box::new(task)));
        let asked = Asked::Many(vec![call; count]);
        let request = Request {
            deferred: world.rng.chance(30),
            ..world.people.request(asked, 0)
        };
        world.ask(life, request);
    }

    /// Workers report what they hold and claim more, as much as is due by now; in some rounds they wait for the engine to grant again.
    fn work(&mut self, world: &mut World, life: &mut Life, round: u64) -> Result<(), String> {
        for tenant in [TenantId::DEFAULT, GREEDY, MODEST] {
            world.people.act_in(tenant);
            for finish in world.people.finish_all() {
                world.command(life, finish);
            }
        }
        world.people.act_in(TenantId::DEFAULT);
        let waits = world.rng.chance(30);
        if waits {
            world.command(life, Command::PauseEngine { reason: None });
        }
        let [greedy, modest] = self.contest.weights();
        let due = MODEST_GRANTS * (greedy + modest) * (round + 1 - ROUNDS) / (modest * ROUNDS);
        while self.claimed < due {
            let max = world.rng.within(1, 7).min(due - self.claimed);
            self.claimed += max;
            let claim = Claim {
                worker: Text::from("w"),
                queues: ["default", "greedy", "modest"].map(Text::from).to_vec(),
                max: max as u32,
                all_tenants: matches!(self.contest, Contest::Tenants(..)),
                ..Claim::default()
            };
            let wait_ms = if waits { 5000 } else { 0 };
            let request = world.people.request(Asked::Claim(Box::new(claim)), wait_ms);
            world.ask(life, request);
        }
        if waits {
            steps::turn(world, life)?;
            world.command(life, Command::ResumeEngine { reason: None });
        }
        Ok(())
    }
}
