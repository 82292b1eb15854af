//! Cursors: where a page ended, as text that only this list of this log understands.
//! Owns: the bytes of a cursor.
//! Never: trusts them: a forged cursor is at worst another place in the same list.

use super::ask::ListError;
use super::walk::Key;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 8 + 8 + 4;

/// A hash of a list's name and filters: a cursor of other filters is refused.
pub(super) struct Filters(blake3::Hasher);

impl Filters {
    pub(super) fn of(list: &str) -> Filters {
        Filters(blake3::Hasher::new()).text(Some(list))
    }

    pub(super) fn text(mut self, value: Option<&str>) -> Filters {
        self.0.update(&[u8::from(value.is_some())]);
        let value = value.unwrap_or_default();
        self.0.update(&(value.len() as u64).to_le_bytes());
        self.0.update(value.as_bytes());
        self
    }

    pub(super) fn number(mut self, value: Option<u128>) -> Filters {
        self.0.update(&[u8::from(value.is_some())]);
        self.0.update(&value.unwrap_or_default().to_le_bytes());
        self
    }

    pub(super) fn done(self) -> [u8; 8] {
        short(&self.0.finalize())
    }
}

fn short(hash: &blake3::Hash) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    short
}

fn log_hash(log_id: &str) -> [u8; 8] {
    short(&blake3::hash(log_id.as_bytes()))
}

/// The cursor after this row, with this many matching rows still to be skipped.
pub(super) fn write<K: Key>(log_id: &str, filters: [u8; 8], last: &K, skip: u32) -> String {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + 40);
    bytes.push(VERSION);
    bytes.extend_from_slice(&log_hash(log_id));
    bytes.extend_from_slice(&filters);
    bytes.extend_from_slice(&skip.to_le_bytes());
    last.write(&mut bytes);
    encode(&bytes)
}

/// The row that this cursor stands after, and how many matching rows are still to be skipped.
pub(super) fn read<K: Key>(
    text: &str,
    log_id: &str,
    filters: [u8; 8],
) -> Result<(K, u32), ListError> {
    let bytes = decode(text).ok_or(ListError::CursorInvalid)?;
    if bytes.len() < HEAD_BYTES || bytes[0] != VERSION {
        return Err(ListError::CursorInvalid);
    }
    if bytes[9..17] != filters {
        return Err(ListError::CursorInvalid);
    }
    if bytes[1..9] != log_hash(log_id) {
        return Err(ListError::CursorExpired);
    }
    let skip = u32::from_le_bytes([bytes[17], bytes[18], bytes[19], bytes[20]]);
    let last = K::read(&bytes[HEAD_BYTES..]).ok_or(ListError::CursorInvalid)?;
    Ok((last, skip.min(mainstay_core::limits::LIST_OFFSET_MAX)))
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for digit in 0..=chunk.len() {
            let index = word >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[index as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for (at, digit) in chunk.iter().enumerate() {
            let value = DIGITS.iter().position(|known| known == digit)?;
            word |= (value as u32) << (18 - 6 * at);
        }
        let [_, full @ ..] = word.to_be_bytes();
        let kept = chunk.len() - 1;
        if kept == 0 || full[kept..].iter().any(|rest| *rest != 0) {
            return None;
        }
        bytes.extend_from_slice(&full[..kept]);
    }
    Some(bytes)
}
