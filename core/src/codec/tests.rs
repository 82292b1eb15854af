//! Tests of the codec room.

extern crate std;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::body::{CommandRecord, DecodeError, decode, encode};
use super::wire::{put_number, put_varint};
use crate::event::*;
use crate::machine::Entry;
use crate::task::TaskSpec;
use crate::{Bytes, Principal, TenantId, Text};
use samples::{
    RUN, TASK, actor_samples, bytes, dead_letter_samples, filters, later_samples, newest_samples,
    old_samples, samples, some, text,
};

mod access;
mod attest;
mod operation;
mod samples;
mod webhook;

/// One event of each kind with every field at its default: what an empty record of it is read as.
fn bare_samples() -> Vec<Event> {
    let read = |kind: &EventKind| Event::read(*kind as u64, &[]);
    let bare = EventKind::ALL
        .iter()
        .map(|kind| read(kind).unwrap().unwrap());
    bare.collect()
}

fn entry(event: Event) -> Entry {
    let tenant = TenantId::DEFAULT;
    Entry { tenant, event }
}

fn body_of(event: &Event) -> Vec<u8> {
    let mut body = Vec::new();
    let events = [entry(event.clone())];
    encode(&mut body, &Principal::default(), None, 1, None, &events);
    body
}

fn read_all(body: &[u8]) -> Result<Vec<(CommandRecord, Vec<Entry>)>, DecodeError> {
    let mut all = Vec::new();
    decode(body, &mut |record, events| {
        all.push((record.clone(), events.to_vec()))
    })?;
    Ok(all)
}

#[test]
fn the_samples_are_one_of_each_kind() {
    let mut kinds: Vec<EventKind> = samples().iter().map(Event::kind).collect();
    kinds.extend(
        dead_letter_samples()
            .iter()
            .map(Event::kind)
            .filter(|kind| *kind != EventKind::RunCreated),
    );
    kinds.sort_unstable();
    assert_eq!(kinds, EventKind::ALL);
    let tags: BTreeSet<u64> = EventKind::ALL.iter().map(|kind| *kind as u64).collect();
    // 30 was never written by a release and stays unused.
    let first = (1..=57).filter(|tag| *tag != 30);
    let actors = 60..=62;
    let access = 68..=75;
    let ledgers = 76..=78;
    let webhooks = 80..=87;
    let later = actors.chain(access).chain(ledgers).chain(webhooks);
    let all: BTreeSet<u64> = first.chain(later).collect();
    assert_eq!(tags, all, "tags are never renumbered");
}

#[test]
fn every_event_comes_back_as_it_was_written() {
    let later = later_samples().into_iter().chain(newest_samples());
    let all = old_samples().into_iter().chain(later);
    let all = all.chain(dead_letter_samples()).chain(actor_samples());
    let all = all.chain(operation::samples());
    for event in all.chain(filters()).chain(bare_samples()) {
        let body = body_of(&event);
        let read = read_all(&body).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].1, [entry(event.clone())], "{}", event.kind().name());
        assert_eq!(body_of(&read[0].1[0].event), body, "written again alike");
    }
}

#[test]
fn empty_and_absent_are_told_apart() {
    for event in [
        RunCompleted {
            run: RUN,
            output: None,
        },
        RunCompleted {
            run: RUN,
            output: Some(bytes("")),
        },
    ] {
        let read = read_all(&body_of(&event.clone().into())).unwrap();
        assert_eq!(read[0].1[0].event, event.into());
    }
    let mut spec = TaskSpec::new("a");
    let plain = TaskCreated {
        task: TASK,
        spec: Box::new(spec.clone()),
        by: text(""),
    };
    spec.policy_mut().timeout_ms = Some(0);
    spec.extras_mut().idempotency_key = some("");
    let set = TaskCreated {
        task: TASK,
        spec: Box::new(spec),
        by: text(""),
    };
    for event in [plain, set] {
        let read = read_all(&body_of(&event.clone().into())).unwrap();
        assert_eq!(read[0].1[0].event, event.into());
    }
}

#[test]
fn a_record_of_any_length_comes_back() {
    for length in [
        0,
        1,
        127,
        128,
        16_300,
        16_383,
        16_384,
        16_385,
        70_000,
        3 << 20,
    ] {
        let output = Some(Bytes::from(vec![7u8; length]));
        let event: Event = RunCompleted { run: RUN, output }.into();
        let read = read_all(&body_of(&event)).unwrap();
        assert!(read[0].1[0].event == event, "{length}");
    }
}

#[test]
fn a_command_record_says_who_asked_and_why() {
    let ann = Principal {
        name: text("ann"),
        request_id: some("r-1"),
        ..Principal::default()
    };
    let bob = Principal {
        name: text("bob"),
        request_id: some("r-2"),
        tenant: TenantId(77),
        ..Principal::default()
    };
    let (why, mut body) = (text("night"), Vec::new());
    let paused: Event = EnginePaused::default().into();
    encode(
        &mut body,
        &ann,
        None,
        10,
        Some(Some(&why)),
        &[entry(paused.clone())],
    );
    encode(&mut body, &ann, Some(&ann), 9, Some(None), &[]);
    encode(
        &mut body,
        &bob,
        Some(&ann),
        14,
        None,
        &[entry(paused.clone())],
    );
    let read = read_all(&body).unwrap();
    let records: Vec<&CommandRecord> = read.iter().map(|(record, _)| record).collect();
    let first = CommandRecord {
        kind: 10,
        tenant: TenantId::DEFAULT,
        principal: text("ann"),
        request_id: some("r-1"),
        reason: some("night"),
        cause_sequence: None,
        event_count: 1,
    };
    assert_eq!(records[0], &first);
    assert_eq!(
        records[1],
        &CommandRecord {
            kind: 9,
            reason: None,
            event_count: 0,
            ..first.clone()
        }
    );
    assert_eq!(
        (&*records[2].principal, &records[2].request_id),
        ("bob", &None)
    );
    assert_eq!(records[2].tenant, TenantId(77));
    assert_eq!(
        read[2].1,
        [entry(paused)],
        "an event of another tenant than the command's"
    );
}

#[test]
fn an_empty_body_holds_nothing() {
    assert_eq!(read_all(&[]), Ok(vec![]));
}

/// A body of one command with one event, made by hand.
fn by_hand(tag: u64, form: u64, fields: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    put_number(&mut header, 7, 1);
    let mut body = vec![header.len() as u8];
    body.extend(header);
    put_varint(&mut body, tag);
    put_varint(&mut body, form);
    put_varint(&mut body, fields.len() as u64);
    body.extend(fields);
    body
}

#[test]
fn an_event_of_a_later_version_is_named() {
    let later = |tag, version| Err(DecodeError::UnknownEvent { tag, version });
    let next = EventKind::ALL
        .iter()
        .map(|kind| *kind as u64)
        .max()
        .unwrap()
        + 1;
    assert_eq!(read_all(&by_hand(next, 1 << 1, &[])), later(next, 1));
    assert_eq!(read_all(&by_hand(3, 2 << 1, &[])), later(3, 2));
    assert_eq!(read_all(&by_hand(u64::MAX, 0, &[])), later(u64::MAX, 0));
    let told = read_all(&by_hand(4000, 7 << 1, &[]))
        .unwrap_err()
        .to_string();
    assert!(told.contains("4000") && told.contains('7'), "{told}");
}

#[test]
fn a_field_of_a_later_version_is_skipped() {
    let mut fields = Vec::new();
    put_number(&mut fields, 900, 5);
    Event::from(RunReady { run: RUN }).put(&mut fields);
    super::wire::put_bytes(&mut fields, 901, b"later");
    let read = read_all(&by_hand(3, 1 << 1, &fields)).unwrap();
    assert_eq!(read[0].1[0].event, RunReady { run: RUN }.into());
}

#[test]
fn malformed_fields_are_refused_in_words() {
    let malformed = |body: &[u8], part: &str| {
        let told = read_all(body).unwrap_err();
        assert!(matches!(told, DecodeError::Malformed(_)), "{told}");
        assert!(told.to_string().contains(part), "{told}");
    };
    malformed(&by_hand(3, 2, &[0x0a, 2, 1, 1]), "16 bytes");
    malformed(&by_hand(3, 2, &[0x08, 1]), "a number where bytes belong");
    malformed(
        &by_hand(5, 2, &[0x12, 1, 0]),
        "bytes where a number belongs",
    );
    malformed(&by_hand(3, 2, &[0x0b]), "wire type");
    malformed(&by_hand(3, 2, &[0x0a, 16]), "beyond the end");
    malformed(&by_hand(18, 2, &[0x0a, 1, 0xff]), "UTF-8");
    malformed(&by_hand(9, 2, &[0x28, 99]), "an unknown Cause");
    malformed(&by_hand(9, 2, &[0x10, 7]), "an unknown AttemptResult");
    malformed(&[0xff; 11], "64 bits");
    malformed(&[0x80], "does not end");
    malformed(
        &by_hand(4, 2, &[0x10, 0xff, 0xff, 0xff, 0xff, 0x1f]),
        "out of range",
    );
    // A command that promises more events than there are.
    malformed(
        &[11, 0x38, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        "does not end",
    );
}

/// Who asked, the command's number, a control command's reason, what it came to.
type Asked = (Principal, u64, Option<Option<Text>>, Vec<Entry>);

/// Control commands, repeated principals and foreign tenants around these events.
fn golden_commands(events: Vec<Event>) -> Vec<Asked> {
    let ann = Principal {
        name: text("ann"),
        request_id: some("r-1"),
        ..Principal::default()
    };
    let commands = events.into_iter().enumerate().map(|(at, event)| {
        let principal = match at % 3 {
            0 => Principal::default(),
            1 => ann.clone(),
            _ => Principal {
                tenant: TenantId(0xabc),
                ..ann.clone()
            },
        };
        let control = (at % 2 == 1).then(|| (at % 4 == 1).then(|| text("because")));
        (principal, at as u64 % 14 + 1, control, vec![entry(event)])
    });
    commands.collect()
}

fn golden_body(events: Vec<Event>) -> Vec<u8> {
    let (mut body, mut previous) = (Vec::new(), None);
    for (principal, kind, control, events) in golden_commands(events) {
        let control = control.as_ref().map(Option::as_ref);
        encode(
            &mut body,
            &principal,
            previous.as_ref(),
            kind,
            control,
            &events,
        );
        previous = Some(principal);
    }
    body
}

fn golden_path(version: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    golden.join(format!("body_{version}.bin"))
}

/// The first file pins the kinds and fields that there were at first, the second those that came with schedules, bonds, budgets,
/// subscriptions, queues and the direct lane, the third those that came after these; then each room has its own.
#[test]
fn the_golden_bodies_are_read_and_written_as_ever() {
    check_golden("v1", old_samples());
    check_golden("v2", later_samples());
    check_golden("v3", newest_samples());
    check_golden("dead_letters_v1", dead_letter_samples().to_vec());
    check_golden("actors", actor_samples());
}

fn check_golden(version: &str, events: Vec<Event>) {
    let path = golden_path(version);
    let today = golden_body(events.clone());
    if !path.exists() && std::env::var_os("MAINSTAY_BLESS_NEW").is_some() {
        std::fs::write(&path, &today).unwrap();
    }
    let golden = std::fs::read(&path).expect("a golden file is never removed");
    let read = read_all(&golden).expect("what an earlier release wrote stays readable");
    let commands = golden_commands(events);
    assert_eq!(read.len(), commands.len());
    for ((record, events), (principal, kind, control, expected)) in read.iter().zip(&commands) {
        assert_eq!(events, expected);
        assert_eq!((record.kind, record.tenant), (*kind, principal.tenant));
        assert_eq!(record.principal, principal.name);
        assert_eq!(record.reason, control.clone().flatten());
        let request_id = principal.request_id.clone().filter(|_| control.is_some());
        assert_eq!(record.request_id, request_id);
    }
    assert!(today == golden, "today's writer writes the same bytes");
}

#[test]
fn every_truncation_is_refused_or_ends_at_a_command() {
    let body = golden_body(samples());
    let whole = read_all(&body).unwrap();
    let mut ends = 0;
    for length in 0..body.len() {
        if let Ok(read) = read_all(&body[..length]) {
            assert_eq!(read, whole[..read.len()]);
            ends += 1;
        }
    }
    assert_eq!(ends, whole.len(), "only the ends of commands are ends");
}

#[test]
fn a_changed_byte_never_panics() {
    let body = golden_body(samples());
    for at in 0..body.len() {
        for value in [0, 0x7f, 0x80, 0xff, body[at] ^ 1] {
            let mut changed = body.clone();
            changed[at] = value;
            let _ = read_all(&changed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes);
    }

    #[test]
    fn random_fields_of_a_known_event_never_panic(
        tag in 1..=EventKind::ALL.len() as u64,
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0..60u8], 0..80),
    ) {
        if let Ok(read) = read_all(&by_hand(tag, 2, &bytes)) {
            // What was read is a value like any other: written again, it comes back.
            let event = read[0].1[0].event.clone();
            let again = read_all(&body_of(&event)).unwrap();
            prop_assert_eq!(&again[0].1[0].event, &event);
        }
    }
}
