//! Runs one `SELECT` of somebody and hands back what fits.
//! Owns: the checks of the statement, the bounds of the answer, what an error says.
//! Never: shows a name from behind the views.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, Statement, ToSql};

use super::room::{Room, SQL_BYTES_MAX, VALUE_BYTES_MAX};
use crate::library::fault;
use crate::list::{SqlAnswer, SqlAsk, SqlError, SqlValue};
use crate::seam::StoreError;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Bytes of all parameters.
const PARAMS_BYTES_MAX: usize = 64 << 10;
/// What every refusal ends with.
const MAY_READ: &str = "a query is one SELECT or WITH … SELECT over the views tasks, runs, attempts, queues and events_recent";

/// Answers one question on a connection of its own.
pub(crate) fn run(conn: Connection, ask: &SqlAsk) -> Result<SqlAnswer, SqlError> {
    check(ask)?;
    let room = Room::new(conn, ask).map_err(|error| early(ask, &error))?;
    let Some(room) = room else {
        return Err(SqlError::Store(StoreError::Medium(
            "the store is empty yet".into(),
        )));
    };
    let refuse = |error: &Error| explain(&room, ask, error);
    let mut statement = room
        .conn
        .prepare(&ask.sql)
        .map_err(|error| refuse(&error))?;
    if statement.column_count() == 0 || !statement.readonly() || statement.is_explain() != 0 {
        return Err(refused("this is not a SELECT"));
    }
    bind(&mut statement, &ask.params)?;
    let columns = statement.column_names().map(str::to_owned);
    let mut answer = SqlAnswer {
        columns: columns.collect(),
        rows: Vec::new(),
        truncated: false,
        checkpoint: room.checkpoint,
    };
    let limit = ask.limit.clamp(1, SqlAsk::LIMIT_MAX) as usize;
    let width = answer.columns.len();
    let mut bytes = answer.columns.iter().map(String::len).sum::<usize>();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| refuse(&error))? {
        if answer.rows.len() == limit {
            answer.truncated = true;
            break;
        }
        let mut values = Vec::with_capacity(width);
        for at in 0..width {
            let value = row.get_ref(at).map_err(|error| refuse(&error))?;
            let value = value_of(value);
            bytes += bytes_of(&value);
            values.push(value);
        }
        if bytes > ANSWER_BYTES_MAX {
            return Err(SqlError::Limit {
                limit: "query_bytes",
                value: ANSWER_BYTES_MAX as u64,
            });
        }
        answer.rows.push(values);
    }
    Ok(answer)
}

fn refused(what: &str) -> SqlError {
    SqlError::Refused(format!("{what}; {MAY_READ}"))
}

/// Refuses by the text alone what needs no parser. The gate refuses the rest.
fn check(ask: &SqlAsk) -> Result<(), SqlError> {
    if ask.sql.len() > SQL_BYTES_MAX as usize {
        return Err(SqlError::Limit {
            limit: "query_sql_bytes",
            value: SQL_BYTES_MAX as u64,
        });
    }
    let word = first_word(&ask.sql);
    if !["select", "with"].contains(&word.to_ascii_lowercase().as_str()) {
        let what = match word {
            "" => "there is no statement".to_owned(),
            word => format!("a statement that begins with {word} is denied"),
        };
        return Err(refused(&what));
    }
    let params: usize = ask.params.iter().map(bytes_of).sum();
    if params > PARAMS_BYTES_MAX {
        return Err(SqlError::Limit {
            limit: "query_params_bytes",
            value: PARAMS_BYTES_MAX as u64,
        });
    }
    Ok(())
}

/// The first word, after blanks and comments.
fn first_word(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let end = match rest.as_bytes() {
            [b'-', b'-', ..] => rest.find('\n').map(|at| at + 1),
            [b'/', b'*', ..] => rest[2..].find("*/").map(|at| at + 4),
            _ => break,
        };
        rest = rest[end.unwrap_or(rest.len())..].trim_start();
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &rest[..end.unwrap_or(rest.len())]
}

fn bind(statement: &mut Statement<'_>, params: &[SqlValue]) -> Result<(), SqlError> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        let given = params.len();
        return Err(refused(&format!(
            "the statement has {wanted} parameters and {given} were given"
        )));
    }
    for (at, value) in params.iter().enumerate() {
        let bound = statement.raw_bind_parameter(at + 1, value);
        bound.map_err(|error| refused(&error.to_string()))?;
    }
    Ok(())
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            SqlValue::Null => ToSqlOutput::Owned(Value::Null),
            SqlValue::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            SqlValue::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            SqlValue::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            SqlValue::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn value_of(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Real(value) => SqlValue::Real(value),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// Bytes that a value costs, about.
fn bytes_of(value: &SqlValue) -> usize {
    let own = match value {
        SqlValue::Text(text) => text.len(),
        SqlValue::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    own + 8
}

fn out_of_time(ask: &SqlAsk) -> SqlError {
    SqlError::Limit {
        limit: "query_ms",
        value: ask.time_ms,
    }
}

fn early(ask: &SqlAsk, error: &Error) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => out_of_time(ask),
        _ => SqlError::Store(fault(error)),
    }
}

/// What an error of the statement says to people.
fn explain(room: &Room, ask: &SqlAsk, error: &Error) -> SqlError {
    if let Some(denied) = room.denied.take() {
        return refused(&denied);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => return out_of_time(ask),
        Some(ErrorCode::TooBig) => {
            return SqlError::Limit {
                limit: "query_value_bytes",
                value: VALUE_BYTES_MAX as u64,
            };
        }
        Some(ErrorCode::OutOfMemory) => return refused("the statement is too large"),
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy,
        ) => return SqlError::Store(fault(error)),
        _ => {}
    }
    let text = match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        Error::MultipleStatement => "there is more than one statement".to_owned(),
        error => error.to_string(),
    };
    refused(&text.replace(&room.secret, ""))
}
