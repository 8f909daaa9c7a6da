//! Chapter 5 of the course: a place for one value, with two conditions and a
//! close.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_05_slot
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::{Condvar, Mutex};
use std::thread;

// ANCHOR: state
/// A place for one value, on its way from one thread to another.
struct Slot<T> {
    state: Mutex<State<T>>,
    /// There is something to take, or nothing will come.
    filled: Condvar,
    /// There is room, or nothing is wanted.
    emptied: Condvar,
}

struct State<T> {
    value: Option<T>,
    closed: bool,
}
// ANCHOR_END: state

impl<T> Slot<T> {
    fn new() -> Self {
        Self {
            state: Mutex::new(State { value: None, closed: false }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
        }
    }

    // ANCHOR: put
    /// Waits for room. The value comes back if the slot is closed.
    fn put(&self, value: T) -> Result<(), T> {
        let mut state = self.state.lock().unwrap();
        while state.value.is_some() && !state.closed {
            state = self.emptied.wait(state).unwrap();
        }
        if state.closed {
            return Err(value);
        }
        state.value = Some(value);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }
    // ANCHOR_END: put

    // ANCHOR: take
    /// Waits for a value. `None` once it is closed and empty.
    fn take(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        while state.value.is_none() && !state.closed {
            state = self.filled.wait(state).unwrap();
        }
        let value = state.value.take();
        drop(state);
        self.emptied.notify_one();
        value
    }
    // ANCHOR_END: take

    // ANCHOR: close
    /// Everybody who waits learns of it.
    fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }
    // ANCHOR_END: close
}

fn main() {
    let slot = Slot::new();
    let (taken, refused) = thread::scope(|scope| {
        let takers = [(); 2].map(|()| {
            scope.spawn(|| std::iter::from_fn(|| slot.take()).count())
        });
        for value in 0..1000 {
            slot.put(value).unwrap();
        }
        slot.close();
        let refused = slot.put(1000);
        (takers.map(|taker| taker.join().unwrap()), refused)
    });
    println!("1000 put, {} taken", taken.iter().sum::<usize>());
    println!("after close: {refused:?}");
}
