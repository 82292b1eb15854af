//! `query`: a question in SQL, its answer as a table, as JSON or as comma-separated values.

use mainstay_client::wire::{QueryAnswer, QueryBody};
use serde_json::Value;

use crate::args::{Global, QueryArgs};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// Asks and writes the answer.
pub(crate) async fn query(
    global: &Global,
    args: &QueryArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let params: Vec<Value> = args.param.iter().map(|text| param(text)).collect();
    let body = QueryBody {
        sql: args.sql.as_str().into(),
        params: (!params.is_empty()).then_some(params),
        limit: args.limit,
    };
    let answer = client.query(&body).await?;
    if screen.is_json() {
        screen.json(&answer);
        return Ok(Code::Done);
    }
    if args.csv {
        screen.line(&csv(&answer));
    } else {
        let head: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
        let rows = answer.rows.iter();
        let rows: Vec<_> = rows.map(|row| row.iter().map(shown).collect()).collect();
        screen.table(&head, &rows);
    }
    if answer.truncated {
        let count = answer.rows.len();
        screen.note(&format!(
            "only the first {count} rows: see --limit, or ask for less"
        ));
    }
    Ok(Code::Done)
}

/// Numbers, true, false and null as they are; everything else is text.
fn param(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// A value in words. Bytes stand as base64.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields
            .get("base64")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        other => other.to_string(),
    }
}

/// RFC 4180, with line feeds; no line feed after the last line.
fn csv(answer: &QueryAnswer) -> String {
    let head = answer.columns.iter().map(|name| quoted(name));
    let mut lines = vec![head.collect::<Vec<_>>().join(",")];
    for row in &answer.rows {
        let cells = row.iter().map(|value| quoted(&shown(value)));
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    lines.join("\n")
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{QueryAnswer, csv, param};
    use serde_json::json;

    #[test]
    fn parameters_are_numbers_where_they_look_like_it() {
        assert_eq!(param("5"), json!(5));
        assert_eq!(param("-1.5"), json!(-1.5));
        assert_eq!(param("null"), json!(null));
        assert_eq!(param("\"5\""), json!("5"));
        assert_eq!(param("mail.send"), json!("mail.send"));
        assert_eq!(param("[1]"), json!("[1]"));
    }

    #[test]
    fn cells_with_commas_quotes_and_line_feeds_are_quoted() {
        let answer = QueryAnswer {
            columns: vec!["a".into(), "b,c".into()],
            rows: vec![
                vec![json!(null), json!("x\"y\nz")],
                vec![json!(1.5), json!({"base64": "AAE="})],
            ],
            truncated: false,
            checkpoint_sequence: 1,
        };
        assert_eq!(csv(&answer), "a,\"b,c\"\n,\"x\"\"y\nz\"\n1.5,AAE=");
    }
}
