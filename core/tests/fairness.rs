//! Fairness, measured: shares of tenants, queues and fairness keys when one submits a hundred times the work of another.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;

use mainstay_core::{
    Answer, Call, Claim, ClaimGrant, Command, Facts, Finish, Machine, Now, Outcome, Principal,
    Query, QueueConfig, TaskId, TaskSpec, TenantId, Text, Timestamp,
};

const GREEDY: TenantId = TenantId(7);
const MODEST: TenantId = TenantId(8);

#[derive(Clone)]
struct House {
    machine: Machine,
    now: Now,
}

impl House {
    fn new() -> House {
        House {
            machine: Machine::new(5),
            now: Now::at(Timestamp(1_800_000_000_000), 0),
        }
    }

    fn step(&mut self, tenant: TenantId, command: Command) -> Outcome {
        let principal = Principal {
            tenant,
            ..Principal::default()
        };
        let call = Call::by(&principal, command);
        let step = self.machine.step(&self.now, &Facts::default(), call);
        step.outcome.expect("nothing is refused here")
    }

    fn tenants(weights: [u32; 2]) -> House {
        let mut house = House::new();
        for (tenant, (name, weight)) in [GREEDY, MODEST]
            .into_iter()
            .zip(["greedy", "modest"].into_iter().zip(weights))
        {
            let (tenant, name) = (Some(tenant), Text::from(name));
            house.step(TenantId::DEFAULT, Command::CreateTenant { tenant, name });
            house.step(tenant.unwrap(), Command::WeighTenant { weight });
        }
        house
    }

    fn submit(&mut self, tenant: TenantId, spec: TaskSpec) {
        self.step(tenant, Command::Submit(Box::new(spec)));
    }

    fn claim(&mut self, claim: Claim) -> Vec<ClaimGrant> {
        match self.step(TenantId::DEFAULT, Command::Claim(Box::new(claim))) {
            Outcome::Claimed(grants) => grants,
            other => panic!("a claim came to {other:?}"),
        }
    }

    fn finish(&mut self, grant: &ClaimGrant) {
        let finish = Finish::success(grant.run, grant.fence, None);
        self.step(grant.tenant, Command::Finish(Box::new(finish)));
    }
}

fn over_all(max: u32) -> Claim {
    Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("default")],
        max,
        all_tenants: true,
        ..Claim::default()
    }
}

/// Every share is within a tenth of what its weight gives.
fn assert_shares(what: &str, got: &BTreeMap<&str, u64>, weights: &[(&str, u64)]) {
    let all: u64 = got.values().sum();
    let weight: u64 = weights.iter().map(|(_, weight)| weight).sum();
    for (name, own) in weights {
        let due = all * own / weight;
        let share = got.get(name).copied().unwrap_or(0);
        eprintln!("{what}: {name} weight {own}/{weight}: {share} of {all} grants");
        assert!(
            share.abs_diff(due) * 10 <= due,
            "{what}: {name} {share} of {due}"
        );
    }
}

/// Workers claim and finish all the time; the greedy tenant submits 100 tasks whenever the modest one submits one, and both always have work.
#[test]
fn a_tenant_with_a_hundred_times_the_work_gets_its_weight() {
    for weights in [[1, 1], [3, 1], [1, 3], [10, 1]] {
        let mut full = House::tenants(weights);
        for _ in 0..400 {
            full.submit(MODEST, TaskSpec::new("work"));
        }
        for _ in 0..40_000 {
            full.submit(GREEDY, TaskSpec::new("work"));
        }
        for max in [1, 7, 100] {
            let mut house = full.clone();
            let mut granted: BTreeMap<&str, u64> = BTreeMap::new();
            while granted.values().sum::<u64>() < 400 {
                for grant in house.claim(over_all(max)) {
                    let name = if grant.tenant == GREEDY {
                        "greedy"
                    } else {
                        "modest"
                    };
                    *granted.entry(name).or_default() += 1;
                    house.finish(&grant);
                }
            }
            let weights = [("greedy", weights[0].into()), ("modest", weights[1].into())];
            assert_shares(&format!("tenants, {max} at once"), &granted, &weights);
            house.machine.verify().expect("every index agrees");
        }
    }
}

#[test]
fn a_tenant_that_was_away_saves_no_turns_up() {
    let mut house = House::tenants([1, 1]);
    for _ in 0..2000 {
        house.submit(GREEDY, TaskSpec::new("work"));
    }
    assert_eq!(house.claim(over_all(1000)).len(), 1000);
    for _ in 0..500 {
        house.submit(MODEST, TaskSpec::new("work"));
    }
    let grants = house.claim(over_all(200));
    let modest = grants.iter().filter(|grant| grant.tenant == MODEST).count();
    assert!((90..=110).contains(&modest), "{modest} of 200");
}

#[test]
fn a_key_with_a_hundred_times_the_work_gets_one_turn_of_two() {
    let keyed = |key: Option<&str>, queue: &str| {
        let mut spec = TaskSpec::new("work");
        spec.queue = Text::from(queue);
        spec.policy_mut().fairness_key = key.map(Text::from);
        spec
    };
    for other in [Some("modest"), None] {
        let mut house = House::new();
        for at in 0..20_000 {
            let queue = ["default", "second"][at % 2];
            house.submit(TenantId::DEFAULT, keyed(Some("greedy"), queue));
            if at % 100 == 0 {
                house.submit(TenantId::DEFAULT, keyed(other, queue));
            }
        }
        let mut granted: BTreeMap<&str, u64> = BTreeMap::new();
        let queues = vec![Text::from("default"), Text::from("second")];
        for _ in 0..390 {
            let claim = Claim {
                queues: queues.clone(),
                all_tenants: false,
                ..over_all(1)
            };
            for grant in house.claim(claim) {
                let name = if house.is_greedy(grant.task) {
                    "greedy"
                } else {
                    "modest"
                };
                *granted.entry(name).or_default() += 1;
            }
        }
        let weights = [("greedy", 1), ("modest", 1)];
        assert_shares("fairness keys", &granted, &weights);
        house.machine.verify().expect("every index agrees");
    }
}

impl House {
    fn is_greedy(&self, task: TaskId) -> bool {
        let query = Query::Task(task);
        match self.machine.answer(&self.now, TenantId::DEFAULT, &query) {
            Answer::Task(view) => view.policy.fairness_key.as_deref() == Some("greedy"),
            other => panic!("a task came to {other:?}"),
        }
    }
}

#[test]
fn a_stream_of_new_keys_starves_nobody() {
    let mut house = House::new();
    for _ in 0..50 {
        house.submit(TenantId::DEFAULT, TaskSpec::new("old"));
    }
    for at in 0..3 {
        let mut spec = TaskSpec::new("new");
        spec.policy_mut().fairness_key = Some(Text::from(format!("first-{at}")));
        house.submit(TenantId::DEFAULT, spec);
    }
    let mut old = 0;
    for at in 0..1000 {
        let mut spec = TaskSpec::new("new");
        spec.policy_mut().fairness_key = Some(Text::from(format!("key-{at}")));
        house.submit(TenantId::DEFAULT, spec);
        for grant in house.claim(Claim {
            all_tenants: false,
            ..over_all(1)
        }) {
            old += u64::from(&*grant.kind == "old");
        }
    }
    assert!(old >= 40, "those without a key were granted {old} of 1000");
    house.machine.verify().expect("every index agrees");
}

/// Whoever waits for the slot has a scout in its lane, and a claim sends all but one of them back: in time by their number, not by its square.
#[test]
fn thousands_of_keys_that_share_one_slot_take_turns() {
    let mut house = House::new();
    for at in 0..4000 {
        let mut spec = TaskSpec::new("work");
        let policy = spec.policy_mut();
        policy.fairness_key = Some(Text::from(format!("key-{at}")));
        policy.concurrency_key = Some(Text::from("one"));
        house.submit(TenantId::DEFAULT, spec);
    }
    let mut served = Vec::new();
    for _ in 0..10 {
        let mut grants = house.claim(over_all(1000));
        let grant = grants.pop().expect("the slot is free");
        assert!(grants.is_empty(), "there is one slot");
        house.finish(&grant);
        served.push(grant.run);
    }
    assert!(served.is_sorted(), "in the order of their turns");
    house.machine.verify().expect("every index agrees");
}

#[test]
fn queues_share_by_weight() {
    let mut house = House::new();
    for (queue, weight) in [("fast", 3), ("slow", 1)] {
        let (queue, weight) = (Text::from(queue), Some(weight));
        let config = QueueConfig {
            weight,
            ..QueueConfig::default()
        };
        house.step(TenantId::DEFAULT, Command::ConfigureQueue { queue, config });
    }
    for at in 0..10_100 {
        let mut spec = TaskSpec::new("work");
        spec.queue = Text::from(if at % 101 == 0 { "fast" } else { "slow" });
        house.submit(TenantId::DEFAULT, spec);
    }
    let mut granted: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..120 {
        let claim = Claim {
            queues: vec![Text::from("slow"), Text::from("fast")],
            all_tenants: false,
            ..over_all(1)
        };
        for grant in house.claim(claim) {
            let name = if &*grant.queue == "fast" {
                "fast"
            } else {
                "slow"
            };
            *granted.entry(name).or_default() += 1;
        }
    }
    assert_shares("queues", &granted, &[("fast", 3), ("slow", 1)]);
}

#[test]
fn a_claim_over_all_tenants_with_a_key_gives_the_same_leases_again() {
    let mut house = House::tenants([1, 1]);
    for tenant in [GREEDY, MODEST, GREEDY] {
        house.submit(tenant, TaskSpec::new("work"));
    }
    let keyed = Claim {
        idempotency_key: Some(Text::from("claim-1")),
        ..over_all(9)
    };
    let first = house.claim(keyed.clone());
    assert_eq!(first.len(), 3);
    assert_eq!(house.claim(keyed.clone()), first);
    house.finish(&first[1]);
    let live: Vec<_> = house.claim(keyed).iter().map(|grant| grant.run).collect();
    assert_eq!(live, [first[0].run, first[2].run]);
}

#[test]
fn a_claim_within_a_tenant_gets_nothing_of_another() {
    let mut house = House::tenants([1, 1]);
    house.submit(GREEDY, TaskSpec::new("work"));
    let own = Claim {
        all_tenants: false,
        ..over_all(9)
    };
    assert_eq!(house.claim(own), []);
    assert_eq!(house.claim(over_all(9)).len(), 1);
}
