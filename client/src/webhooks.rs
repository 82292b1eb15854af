//! Webhooks: made, changed, switched and tested, and their deliveries.

use hyper::Method;

use crate::calls::reason_body;
use crate::client::segment;
use crate::lists::Target;
use crate::retry::Repeat;
use crate::wire::{
    DeliveryPage, DeliveryRequested, Webhook, WebhookChanged, WebhookList, WebhookSecret,
    WebhookSpec,
};
use crate::{Client, Error};

fn path_of(webhook_id: &str, rest: &str) -> String {
    format!("/api/v1/webhooks/{}{rest}", segment(webhook_id))
}

impl Client {
    /// Makes a webhook; its secret is in the answer and is not shown again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_webhook(&self, spec: &WebhookSpec<'_>) -> Result<WebhookSecret, Error> {
        let path = "/api/v1/webhooks".into();
        self.post(path, spec, Repeat::UnlessUncertain).await
    }

    /// The tenant's webhooks.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn webhooks(&self) -> Result<WebhookList, Error> {
        self.get("/api/v1/webhooks".into()).await
    }

    /// One webhook.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn webhook(&self, webhook_id: &str) -> Result<Webhook, Error> {
        self.get(path_of(webhook_id, "")).await
    }

    /// Sets everything about a webhook anew.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_webhook(
        &self,
        webhook_id: &str,
        spec: &WebhookSpec<'_>,
    ) -> Result<Webhook, Error> {
        self.send(Method::PUT, path_of(webhook_id, ""), spec).await
    }

    /// Removes a webhook and its deliveries.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_webhook(
        &self,
        webhook_id: &str,
        reason: Option<&str>,
    ) -> Result<WebhookChanged, Error> {
        let reason = reason_body(reason);
        self.send(Method::DELETE, path_of(webhook_id, ""), &reason)
            .await
    }

    /// Sends events, or none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn switch_webhook(
        &self,
        webhook_id: &str,
        enabled: bool,
        reason: Option<&str>,
    ) -> Result<WebhookChanged, Error> {
        let rest = if enabled { "/enable" } else { "/disable" };
        let reason = reason_body(reason);
        self.post(path_of(webhook_id, rest), &reason, Repeat::Safe)
            .await
    }

    /// Gives a webhook a new secret, which is in the answer; for a day the old one signs too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn rotate_webhook(
        &self,
        webhook_id: &str,
        reason: Option<&str>,
    ) -> Result<WebhookSecret, Error> {
        let reason = reason_body(reason);
        let path = path_of(webhook_id, "/rotate");
        self.post(path, &reason, Repeat::UnlessUncertain).await
    }

    /// Sends an event that says nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn test_webhook(
        &self,
        webhook_id: &str,
        reason: Option<&str>,
    ) -> Result<DeliveryRequested, Error> {
        let reason = reason_body(reason);
        let path = path_of(webhook_id, "/test");
        self.post(path, &reason, Repeat::UnlessUncertain).await
    }

    /// One page of deliveries, newest first: those before one of them, in one state.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn deliveries(
        &self,
        webhook_id: &str,
        state: Option<&str>,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<DeliveryPage, Error> {
        let mut path = Target::new(&path_of(webhook_id, "/deliveries"));
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        path.add("state", state);
        path.add("before", number(before).as_deref());
        path.add("limit", number(limit.map(u64::from)).as_deref());
        self.get(path.done()).await
    }

    /// Sends an event again, now.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn redeliver(
        &self,
        webhook_id: &str,
        delivery_id: u64,
        reason: Option<&str>,
    ) -> Result<DeliveryRequested, Error> {
        let reason = reason_body(reason);
        let rest = format!("/deliveries/{delivery_id}/redeliver");
        self.post(path_of(webhook_id, &rest), &reason, Repeat::Safe)
            .await
    }
}
