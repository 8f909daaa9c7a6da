//! Jobs that end in every way, and records that nobody recorded.

use std::time::Duration;

use manyhands::{AsyncJob, Job};
use manyhands_trace::{Ended, Record};

/// A job that ends as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Return,
    Fail,
    Panic,
}

impl Job for Work {
    type Output = Result<u64, String>;

    fn run(self) -> Self::Output {
        match self {
            Self::Return => Ok(1),
            Self::Fail => Err("so it was told".to_owned()),
            Self::Panic => std::panic::resume_unwind(Box::new("told")),
        }
    }
}

impl AsyncJob for Work {
    async fn run_async(self) -> Self::Output {
        self.run()
    }
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A job that was done: made, started and ended at these milliseconds.
pub(crate) fn done(
    number: u64,
    thread: usize,
    [made, started, ended]: [u64; 3],
) -> Record {
    Record {
        number,
        made: millis(made),
        started: Some(millis(started)),
        ended: millis(ended),
        how: Ended::Done,
        thread,
        lane: None,
    }
}

/// Go by Example's five jobs of a second on three workers.
pub(crate) fn five_jobs() -> Vec<Record> {
    vec![
        done(1, 7, [0, 0, 1000]),
        done(2, 8, [0, 0, 1000]),
        done(3, 9, [0, 0, 1000]),
        done(4, 7, [0, 1000, 2000]),
        done(5, 8, [0, 1000, 2000]),
    ]
}
