//! Looks for a program that a pool does not keep to, and makes it smaller.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::{Config, Panic, WorkerPool};
use proptest::strategy::Strategy;
use proptest::test_runner::{
    Config as Settings, TestCaseError, TestError, TestRng, TestRunner,
};

use crate::job::Step;
use crate::program::Program;

pub(crate) type Pool = Box<dyn WorkerPool<Step>>;

/// A pool to be looked into.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) make: Arc<dyn Fn(Config) -> Pool + Send + Sync>,
    /// Declared by the variant: the first error is as good as a cancel.
    pub(crate) stops_on_error: bool,
    /// How long a program may take, which is milliseconds, before it hangs.
    pub(crate) patience: Duration,
}

/// What was found: the smallest program, and what went wrong.
#[derive(Debug)]
pub(crate) struct Finding<P> {
    pub(crate) program: P,
    pub(crate) fault: String,
}

/// What a program does to a pool, and whether that was right.
pub(crate) type Play<P> = fn(&Subject, &P) -> Result<(), String>;

/// Plays so many programs, other ones each time.
pub(crate) fn search<P: Program>(
    subject: &Subject,
    programs: impl Strategy<Value = P>,
    play: Play<P>,
    count: u32,
) -> Option<Finding<P>> {
    let runner = TestRunner::new(settings(count));
    look(runner, subject, programs, play)
}

/// Plays so many programs, the same ones each time.
pub(crate) fn search_the_same<P: Program>(
    subject: &Subject,
    programs: impl Strategy<Value = P>,
    play: Play<P>,
    count: u32,
) -> Option<Finding<P>> {
    let settings = settings(count);
    let random = TestRng::deterministic_rng(settings.rng_algorithm);
    let runner = TestRunner::new_with_rng(settings, random);
    look(runner, subject, programs, play)
}

fn settings(count: u32) -> Settings {
    Settings {
        cases: count,
        failure_persistence: None,
        // Beyond that, a fault that hangs would take too long to be shown.
        max_shrink_time: 10_000,
        ..Settings::default()
    }
}

fn look<P: Program>(
    mut runner: TestRunner,
    subject: &Subject,
    programs: impl Strategy<Value = P>,
    play: Play<P>,
) -> Option<Finding<P>> {
    let found = runner.run(&programs, |program| {
        watched(subject, program, play).map_err(TestCaseError::fail)
    });
    match found {
        Ok(()) => None,
        Err(TestError::Fail(fault, program)) => {
            let fault = fault.to_string();
            Some(reduce(subject, Finding { program, fault }, play))
        }
        Err(TestError::Abort(why)) => panic!("no program: {why}"),
    }
}

/// Takes step after step, as long as what is left still fails. (The search
/// leaves out calls only before it makes the calls themselves simpler, and
/// plays each program once, which with a race is not enough.)
fn reduce<P: Program>(
    subject: &Subject,
    mut found: Finding<P>,
    play: Play<P>,
) -> Finding<P> {
    /// How often a program is played before it counts as one that does not
    /// fail.
    const PLAYS: usize = 50;
    /// When what is left has to do.
    const TIME: Duration = Duration::from_secs(10);
    let since = Instant::now();
    let fails = |program: P| {
        let fault = (0..PLAYS)
            .take_while(|_| since.elapsed() < TIME)
            .find_map(|_| watched(subject, program.clone(), play).err());
        fault.map(|fault| Finding { program, fault })
    };
    while let Some(simpler) =
        found.program.simpler().into_iter().find_map(fails)
    {
        found = simpler;
    }
    found
}

/// Plays a program on a thread of its own, which is left behind if it hangs.
fn watched<P: Send + 'static>(
    subject: &Subject,
    program: P,
    play: Play<P>,
) -> Result<(), String> {
    let (tell, told) = channel();
    let patience = subject.patience;
    let subject = subject.clone();
    let thread = thread::spawn(move || {
        let played = contained(|| play(&subject, &program));
        // Whether anybody still waits makes no difference here.
        let _ = tell.send(played);
    });
    match told.recv_timeout(patience) {
        Ok(played) => {
            thread.join().unwrap();
            played
        }
        Err(RecvTimeoutError::Timeout) => {
            Err(format!("still waiting after {patience:?}"))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err("the thread of the program died".to_owned())
        }
    }
}

/// Calls it, and makes an error of a panic, of which nothing is left to be
/// dropped: a payload may panic once more then, and where a thread's result
/// is dropped, that would end the process.
pub(crate) fn contained<T>(
    call: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        Err(format!("panicked: {}", Panic::new(payload).message()))
    })
}
