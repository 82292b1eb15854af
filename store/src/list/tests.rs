//! Every statement of lists is an index walk.

use rusqlite::Connection;

use super::{filter, places, run_key, runs, search, task_key, tasks};
use crate::{SqliteOptions, SqliteStore, file_of};

fn statements() -> Vec<&'static str> {
    let mut all = vec![
        filter::TAGGED,
        filter::TAGGED_ALL,
        filter::TASK_AT,
        filter::RUN_AT,
        filter::TASK_LAST,
        filter::RUN_LAST,
        places::LAST,
        places::FROM,
        search::HITS,
        search::PROBE,
        tasks::HAS_CHILDREN,
        tasks::LOOK,
        tasks::SHOW,
        tasks::DUE,
        tasks::UNENDED,
        runs::LOOK,
        runs::FIRST_OF,
        runs::OTHERS_OF,
        runs::WITHIN,
        runs::TASK_OF,
        runs::SHOW,
        run_key::BY_STATE,
        run_key::BY_PLACE,
        run_key::BY_ERROR,
        run_key::BY_WORKER,
    ];
    for walks in [task_key::BY_STATE, task_key::BY_PLACE, task_key::BY_PARENT] {
        all.extend([walks.peers, walks.later, walks.lower]);
    }
    all
}

#[test]
fn every_statement_of_lists_walks_an_index() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(SqliteStore::open(dir.path(), "log", SqliteOptions::default()).expect("a store"));
    let conn = Connection::open(file_of(dir.path())).expect("a connection");
    // The last row of a table by its number is its first page, whatever the plan calls it.
    let by_end = [filter::TASK_LAST, filter::RUN_LAST, places::LAST];
    for sql in statements() {
        let mut explain = conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a plan");
        let count = explain.parameter_count();
        let steps = explain
            .query_map(rusqlite::params_from_iter(vec![1; count]), |row| {
                row.get::<_, String>(3)
            })
            .expect("steps");
        for step in steps {
            let step = step.expect("a step");
            let searched =
                step.starts_with("SCAN text VIRTUAL TABLE INDEX") || by_end.contains(&sql);
            assert!(!step.starts_with("SCAN") || searched, "{sql}: {step}");
            assert!(!step.contains("TEMP B-TREE"), "{sql}: {step}");
        }
    }
}

#[test]
fn the_walks_of_tasks_and_runs_read_their_indexes_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(SqliteStore::open(dir.path(), "log", SqliteOptions::default()).expect("a store"));
    let conn = Connection::open(file_of(dir.path())).expect("a connection");
    let walks = [task_key::BY_STATE, task_key::BY_PLACE, task_key::BY_PARENT];
    let tasks = walks
        .iter()
        .flat_map(|walks| [walks.peers, walks.later, walks.lower]);
    for sql in tasks.chain([run_key::BY_STATE, run_key::BY_PLACE, run_key::BY_ERROR]) {
        let mut explain = conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a plan");
        let count = explain.parameter_count();
        let steps: Vec<String> = explain
            .query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get(3))
            .expect("steps")
            .map(|step| step.expect("a step"))
            .collect();
        assert!(steps[0].contains("COVERING INDEX"), "{sql}: {steps:?}");
    }
}
