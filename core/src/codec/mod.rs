//! The codec room: how commands and events become the opaque bodies of log frames, and back.

mod body;
mod fields;
mod record;
mod wire;

pub use body::{CommandRecord, DecodeError, decode, encode};
pub(crate) use record::{Field, Record, nested, put_record, record, take_record};
pub use wire::Malformed;
pub(crate) use wire::{Reader, Value, put_bytes, put_u128, put_varint};

#[cfg(test)]
mod tests;
