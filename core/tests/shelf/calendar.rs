//! A calendar for stories: `every:N` has an instant whenever recorded time is a multiple of N milliseconds. It answers what an engine would.

use mainstay_core::{Ask, Instants, Timestamp, Unfit, limits};

/// The interval that an expression stands for.
fn interval(ask: &Ask) -> Result<u64, Unfit> {
    let named = ask.cron.expression.strip_prefix("every:");
    let ms = named.and_then(|ms| ms.parse::<u64>().ok());
    ms.filter(|ms| *ms > 0).ok_or(Unfit {
        field: "run_policy.expression",
        message: "is no calendar of a story".into(),
    })
}

/// The answer to a question about such a calendar.
pub(crate) fn answer(ask: &Ask) -> Result<Instants, Unfit> {
    let every = interval(ask)?;
    let after = ask.after.0 / every;
    let end = ask.cron.end_at.map_or(u64::MAX, |end| end.0 / every);
    let last = end.min(after.saturating_add(ask.most));
    let through = (ask.through.0 / every).min(last).max(after);
    let instant = |k: u64| Timestamp(k * every);
    let passed = through - after;
    let is_fresh = |k: &u64| instant(*k) >= ask.fresh_from;
    let mut named: Vec<u64> = (after + 1..=through)
        .rev()
        .take_while(is_fresh)
        .take(limits::CATCH_UP_MAX as usize)
        .collect();
    let fresh = named.last().map_or(through, |first| first - 1);
    let missed = (after + 1..=fresh).rev().take(ask.missed_max as usize);
    named.extend(missed);
    named.reverse();
    Ok(Instants {
        passed,
        first: (passed > 0).then(|| instant(after + 1)),
        recent: named.into_iter().map(instant).collect(),
        coming: (through < last).then(|| instant(through + 1)),
    })
}
