//! Chapter 3 of the course: what can be seen when "the workers are done". A
//! channel that carries nothing serves as the wait group.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_03_wait
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

fn main() {
    let cleaned = AtomicU32::new(0);
    thread::scope(|scope| {
        let (results, collected) = channel();
        // ANCHOR: group
        let (done, all_done) = channel::<()>();
        for worker in 1..=3 {
            let done = done.clone(); // wg.Add(1)
            let (results, cleaned) = (results.clone(), &cleaned);
            scope.spawn(move || {
                results.send(worker).unwrap();
                cleaned.fetch_add(1, Ordering::Relaxed);
                drop(done); // wg.Done(), also if it had panicked
            });
        }
        drop(done); // main is not one of those it waits for
        let gone = all_done.recv(); // wg.Wait()
        // ANCHOR_END: group
        println!("recv: {}", gone.unwrap_err());
        drop(results);
        let cleaned = cleaned.load(Ordering::Relaxed);
        println!("{} results, {cleaned} cleaned up", collected.iter().count());
    });
}
