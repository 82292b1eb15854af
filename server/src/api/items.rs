//! Items of a batch on their way through the engine: what failed at the edge keeps its place beside what was called.

use mainstay::Durability;
use mainstay_core::{Call, Outcome};

use crate::edge::{Exchange, Failure};

/// One item, in its place.
pub(crate) enum Item<T> {
    /// It went to the engine; `T` is what its result needs to be written.
    Called(T),
    /// It failed at the edge.
    Failed(T, Failure),
}

/// Items and their calls, in order.
pub(crate) struct Items<T> {
    pub(crate) items: Vec<Item<T>>,
    pub(crate) calls: Vec<Call>,
    pub(crate) durability: Durability,
}

/// Where a batch stands in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    pub(crate) sequence: u64,
    /// False when every item asked not to wait for the disk.
    pub(crate) durable: bool,
}

impl<T> Items<T> {
    pub(crate) fn with_capacity(count: usize) -> Items<T> {
        Items {
            items: Vec::with_capacity(count),
            calls: Vec::with_capacity(count),
            durability: Durability::Immediate,
        }
    }

    pub(crate) fn call(&mut self, item: T, call: Call) {
        self.items.push(Item::Called(item));
        self.calls.push(call);
    }

    pub(crate) fn fail(&mut self, item: T, failure: Failure) {
        self.items.push(Item::Failed(item, failure));
    }

    /// Calls the engine once, each item by a lease's token or with its parent's, and hands every item its result, in order. Answers where it stands in the log.
    pub(crate) async fn settle(
        self,
        exchange: &Exchange,
        list: &'static str,
        mut write: impl FnMut(T, Result<Outcome, Failure>, bool),
    ) -> Result<Settled, Failure> {
        let placed = exchange.call_many(self.calls, self.durability).await?;
        let durable = placed.durable;
        let mut outcomes = placed.value.into_iter();
        for (index, item) in self.items.into_iter().enumerate() {
            match item {
                Item::Called(item) => {
                    let outcome = outcomes
                        .next()
                        .map(|outcome| outcome.map_err(Failure::from));
                    let result = outcome.unwrap_or_else(|| Err(Failure::internal()));
                    let result = result.map_err(|failure| failure.of_token().within(list, index));
                    write(item, result, durable);
                }
                Item::Failed(item, failure) => write(item, Err(failure), durable),
            }
        }
        Ok(Settled {
            sequence: placed.sequence,
            durable,
        })
    }
}
