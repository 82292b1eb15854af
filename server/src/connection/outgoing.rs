//! Follows outgoing bytes from answer to answer: it knows when one is out whole, and sees what is no answer of ours.

use std::collections::VecDeque;

use super::link::Outbound;

/// Where in the stream of answers the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before an answer's first byte.
    Start,
    /// In a head; `matched` bytes of the empty line that ends it have been seen.
    Head { interim: bool, matched: u8 },
    /// In a body with this many bytes to go.
    Body(usize),
}

/// How far a walk came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walk {
    pub(super) place: Place,
    pub(super) consumed: usize,
    /// Answers whose last byte was passed.
    pub(super) finished: usize,
}

/// Walks over `bytes` from `place`, through the answers that are due. It stops before a head that no answer stands for:
/// such a head is the protocol's own, made for a request that could not be read.
pub(super) fn walk(place: Place, bytes: &[u8], answers: &VecDeque<Outbound>) -> Walk {
    let mut walk = Walk {
        place,
        consumed: 0,
        finished: 0,
    };
    loop {
        let rest = &bytes[walk.consumed..];
        match walk.place {
            Place::Start => {
                // A protocol head reaches us whole or continues one that began here, so its first bytes are together.
                let interim = rest.starts_with(b"HTTP/1.1 1");
                if rest.is_empty() || !interim && walk.finished >= answers.len() {
                    return walk;
                }
                walk.place = Place::Head {
                    interim,
                    matched: 0,
                };
            }
            Place::Head {
                interim,
                mut matched,
            } => {
                let Some(length) = head_end(rest, &mut matched) else {
                    walk.consumed = bytes.len();
                    walk.place = Place::Head { interim, matched };
                    return walk;
                };
                walk.consumed += length;
                walk.place = match answers.get(walk.finished) {
                    Some(answer) if !interim => Place::Body(answer.length),
                    _ => Place::Start,
                };
                if walk.place == Place::Body(0) {
                    walk.finished += 1;
                    walk.place = Place::Start;
                }
            }
            Place::Body(left) => {
                let taken = left.min(rest.len());
                walk.consumed += taken;
                if taken < left {
                    walk.place = Place::Body(left - taken);
                    return walk;
                }
                walk.finished += 1;
                walk.place = Place::Start;
            }
        }
    }
}

/// The length up to and including the empty line; `matched` carries over when it is not there yet.
fn head_end(bytes: &[u8], matched: &mut u8) -> Option<usize> {
    const END: &[u8; 4] = b"\r\n\r\n";
    for (index, byte) in bytes.iter().enumerate() {
        *matched = match *byte {
            byte if byte == END[usize::from(*matched)] => *matched + 1,
            b'\r' => 1,
            _ => 0,
        };
        if *matched == 4 {
            return Some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Outbound, Place, walk};
    use std::collections::VecDeque;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n";

    fn answers(lengths: &[usize]) -> VecDeque<Outbound> {
        lengths
            .iter()
            .map(|length| Outbound::plain(*length))
            .collect()
    }

    #[test]
    fn answers_are_followed_however_the_socket_cuts_them() {
        let due = answers(&[3, 0, 2]);
        let bytes = [HEAD, b"abc", HEAD, HEAD, b"de"].concat();
        for cut in 0..=bytes.len() {
            let first = walk(Place::Start, &bytes[..cut], &due);
            assert_eq!(first.consumed, cut);
            let rest: VecDeque<Outbound> = answers(&[3, 0, 2][first.finished..]);
            let second = walk(first.place, &bytes[cut..], &rest);
            assert_eq!(
                (first.finished + second.finished, second.place),
                (3, Place::Start),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn an_interim_head_is_passed_and_a_head_of_nobody_is_not() {
        let due = answers(&[1]);
        let bytes = [
            &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
            HEAD,
            b"a",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ]
        .concat();
        let walked = walk(Place::Start, &bytes, &due);
        assert_eq!(walked.consumed, 25 + HEAD.len() + 1);
        assert_eq!(walked.finished, 1);
        assert_eq!(
            walk(
                Place::Start,
                b"HTTP/1.1 431 Too Large\r\n\r\n",
                &answers(&[])
            )
            .consumed,
            0
        );
    }
}
