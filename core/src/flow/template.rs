//! Templates: JSON with `{{ path }}` in its texts.
//! Owns: their grammar and what they become.
//! Never: evaluates anything but paths.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::fault::{Fault, FaultClass};
use super::path::{Found, Path, Scope};
use super::value::Value;

/// Where a placeholder begins and ends.
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A JSON value whose texts may hold placeholders.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// A value without any.
    Plain(Value),
    /// A text that is one placeholder: the value keeps its type.
    Whole(Path),
    /// A text with placeholders in it.
    Mixed(Vec<Piece>),
    /// A list with some within.
    List(Vec<Template>),
    /// An object with some within. Names of members are taken as they are.
    Object(Vec<(String, Template)>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// As it stands.
    Plain(String),
    /// What a path leads to, as text.
    Path(Path),
}

/// What is wrong with a template, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// A dotted path within the template; empty for the template itself.
    pub location: String,
    /// What is wrong.
    pub message: String,
}

impl Template {
    /// Reads a template, and notes every flaw.
    pub fn read(value: &Value, flaws: &mut Vec<Flaw>) -> Template {
        read_at(value, &mut String::new(), flaws)
    }

    /// Every path in it, in order.
    pub fn paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        match self {
            Template::Plain(_) => {}
            Template::Whole(path) => visit(path),
            Template::Mixed(pieces) => {
                for piece in pieces {
                    if let Piece::Path(path) = piece {
                        visit(path);
                    }
                }
            }
            Template::List(items) => items.iter().for_each(|item| item.paths(visit)),
            Template::Object(members) => {
                members.iter().for_each(|(_, value)| value.paths(visit));
            }
        }
    }

    /// The value it becomes. What a skipped step would have brought is `null`, and nothing within a text.
    ///
    /// # Errors
    /// A path to something that is not there.
    pub fn render(&self, scope: &(impl Scope + ?Sized)) -> Result<Value, Fault> {
        Ok(match self {
            Template::Plain(value) => value.clone(),
            Template::Whole(path) => match at(path, scope)? {
                Some(value) => value.clone(),
                None => Value::Null,
            },
            Template::Mixed(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Path(path) => match at(path, scope)? {
                            Some(Value::Text(value)) => text.push_str(value),
                            Some(value) => value.write(&mut text),
                            None => {}
                        },
                    }
                }
                Value::Text(text)
            }
            Template::List(items) => {
                let items = items.iter().map(|item| item.render(scope));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Template::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), value.render(scope)?)));
                Value::Object(members.collect::<Result<_, Fault>>()?)
            }
        })
    }
}

fn at<'a>(path: &Path, scope: &'a (impl Scope + ?Sized)) -> Result<Option<&'a Value>, Fault> {
    match path.find(scope) {
        Found::Value(value) => Ok(Some(value)),
        Found::Skipped => Ok(None),
        Found::Missing(_) => Err(Fault {
            class: FaultClass::Template,
            message: format!("there is no {path}"),
        }),
    }
}

fn read_at(value: &Value, location: &mut String, flaws: &mut Vec<Flaw>) -> Template {
    match value {
        Value::Text(text) if text.contains(OPEN) || text.contains(CLOSE) => pieces_of(text)
            .unwrap_or_else(|message| {
                flaws.push(Flaw {
                    location: location.clone(),
                    message,
                });
                Template::Plain(value.clone())
            }),
        Value::List(items) => {
            let read = |(index, item): (usize, &Value)| {
                within(location, &index.to_string(), |location| {
                    read_at(item, location, flaws)
                })
            };
            let items: Vec<Template> = items.iter().enumerate().map(read).collect();
            match items.iter().all(is_plain) {
                true => Template::Plain(value.clone()),
                false => Template::List(items),
            }
        }
        Value::Object(members) => {
            let read = |(name, member): &(String, Value)| {
                let read = within(location, name, |location| read_at(member, location, flaws));
                (name.clone(), read)
            };
            let members: Vec<(String, Template)> = members.iter().map(read).collect();
            match members.iter().all(|(_, member)| is_plain(member)) {
                true => Template::Plain(value.clone()),
                false => Template::Object(members),
            }
        }
        plain => Template::Plain(plain.clone()),
    }
}

fn is_plain(template: &Template) -> bool {
    matches!(template, Template::Plain(_))
}

fn within<T>(location: &mut String, part: &str, act: impl FnOnce(&mut String) -> T) -> T {
    let length = location.len();
    if length > 0 {
        location.push('.');
    }
    location.push_str(part);
    let done = act(location);
    location.truncate(length);
    done
}

fn pieces_of(text: &str) -> Result<Template, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(begins) = rest.find(OPEN) {
        plain(&rest[..begins], &mut pieces)?;
        let inside = &rest[begins + OPEN.len()..];
        let Some(ends) = inside.find(CLOSE) else {
            return Err("a `{{` without its `}}`".to_string());
        };
        let path = inside[..ends].trim();
        let path = Path::read(path).map_err(|wrong| format!("`{path}`: {wrong}"))?;
        pieces.push(Piece::Path(path));
        rest = &inside[ends + CLOSE.len()..];
    }
    plain(rest, &mut pieces)?;
    match (pieces.len(), pieces.pop()) {
        (1, Some(Piece::Path(path))) => Ok(Template::Whole(path)),
        (_, last) => {
            pieces.extend(last);
            Ok(Template::Mixed(pieces))
        }
    }
}

fn plain(text: &str, pieces: &mut Vec<Piece>) -> Result<(), String> {
    if text.contains(CLOSE) {
        return Err("a `}}` without its `{{`".to_string());
    }
    if !text.is_empty() {
        pieces.push(Piece::Plain(text.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::path::Root;
    use super::super::path::tests::Values;
    use super::*;

    fn values() -> Values {
        Values::of(&[
            (
                Root::Params,
                Some(r#"{"quarter":"Q3","year":2026,"tags":["a","b"],"on":true,"none":null}"#),
            ),
            (Root::Step("skipped".into()), None),
        ])
    }

    fn render(json: &str) -> Result<String, Fault> {
        let mut flaws = Vec::new();
        let template = Template::read(&Value::read(json.as_bytes()).unwrap(), &mut flaws);
        assert!(flaws.is_empty(), "{flaws:?}");
        template.render(&values()).map(|value| value.to_json())
    }

    #[test]
    fn one_placeholder_keeps_the_type_and_within_a_text_it_is_text() {
        for (template, rendered) in [
            (r#"{"q":"{{ params.quarter }}"}"#, r#"{"q":"Q3"}"#),
            (
                r#"["{{params.year}}","{{ params.tags }}"]"#,
                r#"[2026,["a","b"]]"#,
            ),
            (
                r#""{{params.quarter}} of {{ params.year }}: {{params.tags}}, {{params.on}}, {{params.none}}""#,
                r#""Q3 of 2026: [\"a\",\"b\"], true, null""#,
            ),
            (
                r#"{"a":[{"b":"{{params.tags.1}}"}],"c":1}"#,
                r#"{"a":[{"b":"b"}],"c":1}"#,
            ),
            (r#""{{ steps.skipped.output.x }}""#, "null"),
            (r#""<{{ steps.skipped.output.x }}>""#, r#""<>""#),
            (r#"{"{{params.year}}":1}"#, r#"{"{{params.year}}":1}"#),
        ] {
            assert_eq!(render(template).unwrap(), rendered, "{template}");
        }
    }

    #[test]
    fn what_a_value_holds_is_not_read_again() {
        let values = Values::of(&[(Root::Params, Some(r#"{"a":"{{ params.b }}","b":1}"#))]);
        let mut flaws = Vec::new();
        let whole = Template::read(&Value::Text("{{ params.a }}".into()), &mut flaws);
        let rendered = whole.render(&values).unwrap();
        assert_eq!(rendered, Value::Text("{{ params.b }}".into()));
    }

    #[test]
    fn a_missing_member_is_a_fault() {
        let fault = render(r#""{{ params.quarters }}""#).unwrap_err();
        assert_eq!(fault.class, FaultClass::Template);
        assert_eq!(fault.message, "there is no params.quarters");
    }

    #[test]
    fn every_flaw_is_told_with_its_place() {
        let json = r#"{"a":["{{ params.x","ok","}} no"],"b":{"c":"{{ nowhere }}"},"d":"{{}}"}"#;
        let mut flaws = Vec::new();
        Template::read(&Value::read(json.as_bytes()).unwrap(), &mut flaws);
        let places: Vec<&str> = flaws.iter().map(|flaw| flaw.location.as_str()).collect();
        assert_eq!(places, ["a.0", "a.2", "b.c", "d"]);
    }

    #[test]
    fn paths_are_visited_in_order() {
        let json = r#"{"a":"{{params.x}} {{params.y}}","b":["{{item.z}}"]}"#;
        let template = Template::read(&Value::read(json.as_bytes()).unwrap(), &mut Vec::new());
        let mut seen = Vec::new();
        template.paths(&mut |path| seen.push(path.to_string()));
        assert_eq!(seen, ["params.x", "params.y", "item.z"]);
    }
}
