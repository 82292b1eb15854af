//! The two clocks of the machine: recorded wall time for people and steady time for spans.
//! Owns: the meaning of `Timestamp` and `Steady`.
//! Never: reads a clock; both arrive as inputs.

/// An instant of recorded time: milliseconds since 1970-01-01T00:00:00Z. It never runs backwards within a data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The last instant that the RFC 3339 text form can show: 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// This instant plus a span, clamped to [`Timestamp::MAX`].
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(ms).min(Self::MAX.0))
    }
}

/// Steady time: milliseconds that pass evenly whatever the wall clock does, counted over the life of a data directory.
/// Leases, attempt deadlines and retry delays run on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Steady(pub u64);

impl Steady {
    /// This instant plus a span; saturates.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Steady {
        Steady(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant, 0 when it lies behind.
    #[must_use]
    pub fn since_ms(self, earlier: Steady) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
