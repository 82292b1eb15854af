//! `Sometimes` marks: places that a long run must have reached, or it has tested less than it claims.

use std::collections::BTreeMap;

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<&'static str, u64>);

impl Marks {
    /// Marks that a long run of any worlds must reach.
    const PLAIN: &'static [&'static str] = &[
        "alarm forced a cancel",
        "answer completed from the store",
        "answer: commit unknown",
        "answer: stopped, nothing done",
        "busy: the store lags",
        "cancel before finish",
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
        "deferred submit answered before its frame",
        "deferred submit lost in a crash, whole",
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
        "lease expired",
        "lease extended as an event",
        "open refused: nothing reaches the log",
        "open refused: unreadable block",
        "payload fetched from the store",
        "power cut",
        "power cut after a sync error survived in the page cache",
        "process crash",
        "recovery cut a torn tail",
        "release of a dropped claim",
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

    /// Marks that a long run with wide worlds in it must reach too.
    const WIDE: &'static [&'static str] = &[
        "an actor drained",
        "an actor fell silent",
        "an actor left",
        "an actor was granted a run",
        "another tenant's run is unknown",
        "budget exhausted",
        "budget replenished: work goes on",
        "cancel swept a descendant",
        "child submitted with a finish",
        "children done: work goes on",
        "claim over all tenants given back to each",
        "claim over all tenants granted",
        "batch made whole",
        "ledger entry found by its key",
        "plan approved",
        "lease ended before work began",
        "occurrences skipped",
        "prerequisite completed",
        "prerequisite failed",
        "run moved by hand",
        "schedule made a run",
        "subscription resumed a run",
        "subscription triggered",
        "tenants took turns by weight",
        "two tenants have a task of the same id",
        "unknown tenant refused",
    ];

    /// Every mark that a long run must reach.
    pub fn wanted(with_wide: bool) -> impl Iterator<Item = &'static str> {
        let wide = if with_wide { Marks::WIDE } else { &[] };
        Marks::PLAIN.iter().chain(wide).copied()
    }

    /// Counts one.
    pub fn hit(&mut self, name: &'static str) {
        debug_assert!(
            Marks::wanted(true).any(|known| known == name),
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
        let wanted = Marks::wanted(with_wide);
        wanted.filter(|name| self.count(name) == 0).collect()
    }
}
