//! The entrance: which laws, for which pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use manyhands_core::{Config, WorkerPool};

use crate::trial::{self, Make, Pool};
use crate::{Law, LawJob, Report, Verdict};

/// Holds the pools that `make` makes to all laws.
///
/// `make` is called many times, with pool sizes of the kit's choice; it may
/// panic if it cannot build a pool, and the law at hand then counts as
/// broken. See the [crate's docs](crate) for an example.
///
/// [`Kit`] does the same with a choice of laws, or with a progress bar.
pub fn check_all<P>(
    make: impl Fn(Config) -> P + Send + Sync + 'static,
) -> Report
where
    P: WorkerPool<LawJob> + 'static,
{
    Kit::new().check(make)
}

/// Holds the pools that `make` makes to one law.
pub fn check<P>(
    law: Law,
    make: impl Fn(Config) -> P + Send + Sync + 'static,
) -> Verdict
where
    P: WorkerPool<LawJob> + 'static,
{
    trial::check(law, &erase(make), Kit::WATCHDOG)
}

/// A check with settings: which laws, how patient, and what to do meanwhile.
///
/// ```no_run
/// use manyhands_conformance::{Kit, Law};
/// # use manyhands_core::{Config, InlinePool};
/// # struct MyPool;
/// # impl MyPool {
/// #     fn new<J: manyhands_core::Job>(_: Config) -> InlinePool<J> {
/// #         InlinePool::new()
/// #     }
/// # }
///
/// let report = Kit::new()
///     .laws([Law::ExactWorkers, Law::ExactBound])
///     .on_verdict(|verdict| eprintln!("{verdict}"))
///     .check(|config| MyPool::new(config));
/// assert_eq!(report.verdicts().len(), 2);
/// ```
#[must_use = "a kit does nothing until `check` is called"]
pub struct Kit<'a> {
    laws: Vec<Law>,
    watchdog: Duration,
    on_verdict: Box<dyn FnMut(&Verdict) + 'a>,
}

impl<'a> Kit<'a> {
    /// How long a step of a check may take before it counts as hung. Steps
    /// take milliseconds; the rest is for a machine under load.
    const WATCHDOG: Duration = Duration::from_secs(10);

    /// All laws, and a watchdog of ten seconds.
    pub fn new() -> Self {
        Self {
            laws: Law::ALL.to_vec(),
            watchdog: Self::WATCHDOG,
            on_verdict: Box::new(|_| ()),
        }
    }

    /// Checks only these laws, in this order.
    pub fn laws(self, laws: impl IntoIterator<Item = Law>) -> Self {
        Self { laws: laws.into_iter().collect(), ..self }
    }

    /// How long a single step of a check may take before the kit gives up on
    /// it and reports what it was waiting for.
    pub fn watchdog(self, limit: Duration) -> Self {
        Self { watchdog: limit, ..self }
    }

    /// Calls back after each law, on the thread that called
    /// [`check`](Self::check).
    pub fn on_verdict(self, call: impl FnMut(&Verdict) + 'a) -> Self {
        Self { on_verdict: Box::new(call), ..self }
    }

    /// Holds the pools that `make` makes to the laws.
    pub fn check<P>(
        mut self,
        make: impl Fn(Config) -> P + Send + Sync + 'static,
    ) -> Report
    where
        P: WorkerPool<LawJob> + 'static,
    {
        let make = erase(make);
        let verdicts = self
            .laws
            .iter()
            .map(|&law| {
                let verdict = trial::check(law, &make, self.watchdog);
                (self.on_verdict)(&verdict);
                verdict
            })
            .collect();
        Report { verdicts }
    }
}

impl Default for Kit<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Kit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kit")
            .field("laws", &self.laws)
            .field("watchdog", &self.watchdog)
            .finish_non_exhaustive()
    }
}

/// The laws are compiled once and not once a pool type.
fn erase<P>(make: impl Fn(Config) -> P + Send + Sync + 'static) -> Make
where
    P: WorkerPool<LawJob> + 'static,
{
    Arc::new(move |config| Box::new(make(config)) as Pool)
}
