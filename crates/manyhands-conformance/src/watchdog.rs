//! For tests that wait: an end to the waiting.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs a test's body on a thread of its own, and fails if it has not come to
/// its end within ten seconds: a hang becomes a failure with a name.
///
/// Bodies take milliseconds; the rest is for a machine under load. The thread
/// that hangs is left behind.
///
/// ```
/// use manyhands_conformance::watchdog;
///
/// let sum = watchdog(|| (1..=4).sum::<u32>());
/// assert_eq!(sum, 10);
/// ```
///
/// # Panics
///
/// When the time is up, and when the body panics.
pub fn watchdog<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    const PATIENCE: Duration = Duration::from_secs(10);
    let (done, wait) = channel();
    let thread = thread::spawn(move || {
        // Whether anybody still waits makes no difference here.
        let _ = done.send(body());
    });
    match wait.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => {
            panic!("still waiting after {PATIENCE:?}");
        }
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => resume_unwind(payload),
            Ok(()) => unreachable!("the body's value was not sent"),
        },
    }
}
