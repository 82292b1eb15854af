//! Tests of log ids, derived randomness and what debug text shows.
//! Owns: what identities and random streams promise.
//! Never: opens a log.

use super::{Entropy, Identity, LogId, RandomStream, fresh};

#[test]
fn a_log_id_is_uuid_text_and_back() {
    let id = LogId(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
    assert_eq!(id.to_string(), "01234567-89ab-cdef-0011-223344556677");
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "",
        "01234567",
        "0123456789abcdef0011223344556677",
        "01234567-89ab-cdef-0011-22334455667g",
    ] {
        assert!(wrong.parse::<LogId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_fresh_log_id_is_a_random_uuid() {
    let text = fresh(&Entropy([1; 64])).0.to_string();
    assert_eq!(text.as_bytes()[14], b'4');
    assert!(b"89ab".contains(&text.as_bytes()[19]));
}

#[test]
fn the_same_entropy_gives_other_salts_to_another_life_or_log() {
    let entropy = Entropy([1; 64]);
    let salt = |log_id, life| RandomStream::new(&entropy, "salts", LogId(log_id), life).salt();
    assert!(salt(1, 1) == salt(1, 1));
    assert!(salt(1, 1) != salt(1, 2) && salt(1, 1) != salt(2, 1));
}

#[test]
fn debug_text_shows_no_secret() {
    let identity = Identity {
        log_id: LogId(1),
        incarnation: 2,
        secret: [0xee; 32],
    };
    let text = format!("{identity:?} {:?}", Entropy([0xee; 64]));
    assert!(!text.contains("238") && !text.contains("ee, "), "{text}");
}
