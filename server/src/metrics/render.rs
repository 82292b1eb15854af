//! The whole exposition, from everybody who counts something.

use mainstay_core::{Overview, Workforce};

use super::text::Text;
use super::{engine, process, work};
use crate::edge::Edge;

/// All families; those about work are left out while the engine answers no questions.
pub(crate) fn render(
    edge: &Edge,
    overview: Option<&Overview>,
    workforce: Option<&Workforce>,
) -> String {
    let mut text = Text::new();
    if let Some(overview) = overview {
        work::write(&mut text, overview);
    }
    if let Some(workforce) = workforce {
        work::write_workforce(&mut text, workforce);
    }
    engine::write(&mut text, &edge.handle);
    edge.metrics.write(&mut text);
    for (name, value) in [
        ("mainstay_http_connections", edge.admission.count() as f64),
        ("mainstay_http_body_bytes", edge.bodies.held() as f64),
        ("mainstay_event_followers", edge.feeds.count() as f64),
    ] {
        text.single(name, value);
    }
    edge.post.counts.write(&mut text);
    edge.tracer.counts().write(&mut text);
    text.family("mainstay_build_info");
    text.sample(&[env!("CARGO_PKG_VERSION")], 1.0);
    let uptime = edge.metrics.started.elapsed();
    text.single("mainstay_uptime_seconds", uptime.as_secs_f64());
    text.single("process_start_time_seconds", edge.metrics.started_at);
    process::write(&mut text);
    text.done()
}
