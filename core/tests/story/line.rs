//! The scenario language: stories, lines, spans and the comparison of what was expected with what came.
//!
//! ```text
//! story: a title
//! at 31s  tick                              -> RunReturned a result=lease_expired
//! at 32s  claim worker=w2 queue=mail        -> leased a token=2; leased b
//! ```
//!
//! What comes is a list of items. The words of each must be equal, of its `name=value` parts only those written down.

/// One line of a story.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) at_ms: u64,
    pub(crate) verb: String,
    parts: Vec<(String, String)>,
    pub(crate) expected: String,
}

/// One behaviour, told from an empty machine on.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) title: String,
    pub(crate) number: usize,
    pub(crate) lines: Vec<Line>,
}

/// Reads a file of stories.
pub(crate) fn read(text: &str) -> Result<Vec<Story>, (usize, String)> {
    let mut stories: Vec<Story> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix("story:") {
            let title = title.trim().to_owned();
            let lines = Vec::new();
            stories.push(Story {
                title,
                number,
                lines,
            });
            continue;
        }
        let line = parse(number, line).map_err(|error| (number, error))?;
        let story = stories
            .last_mut()
            .ok_or((number, "a line before the first story".to_owned()))?;
        story.lines.push(line);
    }
    Ok(stories)
}

fn parse(number: usize, text: &str) -> Result<Line, String> {
    let (command, expected) = text
        .split_once("->")
        .ok_or("a line needs `->` and what is expected")?;
    let mut words = command.split_whitespace();
    if words.next() != Some("at") {
        return Err("a line begins with `at`".into());
    }
    let at_ms = span(words.next().ok_or("`at` needs a time")?)?;
    let verb = words.next().ok_or("a line needs a verb")?.to_owned();
    let mut parts = Vec::new();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, "yes"));
        parts.push((name.to_owned(), value.to_owned()));
    }
    Ok(Line {
        number,
        at_ms,
        verb,
        parts,
        expected: expected.trim().to_owned(),
    })
}

/// A span such as `1h30m`, `31s`, `500ms`, `7d`, in milliseconds.
pub(crate) fn span(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a span such as 1h30m or 500ms");
    let mut rest = text;
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        total += number * unit;
        rest = &rest[letters..];
    }
    Ok(total)
}

impl Line {
    /// A part's value.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let part = self.parts.iter().find(|(known, _)| known == name);
        part.map(|(_, value)| value.as_str())
    }

    /// A part that must be there.
    pub(crate) fn get(&self, name: &str) -> Result<&str, String> {
        self.find(name)
            .ok_or_else(|| format!("`{}` needs `{name}=`", self.verb))
    }

    /// A part that is a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let value = self.find(name).map(str::parse).transpose();
        value.map_err(|_| format!("`{name}` is not a number"))
    }

    /// A part that is a span.
    pub(crate) fn span(&self, name: &str) -> Result<Option<u64>, String> {
        self.find(name).map(span).transpose()
    }

    /// A part that is a list with commas.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let value = self.find(name).unwrap_or_default();
        value.split(',').filter(|item| !item.is_empty()).collect()
    }

    /// Refuses a part that the verb does not know: a misspelled one would test nothing.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), String> {
        match self
            .parts
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            Some((name, _)) => Err(format!("`{}` does not know `{name}`", self.verb)),
            None => Ok(()),
        }
    }

    /// Whether this list of items is what the line expects.
    pub(crate) fn expects(&self, got: &str) -> bool {
        let expected: Vec<&str> = self.expected.split(';').map(str::trim).collect();
        let got: Vec<&str> = got.split(';').map(str::trim).collect();
        expected.len() == got.len()
            && expected
                .iter()
                .zip(&got)
                .all(|(expected, got)| covers(expected, got))
    }
}

fn covers(expected: &str, got: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split_whitespace().filter(|word| !word.contains('='));
        words.map(str::to_owned).collect()
    };
    let shown: Vec<&str> = got.split_whitespace().collect();
    let mut details = expected
        .split_whitespace()
        .filter(|word| word.contains('='));
    words(expected) == words(got) && details.all(|detail| shown.contains(&detail))
}
