//! Every command on a run in every state, with every refusal it can answer: a table, told to a real machine case by case.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Call, Capabilities, Capability, Command, Loader, Machine, Principal, Rejection, RunState,
    TenantId, note_of,
};

#[path = "commands/access.rs"]
mod access;
#[path = "commands/actor.rs"]
mod actor;
#[path = "commands/attest.rs"]
mod attest;
#[path = "commands/bond.rs"]
mod bond;
#[path = "commands/budget.rs"]
mod budget;
#[path = "commands/calendar.rs"]
mod calendar;
#[path = "commands/dead.rs"]
mod dead;
#[path = "commands/fence.rs"]
mod fence;
#[path = "commands/kinds.rs"]
mod kinds;
#[path = "commands/lane.rs"]
mod lane;
#[path = "commands/operate.rs"]
mod operate;
#[path = "commands/room.rs"]
mod room;
#[path = "commands/row.rs"]
mod row;
mod shelf;
#[path = "commands/stand.rs"]
mod stand;
#[path = "commands/task.rs"]
mod task;
#[path = "commands/webhook.rs"]
mod webhook;
#[path = "commands/work.rs"]
mod work;

use kinds::{COMMANDS, REFUSALS, command_kind, names_run, refusal_kind};
use row::{OK, Row};
use stand::{Stand, stands};

fn table() -> Vec<Row> {
    let tables = [
        task::rows(),
        work::rows(),
        lane::rows(),
        bond::rows(),
        calendar::rows(),
        budget::rows(),
        room::rows(),
        dead::rows(),
        access::rows(),
        actor::rows(),
        attest::rows(),
        operate::rows(),
        webhook::rows(),
    ];
    tables.into_iter().flatten().collect()
}

/// Every refusal that came, by kind, and how many cases there were.
#[derive(Default)]
struct Met {
    refusals: BTreeMap<&'static str, u32>,
    cases: u32,
}

impl Met {
    /// Asks one thing of a stand of its own; what came must be `expected`, and a refusal must leave no trace.
    fn case(&mut self, stand: &Stand, call: Call, expected: &str, about: &str) {
        let mut stand = stand.clone();
        let before = (stand.machine.digest_all(), stand.machine.sequence());
        let step = stand.step(call);
        let code = step.outcome.as_ref().map_or_else(Rejection::code, |_| OK);
        let (at, left) = (stand.at, stand.left);
        assert_eq!(code, expected, "{about} at {at:?}, left={left}: {step:?}");
        if let Err(refused) = &step.outcome {
            assert!(step.events.is_empty(), "{about} at {at:?} emitted");
            let after = (stand.machine.digest_all(), stand.machine.sequence());
            assert_eq!(before, after, "{about} at {at:?} left a trace");
            assert_ne!(refused.to_string(), refused.code(), "it has words");
            *self.refusals.entry(refusal_kind(refused)).or_default() += 1;
        } else {
            stand.check(about);
        }
        self.cases += 1;
    }
}

#[test]
fn every_command_on_a_run_in_every_state_does_or_refuses_as_the_table_says() {
    let (stands, table) = (stands(), table());
    let (mut met, mut kinds) = (Met::default(), BTreeSet::new());
    for row in &table {
        for stand in &stands {
            let mut stand = stand.clone();
            (row.arrange)(&mut stand);
            let command = (row.ask)(&stand);
            let kind = command_kind(&command);
            if kinds.insert(kind) {
                check_note(&command, kind);
            }
            let about = format!("{kind} {}", row.about);
            met.case(&stand, Call::new(command), (row.expect)(stand.at), &about);
        }
    }
    for (expected, to, stand) in moves(&stands) {
        let command = Command::TransitionRun {
            run: stand.run,
            expected,
            to,
        };
        let about = format!("a move from {} to {}", expected.name(), to.name());
        let told = lane::move_of(stand.at.state(), expected, to);
        met.case(stand, Call::new(command), told, &about);
    }
    powerless(&mut met);
    let missing: Vec<_> = COMMANDS
        .iter()
        .filter(|kind| !kinds.contains(*kind))
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let met_elsewhere = [
        "UnknownTenant",
        "NonMonotonicSequence",
        "SequenceOverflow",
        "UniqueKeyTaken",
    ];
    let never_met: Vec<_> = REFUSALS
        .iter()
        .filter(|kind| !met.refusals.contains_key(*kind) && !met_elsewhere.contains(kind))
        .collect();
    assert_eq!(never_met, AT_THE_DOORS.iter().collect::<Vec<_>>());
    println!(
        "{} rows, {} commands, {} stands, {} cases, {} refusals of {} kinds",
        table.len(),
        kinds.len(),
        stands.len(),
        met.cases,
        met.refusals.values().sum::<u32>(),
        met.refusals.len()
    );
}

/// A reader of the log knows the command by its number, and whether it belongs to the audit trail.
fn check_note(command: &Command, kind: &str) {
    let note = note_of(command.code()).unwrap_or_else(|| panic!("{kind} has no name"));
    assert_eq!(
        note.is_control,
        command.control_reason().is_some(),
        "{kind} as an act of control"
    );
}

/// Who may not manage access is refused whatever is asked of it, and who may gives nothing that they do not have.
fn powerless(met: &mut Met) {
    let stand = stand::stand(stand::At::Ready);
    for row in access::rows() {
        let mut stand = stand.clone();
        (row.arrange)(&mut stand);
        let mut call = Call::new((row.ask)(&stand));
        let all = Capability::ALL.into_iter();
        let others: Vec<_> = all.filter(|one| *one != Capability::Admin).collect();
        call.principal.may = Capabilities::of(&others);
        met.case(&stand, call, "forbidden", row.about);
    }
    let mut stingy = Call::new(access::admin_key());
    stingy.principal.may = Capabilities::of(&[Capability::Admin]);
    met.case(&stand, stingy, "forbidden", "more than one has");
}

/// Refusals of what the shell cannot do: the stands' shell reads calendars.
const AT_THE_DOORS: [&str; 1] = ["NotSupported"];

/// Every expectation and every aim of a move, of a run in every state.
fn moves(stands: &[Stand]) -> impl Iterator<Item = (RunState, RunState, &Stand)> {
    let pairs = RunState::ALL
        .iter()
        .flat_map(|from| RunState::ALL.iter().map(|to| (*from, *to)));
    pairs.flat_map(move |(from, to)| stands.iter().map(move |stand| (from, to, stand)))
}

#[test]
fn every_command_is_refused_whose_expectations_do_not_hold() {
    let (stands, table) = (stands(), table());
    let mut met = Met::default();
    for row in &table {
        for stand in &stands {
            let mut stand = stand.clone();
            (row.arrange)(&mut stand);
            let command = (row.ask)(&stand);
            let about = format!("{} {}", command_kind(&command), row.about);
            let call = || Call::new(command.clone());
            let sequence = stand.machine.sequence();
            for provided in [0, sequence - 1, sequence + 1] {
                let mut call = call();
                call.expected_sequence = Some(provided);
                met.case(&stand, call, "non_monotonic_sequence", &about);
            }
            let mut elsewhere = call();
            elsewhere.principal = Principal {
                tenant: TenantId(0xdead),
                ..Principal::default()
            };
            met.case(&stand, elsewhere, "unknown_tenant", &about);
            let told = (row.expect)(stand.at);
            let mut exact = call();
            exact.expected_sequence = Some(sequence);
            met.case(&stand, exact, told, &about);
            if names_run(&command) != Some(stand.run) {
                continue;
            }
            let actual = stand.at.state();
            for expected in RunState::ALL {
                let mut call = call();
                call.expected_state = Some(*expected);
                let told = match *expected == actual {
                    true => told,
                    false => "previous_state_mismatch",
                };
                met.case(&stand, call, told, &about);
            }
        }
    }
    println!("{} cases of expectations", met.cases);
}

#[test]
fn at_the_end_of_the_sequence_everything_is_refused() {
    let mut met = Met::default();
    for row in table() {
        let mut stand = stand::stand(stand::At::Ready);
        let mut spent = stand.clone();
        (row.arrange)(&mut stand);
        spent.machine = at_its_end(&spent.machine);
        let command = (row.ask)(&stand);
        let about = format!("{} {}", command_kind(&command), row.about);
        let call = Call::new(command);
        let step = spent.step(call);
        let code = step.outcome.as_ref().map_or_else(Rejection::code, |_| OK);
        assert_eq!(code, "sequence_overflow", "{about}");
        assert!(step.events.is_empty(), "{about}");
        met.cases += 1;
    }
    println!("{} cases of overflow", met.cases);
}

/// An empty machine whose sequence has reached its end: the first field of a checkpoint's scalars is the sequence.
fn at_its_end(machine: &Machine) -> Machine {
    let meta = machine.clone().take_cut().meta;
    assert_eq!(meta[0], 1 << 3);
    let rest = 1 + meta[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let mut patched = vec![1 << 3];
    patched.extend([0xff; 9]);
    patched.push(1);
    patched.extend(&meta[rest..]);
    let places = machine.clone().take_cut().places;
    let loader = Loader::new(1, &patched, &places, true).expect("scalars with another sequence");
    loader.finish()
}
