//! The one thread that writes.
//!
//! A commit costs a write that the disk confirms, whatever is in it. So all
//! that was asked for while the last commit was under way is in the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, ffi};

use super::Fault;
use super::file::{Link, explain, store, version};
use crate::store::Then;
use crate::{Error, crash};

/// For how long it counts that another connection wrote.
const OTHERS: Duration = Duration::from_secs(1);

/// For how long the file may be held, in all, before others get a chance.
const HOLD: Duration = Duration::from_millis(2);

/// As many at most in one transaction.
const MOST: usize = 512;

/// A transaction's part, done once or more often until it is committed.
pub(super) trait Task: Send {
    fn act(&mut self, conn: &Connection) -> Result<(), Fault>;

    /// Called once, with what came of it. True if something may be claimed
    /// now that could not before.
    fn answer(self: Box<Self>, outcome: Result<(), Error>);

    fn wakes(&self) -> bool;

    fn submits(&self) -> bool;
}

/// What a part gives, and whether something may be claimed by it.
pub(super) type Gives<T> = Result<(T, bool), Fault>;

struct Part<F, T> {
    act: F,
    gave: Option<(T, bool)>,
    submits: bool,
    then: Then<T>,
}

impl<F, T> Task for Part<F, T>
where
    F: FnMut(&Connection) -> Gives<T> + Send,
    T: Send,
{
    fn act(&mut self, conn: &Connection) -> Result<(), Fault> {
        self.gave = None;
        self.gave = Some((self.act)(conn)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Error>) {
        let gave = self.gave.map(|(gave, _)| gave);
        (self.then)(outcome.and_then(|()| {
            gave.ok_or_else(|| Error::Store("nothing was done".into()))
        }));
    }

    fn wakes(&self) -> bool {
        self.gave.as_ref().is_some_and(|(_, wakes)| *wakes)
    }

    fn submits(&self) -> bool {
        self.submits
    }
}

/// The thread, and the way to it.
pub(super) struct Writer {
    ask: Option<Sender<Box<dyn Task>>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl Writer {
    /// `bell` is called after each commit by which something may be claimed.
    pub(super) fn start(
        link: Link,
        bell: impl Fn() + Send + 'static,
    ) -> Result<Self, Error> {
        let (ask, asked) = channel();
        let path = link.path().to_owned();
        let thread = std::thread::Builder::new()
            .name("manyhands-sqlite".into())
            .spawn(move || Desk::new(link, bell).serve(asked))
            .map_err(|error| store(&path, &format!("no thread: {error}")))?;
        let id = thread.thread().id();
        Ok(Self { ask: Some(ask), thread: Some(thread), id })
    }

    /// Has it done, and calls `then`.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        submits: bool,
        act: impl FnMut(&Connection) -> Gives<T> + Send + 'static,
        then: Then<T>,
    ) {
        let part = Box::new(Part { act, gave: None, submits, then });
        let Some(ask) = &self.ask else { return };
        if let Err(back) = ask.send(part) {
            let ended = "the thread that writes has ended";
            back.0.answer(Err(Error::Store(ended.into())));
        }
    }

    /// Has it done, and waits.
    pub(super) fn call<T: Send + 'static>(
        &self,
        act: impl FnMut(&Connection) -> Gives<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let then = move |outcome| {
            let _ = tell.send(outcome);
        };
        self.ask(false, act, Box::new(then));
        told.recv().unwrap_or_else(|_| {
            Err(Error::Unknown("the thread that writes has ended".into()))
        })
    }
}

impl Drop for Writer {
    /// What was asked for is done first.
    fn drop(&mut self) {
        drop(self.ask.take());
        // The last owner may be a callback, on the thread itself.
        if std::thread::current().id() == self.id {
            return;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Desk {
    link: Link,
    bell: Box<dyn Fn() + Send>,
    /// Another when another connection has written; none was seen yet.
    version: Option<i64>,
    /// When one did.
    others: Option<Instant>,
    /// For how long the file was held since others had a chance.
    held: Duration,
}

impl Desk {
    fn new(link: Link, bell: impl Fn() + Send + 'static) -> Self {
        let (bell, held) = (Box::new(bell), Duration::ZERO);
        Self { link, bell, version: None, others: None, held }
    }

    fn serve(mut self, asked: Receiver<Box<dyn Task>>) {
        while let Ok(first) = asked.recv() {
            let mut tasks = vec![first];
            while tasks.len() < MOST
                && let Ok(next) = asked.try_recv()
            {
                tasks.push(next);
            }
            self.perform(tasks);
            self.let_others();
        }
    }

    /// Who waits for the file's lock looks now and then whether it is free. It
    /// would hardly ever be, where the next transaction is ready when the last
    /// one ends; so others that write find it free for a quarter of the time.
    fn let_others(&mut self) {
        let conn = self.link.get().ok();
        let version = conn.and_then(|conn| version(conn).ok());
        let version = version.or(self.version);
        let now = Instant::now();
        let before = std::mem::replace(&mut self.version, version);
        if before.is_some_and(|before| Some(before) != version) {
            self.others = Some(now);
        }
        if self.held >= HOLD {
            if self.others.is_some_and(|at| now - at < OTHERS) {
                std::thread::sleep(self.held / 3);
            }
            self.held = Duration::ZERO;
        }
    }

    fn perform(&mut self, mut tasks: Vec<Box<dyn Task>>) {
        match self.commit(&mut tasks) {
            Ok(()) => {
                if tasks.iter().any(|task| task.wakes()) {
                    (self.bell)();
                }
                answer(tasks, &Ok(()));
            }
            // One that cannot be done must not undo the others.
            Err(Failed::Part(_)) if tasks.len() > 1 => {
                for task in tasks {
                    self.perform(vec![task]);
                }
            }
            Err(Failed::Part(error) | Failed::All(error)) => {
                answer(tasks, &Err(error));
            }
        }
    }

    fn commit(&mut self, tasks: &mut [Box<dyn Task>]) -> Result<(), Failed> {
        let conn = self.link.get().map_err(Failed::All)?;
        let done = transact(conn, tasks, &mut self.held);
        if done.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        let path = self.link.path();
        done.map_err(|failed| match failed {
            Fail::Begin(error) => Failed::All(store(path, &explain(&error))),
            Fail::Part(fault) => Failed::Part(fault.at(path)),
            Fail::Commit(error) if is_certain(&error) => {
                Failed::Part(store(path, &explain(&error)))
            }
            // All was written, and perhaps it is on the disk.
            Fail::Commit(error) => Failed::All(Error::Unknown(format!(
                "{}: {}",
                path.display(),
                explain(&error)
            ))),
        })?;
        // Written it is, but perhaps to a file that nobody will find.
        let there = self.link.is_there();
        there.map_err(|error| Failed::All(Error::Unknown(error.to_string())))
    }
}

enum Fail {
    Begin(rusqlite::Error),
    Part(Fault),
    Commit(rusqlite::Error),
}

enum Failed {
    /// For a reason that may be one task's.
    Part(Error),
    All(Error),
}

fn transact(
    conn: &Connection,
    tasks: &mut [Box<dyn Task>],
    held: &mut Duration,
) -> Result<(), Fail> {
    conn.execute_batch("BEGIN IMMEDIATE").map_err(Fail::Begin)?;
    let began = Instant::now();
    for task in tasks.iter_mut() {
        // All wait for this thread: it must not end with one of them.
        let acted = catch_unwind(AssertUnwindSafe(|| task.act(conn)));
        let acted = acted.unwrap_or_else(|payload| {
            manyhands_core::discard(payload);
            Err(Fault::Told("a part of a transaction panicked".into()))
        });
        acted.map_err(Fail::Part)?;
    }
    let submits = tasks.iter().any(|task| task.submits());
    if submits {
        crash::point("before-enqueue-commit");
    }
    conn.execute_batch("COMMIT").map_err(Fail::Commit)?;
    *held += began.elapsed();
    if submits {
        crash::point("after-enqueue-before-ack");
    }
    Ok(())
}

/// True if a commit that failed so is undone. After others, such as a sync
/// that failed, it may still be found when the file is opened again.
fn is_certain(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|it| it.extended_code);
    extended == Some(ffi::SQLITE_IOERR_WRITE)
        || error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure)
}

fn answer(tasks: Vec<Box<dyn Task>>, outcome: &Result<(), Error>) {
    for task in tasks {
        let outcome = outcome.clone();
        // What others do with the answer must not end this thread.
        let told = catch_unwind(AssertUnwindSafe(|| task.answer(outcome)));
        told.unwrap_or_else(manyhands_core::discard);
    }
}

/// Wakes who waits for jobs.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    ring: std::sync::Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut rung =
            self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        *rung += 1;
        self.ring.notify_all();
    }

    /// Waits for `time` at most, if it did not ring since `seen`.
    pub(super) fn wait(&self, seen: u64, time: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (rung, _) = self
            .ring
            .wait_timeout_while(rung, time, |rung| *rung == seen)
            .unwrap_or_else(PoisonError::into_inner);
        *rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_alone_leaves_no_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        let mut desk = Desk::new(Link::create(&path).unwrap(), || ());
        let write = |conn: &Connection| {
            conn.execute_batch("CREATE TABLE one (a); DROP TABLE one")
                .unwrap();
        };
        desk.let_others();
        write(desk.link.get().unwrap());
        desk.let_others();
        assert_eq!(desk.others, None);

        write(&Connection::open(&path).unwrap());
        desk.let_others();
        assert!(desk.others.is_some());
    }
}
