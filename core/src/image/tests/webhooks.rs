//! Images of webhooks and deliveries that nobody wrote: nothing panics on them, and what is loaded can be lived with.

use alloc::boxed::Box;
use alloc::vec;

use super::hostile::changed;
use super::world::{Stored, World, refused, stored, text};
use crate::codec::Record;
use crate::image::ObjectClass;
use crate::machine::Machine;
use crate::webhook::{Delivery, DeliveryState};
use crate::{
    Attempted, Command, DeliveriesOf, Hook, Query, Report, TenantId, Timestamp, WebhookId,
    WebhookSpec,
};

const HOOK: WebhookId = WebhookId(0x77);

fn hook(world: &mut World, hook: Hook) {
    world.step(Command::Hook(Box::new(hook)));
}

fn report(world: &mut World, event: u64, status: u32) {
    let attempt = Attempted {
        event,
        kind: text("run_failed"),
        status,
        error: text(if status == 200 { "" } else { "status" }),
        ..Attempted::default()
    };
    let report = Report {
        webhook: HOOK,
        cursor: world.machine.sequence(),
        attempts: vec![attempt],
        missed: None,
    };
    hook(world, Hook::Report(report));
}

/// A webhook with a delivery in every state.
fn sample() -> Stored {
    let mut world = World::new();
    world.step(Command::Start {
        incarnation: 1,
        downtime_ms: 0,
    });
    let spec = WebhookSpec {
        name: text("ops"),
        description: Some(text("what it is for")),
        url: text("https://hooks.example.com/x"),
        events: vec![text("run_failed")],
        queues: vec![text("mail")],
        kinds: vec![text("mail.send")],
    };
    let (webhook, reason) = (HOOK, None);
    hook(
        &mut world,
        Hook::Create {
            webhook: Some(webhook),
            spec,
            reason,
        },
    );
    for status in [200, 503, 410] {
        let reason = None;
        hook(&mut world, Hook::Test { webhook, reason });
        let event = world.machine.sequence();
        report(&mut world, event, status);
    }
    stored(world.machine.take_cut())
}

/// Everything that people and senders do with a webhook.
fn live_with(machine: Machine) {
    let mut world = World {
        machine,
        ..World::new()
    };
    world.now = world.machine.moment();
    for enabled in [true, false, true] {
        world.pass(1 << 30);
        let (webhook, reason) = (HOOK, None);
        hook(
            &mut world,
            Hook::Switch {
                webhook,
                enabled,
                reason,
            },
        );
        let reason = None;
        hook(&mut world, Hook::Rotate { webhook, reason });
        for event in 0..9 {
            report(&mut world, event, [503, 200][event as usize % 2]);
            let reason = None;
            hook(
                &mut world,
                Hook::Redeliver {
                    webhook,
                    event,
                    reason,
                },
            );
            report(&mut world, event, 503);
        }
        for of in [
            DeliveriesOf::All,
            DeliveriesOf::State(DeliveryState::Failed),
            DeliveriesOf::DueBy(Timestamp(u64::MAX)),
        ] {
            let query = Query::Deliveries {
                webhook,
                of,
                before: u64::MAX,
                limit: 100,
            };
            for query in [query, Query::Webhook(webhook), Query::Overview] {
                let _ = world.machine.answer(&world.now, TenantId::DEFAULT, &query);
            }
        }
        let through = world.machine.take_cut().through;
        world.machine.stored(through, 0, 2);
    }
    let (webhook, reason) = (HOOK, None);
    hook(&mut world, Hook::Delete { webhook, reason });
    let _ = (world.machine.verify(), world.machine.digest_all());
}

fn places(stored: &Stored, class: ObjectClass) -> alloc::vec::Vec<usize> {
    let objects = stored.cut.objects.iter().enumerate();
    let found = objects.filter(|(_, object)| object.class == class);
    found.map(|(place, _)| place).collect()
}

#[test]
fn no_changed_field_of_a_webhook_or_a_delivery_makes_a_machine_panic() {
    let sample = sample();
    assert_eq!(sample.load().unwrap().verify(), Ok(()));
    for (class, count) in [(ObjectClass::Webhook, 1), (ObjectClass::Delivery, 3)] {
        let places = places(&sample, class);
        assert_eq!(places.len(), count);
        let (mut accepted, mut refused) = (0, 0);
        for place in places {
            for (at, how) in (0..20).flat_map(|at| (0..28).map(move |how| (at, how))) {
                let mut stored = sample.clone();
                let image = &mut stored.cut.objects[place].image;
                *image = changed(image, at, how);
                match stored.load() {
                    Ok(machine) => {
                        accepted += 1;
                        live_with(machine);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(accepted > 50 && refused > 50, "{accepted} {refused}");
    }
}

#[test]
fn a_delivery_that_does_not_fit_is_refused_in_words() {
    type Bend = fn(&mut Delivery);
    let cases: [(&str, Bend); 6] = [
        ("cannot be", |row| row.event += 1),
        ("cannot be", |row| row.kind = text("")),
        ("cannot be", |row| row.error = text("A b")),
        ("cannot be", |row| row.ended = 1 << 40),
        ("cannot be", |row| row.ended = 0),
        ("cannot be", |row| row.state = DeliveryState::Pending),
    ];
    let sample = sample();
    let place = places(&sample, ObjectClass::Delivery)[0];
    for (at, (why, bend)) in cases.into_iter().enumerate() {
        let mut stored = sample.clone();
        let image = &mut stored.cut.objects[place].image;
        let mut row = Delivery::read(image).unwrap();
        bend(&mut row);
        image.clear();
        row.put(image);
        let told = refused(stored.load());
        assert!(told.contains(why), "case {at}: {told}, not {why}");
    }
    for class in [ObjectClass::Webhook, ObjectClass::Delivery] {
        let place = places(&sample, class)[0];
        let mut twice = sample.clone();
        let object = twice.cut.objects[place].clone();
        twice.cut.objects.push(object);
        assert_eq!(refused(twice.load()), "an object twice");
        let mut unnamed = sample.clone();
        unnamed.cut.objects[place].key = text("nothing");
        assert!(refused(unnamed.load()).contains("whose name is"));
    }
}

#[test]
fn a_delivery_of_no_webhook_does_not_verify() {
    let mut stored = sample();
    let objects = &mut stored.cut.objects;
    objects.retain(|object| object.class != ObjectClass::Webhook);
    let told = stored.load().unwrap().verify();
    assert!(told.is_err(), "{told:?}");
}
