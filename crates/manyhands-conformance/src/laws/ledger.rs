//! Book-keeping: what was done to each job, and what came back for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use manyhands_core::{Completion, JobId, Outcome};

use crate::LawJob;
use crate::trial::{Result, Trial, ensure};

/// An account for each job of a check.
#[derive(Clone)]
pub(super) struct Ledger {
    accounts: Arc<[Account]>,
}

struct Account {
    /// The id under which the job was accepted, if it was, and if that is
    /// known: a batch does not tell.
    id: AtomicU64,
    /// How often it was run.
    runs: AtomicUsize,
    /// How often what it captured was dropped.
    kept: AtomicUsize,
    /// How often what it returned was dropped.
    given: AtomicUsize,
}

const REFUSED: u64 = u64::MAX;
const UNKNOWN: u64 = u64::MAX - 1;

/// What a job with an account throws: its number.
#[derive(Clone, Copy)]
pub(super) struct Thrown(pub(super) u64);

/// How many jobs came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) done: usize,
    /// With `Err`.
    pub(super) failed: usize,
    pub(super) panicked: usize,
    pub(super) cancelled: usize,
}

impl Ends {
    /// All done.
    pub(super) fn done(done: usize) -> Self {
        Self { done, ..Self::default() }
    }
}

impl Ledger {
    /// Accounts for the jobs 0 to `jobs`.
    pub(super) fn new(jobs: usize) -> Self {
        let account = |_| Account {
            id: AtomicU64::new(REFUSED),
            runs: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
        };
        Self { accounts: (0..jobs).map(account).collect() }
    }

    /// A job with an account. More steps may follow; running it counts from
    /// here.
    pub(super) fn job(&self, number: u64) -> LawJob {
        let ledger = self.clone();
        LawJob::new(number)
            .then(move || {
                ledger.account(number).runs.fetch_add(1, Ordering::SeqCst);
            })
            .keep(self.token(number, |account| &account.kept))
            .give(self.token(number, |account| &account.given))
    }

    /// Notes that a job was accepted, and under which id; a batch does not
    /// tell.
    pub(super) fn accept(&self, number: u64, id: Option<JobId>) {
        let id = id.map_or(UNKNOWN, JobId::get);
        self.account(number).id.store(id, Ordering::SeqCst);
    }

    /// Notes that a job was not accepted after all.
    pub(super) fn forget(&self, number: u64) {
        self.account(number).id.store(REFUSED, Ordering::SeqCst);
    }

    /// How often a job was run.
    pub(super) fn runs(&self, number: u64) -> usize {
        self.account(number).runs.load(Ordering::SeqCst)
    }

    /// How many jobs were run at least once.
    pub(super) fn ran(&self) -> usize {
        let ran = |account: &&Account| account.runs.load(Ordering::SeqCst) > 0;
        self.accounts.iter().filter(ran).count()
    }

    /// How often what a job captured was dropped.
    pub(super) fn kept_drops(&self, number: u64) -> usize {
        self.account(number).kept.load(Ordering::SeqCst)
    }

    /// How many jobs were accepted.
    pub(super) fn accepted(&self) -> usize {
        let accepted =
            |account: &&Account| account.id.load(Ordering::SeqCst) != REFUSED;
        self.accounts.iter().filter(accepted).count()
    }

    /// Compares what was received, which must be everything, with what was
    /// accepted: nothing lost, doubled, mixed up, or run though it came back.
    pub(super) fn settle(
        &self,
        trial: &Trial,
        received: Vec<Completion<LawJob>>,
    ) -> Result<Ends> {
        let accepted = self.accepted();
        let mut ends = Ends::default();
        let mut ids = BTreeSet::new();
        for Completion { id, outcome } in received {
            ensure!(trial, ids.insert(id), "{id} had two completions");
            let (what, number, runs) = match outcome {
                Outcome::Done(Err(error)) => {
                    ends.failed += 1;
                    ("error", error.number(), 1)
                }
                Outcome::Done(Ok(answer)) => {
                    ends.done += 1;
                    ensure!(
                        trial,
                        answer.is_whole(),
                        "{id} came back with an answer that was overwritten"
                    );
                    ("answer", answer.number(), 1)
                }
                Outcome::Cancelled(job) => {
                    ends.cancelled += 1;
                    ("cancellation", job.number(), 0)
                }
                Outcome::Panicked(panic) => {
                    ends.panicked += 1;
                    let thrown = panic.into_payload().downcast();
                    // Another payload is not this job's, and its panic
                    // none that is expected.
                    let Ok(thrown) = thrown else { continue };
                    let Thrown(number) = *thrown;
                    ("panic", number, 1)
                }
            };
            let account = self.account(number);
            let known = account.id.load(Ordering::SeqCst);
            ensure!(
                trial,
                known == id.get() || known == UNKNOWN,
                "{id} came back with the {what} of another job"
            );
            let ran = account.runs.load(Ordering::SeqCst);
            ensure!(
                trial,
                ran == runs,
                "{id} came back with its {what} and ran {ran} times"
            );
        }
        ensure!(
            trial,
            ids.len() == accepted,
            "{accepted} accepted jobs had {} completions",
            ids.len()
        );
        let last = ids.last().map_or(0, |id| id.get() + 1);
        ensure!(
            trial,
            last == accepted as u64,
            "the ids of {accepted} accepted jobs went up to {last}"
        );
        self.check_drops(trial)?;
        Ok(ends)
    }

    /// Every job and every answer is gone: each dropped once, and each job
    /// run once at most.
    pub(super) fn check_drops(&self, trial: &Trial) -> Result {
        for (number, account) in self.accounts.iter().enumerate() {
            let [runs, kept, given] =
                [&account.runs, &account.kept, &account.given]
                    .map(|count| count.load(Ordering::SeqCst));
            ensure!(trial, runs <= 1, "job {number} ran {runs} times");
            ensure!(
                trial,
                kept <= 1 && given <= 1 && kept == given,
                "job {number} was dropped {kept} times, \
                 its answer {given} times"
            );
            let accepted = account.id.load(Ordering::SeqCst) != REFUSED;
            ensure!(
                trial,
                kept == 1 || !accepted,
                "job {number} was accepted and never dropped"
            );
            ensure!(
                trial,
                runs == 0 || accepted,
                "job {number} was refused and run all the same"
            );
        }
        Ok(())
    }

    fn account(&self, number: u64) -> &Account {
        &self.accounts[number as usize]
    }

    fn token(
        &self,
        number: u64,
        count: fn(&Account) -> &AtomicUsize,
    ) -> impl Send + 'static {
        Token { ledger: self.clone(), number, count }
    }
}

/// Counts its own drop.
struct Token {
    ledger: Ledger,
    number: u64,
    count: fn(&Account) -> &AtomicUsize,
}

impl Drop for Token {
    fn drop(&mut self) {
        let account = self.ledger.account(self.number);
        (self.count)(account).fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::mem::forget;

    use manyhands_core::{Job, Panic};

    use super::*;
    use crate::Answer;

    const ID: JobId = JobId::new(0);

    /// What is said of a pool whose one accepted job has this completion.
    fn said_of(outcome: impl FnOnce(&Ledger) -> Outcome<LawJob>) -> String {
        let trial = Trial::without_a_pool();
        let ledger = Ledger::new(1);
        ledger.accept(0, Some(ID));
        let completion = Completion { id: ID, outcome: outcome(&ledger) };
        let settled = ledger.settle(&trial, vec![completion]);
        let said = trial.failure().unwrap_or_default();
        assert_eq!(settled.is_ok(), said.is_empty(), "{said}");
        said
    }

    /// What is said of the jobs as such, whatever came back.
    fn said_of_jobs(act: impl FnOnce(&Ledger)) -> String {
        let trial = Trial::without_a_pool();
        let ledger = Ledger::new(1);
        act(&ledger);
        let checked = ledger.check_drops(&trial);
        let said = trial.failure().unwrap_or_default();
        assert_eq!(checked.is_ok(), said.is_empty(), "{said}");
        said
    }

    #[test]
    fn a_job_that_ran_once_is_in_order() {
        assert_eq!(said_of(|it| Outcome::Done(it.job(0).run())), "");
        assert_eq!(said_of_jobs(|it| drop(it.job(0))), "");
    }

    #[test]
    fn a_panic_is_its_job_s_own() {
        let thrown = |number| Panic::new(Box::new(Thrown(number)));
        let trial = Trial::without_a_pool();
        let ledger = Ledger::new(2);
        let received = [(0, 1), (1, 0)].map(|(id, number)| {
            let id = JobId::new(id);
            ledger.accept(id.get(), Some(id));
            drop(ledger.job(id.get()).run());
            let outcome = Outcome::Panicked(thrown(number));
            Completion { id, outcome }
        });
        assert!(ledger.settle(&trial, received.into()).is_err());
        let said = trial.failure().unwrap_or_default();
        assert!(said.ends_with("with the panic of another job"), "{said}");
        // One that never ran, too.
        let said = said_of(|_| Outcome::Panicked(thrown(0)));
        assert!(said.ends_with("with its panic and ran 0 times"), "{said}");
    }

    // No pool of safe code can do these: `run` takes the job.

    #[test]
    fn a_job_that_ran_twice_is_found() {
        let said = said_of(|ledger| {
            drop(ledger.job(0).run());
            Outcome::Done(ledger.job(0).run())
        });
        assert!(said.contains("came back with its answer"), "{said}");
        assert!(said.ends_with("ran 2 times"), "{said}");
        let said = said_of_jobs(|ledger| {
            drop(ledger.job(0).run());
            drop(ledger.job(0).run());
        });
        assert!(said.ends_with("job 0 ran 2 times"), "{said}");
    }

    #[test]
    fn a_job_that_ran_and_came_back_is_found() {
        let said = said_of(|ledger| {
            drop(ledger.job(0).run());
            Outcome::Cancelled(ledger.job(0))
        });
        let once = "came back with its cancellation and ran 1 times";
        assert!(said.ends_with(once), "{said}");
    }

    #[test]
    fn an_answer_that_was_overwritten_is_found() {
        let said = said_of(|_| Outcome::Done(Ok(Answer::overwritten(0))));
        assert!(said.ends_with("an answer that was overwritten"), "{said}");
    }

    #[test]
    fn a_job_that_was_dropped_twice_or_never_is_found() {
        let said = said_of_jobs(|ledger| {
            drop(ledger.job(0));
            drop(ledger.job(0));
        });
        let twice = "job 0 was dropped 2 times, its answer 2 times";
        assert!(said.ends_with(twice), "{said}");
        let said = said_of_jobs(|ledger| {
            ledger.accept(0, Some(ID));
            forget(ledger.job(0));
        });
        assert!(said.ends_with("was accepted and never dropped"), "{said}");
    }

    #[test]
    fn a_refused_job_that_ran_is_found() {
        let said = said_of_jobs(|ledger| drop(ledger.job(0).run()));
        assert!(said.ends_with("refused and run all the same"), "{said}");
    }
}
