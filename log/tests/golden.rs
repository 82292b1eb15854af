//! Golden files: a small data directory, byte for byte as format 1 writes it.
//! Owns: the comparison; the files in `golden/` never change.
//! Never: writes a golden file, unless asked to make a missing one.

use std::path::PathBuf;

use mainstay_log::contract::{Seen, draft};
use mainstay_log::{
    Disk, Draft, Entropy, Flags, Flush, FromStart, Log, LogId, Options, RamDisk, inspect, open,
};

const FILES: [&str; 3] = [
    "manifest",
    "log/00000000000000000001.log",
    "log/00000000000000000009.log",
];
const LOG_ID: &str = "b220f856-9cdb-4623-8818-0f255158e828";

fn entropy() -> Entropy {
    Entropy(std::array::from_fn(|at| at as u8))
}

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        sector: Some(512),
        spares: 0,
        ..Options::default()
    }
}

fn drafts() -> Vec<Vec<Draft>> {
    vec![
        vec![draft(1, 2, 100), draft(3, 1, 0), draft(4, 3, 333)],
        vec![draft(7, 1, 8)],
        vec![draft(8, 1, 1200)],
        vec![draft(9, 1, 900), draft(10, 4, 64)],
    ]
}

/// Two groups, a seal, a roll, a crash; then a life that rewrites the tail and stops cleanly.
fn make() -> [RamDisk; 2] {
    let disk = RamDisk::new(512);
    let mut opened = open(
        disk.clone(),
        options(),
        entropy(),
        &mut FromStart(|_| Ok(())),
    )
    .expect("opens");
    for (at, group) in drafts().into_iter().enumerate() {
        for draft in group {
            opened.log.append(draft).expect("append");
        }
        opened.flusher.flush().expect("flush");
        if at == 1 {
            opened.flusher.seal().expect("seal");
        }
    }
    drop(opened);
    let first = disk.fork();
    let mut opened = open(
        disk.clone(),
        options(),
        entropy(),
        &mut FromStart(|_| Ok(())),
    )
    .expect("opens");
    opened.flusher.close().expect("close");
    drop(opened);
    [first, disk]
}

fn golden(life: &str, name: &str) -> PathBuf {
    let file = name.replace('/', "-").replace(".log", ".segment");
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(life)
        .join(file)
}

#[test]
fn format_one_is_written_byte_for_byte() {
    for (life, disk) in ["first-life", "second-life"].into_iter().zip(make()) {
        for name in FILES {
            let path = golden(life, name);
            let written = disk.get(name).expect("written");
            if std::env::var_os("MAINSTAY_MAKE_MISSING_GOLDEN").is_some() && !path.exists() {
                std::fs::create_dir_all(path.parent().expect("parent")).expect("directory");
                std::fs::write(&path, &written).expect("write");
            }
            assert!(
                std::fs::read(&path).expect("golden file") == written,
                "{} changed",
                path.display()
            );
        }
    }
}

/// The golden directory on a disk in memory.
fn load(life: &str) -> RamDisk {
    let disk = RamDisk::new(512);
    for name in FILES {
        disk.put(
            name,
            std::fs::read(golden(life, name)).expect("golden file"),
        );
    }
    disk
}

#[test]
fn format_one_is_read() {
    for (life, was_clean) in [("first-life", false), ("second-life", true)] {
        let mut seen = Vec::new();
        let opened = open(
            load(life),
            options(),
            entropy(),
            &mut FromStart(|frame| {
                seen.push(Seen::of(frame).draft);
                Ok(())
            }),
        )
        .expect("opens");
        assert_eq!(seen, drafts().concat());
        assert_eq!(opened.identity.log_id.to_string(), LOG_ID);
        assert_eq!(LOG_ID.parse(), Ok::<LogId, _>(opened.identity.log_id));
        assert_eq!(opened.recovery.was_clean, was_clean);
    }
}

#[test]
fn the_frames_of_format_one_are_these() {
    let mut lines = Vec::new();
    let report = inspect(&load("second-life"), &mut |frame| {
        let flags: String = [
            (Flags::SEAL, 's'),
            (Flags::CLEAN, 'c'),
            (Flags::REWRITTEN, 'r'),
        ]
        .into_iter()
        .filter(|(flag, _)| frame.flags.has(*flag))
        .map(|(_, letter)| letter)
        .collect();
        lines.push(format!(
            "{} life {} {flags:-<3} durable {} sequence {}+{} body {}",
            frame.number,
            frame.incarnation,
            frame.durable_upto,
            frame.first_sequence,
            frame.event_count,
            frame.body.len()
        ));
    });
    assert!(
        report.is_sound() && report.findings.is_empty(),
        "{:?}",
        report.findings
    );
    let expected = [
        "1 life 1 --- durable 0 sequence 1+2 body 100",
        "2 life 1 --- durable 0 sequence 3+1 body 0",
        "3 life 1 --- durable 0 sequence 4+3 body 333",
        "4 life 1 --- durable 3 sequence 7+1 body 8",
        "5 life 1 s-- durable 4 sequence 8+0 body 0",
        "6 life 1 --- durable 5 sequence 8+1 body 1200",
        "7 life 1 r-- durable 9 sequence 9+1 body 900",
        "8 life 1 r-- durable 9 sequence 10+4 body 64",
        "9 life 2 sr- durable 9 sequence 14+0 body 0",
        "10 life 2 sc- durable 9 sequence 14+0 body 0",
    ];
    assert_eq!(lines, expected);
    assert!(
        load("first-life").names().len() == FILES.len()
            && RamDisk::new(512).list("").expect("list").is_empty()
    );
}
