//! How each kind of value sits in a field.
//! Owns: the `Field` forms and the `record!` macro.
//! Never: knows an event.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::wire::{Malformed, Value, put_bytes, put_number, put_u128, put_varint};
use crate::actor::Departure;
use crate::ledger::{ApprovalState, Decision};
use crate::operation::{Action, OperationState};
use crate::platform::KeyDigest;
use crate::run::{AttemptResult, Cause, Hold, Origin, State};
use crate::schedule::{Misfire, Overlap, SkipCause};
use crate::task::{HoldPolicy, Jitter, SafetyLevel, Strategy};
use crate::time::{Steady, Timestamp};
use crate::webhook::DeliveryState;
use crate::{
    ActorId, ApprovalId, Bytes, KeyId, OperationId, RunId, SubscriptionId, TaskId, TenantId, Text,
    WebhookId,
};

/// A set of numbered fields.
pub(crate) trait Record: Default {
    /// Appends the fields.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads the fields; unknown numbers are skipped, absent ones keep their default.
    fn read(body: &[u8]) -> Result<Self, Malformed>;
}

/// One field's form.
pub(crate) trait Field {
    fn put(&self, number: u64, out: &mut Vec<u8>);
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed>;
}

macro_rules! record {
    ($name:ident { $($number:literal $field:ident),* $(,)? }) => {
        impl $crate::codec::Record for $name {
            fn put(&self, _out: &mut alloc::vec::Vec<u8>) {
                $($crate::codec::Field::put(&self.$field, $number, _out);)*
            }

            fn read(body: &[u8]) -> Result<Self, $crate::codec::Malformed> {
                let mut _row = <$name>::default();
                let mut reader = $crate::codec::Reader::new(body);
                while let Some((number, _value)) = reader.field()? {
                    match number {
                        $($number => $crate::codec::Field::take(&mut _row.$field, _value)?,)*
                        _ => {}
                    }
                }
                Ok(_row)
            }
        }
    };
}
pub(crate) use record;

/// Records that stand inside others, always present.
macro_rules! nested {
    ($($name:ident),+) => {$(
        impl Field for $name {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                put_record(self, number, out);
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                take_record(self, value)
            }
        }
    )+};
}
pub(crate) use nested;

macro_rules! number_field {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                put_number(out, number, u64::from(*self));
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                *self = <$type>::try_from(value.number()?).map_err(|_| Malformed("a number out of range"))?;
                Ok(())
            }
        }
    )+};
}
number_field!(u32, u64);

impl Field for i32 {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        // ZigZag, as protobuf's sint32.
        put_number(out, number, u64::from((self << 1 ^ self >> 31) as u32));
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let raw = u32::try_from(value.number()?).map_err(|_| Malformed("a number out of range"))?;
        *self = (raw >> 1) as i32 ^ -((raw & 1) as i32);
        Ok(())
    }
}

impl Field for bool {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        if *self {
            put_number(out, number, 1);
        }
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = value.number()? != 0;
        Ok(())
    }
}

impl Field for Timestamp {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        self.0.put(number, out);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        self.0.take(value)
    }
}

impl Field for Steady {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        self.0.put(number, out);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        self.0.take(value)
    }
}

impl Field for u128 {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        put_u128(out, number, *self);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let bytes = value
            .bytes()?
            .try_into()
            .map_err(|_| Malformed("an id that is not 16 bytes"))?;
        *self = u128::from_be_bytes(bytes);
        Ok(())
    }
}

macro_rules! id_field {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                self.0.put(number, out);
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                self.0.take(value)
            }
        }
    )+};
}
id_field!(
    TaskId,
    RunId,
    TenantId,
    SubscriptionId,
    ActorId,
    KeyId,
    ApprovalId,
    OperationId,
    WebhookId
);

impl Field for KeyDigest {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        put_bytes(out, number, &self.0);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let wrong = Malformed("a digest that is not 32 bytes");
        self.0 = value.bytes()?.try_into().map_err(|_| wrong)?;
        Ok(())
    }
}

impl Field for Text {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        put_bytes(out, number, self.as_bytes());
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let text = core::str::from_utf8(value.bytes()?)
            .map_err(|_| Malformed("text that is not UTF-8"))?;
        *self = Text::from(text);
        Ok(())
    }
}

impl Field for Bytes {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        put_bytes(out, number, self);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Bytes::from(value.bytes()?);
        Ok(())
    }
}

macro_rules! option_field {
    ($($type:ty),+) => {$(
        impl Field for Option<$type> {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                if let Some(value) = self {
                    value.put(number, out);
                }
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                self.get_or_insert_default().take(value)
            }
        }
    )+};
}
option_field!(
    Text,
    Bytes,
    Timestamp,
    Steady,
    u32,
    u64,
    i32,
    AttemptResult,
    TaskId,
    RunId,
    ActorId,
    State
);

impl<T: Record> Field for Option<Box<T>> {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        if let Some(record) = self {
            put_record(&**record, number, out);
        }
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Some(Box::new(T::read(value.bytes()?)?));
        Ok(())
    }
}

impl<T: Record> Field for Box<T> {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        put_record(&**self, number, out);
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        take_record(&mut **self, value)
    }
}

pub(crate) fn put_record<T: Record>(record: &T, number: u64, out: &mut Vec<u8>) {
    put_varint(out, number << 3 | 2);
    put_sized(out, |out| record.put(out));
}

/// Appends what `write` writes behind its length. Lengths below 16 KiB take two bytes, so that nothing moves afterwards.
pub(crate) fn put_sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0, 0]);
    write(out);
    let length = out.len() - at - 2;
    if length < 1 << 14 {
        out[at] = (length & 0x7f) as u8 | 0x80;
        out[at + 1] = (length >> 7) as u8;
    } else {
        let mut head = Vec::with_capacity(10);
        put_varint(&mut head, length as u64);
        out.splice(at..at + 2, head);
    }
}

impl<T: Field + Default> Field for Vec<T> {
    fn put(&self, number: u64, out: &mut Vec<u8>) {
        for item in self {
            item.put(number, out);
        }
    }
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let mut item = T::default();
        item.take(value)?;
        self.push(item);
        Ok(())
    }
}

macro_rules! code_field {
    ($($type:ident { $($variant:ident = $code:literal),+ })+) => {$(
        impl Field for $type {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                let code = match self { $($type::$variant => $code),+ };
                put_number(out, number, code);
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                *self = match value.number()? {
                    $($code => $type::$variant,)+
                    _ => return Err(Malformed(concat!("an unknown ", stringify!($type)))),
                };
                Ok(())
            }
        }
    )+};
}
code_field! {
    Strategy { Fixed = 0, Exponential = 1 }
    Jitter { None = 0, Full = 1 }
    HoldPolicy { HoldDuringRetry = 0, ReleaseOnRetry = 1 }
    SafetyLevel { Pure = 0, Idempotent = 1, Transactional = 2 }
    Misfire { Skip = 0, RunOnce = 1, RunAll = 2 }
    Overlap { Allow = 0, Skip = 1, QueueOne = 2, CancelPrevious = 3 }
    SkipCause { Misfire = 0, Overlap = 1, CatchUp = 2 }
    Departure { Requested = 0, Silent = 1 }
}

macro_rules! named_field {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                put_number(out, number, *self as u64);
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                let unknown = Malformed(concat!("an unknown ", stringify!($type)));
                *self = <$type>::from_code(value.number()?).ok_or(unknown)?;
                Ok(())
            }
        }
    )+};
}
named_field!(
    AttemptResult,
    Cause,
    State,
    ApprovalState,
    Decision,
    Action,
    OperationState,
    DeliveryState
);

/// Codes whose zero, the usual case, is not written.
macro_rules! rare_code_field {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn put(&self, number: u64, out: &mut Vec<u8>) {
                if *self as u64 > 0 {
                    put_number(out, number, *self as u64);
                }
            }
            fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
                let unknown = Malformed(concat!("an unknown ", stringify!($type)));
                *self = <$type>::from_code(value.number()?).ok_or(unknown)?;
                Ok(())
            }
        }
    )+};
}
rare_code_field!(Hold, Origin);

/// A record inside a record, always present.
pub(crate) fn take_record<T: Record>(row: &mut T, value: Value<'_>) -> Result<(), Malformed> {
    *row = T::read(value.bytes()?)?;
    Ok(())
}
