//! `Sometimes` marks: places that a long run must have reached, or it has tested less than it claims.

use std::collections::BTreeMap;

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<&'static str, u64>);

impl Marks {
    /// Every mark that a long run must reach.
    pub const WANTED: &'static [&'static str] = &[
        "alarm forced a cancel",
        "answer completed from the store",
        "answer: commit unknown",
        "answer: stopped, nothing done",
        "budget exhausted",
        "budget replenished: work goes on",
        "busy: the store lags",
        "cancel before finish",
        "cancel swept a descendant",
        "child submitted with a finish",
        "children done: work goes on",
        "claim answered after a wait",
        "claim found a key busy",
        "claim repeated by key",
        "claim wait ended empty",
        "clean stop",
        "clock adopted a jump",
        "clock went back more than an hour",
        "commit unknown: found after recovery",
        "commit unknown: gone after recovery",
        "crash between segment name and manifest",
        "crash in a snapshot",
        "crash in a snapshot's renaming",
        "crash in a trim",
        "crash in recovery, depth 3",
        "crash in segment roll",
        "crash while a lost store is filled",
        "crash with a full queue",
        "dead letter at the limit",
        "disk full",
        "event cursor expired",
        "events read",
        "explain: held back, and no claim got it",
        "explain: runnable, and a claim got it",
        "finish before cancel",
        "finish repeated from the store",
        "finish repeated, same answer",
        "finish with another outcome refused",
        "finished row answered from the store",
        "flush inside a snapshot",
        "idempotency key answered from the store",
        "idempotency key repeated after restart",
        "idempotency key with another request refused",
        "lease ended before work began",
        "lease expired",
        "lease extended as an event",
        "occurrences skipped",
        "open refused: nothing reaches the log",
        "open refused: unreadable block",
        "payload fetched from the store",
        "power cut",
        "power cut after a sync error survived in the page cache",
        "prerequisite completed",
        "prerequisite failed",
        "process crash",
        "recovery cut a torn tail",
        "release of a dropped claim",
        "run moved by hand",
        "schedule made a run",
        "seal written",
        "segments trimmed",
        "short write went on",
        "snapshot given up after a fault",
        "snapshot inside a flush",
        "snapshot used",
        "snapshot written",
        "store lost",
        "store rolled back",
        "store rot found",
        "subscription resumed a run",
        "subscription triggered",
        "sync error with waiting answers",
        "task expired unstarted",
        "timeout",
        "torn sector",
        "transactional outcome unknown",
        "trimmed log reopened",
        "turn inside a flush",
        "write error",
        "zombie finish rejected",
        "zombie heartbeat rejected",
    ];

    /// Of these, the ones that only wide worlds come to.
    pub const WIDE: &'static [&'static str] = &[
        "budget exhausted",
        "budget replenished: work goes on",
        "cancel swept a descendant",
        "child submitted with a finish",
        "children done: work goes on",
        "lease ended before work began",
        "occurrences skipped",
        "prerequisite completed",
        "prerequisite failed",
        "run moved by hand",
        "schedule made a run",
        "subscription resumed a run",
        "subscription triggered",
    ];

    /// Counts one.
    pub fn hit(&mut self, name: &'static str) {
        debug_assert!(
            Marks::WANTED.contains(&name),
            "`{name}` is not a known mark"
        );
        *self.0.entry(name).or_default() += 1;
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Marks) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// How often a mark was reached.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The marks not reached.
    #[must_use]
    pub fn missing(&self, with_wide: bool) -> Vec<&'static str> {
        let wanted = Marks::WANTED.iter().copied();
        wanted
            .filter(|name| self.count(name) == 0)
            .filter(|name| with_wide || !Marks::WIDE.contains(name))
            .collect()
    }
}
