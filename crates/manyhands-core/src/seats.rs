//! The seats of a crew's threads.

use std::mem::take;

use crate::sync::thread::JoinHandle;

/// Which numbers the threads of a crew have, and whom to wait for in the end.
#[derive(Default)]
pub(crate) struct Seats {
    /// Whoever sits there, by its number.
    seats: Vec<JoinHandle<()>>,
}

impl Seats {
    /// The lowest number that nobody has.
    pub(crate) fn free(&self) -> usize {
        self.seats.len()
    }

    /// A thread was started, and has the number that was free.
    pub(crate) fn take(&mut self, seat: usize, thread: JoinHandle<()>) {
        debug_assert_eq!(seat, self.free());
        self.seats.push(thread);
    }

    /// All that have not ended, or have only just.
    pub(crate) fn clear(&mut self) -> Vec<JoinHandle<()>> {
        take(&mut self.seats)
    }
}
