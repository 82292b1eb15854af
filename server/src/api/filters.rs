//! The parameters of lists, read strictly: what a list may be asked for, and the page of it.

use std::fmt::Write as _;

use mainstay::store::{From, Page, RunAsk, Scope, TaskAsk};
use mainstay_core::limits::{
    ERROR_CODE_BYTES_MAX, LIST_LIMIT_MAX, LIST_OFFSET_MAX, NAME_FORM, TAG_BYTES_MAX,
    WORKER_BYTES_MAX, is_name,
};
use mainstay_core::{Fingerprint, RunState, Selection, TaskState, Text, Timestamp};

use crate::edge::{Failure, invalid_parameter, read_task};
use crate::json::read_instant;

/// What [`task_ask`] reads, as `name type`.
pub(crate) const TASK_PARAMETERS: &[&str] = &[
    "limit limit",
    "offset offset",
    "cursor cursor",
    "kind name",
    "queue name",
    "tag tag",
    "state active|completed|failed|canceled|waiting_for_children",
    "parent_task_id uuid",
    "created_after instant",
    "created_before instant",
    "q string",
];

/// What [`run_ask`] reads, as `name type`.
pub(crate) const RUN_PARAMETERS: &[&str] = &[
    "limit limit",
    "offset offset",
    "cursor cursor",
    "state scheduled|ready|leased|running|retry_wait|suspended|completed|failed|canceled",
    "task_id uuid",
    "queue name",
    "kind name",
    "tag tag",
    "worker worker",
    "error_code error_code",
    "created_after instant",
    "created_before instant",
    "q string",
];

/// Rows of a page when nothing is asked for.
const LIMIT_DEFAULT: u32 = 100;

/// The parameters of one request.
#[derive(Clone, Copy)]
pub(super) struct Given<'a>(pub(super) &'a [(&'static str, String)]);

/// Which tasks are asked for.
pub(super) fn task_ask(scope: Scope, given: Given<'_>) -> Result<TaskAsk, Failure> {
    let page = page(given)?;
    Ok(TaskAsk {
        kind: given.word("kind")?,
        queue: given.word("queue")?,
        tag: given.text("tag", TAG_BYTES_MAX)?,
        state: given.choice("state", TaskState::ALL, |state| state.name())?,
        parent: given.find("parent_task_id").map(read_task).transpose()?,
        created_after: given.instant("created_after")?,
        created_before: given.instant("created_before")?,
        q: given.find("q").map(str::to_owned),
        ..TaskAsk::all(scope, page)
    })
}

/// Which runs are asked for.
pub(super) fn run_ask(scope: Scope, given: Given<'_>) -> Result<RunAsk, Failure> {
    let page = page(given)?;
    Ok(RunAsk {
        state: given.choice("state", RunState::ALL, |state| state.name())?,
        task: given.find("task_id").map(read_task).transpose()?,
        queue: given.word("queue")?,
        kind: given.word("kind")?,
        tag: given.text("tag", TAG_BYTES_MAX)?,
        worker: given.text("worker", WORKER_BYTES_MAX)?,
        error_code: given.text("error_code", ERROR_CODE_BYTES_MAX)?,
        created_after: given.instant("created_after")?,
        created_before: given.instant("created_before")?,
        q: given.find("q").map(str::to_owned),
        ..RunAsk::all(scope, page)
    })
}

/// Which runs are chosen, of those that a list of dead letters or an act on many runs is about.
pub(super) fn selection(given: Given<'_>) -> Result<Selection, Failure> {
    let fingerprint = given.find("fingerprint").map(|text| {
        let known = Fingerprint::parse(text).map(|known| Text::from(known.to_string()));
        known.ok_or_else(|| invalid_parameter("fingerprint", "must be 16 hexadecimal digits"))
    });
    Ok(Selection {
        state: given.choice("state", RunState::ALL, |state| state.name())?,
        task: given.find("task_id").map(read_task).transpose()?,
        queue: given.word("queue")?,
        kind: given.word("kind")?,
        tag: given.text("tag", TAG_BYTES_MAX)?,
        worker: given.text("worker", WORKER_BYTES_MAX)?,
        error_code: given.text("error_code", ERROR_CODE_BYTES_MAX)?,
        fingerprint: fingerprint.transpose()?,
        created_after: given.instant("created_after")?,
        created_before: given.instant("created_before")?,
        q: given.find("q").map(Text::from),
    })
}

/// A page that cannot be: the field is the parameter.
pub(super) fn invalid_page(field: &'static str, message: impl Into<String>) -> Failure {
    Failure::new("invalid_pagination", message.into()).text("field", field)
}

pub(super) fn page(given: Given<'_>) -> Result<Page, Failure> {
    let limit = match given.find("limit") {
        None => LIMIT_DEFAULT,
        Some(text) => count(text)
            .filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
            .ok_or_else(|| {
                invalid_page(
                    "limit",
                    format!("limit must be between 1 and {LIST_LIMIT_MAX}"),
                )
            })?,
    };
    let from = match (given.find("offset"), given.find("cursor")) {
        (Some(_), Some(_)) => {
            return Err(invalid_page(
                "cursor",
                "offset and cursor cannot be given together",
            ));
        }
        (None, Some(cursor)) if is_cursor(cursor) => From::Cursor(cursor.to_owned()),
        (None, Some(_)) => return Err(Failure::invalid_cursor()),
        (None, None) => From::Offset(0),
        (Some(text), None) => {
            let offset = count(text)
                .ok_or_else(|| invalid_page("offset", "offset must be a non-negative integer"))?;
            if offset > LIST_OFFSET_MAX {
                return Err(too_far());
            }
            From::Offset(offset)
        }
    };
    Ok(Page { limit, from })
}

/// An offset beyond what is skipped.
pub(super) fn too_far() -> Failure {
    invalid_page(
        "offset",
        format!("offset must be at most {LIST_OFFSET_MAX}; use cursor to go on from a page"),
    )
}

fn is_cursor(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}

/// Decimal digits and nothing else; numbers that are too large count as the largest.
fn count(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

impl Given<'_> {
    fn find(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// The name of a kind or a queue.
    pub(super) fn word(&self, name: &'static str) -> Result<Option<Text>, Failure> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        if !is_name(value) {
            return Err(invalid_parameter(name, NAME_FORM));
        }
        Ok(Some(Text::from(value)))
    }

    pub(super) fn text(
        &self,
        name: &'static str,
        bytes_max: usize,
    ) -> Result<Option<Text>, Failure> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        if value.is_empty() || value.len() > bytes_max {
            return Err(invalid_parameter(
                name,
                &format!("must be 1 to {bytes_max} bytes"),
            ));
        }
        Ok(Some(Text::from(value)))
    }

    pub(super) fn choice<T: Copy>(
        &self,
        name: &'static str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        if let Some(found) = all.iter().find(|known| word(**known) == value) {
            return Ok(Some(*found));
        }
        let allowed: Vec<&'static str> = all.iter().map(|known| word(*known)).collect();
        let mut what = String::from("must be one of ");
        let _ = write!(what, "{}", allowed.join(", "));
        Err(invalid_parameter(name, &what).list("allowed", allowed))
    }

    fn instant(&self, name: &'static str) -> Result<Option<Timestamp>, Failure> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        read_instant(&with_offset(value))
            .map(Some)
            .map_err(|what| invalid_parameter(name, what))
    }
}

/// A plus that was not escaped arrives as a space: `…T00:00:00 02:00` means an offset and nothing else.
fn with_offset(text: &str) -> String {
    match text.rfind(' ') {
        Some(at) if at > 10 && text.len() == at + 6 => {
            format!("{}+{}", &text[..at], &text[at + 1..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, RUN_PARAMETERS, TASK_PARAMETERS, run_ask, task_ask};
    use mainstay::store::{From, Scope};
    use mainstay_core::{RunState, TaskState, Timestamp};

    fn given(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    }

    fn error(pairs: &[(&'static str, &str)]) -> String {
        let failure = run_ask(Scope::All, Given(&given(pairs))).expect_err("refused");
        String::from_utf8(failure.body()).expect("UTF-8")
    }

    #[test]
    fn nothing_asked_for_is_the_first_hundred_rows() {
        let ask = task_ask(Scope::All, Given(&[])).expect("fine");
        assert_eq!((ask.page.limit, ask.page.from), (100, From::Offset(0)));
    }

    #[test]
    fn every_filter_is_read() {
        let id = "00000000-0000-4000-8000-000000000009";
        let pairs = given(&[
            ("limit", "1000"),
            ("cursor", "aZ09-_"),
            ("kind", "a.b"),
            ("queue", "q-1"),
            ("tag", "T"),
            ("state", "failed"),
            ("parent_task_id", id),
            ("created_after", "1970-01-01T02:00:00 02:00"),
            ("created_before", "1970-01-01T00:00:01Z"),
            ("q", "x y"),
        ]);
        let ask = task_ask(Scope::All, Given(&pairs)).expect("fine");
        assert_eq!(ask.page.from, From::Cursor("aZ09-_".into()));
        assert_eq!(ask.state, Some(TaskState::Failed));
        assert_eq!(ask.created_after, Some(Timestamp(0)));
        assert_eq!(ask.created_before, Some(Timestamp(1000)));
        assert_eq!(ask.parent.map(|id| id.to_string()).as_deref(), Some(id));
        let pairs = given(&[
            ("offset", "100000"),
            ("state", "retry_wait"),
            ("task_id", id),
            ("worker", "w 1"),
            ("error_code", "E"),
        ]);
        let ask = run_ask(Scope::All, Given(&pairs)).expect("fine");
        assert_eq!(ask.page.from, From::Offset(100_000));
        assert_eq!(ask.state, Some(RunState::RetryWait));
        assert_eq!(ask.worker.as_deref(), Some("w 1"));
    }

    #[test]
    fn a_page_that_cannot_be_is_refused_in_the_words_of_the_contract() {
        let limit = r#"{"error":"invalid_pagination","message":"limit must be between 1 and 1000","details":{"field":"limit"}}"#;
        for text in ["0", "1001", "-1", "ten", "", "1.5", "99999999999999999999"] {
            assert_eq!(error(&[("limit", text)]), limit, "{text}");
        }
        let offset = r#"{"error":"invalid_pagination","message":"offset must be a non-negative integer","details":{"field":"offset"}}"#;
        for text in ["-1", "", "x", "1e3"] {
            assert_eq!(error(&[("offset", text)]), offset, "{text}");
        }
        for text in ["100001", "99999999999999999999"] {
            assert!(error(&[("offset", text)]).contains("use cursor"), "{text}");
        }
        assert!(error(&[("offset", "0"), ("cursor", "a")]).contains("together"));
        for text in ["", "a b", "a=", "ä"] {
            assert!(
                error(&[("cursor", text)]).contains("invalid_pagination"),
                "{text}"
            );
        }
    }

    #[test]
    fn values_that_can_match_nothing_are_refused_by_name() {
        let state = error(&[("state", "done")]);
        assert!(state.contains(r#""parameter":"state""#), "{state}");
        assert!(
            state.contains(r#""allowed":["scheduled","ready""#),
            "{state}"
        );
        assert!(error(&[("task_id", "7")]).contains("invalid_task_id"));
        for (name, value) in [
            ("kind", "A"),
            ("queue", ""),
            ("tag", ""),
            ("worker", ""),
            ("error_code", ""),
            ("created_after", "yesterday"),
        ] {
            let body = error(&[(name, value)]);
            assert!(body.contains("invalid_parameter"), "{body}");
            assert!(body.contains(&format!(r#""parameter":"{name}""#)), "{body}");
        }
    }

    #[test]
    fn the_words_of_the_parameters_are_those_of_the_machine() {
        let words = |known: &[&'static str]| {
            let line = known.iter().find(|line| line.starts_with("state "));
            line.map(|line| line["state ".len()..].to_owned())
                .expect("state")
        };
        let runs: Vec<_> = RunState::ALL.iter().map(|state| state.name()).collect();
        let tasks: Vec<_> = TaskState::ALL.iter().map(|state| state.name()).collect();
        assert_eq!(words(RUN_PARAMETERS), runs.join("|"));
        assert_eq!(words(TASK_PARAMETERS), tasks.join("|"));
    }
}
