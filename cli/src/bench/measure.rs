//! What a measurement shares between its callers, and what comes out of it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::args::BenchMode;

/// The lease of the runs that are measured: long enough that none expires.
pub(crate) const LEASE_MS: u64 = 300_000;
/// The queue and the kind of the tasks that are measured.
pub(crate) const QUEUE: &str = "bench";

/// What to drive and how hard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) mode: BenchMode,
    pub(crate) tasks: u64,
    pub(crate) batch: u64,
    pub(crate) payload_bytes: usize,
    pub(crate) workers: usize,
}

/// The report. Its keys are part of the contract.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) target: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) tasks: u64,
    pub(crate) batch: u64,
    pub(crate) payload_bytes: usize,
    pub(crate) submits_per_s: f64,
    pub(crate) claim_finish_per_s: Option<f64>,
    /// Of one submit call, from the call to its acknowledgement.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) syncs: Option<u64>,
    pub(crate) log_bytes: Option<u64>,
    /// Without the payload itself.
    pub(crate) rss_bytes_per_queued_run: Option<u64>,
    pub(crate) raw_fdatasync_p50_us: Option<f64>,
    pub(crate) peak_rss_bytes: Option<u64>,
}

impl Report {
    pub(crate) fn new(target: &'static str, plan: Plan) -> Report {
        let mode = match plan.mode {
            BenchMode::Submit => "submit",
            BenchMode::Lifecycle => "lifecycle",
        };
        let Plan {
            tasks,
            batch,
            payload_bytes,
            ..
        } = plan;
        Report {
            target,
            mode,
            tasks,
            batch,
            payload_bytes,
            ..Report::default()
        }
    }

    pub(crate) fn submitted(&mut self, phase: &Phase, took: Duration) {
        self.submits_per_s = rate(self.tasks, took);
        let (p50, p99) = phase.percentiles();
        (self.p50_us, self.p99_us) = (p50, p99);
    }

    pub(crate) fn worked(&mut self, took: Duration) {
        self.claim_finish_per_s = Some(rate(self.tasks, took));
    }
}

fn rate(tasks: u64, took: Duration) -> f64 {
    rounded(tasks as f64 / took.as_secs_f64().max(1e-9))
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// One phase: what is left to do, how far it is, how long each call took.
pub(crate) struct Phase {
    left: AtomicU64,
    batch: u64,
    progress: ProgressBar,
    samples: Mutex<Vec<u32>>,
}

impl Phase {
    pub(crate) fn new(tasks: u64, batch: u64, progress: ProgressBar) -> Phase {
        Phase {
            left: AtomicU64::new(tasks),
            batch,
            progress,
            samples: Mutex::default(),
        }
    }

    /// Takes the next piece of the work; `None` when there is none left.
    pub(crate) fn take(&self) -> Option<u64> {
        let mut left = self.left.load(Ordering::Relaxed);
        loop {
            let piece = left.min(self.batch);
            if piece == 0 {
                return None;
            }
            match self.left.compare_exchange_weak(
                left,
                left - piece,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(piece),
                Err(now) => left = now,
            }
        }
    }

    /// Puts back what could not be had yet.
    pub(crate) fn put_back(&self, count: u64) {
        self.left.fetch_add(count, Ordering::Relaxed);
    }

    /// Draws the progress.
    pub(crate) fn done(&self, count: u64) {
        self.progress.inc(count);
    }

    /// Hands in the durations of one caller's calls.
    pub(crate) fn hand_in(&self, samples: Vec<u32>) {
        self.samples
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(samples);
    }

    fn percentiles(&self) -> (f64, f64) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.sort_unstable();
        (percentile(&samples, 50), percentile(&samples, 99))
    }
}

/// Tenths of microseconds since `start`, as samples keep them.
pub(crate) fn sample(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_nanos() / 100).unwrap_or(u32::MAX)
}

/// The percentile in microseconds of sorted samples in tenths of microseconds: the smallest that so many are not above.
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank - 1)
        .map_or(0.0, |tenths| f64::from(*tenths) / 10.0)
}

/// A payload of exactly so many bytes: a JSON string that differs from task to task. Cheap, since callers share the processor with
/// what they measure.
pub(crate) fn payload(bytes: usize, number: u64) -> Vec<u8> {
    let mut text = vec![b'x'; bytes];
    if let [quote, inner @ .., end] = &mut text[..] {
        (*quote, *end) = (b'"', b'"');
        for (place, digit) in inner.iter_mut().take(16).enumerate() {
            *digit = b'a' + (number >> (4 * place) & 15) as u8;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_hands_out_exactly_its_work() {
        let phase = Phase::new(25, 10, ProgressBar::hidden());
        assert_eq!(
            [phase.take(), phase.take(), phase.take(), phase.take()],
            [Some(10), Some(10), Some(5), None]
        );
        phase.put_back(3);
        assert_eq!(phase.take(), Some(3));
    }

    #[test]
    fn percentiles_are_samples_that_were_taken() {
        let samples: Vec<u32> = (1..=100).map(|n| n * 10).collect();
        assert_eq!(
            (percentile(&samples, 50), percentile(&samples, 99)),
            (50.0, 99.0)
        );
        assert_eq!(percentile(&[70], 99), 7.0);
        assert_eq!(percentile(&[], 50), 0.0);
    }

    #[test]
    fn payloads_are_json_of_the_length_asked_for_and_differ() {
        assert_ne!(payload(256, 1), payload(256, 2));
        for bytes in [2, 3, 17, 18, 256] {
            let text = payload(bytes, 7);
            assert_eq!(text.len(), bytes);
            assert!(serde_json::from_slice::<String>(&text).is_ok());
        }
    }
}
