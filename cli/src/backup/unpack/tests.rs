//! Archives that are what they should be, and those that are not.

use super::*;

fn header(name: &str, bytes: usize, kind: u8) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{bytes:011o}\0").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, content.len(), b'0');
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn refused(archive: &[u8]) -> String {
    let place = tempfile::tempdir().unwrap();
    let into = place.path().join("into");
    let mut unpack = Unpack::begin(&into).unwrap();
    let taken = unpack.take(archive);
    let ended = taken.and_then(|()| unpack.finish(&mut |_| {}));
    assert!(!into.exists(), "what is not finished is taken away");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    ended.unwrap_err().message
}

#[test]
fn pieces_of_any_size_come_to_the_same_files() {
    let label = b"{\"format\": 1}";
    let store = [7; 1500];
    let mut archive = entry(LABEL_FILE, label);
    archive.extend(entry(STORE_FILE, &store));
    archive.extend([0; 2 * BLOCK]);
    for size in [1, 7, 511, 512, 513, 4096] {
        let place = tempfile::tempdir().unwrap();
        let mut unpack = Unpack::begin(place.path()).unwrap();
        for piece in archive.chunks(size) {
            unpack.take(piece).unwrap();
        }
        assert_eq!(unpack.next, Next::End);
        let read = |name| std::fs::read(place.path().join(name)).unwrap();
        assert_eq!(read(LABEL_PASSING), label);
        assert_eq!(read(STORE_FILE), store);
    }
}

#[test]
fn an_archive_never_writes_anything_but_the_two_files() {
    for name in [
        "../store.db",
        "/tmp/x",
        "store.db/x",
        "admin.key",
        "./backup.json",
    ] {
        assert!(refused(&entry(name, b"x")).contains("it holds"), "{name}");
    }
    for kind in [b'1', b'2', b'5', b'x'] {
        assert!(refused(&header(STORE_FILE, 0, kind)).contains("it holds"));
    }
    let twice = [entry(STORE_FILE, b"a"), entry(STORE_FILE, b"b")].concat();
    assert!(refused(&twice).contains("twice"));
}

#[test]
fn a_short_or_foreign_archive_is_refused() {
    let short = entry(STORE_FILE, b"a");
    assert!(refused(&short).contains("too early"));
    assert!(refused(&short[..700]).contains("too early"));
    let mut flipped = short.clone();
    flipped[3] ^= 1;
    assert!(refused(&flipped).contains("sum"));
    assert!(refused(&header(LABEL_FILE, 1 << 20, b'0')).contains("bytes"));
    assert!(refused(b"<html>").contains("too early"));
    let after = [vec![0; BLOCK], entry(STORE_FILE, b"a")].concat();
    assert!(refused(&after).contains("after its end"));
}

#[test]
fn a_directory_with_something_in_it_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("letter"), "").unwrap();
    let refused = Unpack::begin(place.path()).unwrap_err();
    assert_eq!(refused.code, Code::CannotCreate);
    assert!(place.path().join("letter").exists());
}
