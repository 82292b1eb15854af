//! Reads fields of a definition and notes whatever is wrong with them.
//! Owns: the words for wrong fields, and where they stand.
//! Never: stops; what cannot be read has its default, and the diagnostic makes the definition refused.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::condition::{Condition, Unsound};
use super::diagnostic::{Diagnostic, Problem};
use super::template::Template;
use super::value::Value;
use crate::Text;

/// Reads one definition.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) found: Vec<Diagnostic>,
}

/// An object at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'v> {
    pub(super) members: &'v [(String, Value)],
    pub(super) at: &'v str,
}

/// A place within a place.
pub(super) fn below(at: &str, part: &str) -> String {
    match at {
        "" => part.to_string(),
        at => format!("{at}.{part}"),
    }
}

impl<'v> Fields<'v> {
    /// A field's value, the last if it comes twice.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        let named = |(own, _): &&(String, Value)| own == name;
        self.members
            .iter()
            .rev()
            .find(named)
            .map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn below(&self, name: &str) -> String {
        below(self.at, name)
    }
}

impl Reading {
    pub(super) fn tell(
        &mut self,
        problem: Problem,
        location: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.found.push(Diagnostic {
            problem,
            message: message.into(),
            location: location.into(),
        });
    }

    fn invalid(&mut self, location: String, message: impl Into<String>) {
        self.tell(Problem::InvalidField, location, message);
    }

    /// The members of an object whose fields are these and none twice.
    pub(super) fn fields<'v>(
        &mut self,
        value: &'v Value,
        at: &'v str,
        known: &[&str],
    ) -> Option<Fields<'v>> {
        let Value::Object(members) = value else {
            let message = format!("expected an object, not {}", value.kind());
            self.invalid(at.to_string(), message);
            return None;
        };
        for (index, (name, _)) in members.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let message = format!("there is no field `{name}`; there are {}", known.join(", "));
                self.tell(Problem::UnknownField, below(at, name), message);
            }
            if members[..index].iter().any(|(earlier, _)| earlier == name) {
                let message = format!("`{name}` comes twice");
                self.tell(Problem::DuplicateField, below(at, name), message);
            }
        }
        Some(Fields { members, at })
    }

    pub(super) fn text<'v>(&mut self, fields: &Fields<'v>, name: &str) -> Option<&'v str> {
        let value = fields.get(name)?;
        let text = value.as_text();
        if text.is_none() {
            let message = format!("expected a text, not {}", value.kind());
            self.invalid(fields.below(name), message);
        }
        text
    }

    pub(super) fn name(&mut self, fields: &Fields<'_>, name: &str) -> Option<Text> {
        let text = self.text(fields, name)?;
        if !crate::limits::is_name(text) {
            self.invalid(fields.below(name), crate::limits::NAME_FORM);
            return None;
        }
        Some(Text::from(text))
    }

    pub(super) fn flag(&mut self, fields: &Fields<'_>, name: &str) -> bool {
        match fields.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let message = format!("expected true or false, not {}", other.kind());
                self.invalid(fields.below(name), message);
                false
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        least: u64,
        most: u64,
    ) -> Option<u64> {
        let number = match fields.get(name)? {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message = format!("expected a whole number between {least} and {most}");
            self.invalid(fields.below(name), message);
        }
        number
    }

    /// One of a few words; the default where there is none.
    pub(super) fn word<T: Copy + Default>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        all: &[T],
        name_of: fn(T) -> &'static str,
    ) -> T {
        let Some(text) = self.text(fields, name) else {
            return T::default();
        };
        let found = all.iter().copied().find(|one| name_of(*one) == text);
        found.unwrap_or_else(|| {
            let words: Vec<&str> = all.iter().map(|one| name_of(*one)).collect();
            let message = format!("there is no `{text}` here; there are {}", words.join(", "));
            self.invalid(fields.below(name), message);
            T::default()
        })
    }

    /// A list, each item at its place.
    pub(super) fn items<'v>(&mut self, fields: &Fields<'v>, name: &str) -> &'v [Value] {
        match fields.get(name) {
            None => &[],
            Some(Value::List(items)) => items,
            Some(other) => {
                let message = format!("expected a list, not {}", other.kind());
                self.invalid(fields.below(name), message);
                &[]
            }
        }
    }

    pub(super) fn texts(&mut self, fields: &Fields<'_>, name: &str) -> Vec<Text> {
        let mut texts = Vec::new();
        for (index, item) in self.items(fields, name).iter().enumerate() {
            match item.as_text() {
                Some(text) => texts.push(Text::from(text)),
                None => {
                    let at = below(&fields.below(name), &index.to_string());
                    self.invalid(at, format!("expected a text, not {}", item.kind()));
                }
            }
        }
        texts
    }

    pub(super) fn template(&mut self, fields: &Fields<'_>, name: &str) -> Template {
        let Some(value) = fields.get(name) else {
            return Template::Plain(Value::Object(Vec::new()));
        };
        let mut flaws = Vec::new();
        let template = Template::read(value, &mut flaws);
        let at = fields.below(name);
        for flaw in flaws {
            let location = match flaw.location.is_empty() {
                true => at.clone(),
                false => below(&at, &flaw.location),
            };
            self.tell(Problem::TemplateSyntax, location, flaw.message);
        }
        template
    }

    pub(super) fn condition(&mut self, fields: &Fields<'_>, name: &str) -> Option<Condition> {
        match Condition::read(fields.get(name)?) {
            Ok(condition) => Some(condition),
            Err(Unsound::Form(message)) => {
                self.tell(Problem::ConditionSyntax, fields.below(name), message);
                None
            }
            Err(Unsound::Type(message)) => {
                self.tell(Problem::ConditionTypeMismatch, fields.below(name), message);
                None
            }
        }
    }

    /// A JSON Schema as far as it can be told without knowing schemas: an object or a boolean.
    pub(super) fn schema(&mut self, fields: &Fields<'_>, name: &str) -> Option<Value> {
        let value = fields.get(name)?;
        if matches!(value, Value::Object(_) | Value::Bool(_)) {
            return Some(value.clone());
        }
        let message = format!(
            "a JSON Schema is an object or a boolean, not {}",
            value.kind()
        );
        self.tell(Problem::SchemaInvalid, fields.below(name), message);
        None
    }
}
