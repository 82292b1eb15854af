//! The places of a store as lists need them: which numbers a queue, a kind or a word of a kind stands for.
//! Owns: the cache of places; a place never changes once it is there, so the cache only grows.
//! Never: counts anything.

use std::collections::BTreeMap;
use std::str::FromStr;

use mainstay_core::{PlaceRow, TenantId, Text};
use rusqlite::{Connection, Row};

use super::ask::Scope;
use super::filter::malformed;

/// The place with the highest number.
pub(crate) const LAST: &str = "SELECT place FROM place_row ORDER BY place DESC LIMIT 1";
/// Places from a number on.
pub(crate) const FROM: &str = "SELECT p.place, p.tenant, t.text, q.text, k.text, \
     p.c0, p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, p.c7, p.c8, p.dead \
     FROM place_row p CROSS JOIN names t ON t.id = p.tenant CROSS JOIN names q ON q.id = p.queue \
     CROSS JOIN names k ON k.id = p.kind WHERE p.place >= ?1 ORDER BY p.place";

/// A tenant's queue and kind.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The queue.
    pub(crate) queue: Text,
    /// The kind.
    pub(crate) kind: Text,
}

/// Every place, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    rows: BTreeMap<u32, Place>,
    tenants: BTreeMap<TenantId, i64>,
}

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceSet(Vec<u32>);

impl PlaceSet {
    pub(crate) fn has(&self, place: u32) -> bool {
        self.0.binary_search(&place).is_ok()
    }

    pub(crate) fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// What both have.
    pub(crate) fn and(&self, other: &PlaceSet) -> PlaceSet {
        PlaceSet(self.0.iter().copied().filter(|p| other.has(*p)).collect())
    }
}

impl Places {
    /// Reads the places that are not here yet.
    pub(crate) fn grow(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let from = self.rows.last_key_value().map_or(0, |(last, _)| last + 1);
        read(conn, from, |row, tenant_number| {
            self.tenants.insert(row.tenant, tenant_number);
            let place = Place {
                tenant: row.tenant,
                queue: row.queue,
                kind: row.kind,
            };
            self.rows.insert(row.place, place);
        })
    }

    /// Whether every place that stands in the store is here.
    pub(crate) fn covers(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let mut last = conn.prepare_cached(LAST)?;
        let mut rows = last.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(true);
        };
        let last: u32 = row.get(0)?;
        Ok(self.rows.last_key_value().is_some_and(|(n, _)| *n >= last))
    }

    pub(crate) fn find(&self, place: u32) -> Option<&Place> {
        self.rows.get(&place)
    }

    /// The numbers in `names` of a scope's tenants.
    pub(crate) fn tenants(&self, scope: Scope) -> Vec<i64> {
        match scope {
            Scope::All => self.tenants.values().copied().collect(),
            Scope::Tenant(tenant) => self.tenants.get(&tenant).copied().into_iter().collect(),
        }
    }

    /// The places of a scope that fit.
    pub(crate) fn select(&self, scope: Scope, fits: impl Fn(&Place) -> bool) -> PlaceSet {
        let in_scope = |place: &Place| match scope {
            Scope::All => true,
            Scope::Tenant(tenant) => place.tenant == tenant,
        };
        let rows = self.rows.iter();
        PlaceSet(
            rows.filter(|(_, place)| in_scope(place) && fits(place))
                .map(|(number, _)| *number)
                .collect(),
        )
    }
}

/// Reads places with their counts, from a number on, with their tenant's number in `names`.
pub(crate) fn read(
    conn: &Connection,
    from: u32,
    mut visit: impl FnMut(PlaceRow, i64),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(FROM)?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let tenant = row.get_ref(2)?.as_str()?;
        let tenant = TenantId::from_str(tenant).map_err(malformed)?;
        let row_of = PlaceRow {
            place: row.get(0)?,
            tenant,
            queue: Text::from(row.get_ref(3)?.as_str()?),
            kind: Text::from(row.get_ref(4)?.as_str()?),
            counts: counts(row)?,
            dead_letters: row.get::<_, i64>(14)? as u64,
        };
        visit(row_of, row.get(1)?);
    }
    Ok(())
}

fn counts(row: &Row<'_>) -> rusqlite::Result<[u64; 9]> {
    let mut counts = [0; 9];
    for (at, count) in counts.iter_mut().enumerate() {
        *count = row.get::<_, i64>(5 + at)? as u64;
    }
    Ok(counts)
}
