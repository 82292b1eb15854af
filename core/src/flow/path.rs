//! Paths: where in a flow's values something stands. One resolver serves templates and conditions.
//! Owns: their grammar, and what is found at their end.
//! Never: takes a typo for a value that is not there.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::value::Value;
use crate::limits;

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 1024;

/// What a path begins with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// What the flow run was started with.
    Params,
    /// A step's output.
    Step(String),
    /// The item at hand of a `for_each`.
    Item,
    /// Its place in the list, from 0.
    Index,
    /// Which iteration of a loop it is, from 0.
    Iteration,
}

/// A path: `params.a.b.0`, `steps.<id>.output…`, `item…`, `index`, `iteration`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// What it begins with.
    pub root: Root,
    /// Names of members and places in lists.
    pub parts: Vec<String>,
}

/// What stands at a path's beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held<'a> {
    /// This value.
    Value(&'a Value),
    /// Nothing: its step was skipped.
    Skipped,
    /// There is no such thing here: a fault of the definition.
    Unknown,
}

/// Where values stand while a step is rendered or a condition is judged.
pub trait Scope {
    /// What stands at this beginning.
    fn held(&self, root: &Root) -> Held<'_>;
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// This value.
    Value(&'a Value),
    /// Nothing: its step was skipped.
    Skipped,
    /// A member or a place that is not there: how many parts of the path were found.
    Missing(usize),
}

/// Whether a text is a step's name: letters, digits, `_` and `-`, at most 64, not beginning with `-`.
#[must_use]
pub fn is_step_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=limits::STEP_NAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
}

impl Path {
    /// Reads a path; what is wrong with it otherwise.
    ///
    /// # Errors
    /// In words, for people.
    pub fn read(text: &str) -> Result<Path, &'static str> {
        if text.is_empty() {
            return Err("the path is empty");
        }
        if text.len() > PATH_BYTES_MAX {
            return Err("the path is longer than 1024 bytes");
        }
        let mut parts = text.split('.');
        let root = match parts.next() {
            Some("params") => Root::Params,
            Some("item") => Root::Item,
            Some("index") => Root::Index,
            Some("iteration") => Root::Iteration,
            Some("steps") => {
                let step = parts.next().filter(|name| is_step_name(name));
                let step = step.ok_or("`steps.` needs the name of a step")?;
                if parts.next() != Some("output") {
                    return Err("after the name of a step comes `.output`");
                }
                Root::Step(String::from(step))
            }
            _ => return Err("a path begins with params, steps, item, index or iteration"),
        };
        let parts: Vec<String> = parts.map(String::from).collect();
        let is_part = |part: &String| !part.is_empty() && part.bytes().all(is_part_byte);
        if !parts.iter().all(is_part) {
            return Err(
                "names within a path are letters, digits, `_`, `-`, `$`, `@` and `:`, between dots",
            );
        }
        if matches!(root, Root::Index | Root::Iteration) && !parts.is_empty() {
            return Err("a number has no parts");
        }
        Ok(Path { root, parts })
    }

    /// What the path leads to.
    pub fn find<'a>(&self, scope: &'a (impl Scope + ?Sized)) -> Found<'a> {
        let mut at = match scope.held(&self.root) {
            Held::Value(value) => value,
            Held::Skipped => return Found::Skipped,
            Held::Unknown => return Found::Missing(0),
        };
        for (index, part) in self.parts.iter().enumerate() {
            let next = match at {
                Value::Object(_) => at.get(part),
                Value::List(items) => place(part).and_then(|place| items.get(place)),
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return Found::Missing(index + 1),
            }
        }
        Found::Value(at)
    }
}

/// A place in a list: digits, without a zero before others.
fn place(part: &str) -> Option<usize> {
    let plain = part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = plain && (part.len() == 1 || !part.starts_with('0'));
    part.parse().ok().filter(|_| fits)
}

fn is_part_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@' | b':') || byte >= 0x80
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Params => f.write_str("params")?,
            Root::Step(name) => write!(f, "steps.{name}.output")?,
            Root::Item => f.write_str("item")?,
            Root::Index => f.write_str("index")?,
            Root::Iteration => f.write_str("iteration")?,
        }
        self.parts.iter().try_for_each(|part| write!(f, ".{part}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;

    /// Values by the beginning of their paths; a step without one was skipped.
    #[derive(Default)]
    pub(in crate::flow) struct Values(pub(in crate::flow) BTreeMap<Root, Option<Value>>);

    impl Values {
        pub(in crate::flow) fn of(list: &[(Root, Option<&str>)]) -> Values {
            let read = |text: &&str| Value::read(text.as_bytes()).unwrap();
            let each = list
                .iter()
                .map(|(root, text)| (root.clone(), text.as_ref().map(read)));
            Values(each.collect())
        }
    }

    impl Scope for Values {
        fn held(&self, root: &Root) -> Held<'_> {
            match self.0.get(root) {
                Some(Some(value)) => Held::Value(value),
                Some(None) => Held::Skipped,
                None => Held::Unknown,
            }
        }
    }

    #[test]
    fn paths_are_read_and_written() {
        for text in [
            "params",
            "params.a.b.0",
            "steps.gather.output",
            "steps.a-B_1.output.files.0.name",
            "item",
            "item.x",
            "index",
            "iteration",
            "params.größe",
        ] {
            assert_eq!(Path::read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            ".",
            "param.a",
            "params.",
            "params..a",
            "params. a",
            "steps",
            "steps.a",
            "steps.a.outputs",
            "steps..output",
            "steps.a b.output",
            "steps.-a.output",
            "index.0",
            "iteration.x",
            "Params.a",
            "params.a[0]",
        ] {
            assert!(Path::read(text).is_err(), "{text}");
        }
        assert!(Path::read(&alloc::format!("params.{}", "a".repeat(1100))).is_err());
    }

    #[test]
    fn a_skipped_step_is_absent_and_a_typo_is_missing() {
        let values = Values::of(&[
            (
                Root::Params,
                Some(r#"{"a":{"b":[10,{"0":"zero"}]},"n":null}"#),
            ),
            (Root::Step("late".into()), None),
        ]);
        let find = |text: &str| Path::read(text).unwrap().find(&values);
        assert_eq!(
            find("params.a.b.0"),
            Found::Value(&Value::Number(10u64.into()))
        );
        assert_eq!(
            find("params.a.b.1.0"),
            Found::Value(&Value::Text("zero".into()))
        );
        assert_eq!(find("params.n"), Found::Value(&Value::Null));
        assert_eq!(find("params.n.x"), Found::Missing(2));
        assert_eq!(find("params.a.c"), Found::Missing(2));
        assert_eq!(find("params.a.b.2"), Found::Missing(3));
        assert_eq!(find("params.a.b.00"), Found::Missing(3));
        assert_eq!(find("steps.late.output.x"), Found::Skipped);
        assert_eq!(find("steps.never.output"), Found::Missing(0));
    }
}
