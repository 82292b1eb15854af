//! What an engine does around a machine: it looks up what is wanted before a command, and after a refusal.

use mainstay_core::{Answer, Call, Facts, Machine, Now, Query, Step, TenantId, Wanted};

use super::kept::Shelf;

impl Shelf {
    /// Decides a call; says whether something had to be looked up and was there.
    pub(crate) fn step(&self, machine: &mut Machine, now: &Now, call: Call) -> (Step, bool) {
        let tenant = call.principal.tenant;
        let mut wanted = Vec::new();
        machine.wanted_before(now, &call, |one| wanted.push(one));
        let (facts, found) = self.facts(tenant, &wanted);
        let step = machine.step(now, &facts, call.clone());
        let after = step.outcome.as_ref().err();
        let Some(after) = after.and_then(|refused| machine.wanted_after(refused)) else {
            return (step, found);
        };
        wanted.push(after);
        let (facts, found) = self.facts(tenant, &wanted);
        (machine.step(now, &facts, call), found)
    }

    /// Everything that is wanted, as far as it is on the shelf. What is wanted twice is added twice.
    fn facts(&self, tenant: TenantId, wanted: &[Wanted]) -> (Facts, bool) {
        let mut facts = Facts::default();
        let mut found = false;
        let add = |facts: &mut Facts, rows: Option<(&[u8], Vec<&[u8]>)>| {
            let Some((task, runs)) = rows else {
                return false;
            };
            self.places().for_each(|place| facts.add_place(place));
            facts.add_task(task).expect("a task as it was cut");
            for run in runs {
                facts.add_run(run).expect("a run as it was cut");
            }
            true
        };
        for wanted in wanted {
            match wanted {
                Wanted::Instants(ask) => {
                    facts.add_instants((**ask).clone(), super::calendar::answer(ask));
                    found = true;
                }
                Wanted::Task(id) => found |= add(&mut facts, self.task(*id)),
                Wanted::Run(id) => found |= add(&mut facts, self.run(*id)),
                Wanted::DeadLetter(id) => {
                    found |= add(&mut facts, self.run(*id));
                    if let Some((task, bytes)) = self.payload_of(*id) {
                        facts.add_payload(task, bytes);
                    }
                }
                Wanted::Key(class, key) => {
                    if let Some(row) = self.key(tenant, *class, key) {
                        facts.add_key(row).expect("a key as it was cut");
                        found = true;
                        add(&mut facts, row.task.and_then(|task| self.task(task)));
                    }
                }
            }
        }
        (facts.ready(), found)
    }

    /// Answers from memory, or from what was committed.
    pub(crate) fn answer(&self, machine: &Machine, now: &Now, query: Query) -> Answer {
        let tenant = TenantId::DEFAULT;
        let known = machine.answer(now, tenant, &query);
        let wanted = match (&known, query) {
            (Answer::Absent, Query::Task(id)) => Wanted::Task(id),
            (Answer::Absent, Query::Run(id) | Query::Explain(id)) => Wanted::Run(id),
            _ => return known,
        };
        self.facts(tenant, &[wanted]).0.answer(now, tenant, &query)
    }
}
