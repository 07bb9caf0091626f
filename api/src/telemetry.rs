//! What the process tells its operator: logs, metrics, and traces where a collector is configured.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{self, LogFormat};

/// Ends what telemetry began: spans still waiting are sent when it is dropped.
#[derive(Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = self.traces.take() {
            // The collector may be gone by now; there is nobody left to tell.
            let _ = traces.shutdown();
        }
    }
}

/// Starts logging, and tracing where a collector is configured. Called once, by `main`.
pub fn start(settings: &config::Log) -> Result<Telemetry, Box<dyn std::error::Error>> {
    let filter = filter(&settings.filter)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let traces = if settings.otlp_endpoint.is_empty() {
        None
    } else {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(traces_url(&settings.otlp_endpoint))
            .build()?;
        Some(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(Resource::builder().with_service_name("concord").build())
                .build(),
        )
    };
    let spans =
        traces.as_ref().map(|traces| tracing_opentelemetry::layer().with_tracer(traces.tracer("concord")));
    tracing_subscriber::registry().with(lines).with(spans).with(filter).try_init()?;
    Ok(Telemetry { traces })
}

/// What is logged. The HTTP library calls every malformed request an error of its own, with which strangers could fill the
/// log; it is heard only where the operator names it.
fn filter(setting: &str) -> Result<EnvFilter, Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_new(setting)?;
    Ok(if setting.contains("actix_http") { filter } else { filter.add_directive("actix_http=off".parse()?) })
}

/// Where a collector of this address takes traces: the path is the protocol's, whether or not it was given.
fn traces_url(endpoint: &str) -> String {
    let address = endpoint.trim_end_matches('/').trim_end_matches("/v1/traces");
    format!("{address}/v1/traces")
}

/// How often what histograms were told is summed up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts collecting metrics; nothing where a recorder runs already.
pub fn metrics() -> Option<PrometheusHandle> {
    let handle = PrometheusBuilder::new().install_recorder().ok()?;
    let kept = handle.clone();
    // The library keeps every single value until somebody reads the metrics or it is told to sum them up.
    tokio::spawn(async move {
        let mut next = tokio::time::interval(UPKEEP);
        loop {
            next.tick().await;
            kept.run_upkeep();
        }
    });
    Some(handle)
}
