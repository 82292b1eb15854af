//! Which trace something belongs to: the W3C `traceparent`, ids that follow from ids of the log, and the share of traces that is kept.

use mainstay_core::{AttemptId, RunId, TaskId, TenantId};

/// Bits of a trace id that say whether it is kept (OpenTelemetry: the 56 lowest are random).
const RANDOM_BITS: u32 = 56;

/// A place in a trace, as a `traceparent` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(super) trace: u128,
    pub(super) span: u64,
    /// Whether whoever came before keeps it.
    pub(super) sampled: bool,
}

impl Context {
    /// Reads a `traceparent`; nothing when it is none. Later versions may have more behind a further dash.
    pub(crate) fn parse(text: &str) -> Option<Context> {
        let bytes = text.as_bytes();
        let version = bytes.get(..2).filter(|two| is_lower_hex(two))?;
        let fits = match (version, bytes.len()) {
            (b"ff", _) => false,
            (b"00", length) => length == 55,
            (_, length) => length == 55 || length > 55 && bytes[55] == b'-',
        };
        if !fits || [2, 35, 52].iter().any(|at| bytes[*at] != b'-') {
            return None;
        }
        let (trace, span, flags) = (&bytes[3..35], &bytes[36..52], &bytes[53..55]);
        if ![trace, span, flags].into_iter().all(is_lower_hex) {
            return None;
        }
        let number = |hex: &[u8]| u128::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok();
        let context = Context {
            trace: number(trace)?,
            span: u64::try_from(number(span)?).ok()?,
            sampled: number(flags)? & 1 == 1,
        };
        (context.trace != 0 && context.span != 0).then_some(context)
    }
}

fn is_lower_hex(bytes: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    bytes.iter().all(fits)
}

/// The share of traces that is kept, by their ids: whoever else decides by the same rule keeps the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sampling {
    /// Traces whose random bits are at least this are kept.
    threshold: u64,
}

impl Sampling {
    /// From 0.0, none, to 1.0, all.
    pub(super) fn of(ratio: f64) -> Sampling {
        let all = (1u64 << RANDOM_BITS) as f64;
        Sampling {
            threshold: ((1.0 - ratio.clamp(0.0, 1.0)) * all) as u64,
        }
    }

    fn keeps(self, trace: u128) -> bool {
        trace as u64 & ((1 << RANDOM_BITS) - 1) >= self.threshold
    }

    /// Whether a trace of our own is kept. Its id counts upwards, so what is drawn is mixed first.
    pub(super) fn keeps_own(self, trace: u128) -> bool {
        self.keeps(derive("mainstay: share of traces", 0, trace).into())
    }

    /// Whether a context's spans are kept: what its caller does not keep would have no parent here.
    pub(super) fn keeps_under(self, context: Context) -> bool {
        context.sampled && self.keeps(context.trace)
    }
}

/// The span of a submit.
pub(super) fn submit_span(tenant: TenantId, task: TaskId) -> u64 {
    derive("mainstay: span of a submit", tenant.0, task.0)
}

/// The span of an attempt: the lower half of its id, so that whoever holds a lease knows the span that its work belongs under.
pub(super) fn attempt_span(run: RunId, number: u32) -> u64 {
    AttemptId::derive(run, number).0 as u64
}

/// The span of a wait for a worker, before an attempt.
pub(super) fn wait_span(run: RunId, number: u32) -> u64 {
    derive(
        "mainstay: span of a wait",
        0,
        AttemptId::derive(run, number).0,
    )
}

/// The trace of a task without a `traceparent`: its id.
pub(super) fn own_trace(id: u128) -> u128 {
    id
}

fn derive(what: &str, of: u128, id: u128) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key(what);
    hasher.update(&of.to_be_bytes());
    hasher.update(&id.to_be_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    // Nil is no id.
    u64::from_be_bytes(first).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Context, Sampling, attempt_span, submit_span, wait_span};
    use mainstay_core::{AttemptId, RunId, TaskId, TenantId};

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_strictly() {
        let read = Context::parse(GOOD).expect("read");
        assert_eq!(read.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((read.span, read.sampled), (0xb7ad_6b71_6920_3331, true));
        let later = format!("01{}-more", &GOOD[2..]);
        assert!(Context::parse(&later).is_some());
        for bad in [
            "",
            "00",
            "tp",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("{GOOD}x"),
            &GOOD.to_uppercase(),
            &GOOD.replace("00-", "ff-"),
            &GOOD.replace("b7ad6b7169203331", "0000000000000000"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace('-', "_"),
            &GOOD.replace("01", "+1"),
            "00-0af7651916cd43dd8448eb211c80319\u{e9}-b7ad6b7169203331-01",
        ] {
            assert_eq!(Context::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_share_keeps_about_that_many_and_a_smaller_share_keeps_a_part_of_them() {
        let ids = (0..20_000u64).map(|at| u128::from(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let (tenth, half) = (Sampling::of(0.1), Sampling::of(0.5));
        let (mut of_tenth, mut of_half) = (0, 0);
        for id in ids {
            assert!(Sampling::of(1.0).keeps(id) && !Sampling::of(0.0).keeps(id));
            assert!(!tenth.keeps(id) || half.keeps(id));
            of_tenth += u32::from(tenth.keeps(id));
            of_half += u32::from(half.keeps(id));
        }
        assert!((1800..2200).contains(&of_tenth), "{of_tenth}");
        assert!((9600..10400).contains(&of_half), "{of_half}");
        let unkept = Context::parse(&GOOD.replace("-01", "-00")).expect("read");
        assert!(!Sampling::of(1.0).keeps_under(unkept));
    }

    #[test]
    fn spans_of_one_thing_are_always_the_same_and_of_others_never() {
        let (run, task) = (RunId(7), TaskId(7));
        let all = [
            submit_span(TenantId::DEFAULT, task),
            submit_span(TenantId(2), task),
            attempt_span(run, 1),
            attempt_span(run, 2),
            wait_span(run, 1),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(*one != 0 && !all[at + 1..].contains(one));
        }
        let text = AttemptId::derive(run, 1).to_string().replace('-', "");
        assert_eq!(format!("{:016x}", attempt_span(run, 1)), text[16..]);
    }
}
