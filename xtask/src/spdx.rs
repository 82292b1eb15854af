//! Evaluates licence expressions: names joined by OR, AND and WITH, parentheses, and the old slash.

/// Whether the expression can be satisfied with accepted licences only. `accepts` is asked about single
/// licences, a `NAME WITH EXCEPTION` being one.
pub(crate) fn is_satisfied(
    expression: &str,
    accepts: &dyn Fn(&str) -> bool,
) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut parser = Parser {
        words: spaced.split_whitespace().collect(),
        at: 0,
        accepts,
    };
    let satisfied = parser.any()?;
    match parser.peek() {
        None => Ok(satisfied),
        Some(word) => Err(format!("`{word}` is out of place in `{expression}`")),
    }
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    accepts: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Result<&'a str, String> {
        let word = self.peek().ok_or("the licence expression ends too early")?;
        self.at += 1;
        Ok(word)
    }

    fn takes(&mut self, word: &str) -> bool {
        let matches = self.peek() == Some(word);
        self.at += usize::from(matches);
        matches
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut satisfied = self.every()?;
        while self.takes("OR") {
            satisfied |= self.every()?;
        }
        Ok(satisfied)
    }

    fn every(&mut self) -> Result<bool, String> {
        let mut satisfied = self.single()?;
        while self.takes("AND") {
            satisfied &= self.single()?;
        }
        Ok(satisfied)
    }

    fn single(&mut self) -> Result<bool, String> {
        if self.takes("(") {
            let satisfied = self.any()?;
            return if self.takes(")") {
                Ok(satisfied)
            } else {
                Err("a parenthesis stays open".to_owned())
            };
        }
        let name = self.next()?;
        if matches!(name, ")" | "OR" | "AND" | "WITH") {
            return Err(format!("`{name}` stands where a licence should"));
        }
        if self.takes("WITH") {
            let exception = self.next()?;
            return Ok((self.accepts)(&format!("{name} WITH {exception}")));
        }
        Ok((self.accepts)(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn satisfied(expression: &str) -> bool {
        is_satisfied(expression, &|name| {
            ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&name)
        })
        .unwrap()
    }

    #[test]
    fn one_accepted_alternative_is_enough() {
        assert!(satisfied("GPL-3.0 OR MIT"));
        assert!(satisfied("MIT/GPL-3.0"));
        assert!(!satisfied("GPL-3.0 OR LGPL-2.1"));
    }

    #[test]
    fn every_joined_licence_must_be_accepted() {
        assert!(satisfied("MIT AND ISC"));
        assert!(!satisfied("MIT AND GPL-3.0"));
        assert!(satisfied("GPL-3.0 AND ISC OR MIT"));
        assert!(!satisfied("(MIT OR GPL-3.0) AND GPL-3.0"));
        assert!(satisfied("(MIT OR GPL-3.0) AND (ISC)"));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(satisfied("Apache-2.0 WITH LLVM-exception"));
        assert!(!satisfied("Apache-2.0"));
        assert!(!satisfied("MIT WITH LLVM-exception"));
    }

    #[test]
    fn nonsense_is_an_error() {
        for expression in ["", "MIT OR", "(MIT", "MIT ISC", "OR", "MIT)", "MIT WITH"] {
            assert!(is_satisfied(expression, &|_| true).is_err(), "{expression}");
        }
    }
}
