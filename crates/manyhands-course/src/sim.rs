//! Workers and their queue in virtual time: a job takes exactly as long as it
//! says, and nothing else takes any time.
//!
//! Of several workers that could take a job, the one takes it that has waited
//! longest; a lock is given in the order in which it was asked for.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use manyhands_trace::{Ended, Record};

/// A job as the simulation knows it.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) number: u64,
    /// When it is submitted.
    pub(crate) at: Duration,
    pub(crate) takes: Duration,
    /// At its end it submits this one, and waits until it is done.
    pub(crate) then: Option<Box<Work>>,
}

/// How jobs come to workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// All take from one.
    Shared,
    /// The same, and whoever takes holds the lock until the job is done.
    Locked,
    /// Each has its own, into which jobs are dealt in turn.
    Dealt,
    /// The same, and who has nothing takes from the longest of the others.
    Stealing,
}

/// How it all ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// From then on nothing is taken in; what waits is done.
    Drain(Duration),
    /// From then on nothing is taken in, and nothing that waits is started.
    Abort(Duration),
}

/// A pool, and what is done to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) workers: usize,
    pub(crate) queue: Queue,
    pub(crate) stop: Option<Stop>,
    /// How many jobs may wait, and how many results, if the caller submits
    /// every job before it reads the first result.
    pub(crate) bounds: Option<(usize, usize)>,
}

/// Somebody waits who is no job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) worker: usize,
    pub(crate) from: Duration,
    /// `None` for ever.
    pub(crate) until: Option<Duration>,
    pub(crate) why: &'static str,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Their thread is the worker, from 0. Those that never started, and
    /// those whose worker waits in them for ever, end with the run.
    pub(crate) records: Vec<Record>,
    pub(crate) waits: Vec<Wait>,
    /// Whether somebody waits for ever.
    pub(crate) hangs: bool,
    pub(crate) end: Duration,
}

impl Pool {
    pub(crate) fn new(workers: usize, queue: Queue) -> Self {
        Self { workers, queue, stop: None, bounds: None }
    }

    /// Runs these jobs to the end, or until nobody moves any more.
    pub(crate) fn run(self, jobs: Vec<Work>) -> Run {
        let queues = match self.queue {
            Queue::Shared | Queue::Locked => 1,
            Queue::Dealt | Queue::Stealing => self.workers,
        };
        let mut state = State {
            pool: self,
            now: Duration::ZERO,
            events: BTreeMap::new(),
            next_event: 0,
            queues: vec![VecDeque::new(); queues],
            dealt: 0,
            idle: (0..self.workers).collect(),
            lock: None,
            results: 0,
            unsubmitted: jobs.len(),
            caller: VecDeque::new(),
            full: VecDeque::new(),
            parents: BTreeMap::new(),
            waits: Vec::new(),
            open: BTreeMap::new(),
            records: Vec::new(),
            running: BTreeMap::new(),
        };
        for job in jobs {
            state.at(job.at, Event::Comes(job));
        }
        if let Some(Stop::Abort(at)) = self.stop {
            state.at(at, Event::Aborts);
        }
        while let Some((&(at, number), _)) = state.events.first_key_value() {
            let Some(event) = state.events.remove(&(at, number)) else {
                break;
            };
            state.now = at;
            state.happens(event);
            state.start_all();
        }
        state.over()
    }
}

enum Event {
    Comes(Work),
    Done { worker: usize, job: Work },
    Aborts,
}

struct State {
    pool: Pool,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    next_event: u64,
    queues: Vec<VecDeque<(Duration, Work)>>,
    /// Into whose queue the next is dealt.
    dealt: usize,
    /// Who has waited longest comes first.
    idle: VecDeque<usize>,
    /// Who holds the lock.
    lock: Option<usize>,
    results: usize,
    /// How many jobs the caller has still to submit before it reads.
    unsubmitted: usize,
    /// Jobs that their caller holds, since the queue is full.
    caller: VecDeque<Work>,
    /// Workers that hold a result, since there is no room for it.
    full: VecDeque<usize>,
    /// Who waits for which job.
    parents: BTreeMap<u64, (usize, Work)>,
    waits: Vec<Wait>,
    /// Which of the waits of a worker is not over.
    open: BTreeMap<usize, usize>,
    records: Vec<Record>,
    /// What each worker has, since when it was there, and started.
    running: BTreeMap<usize, (Duration, Duration, u64)>,
}

impl State {
    fn at(&mut self, at: Duration, event: Event) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Comes(job) => self.comes(job),
            Event::Aborts => {
                let queued: Vec<_> = self
                    .queues
                    .iter_mut()
                    .flat_map(|it| it.drain(..))
                    .collect();
                for (made, job) in queued {
                    self.never(job.number, made, Ended::Cancelled);
                }
            }
            Event::Done { worker, mut job } => match job.then.take() {
                Some(next) => {
                    self.waits_for(worker, "waits for its job");
                    self.parents.insert(next.number, (worker, job));
                    self.comes(*next);
                }
                None => self.done(worker, &job),
            },
        }
    }

    fn comes(&mut self, job: Work) {
        let is_closed = match self.pool.stop {
            Some(Stop::Drain(at) | Stop::Abort(at)) => self.now >= at,
            None => false,
        };
        if is_closed {
            self.never(job.number, self.now, Ended::Cancelled);
        } else if self.is_full() || !self.caller.is_empty() {
            self.caller.push_back(job);
        } else {
            self.enqueue(job);
        }
    }

    fn is_full(&self) -> bool {
        let Some((jobs, _)) = self.pool.bounds else { return false };
        self.queues.iter().map(VecDeque::len).sum::<usize>() >= jobs
    }

    fn enqueue(&mut self, job: Work) {
        let place = self.dealt % self.queues.len();
        self.dealt += 1;
        self.queues[place].push_back((self.now, job));
        self.unsubmitted = self.unsubmitted.saturating_sub(1);
        if self.unsubmitted == 0 {
            for worker in std::mem::take(&mut self.full) {
                self.waits_no_more(worker);
                self.idle.push_back(worker);
            }
        }
        self.start_all();
    }

    fn done(&mut self, worker: usize, job: &Work) {
        if let Some((made, started, number)) = self.running.remove(&worker) {
            self.record(worker, number, made, started, Ended::Done);
        }
        if self.lock == Some(worker) {
            self.lock = None;
        }
        match self.pool.bounds {
            Some((_, most))
                if self.results >= most && self.unsubmitted > 0 =>
            {
                self.waits_for(worker, "its result finds no room");
                self.full.push_back(worker);
            }
            _ => {
                self.results += 1;
                self.idle.push_back(worker);
            }
        }
        if let Some((parent, job)) = self.parents.remove(&job.number) {
            self.waits_no_more(parent);
            self.done(parent, &job);
        }
    }

    /// Whoever can begin a job, begins one.
    fn start_all(&mut self) {
        while let Some((place, worker, queue)) = self.who_can() {
            self.idle.remove(place);
            let Some((made, job)) = self.queues[queue].pop_front() else {
                return;
            };
            self.waits_no_more(worker);
            if self.pool.queue == Queue::Locked {
                self.lock = Some(worker);
            }
            self.running.insert(worker, (made, self.now, job.number));
            self.at(self.now + job.takes, Event::Done { worker, job });
            if let Some(job) = self.caller.pop_front() {
                self.enqueue(job);
            }
        }
        let is_locked = self.lock.is_some();
        if is_locked && self.queues.iter().any(|it| !it.is_empty()) {
            for worker in self.idle.clone() {
                self.waits_for(worker, "waits for the lock");
            }
        }
    }

    /// The next who can begin a job, and from which queue.
    fn who_can(&self) -> Option<(usize, usize, usize)> {
        if self.lock.is_some() {
            return None;
        }
        let mut idle = self.idle.iter().enumerate();
        idle.find_map(|(place, &worker)| {
            let own = worker % self.queues.len();
            let longest = || {
                let mut places = (0..self.queues.len()).rev();
                let first = places.next()?;
                let longest = places.fold(first, |longest, place| {
                    match self.queues[place].len()
                        >= self.queues[longest].len()
                    {
                        true => place,
                        false => longest,
                    }
                });
                (!self.queues[longest].is_empty()).then_some(longest)
            };
            let queue = match self.pool.queue {
                _ if !self.queues[own].is_empty() => own,
                Queue::Stealing => longest()?,
                _ => return None,
            };
            Some((place, worker, queue))
        })
    }

    fn waits_for(&mut self, worker: usize, why: &'static str) {
        if !self.open.contains_key(&worker) {
            self.open.insert(worker, self.waits.len());
            let from = self.now;
            self.waits.push(Wait { worker, from, until: None, why });
        }
    }

    fn waits_no_more(&mut self, worker: usize) {
        if let Some(place) = self.open.remove(&worker) {
            self.waits[place].until = Some(self.now);
        }
    }

    fn record(
        &mut self,
        worker: usize,
        number: u64,
        made: Duration,
        started: Duration,
        how: Ended,
    ) {
        self.records.push(Record {
            number,
            made,
            started: Some(started),
            ended: self.now,
            how,
            thread: worker,
            lane: None,
        });
    }

    fn never(&mut self, number: u64, made: Duration, how: Ended) {
        self.records.push(Record {
            number,
            made,
            started: None,
            ended: self.now,
            how,
            thread: 0,
            lane: None,
        });
    }

    /// Nothing happens any more.
    fn over(mut self) -> Run {
        let queued = self.queues.iter().any(|queue| !queue.is_empty());
        let hangs = queued
            || !self.caller.is_empty()
            || !self.full.is_empty()
            || !self.parents.is_empty();
        // Who waits for a lock that is free has only no more work.
        if !hangs {
            for worker in 0..self.pool.workers {
                self.waits_no_more(worker);
            }
        }
        let last = self.now;
        if hangs {
            // So that it can be seen.
            self.now = last * 2;
        }
        for (worker, (made, started, number)) in
            std::mem::take(&mut self.running)
        {
            self.record(worker, number, made, started, Ended::Abandoned);
        }
        for (made, job) in
            std::mem::take(&mut self.queues).into_iter().flatten()
        {
            self.never(job.number, made, Ended::Abandoned);
        }
        for job in std::mem::take(&mut self.caller) {
            // It never came into the queue: it does not wait there.
            self.never(job.number, self.now, Ended::Abandoned);
        }
        self.records.sort_by_key(|record| record.number);
        let ran = self.records.iter().filter(|it| it.started.is_some());
        let end = ran.map(|it| it.ended).max().unwrap_or(self.now);
        let end = if hangs { self.now } else { end };
        let Self { records, waits, .. } = self;
        Run { records, waits, hangs, end }
    }
}

/// As many jobs, from 1 on, all there at once, each of which takes so long.
pub(crate) fn jobs(
    millis: impl IntoIterator<Item = u64>,
) -> impl Iterator<Item = Work> {
    (1..).zip(millis).map(|(number, millis)| Work {
        number,
        at: Duration::ZERO,
        takes: Duration::from_millis(millis),
        then: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pool: Pool, millis: &[u64]) -> Run {
        pool.run(jobs(millis.iter().copied()).collect())
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn five_jobs_on_three_workers_take_as_long_as_two() {
        let run = run(Pool::new(3, Queue::Shared), &[1000; 5]);
        assert_eq!(run.end, at(2000));
        let starts: Vec<_> = run
            .records
            .iter()
            .map(|job| (job.thread, job.started.unwrap().as_millis()))
            .collect();
        assert_eq!(starts, [(0, 0), (1, 0), (2, 0), (0, 1000), (1, 1000)]);
        assert!(run.waits.is_empty() && !run.hangs);
    }

    #[test]
    fn with_the_lock_held_one_job_runs_at_a_time() {
        let wrong = run(Pool::new(3, Queue::Locked), &[100; 12]);
        let right = run(Pool::new(3, Queue::Shared), &[100; 12]);
        assert_eq!((wrong.end, right.end), (at(1200), at(400)));
        for pair in wrong.records.windows(2) {
            assert!(pair[0].ended <= pair[1].started.unwrap());
        }
        assert!(wrong.waits.iter().all(|wait| wait.until.is_some()));
    }

    #[test]
    fn who_is_dealt_the_long_jobs_has_them_unless_they_are_stolen() {
        let millis = [50, 10, 10, 10, 50, 10, 10, 10, 10, 10, 10, 10];
        let ends = [Queue::Dealt, Queue::Shared, Queue::Stealing]
            .map(|queue| run(Pool::new(4, queue), &millis).end);
        assert_eq!(ends, [at(110), at(60), at(80)]);
    }

    #[test]
    fn drained_all_that_waits_is_done_and_aborted_nothing_is_started() {
        for (stop, done, end) in
            [(Stop::Drain(at(15)), 6, 30), (Stop::Abort(at(15)), 4, 20)]
        {
            let pool =
                Pool { stop: Some(stop), ..Pool::new(2, Queue::Shared) };
            let mut all: Vec<Work> = jobs([10; 8]).collect();
            all[6].at = at(15);
            all[7].at = at(16);
            let run = pool.run(all);
            let was = |job: &&Record| job.how == Ended::Done;
            assert_eq!(run.records.iter().filter(was).count(), done);
            assert_eq!((run.records.len(), run.end), (8, at(end)));
            assert!(!run.hangs);
        }
    }

    #[test]
    fn with_bounds_it_holds_jobs_results_and_what_is_in_hand_and_no_more() {
        let pool =
            Pool { bounds: Some((5, 5)), ..Pool::new(3, Queue::Shared) };
        // Beyond the results, the workers' own, and the queue.
        for (count, done, hangs) in
            [(5, 5, false), (13, 13, false), (14, 8, true)]
        {
            let run = run(pool, &vec![10; count]);
            assert_eq!(run.hangs, hangs, "{count}");
            let was = |job: &&Record| job.how == Ended::Done;
            assert_eq!(run.records.iter().filter(was).count(), done);
        }
    }

    #[test]
    fn jobs_that_wait_for_their_own_pool_wait_for_ever() {
        let outer = |(job, number): (Work, u64)| Work {
            then: jobs([10]).next().map(|it| Box::new(Work { number, ..it })),
            ..job
        };
        let all: Vec<Work> = jobs([10, 10]).zip(3..).map(outer).collect();
        let stuck = Pool::new(2, Queue::Shared).run(all.clone());
        assert!(stuck.hangs);
        assert!(stuck.records.iter().all(|it| it.how == Ended::Abandoned));
        assert_eq!(stuck.waits.len(), 2);
        let enough = Pool::new(3, Queue::Shared).run(all);
        assert!(!enough.hangs);
        assert_eq!(enough.records.len(), 4);
    }
}
