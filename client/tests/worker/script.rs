//! A server that does what a script says: one function per worker route, and a memory of everything that was asked.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the script says to a request.
pub(crate) enum Answer {
    /// A status and a body.
    Json(u16, Value),
    /// The connection is closed without a word.
    HangUp,
}

type Route = Arc<dyn Fn(&Value) -> Answer + Send + Sync>;

/// The running server.
pub(crate) struct Script {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Script {
    /// Starts a server that answers claims, heartbeats and finishes so.
    pub(crate) async fn start(
        claim: impl Fn(&Value) -> Answer + Send + Sync + 'static,
        beat: impl Fn(&Value) -> Answer + Send + Sync + 'static,
        finish: impl Fn(&Value) -> Answer + Send + Sync + 'static,
    ) -> Script {
        let routes: [(&str, Route); 3] = [
            ("/api/v1/leases", Arc::new(claim)),
            ("/api/v1/leases/heartbeat", Arc::new(beat)),
            ("/api/v1/leases/finish", Arc::new(finish)),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let memory = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (routes, memory) = (routes.clone(), Arc::clone(&memory));
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, &routes, &memory));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Script { url, asked }
    }

    /// The bodies sent to one route, in order.
    pub(crate) fn bodies(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("a lock");
        asked
            .iter()
            .filter(|(asked, _)| asked == path)
            .map(|(_, body)| body.clone())
            .collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    routes: &[(&str, Route)],
    memory: &Mutex<Vec<(String, Value)>>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let body: Value = serde_json::from_slice(&body)?;
    memory
        .lock()
        .expect("a lock")
        .push((path.clone(), body.clone()));
    let route = routes
        .iter()
        .find(|(name, _)| *name == path)
        .ok_or("no such route")?;
    match (route.1)(&body) {
        Answer::Json(status, body) => {
            let answer = Response::builder()
                .status(status)
                .body(Full::new(Bytes::from(body.to_string())));
            Ok(answer?)
        }
        Answer::HangUp => Err("hung up".into()),
    }
}

/// A granted lease as it is written.
pub(crate) fn grant(run: &str, lease_ms: u64) -> Value {
    json!({
        "run_id": run, "task_id": "t", "attempt_id": "a", "attempt": 1, "token": format!("token-{run}"), "kind": "k",
        "queue": "q", "content_type": "application/json", "expires_at": "2030-01-01T00:00:00.000Z", "lease_ms": lease_ms,
        "metadata": {"tags": [], "priority": 0},
    })
}
