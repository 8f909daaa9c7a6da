//! What is told of attempts, under features: nothing, when they are off.

use crate::Attempt;
use crate::store::Verdict;

/// Runs `attempt` in its span, and counts it.
pub(crate) fn attempt(
    kind: &'static str,
    attempt: &Attempt,
    run: impl FnOnce() -> Verdict,
) -> Verdict {
    #[cfg(feature = "tracing")]
    let span = tracing::info_span!(
        "durable_job",
        kind,
        id = attempt.id().get(),
        attempt = attempt.number(),
        trace_parent = attempt.trace_parent(),
    );
    #[cfg(feature = "tracing")]
    let _entered = span.enter();
    #[cfg(feature = "metrics")]
    let began = std::time::Instant::now();
    let verdict = run();
    #[cfg(feature = "metrics")]
    {
        let outcome = match &verdict {
            Verdict::Done { .. } => "done",
            Verdict::Retry { .. } => "retry",
            Verdict::Dead { .. } => "dead",
        };
        metrics::counter!(
            "manyhands_durable_attempts_total",
            "kind" => kind, "outcome" => outcome
        )
        .increment(1);
        metrics::histogram!(
            "manyhands_durable_attempt_seconds", "kind" => kind
        )
        .record(began.elapsed().as_secs_f64());
    }
    #[cfg(feature = "tracing")]
    match &verdict {
        Verdict::Done { .. } => tracing::debug!("done"),
        Verdict::Retry { error, .. } => tracing::warn!(error, "failed"),
        Verdict::Dead { error } => tracing::error!(error, "dead"),
    }
    let _ = (kind, attempt);
    verdict
}

/// Counts `jobs` that were submitted.
pub(crate) fn submitted(kind: &'static str, jobs: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("manyhands_durable_submitted_total", "kind" => kind)
        .increment(jobs as u64);
    let _ = (kind, jobs);
}

/// Counts jobs whose completion was refused, since another worker has them.
pub(crate) fn lost(kind: &'static str, jobs: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("manyhands_durable_lost_leases_total", "kind" => kind)
        .increment(jobs as u64);
    #[cfg(feature = "tracing")]
    if jobs > 0 {
        tracing::warn!(kind, jobs, "lost: another worker has them");
    }
    let _ = (kind, jobs);
}

/// Says that the store did not answer, and that it is asked again.
pub(crate) fn trouble(kind: &'static str, error: &crate::Error) {
    #[cfg(feature = "metrics")]
    metrics::counter!("manyhands_durable_store_errors_total", "kind" => kind)
        .increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(kind, %error, "the store is asked again");
    let _ = (kind, error);
}
