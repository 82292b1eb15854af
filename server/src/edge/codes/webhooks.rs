//! The codes of webhooks.

use super::{Code, code};

/// These codes.
pub(super) const CODES: &[Code] = &[
    code(
        "invalid_webhook_id",
        400,
        "webhook_id",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "invalid_delivery_id",
        400,
        "delivery_id",
        "Not the number of an event.",
    ),
    code(
        "webhook_not_found",
        404,
        "webhook_id",
        "No such webhook in the caller's tenant.",
    ),
    code(
        "delivery_not_found",
        404,
        "delivery_id",
        "The webhook has no such delivery, or it ended long ago.",
    ),
    code(
        "webhook_already_exists",
        409,
        "webhook_id",
        "The chosen webhook id is taken.",
    ),
    code(
        "webhook_disabled",
        409,
        "webhook_id",
        "Nothing is sent to a webhook that is disabled.",
    ),
];
