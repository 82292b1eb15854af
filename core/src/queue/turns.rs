//! Taking turns: fairness keys of a tenant round by round, tenants and queues by their weights.
//! Owns: whose turn it is among those that have ready work, and at which places.
//! Never: walks over everybody: a turn that has moved on is put in its place when it is met at the front.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::intern::Symbol;

/// What one grant costs a participant of weight 1: a number that all weights divide well enough.
const STRIDE: u64 = 1 << 20;

/// How turns move on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rule {
    /// Who was served, and who comes new, goes to the back.
    #[default]
    Rounds,
    /// Who was served pays by its weight; who comes new joins where the last one served stood: nobody saves turns up.
    Shares,
}

#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    at: u64,
    /// Lanes with work.
    lanes: u32,
}

/// Everybody's turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    rule: Rule,
    clock: u64,
    turns: BTreeMap<u32, Turn>,
}

impl Turns {
    pub(super) fn rounds() -> Turns {
        Turns::default()
    }

    pub(super) fn shares() -> Turns {
        Turns {
            rule: Rule::Shares,
            ..Turns::default()
        }
    }

    /// Whose turn comes at this number; one that is not there comes last.
    pub(super) fn at(&self, who: u32) -> u64 {
        self.turns.get(&who).map_or(u64::MAX, |turn| turn.at)
    }

    /// Everybody's turn, with the number of lanes.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, (u64, u32))> {
        let turns = self.turns.iter();
        turns.map(|(who, turn)| (*who, (turn.at, turn.lanes)))
    }

    /// The last turn given out.
    pub(super) fn clock(&self) -> u64 {
        self.clock
    }

    /// It has one lane more with work.
    pub(super) fn add(&mut self, who: u32) {
        let turn = self.turns.entry(who).or_default();
        turn.lanes += 1;
        if turn.lanes > 1 {
            return;
        }
        match self.rule {
            Rule::Rounds => {
                self.clock += 1;
                turn.at = self.clock;
            }
            Rule::Shares => turn.at = turn.at.max(self.clock),
        }
    }

    /// It has one lane less; true when that was the last one.
    pub(super) fn drop(&mut self, who: u32) -> bool {
        let Some(turn) = self.turns.get_mut(&who) else {
            return false;
        };
        turn.lanes -= 1;
        let gone = turn.lanes == 0;
        if gone && self.rule == Rule::Rounds {
            self.turns.remove(&who);
        }
        gone
    }

    /// It was granted something.
    pub(super) fn served(&mut self, who: u32, weight: u32) {
        let Some(turn) = self.turns.get_mut(&who) else {
            return;
        };
        match self.rule {
            Rule::Rounds => {
                self.clock += 1;
                turn.at = self.clock;
            }
            Rule::Shares => {
                self.clock = self.clock.max(turn.at);
                turn.at += STRIDE / u64::from(weight.max(1));
            }
        }
    }

    /// For `verify`: lanes of each participant that has any.
    pub(super) fn census(&self) -> BTreeMap<u32, u32> {
        let active = self.turns.iter().filter(|(_, turn)| turn.lanes > 0);
        active.map(|(who, turn)| (*who, turn.lanes)).collect()
    }
}

/// Who has work at one place, by turn as far as it was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    order: BTreeSet<(u64, u32)>,
    /// Where each stands in `order`, and its lanes here.
    stands: BTreeMap<u32, Turn>,
}

impl Ring {
    fn add(&mut self, who: u32, at: u64) {
        let stand = self.stands.entry(who).or_insert(Turn { at, lanes: 0 });
        stand.lanes += 1;
        if stand.lanes == 1 {
            self.order.insert((stand.at, who));
        }
    }

    /// True when nobody is left.
    fn drop(&mut self, who: u32) -> bool {
        if let Some(stand) = self.stands.get_mut(&who) {
            stand.lanes -= 1;
            if stand.lanes == 0 {
                self.order.remove(&(stand.at, who));
                self.stands.remove(&who);
            }
        }
        self.stands.is_empty()
    }

    /// The one whose turn comes first, apart from those passed over.
    fn first(&mut self, turns: &Turns, passed: &BTreeSet<u32>) -> Option<(u64, u32)> {
        loop {
            let (at, who) = *self.order.iter().find(|(_, who)| !passed.contains(who))?;
            let now = turns.at(who);
            if now == at {
                return Some((at, who));
            }
            self.order.remove(&(at, who));
            self.order.insert((now, who));
            if let Some(stand) = self.stands.get_mut(&who) {
                stand.at = now;
            }
        }
    }
}

/// A queue with a capability set, and a kind or every kind.
type Place = (Symbol, Option<Symbol>, u32);

/// Turns, and who has work where.
#[derive(Clone, Debug)]
pub(super) struct Rota {
    pub(super) turns: Turns,
    rings: BTreeMap<Place, Ring>,
}

impl Rota {
    pub(super) fn new(turns: Turns) -> Rota {
        Rota {
            turns,
            rings: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, who: u32, queue: Symbol, kind: Symbol, set: u32) {
        self.turns.add(who);
        let at = self.turns.at(who);
        for kind in [None, Some(kind)] {
            let ring = self.rings.entry((queue, kind, set)).or_default();
            ring.add(who, at);
        }
    }

    /// True when that was its last lane.
    pub(super) fn drop(&mut self, who: u32, queue: Symbol, kind: Symbol, set: u32) -> bool {
        for kind in [None, Some(kind)] {
            let place = (queue, kind, set);
            if self
                .rings
                .get_mut(&place)
                .is_some_and(|ring| ring.drop(who))
            {
                self.rings.remove(&place);
            }
        }
        self.turns.drop(who)
    }

    /// Whose turn it is at these places, apart from those passed over.
    pub(super) fn next(
        &mut self,
        queues: &[Symbol],
        kinds: Option<&[Symbol]>,
        sets: &[u32],
        passed: &BTreeSet<u32>,
    ) -> Option<u32> {
        let mut best: Option<(u64, u32)> = None;
        let (turns, rings) = (&self.turns, &mut self.rings);
        let mut look = |place: Place| {
            let first = rings.get_mut(&place)?.first(turns, passed)?;
            if best.is_none_or(|best| first < best) {
                best = Some(first);
            }
            Some(())
        };
        for &queue in queues {
            for &set in sets {
                match kinds {
                    None => {
                        look((queue, None, set));
                    }
                    Some(kinds) => kinds.iter().for_each(|kind| {
                        look((queue, Some(*kind), set));
                    }),
                }
            }
        }
        best.map(|(_, who)| who)
    }

    /// For `verify`: places at which somebody stands, with the lanes there.
    pub(super) fn census(&self) -> BTreeMap<(Symbol, Option<Symbol>, u32, u32), u32> {
        let mut all = BTreeMap::new();
        for ((queue, kind, set), ring) in &self.rings {
            for (who, stand) in &ring.stands {
                all.insert((*queue, *kind, *set, *who), stand.lanes);
            }
        }
        all
    }
}
