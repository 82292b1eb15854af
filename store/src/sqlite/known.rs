//! What the writer remembers of the file so that it need not ask: names, places, the digest, the checkpoint.
//! Owns: the numbers of names.
//! Never: holds what the file does not, once a commit has failed and it was read again.

use std::collections::HashMap;

use mainstay_core::{PlaceRow, TenantId, Text, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::audit;
use super::fault::{OrFault, Outcome};
use super::schema::DEAD_SINCE;
use super::sum::LiveSum;
use crate::seam::{Base, StoreError};
use crate::trail::Extent;

/// A place as rows need it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The tenant's number in `names`.
    pub(super) tenant: i64,
    /// The queue.
    pub(super) queue: Text,
    /// The kind.
    pub(super) kind: Text,
}

/// The writer's memory of the file.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashMap<Text, i64>,
    places: HashMap<u32, Place>,
    /// The digest of live rows.
    pub(super) live: LiveSum,
    /// The last event that committed rows reflect.
    pub(super) sequence: u64,
    /// How far the audit trail reaches.
    pub(super) trail: Extent,
}

impl Known {
    /// Reads it from the file.
    pub(super) fn read(connection: &Connection) -> Outcome<Known> {
        let base = read_base(connection)?;
        let mut known = Known {
            live: LiveSum {
                rows: base.live_rows,
                sum: base.live_sum,
            },
            sequence: base.sequence,
            trail: audit::extent(connection, base.sequence)?,
            ..Known::default()
        };
        let mut names = connection
            .prepare("SELECT id, text FROM names")
            .or_fault()?;
        let mut rows = names.query([]).or_fault()?;
        while let Some(row) = rows.next().or_fault()? {
            let text: Text = row.get(1).or_fault()?;
            known.names.insert(text, row.get(0).or_fault()?);
        }
        for row in base.places {
            let tenant = known.names.get(row.tenant.to_string().as_str()).copied();
            let tenant = tenant.ok_or_else(|| {
                StoreError::Damaged(String::from("a place without its tenant's name"))
            })?;
            let (queue, kind) = (row.queue, row.kind);
            known.places.insert(
                row.place,
                Place {
                    tenant,
                    queue,
                    kind,
                },
            );
        }
        Ok(known)
    }

    /// The place with this number.
    pub(super) fn place(&self, place: u32) -> Outcome<&Place> {
        self.places
            .get(&place)
            .ok_or_else(|| StoreError::Damaged(format!("place {place} is not known")))
    }

    /// The number of a name, which is made when it is new.
    pub(super) fn name(&mut self, connection: &Connection, text: &str) -> Outcome<i64> {
        if let Some(id) = self.names.get(text) {
            return Ok(*id);
        }
        let mut insert = connection
            .prepare_cached("INSERT INTO names(text) VALUES (?1)")
            .or_fault()?;
        let id = insert.insert([text]).or_fault()?;
        self.names.insert(Text::from(text), id);
        Ok(id)
    }

    /// A tenant's number in `names`.
    pub(super) fn tenant(&mut self, connection: &Connection, tenant: TenantId) -> Outcome<i64> {
        self.name(connection, &tenant.to_string())
    }

    /// Writes a place and its counts.
    pub(super) fn put_place(&mut self, connection: &Connection, row: &PlaceRow) -> Outcome<()> {
        let tenant = match self.places.get(&row.place) {
            Some(place) => place.tenant,
            None => self.tenant(connection, row.tenant)?,
        };
        let queue = self.name(connection, &row.queue)?;
        let kind = self.name(connection, &row.kind)?;
        let c = row.counts.map(|count| count as i64);
        let mut put = connection
            .prepare_cached(
                "INSERT INTO place_row(place, tenant, queue, kind, c0, c1, c2, c3, c4, c5, c6, c7, c8, dead) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
                 ON CONFLICT(place) DO UPDATE SET c0 = ?5, c1 = ?6, c2 = ?7, c3 = ?8, c4 = ?9, c5 = ?10, c6 = ?11, c7 = ?12, c8 = ?13, \
                 dead = ?14",
            )
            .or_fault()?;
        put.execute(params![
            row.place,
            tenant,
            queue,
            kind,
            c[0],
            c[1],
            c[2],
            c[3],
            c[4],
            c[5],
            c[6],
            c[7],
            c[8],
            row.dead_letters as i64
        ])
        .or_fault()?;
        self.places.entry(row.place).or_insert_with(|| Place {
            tenant,
            queue: row.queue.clone(),
            kind: row.kind.clone(),
        });
        Ok(())
    }

    /// Every place's number with its queue, in no order.
    pub(super) fn queues(&self) -> Vec<(u32, Text)> {
        let mut all: Vec<_> = self
            .places
            .iter()
            .map(|(place, row)| (*place, row.queue.clone()))
            .collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all
    }
}

/// The number of a tenant, if it has any row.
pub(crate) fn find_tenant(connection: &Connection, tenant: TenantId) -> Outcome<Option<i64>> {
    let mut find = connection
        .prepare_cached("SELECT id FROM names WHERE text = ?1")
        .or_fault()?;
    find.query_row([tenant.to_string()], |row| row.get(0))
        .optional()
        .or_fault()
}

/// The last event that committed rows reflect.
pub(super) fn read_sequence(connection: &Connection) -> Outcome<u64> {
    let mut read = connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'sequence'")
        .or_fault()?;
    let sequence: i64 = read.query_row([], |row| row.get(0)).or_fault()?;
    Ok(sequence as u64)
}

/// Reads what stands in the file as a whole.
pub(super) fn read_base(connection: &Connection) -> Outcome<Base> {
    let mut base = Base::default();
    let mut read = connection
        .prepare_cached("SELECT name, value FROM meta")
        .or_fault()?;
    let mut rows = read.query([]).or_fault()?;
    let mut found = 0;
    while let Some(row) = rows.next().or_fault()? {
        let name: String = row.get(0).or_fault()?;
        let number = || row.get::<_, i64>(1).map(|value| value as u64).or_fault();
        found += 1;
        match name.as_str() {
            "log_id" => base.log_id = row.get(1).or_fault()?,
            "sequence" => base.sequence = number()?,
            "wall" => base.wall = Timestamp(number()?),
            "machine" => base.meta = row.get(1).or_fault()?,
            "live_rows" => base.live_rows = number()?,
            "live_sum" => base.live_sum = number()?,
            _ => found -= 1,
        }
    }
    if found != 6 {
        return Err(StoreError::Damaged(String::from(
            "the table of scalars is not whole",
        )));
    }
    base.places = read_places(connection)?;
    Ok(base)
}

fn read_places(connection: &Connection) -> Outcome<Vec<PlaceRow>> {
    // Doctor reads stores of older formats as they are.
    let dead = match super::open::ask(connection, "user_version")? < DEAD_SINCE {
        true => "0",
        false => "p.dead",
    };
    let mut read = connection
        .prepare_cached(&format!(
            "SELECT p.place, t.text, q.text, k.text, p.c0, p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, p.c7, p.c8, {dead} \
             FROM place_row p LEFT JOIN names t ON t.id = p.tenant LEFT JOIN names q ON q.id = p.queue \
             LEFT JOIN names k ON k.id = p.kind ORDER BY p.place",
        ))
        .or_fault()?;
    let mut rows = read.query([]).or_fault()?;
    let mut places = Vec::new();
    while let Some(row) = rows.next().or_fault()? {
        let tenant: String = row.get(1).or_fault()?;
        let tenant = tenant
            .parse()
            .map_err(|_| StoreError::Damaged(String::from("a tenant's name is no id")))?;
        let mut counts = [0; 9];
        for (at, count) in counts.iter_mut().enumerate() {
            *count = row.get::<_, i64>(4 + at).or_fault()? as u64;
        }
        places.push(PlaceRow {
            place: row.get(0).or_fault()?,
            tenant,
            queue: row.get(2).or_fault()?,
            kind: row.get(3).or_fault()?,
            counts,
            dead_letters: row.get::<_, i64>(13).or_fault()? as u64,
        });
    }
    Ok(places)
}
