//! One job, three places to keep it in: what differs is one line.
//!
//! ```console
//! $ cargo run -q -p manyhands-durable --example switch -- memory
//! $ cargo run -q -p manyhands-durable --example switch -- jobs.db
//! $ cargo run -q -p manyhands-durable --example switch -- postgres://…
//! ```
//!
//! With `submit` behind that, it ends when the jobs are stored; with `work`, it
//! runs those that are there, whoever stored them.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

use manyhands_durable::{
    Attempt, DurableJob, Failure, Filter, JobQueue, State, Submission,
};
use serde::{Deserialize, Serialize};

// ANCHOR: job
#[derive(Serialize, Deserialize)]
struct Welcome {
    customer: u32,
}

impl DurableJob for Welcome {
    const KIND: &'static str = "welcome";
    type Output = String;

    fn run(self, attempt: &Attempt) -> Result<String, Failure> {
        match self.customer {
            // Another attempt may do better.
            7 if attempt.number() == 1 => {
                Err(Failure::retry("the mail server is away"))
            }
            // None will.
            13 => Err(Failure::permanent("no such customer")),
            customer => Ok(format!("customer {customer} is welcome")),
        }
    }
}
// ANCHOR_END: job

// ANCHOR: open
fn open(store: &str) -> Result<JobQueue<Welcome>, manyhands_durable::Error> {
    match store {
        "memory" => JobQueue::in_process(4),
        url if url.starts_with("postgres") => JobQueue::postgres(url, 4),
        path => JobQueue::sqlite(path, 4),
    }
}
// ANCHOR_END: open

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let store = arguments.next().unwrap_or_else(|| "memory".into());
    let what = arguments.next().unwrap_or_default();
    let queue = open(&store)?;

    // ANCHOR: submit
    if what != "work" {
        for customer in 1..=20 {
            // Submitted twice, it is one job.
            let how = Submission::new().key(format!("welcome-{customer}"));
            queue.submit_with(Welcome { customer }, how)?;
        }
    }
    // ANCHOR_END: submit
    // ANCHOR: work
    if what != "submit" {
        queue.start()?;
        while queue.counts()?.unfinished() > 0 {
            thread::sleep(Duration::from_millis(20));
        }
    }
    // ANCHOR_END: work

    let counts = queue.counts()?;
    println!(
        "{} ready, {} done, {} dead",
        counts.ready, counts.done, counts.dead
    );
    for letter in queue.list(Filter::new().state(State::Dead))? {
        println!(
            "{} is dead after attempt {}: {}",
            letter.key.unwrap_or_default(),
            letter.attempts,
            letter.last_error.unwrap_or_default()
        );
    }
    queue.stop();
    Ok(())
}
