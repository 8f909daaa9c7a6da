//! What becomes of jobs, written down in bounded memory.

use std::fmt;
use std::mem::replace;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manyhands_core::sync::{
    AtomicU64, AtomicUsize, CachePadded, Mutex, Ordering, lock, thread_number,
};

use crate::trace::{Record, Trace};
use crate::traced::{Ended, Observe};

/// Writes down when each job was made, started and ended, on which thread,
/// and how.
///
/// Each thread writes in a part of its own, as long as there are few, so that
/// they do not wait for each other.
///
/// # Cost
///
/// Three readings of the clock and one uncontended lock a job, and forty
/// bytes. `cargo bench floors`, in the repository, has it as `traced-job`,
/// beside `clock`, which is two thirds of it: under a tenth of a microsecond
/// where a reading of the clock takes 22 ns.
pub struct Recorder {
    began: Instant,
    parts: [CachePadded<Mutex<Part>>; Recorder::PARTS],
    /// How many records may still be handed out to the parts.
    left: AtomicUsize,
    /// How many found no room.
    dropped: AtomicU64,
}

/// In rows, so that nothing is moved as it grows.
#[derive(Default)]
struct Part {
    full: Vec<Vec<Entry>>,
    /// Has the capacity that it was given, and is never moved.
    row: Vec<Entry>,
}

/// A record as it is written: in nanoseconds since the recorder began.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u64,
    made: u64,
    /// [`NEVER`] if it did not.
    started: u64,
    ended: u64,
    thread: u32,
    how: Ended,
}

const NEVER: u64 = u64::MAX;

/// What the recorder keeps with a job.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    number: u64,
    made: u64,
    started: u64,
}

impl Recorder {
    const PARTS: usize = 16;

    /// Most records that a part gets room for at once.
    const ROW: usize = 256;

    /// An empty one, which keeps `most` jobs at most. Those that end when
    /// there is no more room are only counted, see [`Trace::dropped`].
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            parts: Default::default(),
            left: AtomicUsize::new(most),
            dropped: AtomicU64::new(0),
        })
    }

    /// What was recorded up to now, on `workers` lanes: of the jobs that have
    /// ended.
    pub fn trace(&self, workers: usize) -> Trace {
        let mut records = Vec::new();
        for part in &self.parts {
            let part = lock(part);
            let rows = part.full.iter().chain([&part.row]);
            records.extend(rows.flatten().map(Entry::record));
        }
        Trace::new(records, workers, self.dropped.load(Ordering::Relaxed))
    }

    /// Nanoseconds since it began. They fit for some centuries.
    #[inline]
    fn now(&self) -> u64 {
        let since = self.began.elapsed();
        since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
    }

    /// Room for a row of records; little when little is left, so that the
    /// threads run out of it together.
    fn take_room(&self) -> usize {
        let row = |left: usize| {
            let share = left / (2 * Self::PARTS);
            share.clamp(1, Self::ROW).min(left)
        };
        let take = |left| Some(left - row(left));
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(set, fetch, take).map_or(0, row)
    }
}

impl Observe for Recorder {
    type Job = Times;

    #[inline]
    fn made(&self, number: u64) -> Times {
        Times { number, made: self.now(), started: NEVER }
    }

    #[inline]
    fn started(&self, job: &mut Times) {
        job.started = self.now();
    }

    #[inline]
    fn ended(&self, job: Times, how: Ended) {
        let Times { number, made, started } = job;
        let ended = self.now();
        let thread = thread_number();
        let entry =
            Entry { number, made, started, ended, thread: thread as u32, how };
        let mut part = lock(&self.parts[thread % Self::PARTS]);
        if part.row.len() == part.row.capacity() {
            let room = self.take_room();
            if room == 0 {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let full = replace(&mut part.row, Vec::with_capacity(room));
            part.full.push(full);
        }
        part.row.push(entry);
    }
}

impl Entry {
    fn record(&self) -> Record {
        let started = (self.started != NEVER).then_some(self.started);
        Record {
            number: self.number,
            made: Duration::from_nanos(self.made),
            started: started.map(Duration::from_nanos),
            ended: Duration::from_nanos(self.ended),
            how: self.how,
            thread: self.thread as usize,
            lane: None,
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("left", &self.left.load(Ordering::Relaxed))
            .field("dropped", &self.dropped.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
