//! Labels of backups: what is read is what was written, and any changed byte is seen.

use std::path::Path;

use super::*;

fn label() -> Backup {
    Backup {
        format: FORMAT,
        log_id: "5f8cf2d6-5a5c-4a52-8bd5-1d9a1f9c2c10".into(),
        sequence: 42,
        wall: 1_790_000_000_000,
        created_at: 1_790_000_000_100,
        version: "0.1.0".into(),
        live_rows: 3,
        live_sum: format!("{:016x}", 7),
        digest: "ab".repeat(32),
        files: vec![BackupFile {
            name: STORE_FILE.into(),
            bytes: 8192,
            blake3: "cd".repeat(32),
        }],
        check: String::new(),
    }
}

#[test]
fn a_label_is_read_as_it_was_written() {
    let mut label = label();
    let text = label.encode();
    assert_eq!(Backup::decode(Path::new("l"), &text).unwrap(), label);
}

#[test]
fn any_changed_byte_of_a_label_is_seen() {
    let text = label().encode();
    for at in 0..text.len() {
        let mut other = text.clone();
        other[at] ^= 1;
        let read = Backup::decode(Path::new("l"), &other);
        // Space between the fields says nothing.
        let is_blank = text[at].is_ascii_whitespace();
        assert!(read.is_err() || is_blank, "byte {at} of {text:?}");
    }
}

#[test]
fn a_label_of_a_later_form_is_told_apart_from_damage() {
    let mut later = label();
    later.format = FORMAT + 1;
    let read = Backup::decode(Path::new("l"), &later.encode());
    assert!(matches!(read, Err(OpsError::Format { found: 2, .. })));
}

#[test]
fn a_label_never_names_a_file_elsewhere() {
    for name in ["../store.db", "/etc/passwd", "store.db/..", ""] {
        let mut label = label();
        label.files[0].name = name.into();
        assert!(Backup::decode(Path::new("l"), &label.encode()).is_err());
    }
}
