//! How a pool is fed and read: the same loop for all that can be.
//!
//! A contender that takes a job, gives back what it has no room for, and
//! hands out answers, is a [`Feed`], and [`Single`] drives it: one submit a
//! job, answers read while it feeds, all from one thread. What cannot be
//! driven so (a scope, a parallel iterator, a stream) is a [`Drive`] with a
//! loop of its own. Both are a [`Pool`], which is what a measurement holds.
//!
//! Where each job has a handle, whether it blocks or is awaited, the handles
//! are waited for in the order of [`oldest_first`].

use std::collections::VecDeque;
use std::iter::from_fn;

use crate::work::{Answer, Counted, Source, Stops, Sum, Task, Work};

/// A pool that any thread may feed and read.
pub trait Feed: Sync {
    /// Submits a job, and waits while there is no room.
    fn submit(&self, task: Task);

    /// Submits a job if there is room; gives it back if not.
    fn try_submit(&self, task: Task) -> Result<(), Task>;

    /// Waits for one answer, takes what else is at hand, and hands each to
    /// the sink with the id of its job, or 0 from a pool without ids. Returns
    /// how many.
    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64;

    /// Most jobs that are to be submitted and not read at once. A pool that
    /// has no bound, and whose users set none, says `u64::MAX`.
    fn most_owed(&self) -> u64;

    /// See [`Drive::fail_fast`].
    fn fail_fast(&self, _source: &Stops, _jobs: u64) -> bool {
        false
    }
}

/// A pool that runs the first so many jobs of a source and hands over each
/// answer with its job's id, 0 where there are none.
pub trait Drive {
    /// Runs the jobs. Returns when the last answer was handed over.
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        sink: impl FnMut(u64, Answer),
    );

    /// The pool as one that threads feed and read, if it is.
    fn feed(&self) -> Option<&dyn Feed> {
        None
    }

    /// Runs the jobs up to the first error, by whatever the pool has for
    /// that: its own rule, or its caller's cancelling. Returns false, with
    /// nothing run, if it has nothing. The pool is spent afterwards.
    fn fail_fast(&mut self, _source: &Stops, _jobs: u64) -> bool {
        false
    }
}

/// One submit a job: the loop that every [`Feed`] is driven by.
#[derive(Debug)]
pub struct Single<F>(pub F);

impl<F: Feed> Drive for Single<F> {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let pool = &self.0;
        let most = pool.most_owed();
        let mut owed = 0;
        for index in 0..jobs {
            let mut task = source.task(index);
            if owed >= most {
                owed -= pool.receive(&mut sink);
            }
            while let Err(back) = pool.try_submit(task) {
                task = back;
                owed -= pool.receive(&mut sink);
            }
            owed += 1;
        }
        while owed > 0 {
            owed -= pool.receive(&mut sink);
        }
    }

    fn feed(&self) -> Option<&dyn Feed> {
        Some(&self.0)
    }

    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        self.0.fail_fast(source, jobs)
    }
}

/// The handles of jobs that are spawned as they are asked for, the oldest
/// first. Each is to be waited for before the next is asked for, so that `most`
/// jobs, at least one, are under way at once.
pub fn oldest_first<H>(
    most: usize,
    mut spawned: impl Iterator<Item = H>,
) -> impl Iterator<Item = H> {
    let mut handles = VecDeque::with_capacity(most);
    from_fn(move || {
        // Not by `extend`: what that costs a job shows in the figures.
        while handles.len() < most
            && let Some(handle) = spawned.next()
        {
            handles.push_back(handle);
        }
        handles.pop_front()
    })
}

/// A pool, whatever it is made of.
pub trait Pool {
    /// Runs the first so many jobs and adds up what came back. The sum of
    /// the ids comes beside it.
    fn run(&mut self, work: &Work, jobs: u64) -> (Sum, u64);

    /// Runs them for a reader that is called with each answer.
    fn read(
        &mut self,
        source: &Counted,
        jobs: u64,
        reader: &mut dyn FnMut(Answer),
    );

    /// See [`Drive::feed`].
    fn feed(&self) -> Option<&dyn Feed>;

    /// See [`Drive::fail_fast`].
    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool;
}

impl<D: Drive> Pool for D {
    fn run(&mut self, work: &Work, jobs: u64) -> (Sum, u64) {
        let mut sum = Sum::default();
        let mut ids = 0u64;
        self.drive(work, jobs, |id, answer| {
            ids = ids.wrapping_add(id);
            sum.add(answer);
        });
        (sum, ids)
    }

    fn read(
        &mut self,
        source: &Counted,
        jobs: u64,
        reader: &mut dyn FnMut(Answer),
    ) {
        self.drive(source, jobs, |_, answer| reader(answer));
    }

    fn feed(&self) -> Option<&dyn Feed> {
        Drive::feed(self)
    }

    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        Drive::fail_fast(self, source, jobs)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_oldest_handle_comes_when_there_are_as_many_as_may_be() {
        let spawned = Cell::new(0);
        let jobs = (0..10).inspect(|_| spawned.set(spawned.get() + 1));
        for (due, oldest) in (0..).zip(oldest_first(3, jobs)) {
            assert_eq!(oldest, due);
            assert_eq!(spawned.get(), 10.min(due + 3));
        }
        assert_eq!(spawned.get(), 10);
    }
}
