//! Conditions: guards of steps and ends of loops.
//! Owns: their grammar and their judgement.
//! Never: takes what cannot be compared for a difference.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::fault::{Fault, FaultClass};
use super::path::{Found, Path, Scope};
use super::value::Value;

/// Conditions within each other.
const DEPTH_MAX: usize = 16;

/// A condition: `{op, path, value}`, `{op: exists, path}`, `{op: not, expr}`, `{op: and, exprs: […]}`, `{op: or, exprs: […]}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// What stands at the path compares so with the value.
    Compare(Path, Comparison, Value),
    /// What stands at the path is one of the values.
    In(Path, Vec<Value>),
    /// There is something at the path.
    Exists(Path),
    /// All of them hold.
    And(Vec<Condition>),
    /// One of them holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Comparison; 6] = [
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Gt,
        Comparison::Ge,
        Comparison::Lt,
        Comparison::Le,
    ];

    /// Its name in a definition.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Comparison::Eq => "eq",
            Comparison::Ne => "ne",
            Comparison::Gt => "gt",
            Comparison::Ge => "ge",
            Comparison::Lt => "lt",
            Comparison::Le => "le",
        }
    }

    fn is_of_order(self) -> bool {
        !matches!(self, Comparison::Eq | Comparison::Ne)
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Eq => order == Ordering::Equal,
            Comparison::Ne => order != Ordering::Equal,
            Comparison::Gt => order == Ordering::Greater,
            Comparison::Ge => order != Ordering::Less,
            Comparison::Lt => order == Ordering::Less,
            Comparison::Le => order != Ordering::Greater,
        }
    }
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// It is not a condition.
    Form(String),
    /// A value of this type is not what the operator compares with.
    Type(String),
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(value: &Value) -> Result<Condition, Unsound> {
        read_at(value, 0)
    }

    /// Every path in it, in order.
    pub fn paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        match self {
            Condition::Compare(path, ..) | Condition::In(path, _) | Condition::Exists(path) => {
                visit(path);
            }
            Condition::And(all) | Condition::Or(all) => all.iter().for_each(|one| one.paths(visit)),
            Condition::Not(one) => one.paths(visit),
        }
    }

    /// Whether it holds. About what a skipped step would have brought nothing holds.
    ///
    /// # Errors
    /// A path to something that is not there, but for `exists`, and two values that cannot be compared.
    pub fn holds(&self, scope: &(impl Scope + ?Sized)) -> Result<bool, Fault> {
        match self {
            Condition::Exists(path) => Ok(matches!(path.find(scope), Found::Value(_))),
            Condition::Compare(path, how, with) => match at(path, scope)? {
                Some(value) => compare(path, value, *how, with),
                None => Ok(false),
            },
            Condition::In(path, values) => match at(path, scope)? {
                Some(value) => Ok(values.contains(value)),
                None => Ok(false),
            },
            Condition::And(all) => {
                for one in all {
                    if !one.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(all) => {
                for one in all {
                    if one.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(one) => one.holds(scope).map(|holds| !holds),
        }
    }
}

fn fault(message: String) -> Fault {
    Fault {
        class: FaultClass::Condition,
        message,
    }
}

fn at<'a>(path: &Path, scope: &'a (impl Scope + ?Sized)) -> Result<Option<&'a Value>, Fault> {
    match path.find(scope) {
        Found::Value(value) => Ok(Some(value)),
        Found::Skipped => Ok(None),
        Found::Missing(_) => Err(fault(format!("there is no {path}"))),
    }
}

/// Values of one type are compared; `null` is equal to itself and different from all others; anything else cannot be compared.
fn compare(path: &Path, value: &Value, how: Comparison, with: &Value) -> Result<bool, Fault> {
    let order = match (value, with) {
        (Value::Number(own), Value::Number(theirs)) => own.cmp(theirs),
        (Value::Text(own), Value::Text(theirs)) => own.cmp(theirs),
        _ if how.is_of_order() => return Err(cannot(path, value, how, with)),
        (Value::Null, _) | (_, Value::Null) => equal_or_not(value == with),
        _ if value.kind() == with.kind() => equal_or_not(value == with),
        _ => return Err(cannot(path, value, how, with)),
    };
    Ok(how.holds(order))
}

fn equal_or_not(equal: bool) -> Ordering {
    if equal {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

fn cannot(path: &Path, value: &Value, how: Comparison, with: &Value) -> Fault {
    let (own, op, theirs) = (value.kind(), how.name(), with.kind());
    fault(format!(
        "{path} is {own}, which `{op}` does not compare with {theirs}"
    ))
}

fn form(message: impl Into<String>) -> Unsound {
    Unsound::Form(message.into())
}

fn read_at(value: &Value, depth: usize) -> Result<Condition, Unsound> {
    if depth >= DEPTH_MAX {
        return Err(form("more than 16 conditions within each other"));
    }
    let Value::Object(members) = value else {
        return Err(form(format!(
            "a condition is an object with `op`, not {}",
            value.kind()
        )));
    };
    let op = value.get("op").and_then(Value::as_text);
    let op = op.ok_or_else(|| form("`op` is missing"))?;
    let known: &[&str] = match op {
        "not" => &["op", "expr"],
        "and" | "or" => &["op", "exprs"],
        "exists" => &["op", "path"],
        _ => &["op", "path", "value"],
    };
    if let Some((name, _)) = members
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()))
    {
        return Err(form(format!("`{op}` has no field `{name}`")));
    }
    match op {
        "not" => {
            let inner = value
                .get("expr")
                .ok_or_else(|| form("`not` needs `expr`"))?;
            Ok(Condition::Not(Box::new(read_at(inner, depth + 1)?)))
        }
        "and" | "or" => {
            let Some(Value::List(inner)) = value.get("exprs") else {
                return Err(form(format!("`{op}` needs `exprs`, a list")));
            };
            if inner.is_empty() {
                return Err(form(format!("`exprs` of `{op}` is empty")));
            }
            let inner = inner.iter().map(|one| read_at(one, depth + 1));
            let inner = inner.collect::<Result<Vec<_>, _>>()?;
            Ok(match op {
                "and" => Condition::And(inner),
                _ => Condition::Or(inner),
            })
        }
        "exists" => Ok(Condition::Exists(path_of(value, op)?)),
        "in" => {
            let path = path_of(value, op)?;
            match value.get("value") {
                Some(Value::List(values)) if !values.is_empty() => {
                    Ok(Condition::In(path, values.clone()))
                }
                Some(Value::List(_)) => Err(form("`value` of `in` is empty")),
                Some(other) => Err(Unsound::Type(format!(
                    "`in` looks through a list, not {}",
                    other.kind()
                ))),
                None => Err(form("`in` needs `value`")),
            }
        }
        _ => read_comparison(value, op),
    }
}

fn read_comparison(value: &Value, op: &str) -> Result<Condition, Unsound> {
    let how = Comparison::ALL.into_iter().find(|how| how.name() == op);
    let how = how.ok_or_else(|| {
        form(format!(
            "there is no `op` `{op}`; there are eq, ne, in, gt, ge, lt, le, exists, and, or, not"
        ))
    })?;
    let path = path_of(value, op)?;
    let with = value
        .get("value")
        .ok_or_else(|| form(format!("`{op}` needs `value`")))?;
    if how.is_of_order() && !matches!(with, Value::Number(_) | Value::Text(_)) {
        return Err(Unsound::Type(format!(
            "`{op}` compares numbers or texts, not {}",
            with.kind()
        )));
    }
    Ok(Condition::Compare(path, how, with.clone()))
}

fn path_of(value: &Value, op: &str) -> Result<Path, Unsound> {
    let path = value.get("path").and_then(Value::as_text);
    let path = path.ok_or_else(|| form(format!("`{op}` needs `path`, a text")))?;
    Path::read(path).map_err(|wrong| form(format!("`{path}`: {wrong}")))
}

#[cfg(test)]
mod tests {
    use super::super::path::Root;
    use super::super::path::tests::Values;
    use super::*;

    fn judge(json: &str) -> Result<bool, Fault> {
        let values = Values::of(&[
            (
                Root::Params,
                Some(r#"{"n":0.8,"t":"m","b":true,"z":null,"l":[1,2],"o":{"a":1}}"#),
            ),
            (Root::Step("skipped".into()), None),
        ]);
        let value = Value::read(json.as_bytes()).unwrap();
        let condition = Condition::read(&value).unwrap_or_else(|e| panic!("{json}: {e:?}"));
        condition.holds(&values)
    }

    #[test]
    fn conditions_hold_or_not() {
        for (json, holds) in [
            (r#"{"op":"eq","path":"params.n","value":0.80}"#, true),
            (
                r#"{"op":"gt","path":"params.n","value":0.79999999999999999999}"#,
                true,
            ),
            (r#"{"op":"ge","path":"params.n","value":0.8}"#, true),
            (r#"{"op":"lt","path":"params.n","value":-3}"#, false),
            (r#"{"op":"le","path":"params.t","value":"n"}"#, true),
            (r#"{"op":"ne","path":"params.t","value":"m"}"#, false),
            (r#"{"op":"eq","path":"params.z","value":null}"#, true),
            (r#"{"op":"eq","path":"params.z","value":5}"#, false),
            (r#"{"op":"ne","path":"params.n","value":null}"#, true),
            (r#"{"op":"eq","path":"params.l","value":[1.0,2]}"#, true),
            (r#"{"op":"in","path":"params.t","value":["a","m"]}"#, true),
            (r#"{"op":"in","path":"params.n","value":["a",1]}"#, false),
            (r#"{"op":"exists","path":"params.o.a"}"#, true),
            (r#"{"op":"exists","path":"params.o.b"}"#, false),
            (
                r#"{"op":"not","expr":{"op":"eq","path":"params.b","value":true}}"#,
                false,
            ),
            (
                r#"{"op":"and","exprs":[{"op":"exists","path":"params.o"},{"op":"eq","path":"params.o.a","value":1}]}"#,
                true,
            ),
            // What decides comes first; the rest is not looked at.
            (
                r#"{"op":"or","exprs":[{"op":"exists","path":"params.o"},{"op":"eq","path":"params.o.x","value":1}]}"#,
                true,
            ),
            (
                r#"{"op":"eq","path":"steps.skipped.output.x","value":1}"#,
                false,
            ),
            (
                r#"{"op":"ne","path":"steps.skipped.output.x","value":1}"#,
                false,
            ),
            (
                r#"{"op":"in","path":"steps.skipped.output.x","value":[1]}"#,
                false,
            ),
            (r#"{"op":"exists","path":"steps.skipped.output"}"#, false),
        ] {
            assert_eq!(judge(json), Ok(holds), "{json}");
        }
    }

    #[test]
    fn a_typo_and_what_cannot_be_compared_are_faults() {
        for json in [
            r#"{"op":"eq","path":"params.m","value":1}"#,
            r#"{"op":"eq","path":"params.n","value":"0.8"}"#,
            r#"{"op":"gt","path":"params.t","value":1}"#,
            r#"{"op":"gt","path":"params.z","value":1}"#,
            r#"{"op":"eq","path":"params.b","value":1}"#,
            r#"{"op":"in","path":"params.none","value":[1]}"#,
            r#"{"op":"not","expr":{"op":"eq","path":"params.m","value":1}}"#,
            r#"{"op":"eq","path":"steps.other.output","value":1}"#,
        ] {
            let fault = judge(json).unwrap_err();
            assert_eq!(fault.class, FaultClass::Condition, "{json}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for json in [
            "1",
            "{}",
            r#"{"op":"xor"}"#,
            r#"{"op":"eq","path":"params.a"}"#,
            r#"{"op":"eq","value":1}"#,
            r#"{"op":"eq","path":"nowhere","value":1}"#,
            r#"{"op":"and","exprs":[]}"#,
            r#"{"op":"or","exprs":{}}"#,
            r#"{"op":"not"}"#,
            r#"{"op":"exists","path":"params.a","value":1}"#,
            r#"{"op":"in","path":"params.a","value":[]}"#,
            r#"{"op":"eq","path":"params.a","value":1,"vlaue":2}"#,
        ] {
            let value = Value::read(json.as_bytes()).unwrap();
            assert!(
                matches!(Condition::read(&value), Err(Unsound::Form(_))),
                "{json}"
            );
        }
        for json in [
            r#"{"op":"gt","path":"params.a","value":true}"#,
            r#"{"op":"in","path":"params.a","value":"ab"}"#,
        ] {
            let value = Value::read(json.as_bytes()).unwrap();
            assert!(
                matches!(Condition::read(&value), Err(Unsound::Type(_))),
                "{json}"
            );
        }
    }

    #[test]
    fn conditions_stand_within_each_other_to_a_bound() {
        let mut json = String::from(r#"{"op":"exists","path":"params"}"#);
        for _ in 0..15 {
            json = format!(r#"{{"op":"not","expr":{json}}}"#);
        }
        assert_eq!(judge(&json), Ok(false));
        json = format!(r#"{{"op":"not","expr":{json}}}"#);
        let value = Value::read(json.as_bytes()).unwrap();
        assert!(Condition::read(&value).is_err());
    }
}
