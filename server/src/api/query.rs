//! Questions in SQL over the documented views.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay::store::{EventLine, Scope, SqlAnswer, SqlAsk, SqlError, SqlValue};
use mainstay_client::wire;
use serde_json::Value;

use super::lists::unreadable;
use crate::edge::{Exchange, Failure, Reading, Reply};
use crate::json::{Subject, Writer};

/// Events that `events_recent` shows.
const EVENTS_RECENT_MAX: usize = 10_000;

/// `POST /api/v1/query`.
pub(crate) async fn query(exchange: Exchange) -> Result<Reply, Failure> {
    let mut ask = read_ask(&exchange)?;
    let handle = exchange.handle().clone();
    let read = exchange
        .read_stored(Reading::Query, move |library| {
            if ask.names_events() {
                let events = handle.recent_events(EVENTS_RECENT_MAX);
                ask.events_recent = Some(seen(events, ask.scope));
            }
            library.sql(&ask)
        })
        .await?;
    let answer = read.value.map_err(refused)?;
    Ok(Reply::json(write_answer(&answer))
        .at(answer.checkpoint)
        .stale(read.stale)
        .unwritten())
}

fn read_ask(exchange: &Exchange) -> Result<SqlAsk, Failure> {
    let body: wire::QueryBody<'_> = exchange.read(Subject::Request)?;
    let limit = body.limit.unwrap_or(SqlAsk::LIMIT_DEFAULT);
    if !(1..=SqlAsk::LIMIT_MAX).contains(&limit) {
        let message = format!("limit must be between 1 and {}", SqlAsk::LIMIT_MAX);
        return Err(Failure::new("invalid_request", message).text("field", "limit"));
    }
    let mut ask = SqlAsk::new(exchange.scope, &*body.sql);
    ask.limit = limit;
    for (index, value) in body.params.unwrap_or_default().into_iter().enumerate() {
        let value = read_value(value).ok_or_else(|| {
            let message = r#"a parameter must be null, true, false, a 64-bit number, a string or {"base64": "…"}"#;
            Failure::new("invalid_request", message).text("field", format!("params.{index}"))
        })?;
        ask.params.push(value);
    }
    Ok(ask)
}

fn read_value(value: Value) -> Option<SqlValue> {
    Some(match value {
        Value::Null => SqlValue::Null,
        Value::Bool(value) => SqlValue::Integer(i64::from(value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => SqlValue::Integer(value),
            (None, Some(value)) if number.is_f64() => SqlValue::Real(value),
            _ => return None,
        },
        Value::String(text) => SqlValue::Text(text),
        Value::Object(fields) => {
            let text = fields.get("base64").filter(|_| fields.len() == 1)?;
            SqlValue::Blob(STANDARD.decode(text.as_str()?).ok()?)
        }
        Value::Array(_) => return None,
    })
}

/// The events that a caller may see.
fn seen(mut events: Vec<EventLine>, scope: Scope) -> Vec<EventLine> {
    if let Scope::Tenant(tenant) = scope {
        events.retain(|event| event.tenant == tenant);
    }
    events
}

fn write_answer(answer: &SqlAnswer) -> Vec<u8> {
    let values = answer.rows.len() * answer.columns.len();
    let mut json = Writer::with_capacity(128 + values * 24);
    json.object()
        .strings_field("columns", &answer.columns)
        .name("rows")
        .array();
    for row in &answer.rows {
        json.array();
        for value in row {
            write_value(&mut json, value);
        }
        json.end_array();
    }
    json.end_array()
        .bool_field("truncated", answer.truncated)
        .number_field("checkpoint_sequence", answer.checkpoint)
        .end_object();
    json.done()
}

fn write_value(json: &mut Writer, value: &SqlValue) {
    match value {
        SqlValue::Null => json.null(),
        SqlValue::Integer(number) => json.number(*number),
        SqlValue::Real(number) if number.is_finite() => json.real(*number),
        // JSON has no infinity.
        SqlValue::Real(number) => json.string(if *number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }),
        SqlValue::Text(text) => json.string(text),
        SqlValue::Blob(bytes) => json.object().name("base64").base64(bytes).end_object(),
    };
}

fn refused(error: SqlError) -> Failure {
    match error {
        SqlError::Refused(what) => Failure::new("query_refused", what),
        SqlError::Limit { limit, value } => {
            let message = format!("the query passed its limit {limit} of {value}");
            Failure::new("limit_exceeded", message)
                .text("limit", limit)
                .number("value", value)
        }
        SqlError::Store(error) => unreadable(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::{SqlAnswer, SqlValue, read_value, write_answer};
    use serde_json::json;

    #[test]
    fn values_go_in_as_json_and_come_out_as_json() {
        let read = |value| read_value(value).expect("a value");
        let row = vec![
            read(json!(null)),
            read(json!(true)),
            read(json!(-9_223_372_036_854_775_808i64)),
            read(json!(1.5)),
            read(json!("a\"b")),
            read(json!({"base64": "AAE="})),
            SqlValue::Real(f64::NEG_INFINITY),
            SqlValue::Real(2.0),
        ];
        let answer = SqlAnswer {
            columns: vec!["a".into()],
            rows: vec![row],
            truncated: true,
            checkpoint: 7,
        };
        assert_eq!(
            String::from_utf8(write_answer(&answer)).expect("UTF-8"),
            r#"{"columns":["a"],"rows":[[null,1,-9223372036854775808,1.5,"a\"b",{"base64":"AAE="},"-Infinity",2.0]],"truncated":true,"checkpoint_sequence":7}"#
        );
    }

    #[test]
    fn what_sql_has_no_value_for_is_refused() {
        for value in [
            json!([1]),
            json!({}),
            json!({"base64": "AAE=", "x": 1}),
            json!({"base64": "not base64"}),
            json!({"base64": 1}),
            json!(18_446_744_073_709_551_615u64),
        ] {
            assert_eq!(read_value(value.clone()), None, "{value}");
        }
    }
}
