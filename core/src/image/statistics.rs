//! Statistics as images, and the way back.
//! Owns: which parts of a series an image holds, and the key it stands under.
//! Never: trusts an image: what could not have been counted is refused.

use alloc::vec::Vec;

use super::cut::ObjectRow;
use super::form::{SeriesForm, SliceForm, TimesForm};
use crate::Text;
use crate::codec::{Malformed, Record};
use crate::limits::is_name;
use crate::state::State;
use crate::statistics::{SLICES, Series, Slice, Times};

/// The key of what is counted of no kind of its own. No kind is called so.
const OTHERS: &str = "*";
/// Bits of a bucket's number.
const NUMBER_BITS: u32 = 13;

/// Appends a series' image: in checkpoints and in digests alike.
pub(crate) fn put_series(series: &Series, out: &mut Vec<u8>) {
    let slices = series.slices.iter().map(|slice| SliceForm {
        number: slice.number,
        times: form(&slice.times),
    });
    let form = SeriesForm {
        tasks_total: series.tasks_total,
        attempts_total: series.attempts_total,
        before: form(&series.before),
        slices: slices.collect(),
    };
    form.put(out);
}

fn form(times: &Times) -> TimesForm {
    let buckets = times.buckets();
    TimesForm {
        results: times.results.to_vec(),
        sum_ms: times.sum_ms,
        max_ms: times.max_ms,
        buckets: buckets
            .map(|(number, count)| count << NUMBER_BITS | number)
            .collect(),
    }
}

/// The key that a series stands under.
pub(crate) fn series_key(state: &State, series: &Series) -> Text {
    let kind = series.kind.map(|kind| state.names.text(kind).clone());
    kind.unwrap_or_else(|| OTHERS.into())
}

/// Adds a series. `fresh` says that the next cut must hold it again.
pub(super) fn load(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let wrong = Malformed("statistics that cannot be");
    let form = SeriesForm::read(&row.image)?;
    let most = state.sequence;
    let is_named = &*row.key == OTHERS || is_name(&row.key);
    let counted = form.tasks_total.max(form.attempts_total);
    if !is_named || counted > most || form.slices.len() as u64 > SLICES {
        return Err(wrong);
    }
    let mut slices = Vec::with_capacity(form.slices.len());
    for slice in &form.slices {
        let last = slices.last().map(|last: &Slice| last.number);
        let times = times(&slice.times, most).filter(|_| last < Some(slice.number));
        slices.push(Slice {
            number: slice.number,
            times: times.ok_or(wrong)?,
        });
    }
    let own = &*row.key != OTHERS;
    let series = Series {
        tenant,
        kind: own.then(|| state.names.intern(&row.key)),
        tasks_total: form.tasks_total,
        attempts_total: form.attempts_total,
        before: times(&form.before, most).ok_or(wrong)?,
        slices: slices.into(),
        ..Series::default()
    };
    let added = state.statistics.restore(series, fresh);
    added
        .then_some(())
        .ok_or(Malformed("an object twice, or one too many"))
}

fn times(form: &TimesForm, most: u64) -> Option<Times> {
    let results = form.results[..].try_into().ok()?;
    let mask = (1 << NUMBER_BITS) - 1;
    let buckets = form.buckets.iter();
    let buckets = buckets.map(|packed| (packed & mask, packed >> NUMBER_BITS));
    Times::restore(results, (form.sum_ms, form.max_ms), buckets, most)
}
