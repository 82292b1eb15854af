//! JSON of others: values in which no name comes twice, at any depth.

use mainstay_client::wire::Unique;
use serde::Deserialize;

use crate::json::depth;

/// How deep a token's claims or a set of keys may nest.
const DEPTH_MAX: usize = 16;

/// A value.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Node {
    /// Of no use to anybody here; read so that what follows it can be.
    Flag(#[allow(dead_code)] bool),
    /// Dates in tokens are numbers of seconds, maybe with a fraction.
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Object),
    Null(()),
}

/// An object.
pub(super) type Object = Unique<String, Node>;

/// Reads an object; nothing when it is none, when a name comes twice in it, or when it nests too deep.
pub(super) fn read(bytes: &[u8]) -> Option<Object> {
    let text = std::str::from_utf8(bytes).ok()?;
    if depth(text) > DEPTH_MAX {
        return None;
    }
    serde_json::from_str(text).ok()
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Node::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The texts of a text or of a list of them; nothing when anything else is among them.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Node::Text(text) => Some(vec![text]),
            Node::List(list) => list.iter().map(Node::text).collect(),
            _ => None,
        }
    }
}

/// What stands at the end of a path of names.
pub(super) fn at<'a>(object: &'a Object, path: &[String]) -> Option<&'a Node> {
    let (first, rest) = path.split_first()?;
    let node = object.0.get(first)?;
    match (rest, node) {
        ([], node) => Some(node),
        (rest, Node::Object(inner)) => at(inner, rest),
        _ => None,
    }
}
