//! The one table of routes: the router, the metrics and the OpenAPI document all read it.

use super::{actors, runs, system, tasks};
use crate::api::route::Route;

const PARTS: &[&[Route]] = &[system::ROUTES, tasks::ROUTES, runs::ROUTES, actors::ROUTES];
const COUNT: usize = counted(PARTS);
static ALL: [Route; COUNT] = joined(PARTS);

/// Every route.
pub(crate) static ROUTES: &[Route] = &ALL;

const fn counted(parts: &[&[Route]]) -> usize {
    let (mut all, mut part) = (0, 0);
    while part < parts.len() {
        all += parts[part].len();
        part += 1;
    }
    all
}

const fn joined(parts: &[&[Route]]) -> [Route; COUNT] {
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
