//! What a route is, and how a path finds its own.

use std::future::Future;
use std::pin::Pin;

use hyper::Method;

use super::table::ROUTES;
use crate::auth::Needs;
use crate::edge::{Exchange, Failure, Reply};

/// A route's work: from a checked request to its answer.
pub(crate) type Work = fn(Exchange) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// What a route takes as body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyRule {
    /// Bytes at most.
    pub(crate) limit: usize,
    /// Whether an empty body is none.
    pub(crate) required: bool,
    /// Whether it carries one payload, so that its limit grows with the configured payload bound.
    pub(crate) scales: bool,
    /// Whether NDJSON is taken too.
    pub(crate) lines: bool,
    /// The schema in the OpenAPI document.
    pub(crate) schema: &'static str,
}

/// What a route does to what its path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    fn of(method: &Method) -> Option<Verb> {
        match *method {
            Method::GET | Method::HEAD => Some(Verb::Get),
            Method::POST => Some(Verb::Post),
            Method::PUT => Some(Verb::Put),
            Method::PATCH => Some(Verb::Patch),
            Method::DELETE => Some(Verb::Delete),
            _ => None,
        }
    }
}

/// One route: all that the router, the edge and the OpenAPI document know of it.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) verb: Verb,
    /// Segments in braces take any one segment.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// What it takes to ask. Decided before anything is looked up.
    pub(crate) needs: Needs,
    /// Whether `Mainstay-Tenant: *` has a meaning here.
    pub(crate) all_tenants: bool,
    /// Whether it is a control command, recorded with its request id.
    pub(crate) control: bool,
    /// Whether it takes an `Idempotency-Key`: it creates one thing.
    pub(crate) keyed: bool,
    /// Query parameters.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) body: Option<BodyRule>,
    /// Good statuses and their schemas; an empty schema is plain text.
    pub(crate) answers: &'static [(u16, &'static str)],
    /// Error codes beyond those that any route may give.
    pub(crate) errors: &'static [&'static str],
    pub(crate) work: Work,
}

impl Route {
    pub(crate) const fn get(
        path: &'static str,
        summary: &'static str,
        needs: Needs,
        answers: &'static [(u16, &'static str)],
        work: Work,
    ) -> Route {
        Route {
            verb: Verb::Get,
            path,
            summary,
            needs,
            all_tenants: false,
            control: false,
            keyed: false,
            parameters: &[],
            body: None,
            answers,
            errors: &[],
            work,
        }
    }

    pub(crate) const fn post(
        path: &'static str,
        summary: &'static str,
        needs: Needs,
        body: BodyRule,
        answers: &'static [(u16, &'static str)],
        work: Work,
    ) -> Route {
        Route {
            verb: Verb::Post,
            body: Some(body),
            ..Route::get(path, summary, needs, answers, work)
        }
    }

    /// The same under another verb.
    pub(crate) const fn verb(self, verb: Verb) -> Route {
        Route { verb, ..self }
    }

    pub(crate) const fn errors(self, errors: &'static [&'static str]) -> Route {
        Route { errors, ..self }
    }

    pub(crate) const fn control(self) -> Route {
        Route {
            control: true,
            ..self
        }
    }

    pub(crate) const fn all_tenants(self) -> Route {
        Route {
            all_tenants: true,
            ..self
        }
    }

    pub(crate) const fn keyed(self) -> Route {
        Route {
            keyed: true,
            ..self
        }
    }

    pub(crate) const fn parameters(self, parameters: &'static [&'static str]) -> Route {
        Route { parameters, ..self }
    }

    /// Whether an empty body is refused.
    pub(crate) fn needs_body(&self) -> bool {
        self.body.is_some_and(|body| body.required)
    }

    pub(crate) fn method(&self) -> &'static str {
        self.verb.name()
    }

    /// Whether it may change something.
    pub(crate) fn changes(&self) -> bool {
        self.verb != Verb::Get
    }

    /// Whether it is one change that `If-Sequence` can be asked of.
    pub(crate) fn takes_if_sequence(&self) -> bool {
        self.errors.contains(&"non_monotonic_sequence")
    }

    /// Its place in the table.
    pub(crate) fn index(&self) -> usize {
        ROUTES
            .iter()
            .position(|route| std::ptr::eq(route, self))
            .unwrap_or(ROUTES.len())
    }

    fn is_fixed(&self) -> bool {
        !self.path.contains('{')
    }
}

/// What a path leads to.
pub(crate) enum Found {
    /// A route, and what stood in its braces, in order.
    Route(&'static Route, Vec<String>),
    /// Only routes of other methods: the value of `Allow`.
    OtherMethod(String),
    /// Nothing.
    Nothing,
}

/// Finds the route of a path. A fixed path shadows those with braces, whatever the method.
pub(crate) fn find_route(method: &Method, path: &str) -> Found {
    let verb = Verb::of(method);
    let mut allow: Vec<&'static str> = Vec::new();
    let fixed = ROUTES
        .iter()
        .any(|route| route.is_fixed() && route.path == path);
    for route in ROUTES.iter().filter(|route| route.is_fixed() == fixed) {
        let Some(targets) = matches(route.path, path) else {
            continue;
        };
        if verb == Some(route.verb) {
            return Found::Route(route, targets);
        }
        allow.push(route.method());
        if route.verb == Verb::Get {
            allow.push("HEAD");
        }
    }
    if allow.is_empty() {
        Found::Nothing
    } else {
        Found::OtherMethod(allow.join(", "))
    }
}

/// What stands in the pattern's braces, if the path is of the pattern.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut targets = Vec::new();
    let mut expected = pattern.split('/');
    let mut actual = path.split('/');
    loop {
        match (expected.next(), actual.next()) {
            (None, None) => return Some(targets),
            (Some(pattern), Some(segment)) if pattern.starts_with('{') => {
                if segment.is_empty() {
                    return None;
                }
                targets.push(segment.to_owned());
            }
            (Some(pattern), Some(segment)) if pattern == segment => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, ROUTES, find_route};
    use hyper::Method;

    fn found(method: Method, path: &str) -> String {
        match find_route(&method, path) {
            Found::Route(route, targets) => format!("{} {}", route.path, targets.join(" ")),
            Found::OtherMethod(allow) => format!("allow {allow}"),
            Found::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn paths_find_their_routes() {
        assert_eq!(found(Method::GET, "/healthz"), "/healthz ");
        assert_eq!(found(Method::HEAD, "/healthz"), "/healthz ");
        assert_eq!(
            found(Method::GET, "/api/v1/runs/x/explain"),
            "/api/v1/runs/{run_id}/explain x"
        );
        assert_eq!(
            found(Method::GET, "/api/v1/tasks/x"),
            "/api/v1/tasks/{task_id} x"
        );
        assert_eq!(
            found(Method::POST, "/api/v1/tasks/x/budgets/token/replenish"),
            "/api/v1/tasks/{task_id}/budgets/{dimension}/replenish x token"
        );
        assert_eq!(found(Method::GET, "/api/v1/tasks/batch"), "allow POST");
        assert_eq!(found(Method::DELETE, "/api/v1/engine"), "allow GET, HEAD");
        for path in [
            "/",
            "",
            "*",
            "/api/v1/tasks/",
            "/api/v1/runs//explain",
            "/api/v1/runs/a/b/explain",
            "/HEALTHZ",
        ] {
            assert_eq!(found(Method::GET, path), "nothing", "{path}");
        }
    }

    #[test]
    fn every_route_is_found_by_its_own_path_and_knows_its_place() {
        for (index, route) in ROUTES.iter().enumerate() {
            let method: Method = route.method().parse().expect("a method");
            let Found::Route(found, _) = find_route(&method, route.path) else {
                panic!("{}", route.path)
            };
            assert_eq!(
                (found.path, found.verb, found.index()),
                (route.path, route.verb, index)
            );
        }
    }
}
