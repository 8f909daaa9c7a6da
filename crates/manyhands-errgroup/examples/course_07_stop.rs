//! Job 3 of ten fails. Which of the others still start?
//!
//! ```console
//! $ cargo run -q -p manyhands-errgroup --example course_07_stop
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use manyhands_errgroup::{Group, SetLimitError};

fn main() -> Result<(), SetLimitError> {
    let started = Arc::new(AtomicU32::new(0));

    // ANCHOR: stop
    let group = Group::with_limit(1)?;
    let mut refused = 0;
    for job in 1..=10 {
        let started = Arc::clone(&started);
        let work = move |_ctx: &_| {
            started.fetch_add(1, Ordering::Relaxed);
            if job == 3 { Err(format!("job {job} failed")) } else { Ok(()) }
        };
        if group.go(work).is_err() {
            refused += 1; // the function came back
        }
    }
    let first = group.wait();
    // ANCHOR_END: stop

    let started = started.load(Ordering::Relaxed);
    println!("{started} started, {refused} refused, wait: {first:?}");
    Ok(())
}
