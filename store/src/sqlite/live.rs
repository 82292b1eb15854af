//! Reads every live row of one commit, in number order, on as many cores as there are.
//! Owns: the plan of a walk, and the comparison with the digest.
//! Never: sorts; the indexes of live rows are walked as they stand.
//!
//! The walk is cut into chunks. Whoever reads next takes the next chunk and leaves a place for it in a queue, so that chunks are
//! visited in order while several are read at once, each on a connection of its own. All see the same commit: that is compared first.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use mainstay_core::RowKind;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::{OrFault, Outcome};
use super::known::{read_base, read_sequence};
use super::look::expect_check;
use super::objects;
use super::open::open_reader;
use super::sum::LiveSum;
use crate::seam::{Base, LiveRow, StoreError};

/// Live rows of a chunk.
const CHUNK_ROWS: i64 = 4096;

/// A chunk of live rows among at most so many numbers each is read through, not looked up row by row.
const DENSE: i64 = 8;

/// Live rows below which one thread reads them all.
const ROWS_FOR_ONE: u64 = 4 * CHUNK_ROWS as u64;

/// Threads at most.
const READERS_MAX: usize = 4;

/// Times that all readers try to see the same commit.
const MEETINGS_MAX: usize = 8;

type Visit<'a> = &'a mut dyn FnMut(LiveRow<'_>) -> Result<(), String>;

/// Gives the base and every live row to `visit`, and compares the digest.
pub(super) fn read(path: &Path, cache_kib: u32, visit: Visit<'_>) -> Outcome<Base> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = cores.min(READERS_MAX);
    for meeting in 0..=MEETINGS_MAX {
        let first = open_view(path, cache_kib)?;
        let base = read_base(&first)?;
        if meeting == MEETINGS_MAX || base.live_rows < ROWS_FOR_ONE {
            // A writer that commits all the time, or too little to share.
            wanted = 1;
        }
        let mut views = vec![first];
        for _ in 1..wanted {
            views.push(open_view(path, cache_kib)?);
        }
        let mut met = true;
        for view in &views {
            met &= read_sequence(view)? == base.sequence;
        }
        if met {
            return read_from(views, base, visit);
        }
    }
    Err(StoreError::Medium(String::from("no commit to read from")))
}

/// A connection with a read transaction, which ends with it.
fn open_view(path: &Path, cache_kib: u32) -> Outcome<Connection> {
    let view = open_reader(path, cache_kib)?;
    view.execute_batch("BEGIN").or_fault()?;
    Ok(view)
}

fn read_from(views: Vec<Connection>, base: Base, visit: Visit<'_>) -> Outcome<Base> {
    visit(LiveRow::Base(&base)).map_err(StoreError::Damaged)?;
    let mut found = LiveSum::default();
    if let Some(view) = views.first() {
        objects::visit(view, &mut |row, check| {
            found.add(check);
            visit(LiveRow::Object(row)).map_err(StoreError::Damaged)
        })?;
    }
    let (promise, promised) = sync_channel(2 * views.len());
    let plan = Mutex::new(Plan {
        kind: RowKind::Task,
        after: -1,
        promise: Some(promise),
    });
    let numbered = std::thread::scope(|scope| {
        let plan = &plan;
        for view in views {
            scope.spawn(move || work(&view, plan));
        }
        visit_all(promised, visit)
    })?;
    found.join(numbered);
    if (found.rows, found.sum) == (base.live_rows, base.live_sum) {
        return Ok(base);
    }
    Err(StoreError::Damaged(format!(
        "{} live rows with sum {:016x} are read, {} with sum {:016x} were written",
        found.rows, found.sum, base.live_rows, base.live_sum
    )))
}

/// Visits the chunks in their order. An early end drops the queue, which ends the readers.
fn visit_all(promised: Receiver<Promise>, visit: Visit<'_>) -> Outcome<LiveSum> {
    let mut found = LiveSum::default();
    for chunk in promised {
        let gone = |_| StoreError::Medium(String::from("a reader of live rows ended early"));
        let chunk = chunk.recv().map_err(gone)??;
        let mut from = 0;
        for (number, end) in chunk.rows {
            let image = &chunk.images[from..end];
            from = end;
            let row = match chunk.kind {
                RowKind::Task => LiveRow::Task(image),
                RowKind::Run => LiveRow::Run(image),
            };
            visit(row).map_err(|cause| StoreError::Damaged(format!("row {number}: {cause}")))?;
        }
        found.join(chunk.sum);
    }
    Ok(found)
}

/// Live rows of one kind, one after the other, every check compared.
struct Chunk {
    kind: RowKind,
    /// Each row's number, and where its image ends in `images`.
    rows: Vec<(u64, usize)>,
    images: Vec<u8>,
    sum: LiveSum,
}

type Promise = Receiver<Outcome<Chunk>>;

/// Where the walk stands.
struct Plan {
    /// What is walked.
    kind: RowKind,
    /// The last number that somebody has taken.
    after: i64,
    /// The queue of chunks, in order; `None` at the end of the walk.
    promise: Option<SyncSender<Promise>>,
}

/// A piece of the walk: the numbers after `after`, up to `upto`.
struct Piece {
    kind: RowKind,
    after: i64,
    upto: i64,
}

/// Reads piece after piece until there is none, or nobody wants more.
fn work(view: &Connection, plan: &Mutex<Plan>) {
    while let Some((piece, keep)) = take_piece(view, plan) {
        let chunk = piece.and_then(|piece| read_piece(view, &piece));
        let is_end = chunk.is_err();
        if keep.send(chunk).is_err() || is_end {
            break;
        }
    }
}

/// Takes the next piece of the walk, and its place in the queue.
fn take_piece(
    view: &Connection,
    plan: &Mutex<Plan>,
) -> Option<(Outcome<Piece>, SyncSender<Outcome<Chunk>>)> {
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    let promise = plan.promise.as_ref()?;
    let (keep, promised) = sync_channel(1);
    if promise.send(promised).is_err() {
        plan.promise = None;
        return None;
    }
    let upto = match find_end(view, plan.kind, plan.after) {
        Ok(upto) => upto,
        Err(error) => {
            plan.promise = None;
            return Some((Err(error), keep));
        }
    };
    let piece = Piece {
        kind: plan.kind,
        after: plan.after,
        upto: upto.unwrap_or(i64::MAX),
    };
    match (upto, plan.kind) {
        (Some(upto), _) => plan.after = upto,
        (None, RowKind::Task) => (plan.kind, plan.after) = (RowKind::Run, -1),
        (None, RowKind::Run) => plan.promise = None,
    }
    Some((Ok(piece), keep))
}

/// The last number of the chunk after `after`, unless the walk of this kind ends within it.
fn find_end(view: &Connection, kind: RowKind, after: i64) -> Outcome<Option<i64>> {
    let sql = match kind {
        RowKind::Task => {
            "SELECT number FROM task_row INDEXED BY task_live WHERE live = 1 AND number > ?1 ORDER BY number LIMIT 1 OFFSET ?2"
        }
        RowKind::Run => {
            "SELECT number FROM run_row INDEXED BY run_live WHERE live = 1 AND number > ?1 ORDER BY number LIMIT 1 OFFSET ?2"
        }
    };
    let mut find = view.prepare_cached(sql).or_fault()?;
    find.query_row(params![after, CHUNK_ROWS - 1], |row| row.get(0))
        .optional()
        .or_fault()
}

fn read_piece(view: &Connection, piece: &Piece) -> Outcome<Chunk> {
    let is_dense = piece.upto.saturating_sub(piece.after) <= DENSE * CHUNK_ROWS;
    let sql = match (piece.kind, is_dense) {
        (RowKind::Task, true) => {
            "SELECT number, \"check\", image FROM task_row NOT INDEXED WHERE live = 1 AND number > ?1 AND number <= ?2 ORDER BY number"
        }
        (RowKind::Task, false) => {
            "SELECT number, \"check\", image FROM task_row INDEXED BY task_live WHERE live = 1 AND number > ?1 AND number <= ?2 \
             ORDER BY number"
        }
        (RowKind::Run, true) => {
            "SELECT number, \"check\", image FROM run_row NOT INDEXED WHERE live = 1 AND number > ?1 AND number <= ?2 ORDER BY number"
        }
        (RowKind::Run, false) => {
            "SELECT number, \"check\", image FROM run_row INDEXED BY run_live WHERE live = 1 AND number > ?1 AND number <= ?2 \
             ORDER BY number"
        }
    };
    let mut chunk = Chunk {
        kind: piece.kind,
        rows: Vec::with_capacity(CHUNK_ROWS as usize),
        images: Vec::with_capacity(CHUNK_ROWS as usize * 96),
        sum: LiveSum::default(),
    };
    let mut walk = view.prepare_cached(sql).or_fault()?;
    let mut rows = walk.query(params![piece.after, piece.upto]).or_fault()?;
    while let Some(row) = rows.next().or_fault()? {
        let number = row.get::<_, i64>(0).or_fault()? as u64;
        let check: i64 = row.get(1).or_fault()?;
        let image = row.get_ref(2).or_fault()?;
        let image = image
            .as_blob()
            .map_err(|_| StoreError::Damaged(format!("row {number} has no image")))?;
        expect_check(piece.kind, number, check, image)?;
        chunk.sum.add(check as u64);
        chunk.images.extend_from_slice(image);
        chunk.rows.push((number, chunk.images.len()));
    }
    Ok(chunk)
}
