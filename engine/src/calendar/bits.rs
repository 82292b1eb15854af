//! Small sets of numbers below 64.
//! Owns: what one field of an expression allows.
//! Never: holds a number beyond 63.

/// A set of numbers from 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(pub(super) u64);

impl Bits {
    pub(super) fn add(&mut self, number: u32) {
        self.0 |= 1 << number;
    }

    pub(super) fn has(self, number: u32) -> bool {
        number < 64 && self.0 >> number & 1 == 1
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The first number from this one on.
    pub(super) fn from(self, number: u32) -> Option<u32> {
        let rest = self.0.checked_shr(number).unwrap_or(0);
        (rest != 0).then(|| number + rest.trailing_zeros())
    }

    /// The last number up to this one.
    pub(super) fn to(self, number: u32) -> Option<u32> {
        let rest = self.0 << (63 - number.min(63));
        (rest != 0).then(|| number.min(63) - rest.leading_zeros())
    }

    /// How many numbers come before this one.
    pub(super) fn below(self, number: u32) -> u32 {
        match number {
            0 => 0,
            1..=63 => (self.0 & ((1 << number) - 1)).count_ones(),
            _ => self.len(),
        }
    }
}
