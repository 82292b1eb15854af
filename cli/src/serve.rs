//! `serve`: engine and API in one process, from the lock on the directory to an orderly end.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use mainstay::store::Keep;
use mainstay::{Engine, EngineOptions, Handle, OpenError, Recovered, Status};
use mainstay_log::OpenError as LogError;
use mainstay_server::{AdminKey, Config, Server, Tls, WebhookRules};
use rustix::process::{Resource, Signal as Unix, getrlimit, setrlimit};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::args::{Global, ServeArgs};
use crate::config::Settings;
use crate::connection;
use crate::exit::{Code, Failure};
use crate::journal;
use crate::recovering;
use crate::screen::Screen;

/// How often to look whether the engine has stopped: an idle server wakes up no more than that.
const STOPPED_LOOK: Duration = Duration::from_secs(1);

/// Serves until a signal or a storage fault ends it.
pub(crate) fn serve(global: &Global, args: &ServeArgs, screen: Screen) -> Result<Code, Failure> {
    let directory = connection::data_dir(global);
    let settings = Settings::read(args.config.as_deref(), &args.storage)?;
    journal::begin(&args.log)?;
    let config = Config {
        issuers: settings.issuers.clone(),
        otel: settings
            .otel
            .clone()
            .map(|otel| otel.cursor(directory.join("traces.cursor"))),
        webhooks: WebhookRules {
            directory: Some(directory.clone()),
            ..settings.webhooks.clone()
        },
        outgoing: Some(directory.join("store").join("outgoing")),
        listen: listen_address(args)?,
        tls: certificate(args)?,
        open_metrics: args.open_metrics,
        drain_time_max: Duration::from_millis(args.drain_ms),
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::CannotCreate, "no_runtime", error.to_string()))?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    raise_descriptor_limit();
    let engine = open(&directory, &settings)?;
    let (key, is_new) = AdminKey::open_or_create(&directory).map_err(|error| {
        let message = format!("{}: {error}", directory.join("admin.key").display());
        Failure::new(Code::CannotCreate, "key_file", message)
    })?;
    let drain = config.drain_time_max;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let shown_key = is_new.then(|| key.reveal().to_owned());
    let fault = runtime.block_on(async {
        let listen = config.listen;
        let bound = Server::bind(config, engine.handle(), key)
            .and_then(|server| Ok((server.local_addr()?, server)));
        let (address, server) = bound.map_err(|error| {
            let message = format!("cannot listen on {listen}: {error}");
            Failure::new(Code::CannotCreate, "cannot_listen", message)
        })?;
        let key = shown_key.as_deref();
        log_start(engine.recovered(), address);
        let url = format!("{scheme}://{address}");
        tell_ready(screen, &directory, engine.recovered(), &url, key);
        if let Status::ReadOnly { cause } = engine.handle().status() {
            tracing::error!(target: "mainstay", "reading only, until there is room on the disk: {cause}");
        }
        Ok::<_, Failure>(until_ended(&engine, server, &mut signals).await)
    })?;
    if let Some(cause) = fault {
        let message = format!("the engine has stopped: {cause}");
        return Err(Failure::new(Code::Storage, "storage_fault", message));
    }
    // The runtime stays until the end: it listens for the second signal.
    let closed = engine.shutdown(drain.max(Duration::from_secs(1)));
    closed.map_err(|error| Failure::new(Code::Storage, "storage_fault", error.to_string()))?;
    tracing::info!(target: "mainstay", "stopped");
    Ok(Code::Done)
}

/// What a start found, for whoever reads the log later.
fn log_start(recovered: &Recovered, address: SocketAddr) {
    for note in &recovered.notes {
        tracing::warn!(target: "mainstay", note, "found at start");
    }
    if let Some(cut) = &recovered.cut {
        let (bytes, kept_in) = (cut.bytes, cut.quarantine.to_string());
        tracing::warn!(target: "mainstay", bytes, kept_in, "cut what was never acknowledged");
    }
    tracing::info!(
        target: "mainstay",
        version = env!("CARGO_PKG_VERSION"),
        %address,
        fresh = recovered.fresh,
        sequence = recovered.sequence,
        recovery_ms = recovered.ms,
        rebuilt_from = recovered.rebuilt_from,
        "serving"
    );
}

/// Each connection takes a descriptor, and the usual soft limit is far below what the server takes on.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused the server still works, with fewer connections.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Serves until the end; the cause when it was a storage fault.
async fn until_ended(engine: &Engine, server: Server, signals: &mut Signals) -> Option<String> {
    let handle = engine.handle();
    let mut cause = None;
    let shutdown = async {
        tokio::select! {
            _ = signals.next() => {
                tracing::info!(target: "mainstay", "draining");
                end_on_next_signal();
                handle.drain();
            }
            Ok(stopped) = stopped(handle.clone()) => cause = Some(stopped),
        }
    };
    // What waits is answered by the engine; the server only has to get the answers out.
    server.run(shutdown).await;
    cause
}

/// The cause, once the engine has stopped by itself. A plain thread looks: a timer of the runtime would wake three threads each time.
fn stopped(handle: Handle) -> oneshot::Receiver<String> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        while !sender.is_closed() {
            if let Status::Stopped { cause } = handle.status() {
                // Nobody waits any more when the process ends in order meanwhile.
                let _ = sender.send(cause);
                return;
            }
            // The engine answers its waiters by itself at once; only the end of the process waits for this look.
            std::thread::sleep(STOPPED_LOOK);
        }
    });
    receiver
}

/// SIGTERM and SIGINT: the first drains, the second ends the process at once.
struct Signals {
    term: Signal,
    int: Signal,
    /// Never read: that somebody listens makes a write beyond the file size limit an error like any other, not an abort.
    _file_size: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error: std::io::Error| {
                Failure::new(Code::CannotCreate, "no_signals", error.to_string())
            })
        };
        Ok(Signals {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
            _file_size: listen(SignalKind::from_raw(Unix::XFSZ.as_raw()))?,
        })
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.term.recv() => SignalKind::terminate(),
            _ = self.int.recv() => SignalKind::interrupt(),
        }
    }
}

/// A second signal ends the process at once; nothing that was acknowledged is lost by that.
fn end_on_next_signal() {
    if let Ok(mut signals) = Signals::listen() {
        tokio::spawn(async move {
            let kind = signals.next().await;
            std::process::exit(128 + kind.as_raw_value());
        });
    }
}

fn tell_ready(
    screen: Screen,
    directory: &Path,
    recovered: &Recovered,
    url: &str,
    key: Option<&str>,
) {
    let key_file = directory.join("admin.key");
    if screen.is_json() {
        screen.json(&json!({
            "data_dir": directory, "sequence": recovered.sequence, "recovery_ms": recovered.ms, "url": url,
            "key_file": key_file, "rebuilt_from": recovered.rebuilt_from, "notes": recovered.notes,
        }));
        return;
    }
    let recovery = if recovered.fresh {
        "a new log".to_owned()
    } else {
        format!("sequence {} in {} ms", recovered.sequence, recovered.ms)
    };
    screen.line(&format!("data directory: {}", directory.display()));
    screen.line(&format!("recovered: {recovery}"));
    match recovered.rebuilt_from {
        Some(0) if !recovered.fresh => {
            screen.line("rebuilt: the store, from the whole log");
        }
        Some(from) if from > 0 => {
            screen.line(&format!(
                "rebuilt: the store, from a snapshot at event {from} and the log"
            ));
        }
        _ => {}
    }
    for note in &recovered.notes {
        screen.line(&format!("note: {note}"));
    }
    if let Some(cut) = &recovered.cut {
        screen.line(&format!(
            "cut: {} bytes that were never acknowledged, kept in {}",
            cut.bytes, cut.quarantine
        ));
    }
    screen.line(&format!("API: {url}"));
    match key {
        Some(key) => screen.line(&format!(
            "key: {key} (shown once; stored in {})",
            key_file.display()
        )),
        None => screen.line(&format!("key: in {}", key_file.display())),
    };
}

/// Where to listen; other than loopback only on the operator's word.
fn listen_address(args: &ServeArgs) -> Result<SocketAddr, Failure> {
    let refuse = |name, message: String| Err(Failure::new(Code::NotUnderstood, name, message));
    let mut addresses = match args.listen.to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            return refuse(
                "listen",
                format!("--listen {}: {error}; expected HOST:PORT", args.listen),
            );
        }
    };
    let Some(address) = addresses.next() else {
        return refuse(
            "listen",
            format!("--listen {}: no such address", args.listen),
        );
    };
    if !address.ip().is_loopback() && !args.insecure_plaintext && args.tls_cert.is_none() {
        let message = format!(
            "--listen {}: keys and payloads would cross the network unencrypted; \
             give --tls-cert and --tls-key, or say --insecure-plaintext",
            args.listen
        );
        return refuse("plaintext_refused", message);
    }
    Ok(address)
}

/// The certificate, when connections are to be encrypted.
fn certificate(args: &ServeArgs) -> Result<Option<Tls>, Failure> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::open(certificate, key);
    tls.map(Some)
        .map_err(|error| Failure::new(Code::NotUnderstood, "tls", error.to_string()))
}

/// The engine's options, with its defaults where nothing is set.
fn options(settings: &Settings) -> EngineOptions {
    let defaults = mainstay::Settings::default();
    let mut retention = defaults.retention;
    if let Some(age_ms) = settings.history_keep_ms {
        retention.default = Keep { age_ms };
    }
    if let Some(age_ms) = settings.audit_keep_ms {
        retention.audit = Keep { age_ms };
    }
    if let Some(bytes) = settings.history_max_bytes {
        retention.bytes_max = bytes;
    }
    let queues = settings.history_queues_ms.iter();
    retention
        .queues
        .extend(queues.map(|(queue, age_ms)| (queue.as_str().into(), Keep { age_ms: *age_ms })));
    let mut options = Engine::options()
        .log_retain(
            settings
                .log_retain_bytes
                .unwrap_or(defaults.log_retain_bytes),
            settings.log_retain_age_ms.unwrap_or(defaults.log_retain_ms),
        )
        .history(retention)
        .unsearched(
            settings
                .search_off
                .iter()
                .map(|queue| queue.as_str().into())
                .collect(),
        )
        .payload_cache_bytes(
            settings
                .payload_cache_bytes
                .unwrap_or(defaults.payload_cache_bytes),
        )
        .low_water_bytes(settings.low_water_bytes.unwrap_or(defaults.low_water_bytes));
    if let Some(bytes) = settings.segment_bytes {
        options = options.segment_bytes(bytes);
    }
    options
}

/// Opens the engine. Who has just won the race for the directory may not have written its name yet: it is asked for again.
fn open(directory: &Path, settings: &Settings) -> Result<Engine, Failure> {
    let mut tries = 0;
    loop {
        let mut tell = recovering::teller();
        match options(settings).open_telling(directory, &mut tell) {
            Ok(engine) => return Ok(engine),
            Err(OpenError::Log(LogError::Held { holder }))
                if tries < 100 && !holder.contains(char::is_numeric) =>
            {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(refused(directory, &error)),
        }
    }
}

/// Why a data directory did not open, as an end of the program.
pub(crate) fn refused(directory: &Path, error: &OpenError) -> Failure {
    let (code, name) = match error {
        OpenError::Directory { .. } | OpenError::System { .. } => {
            (Code::CannotCreate, "cannot_create")
        }
        OpenError::Log(error) => match error {
            LogError::Held { .. } => (Code::Held, "held"),
            LogError::Format { .. } | LogError::Option { .. } => (Code::NotUnderstood, "format"),
            LogError::Damage { .. }
            | LogError::Missing { .. }
            | LogError::Refused { .. }
            | LogError::Declined { .. }
            | LogError::Trimmed { .. }
            | LogError::Occupied { .. } => (Code::Failed, "damage"),
            LogError::Io { .. } => (Code::Storage, "storage_fault"),
        },
    };
    let mut failure = Failure::new(code, name, format!("{}: {error}", directory.display()));
    if let OpenError::Log(LogError::Held { holder }) = error {
        failure.details = json!({"holder": holder});
    }
    failure
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn address(words: &[&str]) -> Result<SocketAddr, Failure> {
        let cli = Cli::try_parse_from([&["mainstay", "serve"], words].concat()).expect("parses");
        let Command::Serve(args) = cli.command else {
            panic!("not a serve")
        };
        listen_address(&args)
    }

    #[test]
    fn an_unencrypted_listener_on_the_network_needs_the_operators_word() {
        assert!(address(&[]).is_ok());
        assert!(address(&["--listen", "[::1]:0"]).is_ok());
        let failure = address(&["--listen", "0.0.0.0:7420"]).expect_err("refused");
        assert_eq!(failure.code as u8, 78);
        assert!(failure.message.contains("--insecure-plaintext"));
        assert!(address(&["--listen", "0.0.0.0:7420", "--insecure-plaintext"]).is_ok());
    }

    #[test]
    fn with_a_certificate_any_address_will_do() {
        let words = [
            "--listen",
            "0.0.0.0:7420",
            "--tls-cert",
            "a",
            "--tls-key",
            "b",
        ];
        assert!(address(&words).is_ok());
        for words in [
            &["--tls-cert", "a"][..],
            &["--tls-key", "b"],
            &["--tls-cert", "a", "--tls-key", "b", "--insecure-plaintext"],
        ] {
            let words = [&["mainstay", "serve"], words].concat();
            assert!(Cli::try_parse_from(words).is_err());
        }
    }
}
