//! What many failures have in common: a number that is the same for the same kind, code and message.
//! Owns: how a message is folded.
//! Never: changes what it gives for a message: stores keep it.

use core::fmt;

/// The fingerprint of a failure: the same for failures of one kind with one code whose messages differ only in numbers and ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a failure of this kind.
    ///
    /// In the message every run of letters and digits that holds a digit counts as one `#`, whatever it is: numbers, hexadecimal text and
    /// the parts of UUIDs. White space counts as one blank.
    #[must_use]
    pub fn of(kind: &str, code: &str, message: &str) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        for part in [kind, code] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        fold(message, |piece| {
            hasher.update(piece.as_bytes());
        });
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Fingerprint(u64::from_be_bytes(short))
    }

    /// The fingerprint of this text, 16 hexadecimal digits, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok());
        number.flatten().map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Gives the message piece by piece, with what differs from one failure to the next folded.
fn fold(message: &str, mut give: impl FnMut(&str)) {
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let end = |alike: fn(char) -> bool| rest.find(|c| !alike(c)).unwrap_or(rest.len());
        let length = match first {
            _ if is_uuid(rest) => UUID_BYTES,
            _ if is_word(first) => end(is_word),
            _ if first.is_whitespace() => end(char::is_whitespace),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        if first.is_whitespace() {
            give(" ");
        } else if differs(piece) {
            give("#");
        } else {
            give(piece);
        }
    }
}

/// Bytes of a UUID as text.
const UUID_BYTES: usize = 36;

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the text begins with a UUID: some of its parts may be without a digit.
fn is_uuid(text: &str) -> bool {
    text.len() >= UUID_BYTES
        && text
            .bytes()
            .take(UUID_BYTES)
            .enumerate()
            .all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
}

/// Whether a piece is a number or an id rather than a word.
fn differs(piece: &str) -> bool {
    let is_hex = piece.len() >= 8 && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || piece.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    fn of(message: &str) -> Fingerprint {
        Fingerprint::of("mail", "failed", message)
    }

    #[test]
    fn numbers_and_ids_make_no_difference() {
        let first = of("timeout after 3000 ms for a1b2 (0193c7e0-aaaa-7bbb-8ccc-ddddeeeeffff)");
        let second = of("timeout after 17 ms  for f00 (0193c7e1-1111-7bbb-8ccc-abcdefabcdef)");
        assert_eq!(first, second);
        assert_eq!(of("at deadbeef"), of("at 0xcafe17"));
        assert_ne!(of("refused"), of("timed out"));
        assert_ne!(of("refused"), Fingerprint::of("mail", "other", "refused"));
        assert_ne!(of("refused"), Fingerprint::of("mailf", "ailed", "refused"));
    }

    #[test]
    fn a_fingerprint_is_for_ever() {
        let known = Fingerprint::of("mail.send", "smtp", "550 no such user <é 12>");
        assert_eq!(Fingerprint::parse(&alloc::format!("{known}")), Some(known));
        assert_eq!(alloc::format!("{known}"), "a2407bab1813d024");
        assert_eq!(Fingerprint::parse("xyz"), None);
    }
}
