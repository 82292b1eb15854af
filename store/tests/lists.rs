//! Lists compared with plain filters and sorts over the same rows.

mod world;

use mainstay_core::{RunState, TaskId, TaskState, TenantId, Text, Timestamp};
use mainstay_store::{From, JobAsk, Library, ListError, Page, RunAsk, Scope, TaskAsk, file_of};
use world::{Dice, ERRORS, KINDS, OTHER, PlainRun, PlainTask, T0, TAGS, WORKERS, World};

const QUEUES: [&str; 3] = ["default", "mail", "hidden-queue"];

fn text(dice: &mut Dice, one_in: u64, from: &[&str]) -> Option<Text> {
    dice.one_in(one_in).then(|| Text::from(dice.pick(from)))
}

fn instant(world: &mut World) -> Option<Timestamp> {
    let end = world.wall - T0;
    world
        .dice
        .one_in(4)
        .then(|| Timestamp(T0 + world.dice.below(end + 10)))
}

fn search(dice: &mut Dice) -> Option<String> {
    const QUERIES: [&str; 12] = [
        "invoice",
        "mail",
        "inv",
        "MAIL failed",
        "zurich",
        "Zür",
        "rare",
        "naive",
        "send",
        "smtp_550 went",
        "blue-1 no",
        "x",
    ];
    dice.one_in(3).then(|| dice.pick(&QUERIES).to_owned())
}

fn task_ask(world: &mut World) -> TaskAsk {
    let created_after = instant(world);
    let created_before = instant(world);
    let parents = world.tasks.values().filter_map(|task| task.parent);
    let parents: Vec<TaskId> = parents.collect();
    let dice = &mut world.dice;
    let parent = parents[dice.below(parents.len() as u64) as usize];
    let scope = [
        Scope::Tenant(TenantId::DEFAULT),
        Scope::Tenant(OTHER),
        Scope::All,
    ][dice.below(3) as usize];
    TaskAsk {
        kind: text(dice, 4, &KINDS),
        queue: text(dice, 4, &QUEUES),
        tag: text(dice, 4, &TAGS),
        state: dice
            .one_in(3)
            .then(|| TaskState::ALL[dice.below(5) as usize]),
        parent: dice.one_in(3).then_some(parent),
        created_after,
        created_before,
        q: search(dice),
        ..TaskAsk::all(scope, Page::first(1 + dice.below(200) as u32))
    }
}

fn run_ask(world: &mut World) -> RunAsk {
    let created_after = instant(world);
    let created_before = instant(world);
    let some = world.dice.below(world.tasks.len() as u64) as usize;
    let some = world.tasks.values().nth(some).map(|task| task.id);
    let dice = &mut world.dice;
    let scope = [
        Scope::Tenant(TenantId::DEFAULT),
        Scope::Tenant(OTHER),
        Scope::All,
    ][dice.below(3) as usize];
    RunAsk {
        state: dice
            .one_in(3)
            .then(|| RunState::ALL[dice.below(9) as usize]),
        task: some.filter(|_| dice.one_in(6)),
        kind: text(dice, 4, &KINDS),
        queue: text(dice, 4, &QUEUES),
        tag: text(dice, 4, &TAGS),
        worker: text(dice, 4, &WORKERS),
        error_code: text(dice, 4, &ERRORS),
        created_after,
        created_before,
        q: search(dice),
        ..RunAsk::all(scope, Page::first(1 + dice.below(200) as u32))
    }
}

fn in_scope(scope: Scope, tenant: TenantId) -> bool {
    scope == Scope::All || scope == Scope::Tenant(tenant)
}

fn is<T: PartialEq>(wanted: &Option<T>, value: &T) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == value)
}

fn created(after: Option<Timestamp>, before: Option<Timestamp>, at: Timestamp) -> bool {
    after.is_none_or(|after| at >= after) && before.is_none_or(|before| at < before)
}

fn plain_tasks<'a>(world: &'a World, ask: &TaskAsk) -> Vec<&'a PlainTask> {
    let mut rows: Vec<&PlainTask> = world
        .tasks
        .values()
        .filter(|task| {
            in_scope(ask.scope, task.tenant)
                && is(&ask.kind, &task.kind)
                && is(&ask.queue, &task.queue)
                && is(&ask.state, &task.state)
                && ask.parent.is_none_or(|parent| task.parent == Some(parent))
                && ask
                    .tag
                    .as_ref()
                    .is_none_or(|tag| task.tags.iter().any(|own| **own == **tag))
                && created(ask.created_after, ask.created_before, task.created_at)
                && ask.q.as_ref().is_none_or(|q| world.has_words(task, q))
        })
        .collect();
    rows.sort_by_key(|task| {
        (
            -i64::from(task.priority),
            task.created_at,
            task.id,
            task.number,
        )
    });
    rows
}

fn plain_runs<'a>(world: &'a World, ask: &RunAsk) -> Vec<&'a PlainRun> {
    let mut rows: Vec<&PlainRun> = world
        .runs
        .values()
        .filter(|run| {
            let task = &world.tasks[&run.task];
            let code = run.error.as_ref().map(|error| Text::from(error.0.as_str()));
            in_scope(ask.scope, run.tenant)
                && is(&ask.state, &run.state)
                && is(&ask.task, &task.id)
                && is(&ask.kind, &run.kind)
                && is(&ask.queue, &run.queue)
                && ask
                    .tag
                    .as_ref()
                    .is_none_or(|tag| task.tags.iter().any(|own| **own == **tag))
                && ask
                    .worker
                    .as_ref()
                    .is_none_or(|worker| run.worker.as_deref() == Some(&**worker))
                && ask
                    .error_code
                    .as_ref()
                    .is_none_or(|wanted| code.as_ref() == Some(wanted))
                && created(ask.created_after, ask.created_before, run.created_at)
                && ask.q.as_ref().is_none_or(|q| world.has_words(task, q))
        })
        .collect();
    rows.sort_by_key(|run| (run.scheduled_at, run.number));
    rows
}

fn walk_tasks(library: &Library, mut ask: TaskAsk) -> Vec<(TenantId, String)> {
    let mut found = Vec::new();
    loop {
        let page = library.tasks(&ask).expect("a page");
        assert!(page.rows.len() <= ask.page.limit as usize);
        found.extend(
            page.rows
                .iter()
                .map(|row| (row.tenant, row.view.id.to_string())),
        );
        let Some(next) = page.next_cursor else {
            return found;
        };
        ask.page.from = From::Cursor(next);
    }
}

fn walk_runs(library: &Library, mut ask: RunAsk) -> Vec<(TenantId, String)> {
    let mut found = Vec::new();
    loop {
        let page = library.runs(&ask).expect("a page");
        assert!(page.rows.len() <= ask.page.limit as usize);
        found.extend(page.rows.iter().map(|row| (row.tenant, row.id.to_string())));
        let Some(next) = page.next_cursor else {
            return found;
        };
        ask.page.from = From::Cursor(next);
    }
}

#[test]
fn pages_of_tasks_are_what_a_plain_filter_and_sort_gives() {
    let mut world = World::new(1);
    world.live(2000);
    for _ in 0..250 {
        let ask = task_ask(&mut world);
        let wanted: Vec<_> = plain_tasks(&world, &ask)
            .iter()
            .map(|task| (task.tenant, task.id.to_string()))
            .collect();
        assert_eq!(walk_tasks(&world.library, ask.clone()), wanted, "{ask:?}");
        let offset = world.dice.below(wanted.len() as u64 + 3);
        let page = TaskAsk {
            page: Page {
                limit: ask.page.limit,
                from: From::Offset(offset as u32),
            },
            ..ask.clone()
        };
        assert_eq!(
            walk_tasks(&world.library, page),
            wanted[wanted.len().min(offset as usize)..],
            "{ask:?} after {offset}"
        );
    }
}

#[test]
fn pages_of_runs_are_what_a_plain_filter_and_sort_gives() {
    let mut world = World::new(2);
    world.live(2000);
    for _ in 0..250 {
        let ask = run_ask(&mut world);
        let wanted: Vec<_> = plain_runs(&world, &ask)
            .iter()
            .map(|run| (run.tenant, run.id.to_string()))
            .collect();
        assert_eq!(walk_runs(&world.library, ask.clone()), wanted, "{ask:?}");
        let offset = world.dice.below(wanted.len() as u64 + 3);
        let page = RunAsk {
            page: Page {
                limit: ask.page.limit,
                from: From::Offset(offset as u32),
            },
            ..ask.clone()
        };
        assert_eq!(
            walk_runs(&world.library, page),
            wanted[wanted.len().min(offset as usize)..],
            "{ask:?} after {offset}"
        );
    }
}

/// Jobs that fit, as plain filters find them, newest first.
fn plain_jobs<'a>(world: &'a World, ask: &JobAsk) -> Vec<&'a PlainRun> {
    let runs = world.runs.values().rev();
    let fits = runs.filter(|run| {
        in_scope(ask.scope, run.tenant)
            && is(&ask.state, &run.state)
            && (!ask.ended || run.state.is_terminal())
            && is(&ask.kind, &run.kind)
            && ask
                .q
                .as_ref()
                .is_none_or(|q| world.has_words(&world.tasks[&run.task], q))
    });
    fits.collect()
}

#[test]
fn jobs_and_how_many_there_are_are_what_a_plain_filter_and_sort_gives() {
    let mut world = World::new(4);
    world.live(2000);
    for at in 0..400 {
        let of_runs = run_ask(&mut world);
        let dice = &mut world.dice;
        let mut ask = JobAsk {
            scope: of_runs.scope,
            state: of_runs.state,
            ended: at % 2 == 1,
            kind: of_runs.kind,
            q: of_runs.q,
            limit: 1 + dice.below(200) as u32,
            offset: 0,
        };
        if ask.ended {
            (ask.state, ask.kind) = (None, None);
        }
        let count = plain_jobs(&world, &ask).len() as u64;
        ask.offset = world.dice.below(count + 3);
        let wanted = plain_jobs(&world, &ask);
        let page = world.library.jobs(&ask).expect("a page");
        assert_eq!(page.total, wanted.len() as u64, "{ask:?}");
        let whole = JobAsk {
            offset: 0,
            limit: 1_000_000,
            ..ask.clone()
        };
        let whole = world.library.jobs(&whole).expect("a page").rows;
        let from = whole.len().min(ask.offset as usize);
        let until = whole.len().min(from + ask.limit as usize);
        assert_eq!(page.rows, whole[from..until], "{ask:?}");
        let mut found: Vec<_> = whole.iter().map(|job| (job.tenant, job.id)).collect();
        let mut plain: Vec<_> = wanted.iter().map(|run| (run.tenant, run.id)).collect();
        if ask.ended {
            let in_order = whole.is_sorted_by_key(|job| std::cmp::Reverse(job.finished_at));
            assert!(
                in_order && whole.iter().all(|job| job.finished_at.is_some()),
                "{ask:?}"
            );
            found.sort_unstable();
            plain.sort_unstable();
        }
        assert_eq!(found, plain, "{ask:?}");
    }
}

#[test]
fn a_row_of_a_list_shows_what_the_machine_holds() {
    let mut world = World::new(3);
    world.live(300);
    let tasks = world
        .library
        .tasks(&TaskAsk::all(Scope::All, Page::first(1000)))
        .expect("a page");
    assert_eq!(tasks.rows.len(), world.tasks.len());
    assert_eq!(tasks.checkpoint, world.machine.sequence());
    for row in &tasks.rows {
        let plain = world
            .tasks
            .values()
            .find(|task| task.id == row.view.id && task.tenant == row.tenant);
        let plain = plain.expect("the task is there");
        assert_eq!(
            (&row.view.kind, &row.view.queue),
            (&plain.kind, &plain.queue)
        );
        assert_eq!(
            (row.view.state, row.view.priority, row.view.created_at),
            (plain.state, plain.priority, plain.created_at)
        );
        assert_eq!(
            row.view
                .extras
                .tags
                .iter()
                .map(|tag| tag.to_string())
                .collect::<Vec<_>>(),
            plain.tags
        );
        let mut counts = [0; 9];
        for run in world.runs_of(plain) {
            counts[run.state as usize] += 1;
        }
        assert_eq!(row.view.runs_by_state, counts);
        let first = world.runs_of(plain).next().expect("a run");
        assert_eq!(row.view.scheduled_at, first.scheduled_at);
        assert_eq!(row.view.schedule.is_some(), row.view.runs_total > 1);
        let parent = row.view.bond.as_ref().and_then(|bond| bond.parent);
        assert_eq!(parent, plain.parent);
    }
    let runs = world
        .library
        .runs(&RunAsk::all(Scope::All, Page::first(1000)))
        .expect("a page");
    assert_eq!(runs.rows.len(), world.runs.len());
    for row in &runs.rows {
        let plain = world
            .runs
            .values()
            .find(|run| run.id == row.id && run.tenant == row.tenant)
            .expect("the run is there");
        let task = &world.tasks[&plain.task];
        assert_eq!(
            (row.task, &row.kind, &row.queue, row.state),
            (task.id, &plain.kind, &plain.queue, plain.state)
        );
        assert_eq!(
            (row.created_at, row.scheduled_at),
            (plain.created_at, plain.scheduled_at)
        );
        assert_eq!(row.attempt_count, plain.attempt_count);
        assert_eq!(
            row.concurrency_key.as_deref(),
            task.concurrency_key.as_deref()
        );
    }
}

#[test]
fn pages_joined_by_their_cursors_give_every_row_once_while_rows_are_added() {
    let mut world = World::new(4);
    world.live(800);
    let before: Vec<_> = world
        .tasks
        .values()
        .map(|task| (task.tenant, task.id.to_string()))
        .collect();
    let runs_before: Vec<_> = world
        .runs
        .values()
        .map(|run| (run.tenant, run.id.to_string()))
        .collect();
    let (mut tasks, mut runs) = (Vec::new(), Vec::new());
    let mut ask = TaskAsk::all(Scope::All, Page::first(37));
    let mut run_ask = RunAsk::all(Scope::All, Page::first(41));
    let (mut more, mut more_runs) = (true, true);
    let mut turns = 0;
    while more || more_runs {
        if more {
            let page = world.library.tasks(&ask).expect("a page");
            tasks.extend(
                page.rows
                    .iter()
                    .map(|row| (row.tenant, row.view.id.to_string())),
            );
            more = page.next_cursor.is_some();
            ask.page.from = From::Cursor(page.next_cursor.unwrap_or_default());
        }
        if more_runs {
            let page = world.library.runs(&run_ask).expect("a page");
            runs.extend(page.rows.iter().map(|row| (row.tenant, row.id.to_string())));
            more_runs = page.next_cursor.is_some();
            run_ask.page.from = From::Cursor(page.next_cursor.unwrap_or_default());
        }
        if turns < 30 {
            world.live(20);
        }
        turns += 1;
    }
    for (seen, must) in [(&mut tasks, before), (&mut runs, runs_before)] {
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all, "no row came twice");
        assert!(
            must.iter().all(|row| seen.binary_search(row).is_ok()),
            "no row was left out"
        );
    }
}

#[test]
fn a_page_ends_short_with_a_cursor_once_it_has_visited_its_bound() {
    let mut world = World::new(5);
    // The only match is the last of 21,000; nothing but the walk can find it.
    for at in 0..21_000u64 {
        let mut spec = mainstay_core::TaskSpec::new("many");
        if at == 20_999 {
            spec.policy_mut().concurrency_key = Some(Text::from("k"));
        }
        spec.extras_mut().tags = vec![Text::from("common")];
        if at >= 20_998 {
            spec.extras_mut().description = Some(Text::from("needle"));
        }
        if at % 2 == 0 {
            spec.extras_mut().tags.push(Text::from("half"));
        }
        world.step(mainstay_core::Command::Submit(spec.into()));
    }
    world.commit();
    let scope = Scope::Tenant(TenantId::DEFAULT);
    let mut ask = RunAsk {
        worker: Some(Text::from("nobody")),
        ..RunAsk::all(scope, Page::first(10))
    };
    let mut pages = 0;
    loop {
        let page = world.library.runs(&ask).expect("a page");
        assert!(page.rows.is_empty());
        pages += 1;
        let Some(next) = page.next_cursor else { break };
        ask.page.from = From::Cursor(next);
    }
    assert_eq!(pages, 3, "10,000, 10,000 and 1,000 rows");
    // An offset that a short page did not use up goes on in its cursor.
    let tags = TaskAsk {
        tag: Some(Text::from("half")),
        ..TaskAsk::all(
            scope,
            Page {
                limit: 1000,
                from: From::Offset(10_300),
            },
        )
    };
    let rest = walk_tasks(&world.library, tags);
    let half = world
        .tasks
        .values()
        .filter(|task| task.tags.len() == 2)
        .count();
    assert_eq!(rest.len(), half - 10_300);
    // Words that are rare, and words that are common.
    for (q, count) in [
        ("needle", 2),
        ("common", 21_000),
        ("com need", 2),
        ("half", half),
        ("many half", half),
        ("man", 21_000),
    ] {
        let ask = TaskAsk {
            q: Some(q.into()),
            ..TaskAsk::all(scope, Page::first(1000))
        };
        assert_eq!(walk_tasks(&world.library, ask).len(), count, "{q}");
        let ask = RunAsk {
            q: Some(q.into()),
            ..RunAsk::all(scope, Page::first(1000))
        };
        assert_eq!(walk_runs(&world.library, ask).len(), count, "{q}");
    }
}

#[test]
fn a_cursor_of_garbage_other_filters_or_another_log_is_refused() {
    let mut world = World::new(6);
    world.live(100);
    let ask = TaskAsk::all(Scope::All, Page::first(3));
    let good = world
        .library
        .tasks(&ask)
        .expect("a page")
        .next_cursor
        .expect("a cursor");
    let with = |ask: &TaskAsk, text: &str| {
        let mut ask = ask.clone();
        ask.page.from = From::Cursor(text.to_owned());
        world.library.tasks(&ask).map(|page| page.rows.len())
    };
    assert_eq!(with(&ask, &good), Ok(3));
    assert!(
        good.bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
    );
    let other = TaskAsk {
        kind: Some(Text::from("x")),
        ..ask.clone()
    };
    assert_eq!(with(&other, &good), Err(ListError::CursorInvalid));
    let tenant = TaskAsk::all(Scope::Tenant(OTHER), Page::first(3));
    assert_eq!(with(&tenant, &good), Err(ListError::CursorInvalid));
    for garbage in [
        "",
        "A",
        "====",
        "é",
        "AQ",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "../../etc",
    ] {
        assert_eq!(
            with(&ask, garbage),
            Err(ListError::CursorInvalid),
            "{garbage}"
        );
    }
    let mut dice = Dice(9);
    for _ in 0..2000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len() as u64) as usize;
            match dice.below(3) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, b'A' + dice.below(26) as u8),
                _ => bytes[at] = b"AZaz09-_"[dice.below(8) as usize],
            }
            if bytes.is_empty() {
                break;
            }
        }
        let text = String::from_utf8(bytes).expect("plain letters");
        let answer = with(&ask, &text);
        assert!(
            matches!(
                answer,
                Ok(_) | Err(ListError::CursorInvalid | ListError::CursorExpired)
            ),
            "{text}: {answer:?}"
        );
    }
    let elsewhere = tempfile::tempdir().expect("a directory");
    let store = mainstay_store::SqliteStore::open(
        elsewhere.path(),
        "another log",
        mainstay_store::SqliteOptions::default(),
    );
    drop(store.expect("a store"));
    let library = Library::open(&file_of(elsewhere.path()));
    let mut moved = ask.clone();
    moved.page.from = From::Cursor(good);
    assert_eq!(library.tasks(&moved).err(), Some(ListError::CursorExpired));
}

#[test]
fn limits_offsets_and_searches_without_words_are_refused() {
    let mut world = World::new(7);
    world.live(20);
    let page = |limit, from| TaskAsk::all(Scope::All, Page { limit, from });
    let asked = |ask: &TaskAsk| world.library.tasks(ask).map(|page| page.rows.len());
    assert_eq!(asked(&page(0, From::Offset(0))), Err(ListError::Limit));
    assert_eq!(asked(&page(1001, From::Offset(0))), Err(ListError::Limit));
    assert_eq!(
        asked(&page(1, From::Offset(100_001))),
        Err(ListError::Offset)
    );
    assert_eq!(asked(&page(1, From::Offset(100_000))), Ok(0));
    for q in [
        "",
        " ",
        "\"*()^",
        "a b c d e f g h i j k l m n o p q",
        &"x".repeat(65),
    ] {
        let ask = TaskAsk {
            q: Some(q.to_owned()),
            ..page(1, From::Offset(0))
        };
        assert!(matches!(asked(&ask), Err(ListError::Query(_))), "{q}");
    }
    for q in [
        "AND",
        "NEAR",
        "a\"b",
        "kind:x",
        "{tags}",
        "x*",
        "-",
        "_",
        "NOT a",
        "हिन्दी",
        "日本語",
        "a\0b",
        "ﬁ ß ǅ",
        "e\u{301}",
        "𝒳",
    ] {
        let ask = TaskAsk {
            q: Some(q.to_owned()),
            ..page(1, From::Offset(0))
        };
        assert!(
            matches!(asked(&ask), Ok(_) | Err(ListError::Query(_))),
            "{q}: {:?}",
            asked(&ask)
        );
    }
}

#[test]
fn a_store_that_does_not_exist_is_empty_and_one_that_is_replaced_is_read_anew() {
    let empty = tempfile::tempdir().expect("a directory");
    let library = Library::open(&file_of(empty.path()));
    let page = library
        .tasks(&TaskAsk::all(Scope::All, Page::first(10)))
        .expect("a page");
    assert!(page.rows.is_empty() && page.next_cursor.is_none() && page.checkpoint == 0);
    assert_eq!(library.checkpoint(), 0);
    assert_eq!(library.places(Scope::All), Ok(Vec::new()));

    let mut world = World::new(8);
    world.live(50);
    let all = TaskAsk::all(Scope::All, Page::first(1000));
    assert_eq!(world.library.tasks(&all).expect("a page").rows.len(), 50);
    assert_eq!(world.library.checkpoint(), world.machine.sequence());
    let counted: u64 = world
        .library
        .places(Scope::All)
        .expect("places")
        .iter()
        .map(|place| place.counts.iter().sum::<u64>())
        .sum();
    assert_eq!(counted, world.runs.len() as u64);
    mainstay_store::set_aside(world.dir.path()).expect("the file is moved");
    assert!(world.library.tasks(&all).expect("a page").rows.is_empty());
    let mut other = World::new(9);
    other.live(7);
    drop(other.store);
    std::fs::copy(file_of(other.dir.path()), file_of(world.dir.path()))
        .expect("the file is replaced");
    assert_eq!(world.library.tasks(&all).expect("a page").rows.len(), 7);
}

#[test]
fn many_threads_share_a_library() {
    let mut world = World::new(10);
    world.live(200);
    let library = &world.library;
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let page = library.runs(&RunAsk::all(Scope::All, Page::first(50)));
                    assert_eq!(page.expect("a page").rows.len(), 50);
                }
            });
        }
    });
}
