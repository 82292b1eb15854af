//! The audit trail of a real directory: what it holds, how it survives, and that every way to change it is found, with its place.

mod files;

use std::path::Path;
use std::time::Duration;

use files::{edit_store, segments};
use mainstay::store::{AuditAsk, Scope};
use mainstay::{
    AuditGap, AuditReport, AuditRow, Engine, EngineOptions, Principal, TenantId, Text, verify_audit,
};

const ENTRIES: u64 = 60;

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0).segment_bytes(64 << 10)
}

fn ada(request: u64) -> Principal {
    Principal {
        name: Text::from("ada"),
        request_id: Some(Text::from(format!("req-{request:04}").as_str())),
        ..Principal::default()
    }
}

/// Sixty acts of control, each in a frame of its own, over several segments.
fn act(engine: &Engine) {
    for number in 0..ENTRIES {
        let reason = format!("reason-{number:04}");
        let handle = engine.handle().acting_as(ada(number)).because(&*reason);
        // What a command says itself goes first; without, it is the handle's.
        let reason = number.is_multiple_of(3).then(|| Text::from(&*reason));
        if number.is_multiple_of(2) {
            handle.pause_queue("mail", reason).unwrap();
        } else {
            handle.resume_queue("mail", reason).unwrap();
        }
    }
}

fn trail(engine: &Engine) -> Vec<AuditRow> {
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(20)));
    let ask = AuditAsk {
        scope: Scope::All,
        after: 0,
        limit: 1000,
    };
    handle.library().unwrap().audit(&ask).unwrap().rows
}

fn check_trail(rows: &[AuditRow]) {
    assert_eq!(rows.len() as u64, ENTRIES);
    for (number, row) in rows.iter().enumerate() {
        let what = if number % 2 == 0 {
            "pause_queue"
        } else {
            "resume_queue"
        };
        assert_eq!((&*row.who, &*row.what), ("ada", what));
        assert_eq!(row.target.as_deref(), Some("mail"));
        assert_eq!(row.tenant, TenantId::DEFAULT);
        assert_eq!(row.reason.as_deref(), Some(&*format!("reason-{number:04}")));
        assert_eq!(
            row.request_id.as_deref(),
            Some(&*format!("req-{number:04}"))
        );
    }
    assert!(rows.is_sorted_by_key(|row| row.sequence));
}

/// A directory with a trail, whose engine has ended.
fn written() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    act(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    directory
}

fn sound(directory: &Path) -> AuditReport {
    let report = verify_audit(directory).unwrap();
    assert!(report.is_whole(), "{:?}", report.gaps);
    report
}

/// The one gap that holds an event.
fn gap_at(directory: &Path, sequence: u64) -> AuditGap {
    let report = verify_audit(directory).unwrap();
    let mut at = report
        .gaps
        .iter()
        .filter(|gap| (gap.from..=gap.to).contains(&sequence));
    let found = at
        .next()
        .unwrap_or_else(|| panic!("event {sequence}: {:?}", report.gaps));
    found.clone()
}

#[test]
fn what_was_written_is_found_whole_and_survives_a_restart_and_the_loss_of_the_store() {
    let directory = written();
    let path = directory.path();
    let report = sound(path);
    assert_eq!(
        (report.from, report.entries, report.trail_after),
        (1, ENTRIES, 0)
    );
    let engine = options().open(path).unwrap();
    check_trail(&trail(&engine));
    let check = engine.handle().check_audit().unwrap();
    let mut check = check.unwrap();
    let mut steps = 0;
    while check.step() {
        steps += 1;
    }
    assert!(steps > 2, "a piece is a segment: {steps}");
    let report = check.end();
    assert!(report.is_whole(), "{:?}", report.gaps);
    assert!(report.to >= engine.handle().sequence());
    engine.shutdown(Duration::ZERO).unwrap();
    for tail in ["", "-wal", "-shm"] {
        std::fs::remove_file(path.join(format!("store/mainstay.db{tail}"))).ok();
    }
    let report = sound(path);
    assert_eq!(report.entries, 0, "there is no trail to compare");
    let engine = options().open(path).unwrap();
    check_trail(&trail(&engine));
    engine.shutdown(Duration::ZERO).unwrap();
    assert_eq!(sound(path).entries, ENTRIES);
}

#[test]
fn a_body_that_was_changed_with_sums_that_hold_is_found_wherever_it_is() {
    let directory = written();
    let path = directory.path();
    let mut tried = 0;
    for (index, segment) in segments(path).iter().enumerate() {
        for frame in segment.with_events() {
            let mut other = segments(path).remove(index);
            if !other.replace(frame, "reason-", "excuse-") {
                continue;
            }
            other.write();
            let sequence = segment.first_sequence(frame);
            let gap = gap_at(path, sequence);
            assert!(!gap.message.is_empty() && gap.from <= sequence, "{gap:?}");
            let report = verify_audit(path).unwrap();
            let of_entry =
                |gap: &&AuditGap| gap.from == sequence && gap.message.contains("`excuse-");
            assert_eq!(
                report.gaps.iter().filter(of_entry).count(),
                1,
                "{:?}",
                report.gaps
            );
            let of_chain = |gap: &&AuditGap| gap.file == segment.name();
            assert_eq!(
                report.gaps.iter().filter(of_chain).count(),
                1,
                "{:?}",
                report.gaps
            );
            segment.write();
            tried += 1;
        }
    }
    assert_eq!(tried, ENTRIES);
    sound(path);
}

#[test]
fn a_frame_that_was_dropped_or_put_elsewhere_is_found() {
    let directory = written();
    let path = directory.path();
    let all = segments(path);
    let mut tried = 0;
    for (index, segment) in all.iter().enumerate() {
        let frames = segment.with_events();
        let middle = frames.get(frames.len() / 2).copied();
        let Some(frame) = middle.filter(|frame| frame + 2 < segment.frames.len()) else {
            continue;
        };
        tried += 1;
        let sequence = segment.first_sequence(frame);
        for change in ["drop", "swap"] {
            let mut other = segments(path).remove(index);
            match change {
                "drop" => other.drop_frame(frame),
                _ => other.swap(frame),
            }
            other.write();
            let gap = gap_at(path, sequence);
            assert_eq!(gap.file, segment.name(), "{change}: {gap:?}");
            assert!(gap.offset > 0 && gap.frame > 0, "{change}: {gap:?}");
            segment.write();
        }
    }
    assert!(tried > 0);
    sound(path);
}

#[test]
fn a_segment_that_was_removed_is_found() {
    let directory = written();
    let path = directory.path();
    let all = segments(path);
    for (index, segment) in all.iter().enumerate() {
        segment.remove();
        let gap = gap_at(path, segment.first_sequence(0));
        assert_eq!(gap.file, segment.name());
        if let Some(next) = all.get(index + 1) {
            let expected = (segment.first_sequence(0), next.first_sequence(0) - 1);
            assert_eq!((gap.from, gap.to), expected);
        }
        segment.write();
    }
    sound(path);
}

#[test]
fn an_entry_of_the_trail_that_was_changed_is_found_and_named() {
    let directory = written();
    let path = directory.path();
    edit_store(path, "reason-0031", "excuse-0031");
    let report = verify_audit(path).unwrap();
    assert_eq!(report.gaps.len(), 2, "{:?}", report.gaps);
    for gap in &report.gaps {
        assert_eq!((gap.from, &*gap.file), (gap.to, "store/mainstay.db"));
    }
    let words = "reason is `excuse-0031`, and `reason-0031` in the log";
    assert!(report.gaps.iter().any(|gap| gap.message.contains(words)));
    edit_store(path, "excuse-0031", "reason-0031");
    sound(path);
}

#[test]
fn the_process_that_wrote_a_log_knows_when_another_one_stands_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = options().open(path).unwrap();
    act(&engine);
    // An idle log is sealed.
    std::thread::sleep(Duration::from_millis(300));
    let check = || {
        let mut check = engine.handle().check_audit().unwrap().unwrap();
        while check.step() {}
        check.end()
    };
    let report = check();
    assert!(report.is_whole(), "{:?}", report.gaps);
    let mut last = segments(path).pop().unwrap();
    let frames = last.with_events();
    let frame = frames
        .into_iter()
        .find(|frame| last.replace(*frame, "reason-", "excuse-"));
    last.chain_from(frame.unwrap());
    last.write();
    let report = check();
    let another = |gap: &AuditGap| gap.message.contains("another one than this process wrote");
    assert!(report.gaps.iter().any(another), "{:?}", report.gaps);
    engine.shutdown(Duration::ZERO).ok();
}

#[test]
fn entries_outlive_the_log_and_go_by_a_rule_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let trimming = || options().log_retain(0, 0).snapshot_every_bytes(64 << 10);
    let engine = trimming().open(path).unwrap();
    act(&engine);
    let handle = engine.handle();
    let started = std::time::Instant::now();
    while handle.metrics().log_oldest_sequence <= 30 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing was trimmed"
        );
        let mut task = mainstay::Task::new("a").bytes(vec![7; 20_000]);
        task.spec_mut().queue = Text::from("mail");
        engine.submit(task).unwrap();
    }
    check_trail(&trail(&engine));
    engine.shutdown(Duration::ZERO).unwrap();
    let report = sound(path);
    assert!(report.from > 30 && report.entries < ENTRIES, "{report:?}");
    edit_store(path, "reason-0001", "excuse-0001");
    let report = verify_audit(path).unwrap();
    assert_eq!(report.gaps.len(), 1, "{:?}", report.gaps);
    assert!(
        report.gaps[0].to < report.from,
        "an entry older than the log"
    );
}
