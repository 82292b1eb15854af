//! Tagged fields in the wire format of Protocol Buffers: any protobuf tool can read a record.
//! Owns: varints, field headers, the reader's checks.
//! Never: panics or allocates on the word of a length it has not checked.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>, wire types 0 (varint) and 2 (length-delimited) only.

use alloc::vec::Vec;
use core::fmt;

/// The bytes are not what the codec writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed record: {}", self.0)
    }
}

/// Numbers below this take one byte.
const SHORT: u64 = 0x80;
/// Fields below this have heads of one byte.
const SHORT_FIELD: u64 = SHORT >> 3;

/// Appends an unsigned LEB128 number. Most are small.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, value: u64) {
    if value < SHORT {
        out.push(value as u8);
    } else {
        put_long_varint(out, value);
    }
}

#[inline(never)]
fn put_long_varint(out: &mut Vec<u8>, mut value: u64) {
    let (mut form, mut length) = ([0; 10], 0);
    for byte in &mut form {
        *byte = value as u8 | 0x80;
        length += 1;
        value >>= 7;
        if value == 0 {
            *byte &= 0x7f;
            break;
        }
    }
    out.extend_from_slice(&form[..length]);
}

#[inline]
pub(crate) fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    let length = value.len() as u64;
    if field < SHORT_FIELD && length < SHORT {
        out.extend_from_slice(&[field << 3 | 2, length].map(|part| part as u8));
    } else {
        put_varint(out, field << 3 | 2);
        put_varint(out, length);
    }
    out.extend_from_slice(value);
}

pub(crate) fn put_u128(out: &mut Vec<u8>, field: u64, value: u128) {
    let value = value.to_be_bytes();
    if field >= SHORT_FIELD {
        return put_bytes(out, field, &value);
    }
    let mut form = [0; 18];
    form[..2].copy_from_slice(&[field << 3 | 2, 16].map(|part| part as u8));
    form[2..].copy_from_slice(&value);
    out.extend_from_slice(&form);
}

/// A field's value as it stands in the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self {
            Value::Number(value) => Ok(value),
            Value::Bytes(_) => Err(Malformed("bytes where a number belongs")),
        }
    }

    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Value::Bytes(value) => Ok(value),
            Value::Number(_) => Err(Malformed("a number where bytes belong")),
        }
    }
}

/// Walks over bytes, checking every length before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().copied().enumerate() {
            if index == 9 && byte > 1 {
                return Err(Malformed("a number beyond 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(Malformed("a number that does not end"))
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Malformed("a length beyond the end"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn sized(&mut self) -> Result<&'a [u8], Malformed> {
        let length =
            usize::try_from(self.varint()?).map_err(|_| Malformed("a length beyond the end"))?;
        self.take(length)
    }

    /// The next field's number and value; `None` at the end.
    pub(crate) fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        let head = self.varint()?;
        let value = match head & 7 {
            0 => Value::Number(self.varint()?),
            2 => Value::Bytes(self.sized()?),
            _ => return Err(Malformed("an unknown wire type")),
        };
        Ok(Some((head >> 3, value)))
    }
}
