//! The calls of operators: dead letters and operations on many runs.

use crate::client::segment;
use crate::retry::Repeat;
use crate::wire::{RetryRun, RunRetried};
use crate::{Client, Error};

/// Dead letters.
impl Client {
    /// Tries a dead letter again. A repeat whose first try did arrive is refused as `not_dead_lettered`, so nothing is tried twice.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn retry_run(&self, run_id: &str, reason: Option<&str>) -> Result<RunRetried, Error> {
        let body = RetryRun {
            reason: reason.map(Into::into),
            expected_state: None,
        };
        let path = format!("/api/v1/runs/{}/retry", segment(run_id));
        self.post(path, &body, Repeat::UnlessUncertain).await
    }
}
