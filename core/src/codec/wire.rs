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

/// Appends an unsigned LEB128 number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

pub(crate) fn put_u128(out: &mut Vec<u8>, field: u64, value: u128) {
    put_bytes(out, field, &value.to_be_bytes());
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
