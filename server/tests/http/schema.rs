//! A value against a schema of the document: as much of JSON Schema as the document uses. Objects with properties may hold no others.

use serde_json::Value;

/// Why `value` is not of `schema`, with the place in it; nothing when it is.
pub(crate) fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let inner = |schema: &Value| misfit(document, schema, value, at);
    if let Some(target) = schema["$ref"].as_str() {
        let found = document.pointer(target.trim_start_matches('#'));
        return inner(found.unwrap_or_else(|| panic!("{target}")));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().find_map(inner);
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let misfits: Vec<String> = choices.iter().filter_map(inner).collect();
        return (misfits.len() == choices.len()).then(|| misfits.join(" | "));
    }
    let found = of_type(schema, value)
        .or_else(|| of_words(schema, value))
        .or_else(|| of_bounds(schema, value));
    if let Some(why) = found {
        return Some(format!("{at}: {value} {why}"));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .find_map(|item| misfit(document, &schema["items"], item, &format!("{at}[]"))),
        Value::Object(fields) => {
            let mut required = schema["required"].as_array().into_iter().flatten();
            let missing =
                required.find(|name| !fields.contains_key(name.as_str().expect("a name")));
            if let Some(name) = missing {
                return Some(format!("{at}: {name} is missing"));
            }
            let properties = schema["properties"].as_object()?;
            // A part of an `allOf` tells of some fields only.
            let partial = schema["type"].is_null();
            fields
                .iter()
                .find_map(|(name, value)| match properties.get(name) {
                    Some(schema) => misfit(document, schema, value, &format!("{at}.{name}")),
                    None if partial => None,
                    None => Some(format!("{at}: {name} is not in the document")),
                })
        }
        _ => None,
    }
}

fn of_type(schema: &Value, value: &Value) -> Option<String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |name: &Value| name == kind || name == "number" && kind == "integer";
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(fits),
        name => fits(name),
    };
    (!fits).then(|| format!("is no {}", schema["type"]))
}

fn of_words(schema: &Value, value: &Value) -> Option<String> {
    let words = schema["enum"].as_array()?;
    (!words.contains(value)).then(|| format!("is none of {words:?}"))
}

fn of_bounds(schema: &Value, value: &Value) -> Option<String> {
    let bound = |name: &str| schema[name].as_f64();
    let (least, most, size) = match value {
        Value::Number(number) => ("minimum", "maximum", number.as_f64()?),
        Value::String(text) => ("minLength", "maxLength", text.chars().count() as f64),
        Value::Array(items) => ("minItems", "maxItems", items.len() as f64),
        _ => return None,
    };
    let fits = bound(least).is_none_or(|least| size >= least)
        && bound(most).is_none_or(|most| size <= most);
    (!fits).then(|| format!("is not within {} and {}", schema[least], schema[most]))
}
