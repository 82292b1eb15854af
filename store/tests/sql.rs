//! SQL over the views: what it shows, and what it never shows.

mod world;

use mainstay_core::{AttemptResult, TenantId};
use mainstay_store::{EventLine, Scope, SqlAnswer, SqlAsk, SqlError, SqlValue};
use world::{OTHER, World};

const MINE: Scope = Scope::Tenant(TenantId::DEFAULT);

fn ask(world: &World, scope: Scope, sql: &str) -> Result<SqlAnswer, SqlError> {
    world.library.sql(&SqlAsk::new(scope, sql))
}

fn number(world: &World, scope: Scope, sql: &str) -> i64 {
    let answer = ask(world, scope, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    match answer.rows.as_slice() {
        [row] => match row.as_slice() {
            [SqlValue::Integer(value)] => *value,
            other => panic!("{sql}: {other:?}"),
        },
        other => panic!("{sql}: {other:?}"),
    }
}

fn text(value: &SqlValue) -> &str {
    match value {
        SqlValue::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

#[test]
fn the_views_show_every_row_with_its_words() {
    let mut world = World::new(1);
    world.live(600);
    for (scope, tenant) in [
        (MINE, Some(TenantId::DEFAULT)),
        (Scope::Tenant(OTHER), Some(OTHER)),
        (Scope::All, None),
    ] {
        let is_mine = |of: TenantId| tenant.is_none_or(|tenant| tenant == of);
        let tasks: Vec<_> = world
            .tasks
            .values()
            .filter(|task| is_mine(task.tenant))
            .collect();
        let runs: Vec<_> = world
            .runs
            .values()
            .filter(|run| is_mine(run.tenant))
            .collect();
        let answer = ask(
            &world,
            scope,
            "SELECT id, tenant_id, kind, queue, state, priority, number FROM tasks ORDER BY number",
        )
        .expect("rows");
        assert_eq!(
            answer.columns,
            [
                "id",
                "tenant_id",
                "kind",
                "queue",
                "state",
                "priority",
                "number"
            ]
        );
        assert_eq!(answer.checkpoint, world.machine.sequence());
        assert_eq!(answer.rows.len(), tasks.len());
        for (row, task) in answer.rows.iter().zip(&tasks) {
            assert_eq!(text(&row[0]), task.id.to_string());
            assert_eq!(text(&row[1]), task.tenant.to_string());
            assert_eq!((text(&row[2]), text(&row[3])), (&*task.kind, &*task.queue));
            assert_eq!(text(&row[4]), task.state.name());
            assert_eq!(row[5], SqlValue::Integer(i64::from(task.priority)));
        }
        let answer = ask(&world, scope, "SELECT run_id, task_id, state, attempt_count, worker, error_code FROM runs ORDER BY number").expect("rows");
        assert_eq!(answer.rows.len(), runs.len());
        for (row, run) in answer.rows.iter().zip(&runs) {
            assert_eq!(text(&row[0]), run.id.to_string());
            assert_eq!(text(&row[1]), world.tasks[&run.task].id.to_string());
            assert_eq!(text(&row[2]), run.state.name());
            assert_eq!(row[3], SqlValue::Integer(i64::from(run.attempt_count)));
            let error = run.error.as_ref().map(|error| error.0.as_str());
            assert_eq!(error, (row[5] != SqlValue::Null).then(|| text(&row[5])));
        }
        let answer = ask(
            &world,
            scope,
            "SELECT run_id, number, result FROM attempts WHERE result IS NOT NULL",
        )
        .expect("rows");
        let mut seen: Vec<(String, i64, String)> = Vec::new();
        for row in &answer.rows {
            let SqlValue::Integer(at) = row[1] else {
                panic!("{row:?}")
            };
            seen.push((text(&row[0]).to_owned(), at, text(&row[2]).to_owned()));
        }
        seen.sort();
        let ended = |run: &&world::PlainRun| {
            let id = run.id.to_string();
            let of = |(number, result): &(u32, AttemptResult)| {
                (id.clone(), i64::from(*number), result.name().to_owned())
            };
            run.ended.iter().map(of).collect::<Vec<_>>()
        };
        let mut wanted: Vec<_> = runs.iter().flat_map(ended).collect();
        wanted.sort();
        assert_eq!(seen, wanted);
        let held = runs.iter().filter(|run| run.state.is_held()).count() as i64;
        assert_eq!(
            number(
                &world,
                scope,
                "SELECT count(*) FROM attempts WHERE finished_at IS NULL"
            ),
            held
        );
        for state in ["ready", "completed", "failed", "suspended"] {
            let counted = runs.iter().filter(|run| run.state.name() == state).count() as i64;
            assert_eq!(
                number(&world, scope, &format!("SELECT sum({state}) FROM queues")),
                counted
            );
        }
    }
    let created = ask(
        &world,
        MINE,
        "SELECT created_at FROM tasks ORDER BY number LIMIT 1",
    )
    .expect("a row");
    let created = text(&created.rows[0][0]);
    assert!(
        created.starts_with("2026-09-21T14:13:20.")
            && created.ends_with('Z')
            && created.len() == 24,
        "{created}"
    );
}

#[test]
fn the_file_itself_has_the_same_views() {
    let mut world = World::new(2);
    world.live(300);
    let conn = rusqlite::Connection::open(world.path()).expect("a connection");
    for view in ["tasks", "runs", "attempts", "queues"] {
        let sql = format!("SELECT count(*) FROM {view}");
        let plain: i64 = conn.query_row(&sql, [], |row| row.get(0)).expect("a count");
        assert_eq!(plain, number(&world, Scope::All, &sql), "{view}");
        let columns = |names: Vec<String>| names.join(",");
        let of_file = conn
            .prepare(&format!("SELECT * FROM {view}"))
            .expect("a statement");
        let of_file = columns(of_file.column_names().map(str::to_owned).collect());
        assert_eq!(
            of_file,
            columns(
                ask(&world, MINE, &format!("SELECT * FROM {view}"))
                    .expect("rows")
                    .columns
            )
        );
    }
}

#[test]
fn an_id_is_found_by_its_key() {
    let mut world = World::new(3);
    world.live(200);
    let task = world
        .tasks
        .values()
        .find(|task| task.tenant == TenantId::DEFAULT)
        .expect("a task")
        .clone();
    for scope in [MINE, Scope::All] {
        let mut ask = SqlAsk::new(
            scope,
            "SELECT id FROM tasks WHERE id_key = unhex(replace(?1, '-', ''))",
        );
        ask.params = vec![SqlValue::Text(task.id.to_string())];
        let answer = world.library.sql(&ask).expect("a row");
        assert_eq!(answer.rows, [[SqlValue::Text(task.id.to_string())]]);
    }
}

#[test]
fn whatever_is_not_one_select_over_the_views_is_refused_by_name() {
    let mut world = World::new(4);
    world.live(50);
    let refused = [
        ("SELECT * FROM task_row", "task_row"),
        ("SELECT count(*) FROM task_row", "task_row"),
        ("SELECT 1 FROM run_row LIMIT 1", "run_row"),
        ("SELECT rowid FROM names", "names"),
        ("SELECT * FROM main.tasks", "main."),
        ("SELECT count(*) FROM main.tasks", "main."),
        ("SELECT * FROM main.task_row", "main.task_row"),
        (
            "WITH tasks AS (SELECT * FROM task_row) SELECT * FROM tasks",
            "task_row",
        ),
        (
            "WITH tasks AS (SELECT number FROM main.task_row) SELECT count(*) FROM tasks",
            "task_row",
        ),
        (
            "WITH t AS (SELECT image FROM 'task_row') SELECT * FROM t",
            "task_row",
        ),
        ("SELECT (SELECT count(*) FROM [names])", "names"),
        (
            "SELECT * FROM tasks WHERE id_key IN (SELECT id FROM task_row)",
            "task_row",
        ),
        (
            "SELECT * FROM tasks WHERE EXISTS (SELECT 1 FROM `meta`)",
            "meta",
        ),
        (
            "SELECT * FROM tasks LEFT JOIN place_row ON true",
            "place_row",
        ),
        ("SELECT * FROM sqlite_master", "sqlite_master"),
        ("SELECT count(*) FROM sqlite_schema", "sqlite_"),
        ("SELECT sql FROM temp.sqlite_master", "sqlite_"),
        ("SELECT count(*) FROM sqlite_temp_schema", "sqlite_"),
        ("SELECT name FROM temp.sqlite_temp_master", "sqlite_"),
        ("SELECT * FROM pragma_table_list", "pragma_table_list"),
        (
            "SELECT count(*) FROM pragma_table_info('task_row')",
            "pragma_table_info",
        ),
        ("SELECT count(*) FROM pragma_function_list", "pragma"),
        ("SELECT * FROM dbstat", "dbstat"),
        ("SELECT count(*) FROM dbstat", "dbstat"),
        ("SELECT * FROM text WHERE text MATCH 'a'", "text"),
        ("SELECT count(*) FROM text_data", "text_data"),
        ("SELECT load_extension('x')", "load_extension"),
        ("SELECT randomblob(10)", "randomblob"),
        ("SELECT zeroblob(10)", "zeroblob"),
        ("SELECT sqlite_source_id()", "sqlite_source_id"),
        ("SELECT fts5_source_id()", "fts5_source_id"),
        ("SELECT last_insert_rowid()", "last_insert_rowid"),
        ("SELECT writefile('x', 'y')", "writefile"),
        ("PRAGMA table_list", "PRAGMA"),
        ("ATTACH 'x' AS y", "ATTACH"),
        ("EXPLAIN SELECT * FROM tasks", "EXPLAIN"),
        ("EXPLAIN QUERY PLAN SELECT 1", "EXPLAIN"),
        ("VALUES (1)", "VALUES"),
        ("DELETE FROM tasks", "DELETE"),
        ("WITH x AS (SELECT 1) DELETE FROM task_row", "reading"),
        (
            "WITH x AS (SELECT 1) INSERT INTO events_recent SELECT * FROM x",
            "denied|no such table|reading",
        ),
        (
            "WITH x AS (SELECT 1) UPDATE task_row SET state = 1",
            "reading",
        ),
        ("SELECT 1; SELECT 2", "more than one"),
        ("SELECT 1; DROP TABLE task_row", "reading"),
        ("", "no statement"),
        ("-- only a comment", "no statement"),
        ("/* a */ -- b\n /* c", "no statement"),
        ("SELEC 1", "SELEC"),
        ("SELECT nope FROM tasks", "no such column"),
        ("SELECT * FROM nowhere", "no such table"),
        ("SELECT ?1", "1 parameters and 0"),
        ("SELECT * FROM events_recent", "no such table"),
    ];
    for scope in [MINE, Scope::All] {
        for (sql, names) in refused {
            match ask(&world, scope, sql) {
                Err(SqlError::Refused(text)) => {
                    assert!(
                        names.split('|').any(|name| text.contains(name)),
                        "{sql}: {text}"
                    );
                    assert!(
                        text.contains("tasks, runs, attempts, queues"),
                        "{sql}: {text}"
                    );
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
    }
}

#[test]
fn ordinary_queries_are_answered() {
    let mut world = World::new(5);
    world.live(200);
    for sql in [
        "SELECT 1",
        " /* a comment */ select 1 -- at the end\n ;",
        "WITH t AS (SELECT state FROM tasks) SELECT state, count(*) FROM t GROUP BY 1 ORDER BY 2 DESC",
        "WITH names AS (SELECT kind FROM tasks) SELECT kind FROM names LIMIT 3",
        "WITH task_row AS (SELECT 1 AS number, 2 AS image) SELECT image FROM task_row",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT sum(i) FROM n",
        "SELECT count(*) FROM (SELECT 1 FROM tasks)",
        "WITH c AS (SELECT 1 FROM runs) SELECT count(*) FROM c",
        "SELECT t.kind, tag.value FROM tasks t, json_each(t.tags) tag WHERE tag.value = 'red'",
        "SELECT count(*) FROM tasks, json_each('[1,2]')",
        "SELECT a.id, b.run_id FROM tasks a LEFT JOIN runs b ON b.task_key = a.id_key",
        "SELECT kind, avg(julianday(finished_at) - julianday(started_at)) FROM attempts GROUP BY kind",
        "SELECT state, row_number() OVER (PARTITION BY queue ORDER BY created_at) FROM runs LIMIT 5",
        "SELECT printf('%05d', 7), upper('a') || lower('B'), strftime('%Y', 'now'), iif(1, 2, 3), json_extract('{\"a\":1}', '$.a')",
        "SELECT kind FROM tasks UNION SELECT queue FROM runs EXCEPT SELECT 'x'",
        "SELECT * FROM tasks WHERE description LIKE '%invoice%' OR kind GLOB 'mail*'",
    ] {
        for scope in [MINE, Scope::All] {
            if let Err(error) = ask(&world, scope, sql) {
                panic!("{sql}: {error}");
            }
        }
    }
}

#[test]
fn a_tenant_sees_no_row_count_or_name_of_another() {
    let mut world = World::new(6);
    world.live(400);
    let mine = world
        .tasks
        .values()
        .filter(|task| task.tenant == TenantId::DEFAULT)
        .count() as i64;
    let my_runs = world
        .runs
        .values()
        .filter(|run| run.tenant == TenantId::DEFAULT)
        .count() as i64;
    for (sql, wanted) in [
        ("SELECT count(*) FROM tasks", mine),
        (
            "SELECT count(*) FROM tasks WHERE true OR tenant_id = 'x'",
            mine,
        ),
        ("SELECT count(*) FROM temp.tasks", mine),
        ("SELECT (SELECT count(*) FROM tasks) FROM (SELECT 1)", mine),
        (
            "WITH a AS (SELECT * FROM tasks) SELECT count(*) FROM a",
            mine,
        ),
        (
            "WITH place_row AS (SELECT 1), names AS (SELECT 2), task_row AS (SELECT 3) SELECT count(*) FROM tasks",
            mine,
        ),
        ("SELECT count(*) FROM runs", my_runs),
        (
            "SELECT count(*) FROM runs a LEFT JOIN tasks b ON b.id_key = a.task_key WHERE b.id IS NOT NULL",
            my_runs,
        ),
        ("SELECT count(DISTINCT tenant_id) FROM tasks", 1),
        ("SELECT count(DISTINCT tenant_id) FROM runs", 1),
        ("SELECT count(DISTINCT tenant_id) FROM attempts", 1),
        ("SELECT count(DISTINCT tenant_id) FROM queues", 1),
        (
            "SELECT count(*) FROM queues WHERE queue = 'hidden-queue'",
            0,
        ),
        (
            "SELECT count(*) FROM runs WHERE queue = 'hidden-queue' OR tenant_id <> '00000000-0000-8000-8000-000000000001'",
            0,
        ),
    ] {
        assert_eq!(number(&world, MINE, sql), wanted, "{sql}");
    }
}

#[test]
fn a_condition_that_fails_is_never_asked_about_rows_of_another_tenant() {
    let mut world = World::new(7);
    world.live(400);
    let stranger = world
        .tasks
        .values()
        .find(|task| task.tenant == OTHER)
        .expect("a task")
        .clone();
    let its_run = world
        .runs
        .values()
        .find(|run| run.tenant == OTHER)
        .expect("a run")
        .clone();
    // An error that only a row of the other tenant raises would tell that there is such a row.
    let bomb = |when: &str| format!("CASE WHEN {when} THEN abs(-9223372036854775808) ELSE 1 END");
    let hex = |id: u128| format!("{id:032x}");
    let (task, run) = (hex(stranger.id.0), hex(its_run.id.0));
    let hidden = bomb("queue = 'hidden-queue'");
    let by_tenant = bomb("tenant_id <> '00000000-0000-8000-8000-000000000001'");
    let by_task = bomb(&format!("id_key = x'{task}'"));
    let by_run = bomb(&format!("id_key = x'{run}'"));
    let by_number = bomb(&format!("number = {}", stranger.number));
    let mut queries = Vec::new();
    for condition in [&hidden, &by_tenant, &by_task, &by_number] {
        queries.push(format!("SELECT count(*) FROM tasks WHERE {condition}"));
        queries.push(format!(
            "SELECT id FROM tasks WHERE {condition} ORDER BY priority, number"
        ));
        queries.push(format!(
            "SELECT count(*) FROM tasks WHERE number > 0 AND {condition}"
        ));
        queries.push(format!(
            "SELECT count(*) FROM tasks WHERE number = {} AND {condition}",
            stranger.number
        ));
        queries.push(format!(
            "SELECT count(*) FROM tasks WHERE (number = {} AND {condition}) OR number = 1",
            stranger.number
        ));
        queries.push(format!("SELECT count(*) FROM tasks WHERE (id_key = x'{task}' AND {condition}) OR id_key = x'00'"));
        queries.push(format!(
            "SELECT count(*) FROM tasks WHERE id_key IN (x'{task}', x'01') AND {condition}"
        ));
        queries.push(format!(
            "SELECT count(*) FROM (SELECT 1 AS one) LEFT JOIN tasks ON {condition}"
        ));
        queries.push(format!(
            "SELECT count(*) FROM tasks GROUP BY kind HAVING {condition}"
        ));
        queries.push(format!("SELECT max({condition}) FROM tasks"));
        queries.push(format!(
            "SELECT kind FROM tasks WHERE {condition} GROUP BY kind, queue"
        ));
        queries.push(format!(
            "SELECT a.id FROM tasks a JOIN tasks b ON a.id_key = b.id_key WHERE {}",
            condition
                .replace("queue", "b.queue")
                .replace("tenant_id", "b.tenant_id")
                .replace("id_key", "b.id_key")
                .replace("number", "b.number")
        ));
    }
    for condition in [&hidden, &by_tenant, &by_run] {
        queries.push(format!("SELECT count(*) FROM runs WHERE {condition}"));
        queries.push(format!(
            "SELECT count(*) FROM runs WHERE (id_key = x'{run}' AND {condition}) OR number = 2"
        ));
        queries.push(format!("SELECT count(*) FROM runs WHERE (task_key = x'{task}' AND {condition}) OR worker = 'w1'"));
        queries.push(format!(
            "SELECT run_id FROM runs WHERE {condition} ORDER BY scheduled_at"
        ));
        queries.push(format!(
            "SELECT count(*) FROM runs WHERE error_code = 'timeout' AND {condition}"
        ));
    }
    for condition in [&hidden, &by_tenant] {
        queries.push(format!("SELECT count(*) FROM attempts WHERE {condition}"));
        queries.push(format!("SELECT count(*) FROM queues WHERE {condition}"));
    }
    queries.push(format!(
        "SELECT count(*) FROM attempts WHERE {}",
        bomb(&format!("run_key = x'{run}'"))
    ));
    for sql in queries {
        if let Err(error) = ask(&world, MINE, &sql) {
            panic!("{sql}: {error}");
        }
        // The same condition does fail where the row may be seen, unless the query never reaches it.
        let _ = ask(&world, Scope::Tenant(OTHER), &sql);
    }
    let sql = format!("SELECT count(*) FROM tasks WHERE {hidden}");
    assert!(
        matches!(ask(&world, Scope::All, &sql), Err(SqlError::Refused(_))),
        "the bomb goes off where it may"
    );
}

#[test]
fn what_takes_too_long_or_too_much_is_ended() {
    let mut world = World::new(8);
    world.live(100);
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let mut slow = SqlAsk::new(MINE, endless);
    slow.time_ms = 50;
    assert_eq!(
        world.library.sql(&slow),
        Err(SqlError::Limit {
            limit: "query_ms",
            value: 50
        })
    );
    slow.sql = "SELECT count(*) FROM tasks a, tasks b, tasks c, tasks d, tasks e, tasks f".into();
    assert_eq!(
        world.library.sql(&slow),
        Err(SqlError::Limit {
            limit: "query_ms",
            value: 50
        })
    );
    slow.sql = "SELECT count(*) FROM (SELECT group_concat(a.id || b.id) FROM tasks a, tasks b, tasks c, tasks d, tasks e)".into();
    assert!(matches!(
        world.library.sql(&slow),
        Err(SqlError::Limit { .. })
    ));
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let answer = ask(&world, MINE, many).expect("rows");
    assert_eq!((answer.rows.len(), answer.truncated), (1000, true));
    let mut few = SqlAsk::new(MINE, "SELECT 1 UNION SELECT 2");
    few.limit = 2;
    assert!(!world.library.sql(&few).expect("rows").truncated);
    for sql in [
        "SELECT printf('%.1000000c', 'x')",
        "SELECT replace(hex(printf('%1000c', 'x')), '2', printf('%1000c', 'x'))",
        "WITH RECURSIVE n(i, x) AS (SELECT 1, 'aaaaaaaaaaaaaaaa' UNION ALL SELECT i + 1, x || x FROM n) SELECT max(length(x)) FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT group_concat(printf('%100d', i)) FROM n",
    ] {
        let mut large = SqlAsk::new(MINE, sql);
        large.time_ms = 10_000;
        let answer = world.library.sql(&large);
        assert!(
            matches!(
                answer,
                Err(SqlError::Limit {
                    limit: "query_value_bytes",
                    ..
                })
            ),
            "{sql}: {answer:?}"
        );
    }
    let mut wide = SqlAsk::new(
        MINE,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT printf('%400000d', i) FROM n",
    );
    wide.time_ms = 60_000;
    assert!(matches!(
        world.library.sql(&wide),
        Err(SqlError::Limit {
            limit: "query_bytes",
            ..
        })
    ));
    let deep = format!("SELECT {}1{}", "(".repeat(2000), ")".repeat(2000));
    assert!(matches!(
        ask(&world, MINE, &deep),
        Ok(_) | Err(SqlError::Refused(_))
    ));
    let sum = format!("SELECT 1{}", "+1".repeat(2000));
    assert!(matches!(ask(&world, MINE, &sum), Err(SqlError::Refused(_))));
    let long = format!("SELECT '{}'", "x".repeat(20_000));
    assert!(matches!(
        ask(&world, MINE, &long),
        Err(SqlError::Limit { .. })
    ));
    let columns = format!("SELECT {}1", "1,".repeat(300));
    assert!(matches!(
        ask(&world, MINE, &columns),
        Err(SqlError::Refused(_))
    ));
    let pattern = format!("SELECT 'a' LIKE '{}'", "%a".repeat(300));
    assert!(ask(&world, MINE, &pattern).is_err());
}

#[test]
fn recent_events_are_those_that_were_handed_in_and_of_the_scope() {
    let mut world = World::new(9);
    world.live(20);
    let event = |sequence, tenant| EventLine {
        sequence,
        at: mainstay_core::Timestamp(world::T0),
        kind: "task_created",
        tenant,
        task: None,
        run: None,
        actor: Some("somebody".into()),
    };
    let mut ask = SqlAsk::new(MINE, "SELECT sequence, type, actor FROM events_recent");
    assert!(ask.names_events());
    ask.events_recent = Some(vec![event(1, TenantId::DEFAULT), event(2, OTHER)]);
    let answer = world.library.sql(&ask).expect("rows");
    assert_eq!(
        answer.rows,
        [[
            SqlValue::Integer(1),
            SqlValue::Text("task_created".into()),
            SqlValue::Text("somebody".into())
        ]]
    );
}

#[test]
fn an_odd_number_of_threads_may_ask_at_once() {
    let mut world = World::new(10);
    world.live(50);
    let world = &world;
    let library = &world.library;
    std::thread::scope(|scope| {
        for _ in 0..9 {
            scope.spawn(move || {
                for _ in 0..5 {
                    library
                        .sql(&SqlAsk::new(MINE, "SELECT count(*) FROM tasks"))
                        .expect("a count");
                }
            });
        }
    });
}
