//! Waiting on a thread, until a token ends it.

use std::thread;
use std::time::Duration;

use manyhands_core::CancelToken;

/// Blocks for this time, or until the token is cancelled. Returns whether it
/// is.
pub(crate) fn pause(token: Option<&CancelToken>, time: Duration) -> bool {
    match token {
        Some(token) => token.wait_timeout(time),
        None => {
            thread::sleep(time);
            false
        }
    }
}
