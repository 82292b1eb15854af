//! What a statement may touch: the views, and functions that only compute.
//! Owns: the lists of what is allowed.
//! Never: allows by default.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The names a statement may read from.
pub(super) const VIEW_NAMES: [&str; 5] = ["tasks", "runs", "attempts", "queues", "events_recent"];

/// Table-valued functions that read nothing but their arguments.
const TABLES: [&str; 2] = ["json_each", "json_tree"];

/// Functions that compute from their arguments alone, or tell the time.
const FUNCTIONS: &[&str] = &[
    "->",
    "->>",
    "abs",
    "avg",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "dense_rank",
    "first_value",
    "format",
    "glob",
    "group_concat",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_error_position",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "printf",
    "quote",
    "random",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "subtype",
    "sum",
    "time",
    "timediff",
    "total",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
];

/// Decides for one statement, and remembers the first thing it denied.
#[derive(Debug)]
pub(super) struct Gate {
    /// Part of the names of the views behind the views. It is drawn anew for each statement, so no statement can name them.
    secret: String,
    /// Everything in the file, the connection and the library that has a name, in lower case.
    known: Vec<String>,
    denied: Denied,
}

/// The first thing that was denied.
#[derive(Clone, Debug, Default)]
pub(super) struct Denied(Arc<Mutex<Option<String>>>);

impl Denied {
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, what: String) {
        let mut denied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        denied.get_or_insert(what);
    }
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Gate {
    pub(super) fn new(secret: String, known: Vec<String>, denied: Denied) -> Gate {
        Gate {
            secret,
            known,
            denied,
        }
    }

    pub(super) fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        let denied = match context.action {
            AuthAction::Select | AuthAction::Recursive => return Authorization::Allow,
            AuthAction::Read {
                table_name,
                column_name,
            } => {
                let accessor = context.accessor.unwrap_or_default();
                if self.may_read(table_name, column_name, context.database_name, accessor) {
                    return Authorization::Allow;
                }
                match context.database_name {
                    Some("temp") | None => format!("{table_name} must not be read"),
                    Some(database) => format!("{database}.{table_name} must not be read"),
                }
            }
            AuthAction::Function { function_name } => {
                if is_one_of(FUNCTIONS, function_name) {
                    return Authorization::Allow;
                }
                format!("the function {function_name} is denied")
            }
            AuthAction::Pragma { pragma_name, .. } => format!("the pragma {pragma_name} is denied"),
            AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
                "attaching files is denied".to_owned()
            }
            _ => "everything but reading is denied".to_owned(),
        };
        self.denied.note(denied);
        Authorization::Deny
    }

    /// `accessor` is the name of the innermost `FROM` item around the read. A `WITH` may give it any name but a secret one, so only
    /// secret names count there.
    fn may_read(&self, table: &str, column: &str, database: Option<&str>, accessor: &str) -> bool {
        if accessor.starts_with(&self.secret) || table.starts_with(&self.secret) {
            return true;
        }
        if is_one_of(&VIEW_NAMES, table) {
            return database.is_none_or(|database| database == "temp");
        }
        if is_one_of(&TABLES, table) {
            return true;
        }
        // A `WITH` or a subquery of which nothing but the rows' number is used is asked for by its own name.
        let lower = table.to_ascii_lowercase();
        let reserved = lower.starts_with("sqlite_") || lower.starts_with("pragma_");
        column.is_empty() && database.is_none() && !reserved && !self.known.contains(&lower)
    }
}
