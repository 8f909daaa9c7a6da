//! Jobs whose doing a test says, and what they did.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::Job;
use manyhands_durable::{
    Attempt, DurableJob, Failure, JobId, JobQueue, State, Status,
};
use serde::{Deserialize, Serialize};

/// After this long a wait has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a test has a job do.
type Script =
    dyn Fn(&str, &Attempt) -> Result<Option<String>, Failure> + Send + Sync;

/// A job: which lab it belongs to, and what it is called there.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) lab: u64,
    pub(crate) name: String,
}

/// Where jobs find what to do: they are data, and a test's closures are not.
static LABS: LazyLock<Mutex<HashMap<u64, Arc<Inner>>>> =
    LazyLock::new(Mutex::default);

pub(crate) struct Lab {
    number: u64,
    inner: Arc<Inner>,
}

struct Inner {
    script: Box<Script>,
    begun: Mutex<Vec<Begun>>,
    changed: Condvar,
}

/// An attempt that began.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) name: String,
    pub(crate) attempt: u32,
    pub(crate) at: Instant,
}

impl Lab {
    pub(crate) fn new(
        script: impl Fn(&str, &Attempt) -> Result<Option<String>, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            script: Box::new(script),
            begun: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut labs = LABS.lock().unwrap();
        let number = labs.len() as u64;
        labs.insert(number, Arc::clone(&inner));
        Self { number, inner }
    }

    /// Whose jobs all do well.
    pub(crate) fn idle() -> Self {
        Self::new(|_, _| Ok(None))
    }

    pub(crate) fn task(&self, name: impl Into<String>) -> Task {
        Task { lab: self.number, name: name.into() }
    }

    /// The attempts that began, in order.
    pub(crate) fn begun(&self) -> Vec<Begun> {
        self.inner.begun().clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.begun().into_iter().map(|it| it.name).collect()
    }

    /// Waits until so many attempts began.
    pub(crate) fn wait_for(&self, attempts: usize) -> Vec<Begun> {
        let begun = self.inner.begun();
        let (begun, timeout) = self
            .inner
            .changed
            .wait_timeout_while(begun, PATIENCE, |it| it.len() < attempts)
            .unwrap();
        let begun = begun.clone();
        assert!(!timeout.timed_out(), "not {attempts}, but {begun:?}");
        begun
    }
}

impl Inner {
    fn begun(&self) -> MutexGuard<'_, Vec<Begun>> {
        self.begun.lock().unwrap()
    }

    fn begin(&self, name: &str, attempt: u32) {
        let at = Instant::now();
        self.begun().push(Begun { name: name.into(), attempt, at });
        self.changed.notify_all();
    }
}

fn inner(lab: u64) -> Arc<Inner> {
    Arc::clone(&LABS.lock().unwrap()[&lab])
}

impl DurableJob for Task {
    const KIND: &'static str = "task";
    const MAX_ATTEMPTS: u32 = 5;
    type Output = Option<String>;

    fn run(self, attempt: &Attempt) -> Result<Option<String>, Failure> {
        let inner = inner(self.lab);
        inner.begin(&self.name, attempt.number());
        (inner.script)(&self.name, attempt)
    }
}

/// For pools, which know of no attempts.
impl Job for Task {
    type Output = ();

    fn run(self) {
        inner(self.lab).begin(&self.name, 1);
        if self.name == "panics" {
            panic!("as it should");
        }
    }
}

/// What opens once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        let (_open, timeout) = self
            .0
            .1
            .wait_timeout_while(open, PATIENCE, |open| !*open)
            .unwrap();
        assert!(!timeout.timed_out(), "the gate stayed closed");
    }
}

/// Waits until `found` gives something.
pub(crate) fn eventually<T, S: Debug>(
    what: &str,
    mut found: impl FnMut() -> Result<T, S>,
) -> T {
    let began = Instant::now();
    loop {
        match found() {
            Ok(found) => return found,
            Err(seen) if began.elapsed() > PATIENCE => {
                panic!("{what}: not after {PATIENCE:?}: {seen:?}")
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Waits until a job is in `state`.
pub(crate) fn reaches<J: DurableJob>(
    queue: &JobQueue<J>,
    id: JobId,
    state: State,
) -> Status {
    eventually(state.name(), || {
        let status = queue.status(id).unwrap();
        match status {
            Some(status) if status.state == state => Ok(status),
            other => Err(other),
        }
    })
}

/// Fails, with what was expected, if `run` does not end.
pub(crate) fn ends<T: Send + 'static>(
    what: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let _ = tell.send(run());
    });
    match told.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(_) if thread.is_finished() => {
            std::panic::resume_unwind(thread.join().unwrap_err())
        }
        Err(_) => panic!("{what}: not after {PATIENCE:?}"),
    }
}
