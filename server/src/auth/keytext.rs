//! The text of a key: `msk_<id>_<secret>`, how it is drawn, read, and turned into what is kept of it.

use std::io;

use mainstay_core::{KeyDigest, KeyId};

const PREFIX: &str = "msk_";
const SECRET_CHARS: usize = 52;
/// What the digests of keys are for, so that no digest made elsewhere is ever equal to one.
const CONTEXT: &str = "mainstay 2026-11 digests of api keys";

/// Draws a key from the system's randomness: 260 bits of secret. Its id is random unless it was chosen.
///
/// # Errors
/// When the system has no randomness.
pub(crate) fn mint(chosen: Option<u128>) -> io::Result<(KeyId, String)> {
    let id = match chosen {
        Some(id) => id,
        None => {
            let mut bytes = [0u8; 16];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            // A UUID of version 4 (RFC 9562).
            bytes[6] = bytes[6] & 0x0f | 0x40;
            bytes[8] = bytes[8] & 0x3f | 0x80;
            u128::from_be_bytes(bytes)
        }
    };
    Ok((
        KeyId(id),
        format!("{PREFIX}{id:032x}_{}", letters(SECRET_CHARS)?),
    ))
}

/// This many letters of five random bits each.
pub(crate) fn letters(count: usize) -> io::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = vec![0u8; count];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let letters = random.iter().map(|byte| LETTERS[usize::from(byte & 31)]);
    Ok(letters.map(char::from).collect())
}

/// The id that a key's text names, when it has the form of a key.
pub(super) fn find_id(text: &[u8]) -> Option<KeyId> {
    let rest = text.strip_prefix(PREFIX.as_bytes())?;
    let (id, secret) = rest.split_at_checked(32)?;
    if secret.first() != Some(&b'_') || secret.len() != SECRET_CHARS + 1 {
        return None;
    }
    let mut value = 0u128;
    for byte in id {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    (value != 0).then_some(KeyId(value))
}

/// All that is kept of a key: a keyed hash of its whole text, under a key that follows from its id.
pub(crate) fn digest(id: KeyId, text: &[u8]) -> KeyDigest {
    let key = blake3::derive_key(CONTEXT, &id.0.to_be_bytes());
    KeyDigest(*blake3::keyed_hash(&key, text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{digest, find_id, mint};
    use mainstay_core::KeyId;

    #[test]
    fn a_key_names_its_id_and_nothing_else_is_a_key() {
        let (id, text) = mint(None).expect("randomness");
        assert_eq!(find_id(text.as_bytes()), Some(id));
        assert_ne!(mint(None).expect("randomness").0, id);
        let (chosen, text) = mint(Some(7)).expect("randomness");
        assert_eq!(chosen, KeyId(7));
        assert!(text.starts_with("msk_00000000000000000000000000000007_"));
        for wrong in [
            "",
            "msk_",
            "msk_0_a",
            &text[..text.len() - 1],
            &text.replace("msk_", "msk-"),
            &text.replace("7_", "g_"),
            &format!("{text}a"),
            &format!("msk_{}_{}", "0".repeat(32), "a".repeat(52)),
        ] {
            assert_eq!(find_id(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_digest_is_of_the_whole_text_and_of_this_id() {
        let (id, text) = mint(None).expect("randomness");
        let told = digest(id, text.as_bytes());
        assert_eq!(told, digest(id, text.as_bytes()));
        assert_ne!(told, digest(KeyId(1), text.as_bytes()));
        assert_ne!(told, digest(id, &text.as_bytes()[1..]));
        assert!(!format!("{told:?}").contains(&text[40..]));
    }
}
