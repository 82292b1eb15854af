//! Tells Rust code, comments and literal text apart, so that rules read only what they are about.

/// One source text seen three ways. Each view has the length and the line breaks of the source;
/// what belongs to another view is blank in it.
pub(crate) struct Lexed {
    /// Code; literals are blank between their quotes.
    pub(crate) code: String,
    /// Comments and doc comments, with their slashes.
    pub(crate) comments: String,
    /// What stands between the quotes of string literals.
    pub(crate) strings: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Text,
    Char,
}

/// Splits a source text into its views. Never fails: a literal or comment left open runs to the end.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut scanner = Scanner {
        bytes: source.as_bytes(),
        at: 0,
        kinds: vec![Kind::Code; source.len()],
    };
    while scanner.at < scanner.bytes.len() {
        scanner.step();
    }
    let view = |kind: Kind| {
        let masked = source.bytes().zip(&scanner.kinds);
        let bytes = masked.map(|(byte, is)| {
            if *is == kind || byte == b'\n' {
                byte
            } else {
                b' '
            }
        });
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    };
    Lexed {
        code: view(Kind::Code),
        comments: view(Kind::Comment),
        strings: view(Kind::Text),
    }
}

/// True for bytes that may stand inside an identifier.
pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    kinds: Vec<Kind>,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let rest = &self.bytes[self.at..];
        match rest[0] {
            b'/' if rest.starts_with(b"//") => {
                let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                self.mark(length, Kind::Comment);
            }
            b'/' if rest.starts_with(b"/*") => {
                let length = block_comment_length(rest);
                self.mark(length, Kind::Comment);
            }
            b'"' => self.quoted(b'"', Kind::Text),
            b'\'' => self.char_or_lifetime(),
            byte if is_word_byte(byte) => self.word(),
            _ => self.at += 1,
        }
    }

    /// Gives the next `length` bytes a kind and moves past them.
    fn mark(&mut self, length: usize, kind: Kind) {
        let end = (self.at + length).min(self.bytes.len());
        self.kinds[self.at..end].fill(kind);
        self.at = end;
    }

    /// A literal with backslash escapes; the cursor stands on its opening quote.
    fn quoted(&mut self, quote: u8, kind: Kind) {
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let mut length = 0;
        while length < rest.len() && rest[length] != quote {
            length += if rest[length] == b'\\' { 2 } else { 1 };
        }
        self.mark(length, kind);
        self.at = (self.at + 1).min(self.bytes.len());
    }

    fn char_or_lifetime(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let width = match rest.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xff) => 4,
            _ => 1,
        };
        if rest.first() == Some(&b'\\') || rest.get(width) == Some(&b'\'') {
            self.quoted(b'\'', Kind::Char);
        } else {
            self.at += 1;
        }
    }

    /// An identifier, a number, or the prefix of a raw string.
    fn word(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|b| !is_word_byte(*b))
            .unwrap_or(rest.len());
        let is_raw_prefix = matches!(&rest[..length], b"r" | b"br" | b"cr");
        self.at += length;
        if is_raw_prefix {
            self.raw_string();
        }
    }

    /// A raw string if one opens here; `r#name` is left to be read as code.
    fn raw_string(&mut self) {
        let rest = &self.bytes[self.at..];
        let hashes = rest.iter().take_while(|b| **b == b'#').count();
        if rest.get(hashes) != Some(&b'"') {
            return;
        }
        self.at += hashes + 1;
        let mut closing = vec![b'"'];
        closing.resize(hashes + 1, b'#');
        let body = &self.bytes[self.at..];
        let length = body
            .windows(closing.len())
            .position(|w| w == closing)
            .unwrap_or(body.len());
        self.mark(length, Kind::Text);
        self.at = (self.at + closing.len()).min(self.bytes.len());
    }
}

/// The length of a block comment, nested ones included.
fn block_comment_length(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_not_code_even_when_nested() {
        let lexed = lex("a /* b /* c */ d */ e // f\ng");
        assert_eq!(lexed.code, "a                   e     \ng");
        assert!(lexed.comments.contains("/* b /* c */ d */"));
        assert!(lexed.comments.contains("// f"));
    }

    #[test]
    fn strings_are_not_code_whatever_their_form() {
        for source in [
            r#"x("{\"");"#,
            "x(r\"{\");",
            "x(r#\"{\"\"#);",
            "x(b\"{\");",
            "x(br##\"{\"#\"##);",
        ] {
            let lexed = lex(source);
            assert!(!lexed.code.contains('{'), "{source}");
            assert!(lexed.code.ends_with(");"), "{source} -> {}", lexed.code);
            assert!(lexed.strings.contains('{'), "{source}");
        }
    }

    #[test]
    fn a_slash_pair_inside_a_string_starts_no_comment() {
        let lexed = lex("let a = \"http://x\"; b");
        assert!(lexed.code.ends_with("; b"));
        assert_eq!(lexed.comments.trim(), "");
    }

    #[test]
    fn char_literals_are_not_code_and_lifetimes_are() {
        let lexed = lex(r"f('{', '\'', b'}', 'é', '\u{7b}') -> &'static str { 'a: loop {} }");
        assert_eq!(lexed.code.matches('{').count(), 2);
        assert_eq!(lexed.code.matches('}').count(), 2);
        assert!(lexed.code.contains("'static str"));
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert_eq!(lex("r#type + \"x\"").code, "r#type + \" \"");
    }

    #[test]
    fn open_ends_do_not_panic() {
        for source in ["\"abc\\", "/* a", "r#\"a", "'", "b'", "r#"] {
            assert_eq!(lex(source).code.len(), source.len());
        }
    }
}
