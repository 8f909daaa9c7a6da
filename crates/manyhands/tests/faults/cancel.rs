//! Cancel, at any moment.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use manyhands::{Completion, JobId, Outcome};

use crate::act::Act;
use crate::kit::{Pool, Variant, every_variant, pool};
use crate::support::or_deep;

const JOBS: usize = 60;

#[test]
fn cancelled_at_any_point_each_accepted_job_has_one_completion() {
    every_variant(|variant| {
        for point in points(or_deep(100, 1_000)) {
            cancel_at(variant, point);
        }
    });
}

/// Points in a run, by the number of its events: the same ones every time,
/// and every one as likely.
fn points(count: usize) -> impl Iterator<Item = usize> {
    // Every job is submitted, started and received.
    const EVENTS: u64 = 3 * JOBS as u64;
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..count).map(move |_| {
        // Xorshift, as G. Marsaglia has it.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % EVENTS) as usize
    })
}

/// What the threads and jobs of one run share.
struct Run {
    pool: Pool,
    /// How much has happened, and when to cancel.
    events: AtomicUsize,
    point: usize,
    /// The pool is cancelled.
    cancelled: AtomicBool,
    /// How often each job was started.
    starts: Vec<AtomicUsize>,
}

impl Run {
    fn event(&self) {
        if self.events.fetch_add(1, Ordering::SeqCst) == self.point {
            self.pool.cancel();
            self.cancelled.store(true, Ordering::SeqCst);
        }
    }

    /// What is accepted, by its id, and what is refused.
    fn submit(self: &Arc<Self>, mine: Range<usize>) -> (Accepted, Vec<usize>) {
        let (mut accepted, mut refused) = (Accepted::new(), Vec::new());
        for number in mine {
            let run = Arc::clone(self);
            let job = Act::new(move || {
                run.starts[number].fetch_add(1, Ordering::SeqCst);
                run.event();
                number
            });
            let cancelled = self.cancelled.load(Ordering::SeqCst);
            match self.pool.submit(job) {
                Ok(id) => {
                    assert!(!cancelled, "{id} was accepted after cancel");
                    assert_eq!(accepted.insert(id, number), None);
                }
                Err(_) => refused.push(number),
            }
            self.event();
        }
        (accepted, refused)
    }
}

type Accepted = BTreeMap<JobId, usize>;

fn cancel_at(variant: &Variant, point: usize) {
    let run = Arc::new(Run {
        pool: pool(variant, 2, 3),
        events: AtomicUsize::new(0),
        point,
        cancelled: AtomicBool::new(false),
        starts: (0..JOBS).map(|_| AtomicUsize::new(0)).collect(),
    });
    let submitters = [0..JOBS / 2, JOBS / 2..JOBS].map(|mine| {
        let run = Arc::clone(&run);
        thread::spawn(move || run.submit(mine))
    });
    let reader = {
        let run = Arc::clone(&run);
        thread::spawn(move || {
            let mut received = Vec::new();
            while let Some(completion) = run.pool.recv() {
                run.event();
                received.push(completion);
            }
            received
        })
    };
    let mut accepted = Accepted::new();
    for submitter in submitters {
        let (more, refused) = submitter.join().unwrap();
        for number in refused {
            let starts = run.starts[number].load(Ordering::SeqCst);
            assert_eq!(starts, 0, "refused, and started");
        }
        for (id, number) in more {
            let before = accepted.insert(id, number);
            assert_eq!(before, None, "{id} was given twice");
        }
    }
    // Where the point lies beyond the last event that came.
    run.pool.close();
    for Completion { id, outcome } in reader.join().unwrap() {
        let number = accepted.remove(&id).expect("a completion a job");
        let starts = run.starts[number].load(Ordering::SeqCst);
        match outcome {
            Outcome::Done(Ok(value)) => {
                assert_eq!(value.downcast_ref(), Some(&number));
                assert_eq!(starts, 1, "done, and started so often");
            }
            Outcome::Cancelled(_) => {
                assert_eq!(starts, 0, "cancelled, and started");
            }
            other => panic!("{id}: {other:?}"),
        }
    }
    assert_eq!(accepted, Accepted::new(), "accepted, and not received");
}
