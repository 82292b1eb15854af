//! What an error of SQLite means for the store.
//! Owns: the one mapping to `StoreError`.
//! Never: hides an error, or retries.

use rusqlite::{Error, ErrorCode};

use crate::seam::StoreError;

/// A result of this room.
pub(crate) type Outcome<T> = Result<T, StoreError>;

/// Lets `?` turn an error of SQLite into the store's.
pub(crate) trait OrFault<T> {
    /// The value, or what its absence means.
    fn or_fault(self) -> Outcome<T>;
}

impl<T> OrFault<T> for Result<T, Error> {
    fn or_fault(self) -> Outcome<T> {
        self.map_err(|error| fault(&error))
    }
}

impl<T> OrFault<T> for std::io::Result<T> {
    fn or_fault(self) -> Outcome<T> {
        self.map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                StoreError::Full(error.to_string())
            }
            _ => StoreError::Medium(error.to_string()),
        })
    }
}

/// What an error of SQLite means.
pub(crate) fn fault(error: &Error) -> StoreError {
    let text = error.to_string();
    match error {
        Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DiskFull => StoreError::Full(text),
            // Rows of one log never collide: a constraint that does not hold means that the file is not what was written.
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation => StoreError::Damaged(text),
            _ => StoreError::Medium(text),
        },
        // A column of another type than the one written.
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows => StoreError::Damaged(text),
        Error::SqlInputError { error, .. } if error.code == ErrorCode::Unknown => {
            // Only our own statements are prepared here: one that names a table which is missing found a damaged schema.
            StoreError::Damaged(text)
        }
        _ => StoreError::Medium(text),
    }
}
