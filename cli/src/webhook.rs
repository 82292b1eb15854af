//! `webhook`: who outside is told of events.

use mainstay_client::Client;
use mainstay_client::wire::{
    Delivery, DeliveryRequested, Str, Webhook, WebhookChanged, WebhookSecret, WebhookSpec,
};

use crate::args::{Global, WebhookArgs, WebhookCommand};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::shown::show;

/// `webhook …`
pub(crate) async fn webhook(
    global: &Global,
    command: &WebhookCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        WebhookCommand::Create { name, what } => {
            let made = client.create_webhook(&new(name, what)?).await?;
            show(screen, &made, show_secret);
        }
        WebhookCommand::List => {
            show(screen, &client.webhooks().await?, |screen, list| {
                let rows: Vec<_> = list.webhooks.iter().map(row).collect();
                let heads = ["webhook", "name", "state", "pending", "events", "url"];
                screen.table(&heads, &rows);
            });
        }
        WebhookCommand::Show { webhook_id } => {
            show(screen, &client.webhook(webhook_id).await?, show_one);
        }
        WebhookCommand::Update {
            webhook_id,
            name,
            what,
        } => {
            let known = client.webhook(webhook_id).await?;
            let spec = changed(&known, name.as_deref(), what);
            let after = client.update_webhook(webhook_id, &spec).await?;
            show(screen, &after, show_one);
        }
        WebhookCommand::Delete(named) => {
            let reason = named.reason.as_deref();
            let told = client.delete_webhook(&named.webhook_id, reason).await?;
            show(screen, &told, show_changed);
        }
        WebhookCommand::Enable(named) | WebhookCommand::Disable(named) => {
            let on = matches!(command, WebhookCommand::Enable(_));
            let reason = named.reason.as_deref();
            let told = client.switch_webhook(&named.webhook_id, on, reason).await?;
            show(screen, &told, show_changed);
        }
        WebhookCommand::Rotate(named) => {
            let reason = named.reason.as_deref();
            let made = client.rotate_webhook(&named.webhook_id, reason).await?;
            show(screen, &made, show_secret);
        }
        sending => return send(&client, sending, screen).await,
    }
    Ok(Code::Done)
}

/// What was sent, and what is to be sent again.
async fn send(client: &Client, command: &WebhookCommand, screen: Screen) -> Result<Code, Failure> {
    match command {
        WebhookCommand::Test(named) => {
            let reason = named.reason.as_deref();
            let told = client.test_webhook(&named.webhook_id, reason).await?;
            show(screen, &told, show_requested);
        }
        WebhookCommand::Redeliver {
            webhook_id,
            delivery_id,
            reason,
        } => {
            let sent = client.redeliver(webhook_id, *delivery_id, reason.as_deref());
            show(screen, &sent.await?, show_requested);
        }
        WebhookCommand::Deliveries {
            webhook_id,
            state,
            before,
            limit,
        } => {
            let page = client.deliveries(webhook_id, state.as_deref(), *before, Some(*limit));
            show(screen, &page.await?, |screen, page| {
                let rows: Vec<_> = page.deliveries.iter().map(delivery_row).collect();
                let heads = ["delivery", "event", "state", "attempts", "last", "next"];
                screen.table(&heads, &rows);
                if let Some(next) = page.next {
                    screen.note(&format!("there is more: --before {next}"));
                }
            });
        }
        _ => {}
    }
    Ok(Code::Done)
}

fn texts(list: &[String]) -> Vec<Str<'_>> {
    list.iter().map(|text| text.as_str().into()).collect()
}

fn some<'a>(list: &'a [String]) -> Option<Vec<Str<'a>>> {
    (!list.is_empty()).then(|| texts(list))
}

fn new<'a>(name: &'a str, what: &'a WebhookArgs) -> Result<WebhookSpec<'a>, Failure> {
    let Some(url) = what.url.as_deref() else {
        let message = "--url: where are events sent?";
        return Err(Failure::new(Code::Usage, "usage", message));
    };
    Ok(WebhookSpec {
        name: name.into(),
        description: what.description.as_deref().map(Into::into),
        url: url.into(),
        events: some(&what.events).unwrap_or_else(|| vec!["*".into()]),
        queues: some(&what.queues),
        kinds: some(&what.kinds),
        webhook_id: None,
        reason: what.reason.as_deref().map(Into::into),
    })
}

/// What it is, with what was named in its place.
fn changed<'a>(
    known: &'a Webhook,
    name: Option<&'a str>,
    what: &'a WebhookArgs,
) -> WebhookSpec<'a> {
    let description = what.description.as_deref().or(known.description.as_deref());
    WebhookSpec {
        name: name.unwrap_or(&known.name).into(),
        description: description.map(Into::into),
        url: what.url.as_deref().unwrap_or(&known.url).into(),
        events: some(&what.events).unwrap_or_else(|| texts(&known.events)),
        queues: some(&what.queues).or_else(|| some(&known.queues)),
        kinds: some(&what.kinds).or_else(|| some(&known.kinds)),
        webhook_id: None,
        reason: what.reason.as_deref().map(Into::into),
    }
}

fn show_secret(screen: Screen, made: &WebhookSecret) {
    screen.line(&format!("webhook {}", made.webhook_id));
    if let Some(secret) = &made.secret {
        screen.line(&format!("secret: {secret} (shown once)"));
    }
}

fn show_changed(screen: Screen, told: &WebhookChanged) {
    let before = if told.changed { "" } else { " already" };
    screen.line(&format!("{} {}{before}", told.webhook_id, told.status));
}

fn show_requested(screen: Screen, told: &DeliveryRequested) {
    screen.line(&format!("delivery {} is sent", told.delivery_id));
}

fn row(webhook: &Webhook) -> Vec<String> {
    vec![
        webhook.webhook_id.clone(),
        webhook.name.clone(),
        webhook.state.clone(),
        webhook.pending.to_string(),
        webhook.events.join(","),
        webhook.url.clone(),
    ]
}

fn show_one(screen: Screen, webhook: &Webhook) {
    let mut pairs = vec![
        ("webhook", webhook.webhook_id.clone()),
        ("name", webhook.name.clone()),
        ("url", webhook.url.clone()),
        ("events", webhook.events.join(", ")),
        ("state", webhook.state.clone()),
        ("secrets", webhook.generation.to_string()),
        ("cursor", webhook.cursor.to_string()),
        ("pending", webhook.pending.to_string()),
    ];
    for (name, list) in [("queues", &webhook.queues), ("kinds", &webhook.kinds)] {
        if !list.is_empty() {
            pairs.push((name, list.join(", ")));
        }
    }
    if let Some(off) = &webhook.disabled {
        let by = off.by.as_deref().unwrap_or("the engine");
        pairs.push(("disabled", format!("{} by {by}: {}", off.at, off.why)));
    }
    for (name, at) in [
        ("next attempt", &webhook.next_at),
        ("failing since", &webhook.failing_since),
        ("last delivered", &webhook.delivered_at),
    ] {
        if let Some(at) = at {
            pairs.push((name, at.clone()));
        }
    }
    screen.pairs(&pairs);
}

fn delivery_row(delivery: &Delivery) -> Vec<String> {
    let status = delivery.last_status.map(|status| status.to_string());
    let last = match &delivery.last_error {
        Some(error) if error != "status" => Some(error.clone()),
        _ => status,
    };
    vec![
        delivery.delivery_id.to_string(),
        delivery.event_type.clone(),
        delivery.state.clone(),
        delivery.attempts.to_string(),
        last.unwrap_or_default(),
        delivery.next_at.clone().unwrap_or_default(),
    ]
}
