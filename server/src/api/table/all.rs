//! The one table of routes: the router, the metrics and the OpenAPI document all read it.

use super::{runs, system, tasks};
use crate::api::route::Route;

const COUNT: usize = system::ROUTES.len() + tasks::ROUTES.len() + runs::ROUTES.len();
static ALL: [Route; COUNT] = joined([system::ROUTES, tasks::ROUTES, runs::ROUTES]);

/// Every route.
pub(crate) static ROUTES: &[Route] = &ALL;

const fn joined(parts: [&[Route]; 3]) -> [Route; COUNT] {
    let mut all = [system::ROUTES[0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            all[at] = parts[part][from];
            at += 1;
            from += 1;
        }
        part += 1;
    }
    all
}
