//! Payloads on the command line: JSON, `@FILE`, or `-` for standard input.

use std::io::Read;

use mainstay_client::wire::Json;

use crate::exit::Failure;

/// Bytes of the largest payload that is read; the server's own limit is lower.
const BYTES_MAX: u64 = 64 << 20;

/// Reads what the option names. The JSON stays as it was written.
pub(crate) fn read(option: &str) -> Result<Json<'static>, Failure> {
    let (text, source) = if option == "-" {
        (
            slurp(std::io::stdin().lock(), "standard input")?,
            "standard input",
        )
    } else if let Some(path) = option.strip_prefix('@') {
        let file = std::fs::File::open(path)
            .map_err(|error| Failure::usage(format!("--payload {path}: {error}")))?;
        (slurp(file, path)?, path)
    } else {
        (option.to_owned(), "--payload")
    };
    Json::parse(text).map_err(|error| {
        Failure::usage(format!(
            "{source}: not JSON: {error}; text is written with quotes, such as '\"hello\"'"
        ))
    })
}

fn slurp(input: impl Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = input.take(BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!(
            "{name}: longer than {BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_as_it_is_written() {
        assert_eq!(read(r#"{"n": 1.0}"#).expect("JSON").text(), r#"{"n": 1.0}"#);
    }

    #[test]
    fn what_is_not_json_is_a_usage_error_that_says_so() {
        let failure = read("hello").expect_err("not JSON");
        assert_eq!(failure.code as u8, 64);
        assert!(failure.message.contains("not JSON"));
        assert!(read("@/no/such/file").is_err());
    }
}
