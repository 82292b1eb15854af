//! Bugs of checkpoints: what an image should hold is left out of it.

use mainstay::{Cut, Meddler, RowKind};

/// What images leave out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// A field of tasks, by its number.
    Tasks(u64),
    /// A field of runs.
    Runs(u64),
    /// A field of queues and tenants.
    Objects(u64),
}

impl Left {
    /// What binds a task to others.
    pub(crate) const BONDS: Left = Left::Tasks(19);
    /// Where a schedule is.
    pub(crate) const SCHEDULES: Left = Left::Tasks(18);
    /// What a task may spend, and what it spent.
    pub(crate) const BUDGETS: Left = Left::Tasks(20);
    /// What a task waits to hear of.
    pub(crate) const SUBSCRIPTIONS: Left = Left::Tasks(21);
    /// What will release a suspended run.
    pub(crate) const HOLDS: Left = Left::Runs(26);
    /// When the next start of a queue's rate is due.
    pub(crate) const RATES: Left = Left::Objects(9);
}

impl Meddler for Left {
    fn cut(&mut self, mut cut: Cut) -> Cut {
        let mut images = Vec::with_capacity(cut.images.len());
        for row in &mut cut.rows {
            let image = &cut.images[row.range.clone()];
            let from = images.len();
            match (*self, row.kind) {
                (Left::Tasks(field), RowKind::Task) | (Left::Runs(field), RowKind::Run) => {
                    images.extend(without(image, field));
                }
                _ => images.extend_from_slice(image),
            }
            row.range = from..images.len();
        }
        cut.images = images;
        if let Left::Objects(field) = *self {
            for object in &mut cut.objects {
                object.image = without(&object.image, field);
            }
        }
        cut
    }
}

/// The fields of a record but this one. An image is tagged fields: numbers, and bytes with their length.
fn without(image: &[u8], field: u64) -> Vec<u8> {
    let (mut rest, mut kept) = (image, Vec::with_capacity(image.len()));
    while !rest.is_empty() {
        let whole = rest;
        let head = varint(&mut rest);
        let value = varint(&mut rest);
        if head & 7 == 2 {
            rest = rest.get(value as usize..).unwrap_or_default();
        }
        if head >> 3 != field {
            kept.extend_from_slice(&whole[..whole.len() - rest.len()]);
        }
    }
    kept
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in 0..10 {
        let Some((byte, after)) = rest.split_first() else {
            break;
        };
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * shift);
        if *byte < 0x80 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn one_field_is_left_out_and_the_others_stay() {
        let image = [8, 1, 18, 2, b'a', b'b', 24, 0x96, 1, 18, 0];
        assert_eq!(without(&image, 2), [8, 1, 24, 0x96, 1]);
        assert_eq!(without(&image, 3), [8, 1, 18, 2, b'a', b'b', 18, 0]);
        assert_eq!(without(&image, 9), image);
    }
}
