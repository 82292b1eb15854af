//! The file log on real files with real threads.
//! Owns: modes, the lock, the sector, a writer and a flusher at once.
//! Never: crashes a process.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use mainstay_log::contract::draft;
use mainstay_log::{
    Disk, DiskFile, Entropy, FileFlusher, FileLog, Flush, FromStart, Log, OpenError, Opened,
    Options, RealDisk, inspect, open,
};

type OpenedFiles = Opened<FileLog<RealDisk>, FileFlusher<RealDisk>>;

fn opens(path: &Path, holder: &str) -> Result<OpenedFiles, OpenError> {
    let options = Options {
        segment_bytes: 256 << 10,
        holder: holder.to_owned(),
        ..Options::default()
    };
    open(
        RealDisk::open(path).expect("disk"),
        options,
        Entropy([1; 64]),
        &mut FromStart(|_| Ok(())),
    )
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path)
        .expect("metadata")
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn a_second_open_is_told_who_holds_the_directory() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("data");
    let held = opens(&path, "mainstay serve on port 7411").expect("opens");
    let error = opens(&path, "another").expect_err("held");
    let OpenError::Held { holder } = &error else {
        panic!("{error}")
    };
    assert!(
        holder.contains("port 7411") && holder.contains(&std::process::id().to_string()),
        "{holder}"
    );
    let disk = RealDisk::open_existing(&path).expect("disk");
    let report = inspect(&disk, &mut |_| ());
    assert!(report.held_by.expect("held").contains("port 7411"));
    drop(held);
    assert_eq!(inspect(&disk, &mut |_| ()).held_by, None);
    opens(&path, "another").expect("free again");
    assert!(path.join("LOCK").exists(), "the lock file stays");
}

#[test]
fn everything_in_the_directory_is_private() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("data");
    let mut opened = opens(&path, "test").expect("opens");
    opened.log.append(draft(1, 1, 100)).expect("append");
    opened.flusher.flush().expect("flush");
    opened.flusher.seal().expect("seal");
    opened
        .flusher
        .seal()
        .expect("an idle call prepares a spare");
    for private in ["", "log", "quarantine"] {
        assert_eq!(mode(&path.join(private)), 0o700, "{private}");
    }
    for private in [
        "LOCK",
        "manifest",
        "log/00000000000000000001.log",
        "log/spare-1",
    ] {
        assert_eq!(mode(&path.join(private)), 0o600, "{private}");
    }
}

#[test]
fn symbolic_links_are_not_followed() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("data");
    drop(opens(&path, "test").expect("opens"));
    std::fs::rename(path.join("manifest"), dir.path().join("elsewhere")).expect("rename");
    symlink(dir.path().join("elsewhere"), path.join("manifest")).expect("link");
    assert!(matches!(opens(&path, "test"), Err(OpenError::Io { .. })));
}

#[test]
fn inspecting_a_directory_that_is_not_there_makes_nothing() {
    let dir = tempfile::tempdir().expect("directory");
    assert!(RealDisk::open_existing(dir.path().join("data")).is_err());
    assert!(!dir.path().join("data").exists());
}

#[test]
fn preallocated_space_reads_as_zeros_and_files_refuse_a_second_creation() {
    let dir = tempfile::tempdir().expect("directory");
    let disk = RealDisk::open(dir.path().join("data")).expect("disk");
    let file = disk.create("one").expect("create");
    assert_eq!(
        disk.create("one").expect_err("taken").kind(),
        std::io::ErrorKind::AlreadyExists
    );
    file.write_at(
        0,
        &[std::io::IoSlice::new(b"abc"), std::io::IoSlice::new(b"def")],
    )
    .expect("write");
    file.allocate(10_000).expect("allocate");
    assert_eq!(file.len().expect("length"), 10_000);
    let mut bytes = vec![1; 20_000];
    let count = file.read_at(0, &mut bytes).expect("read");
    assert_eq!(count, 10_000);
    assert!(bytes.starts_with(b"abcdef") && bytes[6..count].iter().all(|&byte| byte == 0));
    assert!(disk.sector().is_power_of_two() && (512..=65_536).contains(&disk.sector()));
    assert!(disk.free_bytes().expect("space") > 0);
}

#[test]
fn a_writer_and_a_flusher_thread_lose_nothing() {
    const FRAMES: u64 = 5_000;
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("data");
    let Opened {
        mut log,
        mut flusher,
        ..
    } = opens(&path, "test").expect("opens");
    let flushing = std::thread::spawn(move || {
        let mut last = 0;
        while flusher.wait(Duration::from_secs(60)) {
            let flushed = flusher.flush().expect("flush");
            assert!(flushed.durable.frame > last);
            last = flushed.durable.frame;
        }
        flusher.close().expect("close");
        flusher.stats()
    });
    for sequence in 1..=FRAMES {
        let mut next = draft(sequence, 1, 0);
        next.body = log.spare_body();
        next.body.extend_from_slice(&[sequence as u8; 300]);
        log.append(next).expect("append");
        while log.queued().frames > 256 {
            std::thread::yield_now();
        }
    }
    drop(log);
    let stats = flushing.join().expect("flusher");
    assert!(
        stats.rolls > 3 && stats.groups <= FRAMES && stats.syncs == stats.groups + stats.seals,
        "{stats:?}"
    );
    let opened = opens(&path, "test").expect("opens");
    assert_eq!(
        (opened.recovery.frames, opened.recovery.last_sequence),
        (FRAMES, FRAMES)
    );
    assert!(opened.recovery.was_clean);
}

#[test]
fn a_frame_larger_than_a_segment_gets_the_room_it_needs() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("data");
    let mut opened = opens(&path, "test").expect("opens");
    for (sequence, bytes) in [(1, 3 << 20), (2, 10), (3, 5 << 20), (4, 10)] {
        opened
            .log
            .append(draft(sequence, 1, bytes))
            .expect("append");
        opened.flusher.flush().expect("flush");
        opened.flusher.seal().expect("seal");
    }
    drop(opened);
    let opened = opens(&path, "test").expect("opens");
    assert_eq!(opened.recovery.bytes, (8 << 20) + 20);
}
