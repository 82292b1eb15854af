//! Writes the document from the table of routes: a route cannot exist without its entry.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::headers::{answer_headers, header_parameters, headers, request_headers};
use super::kinds::{self, reference};
use super::links::links;
use super::schemas::{Schema, Shape, schemas};
use crate::api::{ROUTES, Route};
use crate::auth::Needs;
use crate::edge::{CODES, Code, find_code};

/// The document's bytes, made once.
pub(crate) fn document() -> Bytes {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    DOCUMENT
        .get_or_init(|| Bytes::from(build().to_string()))
        .clone()
}

fn build() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[route.method().to_lowercase()] = operation(route);
    }
    let mut schemas: Map<String, Value> = schemas()
        .map(|schema| (schema.name.into(), object(schema)))
        .collect();
    schemas["Error"]["properties"]["error"] = kinds::value("error");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mainstay",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The durable engine for work that must not be lost.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that gave this document."}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "msk_<id>_<secret>",
                "description": "A key of `POST /api/v1/keys`, or the admin key that the first start makes.",
            }},
            "parameters": header_parameters(),
            "headers": headers(),
            "schemas": schemas,
        },
        "x-error-codes": CODES.iter().map(error_code).collect::<Vec<_>>(),
    })
}

fn error_code(code: &Code) -> Value {
    let details: Vec<&str> = code
        .details
        .split(", ")
        .filter(|name| !name.is_empty())
        .collect();
    json!({"code": code.name, "status": code.status, "details": details, "meaning": code.meaning})
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [tag(route)],
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if route.control {
        operation["x-audited"] = json!(true);
    }
    if route.needs == Needs::Open {
        operation["security"] = json!([]);
    }
    if let Some(capability) = route.needs.capability() {
        operation["x-required-capability"] = json!(capability.name());
    }
    if let Some(capability) = route.needs.alternative() {
        operation["x-alternative-capability"] = json!(capability.name());
    }
    if route.needs.is_of_system() {
        operation["x-system-key"] = json!(true);
    }
    if let Some(body) = &route.body {
        let example = example(body.schema);
        let mut content =
            json!({"application/json": {"schema": reference(body.schema), "example": example}});
        if body.lines {
            content["application/x-ndjson"] = json!({"schema": {
                "type": "string",
                "description": "One item of the list as JSON on each line.",
            }});
        }
        operation["requestBody"] = json!({
            "required": body.required,
            "description": format!("At most {} bytes, unless configured higher.", body.limit),
            "content": content,
        });
    }
    operation
}

pub(super) fn operation_id(route: &Route) -> String {
    let words = route
        .path
        .trim_start_matches("/api/v1")
        .split(['/', '{', '}', '.'])
        .filter(|word| !word.is_empty());
    [route.method().to_lowercase().as_str()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// What the route is about: the first word of its path.
fn tag(route: &Route) -> &'static str {
    let path = route.path.trim_start_matches("/api/v1");
    let first = path.trim_start_matches('/').split(['/', '.']).next();
    first.unwrap_or_default()
}

fn parameters(route: &Route) -> Value {
    let in_path = path_parameters(route.path);
    let in_path = in_path.map(|name| {
        let kind = match name {
            "tenant_id" => "tenant",
            "delivery_id" => "count",
            name if name.ends_with("_id") => "uuid",
            _ => "name",
        };
        json!({"name": name, "in": "path", "required": true, "schema": kinds::value(kind)})
    });
    let in_query = route.parameters.iter().map(|parameter| {
        let (name, kind) = parameter.split_once(' ').unwrap_or((parameter, "string"));
        json!({"name": name, "in": "query", "schema": kinds::value(kind)})
    });
    let in_headers = request_headers(route).into_iter();
    let in_headers =
        in_headers.map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    in_path.chain(in_query).chain(in_headers).collect()
}

/// The names in the braces of a path.
pub(super) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    let segments = path.split('/');
    segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn responses(route: &Route) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, codes) in failures(route) {
        let meanings: Vec<String> = codes
            .iter()
            .filter_map(|name| find_code(name))
            .map(|code| format!("`{}`: {}", code.name, code.meaning))
            .collect();
        let one_of_these = json!({"properties": {"error": {"enum": codes}}});
        let schema = json!({"allOf": [reference("Error"), one_of_these]});
        responses.insert(
            status.to_string(),
            json!({
                "description": meanings.join("\n\n"),
                "headers": answer_headers(route, status),
                "content": {"application/json": {"schema": schema}},
            }),
        );
    }
    for (status, schema) in route.answers {
        let (media, content) = match *schema {
            "" => ("text/plain", json!({"schema": {"type": "string"}})),
            media if media.contains('/') => (media, json!({})),
            schema => ("application/json", json!({"schema": kinds::value(schema)})),
        };
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"content": {}}));
        let outside = route.path == "/ready" && *status >= 400;
        if *status < 400 || outside {
            response["description"] = json!(route.summary);
        }
        response["headers"] = answer_headers(route, *status);
        response["content"][media] = content;
        if *status < 300 && !schema.is_empty() {
            let links = links(schema);
            if !links.is_empty() {
                response["links"] = Value::Object(links);
            }
        }
    }
    json!(responses)
}

/// The codes that any answer may have, whatever the route.
const ANY: &[&str] = &[
    "malformed_request",
    "invalid_header",
    "unknown_parameter",
    "invalid_parameter",
    "uri_too_long",
    "headers_too_large",
    "internal_error",
    "busy",
];
/// The codes of whatever needs a key.
const KEYED: &[&str] = &[
    "unauthorized",
    "forbidden",
    "rate_limited",
    "tenant_not_found",
    "not_ready",
];
/// The codes of whatever takes a body.
const WITH_BODY: &[&str] = &[
    "invalid_json",
    "unknown_field",
    "invalid_request",
    "limit_exceeded",
    "body_too_large",
    "unsupported_media_type",
    "request_timeout",
];
/// The codes of whatever changes something.
const CHANGING: &[&str] = &["not_supported", "commit_unknown", "storage_full"];

/// The codes a route may answer, by status.
fn failures(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let groups = [
        (ANY, true),
        (KEYED, route.needs != Needs::Open),
        (WITH_BODY, route.body.is_some()),
        (CHANGING, route.changes()),
        (route.errors, true),
    ];
    let mut found: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    let names = groups.iter().filter(|(_, fits)| *fits);
    for name in names.flat_map(|(names, _)| names.iter()) {
        if let Some(code) = find_code(name) {
            let names = found.entry(code.status).or_default();
            if !names.contains(&code.name) {
                names.push(code.name);
            }
        }
    }
    found
}

/// A body as it may be sent: what is required, each with the example of its kind.
fn example(name: &str) -> Value {
    let Some(schema) = schemas().find(|schema| schema.name == name) else {
        return Value::Null;
    };
    if schema.shape == Shape::OneOf {
        return schema
            .fields
            .first()
            .map_or(Value::Null, |name| example(name));
    }
    let mut body = Map::new();
    for (name, kind) in required(schema) {
        body.insert(name.into(), example_of(&kinds::value(kind)));
    }
    Value::Object(body)
}

fn example_of(schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return example(name.rsplit('/').next().unwrap_or_default());
    }
    if let Some(first) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("array") => json!([example_of(&schema["items"])]),
        Some("string") => json!("text"),
        Some("boolean") => json!(true),
        Some("object") | None => json!({}),
        Some(_) => json!(1),
    }
}

/// The required fields of an object, each with its kind.
fn required(schema: &Schema) -> impl Iterator<Item = (&'static str, &'static str)> {
    let fields = schema.fields.iter();
    fields.filter_map(|line| line.split_once("! "))
}

fn object(schema: &Schema) -> Value {
    if schema.shape == Shape::OneOf {
        let choices: Vec<Value> = schema.fields.iter().map(|name| reference(name)).collect();
        return json!({"oneOf": choices});
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for line in schema.fields {
        let (name, kind) = line.split_once(' ').unwrap_or((line, "any"));
        let bare = name.trim_end_matches('!');
        if bare != name {
            required.push(bare);
        }
        properties.insert(bare.into(), kinds::value(kind));
    }
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if schema.shape == Shape::Sent {
        object["additionalProperties"] = json!(false);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, build, schemas};
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_is_audited_takes_a_reason() {
        for route in ROUTES.iter().filter(|route| route.control) {
            let body = route.body.map_or("", |body| body.schema);
            let takes = schemas()
                .any(|schema| schema.name == body && schema.fields.contains(&"reason reason?"));
            assert!(takes, "{} {}: {body}", route.method(), route.path);
        }
    }

    #[test]
    fn every_route_is_in_the_document() {
        let document = build();
        let mut ids = BTreeSet::new();
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.method().to_lowercase()];
            assert!(
                operation["summary"].is_string(),
                "{} {}",
                route.method(),
                route.path
            );
            assert!(
                ids.insert(operation["operationId"].to_string()),
                "{operation}"
            );
            for error in route.errors {
                assert!(crate::edge::find_code(error).is_some(), "{error}");
            }
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
        fn collect(value: &Value, into: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(target)) = map.get("$ref") {
                        let schema = target.strip_prefix("#/components/schemas/");
                        into.extend(schema.map(str::to_owned));
                    }
                    map.values().for_each(|value| collect(value, into));
                }
                Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
                _ => {}
            }
        }
        let mut referenced = BTreeSet::new();
        collect(&build(), &mut referenced);
        let defined: BTreeSet<String> = schemas().map(|schema| schema.name.into()).collect();
        assert_eq!(referenced, defined);
    }
}
