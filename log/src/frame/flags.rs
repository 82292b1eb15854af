//! The flag bits of a frame.
//! Owns: which bit means what.
//! Never: reuses a bit.

/// Flags of a frame. Bits 5 to 15 are zero in this format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// Closes the group before it; carries no events.
    pub const SEAL: Flags = Flags(1);
    /// The seal of a clean stop.
    pub const CLEAN: Flags = Flags(1 << 1);
    /// Copied by recovery from an open tail.
    pub const REWRITTEN: Flags = Flags(1 << 2);
    /// The body is compressed. Not understood by this version.
    pub const COMPRESSED: Flags = Flags(1 << 3);
    /// The body is encrypted with the key that the header names. Not understood by this version.
    pub const ENCRYPTED: Flags = Flags(1 << 4);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` set.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether this version understands every set bit.
    pub(crate) fn understood(self) -> bool {
        let known = Flags::SEAL.with(Flags::CLEAN).with(Flags::REWRITTEN);
        self.0 & !known.0 == 0
    }
}
