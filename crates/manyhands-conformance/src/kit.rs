//! The entrance: which laws, for which pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use manyhands_core::{Config, WorkerPool};

use crate::trial::{self, Make, Pool};
use crate::{Check, Claim, Finding, Law, LawJob, Report, Verdict, laws};

/// Holds the pools that `make` makes to all laws.
///
/// `make` is called many times, with pool sizes of the kit's choice; it may
/// panic if it cannot build a pool, and the law at hand then counts as
/// broken. See the [crate's docs](crate) for an example.
///
/// [`Kit`] does the same with what the pool claims beyond the laws, with a
/// choice of laws, in a longer form, or with a progress bar.
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
    Kit::new().verdict(law.into(), &erase(make))
}

/// A check with settings: what the pool claims, which laws, how deep, how
/// patient, and what to do meanwhile.
///
/// ```no_run
/// use manyhands_conformance::{Claim, Depth, Kit};
/// # use manyhands_core::{Config, InlinePool};
/// # struct MyPool;
/// # impl MyPool {
/// #     fn new<J: manyhands_core::Job>(_: Config) -> InlinePool<J> {
/// #         InlinePool::new()
/// #     }
/// # }
///
/// Kit::new()
///     .claims([Claim::InOrder])
///     .depth(Depth::Deep)
///     .on_verdict(|verdict| eprintln!("{verdict}"))
///     .check(|config| MyPool::new(config))
///     .assert_passed();
/// ```
#[must_use = "a kit does nothing until `check` is called"]
pub struct Kit<'a> {
    /// These and no others.
    only: Option<Vec<Check>>,
    /// What the pool says of itself, if it says anything.
    claims: Option<Vec<Claim>>,
    depth: Depth,
    watchdog: Duration,
    on_verdict: Box<dyn FnMut(&Verdict) + 'a>,
}

/// How long a check goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// Pools of several sizes, and as many jobs as a second has room for.
    #[default]
    Default,
    /// Each law on every combination of 1, 2, 3 and 8 workers with queues of
    /// 0, 1, 2 and 64, and then with large numbers: hundreds of thousands of
    /// jobs, a thousand pools one after the other. Takes minutes.
    Deep,
}

impl<'a> Kit<'a> {
    /// How long a step of a check may take before it counts as hung. Steps
    /// take milliseconds; the rest is for a machine under load.
    const WATCHDOG: Duration = Duration::from_secs(10);

    /// All laws, for a pool that says nothing of itself beyond them, and a
    /// watchdog of ten seconds.
    pub fn new() -> Self {
        Self {
            only: None,
            claims: None,
            depth: Depth::Default,
            watchdog: Self::WATCHDOG,
            on_verdict: Box::new(|_| ()),
        }
    }

    /// What the pool claims, and is held to beside the laws. What it does not
    /// claim, it must not be; a pool that claims nothing may say so with an
    /// empty list.
    pub fn claims(self, claims: impl IntoIterator<Item = Claim>) -> Self {
        Self { claims: Some(claims.into_iter().collect()), ..self }
    }

    /// Checks only these laws, or claims, in this order.
    pub fn only<C: Into<Check>>(
        self,
        checks: impl IntoIterator<Item = C>,
    ) -> Self {
        let checks = checks.into_iter().map(Into::into).collect();
        Self { only: Some(checks), ..self }
    }

    /// How long the checks go on.
    pub fn depth(self, depth: Depth) -> Self {
        Self { depth, ..self }
    }

    /// How long a check may go without a single step before the kit gives up
    /// on it and reports what it was waiting for.
    pub fn watchdog(self, limit: Duration) -> Self {
        Self { watchdog: limit, ..self }
    }

    /// Calls back after each law and claim, on the thread that called
    /// [`check`](Self::check).
    pub fn on_verdict(self, call: impl FnMut(&Verdict) + 'a) -> Self {
        Self { on_verdict: Box::new(call), ..self }
    }

    /// Holds the pools that `make` makes to the laws, and to what they claim
    /// if they claim anything.
    pub fn check<P>(
        mut self,
        make: impl Fn(Config) -> P + Send + Sync + 'static,
    ) -> Report
    where
        P: WorkerPool<LawJob> + 'static,
    {
        let make = erase(make);
        let mut verdicts = Vec::new();
        for check in self.checks() {
            let verdict = self.verdict(check, &make);
            (self.on_verdict)(&verdict);
            verdicts.push(verdict);
        }
        Report { verdicts }
    }

    fn checks(&self) -> Vec<Check> {
        if let Some(only) = &self.only {
            return only.clone();
        }
        let laws = Law::ALL.into_iter().map(Check::Law);
        let claims = match self.claims {
            Some(_) => &Claim::ALL[..],
            None => &[],
        };
        laws.chain(claims.iter().copied().map(Check::Claim)).collect()
    }

    fn verdict(&self, check: Check, make: &Make) -> Verdict {
        let finding = match check {
            Check::Law(law) => {
                let name = format!("law {}", law.number());
                let plan = laws::plan(law);
                trial::check(name, plan, self.depth, make, self.watchdog)
            }
            Check::Claim(claim) => {
                let claims = self.claims.as_deref().unwrap_or_default();
                let claimed = claims.contains(&claim);
                let found = laws::plan_claim(claim, claimed).map(|plan| {
                    let name = "claim".to_owned();
                    trial::check(name, plan, self.depth, make, self.watchdog)
                });
                match found {
                    None => Finding::NotClaimed,
                    Some(Finding::Passed) if !claimed => Finding::NotClaimed,
                    Some(finding) => finding,
                }
            }
        };
        Verdict { check, finding }
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
            .field("checks", &self.checks())
            .field("claims", &self.claims)
            .field("depth", &self.depth)
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
