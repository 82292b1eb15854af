//! Acts on many runs: begun, looked at, stopped.

use mainstay::store::{From, Scope};
use mainstay_client::wire;
use mainstay_core::{Action, Answer, Command, Operate, OperationId, Query, Text};

use super::filters::{Given, page};
use super::operations::{Asked, answer, get as find, read_filter, show, write};
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Reply};
use crate::json::{Subject, Writer};

/// What the list is asked by, as `name type`.
pub(crate) const PARAMETERS: &[&str] = &["limit limit", "cursor cursor"];

/// `POST /api/v1/bulk`.
pub(crate) async fn begin(exchange: Exchange) -> Result<Reply, Failure> {
    let asked = {
        let body: wire::Bulk<'_> = exchange.read(Subject::Request)?;
        let action = match &*body.action {
            "cancel" => Action::Cancel,
            "retry" => Action::Retry,
            "resume" => Action::Resume,
            _ => {
                let message = "must be one of cancel, retry, resume";
                return Err(Subject::Request.wrong("action", message));
            }
        };
        Asked {
            action,
            filter: read_filter(&body.filter)?,
            dry_run: body.dry_run.unwrap_or(false),
            expected_count: body.expected_count,
            reason: body.reason.as_deref().map(Text::from),
        }
    };
    answer(&exchange, &asked).await
}

fn operation_of(exchange: &Exchange) -> Result<OperationId, Failure> {
    let text = exchange.target(0);
    text.parse().map_err(|_| {
        Failure::new("invalid_operation_id", "invalid operation id")
            .text("operation_id", text.to_owned())
    })
}

/// `GET /api/v1/bulk/{operation_id}`.
pub(crate) async fn get(exchange: Exchange) -> Result<Reply, Failure> {
    let found = find(
        &exchange,
        exchange.principal.tenant,
        operation_of(&exchange)?,
    )
    .await?;
    Ok(show(&found.value).at(found.sequence))
}

/// `DELETE /api/v1/bulk/{operation_id}`.
pub(crate) async fn cancel(exchange: Exchange) -> Result<Reply, Failure> {
    let (operation, reason) = (operation_of(&exchange)?, reason_of(&exchange)?);
    let cancel = Operate::Cancel { operation, reason };
    exchange.call(Command::Operate(Box::new(cancel))).await?;
    let found = find(&exchange, exchange.principal.tenant, operation).await?;
    Ok(show(&found.value).at(found.sequence))
}

/// `GET /api/v1/bulk`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let page = page(Given(&exchange.parameters))?;
    let before = match &page.from {
        From::Cursor(cursor) => Some(
            cursor
                .parse::<u64>()
                .map_err(|_| Failure::invalid_cursor())?,
        ),
        From::Offset(_) => None,
    };
    let query = Query::Operations {
        all: !matches!(exchange.scope, Scope::Tenant(_)),
        before,
        limit: page.limit,
    };
    let placed = exchange.ask(query).await?;
    let Answer::Operations(found) = placed.value else {
        return Err(Failure::internal());
    };
    let full = found.len() == page.limit as usize;
    let last = found.last().filter(|_| full);
    let next = last.map(|last| last.operation.number);
    let mut json = Writer::with_capacity(128 + found.len() * 512);
    json.object().name("operations").array();
    found.iter().for_each(|view| write(&mut json, view));
    json.end_array().number_field("limit", page.limit);
    json.maybe("next_cursor", next, |json, number| {
        json.string(&exchange.seal_cursor(&number.to_string()));
    });
    json.end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}
