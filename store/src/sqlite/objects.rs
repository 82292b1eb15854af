//! Queues, tenants and the like as rows: small, few, and live until a cut says that they are gone.
//! Owns: the columns of `object_row`.
//! Never: knows what an object's image holds.

use mainstay_core::{ObjectClass, ObjectRow, TenantId, Text};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{OrFault, Outcome};
use super::known::Known;
use super::open;
use super::schema::OBJECTS_SINCE;
use crate::seam::{StoreError, object_check};

/// Writes the objects of a cut.
pub(super) fn put(connection: &Connection, known: &mut Known, rows: &[ObjectRow]) -> Outcome<()> {
    for row in rows {
        put_one(connection, known, row)?;
    }
    Ok(())
}

fn put_one(connection: &Connection, known: &mut Known, row: &ObjectRow) -> Outcome<()> {
    let tenant = known.tenant(connection, row.tenant)?;
    let class = row.class as u8;
    let mut find = connection
        .prepare_cached(
            "SELECT \"check\" FROM object_row WHERE class = ?1 AND tenant = ?2 AND key = ?3",
        )
        .or_fault()?;
    let old: Option<i64> = find
        .query_row(params![class, tenant, &row.key[..]], |row| row.get(0))
        .optional()
        .or_fault()?;
    if row.is_gone() {
        let mut erase = connection
            .prepare_cached("DELETE FROM object_row WHERE class = ?1 AND tenant = ?2 AND key = ?3")
            .or_fault()?;
        erase
            .execute(params![class, tenant, &row.key[..]])
            .or_fault()?;
        let old = old.map_or((false, 0), |old| (true, old as u64));
        known.live.change(old, (false, 0));
        return Ok(());
    }
    let check = object_check(row);
    let mut put = connection
        .prepare_cached(
            "INSERT INTO object_row(class, tenant, key, \"check\", image) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET \"check\" = ?4, image = ?5",
        )
        .or_fault()?;
    put.execute(params![
        class,
        tenant,
        &row.key[..],
        check as i64,
        row.image
    ])
    .or_fault()?;
    let old = old.map_or((false, 0), |old| (true, old as u64));
    known.live.change(old, (true, check));
    Ok(())
}

/// Visits every object in the order of its name, with its check, which holds.
pub(super) fn visit(
    view: &Connection,
    visit: &mut dyn FnMut(&ObjectRow, u64) -> Outcome<()>,
) -> Outcome<()> {
    if open::ask(view, "user_version")? < OBJECTS_SINCE {
        return Ok(());
    }
    let mut walk = view
        .prepare_cached(
            "SELECT o.class, t.text, o.key, o.\"check\", o.image FROM object_row o LEFT JOIN names t ON t.id = o.tenant \
             ORDER BY o.class, t.text, o.key",
        )
        .or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    while let Some(row) = rows.next().or_fault()? {
        let (row, check) = read(row)?;
        visit(&row, check)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Outcome<(ObjectRow, u64)> {
    let damaged = |what: &str| StoreError::Damaged(format!("an object: {what}"));
    let class: u64 = row.get::<_, u8>(0).or_fault()?.into();
    let tenant: Option<String> = row.get(1).or_fault()?;
    let tenant: Option<TenantId> = tenant.and_then(|tenant| tenant.parse().ok());
    let key: Text = row.get(2).or_fault()?;
    let found = ObjectRow {
        class: ObjectClass::from_code(class).ok_or_else(|| damaged("its class is not known"))?,
        tenant: tenant.ok_or_else(|| damaged("its tenant's name is no id"))?,
        key,
        image: row.get(4).or_fault()?,
    };
    let check = row.get::<_, i64>(3).or_fault()? as u64;
    if object_check(&found) != check {
        return Err(damaged(&format!(
            "the check of `{}` does not hold",
            found.key
        )));
    }
    Ok((found, check))
}
