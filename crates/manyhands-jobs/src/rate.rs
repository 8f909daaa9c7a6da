//! How many jobs start in a second.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use manyhands_core::CancelToken;
#[cfg(feature = "tokio")]
use tokio::sync::Mutex;
#[cfg(feature = "tokio")]
use tokio::time::sleep;

use crate::rate_limited::RateLimited;
use crate::wait::pause;
#[cfg(feature = "tokio")]
use crate::wait_async::unless_cancelled;

/// How many jobs start in a second, whatever pool they go through.
///
/// A pool has a *cap*: so many run at once. A *rate* is something else, and
/// neither keeps the other: four workers start four thousand jobs of a
/// millisecond in a second, and of jobs of a minute that start ten a second,
/// six hundred run at once. A service that allows so many connections wants a
/// cap, one that allows so many requests a second a rate. Who wants both
/// submits jobs with a rate to a pool with that many workers.
///
/// ```
/// use std::num::NonZeroU32;
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_jobs::StartRate;
///
/// let a_second = NonZeroU32::new(1000).unwrap();
/// let rate = StartRate::per_second(a_second);
/// let jobs = (1..=5).map(|n| rate.job(move || n * n));
/// InlinePool::new().run_all(jobs, drop).unwrap();
/// ```
///
/// Clones are the same rate: jobs of several pools may share one, or jobs of
/// one kind within a pool.
///
/// # Burst
///
/// Starts are spaced evenly: ten a second are one each tenth of a second. With
/// a [burst](Self::burst) that many may start together after a rest, and the
/// rate holds over longer times. This is the generic cell rate algorithm, of
/// governor.
///
/// # Blocking
///
/// A job waits for its turn where it runs, since only there it is known that
/// it would start: it keeps its worker, which does nothing else. A pool that is
/// stopped does not end that: say [`until`](RateLimited::until) which token. Where some
/// jobs have a rate and others have none, the others wait behind them, and
/// want a pool of their own. In a pool of tasks, a worker that waits is no
/// thread, and there may be thousands. That face wants the feature `tokio`,
/// and a runtime with its timer enabled, as the pools' own have.
///
/// A wait is as exact as its timer, and that of a task counts in milliseconds:
/// at hundreds of starts a second, a burst makes up for what it rounds.
///
/// Tasks have their turns in the order in which they began to wait; one that
/// is next and is not polled keeps those behind it waiting. Threads have them
/// in no order: each looks again when a turn may be free.
///
/// # Cost
///
/// One allocation a rate; an atomic exchange a turn. Threads that wait look
/// once a turn each, tasks one after the other.
pub struct StartRate<C: Clock = DefaultClock> {
    turns: Arc<Turns<C>>,
}

struct Turns<C: Clock> {
    /// The time between two starts, and how many may be together.
    period: Duration,
    burst: NonZeroU32,
    limiter: Limiter<C>,
    /// Held by the task that waits for the next turn.
    #[cfg(feature = "tokio")]
    next: Mutex<()>,
}

type Limiter<C> = RateLimiter<
    NotKeyed,
    InMemoryState,
    C,
    NoOpMiddleware<<C as Clock>::Instant>,
>;

impl StartRate {
    /// So many starts a second, one after the other.
    pub fn per_second(rate: NonZeroU32) -> Self {
        Self::every(Duration::from_secs(1) / rate.get())
    }

    /// One start in this time: for rates below one a second.
    ///
    /// No less than a nanosecond; and what no program lives to see, a century
    /// say, may be taken for less.
    pub fn every(period: Duration) -> Self {
        Self::new(period, NonZeroU32::MIN, DefaultClock::default())
    }
}

impl<C: Clock + Clone> StartRate<C> {
    fn new(period: Duration, burst: NonZeroU32, clock: C) -> Self {
        let limiter =
            RateLimiter::direct_with_clock(quota(period, burst), clock);
        let turns = Turns {
            period,
            burst,
            limiter,
            #[cfg(feature = "tokio")]
            next: Mutex::new(()),
        };
        Self { turns: Arc::new(turns) }
    }

    /// A rate of the same period, at which so many may start together after a
    /// rest. To be said before there are jobs: those stay with the old one.
    pub fn burst(self, burst: NonZeroU32) -> Self {
        let clock = self.turns.limiter.clock().clone();
        Self::new(self.turns.period, burst, clock)
    }

    /// A rate of the same period and burst by another clock: in tests, one
    /// that is moved by hand. To be said before there are jobs.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    ///
    /// use manyhands_jobs::StartRate;
    /// use manyhands_jobs::governor::clock::FakeRelativeClock;
    ///
    /// let clock = FakeRelativeClock::default();
    /// let rate = StartRate::per_second(NonZeroU32::MIN).clock(clock.clone());
    /// assert_eq!(rate.try_start(), Ok(()));
    /// assert_eq!(rate.try_start(), Err(Duration::from_secs(1)));
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(rate.try_start(), Ok(()));
    /// ```
    pub fn clock<D: Clock + Clone>(self, clock: D) -> StartRate<D> {
        StartRate::new(self.turns.period, self.turns.burst, clock)
    }
}

impl<C: Clock> StartRate<C> {
    /// A job that starts at this rate.
    pub fn job<J>(&self, job: J) -> RateLimited<J, C> {
        RateLimited::new(self.clone(), job)
    }

    /// Takes a turn, if there is one. Does not wait.
    ///
    /// # Errors
    ///
    /// How long there is none yet. Somebody else may take it then.
    pub fn try_start(&self) -> Result<(), Duration> {
        let limiter = &self.turns.limiter;
        let until = |early: governor::NotUntil<_>| {
            early.wait_time_from(limiter.clock().now())
        };
        limiter.check().map_err(until)
    }

    /// Blocks until it has a turn. Returns false, without one, when the token
    /// is cancelled first.
    pub(crate) fn start(&self, token: Option<&CancelToken>) -> bool {
        if token.is_some_and(CancelToken::is_cancelled) {
            return false;
        }
        while let Err(early) = self.try_start() {
            if pause(token, early) {
                return false;
            }
        }
        true
    }

    /// [`start`](Self::start) in a task.
    #[cfg(feature = "tokio")]
    pub(crate) async fn start_async(&self, token: Option<&CancelToken>) -> bool
    where
        C: Send + Sync,
    {
        let waited = unless_cancelled(token, async {
            // Fair: who waits is served in order, and is one who waits.
            let _next = self.turns.next.lock().await;
            while let Err(early) = self.try_start() {
                sleep(early).await;
            }
        });
        waited.await.is_some()
    }
}

/// The quota, with what its arithmetic of 64 bits can hold.
fn quota(period: Duration, burst: NonZeroU32) -> Quota {
    /// Some seventy years: enough for a burst, and there is room for a sum.
    const MOST: u64 = u64::MAX / 8;
    let period = u64::try_from(period.as_nanos()).unwrap_or(MOST);
    let period = period.clamp(1, MOST);
    let most = u32::try_from(MOST / period).unwrap_or(u32::MAX);
    let burst = NonZeroU32::new(burst.get().min(most)).unwrap_or(burst);
    let quota = Quota::with_period(Duration::from_nanos(period));
    // Never absent, for the period is not zero.
    quota.unwrap_or(Quota::per_second(burst)).allow_burst(burst)
}

impl<C: Clock> Clone for StartRate<C> {
    fn clone(&self) -> Self {
        Self { turns: Arc::clone(&self.turns) }
    }
}

impl<C: Clock> fmt::Debug for StartRate<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartRate")
            .field("period", &self.turns.period)
            .field("burst", &self.turns.burst)
            .finish_non_exhaustive()
    }
}
