//! Writes the document from the table of routes: a route cannot exist without its entry.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::schemas::{Schema, schemas};
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
    let schemas: Map<String, Value> = schemas()
        .map(|schema| (schema.name.into(), object(schema)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mainstay",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The durable engine for work that must not be lost.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "msk_<id>_<secret>"}},
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
        let mut content = json!({"application/json": {"schema": reference(body.schema)}});
        if body.lines {
            content["application/x-ndjson"] = json!({"schema": {"type": "string"}});
        }
        operation["requestBody"] = json!({"required": body.required, "content": content});
    }
    operation
}

fn operation_id(route: &Route) -> String {
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

fn parameters(route: &Route) -> Value {
    let in_path = route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        let kind = if name.ends_with("_id") {
            "uuid"
        } else {
            "string"
        };
        json!({"name": name, "in": "path", "required": true, "schema": field(kind)})
    });
    let in_query = route.parameters.iter().map(|parameter| {
        let (name, kind) = parameter.split_once(' ').unwrap_or((parameter, "string"));
        json!({"name": name, "in": "query", "schema": field(kind)})
    });
    in_path.chain(in_query).collect()
}

fn responses(route: &Route) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, codes) in failures(route) {
        let content = json!({"application/json": {"schema": reference("Error")}});
        responses.insert(
            status.to_string(),
            json!({"description": codes.join(", "), "content": content}),
        );
    }
    for (status, schema) in route.answers {
        let (media, content) = match *schema {
            "" => ("text/plain", json!({"schema": {"type": "string"}})),
            media if media.contains('/') => (media, json!({})),
            schema => ("application/json", json!({"schema": field(schema)})),
        };
        let response = responses.entry(status.to_string()).or_insert(Value::Null);
        // One status may be answered in several forms.
        if response["description"] != route.summary {
            *response = json!({"description": route.summary, "content": {}});
        }
        response["content"][media] = content;
    }
    json!(responses)
}

/// The codes a route may answer, by status.
fn failures(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let any: &[&'static str] = &["unknown_parameter", "invalid_header", "internal_error"];
    let keyed: &[&'static str] = match route.needs {
        Needs::Open => &[],
        Needs::Key => &["unauthorized", "tenant_not_found", "not_ready", "busy"],
        Needs::Metrics | Needs::May(_) | Needs::Either(..) | Needs::System(_) => &[
            "unauthorized",
            "forbidden",
            "tenant_not_found",
            "not_ready",
            "busy",
        ],
    };
    let with_body: &[&'static str] = &[
        "invalid_json",
        "unknown_field",
        "invalid_request",
        "body_too_large",
        "unsupported_media_type",
        "request_timeout",
        "commit_unknown",
    ];
    let with_body = if route.body.is_some() { with_body } else { &[] };
    let mut found: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for name in any.iter().chain(keyed).chain(with_body).chain(route.errors) {
        if let Some(code) = find_code(name) {
            let names = found.entry(code.status).or_default();
            if !names.contains(&code.name) {
                names.push(code.name);
            }
        }
    }
    found
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object(schema: &Schema) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for line in schema.fields {
        let (name, kind) = line.split_once(' ').unwrap_or((line, "any"));
        let bare = name.trim_end_matches('!');
        if bare != name {
            required.push(bare);
        }
        properties.insert(bare.into(), field(kind));
    }
    let mut object = json!({"type": "object", "properties": properties, "required": required});
    if schema.closed {
        object["additionalProperties"] = json!(false);
    }
    object
}

/// A type of the notation as JSON Schema.
fn field(kind: &str) -> Value {
    if let Some(inner) = kind.strip_suffix('?') {
        let mut inner = field(inner);
        return match inner.get("type").and_then(Value::as_str).map(str::to_owned) {
            Some(name) if inner.get("enum").is_none() => {
                inner["type"] = json!([name, "null"]);
                inner
            }
            _ => json!({"anyOf": [inner, {"type": "null"}]}),
        };
    }
    if let Some(inner) = kind
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return json!({"type": "array", "items": field(inner)});
    }
    match kind {
        "any" => json!({}),
        "map" | "object" => json!({"type": "object"}),
        "uuid" => json!({"type": "string", "format": "uuid"}),
        "instant" => json!({"type": "string", "format": "date-time"}),
        "string" | "integer" | "number" | "boolean" => json!({"type": kind}),
        name if name.starts_with(|first: char| first.is_ascii_uppercase()) => reference(name),
        words => json!({"type": "string", "enum": words.split('|').collect::<Vec<_>>()}),
    }
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
                .any(|schema| schema.name == body && schema.fields.contains(&"reason string?"));
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
                        into.insert(target.trim_start_matches("#/components/schemas/").into());
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
