//! Inserts of many rows by one statement, which keeps its cursors where the last row went.
//! Owns: the text of such statements and the order of their parameters.
//! Never: knows a table.

use rusqlite::{Connection, Statement, ToSql};

use super::fault::{OrFault, Outcome};

/// Rows that one statement inserts.
const ROWS: usize = 32;

/// An insert into one table, for one row and for many.
#[derive(Debug)]
pub(super) struct Bulk {
    one: String,
    many: String,
    columns: usize,
}

impl Bulk {
    /// An insert into `table` of these columns.
    pub(super) fn new(table: &str, columns: &[&str]) -> Bulk {
        Bulk::with("INSERT", table, columns)
    }

    /// The same for rows that may be there already: they are replaced.
    pub(super) fn replacing(table: &str, columns: &[&str]) -> Bulk {
        Bulk::with("INSERT OR REPLACE", table, columns)
    }

    fn with(verb: &str, table: &str, columns: &[&str]) -> Bulk {
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let head = format!("{verb} INTO {table}({}) VALUES ", columns.join(", "));
        Bulk {
            one: format!("{head}{row}"),
            many: format!("{head}{}", vec![row.as_str(); ROWS].join(", ")),
            columns: columns.len(),
        }
    }

    /// Inserts the rows, in their order. `bind` gives each row's values, in the order of the columns.
    pub(super) fn insert<T>(
        &self,
        connection: &Connection,
        rows: &[T],
        mut bind: impl FnMut(&mut Slot<'_, '_>, &T) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut full = rows.chunks_exact(ROWS);
        if rows.len() >= ROWS {
            let mut many = connection.prepare_cached(&self.many).or_fault()?;
            for chunk in &mut full {
                for (at, row) in chunk.iter().enumerate() {
                    self.bind(&mut many, at, row, &mut bind)?;
                }
                many.raw_execute().or_fault()?;
            }
        }
        if !full.remainder().is_empty() {
            let mut one = connection.prepare_cached(&self.one).or_fault()?;
            for row in full.remainder() {
                self.bind(&mut one, 0, row, &mut bind)?;
                one.raw_execute().or_fault()?;
            }
        }
        Ok(())
    }

    fn bind<T>(
        &self,
        statement: &mut Statement<'_>,
        at: usize,
        row: &T,
        bind: &mut impl FnMut(&mut Slot<'_, '_>, &T) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut slot = Slot {
            statement,
            next: at * self.columns + 1,
        };
        bind(&mut slot, row)?;
        debug_assert_eq!(slot.next, (at + 1) * self.columns + 1);
        Ok(())
    }
}

/// Takes one row's values, one after the other.
pub(super) struct Slot<'a, 'b> {
    statement: &'a mut Statement<'b>,
    next: usize,
}

impl<'a, 'b> Slot<'a, 'b> {
    /// Begins with a statement's first parameter.
    pub(super) fn first(statement: &'a mut Statement<'b>) -> Slot<'a, 'b> {
        Slot { statement, next: 1 }
    }

    /// The next column's value.
    pub(super) fn put(&mut self, value: impl ToSql) -> Outcome<()> {
        self.statement
            .raw_bind_parameter(self.next, value)
            .or_fault()?;
        self.next += 1;
        Ok(())
    }
}
