//! The calls of operators: dead letters and operations on many runs.

use hyper::Method;

use crate::calls::reason_body;
use crate::client::segment;
use crate::lists::Target;
use crate::retry::Repeat;
use crate::wire::{
    Bulk, BulkPreview, ClearDeadLetters, DeadLetterCleared, DeadLetterGroups, DeadLetterList,
    Operation, OperationList, RetryRun, RunFilter, RunRetried,
};
use crate::{Client, Error, Page};

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

    /// One page of dead letters, the last that failed first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn dead_letters(
        &self,
        filter: &RunFilter<'_>,
        page: &Page,
    ) -> Result<DeadLetterList, Error> {
        let mut path = letters_path(filter);
        path.add_page(page);
        self.get(path.done()).await
    }

    /// Dead letters by what they have in common, the largest group first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn dead_letter_groups(
        &self,
        filter: &RunFilter<'_>,
        limit: Option<u32>,
    ) -> Result<DeadLetterGroups, Error> {
        let mut path = letters_path(filter);
        path.add("group", Some("fingerprint"));
        path.add("limit", limit.map(|limit| limit.to_string()).as_deref());
        self.get(path.done()).await
    }

    /// Clears a dead letter away.
    ///
    /// # Errors
    /// See [`Error`]; `not_dead_lettered` for a run that is none.
    pub async fn clear_dead_letter(
        &self,
        run_id: &str,
        reason: Option<&str>,
    ) -> Result<DeadLetterCleared, Error> {
        let path = format!("/api/v1/dead-letters/{}", segment(run_id));
        self.send(Method::DELETE, path, &reason_body(reason)).await
    }

    /// What clearing every dead letter that matches would come to.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn preview_clear(&self, ask: &ClearDeadLetters<'_>) -> Result<BulkPreview, Error> {
        let ask = ClearDeadLetters {
            dry_run: Some(true),
            ..ask.clone()
        };
        self.post(CLEAR.into(), &ask, Repeat::Safe).await
    }

    /// Clears every dead letter away that matches. It goes on by itself: see [`Client::operation`].
    ///
    /// # Errors
    /// See [`Error`]; `expected_count_mismatch` when another number matches.
    pub async fn clear_dead_letters(&self, ask: &ClearDeadLetters<'_>) -> Result<Operation, Error> {
        self.post(CLEAR.into(), ask, Repeat::UnlessUncertain).await
    }
}

const CLEAR: &str = "/api/v1/dead-letters/clear";
const BULK: &str = "/api/v1/bulk";

fn letters_path(filter: &RunFilter<'_>) -> Target {
    let mut path = Target::new("/api/v1/dead-letters");
    for (name, value) in filter.pairs() {
        path.add(name, Some(value));
    }
    path
}

/// Acts on many runs.
impl Client {
    /// What an act on many runs would come to.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn preview_bulk(&self, ask: &Bulk<'_>) -> Result<BulkPreview, Error> {
        let ask = Bulk {
            dry_run: Some(true),
            ..ask.clone()
        };
        self.post(BULK.into(), &ask, Repeat::Safe).await
    }

    /// Begins to act on every run that matches. A small one is over when this answers; a larger one goes on by itself: see
    /// [`Client::operation`].
    ///
    /// # Errors
    /// See [`Error`]; `expected_count_mismatch` when another number matches.
    pub async fn bulk(&self, ask: &Bulk<'_>) -> Result<Operation, Error> {
        self.post(BULK.into(), ask, Repeat::UnlessUncertain).await
    }

    /// How far an act on many runs has come.
    ///
    /// # Errors
    /// See [`Error`]; `operation_not_found`, also once it ended too long ago.
    pub async fn operation(&self, operation_id: &str) -> Result<Operation, Error> {
        self.get(format!("{BULK}/{}", segment(operation_id))).await
    }

    /// One page of acts on many runs, the newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn operations(&self, page: &Page) -> Result<OperationList, Error> {
        let mut path = Target::new(BULK);
        path.add_page(page);
        self.get(path.done()).await
    }

    /// Stops an act on many runs; what it did stays done.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_operation(
        &self,
        operation_id: &str,
        reason: Option<&str>,
    ) -> Result<Operation, Error> {
        let path = format!("{BULK}/{}", segment(operation_id));
        self.send(Method::DELETE, path, &reason_body(reason)).await
    }
}
