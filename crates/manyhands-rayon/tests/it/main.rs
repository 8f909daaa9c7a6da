//! What this variant promises beyond the laws.

mod end;
mod par_map;
mod pool;
mod start;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long any single step may take before it counts as hung. Steps take
/// milliseconds; the rest is for a machine under load.
const WATCHDOG: Duration = Duration::from_secs(20);

/// Runs a test's body on a thread of its own, and fails if it hangs.
#[track_caller]
fn within_time<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (done, wait) = mpsc::channel();
    let runs = thread::spawn(move || {
        let result = body();
        done.send(()).ok();
        result
    });
    if wait.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("hung for {WATCHDOG:?}");
    }
    runs.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}
