//! Every error code of the API with its one status: the table that answers, the documentation and the metrics share.

use std::sync::LazyLock;

mod control;
mod webhooks;
mod work;

/// One stable error code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The code.
    pub(crate) name: &'static str,
    /// Its only status.
    pub(crate) status: u16,
    /// What it means, for the reference.
    pub(crate) meaning: &'static str,
    /// The names in `details`, for the reference.
    pub(crate) details: &'static str,
}

const fn code(
    name: &'static str,
    status: u16,
    details: &'static str,
    meaning: &'static str,
) -> Code {
    Code {
        name,
        status,
        meaning,
        details,
    }
}

/// The code with this name.
pub(crate) fn find_code(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

/// Every code, by status and name.
pub(crate) static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let mut codes = [work::CODES, control::CODES, webhooks::CODES].concat();
    codes.sort_by_key(|code| (code.status, code.name));
    codes
});

#[cfg(test)]
mod tests {
    use super::CODES;
    use std::fmt::Write as _;

    fn reference() -> String {
        let mut text = String::from(
            "# Error codes\n\nGenerated from `server/src/edge/codes`; do not edit. Every error answers\n\
             `{\"error\": \"<code>\", \"message\": \"<for people>\", \"details\": {…}}` with the one status of its code. Where one\n\
             of many things that go together is refused, and with it all of them, `details` also has `index`, its place from 0.\n\n\
             | code | status | details | meaning |\n|---|---|---|---|\n",
        );
        for code in CODES.iter() {
            let details: Vec<String> = code
                .details
                .split(", ")
                .filter(|name| !name.is_empty())
                .map(|name| format!("`{name}`"))
                .collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                code.name,
                code.status,
                details.join(", "),
                code.meaning
            );
        }
        text
    }

    #[test]
    fn the_error_reference_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/errors.md");
        if std::env::var_os("MAINSTAY_BLESS").is_some() {
            std::fs::write(path, reference()).expect("docs/reference can be written");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/reference/errors.md differs from the table of codes; run the test again with MAINSTAY_BLESS=1"
        );
    }

    #[test]
    fn each_code_stands_once_and_in_order() {
        for pair in CODES.windows(2) {
            assert!(
                (pair[0].status, pair[0].name) < (pair[1].status, pair[1].name),
                "{}",
                pair[1].name
            );
        }
    }
}
