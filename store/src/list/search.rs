//! Search: words, the places whose kind has them all, and the tasks whose text has them all.
//! Owns: how `q` is split and what it matches: every word is a prefix of a token of the kind, the tags, the description or an error.
//! Never: hands text to the index unquoted.

use std::collections::BTreeSet;

use mainstay_core::limits::LIST_VISITS_MAX;
use rusqlite::Connection;

use super::ask::{ListError, Scope};
use super::filter::{Seen, Span, failed};
use super::places::{PlaceSet, Places};

/// Tasks whose text matches, within some numbers.
pub(super) const HITS: &str = "SELECT rowid FROM text WHERE text MATCH ?1 AND rowid BETWEEN ?2 AND ?3 \
     ORDER BY rowid LIMIT ?4";

/// Bytes of a search.
const Q_BYTES_MAX: usize = 2048;
/// Words of a search.
const WORDS_MAX: usize = 16;
/// Bytes of a word.
const WORD_BYTES_MAX: usize = 64;
/// Words up to which hits that the kind alone explains are left to the walk of its places.
const WORDS_SPLIT_MAX: usize = 4;

/// A search that was understood.
#[derive(Clone, Debug)]
pub(super) struct Search {
    words: Vec<String>,
    /// Places of the scope whose kind has a token for every word.
    places: PlaceSet,
}

/// Whether a letter separates tokens.
pub(super) const PROBE: &str = "SELECT 1 FROM text WHERE text MATCH ?1 AND rowid = -1";

/// Splits as the index's tokenizer does: letters, digits, `_` and `-` are of words. Unicode has letters that the tokenizer does not know
/// as such; it is asked about those beyond ASCII, because a quoted term must be one token.
fn words(conn: &Connection, q: &str) -> Result<Vec<String>, ListError> {
    let mut separators = BTreeSet::new();
    let foreign: BTreeSet<char> = q.chars().filter(|c| !c.is_ascii()).collect();
    for letter in foreign {
        let mut probe = conn.prepare_cached(PROBE).map_err(failed)?;
        if probe.exists([format!("\"a{letter}a\"")]).is_err() {
            separators.insert(letter);
        }
    }
    let is_word = |c: char| match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || c == '_' || c == '-',
        c => !separators.contains(&c),
    };
    let words: Vec<String> = q
        .split(|c| !is_word(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let refuse = |text: String| Err(ListError::Query(text));
    if words.is_empty() {
        return refuse("has no word in it".into());
    }
    if words.len() > WORDS_MAX {
        return refuse(format!("has more than {WORDS_MAX} words"));
    }
    if words.iter().any(|word| word.len() > WORD_BYTES_MAX) {
        return refuse(format!("has a word of more than {WORD_BYTES_MAX} bytes"));
    }
    Ok(words)
}

fn kind_has(kind: &str, word: &str) -> bool {
    kind.split('.').any(|token| token.starts_with(word))
}

impl Search {
    pub(super) fn new(
        conn: &Connection,
        q: &str,
        scope: Scope,
        places: &Places,
    ) -> Result<Search, ListError> {
        if q.len() > Q_BYTES_MAX {
            return Err(ListError::Query(format!(
                "q is longer than {Q_BYTES_MAX} bytes"
            )));
        }
        let words = words(conn, q)?;
        let places = places.select(scope, |place| {
            words.iter().all(|word| kind_has(&place.kind, word))
        });
        Ok(Search { words, places })
    }

    /// Places whose every task matches.
    pub(super) fn places(&self) -> &PlaceSet {
        &self.places
    }

    /// What the index is asked for: tasks whose text has every word.
    pub(super) fn expression(&self) -> String {
        let terms: Vec<String> = self
            .words
            .iter()
            .map(|word| format!("\"{word}\"*"))
            .collect();
        terms.join(" AND ")
    }

    /// Matches every task that matches and whose kind alone does not explain it; perhaps a few more.
    fn expression_beyond_kind(&self) -> String {
        if self.places.numbers().is_empty() || self.words.len() > WORDS_SPLIT_MAX {
            return self.expression();
        }
        let alternative = |beyond: usize| {
            let term = |(at, word): (usize, &String)| {
                if at == beyond {
                    format!("{{tags description error}} : \"{word}\"*")
                } else {
                    format!("\"{word}\"*")
                }
            };
            let terms: Vec<String> = self.words.iter().enumerate().map(term).collect();
            format!("({})", terms.join(" AND "))
        };
        let all: Vec<String> = (0..self.words.len()).map(alternative).collect();
        all.join(" OR ")
    }

    /// The tasks within these numbers that match and are not in [`Search::places`], perhaps with some that are; `None` when there are
    /// more than a page may visit.
    pub(super) fn hits(
        &self,
        conn: &Connection,
        numbers: Span,
    ) -> rusqlite::Result<Option<Vec<i64>>> {
        let expression = self.expression_beyond_kind();
        let mut statement = conn.prepare_cached(HITS)?;
        let room = LIST_VISITS_MAX as i64 + 1;
        let until = numbers.until.saturating_sub(1);
        let mut rows = statement.query((expression, numbers.from, until, room))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
        Ok((found.len() <= LIST_VISITS_MAX).then_some(found))
    }

    /// Clears the marks of rows that do not match.
    pub(super) fn sift(
        &self,
        conn: &Connection,
        seen: &[Option<Seen>],
        fits: &mut [bool],
    ) -> rusqlite::Result<()> {
        let asked = |seen: &Seen| !self.places.has(seen.place);
        let open: BTreeSet<i64> = seen
            .iter()
            .zip(fits.iter())
            .filter(|(_, fits)| **fits)
            .filter_map(|(seen, _)| seen.filter(asked))
            .map(|seen| seen.task)
            .collect();
        let hits = self.among(conn, &open)?;
        for (fits, seen) in fits.iter_mut().zip(seen) {
            if let Some(seen) = seen {
                *fits &= !asked(seen) || hits.contains(&seen.task);
            }
        }
        Ok(())
    }

    /// Which of these tasks match: one look into the index from the first to the last, because each look costs as much as the words'
    /// prefixes are common.
    fn among(&self, conn: &Connection, open: &BTreeSet<i64>) -> rusqlite::Result<BTreeSet<i64>> {
        let mut hits = BTreeSet::new();
        let (Some(first), Some(last)) = (open.first(), open.last()) else {
            return Ok(hits);
        };
        let mut statement = conn.prepare_cached(HITS)?;
        let mut rows = statement.query((self.expression(), first, last, i64::MAX))?;
        while let Some(row) = rows.next()? {
            let hit = row.get(0)?;
            if open.contains(&hit) {
                hits.insert(hit);
            }
        }
        Ok(hits)
    }
}
