//! Counters and latencies by model and version, for Prometheus.

use std::time::Duration;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::served::Served;

/// What the server counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    failures: IntCounterVec,
    latency: HistogramVec,
    version: IntGaugeVec,
    in_flight: IntGaugeVec,
}

/// A request that is waiting or being computed, for as long as this lives.
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let of = &["model", "version"];
        let requests = IntCounterVec::new(
            Opts::new("mlinfra_inference_requests_total", "Inference requests."),
            of,
        )?;
        let failures = IntCounterVec::new(
            Opts::new(
                "mlinfra_inference_failures_total",
                "Inference requests that were not answered, by status.",
            ),
            &["model", "version", "status"],
        )?;
        let latency = HistogramVec::new(
            HistogramOpts::new(
                "mlinfra_inference_duration_seconds",
                "Time from a request's body to its answer.",
            )
            .buckets(prometheus::exponential_buckets(0.000_25, 2.0, 16)?),
            of,
        )?;
        let version = IntGaugeVec::new(
            Opts::new(
                "mlinfra_inference_serving",
                "1 for the version that answers.",
            ),
            of,
        )?;
        let in_flight = IntGaugeVec::new(
            Opts::new(
                "mlinfra_inference_in_flight",
                "Requests that are waiting or being computed.",
            ),
            &["model"],
        )?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        registry.register(Box::new(latency.clone()))?;
        registry.register(Box::new(version.clone()))?;
        Ok(Self {
            registry,
            requests,
            failures,
            latency,
            version,
            in_flight,
        })
    }

    /// Counts a request to a model that is served; `failed` is the status of one that was not answered. Names that
    /// clients make up are not counted, because each would take memory for ever.
    pub(crate) fn count(&self, model: &str, version: &str, took: Duration, failed: Option<u16>) {
        self.requests.with_label_values(&[model, version]).inc();
        self.latency
            .with_label_values(&[model, version])
            .observe(took.as_secs_f64());
        if let Some(status) = failed {
            self.failures
                .with_label_values(&[model, version, &status.to_string()])
                .inc();
        }
    }

    /// Counts a request to a model that is served as in flight.
    pub(crate) fn begin(&self, model: &str) -> InFlight {
        let gauge = self.in_flight.with_label_values(&[model]);
        gauge.inc();
        InFlight(gauge)
    }

    /// Everything in Prometheus's text format.
    pub(crate) fn text<'a>(
        &self,
        served: impl Iterator<Item = &'a Served>,
    ) -> prometheus::Result<String> {
        self.version.reset();
        for served in served {
            if let Some(model) = served.current() {
                self.version
                    .with_label_values(&[served.name.as_str(), &model.version])
                    .set(1);
            }
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
