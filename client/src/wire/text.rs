//! Text and raw JSON that borrow from the request they were read from.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A string that borrows from the body it was read from unless it holds escapes.
///
/// A plain `Option<Cow<str>>` never borrows with serde; this one does, inside options and lists too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Str<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Str(Cow::Borrowed(text))
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Str(Cow::Owned(text))
    }
}

/// One JSON value kept as the very bytes it was written with.
#[derive(Clone, Debug)]
pub struct Json<'a>(pub Cow<'a, RawValue>);

impl Json<'_> {
    /// The JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Writes any serializable value as JSON text.
    ///
    /// # Errors
    /// When the value cannot be JSON, such as a map whose keys are not strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Json<'static>> {
        serde_json::value::to_raw_value(value).map(|raw| Json(Cow::Owned(raw)))
    }

    /// Takes text that must be one JSON value, unchanged but for space around it.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse(text: String) -> serde_json::Result<Json<'static>> {
        RawValue::from_string(text).map(|raw| Json(Cow::Owned(raw)))
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Json(Cow::Borrowed(raw))
    }
}

impl From<Box<RawValue>> for Json<'_> {
    fn from(raw: Box<RawValue>) -> Self {
        Json(Cow::Owned(raw))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a RawValue>::deserialize(deserializer).map(Json::from)
    }
}
