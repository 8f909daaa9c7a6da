//! Exercise 3: who closes what.
//!
//! A channel ends when its last sender is dropped. Two things are made of that
//! rule here.
//!
//! 1. A wait group, of a channel on which nobody ever sends. Each thread that is
//!    to be waited for holds a `Token`, which is a sender. `wait` returns when
//!    the last token is gone: the receiver finds that out.
//! 2. `start`, a pool whose results end. Its workers take numbers from `jobs`,
//!    and send what `work` makes of them. The receiver it returns ends when the
//!    last worker has ended; each worker has a token of the group to its end.
//!
//! Chapter: docs/course/03-who-closes-what.md. Checks: `manyhands learn check
//! 3`.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread;

/// Waits for threads.
pub struct WaitGroup {
    token: Sender<()>,
    ended: Receiver<()>,
}

/// Held by a thread that is waited for.
pub struct Token {
    _sender: Sender<()>,
}

impl WaitGroup {
    /// A group that waits for nobody yet.
    pub fn new() -> Self {
        todo!("exercise 03")
    }

    /// A token for one more thread to be waited for.
    pub fn token(&self) -> Token {
        todo!("exercise 03")
    }

    /// Waits until all tokens have been dropped.
    pub fn wait(self) {
        todo!("exercise 03")
    }
}

/// What is done with a number.
pub type Work = Arc<dyn Fn(u64) -> u64 + Send + Sync>;

/// Starts workers that share the jobs, and returns where their results come
/// out. They come in any order, and end.
pub fn start(
    workers: usize,
    jobs: Vec<u64>,
    work: Work,
    group: &WaitGroup,
) -> Receiver<u64> {
    todo!("exercise 03")
}
