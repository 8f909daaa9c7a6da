//! Threads that stay, for a pattern that has no workers.

use std::collections::VecDeque;
use std::fmt;

use crate::ThreadOptions;
use crate::seats::Seats;
use crate::sync::{
    Arc, AtomicUsize, CachePadded, Condvar, Duration, Instant, Mutex,
    MutexGuard, Ordering, Spins, lock, spin_briefly, wait, wait_at_most,
};
use crate::threads::join_all;

/// A way in for work, and what a [`Crew`] is made with.
pub fn channel<T>() -> (WayIn<T>, WayOut<T>) {
    let desk = Desk {
        queue: VecDeque::new(),
        work: None,
        most: 0,
        threads: 0,
        looking: 0,
        parked: 0,
        calls: 0,
        keep_alive: None,
        min_threads: 0,
    };
    let shared = Arc::new(Shared {
        desk: CachePadded(Mutex::new(desk)),
        queued: CachePadded::default(),
        called: Condvar::new(),
        seats: Mutex::default(),
    });
    (WayIn { shared: Arc::clone(&shared) }, WayOut { shared })
}

/// Where work is handed over. Dropped, it closes the crew: what was handed
/// over is done, and then the threads end.
pub struct WayIn<T> {
    shared: Arc<Shared<T>>,
}

/// Where a [`Crew`] takes its work.
pub struct WayOut<T> {
    shared: Arc<Shared<T>>,
}

/// Threads that do one piece of work after the other, as many as are needed.
///
/// A pattern without workers, such as a semaphore, starts a thread a job, and
/// then pays for threads and hardly for the pattern. With a crew, a piece of
/// work goes to a thread that has nothing to do, and a thread is started only
/// where there is none. The pattern still says how many pieces there are at
/// once; each of them finds a thread.
///
/// A thread that has nothing to do looks for work for some microseconds, then
/// parks, and ends with the crew; or after a while, if the
/// [options](Self::with_options) say so, and there is another one then when it
/// is needed. A thread that ends for want of work is not counted any more, but
/// there until its `on_stop` hook has returned.
///
/// ```
/// use std::sync::mpsc;
/// use manyhands_core::crew::{self, Crew};
///
/// let (results, collected) = mpsc::channel();
/// let (way_in, way_out) = crew::channel();
/// let crew = Crew::new("doubler", 2, way_out, move |n: u32| {
///     results.send(n * 2).unwrap();
/// });
/// for n in 1..=3 {
///     let taken = way_in.hand_over(n).unwrap();
///     crew.see_to(taken);
/// }
/// drop(way_in); // no more will come
/// assert_eq!(collected.iter().sum::<u32>(), 12);
/// ```
pub struct Crew<T> {
    shared: Arc<Shared<T>>,
    /// What the threads are called if the options do not say.
    name: &'static str,
    options: ThreadOptions,
}

struct Shared<T> {
    /// Touched by whoever hands over, and by each thread once a piece.
    desk: CachePadded<Mutex<Desk<T>>>,
    /// How many pieces are queued: a hint that can be read without the lock.
    queued: CachePadded<AtomicUsize>,
    /// Signalled for one thread that is parked, and for all on close.
    called: Condvar,
    /// Locked while a thread is started, so that none leaves before it sits.
    seats: Mutex<Seats>,
}

struct Desk<T> {
    /// What nobody has taken yet, the oldest in front.
    queue: VecDeque<T>,
    /// What a thread does with a piece. `None` once no more will come: what
    /// it holds is dropped with the last thread.
    work: Option<Work<T>>,
    /// How many threads there may be.
    most: usize,
    /// How many were started.
    threads: usize,
    /// How many of them look for work, or will as soon as they have started.
    /// Each takes a piece if there is one, before it parks.
    looking: usize,
    /// How many are parked. Only they change it.
    parked: usize,
    /// How many of these were called, and have not come yet.
    calls: usize,
    /// How long a thread stays parked. `None` for as long as the crew.
    keep_alive: Option<Duration>,
    /// How many threads stay all the same.
    min_threads: usize,
}

/// What a thread does with a piece of work.
type Work<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Who comes for a piece of work that was handed over. [`Crew::see_to`] it.
#[must_use = "nobody may come for the work unless this is seen to"]
pub struct Taker<T>(Option<(Need, Work<T>)>);

/// What a piece of work needs for which nobody comes yet.
enum Need {
    /// Those who look have something to find, and others are parked.
    Call,
    /// All threads are at work, and there may be one more.
    Thread,
}

impl<T> WayIn<T> {
    /// Hands over a piece of work. Neither waits nor starts a thread, so it
    /// may be called with a lock held; what it returns is to be
    /// [seen to](Crew::see_to) when none is.
    ///
    /// # Errors
    ///
    /// The piece comes back when there is no crew.
    pub fn hand_over(&self, piece: T) -> Result<Taker<T>, T> {
        let mut desk = lock(&self.shared.desk);
        if desk.work.is_none() {
            return Err(piece);
        }
        desk.queue.push_back(piece);
        self.shared.publish(&desk);
        let need = desk.need();
        Ok(Taker(need.and_then(|need| Some((need, desk.work.clone()?)))))
    }
}

impl<T> Drop for WayIn<T> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<T: Send + 'static> Crew<T> {
    /// A crew of at most so many threads, none of which is started before
    /// there is work for it. `work` must not panic.
    pub fn new(
        name: &'static str,
        most: usize,
        way_out: WayOut<T>,
        work: impl Fn(T) + Send + Sync + 'static,
    ) -> Self {
        let WayOut { shared } = way_out;
        {
            let mut desk = lock(&shared.desk);
            desk.work = Some(Arc::new(work));
            desk.most = most;
        }
        Self { shared, name, options: ThreadOptions::new() }
    }

    /// From now on, threads are started with these options. If they are
    /// [not allowed](ThreadOptions::check), there is no thread to be had.
    pub fn with_options(mut self, options: ThreadOptions) -> Self {
        {
            let mut desk = lock(&self.shared.desk);
            desk.keep_alive = options.get_keep_alive();
            desk.min_threads = options.get_min_threads();
        }
        self.options = options;
        self
    }

    /// Sees to it that somebody comes for work that was handed over: calls a
    /// thread that is parked, or starts one. If the system refuses a thread,
    /// the work is done here.
    pub fn see_to(&self, taker: Taker<T>) {
        match taker.0 {
            None => {}
            Some((Need::Call, work)) => self.call(work),
            Some((Need::Thread, work)) => self.start_thread(work),
        }
    }

    /// Calls a parked thread, if one is needed.
    ///
    /// A call takes microseconds, on both sides, and work may well be smaller:
    /// so the caller looks for about as long whether a thread that is at work
    /// comes back meanwhile. Others may do the same, and the thread that all
    /// of them saw parked come for one of them only: so what is needed is
    /// asked once more.
    fn call(&self, work: Work<T>) {
        let shared = &*self.shared;
        spin_briefly(|| shared.queued.load(Ordering::Relaxed) == 0);
        let mut desk = lock(&shared.desk);
        match desk.need() {
            None => {}
            Some(Need::Call) => {
                desk.calls += 1;
                drop(desk);
                shared.called.notify_one();
            }
            Some(Need::Thread) => {
                drop(desk);
                self.start_thread(work);
            }
        }
    }

    fn start_thread(&self, work: Work<T>) {
        let mut seats = lock(&self.shared.seats);
        let seat = seats.free();
        let begin = {
            let (shared, work) = (Arc::clone(&self.shared), Arc::clone(&work));
            let options = self.options.clone();
            move || {
                let at_work = options.begin(seat);
                let end = shared.serve(&*work);
                drop(work);
                drop(at_work);
                if let End::Idle = end {
                    shared.leave(seat);
                }
            }
        };
        match self.options.spawn_bare(self.name, seat, begin) {
            Ok(thread) => seats.take(seat, thread),
            Err(_) => {
                drop(seats);
                let mut desk = lock(&self.shared.desk);
                desk.threads -= 1;
                desk.looking -= 1;
                let piece = desk.queue.pop_front();
                self.shared.publish(&desk);
                drop(desk);
                piece.into_iter().for_each(&*work);
            }
        }
    }
}

/// Why a thread ends.
enum End {
    Closed,
    Idle,
}

impl<T> Shared<T> {
    /// Does what is handed over, until the crew is closed, or has nothing to
    /// do for long.
    fn serve(&self, work: impl Fn(T)) -> End {
        let mut spins = Spins::default();
        // Counted among those who look by whoever started it.
        let mut desk = lock(&self.desk);
        loop {
            if let Some(piece) = desk.queue.pop_front() {
                desk.looking -= 1;
                self.publish(&desk);
                drop(desk);
                work(piece);
                desk = lock(&self.desk);
                desk.looking += 1;
            } else if desk.work.is_none() {
                return End::Closed;
            } else {
                match self.look(desk, &mut spins) {
                    Some(locked) => desk = locked,
                    None => return End::Idle,
                }
            }
        }
    }

    /// Returns with work in the queue or the crew closed, or for another
    /// look; `None` for a thread that has been parked for long, and is not
    /// counted any more.
    fn look<'a>(
        &'a self,
        desk: MutexGuard<'a, Desk<T>>,
        spins: &mut Spins,
    ) -> Option<MutexGuard<'a, Desk<T>>> {
        drop(desk);
        spins.patiently_until(|| self.queued.load(Ordering::Relaxed) > 0);
        let mut desk = lock(&self.desk);
        if !desk.queue.is_empty() {
            spins.waited(None);
            return Some(desk);
        }
        let parked = Instant::now();
        desk.looking -= 1;
        desk.parked += 1;
        while desk.calls == 0 && desk.work.is_some() {
            desk = match desk.stays(parked) {
                None => wait(&self.called, desk),
                // Nobody counts on it: it was not called.
                Some(Duration::ZERO) => {
                    desk.parked -= 1;
                    desk.threads -= 1;
                    return None;
                }
                Some(left) => {
                    wait_at_most(&self.desk, &self.called, desk, left)
                }
            };
        }
        desk.calls = desk.calls.saturating_sub(1);
        desk.parked -= 1;
        desk.looking += 1;
        spins.waited(Some(parked));
        Some(desk)
    }

    /// A thread is about to end, after its hooks: whoever comes then may have
    /// its number.
    fn leave(&self, seat: usize) {
        let last = lock(&self.seats).leave(seat);
        join_all(last);
    }

    fn close(&self) {
        let work = lock(&self.desk).work.take();
        self.called.notify_all();
        drop(work);
    }

    fn publish(&self, desk: &Desk<T>) {
        self.queued.store(desk.queue.len(), Ordering::Relaxed);
    }
}

impl<T> Desk<T> {
    /// What is needed for the pieces in the queue. A thread that is to be
    /// started counts as one that looks. `None` also where all threads are at
    /// work: then one of them looks when it is done with what it does.
    fn need(&mut self) -> Option<Need> {
        if self.has_takers() {
            return None;
        }
        if self.calls < self.parked {
            return Some(Need::Call);
        }
        let may_start = self.threads < self.most;
        may_start.then(|| {
            self.threads += 1;
            self.looking += 1;
            Need::Thread
        })
    }

    /// How much longer a thread stays that is parked since then. `None` for
    /// as long as the crew: no timer runs for it.
    fn stays(&self, parked: Instant) -> Option<Duration> {
        let keep_alive = self.keep_alive?;
        (self.threads > self.min_threads).then(|| {
            let now = Instant::now();
            keep_alive.saturating_sub(now.saturating_duration_since(parked))
        })
    }

    /// True if there are as many who come as there are pieces.
    fn has_takers(&self) -> bool {
        self.queue.len() <= self.looking + self.calls
    }
}

/// Takes no more work, does what was handed over, and waits until the threads
/// have ended.
///
/// A crew that is dropped by its own work does not wait for the thread that
/// does it.
impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        self.shared.close();
        let threads = lock(&self.shared.seats).clear();
        join_all(threads);
    }
}

impl<T> fmt::Debug for WayIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WayIn(..)")
    }
}

impl<T> fmt::Debug for WayOut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WayOut(..)")
    }
}

impl<T> fmt::Debug for Taker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taker(..)")
    }
}

impl<T> fmt::Debug for Crew<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seated = lock(&self.shared.seats).taken();
        let desk = lock(&self.shared.desk);
        f.debug_struct("Crew")
            .field("seated", &seated)
            .field("threads", &desk.threads)
            .field("parked", &desk.parked)
            .field("queued", &desk.queue.len())
            .finish_non_exhaustive()
    }
}
