//! What `BatchPool` promises beyond the laws.

use std::panic::resume_unwind;
use std::thread;

use manyhands_batch::BatchPool;
use manyhands_conformance::watchdog;
use manyhands_core::{Config, WorkerPool, discard};

/// Panics when it is dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        resume_unwind(Box::new("on purpose"));
    }
}

#[test]
fn what_a_reader_took_out_beyond_its_own_is_dropped_with_panics_contained() {
    watchdog(|| {
        let pool = BatchPool::new(Config::new(1, 1).unwrap()).unwrap();
        for _ in 0..2 {
            pool.submit(|| Hostile).unwrap();
        }
        while pool.unfinished() != Some(0) {
            thread::yield_now();
        }
        // Takes out both, and gives one.
        discard(pool.recv());
        drop(pool);
    });
}
