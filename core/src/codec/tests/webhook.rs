//! One event of each kind about webhooks, and the golden file that pins them.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::samples::{RUN, TASK, some, text};
use crate::WebhookId;
use crate::event::*;
use crate::webhook::{DeliveryState, Settled, WebhookSpec};

/// With something in every field.
pub(super) fn samples() -> Vec<Event> {
    let by = text("ann");
    let webhook = WebhookId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ae);
    let spec = Box::new(WebhookSpec {
        name: text("ops"),
        description: some("tells the people on duty"),
        url: text("https://example.com/hook"),
        events: vec![text("run_completed"), text("run_failed")],
        queues: vec![text("mail")],
        kinds: vec![text("mail.send")],
    });
    vec![
        WebhookCreated {
            webhook,
            spec: spec.clone(),
            by: by.clone(),
            chosen: true,
        }
        .into(),
        WebhookUpdated {
            webhook,
            spec,
            by: by.clone(),
        }
        .into(),
        WebhookDeleted {
            webhook,
            by: by.clone(),
        }
        .into(),
        WebhookRotated {
            webhook,
            generation: 2,
            by: by.clone(),
        }
        .into(),
        WebhookSwitched {
            webhook,
            enabled: true,
            why: text("failing"),
            by: by.clone(),
        }
        .into(),
        WebhookReported {
            webhook,
            cursor: 77,
            settled: vec![Settled {
                event: 70,
                kind: text("run_failed"),
                task: Some(TASK),
                run: Some(RUN),
                state: DeliveryState::Failed,
                status: 503,
                error: text("timeout"),
                duration_ms: 12,
                delay_ms: 5000,
            }],
        }
        .into(),
        DeliveryRequested {
            webhook,
            event: 70,
            kind: text("run_failed"),
            by,
        }
        .into(),
        WebhookEventsMissed {
            webhook,
            first: 3,
            last: 9,
        }
        .into(),
    ]
}

#[test]
fn the_golden_body_of_webhooks_is_read_and_written_as_ever() {
    super::check_golden("webhook_v1", samples());
}
