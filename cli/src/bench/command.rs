//! The command itself: prepares the target, runs the phases, reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::embedded::Embedded;
use super::measure::{Phase, Plan, Report};
use super::{http, probe};
use crate::args::{BenchArgs, BenchMode, Global};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// Leases of one claim at most.
const CLAIM_MAX: u64 = 1000;

/// Measures and reports.
pub(crate) fn bench(global: &Global, args: &BenchArgs, screen: Screen) -> Result<Code, Failure> {
    let plan = Plan {
        mode: args.mode,
        tasks: args.tasks,
        batch: u64::from(args.batch),
        payload_bytes: args.payload_bytes as usize,
        workers: usize::from(args.workers),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::new(Code::Failed, "no_runtime", error.to_string()))?;
    let report = match &args.url {
        Some(url) => runtime.block_on(over_http(global, url, plan, screen))?,
        None => {
            let directory = Directory::make(global.data_dir.as_deref())?;
            let path = directory.path.clone();
            let measuring = runtime.spawn_blocking(move || inside(&path, plan, screen));
            runtime.block_on(async {
                tokio::select! {
                    ended = measuring => {
                        ended.map_err(|error| Failure::new(Code::Failed, "panicked", error.to_string()))?
                    }
                    _ = tokio::signal::ctrl_c() => {
                        // The measuring thread cannot be stopped: the scratch directory goes, then the process.
                        drop(directory);
                        std::process::exit(130);
                    }
                }
            })?
        }
    };
    show(screen, &report);
    Ok(Code::Done)
}

fn inside(directory: &Path, plan: Plan, screen: Screen) -> Result<Report, Failure> {
    let mut report = Report::new("embedded", plan);
    let probed = probe::raw_fdatasync_p50_us(directory);
    report.raw_fdatasync_p50_us = Some(probed.map_err(|error| cannot_create(directory, &error))?);
    let engine = Embedded::open(directory)?;
    let (syncs, bytes) = engine.log();
    let before = probe::memory("VmRSS");
    let phase = Phase::new(
        plan.tasks,
        plan.batch,
        progress(screen, plan.tasks, "submit"),
    );
    let took = engine.submit(plan, &phase)?;
    report.submitted(&phase, took);
    report.rss_bytes_per_queued_run = before.zip(probe::memory("VmRSS")).map(|(before, after)| {
        let payloads = plan.tasks * plan.payload_bytes as u64;
        after.saturating_sub(before).saturating_sub(payloads) / plan.tasks
    });
    if plan.mode == BenchMode::Lifecycle {
        let phase = Phase::new(
            plan.tasks,
            plan.batch.min(CLAIM_MAX),
            progress(screen, plan.tasks, "claim+finish"),
        );
        report.worked(engine.work(plan, &phase)?);
    }
    let (syncs_after, bytes_after) = engine.log();
    (report.syncs, report.log_bytes) = (Some(syncs_after - syncs), Some(bytes_after - bytes));
    report.peak_rss_bytes = probe::memory("VmHWM");
    engine.close()?;
    Ok(report)
}

async fn over_http(
    global: &Global,
    url: &str,
    plan: Plan,
    screen: Screen,
) -> Result<Report, Failure> {
    let client = connection::client_of(global, url, SHORT_PATIENCE)?;
    client.stats().await?;
    let mut report = Report::new("http", plan);
    let phase = Arc::new(Phase::new(
        plan.tasks,
        plan.batch,
        progress(screen, plan.tasks, "submit"),
    ));
    let took = http::submit(&client, plan, &phase).await?;
    report.submitted(&phase, took);
    if plan.mode == BenchMode::Lifecycle {
        let phase = Phase::new(
            plan.tasks,
            plan.batch.min(CLAIM_MAX),
            progress(screen, plan.tasks, "claim+finish"),
        );
        report.worked(http::work(&client, plan, &Arc::new(phase)).await?);
    }
    report.peak_rss_bytes = probe::memory("VmHWM");
    Ok(report)
}

fn progress(screen: Screen, tasks: u64, phase: &'static str) -> ProgressBar {
    if !screen.draws_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg:13} {bar:40} {pos}/{len} {per_sec}");
    ProgressBar::with_draw_target(Some(tasks), ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(phase)
        .with_finish(indicatif::ProgressFinish::AndClear)
}

/// The directory measured on; a scratch directory is removed with everything in it.
struct Directory {
    path: PathBuf,
    is_scratch: bool,
}

impl Directory {
    fn make(named: Option<&Path>) -> Result<Directory, Failure> {
        let directory = match named {
            Some(path) => Directory {
                path: path.to_owned(),
                is_scratch: false,
            },
            None => {
                let path = PathBuf::from(format!("mainstay-bench-{}", std::process::id()));
                Directory {
                    path,
                    is_scratch: true,
                }
            }
        };
        let path = &directory.path;
        std::fs::create_dir_all(path).map_err(|error| cannot_create(path, &error))?;
        let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if !is_empty {
            let message = format!(
                "{} is not empty; a measurement needs a directory of its own",
                path.display()
            );
            // What lies there is not ours to remove.
            let _keep = std::mem::ManuallyDrop::new(directory);
            return Err(Failure::new(
                Code::CannotCreate,
                "directory_not_empty",
                message,
            ));
        }
        Ok(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_scratch {
            // Whatever cannot be removed stays visible under its telling name.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn cannot_create(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::CannotCreate,
        "cannot_create",
        format!("{}: {error}", path.display()),
    )
}

fn show(screen: Screen, report: &Report) {
    if screen.is_json() {
        screen.json(report);
        return;
    }
    let count =
        |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let number =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    screen.pairs(&[
        ("target", report.target.to_owned()),
        ("mode", report.mode.to_owned()),
        (
            "tasks",
            format!(
                "{} of {} bytes, {} a call",
                report.tasks, report.payload_bytes, report.batch
            ),
        ),
        ("submits/s", format!("{:.0}", report.submits_per_s)),
        (
            "claim+finish/s",
            report
                .claim_finish_per_s
                .map_or_else(|| "-".into(), |rate| format!("{rate:.0}")),
        ),
        ("submit call p50", format!("{:.1} us", report.p50_us)),
        ("submit call p99", format!("{:.1} us", report.p99_us)),
        (
            "raw fdatasync p50",
            format!("{} us", number(report.raw_fdatasync_p50_us)),
        ),
        ("syncs", count(report.syncs)),
        ("log bytes", count(report.log_bytes)),
        (
            "rss per queued run",
            format!(
                "{} bytes without payload",
                count(report.rss_bytes_per_queued_run)
            ),
        ),
        (
            "peak rss",
            format!("{} bytes", count(report.peak_rss_bytes)),
        ),
    ]);
}
