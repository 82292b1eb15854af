//! Fencing tokens as workers see them: `incarnation.counter.mac`.
//! Owns: the text form and its authentication code: 128 bits of keyed BLAKE3 over (log id, run id, incarnation, counter).
//! Never: shows the key.

use mainstay_core::{Fence, RunId};

/// Makes and reads tokens of one data directory.
pub(crate) struct TokenKey {
    key: [u8; 32],
    log_id: u128,
}

impl TokenKey {
    pub(crate) fn new(secret: [u8; 32], log_id: u128) -> TokenKey {
        TokenKey {
            key: secret,
            log_id,
        }
    }

    fn mac(&self, run: RunId, fence: Fence) -> u128 {
        let mut text = [0u8; 48];
        text[..16].copy_from_slice(&self.log_id.to_be_bytes());
        text[16..32].copy_from_slice(&run.0.to_be_bytes());
        text[32..40].copy_from_slice(&fence.incarnation.to_be_bytes());
        text[40..].copy_from_slice(&fence.counter.to_be_bytes());
        let hash = blake3::keyed_hash(&self.key, &text);
        let mut mac = [0; 16];
        mac.copy_from_slice(&hash.as_bytes()[..16]);
        u128::from_be_bytes(mac)
    }

    pub(crate) fn write(&self, run: RunId, fence: Fence) -> String {
        format!(
            "{}.{}.{:032x}",
            fence.incarnation,
            fence.counter,
            self.mac(run, fence)
        )
    }

    /// The fence of a token that this data directory made for this run.
    pub(crate) fn read(&self, run: RunId, text: &str) -> Option<Fence> {
        let mut parts = text.split('.');
        let (incarnation, counter, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || mac.len() != 32 {
            return None;
        }
        let fence = Fence {
            incarnation: incarnation.parse().ok()?,
            counter: counter.parse().ok()?,
        };
        let given = u128::from_str_radix(mac, 16).ok()?;
        // One comparison of two words: its time does not tell how much of the code was right.
        let wrong = given ^ self.mac(run, fence);
        (wrong == 0 && self.write(run, fence) == text).then_some(fence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: Fence = Fence {
        incarnation: 3,
        counter: 41,
    };

    #[test]
    fn a_token_reads_back_for_its_own_run_only() {
        let key = TokenKey::new([7; 32], 9);
        let text = key.write(RunId(5), FENCE);
        assert_eq!(key.read(RunId(5), &text), Some(FENCE));
        assert_eq!(key.read(RunId(6), &text), None);
        assert_eq!(
            TokenKey::new([8; 32], 9).read(RunId(5), &text),
            None,
            "another directory's secret"
        );
        assert_eq!(
            TokenKey::new([7; 32], 8).read(RunId(5), &text),
            None,
            "another log"
        );
    }

    #[test]
    fn a_changed_token_is_no_token() {
        let key = TokenKey::new([7; 32], 9);
        let text = key.write(RunId(5), FENCE);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.read(RunId(5), &String::from_utf8(bytes).unwrap()), None);
        }
        for text in [
            "",
            "..",
            "3.41",
            "3.41.",
            "a.b.c",
            "3.41.00.00",
            &text.to_uppercase().replace("3.", "03."),
        ] {
            assert_eq!(key.read(RunId(5), text), None, "{text}");
        }
    }
}
