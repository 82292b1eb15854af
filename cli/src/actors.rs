//! `actor …`: who works, what each is able to do, and who is to leave.

use mainstay_client::Page;
use mainstay_client::wire::{Actor, ActorChanged};

use crate::args::{ActorCommand, ActorListArgs, Global};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::lists::{show_rows, tell_more};
use crate::screen::Screen;
use crate::shown::{show, words};

const HEAD: [&str; 7] = [
    "actor",
    "identity",
    "department",
    "state",
    "leases",
    "heard",
    "capabilities",
];

/// `actor …`
pub(crate) async fn actor(
    global: &Global,
    command: &ActorCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        ActorCommand::List(args) => return list(&client, args, screen).await,
        ActorCommand::Show { actor_id } => {
            show(screen, &client.actor(actor_id).await?, show_actor);
        }
        ActorCommand::Drain { actor_id, reason } => {
            let answer = client.drain_actor(actor_id, reason.as_deref()).await?;
            show(screen, &answer, show_changed);
        }
        ActorCommand::Deregister { actor_id, reason } => {
            let answer = client.deregister_actor(actor_id, reason.as_deref()).await?;
            show(screen, &answer, show_changed);
        }
    }
    Ok(Code::Done)
}

async fn list(
    client: &mainstay_client::Client,
    args: &ActorListArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let filter = args.filter();
    if !args.page.all {
        let list = client.actors(&filter, &args.page.page()).await?;
        show(screen, &list, |screen, list| {
            show_rows(screen, &mut &HEAD[..], &list.actors, row);
            tell_more(screen, list.next_cursor.as_deref());
        });
        return Ok(Code::Done);
    }
    let (mut head, mut page) = (&HEAD[..], args.page.page());
    page.limit = Some(page.limit.unwrap_or(1000));
    loop {
        let list = client.actors(&filter, &page).await?;
        let goes_on = show_rows(screen, &mut head, &list.actors, row);
        let Some(cursor) = list.next_cursor.filter(|_| goes_on) else {
            return Ok(Code::Done);
        };
        page = Page {
            cursor: Some(cursor),
            ..page
        };
    }
}

fn row(actor: &Actor) -> Vec<String> {
    vec![
        actor.actor_id.clone(),
        actor.identity.clone(),
        actor.department.clone().unwrap_or_default(),
        actor.state.clone(),
        actor.leases.to_string(),
        actor.last_heard_at.clone(),
        actor.capabilities.join(", "),
    ]
}

fn show_actor(screen: Screen, actor: &Actor) {
    let mut pairs = vec![
        ("actor", actor.actor_id.clone()),
        ("identity", actor.identity.clone()),
        ("state", actor.state.clone()),
        ("capabilities", actor.capabilities.join(", ")),
        ("leases", actor.leases.to_string()),
        ("last heard", actor.last_heard_at.clone()),
        ("heard every", format!("{} ms", actor.heartbeat_interval_ms)),
        (
            "registered",
            format!("{} by {}", actor.registered_at, actor.registered_by),
        ),
    ];
    let mut optional = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    optional("department", actor.department.clone());
    optional("draining since", actor.draining_since.clone());
    screen.pairs(&pairs);
}

fn show_changed(screen: Screen, answer: &ActorChanged) {
    screen.line(&format!(
        "actor {}: {}, {} leases",
        answer.actor_id,
        words(&answer.status),
        answer.leases
    ));
}
