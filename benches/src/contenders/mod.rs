//! The contenders, one module each, and the one list of them.
//!
//! Every module has the same functions under the same names, so that two of
//! them can be laid side by side: `contenders`, which says what it offers and
//! how that bends the comparison; `start`; and, as far as it is fed job by
//! job, `submit`, `try_submit` and `receive`, else `drive`.

mod book;
mod closures;
mod crossbeam;
mod inline;
#[cfg(feature = "peers")]
mod peers;
mod thread;
mod variants;

use std::fmt;

use crate::drive::Pool;
use crate::work::{Sum, Work};

/// The sizes that a pool is started with.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Most jobs that run at once.
    pub workers: usize,
    /// Most jobs that wait, in a pool that has a bound.
    pub queue: usize,
}

/// How jobs are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One call a job, results read while feeding.
    Single,
    /// Many jobs a call, or all of them.
    Batch,
    /// One call a job, each with a handle that is waited for.
    Handle,
}

/// What takes part.
pub struct Contender {
    /// Its name in every table.
    pub name: String,
    /// How jobs are handed over.
    pub way: Way,
    /// What it does not do, or does otherwise, than a variant behind the
    /// trait: to be read beside its figures. Empty if there is nothing.
    pub bends: &'static str,
    /// Whether answers come with the ids of their jobs, which are checked.
    pub ids: bool,
    /// Most jobs that it is given in one round, since it is so slow, or
    /// takes so much memory for each.
    pub most_jobs: u64,
    start: Box<dyn Fn(Sizes) -> Box<dyn Pool>>,
}

impl Contender {
    /// One that does all that a variant does; the setters below take away.
    fn new<P: Pool + 'static>(
        name: impl Into<String>,
        way: Way,
        start: impl Fn(Sizes) -> P + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            way,
            bends: "",
            ids: false,
            most_jobs: u64::MAX,
            start: Box::new(move |sizes| Box::new(start(sizes))),
        }
    }

    fn bends(self, bends: &'static str) -> Self {
        Self { bends, ..self }
    }

    fn with_ids(self) -> Self {
        Self { ids: true, ..self }
    }

    fn most_jobs(self, most_jobs: u64) -> Self {
        Self { most_jobs, ..self }
    }

    /// Starts it. What is [`run`](Running::run) on it is checked.
    pub fn start(&self, sizes: Sizes) -> Running {
        Running { pool: (self.start)(sizes), ids: self.ids, ran: 0 }
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender")
            .field("name", &self.name)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

/// A started contender.
pub struct Running {
    /// The pool, for measurements that do more than run jobs on it.
    pub pool: Box<dyn Pool>,
    ids: bool,
    /// How many jobs it was given: from there on, ids go on.
    ran: u64,
}

impl Running {
    /// Runs the first so many jobs.
    ///
    /// # Panics
    ///
    /// If a job, an answer or an id is missing, wrong, or there twice, as far
    /// as sums can tell.
    pub fn run(&mut self, work: &Work, jobs: u64, expected: Sum) {
        let (sum, ids) = self.pool.run(work, jobs);
        assert_eq!(sum, expected, "the answers are right");
        if self.ids {
            let due = (self.ran..self.ran + jobs).sum::<u64>();
            assert_eq!(ids, due, "each id comes back once");
        }
        self.ran += jobs;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("ran", &self.ran)
            .finish_non_exhaustive()
    }
}

/// The name of the baseline, which runs each job where it is.
pub const BASELINE: &str = "inline";

/// All of them: the baseline, the variants, and whatever they are compared
/// with; with the feature `peers`, other people's pools too.
pub fn all() -> Vec<Contender> {
    let mut all = inline::contenders();
    all.extend(variants::contenders());
    all.extend(crossbeam::contenders());
    all.extend(book::contenders());
    all.extend(thread::contenders());
    #[cfg(feature = "peers")]
    all.extend(peers::contenders());
    all
}

/// Those that hand over jobs in this way, after the baseline.
pub fn of(way: Way) -> Vec<Contender> {
    let mut all = all();
    all.retain(|it| it.way == way || it.name == BASELINE);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use manyhands_conformance::watchdog;

    use super::*;
    use crate::work::{Source, Stops, What, stopwatch};

    const SIZES: Sizes = Sizes { workers: 2, queue: 8 };

    #[test]
    fn every_contender_gives_every_answer_also_when_used_again() {
        watchdog(|| {
            let work = Work::parse("skew:1us").unwrap();
            for contender in all() {
                let mut running = contender.start(SIZES);
                for jobs in [0, 1, 100, 3] {
                    running.run(&work, jobs, work.expected(jobs));
                }
            }
        });
    }

    #[test]
    fn every_feed_is_fed_by_one_thread_and_read_by_another() {
        watchdog(|| {
            let work = Work::parse("noop").unwrap();
            let mut feeds = 0;
            for contender in all() {
                let running = contender.start(SIZES);
                let Some(pool) = running.pool.feed() else { continue };
                feeds += 1;
                let mut sum = Sum::default();
                thread::scope(|scope| {
                    scope.spawn(|| {
                        (0..100).for_each(|at| pool.submit(work.task(at)));
                    });
                    while sum.jobs < 100 {
                        pool.receive(&mut |_, answer| sum.add(answer));
                    }
                });
                assert_eq!(sum, work.expected(100), "{}", contender.name);
            }
            assert!(feeds >= 12, "{feeds}");
        });
    }

    #[test]
    #[should_panic(expected = "each id comes back once")]
    fn ids_that_are_claimed_are_checked() {
        let mut inline = inline::contenders();
        let liar = inline.remove(0).with_ids();
        let work = Work::parse("noop").unwrap();
        liar.start(SIZES).run(&work, 10, work.expected(10));
    }

    #[test]
    fn a_name_stands_for_one_contender() {
        let names: Vec<_> = all().into_iter().map(|it| it.name).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }

    #[test]
    fn who_stops_at_an_error_has_run_the_job_that_failed() {
        // In one test, since there is one stopwatch.
        let stopped = watchdog(|| {
            let source =
                Stops { what: What::Mark(1), fails: What::Fail(1), at: 20 };
            let mut stopped = 0;
            for contender in all() {
                stopwatch::reset();
                let mut running = contender.start(SIZES);
                if running.pool.fail_fast(&source, 40) {
                    assert!(stopwatch::read().failed, "{}", contender.name);
                    stopped += 1;
                }
            }
            stopped
        });
        assert!(stopped >= 8, "{stopped}");
    }

    #[test]
    #[should_panic(expected = "the answers are right")]
    fn a_wrong_sum_ends_the_run() {
        let work = Work::parse("noop").unwrap();
        let contenders = all();
        contenders[0].start(SIZES).run(&work, 10, work.expected(9));
    }
}
