//! The little JSON that stands in columns: tags and attempts.
//! Owns: escaping.
//! Never: reads JSON.

use mainstay_core::AttemptColumns;

/// A JSON array of strings; `None` when there are none.
pub(super) fn array_of(texts: &[&str]) -> Option<String> {
    if texts.is_empty() {
        return None;
    }
    let mut out = String::from("[");
    for text in texts {
        put_comma(&mut out);
        put_text(&mut out, text);
    }
    out.push(']');
    Some(out)
}

/// A JSON array of attempts, as `sqlite/schema.rs` describes it.
pub(super) fn attempts_of(attempts: &[AttemptColumns<'_>]) -> String {
    let mut out = String::from("[");
    for attempt in attempts {
        put_comma(&mut out);
        out.push_str(&format!(
            "{{\"number\":{},\"result\":{},\"started_at\":{},\"finished_at\":{},\"worker\":",
            attempt.number, attempt.result as u8, attempt.started_at.0, attempt.finished_at.0
        ));
        put_text(&mut out, attempt.worker);
        if let Some(code) = attempt.error_code {
            out.push_str(",\"error_code\":");
            put_text(&mut out, code);
        }
        if let Some(message) = attempt.error_message {
            out.push_str(",\"error_message\":");
            put_text(&mut out, message);
        }
        out.push('}');
    }
    out.push(']');
    out
}

fn put_comma(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}

fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if (letter as u32) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", letter as u32));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
