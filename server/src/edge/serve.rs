//! The way of one request: route, key, tenant, parameters, body, the route's work, and the headers every answer carries.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_TYPE, EXPECT,
    HOST, HeaderMap, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use mainstay::store::Scope;
use mainstay_core::{Answer, Principal, Query, TenantId, Text};

use super::body::{self, HeldBody};
use super::exchange::{Addressed, Edge, Exchange, read_tenant};
use super::failure::Failure;
use super::headers::{self, Form};
use super::panic::CatchPanic;
use super::pieces::ReplyBody;
use super::reply::Reply;
use crate::api::{Found, Route, find_route};
use crate::auth::{Caller, unauthorized};
use crate::connection::Link;
use crate::journal::{Noted, Told};

/// Answers one request. Whatever happens, the answer has the envelope and the headers of the contract.
pub(crate) async fn serve(
    edge: Arc<Edge>,
    link: Arc<Link>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let started = Instant::now();
    link.serving();
    let (parts, mut body) = request.into_parts();
    let request_id = headers::request_id(&parts.headers).cloned();
    let minted = request_id.is_none();
    let request_id = request_id.unwrap_or_else(|| {
        HeaderValue::try_from(edge.mint_request_id()).unwrap_or(HeaderValue::from_static("unknown"))
    });
    let head = parts.method == Method::HEAD;
    let chunked = parts.headers.contains_key(TRANSFER_ENCODING);
    let expects = parts.headers.contains_key(EXPECT);
    let found = find_route(&parts.method, parts.uri.path());
    let (route, allow) = match &found {
        Found::Route(route, _) => (Some(*route), None),
        Found::OtherMethod(allow) => (None, Some(allow.clone())),
        Found::Nothing => (None, None),
    };
    let _in_flight = edge.metrics.begin();
    let context = edge.tracer.context(&parts.headers);
    let mut noted = Noted::default();
    let work = work(
        Arc::clone(&edge),
        found,
        parts,
        &mut body,
        &request_id,
        minted,
        link.peer(),
        &mut noted,
    );
    let result = CatchPanic(Box::pin(work))
        .await
        .unwrap_or_else(|| Err(Failure::internal()));
    // An answer that came before the body's end would be lost if the connection were closed over it.
    let mut close = chunked;
    if !body.is_end_stream() {
        let refused = matches!(&result, Err(failure) if failure.close);
        close |= refused || expects || !body::discard(&mut body).await;
    }
    let failure = result.as_ref().err();
    close |= failure.is_some_and(|failure| failure.close);
    let code = failure.map(Failure::code);
    let answer = Answering {
        edge: &edge,
        link: &link,
        request_id: request_id.clone(),
        head,
        close,
        allow,
    };
    let response = answer.respond(result);
    Told {
        route,
        status: response.status().as_u16(),
        code,
        elapsed: started.elapsed(),
        request_id: &request_id,
        noted: &noted,
        peer: link.peer(),
        context,
    }
    .tell(&edge);
    response
}

/// Everything between the request's head and its answer.
async fn work(
    edge: Arc<Edge>,
    found: Found,
    parts: Parts,
    body: &mut Incoming,
    request_id: &HeaderValue,
    minted: bool,
    peer: IpAddr,
    noted: &mut Noted,
) -> Result<Reply, Failure> {
    check_target(&edge, &parts)?;
    let (route, targets) = destination(found)?;
    let caller = authenticate(&edge, route, &parts.headers, peer).await?;
    noted.key = Some(caller.name.clone());
    if !route.needs.is_open(edge.config.open_metrics) {
        caller.check(route.needs)?;
    }
    let headers = &parts.headers;
    let addressed = address(&edge, route, &caller, headers).await?;
    let (tenant, scope) = match addressed {
        Some(Addressed::One(tenant)) => (tenant, Scope::Tenant(tenant)),
        Some(Addressed::All) | None => (TenantId::DEFAULT, Scope::All),
    };
    noted.tenant = Some(tenant).filter(|_| scope != Scope::All || addressed.is_none());
    let parameters = headers::parameters(parts.uri.query(), route.parameters)?;
    let expected_sequence = headers::position(headers, &headers::IF_SEQUENCE)?;
    let wait_for = headers::position(headers, &headers::WAIT_FOR)?;
    let idempotency_key = headers::idempotency_key(headers)?.map(str::to_owned);
    // A promise that nobody keeps must not look kept. A read may be repeated anyway.
    if idempotency_key.is_some() && route.changes() && !route.keyed {
        return Err(Failure::not_supported("Idempotency-Key"));
    }
    let (form, body) = take_body(&edge, route, headers, body).await?;
    // A minted id is worth recording only where people read it: beside control commands.
    let keep_id = !minted || route.control;
    let request_id = request_id.to_str().ok().filter(|_| keep_id).map(Text::from);
    let principal = Principal {
        tenant,
        name: caller.name.clone(),
        request_id,
        may: caller.may,
        actor: caller.actor,
    };
    let exchange = Exchange {
        edge,
        route,
        targets,
        parameters,
        principal,
        caller,
        scope,
        addressed,
        wait_for,
        expected_sequence,
        idempotency_key,
        form,
        following: headers::following(headers)?,
        body,
    };
    let edge = Arc::clone(&exchange.edge);
    let key = exchange.principal.name.clone();
    let reply = exchange.answer().await?;
    if route.changes()
        && reply.acknowledges
        && let Some(sequence) = reply.sequence
    {
        edge.stored.acknowledge(&key, sequence);
    }
    Ok(reply)
}

/// The route, and what stood in its path's braces.
fn destination(found: Found) -> Result<(&'static Route, Vec<String>), Failure> {
    match found {
        Found::Route(route, targets) => Ok((route, targets)),
        Found::OtherMethod(allow) => {
            let message = "this path does not take this method";
            Err(Failure::new("method_not_allowed", message).text("allow", allow))
        }
        Found::Nothing => {
            let message = "there is nothing at this path";
            Err(Failure::new("route_not_found", message))
        }
    }
}

/// Whom the request is about. A tenant's key reaches its own; a system key's request goes to the default tenant unless it names another,
/// and its lists span all.
async fn address(
    edge: &Edge,
    route: &Route,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Option<Addressed>, Failure> {
    if route.needs.is_open(edge.config.open_metrics) {
        // Nobody is told which tenants there are.
        return Ok(None);
    }
    let named = headers::single(headers, &headers::TENANT)?;
    if named == Some("*") && route.all_tenants {
        caller.check_system()?;
        return Ok(Some(Addressed::All));
    }
    let tenant = named.map(read_tenant).transpose()?;
    if let Some(own) = caller.tenant {
        // What is not its own is not there, whether somebody else has it or not.
        return match tenant.filter(|tenant| *tenant != own) {
            Some(other) => Err(Failure::tenant_not_found(other).at(edge.handle.sequence())),
            None => Ok(Some(Addressed::One(own))),
        };
    }
    let Some(tenant) = tenant else {
        return Ok(None);
    };
    if tenant != TenantId::DEFAULT {
        let found = edge.handle.ask(tenant, Query::Budgets).await?;
        if matches!(found.value, Answer::Absent) {
            return Err(Failure::tenant_not_found(tenant).at(found.sequence));
        }
    }
    Ok(Some(Addressed::One(tenant)))
}

/// The body, if the route takes one, and how it is written.
async fn take_body(
    edge: &Edge,
    route: &Route,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<(Form, HeldBody), Failure> {
    let Some(rule) = &route.body else {
        return Ok((Form::Json, HeldBody::empty(&edge.bodies)));
    };
    let declared = headers::body_form(headers, rule.lines)?;
    if declared.is_none() && (rule.required || !body.is_end_stream()) {
        return Err(headers::form_missing(rule.lines));
    }
    let limit = if rule.scales {
        edge.config.scaled(rule.limit)
    } else {
        rule.limit
    };
    let expects = headers.contains_key(EXPECT);
    let held = body::read(body, limit, expects, &edge.config, &edge.bodies).await?;
    Ok((declared.unwrap_or(Form::Json), held))
}

fn check_target(edge: &Edge, parts: &Parts) -> Result<(), Failure> {
    // RFC 9112 §3.2: a request with no Host, or with two, is refused.
    if parts.version == Version::HTTP_11 && parts.headers.get_all(HOST).iter().count() != 1 {
        let message = "an HTTP/1.1 request has exactly one Host";
        return Err(Failure::new("malformed_request", message).closing());
    }
    let limit = edge.config.uri_bytes_max;
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if target <= limit {
        return Ok(());
    }
    Err(
        Failure::new("uri_too_long", "the request's target is too long")
            .number("limit_bytes", limit as u64),
    )
}

/// Who asks; open routes are asked by nobody.
async fn authenticate(
    edge: &Edge,
    route: &Route,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<Caller, Failure> {
    if route.needs.is_open(edge.config.open_metrics) {
        return Ok(Caller::anonymous());
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(unauthorized)?.as_bytes();
    let bearer = value.len() > 7 && value[..7].eq_ignore_ascii_case(b"bearer ");
    if !bearer || values.next().is_some() {
        return Err(unauthorized());
    }
    edge.keyring.find(value[7..].trim_ascii(), peer).await
}

/// Turns a result into the response.
struct Answering<'a> {
    edge: &'a Edge,
    link: &'a Link,
    request_id: HeaderValue,
    head: bool,
    close: bool,
    allow: Option<String>,
}

impl Answering<'_> {
    fn respond(self, result: Result<Reply, Failure>) -> Response<ReplyBody> {
        let (reply, failure) = match result {
            Ok(reply) => (reply, None),
            Err(failure) => {
                let mut reply = Reply::json(failure.body()).status(failure.status());
                reply.sequence = failure.sequence;
                (reply, Some(failure))
            }
        };
        // An answer without a length is the last of its connection: whatever follows on it is of this answer.
        let close = self.close || reply.body.len().is_none();
        let length = if self.head { Some(0) } else { reply.body.len() };
        let length = length.and_then(|length| usize::try_from(length).ok());
        self.link
            .answering(length.unwrap_or(usize::MAX), reply.grants);
        let sequence = reply
            .sequence
            .unwrap_or_else(|| self.edge.handle.sequence());
        let mut response = Response::new(reply.body);
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.reserve(10);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        headers.insert(headers::SEQUENCE, HeaderValue::from(sequence));
        headers.insert(headers::LOG, self.edge.log_id.clone());
        headers.insert(headers::REQUEST_ID, self.request_id);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if reply.stale {
            headers.insert(headers::STALE, HeaderValue::from_static("true"));
        }
        if let Some(filename) = reply.filename {
            let value = format!("attachment; filename=\"{filename}\"");
            headers.extend(
                HeaderValue::try_from(value)
                    .ok()
                    .map(|value| (CONTENT_DISPOSITION, value)),
            );
        }
        if close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(failure) = failure {
            if failure.retry {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            if failure.status() == 401 {
                headers.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"mainstay\""),
                );
            }
            if failure.status() == 405
                && let Some(allow) = self
                    .allow
                    .and_then(|allow| HeaderValue::try_from(allow).ok())
            {
                headers.insert(ALLOW, allow);
            }
        }
        response
    }
}

/// The body of an answer that the server gives without a request that could be read.
pub(crate) fn bare_answer(failure: &Failure, edge: &Edge) -> Bytes {
    let body = failure.body();
    let reason = StatusCode::from_u16(failure.status())
        .ok()
        .and_then(|status| status.canonical_reason());
    let mut out = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nmainstay-sequence: {}\r\n\
         mainstay-log: {}\r\nx-request-id: {}\r\nconnection: close\r\n{}\r\n",
        failure.status(),
        reason.unwrap_or("Error"),
        body.len(),
        edge.handle.sequence(),
        edge.log_id.to_str().unwrap_or(""),
        edge.mint_request_id(),
        if failure.retry { "retry-after: 1\r\n" } else { "" },
    )
    .into_bytes();
    out.extend_from_slice(&body);
    Bytes::from(out)
}
