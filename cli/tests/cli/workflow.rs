//! Schedules, dependencies, budgets, subscriptions and queues through the binary.

use serde_json::json;

use crate::harness::Served;

#[test]
fn a_chain_a_budget_and_an_event_are_controlled_from_the_command_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (first, _) = served.submit(&["fetch", "--budget", "token=100:10", "--tag", "old"]);
    let (roof, _) = served.submit(&["roof"]);
    let (second, waiting) = served.submit(&["build", "--depends-on", &first, "--parent", &roof]);
    let shown = served.run(&["task", "show", &second]).good();
    assert!(
        shown.stdout.contains(&format!("waits for  {first}")),
        "{shown:?}"
    );
    assert!(shown.stdout.contains("parent"), "{shown:?}");
    let explained = served.run(&["run", "explain", &waiting]).good();
    assert!(
        explained.stdout.contains("waiting_for_dependencies"),
        "{explained:?}"
    );

    let changed = served
        .run(&[
            "task",
            "update",
            &first,
            "--priority",
            "5",
            "--tag",
            "new",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(changed["metadata"], json!({"tags": ["new"], "priority": 5}));
    let listed = served.run(&["task", "budget", "list", &first]).good();
    assert!(listed.stdout.starts_with("DIMENSION"), "{listed:?}");
    let allocated = served
        .run(&[
            "task",
            "budget",
            "allocate",
            &first,
            "cost_cents=70",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(
        (&allocated["limit"], &allocated["scope"]),
        (&json!(70), &json!("task"))
    );
    let renewed = served
        .run(&[
            "task",
            "budget",
            "replenish",
            &first,
            "token",
            "500",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(renewed["limit"], 500);
    let unknown = served.run(&[
        "task",
        "budget",
        "replenish",
        &first,
        "nothing",
        "5",
        "--json",
    ]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("budget_not_allocated"),
        "{unknown:?}"
    );

    let (third, due) = served.submit(&["late", "--delay", "1d"]);
    let declared = served
        .run(&["task", "depend", &third, "--on", &first, "--json"])
        .good()
        .json();
    assert_eq!(declared, json!({"task_id": third, "unmet": 1}));
    let (sleeper, later) = served.submit(&["sleeper", "--delay", "1d"]);
    let subscribed = served
        .run(&["task", "subscribe", &sleeper, "--event", "wake", "--json"])
        .good()
        .json();
    let subscription = subscribed["subscription_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let told = served
        .run(&["task", "publish", "wake", "--payload", "{\"n\":1}"])
        .good();
    assert_eq!(told.stdout, "event wake: triggered 1\n");
    assert_eq!(served.show(&later)["state"], "ready");
    served.run(&["task", "unsubscribe", &subscription]).good();
    assert_eq!(
        served.run(&["task", "unsubscribe", &subscription]).code,
        Some(1)
    );
    for words in [
        &["--completed", &first][..],
        &["--run-of", &first, "--state", "failed"],
        &[
            "--budget-of",
            &first,
            "--dimension",
            "token",
            "--percent",
            "80",
        ],
    ] {
        served
            .run(&[&["task", "subscribe", &third][..], words].concat())
            .good();
    }
    assert_eq!(served.run(&["task", "subscribe", &third]).code, Some(64));
    let more = served
        .run(&[
            "task",
            "run",
            &third,
            "--at",
            "2100-01-01T00:00:00Z",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(more["state"], "scheduled");
    assert_ne!(more["run_id"], due);
}

#[test]
fn a_queue_is_set_paused_and_resumed() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    served.submit(&["k", "--queue", "mail"]);
    let set = served
        .run(&[
            "queue",
            "set",
            "mail",
            "--concurrency-limit",
            "2",
            "--rate",
            "100:1m",
            "--weight",
            "3",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(
        (
            &set["concurrency_limit"],
            &set["rate_limit"],
            &set["weight"]
        ),
        (&json!(2), &json!({"per_ms": 60_000, "max": 100}), &json!(3))
    );
    let paused = served
        .run(&["queue", "pause", "mail", "--reason", "down"])
        .good();
    assert_eq!(paused.stdout, "queue mail: paused\n");
    assert_eq!(
        served.run(&["queue", "pause", "mail"]).good().stdout,
        "queue mail: already paused\n"
    );
    let shown = served.run(&["queue", "show", "mail"]).good();
    assert!(
        shown.stdout.contains("100 per 60000 ms") && shown.stdout.contains("down"),
        "{shown:?}"
    );
    let listed = served.run(&["queue", "list"]).good();
    assert!(listed.stdout.contains("yes"), "{listed:?}");
    assert_eq!(
        served.run(&["queue", "resume", "mail"]).good().stdout,
        "queue mail: resumed\n"
    );
    let unknown = served.run(&["queue", "show", "nowhere", "--json"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("queue_not_found"), "{unknown:?}");
}

#[test]
fn a_repeat_is_looked_at_before_and_after_it_is_submitted() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let start = ["--start-at", "2100-01-01T00:00:00Z"];
    let preview = served
        .run(
            &[
                &["schedule", "preview", "--repeat", "3:30s", "--next", "2"][..],
                &start,
            ]
            .concat(),
        )
        .good();
    assert_eq!(
        preview.stdout,
        "2100-01-01T00:00:00.000Z\n2100-01-01T00:00:30.000Z\n"
    );
    let (task, _) = served.submit(&["k", "--repeat", "3:30s", "--run-at", "2100-01-01T00:00:00Z"]);
    let shown = served.run(&["task", "show", &task]).good();
    assert!(shown.stdout.contains("3, 30000 ms apart"), "{shown:?}");
    let coming = served
        .run(&["schedule", "list", "--task", &task, "--next", "3", "--json"])
        .good()
        .json();
    assert_eq!(coming["occurrences"].as_array().map(Vec::len), Some(3));
    let deferred = served
        .run(&["submit", "k", "--deferred", "--json"])
        .good()
        .json();
    assert_eq!(deferred["durable"], false);
    let text = served.run(&["submit", "k", "--deferred"]).good();
    assert!(text.stdout.starts_with("task"), "{text:?}");
}

#[test]
fn a_cron_is_shown_listed_paused_and_changed() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (task, _) = served.submit(&[
        "report",
        "--cron",
        "0 8 * * *",
        "--timezone",
        "Europe/Berlin",
    ]);
    let listed = served.run(&["schedule", "list", "--next", "2"]).good();
    assert!(
        listed.stdout.contains(&task) && listed.stdout.contains("Europe/Berlin"),
        "{listed:?}"
    );
    let rows = served
        .run(&["schedule", "list", "--json"])
        .good()
        .json_lines();
    assert_eq!((rows.len(), &rows[0]["task_id"]), (1, &json!(task)));
    let paused = served.run(&["task", "update", &task, "--pause"]).good();
    assert!(paused.stdout.contains("paused"), "{paused:?}");
    let words = [
        "task",
        "update",
        &task,
        "--unpause",
        "--cron",
        "0 9 * * *",
        "--json",
    ];
    let changed = served.run(&words).good().json();
    assert_eq!(
        (&changed["paused"], &changed["run_policy"]["expression"]),
        (&json!(false), &json!("0 9 * * *"))
    );
    let preview = served.run(&[
        "schedule",
        "preview",
        "--cron",
        "0 0 29 2 *",
        "--next",
        "1",
        "--json",
    ]);
    let preview = preview.good().json();
    assert!(
        preview["occurrences"][0]
            .as_str()
            .is_some_and(|at| at.ends_with("-02-29T00:00:00.000Z"))
    );
    assert_eq!(
        served
            .run(&["schedule", "preview", "--cron", "nonsense"])
            .code,
        Some(1)
    );
    assert_eq!(served.run(&["schedule", "preview"]).code, Some(64));
}

#[test]
fn a_worker_offers_what_it_is_able_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (_, run) = served.submit(&["train", "--capability", "gpu"]);
    served.run(&["work", "--until-idle", "--", "true"]).good();
    assert_eq!(served.show(&run)["state"], "ready");
    served
        .run(&["work", "--capability", "gpu", "--until-idle", "--", "true"])
        .good();
    assert_eq!(served.show(&run)["state"], "completed");
    // A program that leaves with 76 is set aside with what it wrote to standard error as its reason.
    let (_, run) = served.submit(&["ask"]);
    served
        .run(&[
            "work",
            "--until-idle",
            "--",
            "sh",
            "-c",
            "echo 'waits for ada' >&2; exit 76",
        ])
        .good();
    let shown = served.show(&run);
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("suspended"), &json!("waits for ada"))
    );
    served.run(&["run", "resume", &run]).good();
    assert_eq!(served.show(&run)["state"], "ready");
}
