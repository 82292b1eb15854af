//! A server on a free port, and a client that sends exactly the bytes it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use mainstay::{Engine, EngineOptions};
use mainstay_server::{AdminKey, Config, Ended, Server, WebhookRules};
use serde_json::Value;
use tokio::sync::oneshot;

/// An engine with its server, both ended when this is dropped.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Ended>>,
    directory: Arc<tempfile::TempDir>,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> World {
        World::of(Engine::options(), change)
    }

    pub(crate) fn of(options: EngineOptions, change: impl FnOnce(&mut Config)) -> World {
        let directory = tempfile::tempdir().expect("a temporary directory");
        World::at(Arc::new(directory), options, change)
    }

    /// On a directory that may have had a life before.
    pub(crate) fn at(
        directory: Arc<tempfile::TempDir>,
        options: EngineOptions,
        change: impl FnOnce(&mut Config),
    ) -> World {
        let engine = options.open(directory.path()).expect("the engine opens");
        World::over(engine, directory, change)
    }

    /// The same data directory, opened again by another process.
    pub(crate) fn reopened(mut self, change: impl FnOnce(&mut Config)) -> World {
        self.end();
        let elsewhere = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let idle = Engine::options().open(elsewhere.path()).expect("it opens");
        let engine = std::mem::replace(&mut self.engine, idle);
        engine.shutdown(Duration::from_secs(5)).expect("it ends");
        let directory = std::mem::replace(&mut self.directory, elsewhere);
        let engine = Engine::options().open(directory.path()).expect("it opens");
        World::over(engine, directory, change)
    }

    fn over(
        engine: Engine,
        directory: Arc<tempfile::TempDir>,
        change: impl FnOnce(&mut Config),
    ) -> World {
        let (key, _) = AdminKey::open_or_create(directory.path()).expect("a key");
        let text = key.reveal().to_owned();
        let mut config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            outgoing: Some(directory.path().join("store/outgoing")),
            webhooks: WebhookRules {
                directory: Some(directory.path().to_owned()),
                ..WebhookRules::default()
            },
            ..Config::default()
        };
        change(&mut config);
        let handle = engine.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let server = Server::bind(config, handle, key).expect("the server binds");
                tell.send(server.local_addr().expect("an address"))
                    .expect("the test waits");
                server.run(async { drop(stopped.await) }).await
            })
        });
        let address = told.recv().expect("the server starts");
        World {
            engine,
            address,
            key: text,
            stop: Some(stop),
            thread: Some(thread),
            directory,
        }
    }

    /// The data directory.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Ends the server as an operator would.
    pub(crate) fn end(&mut self) -> Ended {
        drop(self.stop.take());
        self.thread
            .take()
            .expect("ended once")
            .join()
            .expect("the server ends")
    }

    pub(crate) fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        Connection {
            stream,
            buffer: Vec::new(),
        }
    }

    /// One request with the key, on a connection of its own.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut connection = self.connect();
        connection.write(&self.request(method, path, headers, body));
        if method == "HEAD" {
            connection.head()
        } else {
            connection.response()
        }
    }

    /// The bytes of a request with the key.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        self.request_by(&self.key, method, path, headers, body)
    }

    /// The bytes of a request with another key; with none when it is empty.
    pub(crate) fn request_by(
        &self,
        key: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
        if !key.is_empty() {
            text.push_str(&format!("authorization: Bearer {key}\r\n"));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        let mut bytes = format!("{text}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// One request with another key, with a JSON body if it is not empty.
    pub(crate) fn by(&self, key: &str, method: &str, path: &str, body: &str) -> Response {
        let headers: &[_] = if body.is_empty() {
            &[]
        } else {
            &[("content-type", "application/json")]
        };
        let mut connection = self.connect();
        connection.write(&self.request_by(key, method, path, headers, body.as_bytes()));
        connection.response()
    }

    /// Adds a tenant; gives its id.
    pub(crate) fn tenant(&self, name: &str) -> String {
        let made = self.post("/api/v1/tenants", &format!(r#"{{"name":"{name}"}}"#));
        text(&made.expect(201)["tenant_id"])
    }

    /// Makes a key of a tenant, or of none; gives its id and its text.
    pub(crate) fn make_key(&self, tenant: Option<&str>, role: &str) -> (String, String) {
        let tenant = tenant.map_or_else(String::new, |id| format!(r#","tenant_id":"{id}""#));
        let body = format!(r#"{{"name":"test","role":"{role}"{tenant}}}"#);
        let made = self.post("/api/v1/keys", &body).expect(201);
        (text(&made["key_id"]), text(&made["key"]))
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        let headers: &[_] = if body.is_empty() {
            &[]
        } else {
            &[("content-type", "application/json")]
        };
        self.send("POST", path, headers, body.as_bytes())
    }

    /// A request with a JSON body under any method.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Response {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.as_bytes())
    }

    /// Claims with this body and answers the leases.
    pub(crate) fn claim(&self, body: &str) -> Vec<Value> {
        let answer = self.post("/api/v1/leases", body).expect(200);
        answer["leases"].as_array().expect("leases").clone()
    }

    /// Finishes a lease; `rest` begins with a comma or is empty.
    pub(crate) fn finish(&self, lease: &Value, outcome: &str, rest: &str) -> Response {
        let path = format!("/api/v1/runs/{}/finish", text(&lease["run_id"]));
        let token = text(&lease["token"]);
        self.post(
            &path,
            &format!(r#"{{"token":"{token}","outcome":"{outcome}"{rest}}}"#),
        )
    }

    /// Where a task stands.
    pub(crate) fn task(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/tasks/{id}")).expect(200)
    }

    /// The codes of why a run does not run.
    pub(crate) fn reasons(&self, run: &str) -> Vec<String> {
        let explain = self.get(&format!("/api/v1/runs/{run}/explain")).expect(200);
        let reasons = explain["reasons"].as_array().expect("reasons");
        reasons.iter().map(|reason| text(&reason["code"])).collect()
    }

    /// Submits a task of this body and answers (task id, run id).
    pub(crate) fn submit(&self, body: &str) -> (String, String) {
        let answer = self.post("/api/v1/tasks", body).expect(201);
        (
            text(&answer["task"]["id"]),
            text(&answer["runs"][0]["run_id"]),
        )
    }

    /// Claims one run and answers its lease.
    pub(crate) fn claim_one(&self) -> Value {
        let answer = self
            .post("/api/v1/leases", r#"{"worker":"w1"}"#)
            .expect(200);
        assert_eq!(
            answer["leases"].as_array().map(Vec::len),
            Some(1),
            "{answer}"
        );
        answer["leases"][0].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the server panicked"
            );
        }
    }
}

/// A string's text.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is a string"))
        .to_owned()
}

/// A raw connection.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next response, its body by its length.
    pub(crate) fn response(&mut self) -> Response {
        let mut response = self.head();
        let length: usize = response
            .header("content-length")
            .expect("a length")
            .parse()
            .expect("a number");
        while self.buffer.len() < length {
            assert!(self.fill(), "the body ends early");
        }
        response.body = self.buffer.drain(..length).collect();
        response
    }

    /// The next response without a body.
    pub(crate) fn head(&mut self) -> Response {
        loop {
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Response::parse(&String::from_utf8(head).expect("ASCII"));
            }
            assert!(
                self.fill(),
                "the connection ended instead of answering: {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    /// The next chunk of a chunked body; `None` after the last.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            match self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                Some(end) => break end,
                None => assert!(self.fill(), "the body ends early"),
            }
        };
        let size = std::str::from_utf8(&self.buffer[..end]).expect("ASCII");
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        while self.buffer.len() < end + 2 + size + 2 {
            assert!(self.fill(), "the chunk ends early");
        }
        let chunk = self.buffer[end + 2..end + 2 + size].to_vec();
        self.buffer.drain(..end + 2 + size + 2);
        (size > 0).then_some(chunk)
    }

    /// Reads until the server closes; true when it did so in order, without unread bytes.
    pub(crate) fn is_closed(&mut self) -> bool {
        while self.fill() {}
        self.buffer.is_empty()
    }

    /// Whether a chunked body comes to its end, or the connection does.
    pub(crate) fn ends(&mut self) -> bool {
        while self.fill() {
            if self.buffer.ends_with(b"0\r\n\r\n") {
                return true;
            }
        }
        true
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 65536];
        match self.stream.read(&mut chunk) {
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                count > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("reading from the server: {error}"),
        }
    }
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn parse(head: &str) -> Response {
        let mut lines = head.trim_end().split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status line");
        let headers = lines.map(|line| line.split_once(": ").expect("a header"));
        Response {
            status: status.parse().expect("a status"),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a response with this status, which must carry the contract's headers.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            self.text().get(..2000).unwrap_or(self.text())
        );
        self.check_headers();
        self.json()
    }

    /// The details of an error with this status and code, which must have the envelope.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["error"], code, "{body}");
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{body}"
        );
        let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["details", "error", "message"]);
        assert!(body["details"].is_object());
        body["details"].clone()
    }

    #[track_caller]
    pub(crate) fn check_headers(&self) {
        for name in ["mainstay-sequence", "mainstay-log", "x-request-id"] {
            assert!(
                self.header(name).is_some_and(|value| !value.is_empty()),
                "{name} is missing: {self:?}"
            );
        }
        assert!(
            self.header("mainstay-sequence")
                .expect("present")
                .parse::<u64>()
                .is_ok()
        );
    }
}
