//! What a handler holds: the granted work and the word from the server about it.

use std::ops::Deref;

use tokio::sync::watch;

use crate::wire::{self, Json};
use crate::{Client, Error};

/// What a handler should do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    #[default]
    Continue,
    /// Stop: the run is being canceled. Report [`Verdict::canceled`](crate::Verdict::canceled), or success if it is done anyway.
    Cancel,
    /// Stop and report [`Verdict::suspended`](crate::Verdict::suspended).
    Suspend,
    /// The lease is another's, or nobody can tell any more whether it still holds: stop at once. Whatever is reported later
    /// changes nothing if the lease is gone.
    Lost,
}

/// One lease with the work to do. The fields of the grant are read through it.
#[derive(Clone, Debug)]
pub struct Lease {
    grant: wire::Lease,
    signal: watch::Receiver<Signal>,
    client: Client,
}

impl Lease {
    pub(crate) fn new(
        grant: wire::Lease,
        signal: watch::Receiver<Signal>,
        client: Client,
    ) -> Lease {
        Lease {
            grant,
            signal,
            client,
        }
    }

    /// The payload as JSON text: `null` when there is none, and for bytes.
    #[must_use]
    pub fn payload_text(&self) -> &str {
        self.grant
            .payload
            .as_ref()
            .map_or("null", |payload| payload.get())
    }

    /// The payload as bytes: the JSON text, or what was sent as base64.
    ///
    /// # Errors
    /// When the base64 is broken.
    pub fn payload_bytes(&self) -> Result<Vec<u8>, Error> {
        use base64::Engine as _;
        match &self.grant.payload_base64 {
            None => Ok(self.payload_text().as_bytes().to_vec()),
            Some(text) => base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|error| Error::Answer(format!("payload_base64: {error}"))),
        }
    }

    /// What the handler should do now.
    #[must_use]
    pub fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Waits for the next change of [`Lease::signal`].
    pub async fn signaled(&mut self) -> Signal {
        if self.signal.changed().await.is_err() {
            // The worker is gone and nobody speaks any more; the lease cannot be kept.
            return Signal::Lost;
        }
        *self.signal.borrow_and_update()
    }

    /// Reports what the attempt used since it last reported, and hears how its budgets stand.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn consume(&self, dimension: &str, amount: u64) -> Result<wire::Consumed, Error> {
        let consume = wire::Consume {
            token: self.grant.token.as_str().into(),
            consumption: vec![wire::Amount {
                dimension: dimension.into(),
                amount,
            }],
            tenant_id: None,
        };
        self.client.consume(&self.grant.run_id, &consume).await
    }

    /// Saves a memo that later attempts find in `checkpoints`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn checkpoint(&self, name: &str, value: Json<'_>) -> Result<(), Error> {
        self.client
            .checkpoint(&self.grant.run_id, &self.grant.token, name, value)
            .await
    }
}

impl Deref for Lease {
    type Target = wire::Lease;

    fn deref(&self) -> &wire::Lease {
        &self.grant
    }
}
