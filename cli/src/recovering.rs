//! Tells people how far a long recovery is, now and then.

use std::time::{Duration, Instant};

use mainstay::Progress;

/// The first word after so long, and as long between two.
const EVERY: Duration = Duration::from_secs(2);

/// A listener that writes a line now and then; nothing when recovery is quick.
pub(crate) fn teller() -> impl FnMut(Progress) {
    let mut told = Instant::now();
    move |progress| {
        if told.elapsed() >= EVERY {
            told = Instant::now();
            tracing::info!(target: "mainstay", "recovering: {}", sentence(&progress));
        }
    }
}

fn sentence(progress: &Progress) -> String {
    let Progress { what, done, total } = progress;
    match total {
        0 => format!("{what}: {done}"),
        _ => format!("{what}: {done} of {total}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, sentence};

    #[test]
    fn progress_names_the_whole_where_it_is_known() {
        let of = |total| {
            sentence(&Progress {
                what: "reading".into(),
                done: 3,
                total,
            })
        };
        assert_eq!(of(0), "reading: 3");
        assert_eq!(of(9), "reading: 3 of 9");
    }
}
