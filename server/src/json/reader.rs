//! Reads bodies in one pass into borrowing types; only what fails is read again, to name the field that is wrong.

use std::borrow::Cow;
use std::fmt::Write as _;

use mainstay_client::wire::{Object, Str, Unique};
use mainstay_core::limits::{BATCH_ITEMS_MAX, JSON_DEPTH_MAX};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::depth::depth;
use crate::edge::Failure;

/// What is being read: it decides the code of a wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A task.
    Task,
    /// Anything else.
    Request,
}

impl Subject {
    fn code(self) -> &'static str {
        match self {
            Subject::Task => "invalid_task",
            Subject::Request => "invalid_request",
        }
    }

    /// A field that is missing, malformed or out of place.
    pub(crate) fn wrong(self, field: &'static str, message: impl std::fmt::Display) -> Failure {
        Failure::new(self.code(), format!("{field} {message}")).text("field", field)
    }
}

/// Reads one JSON object.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8], subject: Subject) -> Result<T, Failure> {
    let text = text_of(body)?;
    read_at(text, subject, "")
}

/// Reads the items of `{"<list>": […], "atomic"?: …}`, each well or badly by itself. The second part of the answer is `atomic`.
pub(crate) fn read_items<'a, E, T>(
    body: &'a [u8],
    list: &'static str,
    subject: Subject,
    split: impl FnOnce(E) -> (Vec<T>, bool),
) -> Result<(Vec<Result<T, Failure>>, bool), Failure>
where
    E: Deserialize<'a>,
    T: Deserialize<'a>,
{
    let text = text_of(body)?;
    // An item sits two levels deep in its batch. Whatever is deeper or wrong anywhere takes the slow way, item by item.
    if depth(text) <= JSON_DEPTH_MAX + 2
        && let Ok(Object(envelope)) = serde_json::from_str::<Object<E>>(text)
    {
        let (items, atomic) = split(envelope);
        check_count(items.len())?;
        return Ok((items.into_iter().map(Ok).collect(), atomic));
    }
    let (items, atomic) = raw_items(text, list)?;
    check_count(items.len())?;
    let read_one = |(index, raw): (usize, &'a RawValue)| {
        read_at(raw.get(), subject, &format!("{list}.{index}."))
    };
    Ok((
        items.into_iter().enumerate().map(read_one).collect(),
        atomic,
    ))
}

/// Reads one JSON object per line; lines of nothing but space are skipped.
pub(crate) fn read_lines<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    list: &'static str,
    subject: Subject,
) -> Result<Vec<Result<T, Failure>>, Failure> {
    let text = text_of(body)?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut items = Vec::new();
    for (number, line) in lines {
        check_count(items.len() + 1)?;
        if depth(line) <= JSON_DEPTH_MAX
            && let Ok(Object(item)) = serde_json::from_str::<Object<T>>(line)
        {
            items.push(Ok(item));
            continue;
        }
        let failure = |failure: Failure| failure.on_line(number + 1);
        items.push(read_at(line, subject, &format!("{list}.{}.", items.len())).map_err(failure));
    }
    Ok(items)
}

fn check_count(count: usize) -> Result<(), Failure> {
    if count <= BATCH_ITEMS_MAX {
        return Ok(());
    }
    let message = format!("a batch holds at most {BATCH_ITEMS_MAX} items");
    Err(Failure::new("limit_exceeded", message)
        .text("limit", "batch_items")
        .number("value", BATCH_ITEMS_MAX as u64))
}

fn text_of(body: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(body).map_err(|error| {
        let before = &body[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count()
            + 1;
        invalid_json("the body is not UTF-8", line, column)
    })
}

fn read_at<'a, T: Deserialize<'a>>(
    text: &'a str,
    subject: Subject,
    prefix: &str,
) -> Result<T, Failure> {
    if depth(text) > JSON_DEPTH_MAX {
        let message = format!("JSON nests deeper than {JSON_DEPTH_MAX}");
        return Err(Failure::new("limit_exceeded", message)
            .text("limit", "json_depth")
            .number("value", JSON_DEPTH_MAX as u64));
    }
    match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(value)) => Ok(value),
        Err(error) if error.classify() == Category::Data => {
            Err(wrong_field::<T>(text, subject, prefix))
        }
        Err(error) => Err(invalid_json(&plain(&error), error.line(), error.column())),
    }
}

fn invalid_json(message: &str, line: usize, column: usize) -> Failure {
    Failure::new("invalid_json", format!("the body is not JSON: {message}"))
        .number("line", line as u64)
        .number("column", column as u64)
}

/// Reads again what has failed, this time keeping track of where.
fn wrong_field<'a, T: Deserialize<'a>>(text: &'a str, subject: Subject, prefix: &str) -> Failure {
    let mut reader = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(&mut reader) else {
        return Failure::new(subject.code(), "the body cannot be read");
    };
    let mut field = dotted(prefix, error.path());
    let message = plain(error.inner());
    if let Some(name) = quoted_after(&message, "missing field `") {
        join(&mut field, name);
        return Failure::new(subject.code(), format!("{field} is required")).text("field", field);
    }
    if let Some(name) = quoted_after(&message, "duplicate field `") {
        if field.rsplit('.').next() != Some(name) {
            join(&mut field, name);
        }
        return Failure::new(subject.code(), format!("{field} is given twice"))
            .text("field", field);
    }
    if let Some(name) = quoted_after(&message, "unknown field `") {
        if field.rsplit('.').next() != Some(name) {
            join(&mut field, name);
        }
        return Failure::new("unknown_field", format!("there is no field {field}"))
            .text("field", field);
    }
    let what = if field.is_empty() {
        Cow::Borrowed("the body")
    } else {
        Cow::Owned(field.clone())
    };
    Failure::new(subject.code(), format!("{what}: {message}")).text("field", field)
}

fn join(field: &mut String, name: &str) {
    if !field.is_empty() && !field.ends_with('.') {
        field.push('.');
    }
    field.push_str(name);
}

fn dotted(prefix: &str, path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut field = String::from(prefix);
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => {
                join(&mut field, "");
                let _ = write!(field, "{index}");
            }
            Segment::Map { key } | Segment::Enum { variant: key } => join(&mut field, clip(key)),
            Segment::Unknown => {}
        }
    }
    if path.iter().len() == 0 {
        field.truncate(field.trim_end_matches('.').len());
    }
    field
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    Some(clip(message.strip_prefix(start)?.split('`').next()?))
}

/// What serde says, without its position (the details carry it) and without echoing more than a glance of the input.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    let text = &text[..end];
    if text.len() <= 240 {
        text.to_owned()
    } else {
        format!("{}…", clip(text))
    }
}

fn clip(text: &str) -> &str {
    let mut end = text.len().min(200);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The slow way into a batch: its items as raw text. Only what is wrong with the envelope itself fails here.
fn raw_items<'a>(text: &'a str, list: &'static str) -> Result<(Vec<&'a RawValue>, bool), Failure> {
    let fields: Unique<Str<'a>, &'a RawValue> = match serde_json::from_str(text) {
        Ok(fields) => fields,
        Err(error) if error.classify() == Category::Data => {
            let message = plain(&error);
            let field = quoted_after(&message, "duplicate field `")
                .unwrap_or_default()
                .to_owned();
            return Err(
                Failure::new("invalid_request", format!("the body: {message}"))
                    .text("field", field),
            );
        }
        Err(error) => return Err(invalid_json(&plain(&error), error.line(), error.column())),
    };
    let mut items = None;
    let mut atomic = false;
    for (name, raw) in fields.0 {
        let wrong = |what: &str| {
            Failure::new("invalid_request", format!("{name} must be {what}"))
                .text("field", name.to_string())
        };
        if *name == *list {
            items = Some(serde_json::from_str(raw.get()).map_err(|_| wrong("a list of objects"))?);
        } else if *name == *"atomic" && list == "tasks" {
            let value: Option<bool> =
                serde_json::from_str(raw.get()).map_err(|_| wrong("true or false"))?;
            atomic = value.unwrap_or(false);
        } else {
            let name = clip(&name).to_owned();
            return Err(
                Failure::new("unknown_field", format!("there is no field {name}"))
                    .text("field", name),
            );
        }
    }
    let items = items.ok_or_else(|| {
        Failure::new("invalid_request", format!("{list} is required")).text("field", list)
    })?;
    Ok((items, atomic))
}

#[cfg(test)]
mod tests;
