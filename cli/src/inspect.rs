//! `inspect`: the state of a data directory as of an event.

use mainstay::ops::{self, InspectAsk, Inspection};
use mainstay::{Answer, PlaceRow, Query, RunState, TenantId};
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::exit::{Code, Failure};
use crate::ops::{Bar, failed, instant};
use crate::screen::Screen;
use crate::views::{run_json, task_json};

/// Places that people are shown.
const PLACES_SHOWN: usize = 50;

/// Replays and shows.
pub(crate) fn inspect(args: &InspectArgs, screen: Screen) -> Result<Code, Failure> {
    let query = query_of(args)?;
    let tenant = match &args.tenant {
        None => TenantId::DEFAULT,
        Some(text) => id(text, "--tenant")?,
    };
    let ask = InspectAsk {
        directory: &args.directory,
        at: args.at,
        backup: args.backup.as_deref(),
    };
    let mut bar = Bar::new(screen);
    let seen = ops::inspect_at(&ask, &mut |at| bar.tell(at));
    drop(bar);
    let seen = seen.map_err(|error| failed(&args.directory, error))?;
    for note in &seen.notes {
        screen.note(&format!("mainstay: {note}"));
    }
    let verified = seen.verify();
    match query {
        Some(query) => {
            let answer = seen.answer(tenant, &query);
            let answer = answer.map_err(|error| failed(&args.directory, error))?;
            show_answer(&seen, &answer, screen)?;
        }
        None => show_state(&seen, &verified, screen),
    }
    // In the middle of a command a state need not agree with itself.
    Ok(if verified.is_ok() || !seen.is_whole {
        Code::Done
    } else {
        Code::Failed
    })
}

fn query_of(args: &InspectArgs) -> Result<Option<Query>, Failure> {
    match (&args.run, &args.task) {
        (Some(_), Some(_)) => Err(Failure::usage("give --run or --task, not both")),
        (Some(run), None) => Ok(Some(Query::Run(id(run, "--run")?))),
        (None, Some(task)) => Ok(Some(Query::Task(id(task, "--task")?))),
        (None, None) => Ok(None),
    }
}

fn id<T: std::str::FromStr>(text: &str, option: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|_| Failure::usage(format!("{option} {text}: expected a UUID")))
}

fn place_json(place: &PlaceRow) -> Value {
    json!({
        "tenant_id": place.tenant.to_string(), "queue": &*place.queue, "kind": &*place.kind,
        "runs_by_state": counts_json(&place.counts),
    })
}

fn counts_json(counts: &[u64; 9]) -> Value {
    let named = RunState::ALL.iter().zip(counts);
    named
        .map(|(state, count)| (state.name().to_owned(), json!(count)))
        .collect()
}

fn show_state(seen: &Inspection, verified: &Result<(), String>, screen: Screen) {
    let (stats, places) = (seen.stats(), seen.places());
    if screen.is_json() {
        screen.json(&json!({
            "sequence": seen.sequence(), "at": instant(seen.at().0), "log_id": seen.log_id,
            "base": seen.base, "base_sequence": seen.base_sequence, "ends_command": seen.is_whole,
            "total_tasks": stats.tasks_total, "total_runs": stats.runs_total, "attempts_total": stats.attempts_total,
            "runs_by_state": counts_json(&stats.runs_by_state), "paused": stats.paused,
            "places": places.iter().map(place_json).collect::<Vec<_>>(),
            "digest": seen.digest().to_string(), "verified": verified.is_ok(), "contradiction": verified.as_ref().err(),
        }));
        return;
    }
    let mut pairs = vec![
        ("sequence", seen.sequence().to_string()),
        ("at", instant(seen.at().0)),
        ("log", seen.log_id.clone()),
        ("replayed from", seen.base.clone()),
        ("tasks", stats.tasks_total.to_string()),
        ("runs", stats.runs_total.to_string()),
    ];
    for (state, count) in RunState::ALL.iter().zip(stats.runs_by_state) {
        pairs.push((state.name(), count.to_string()));
    }
    pairs.push(("paused", stats.paused.to_string()));
    pairs.push(("digest", seen.digest().to_string()));
    pairs.push(("state", judgement(seen, verified)));
    screen.pairs(&pairs);
    show_places(&places, screen);
}

fn judgement(seen: &Inspection, verified: &Result<(), String>) -> String {
    match (verified, seen.is_whole) {
        (Ok(()), _) => "agrees with itself".to_owned(),
        (Err(reason), true) => format!("CONTRADICTS ITSELF: {reason}"),
        (Err(_), false) => "in the middle of a command".to_owned(),
    }
}

fn show_places(places: &[PlaceRow], screen: Screen) {
    if places.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = places
        .iter()
        .take(PLACES_SHOWN)
        .map(|place| {
            let live: u64 = place.counts[..6].iter().sum();
            let mut row = vec![place.queue.to_string(), place.kind.to_string()];
            row.push(live.to_string());
            row.extend(place.counts[6..].iter().map(u64::to_string));
            row
        })
        .collect();
    screen.line("");
    screen.table(
        &["queue", "kind", "live", "completed", "failed", "canceled"],
        &rows,
    );
    if places.len() > PLACES_SHOWN {
        let more = places.len() - PLACES_SHOWN;
        screen.line(&format!("and {more} more; --json shows all"));
    }
}

fn show_answer(seen: &Inspection, answer: &Answer, screen: Screen) -> Result<(), Failure> {
    let value = match answer {
        Answer::Run(run) => run_json(run),
        Answer::Task(task) => task_json(task),
        _ => {
            let text = format!("there was no such thing at event {}", seen.sequence());
            return Err(Failure::new(Code::Failed, "not_found", text));
        }
    };
    if screen.is_json() {
        screen.json(
            &json!({"sequence": seen.sequence(), "at": instant(seen.at().0), "found": value}),
        );
        return Ok(());
    }
    screen.line(&format!(
        "as of event {}, {}",
        seen.sequence(),
        instant(seen.at().0)
    ));
    show_value(&value, screen);
    Ok(())
}

/// Scalars first, one a line, then lists as tables.
fn show_value(value: &Value, screen: Screen) {
    let Some(fields) = value.as_object() else {
        return;
    };
    let is_rows = |value: &Value| {
        value
            .as_array()
            .is_some_and(|rows| rows.first().is_some_and(Value::is_object))
    };
    let scalars: Vec<(&str, String)> = fields
        .iter()
        .filter(|(_, value)| !value.is_null() && !is_rows(value))
        .map(|(name, value)| (name.as_str(), text_of(value)))
        .collect();
    screen.pairs(&scalars);
    for (name, rows) in fields.iter().filter(|(_, value)| is_rows(value)) {
        let rows: Vec<&Value> = rows.as_array().into_iter().flatten().collect();
        let names: Vec<&str> = rows
            .first()
            .and_then(|row| row.as_object())
            .map(|row| row.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| names.iter().map(|name| text_of(&row[*name])).collect())
            .collect();
        screen.line(&format!("\n{}", name.replace('_', " ")));
        screen.table(&names, &cells);
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
