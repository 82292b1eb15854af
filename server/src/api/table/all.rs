//! The one table of routes: the router, the metrics and the OpenAPI document all read it.

use super::{access, actors, attest, bulk, jobs, runs, system, tasks, webhooks};
use crate::api::route::Route;

/// The parts, one per line.
const PARTS: &[&[Route]] = &[
    system::ROUTES,
    tasks::ROUTES,
    runs::ROUTES,
    actors::ROUTES,
    // Access.
    access::ROUTES,
    // Ledgers.
    attest::ROUTES,
    // Operations.
    bulk::ROUTES,
    // Webhooks.
    webhooks::ROUTES,
    // Jobs.
    jobs::ROUTES,
];

const COUNT: usize = count();
static ALL: [Route; COUNT] = joined();

/// Every route.
pub(crate) static ROUTES: &[Route] = &ALL;

const fn count() -> usize {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
}

const fn joined() -> [Route; COUNT] {
    let mut all = [system::ROUTES[0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut from = 0;
        while from < PARTS[part].len() {
            all[at] = PARTS[part][from];
            at += 1;
            from += 1;
        }
        part += 1;
    }
    all
}
