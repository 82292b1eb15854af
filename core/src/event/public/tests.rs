//! What the public sees of events.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{HIDDEN_KINDS, PUBLIC_TYPES};
use crate::event::*;
use crate::task::{Extras, Policy};

fn names(event: &Event) -> Vec<&'static str> {
    let mut names = Vec::new();
    event.shown(&mut |name, _| names.push(name));
    names
}

#[test]
fn every_kind_of_fact_is_told_or_hidden_and_not_both() {
    for kind in EventKind::ALL {
        let told = PUBLIC_TYPES.iter().any(|known| known.kinds.contains(kind));
        let hidden = HIDDEN_KINDS.contains(kind);
        assert!(told != hidden, "{}", kind.name());
    }
    let distinct: BTreeSet<_> = PUBLIC_TYPES.iter().map(|known| known.name).collect();
    assert_eq!(distinct.len(), PUBLIC_TYPES.len());
}

#[test]
fn what_tokens_are_made_of_is_not_shown() {
    let started = Event::from(RunStarted {
        run: RunId(1),
        counter: 7,
        incarnation: 3,
        worker: Text::from("w"),
        number: 2,
        lease_ms: 5,
        actor: None,
    });
    assert_eq!(names(&started), ["attempt", "worker", "lease_ms"]);
    let held = Event::from(LeaseAcquired::default());
    assert_eq!(names(&held), ["owner", "lease_ms"]);
    for kind in EventKind::ALL {
        for field in kind.fields().iter().filter(|field| field.name == "counter") {
            assert!(!kind.shows(field.wire_name()), "{}", kind.name());
        }
    }
}

#[test]
fn a_fact_says_whom_it_is_about_and_who_did_it() {
    let canceled = Event::from(RunCanceled {
        run: RunId(4),
        by: Text::from("ada"),
        ..RunCanceled::default()
    });
    let about = canceled.about();
    assert_eq!(
        (about.task, about.run, about.actor),
        (None, Some(RunId(4)), Some("ada"))
    );
    let by_itself = Event::from(TaskCanceled {
        task: TaskId(5),
        source: Some(Box::new(Why {
            cause: Cause::Dependency,
            task: Some(TaskId(6)),
        })),
        ..TaskCanceled::default()
    });
    assert_eq!(by_itself.about().task, Some(TaskId(5)));
    assert_eq!(by_itself.about().actor, None);
    assert_eq!(names(&by_itself), ["cause", "cause_task_id"]);
    let replenished = Event::from(BudgetReplenished::default());
    assert_eq!(replenished.about().task, None);
}

#[test]
fn a_task_shows_what_was_asked_for_and_nothing_that_was_not() {
    let mut spec = TaskSpec::new("k");
    let plain = Event::from(TaskCreated {
        task: TaskId(1),
        spec: Box::new(spec.clone()),
        by: Text::from("ada"),
    });
    assert_eq!(names(&plain), ["kind", "queue", "priority", "payload"]);
    spec.extras = Some(Box::new(Extras {
        tags: vec![Text::from("t")],
        unique_key: Some(Text::from("u")),
        ..Extras::default()
    }));
    spec.policy = Some(Box::new(Policy::default()));
    spec.bonds_mut().parent = Some(TaskId(9));
    let rich = Event::from(TaskCreated {
        task: TaskId(1),
        spec: Box::new(spec),
        by: Text::from("ada"),
    });
    assert_eq!(
        names(&rich),
        [
            "kind",
            "queue",
            "priority",
            "payload",
            "constraints",
            "tags",
            "unique_key",
            "parent_task_id"
        ]
    );
    let mut shown = String::new();
    rich.shown(&mut |name, value| {
        if let FactValue::Record(record) = value {
            record.fields(&mut |inner, _| shown.push_str(&format!("{name}.{inner} ")));
        }
    });
    assert!(shown.starts_with("constraints.max_attempts "), "{shown}");
}
