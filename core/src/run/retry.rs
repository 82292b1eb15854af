//! How long a failed run waits: backoff with deterministic jitter.
//! Owns: the delay formula: min(max, initial × multiplier^(n−1)), full jitter uniform in 0..=delay (Brooker, "Exponential Backoff And
//! Jitter", 2015).
//! Never: uses a float or a random number; the jitter is a mix of the run's id and the failure's number.

use crate::RunId;
use crate::id::mix;
use crate::task::{Jitter, Retry, Strategy};

/// Milliseconds before the attempt that follows failure number `failures` (from 1).
pub(crate) fn delay_ms(retry: &Retry, run: RunId, failures: u32) -> u64 {
    let base = match retry.strategy {
        Strategy::Fixed => retry.initial_ms.min(retry.max_ms),
        Strategy::Exponential => {
            let mut delay = u128::from(retry.initial_ms) * 1000;
            let max = u128::from(retry.max_ms) * 1000;
            for _ in 1..failures {
                if delay >= max || retry.multiplier_milli <= 1000 {
                    break;
                }
                delay = delay * u128::from(retry.multiplier_milli) / 1000;
            }
            (delay.min(max) / 1000) as u64
        }
    };
    match retry.jitter {
        Jitter::None => base,
        Jitter::Full => {
            let random = mix(run.0 as u64 ^ mix((run.0 >> 64) as u64 ^ u64::from(failures)));
            // Multiply-shift instead of a remainder: uniform over 0..=base to within 2^-64.
            ((u128::from(random) * (u128::from(base) + 1)) >> 64) as u64
        }
    }
}
