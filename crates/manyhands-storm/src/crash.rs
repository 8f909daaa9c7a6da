//! Places at which a process of the storm's own may be made to die, as
//! manyhands-durable has them: by `CRASH_AT` and `CRASH_AFTER`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Those in a process that submits.
pub(crate) const SUBMITTING: [&str; 2] =
    ["before-enqueue-commit", "after-enqueue-before-ack"];

/// Those in one that works.
pub(crate) const WORKING: [&str; 8] = [
    "after-claim",
    "mid-job",
    "after-effect-before-ack",
    "before-ack",
    "after-ack-before-reply",
    "during-heartbeat",
    "during-nack",
    "during-dead-letter",
];

/// Dies here, if the environment says so.
pub(crate) fn point(name: &str) {
    static WHERE: LazyLock<Option<(String, AtomicU64)>> =
        LazyLock::new(|| {
            let name = std::env::var("CRASH_AT").ok()?;
            let after = std::env::var("CRASH_AFTER").ok();
            let after = after.and_then(|it| it.parse().ok()).unwrap_or(0);
            Some((name, AtomicU64::new(after)))
        });
    let Some((place, left)) = &*WHERE else { return };
    if place == name && left.fetch_sub(1, Ordering::Relaxed) == 0 {
        std::process::abort();
    }
}
