//! A queue in a file: several processes, killed ones, and the application's
//! own transactions.
//!
//! A process is this program again: it runs the one test that is named, and
//! finds what to do in the environment.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use manyhands_durable::sqlite::{self, rusqlite};
use manyhands_durable::{
    Attempt, Backoff, Builder, DurableJob, Failure, Filter, JobId, JobQueue,
    State, Submission,
};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

const ROLE: &str = "MANYHANDS_TEST_ROLE";
const FOLDER: &str = "MANYHANDS_TEST_FOLDER";

/// Writes that it was run, into the ledger at its path.
#[derive(Serialize, Deserialize)]
struct Note {
    number: u32,
    ledger: PathBuf,
    /// Ends only with its process.
    hangs: bool,
}

impl DurableJob for Note {
    const KIND: &'static str = "note";
    const MAX_ATTEMPTS: u32 = 3;
    type Output = u32;

    fn run(self, attempt: &Attempt) -> Result<u32, Failure> {
        let line = format!("{} {}\n", self.number, attempt.number());
        let mut ledger =
            OpenOptions::new().create(true).append(true).open(&self.ledger)?;
        // One write, so that lines of several processes do not mix.
        ledger.write_all(line.as_bytes())?;
        while self.hangs && attempt.number() == 1 {
            std::thread::park();
        }
        Ok(self.number)
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn note(&self, number: u32) -> Note {
        Note { number, ledger: self.ledger(), hangs: false }
    }

    fn ledger(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    fn path(&self) -> PathBuf {
        path(self.0.path())
    }

    /// How often each note was begun.
    fn begun(&self) -> HashMap<u32, u32> {
        let mut begun = HashMap::new();
        let lines = fs::read_to_string(self.ledger()).unwrap_or_default();
        for line in lines.lines() {
            let (number, _) = line.split_once(' ').unwrap();
            *begun.entry(number.parse().unwrap()).or_default() += 1;
        }
        begun
    }

    /// Another process, which runs `test` and plays a role in it.
    fn process(&self, test: &str, role: &str) -> Process {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        command
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(FOLDER, self.0.path())
            .stdout(Stdio::null());
        Process(command.spawn().unwrap())
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("jobs.db")
}

/// Killed if the test fails.
struct Process(Child);

impl Process {
    fn ends(&mut self) {
        let mut status = None;
        eventually("a process ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{status:?}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What this process is to play, if it is not the test's own.
fn role() -> Option<(String, PathBuf)> {
    let role = std::env::var(ROLE).ok()?;
    Some((role, std::env::var_os(FOLDER)?.into()))
}

fn builder(workers: usize) -> Builder<Note> {
    JobQueue::builder()
        .workers(workers)
        .lease(Duration::from_secs(3))
        .poll(Duration::from_millis(200))
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "not yet: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_drained(queue: &JobQueue<Note>) -> bool {
    queue.counts().unwrap().unfinished() == 0
}

#[test]
fn two_processes_do_no_job_twice() {
    const JOBS: u32 = 2000;
    if let Some((_, folder)) = role() {
        let queue = builder(4).sqlite(path(&folder)).unwrap();
        queue.start().unwrap();
        eventually("all are done", || is_drained(&queue));
        queue.stop();
        return;
    }
    let at = Place::new();
    let queue = builder(1).sqlite(at.path()).unwrap();
    let notes = (0..JOBS).map(|number| (at.note(number), Submission::new()));
    queue.submit_all(notes).unwrap();
    let test = "two_processes_do_no_job_twice";
    let mut processes = [at.process(test, "works"), at.process(test, "works")];
    processes.iter_mut().for_each(Process::ends);
    let begun = at.begun();
    assert_eq!(begun.len() as u32, JOBS);
    assert!(begun.values().all(|times| *times == 1), "{begun:?}");
    assert_eq!(queue.counts().unwrap().done, u64::from(JOBS));
}

#[test]
fn processes_make_a_fresh_file_together() {
    const PROCESSES: u32 = 6;
    if let Some((role, folder)) = role() {
        let queue = builder(1).sqlite(path(&folder)).unwrap();
        let number = role.parse().unwrap();
        let ledger = folder.join("ledger");
        queue.submit(Note { number, ledger, hangs: false }).unwrap();
        return;
    }
    let at = Place::new();
    let test = "processes_make_a_fresh_file_together";
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|number| at.process(test, &number.to_string()))
        .collect();
    processes.iter_mut().for_each(Process::ends);
    let queue = builder(1).sqlite(at.path()).unwrap();
    assert_eq!(queue.counts().unwrap().ready, u64::from(PROCESSES));
}

#[test]
fn the_jobs_of_a_killed_process_come_back_after_their_lease() {
    if let Some((_, folder)) = role() {
        let queue = builder(2).sqlite(path(&folder)).unwrap();
        queue.start().unwrap();
        loop {
            std::thread::park();
        }
    }
    let at = Place::new();
    let queue = builder(2).sqlite(at.path()).unwrap();
    let ids: Vec<JobId> = (0..2)
        .map(|number| {
            let note = Note { hangs: true, ..at.note(number) };
            queue.submit(note).unwrap()
        })
        .collect();
    let test = "the_jobs_of_a_killed_process_come_back_after_their_lease";
    let mut process = at.process(test, "works");
    eventually("both are begun", || at.begun().len() == 2);
    let status = |id: JobId| queue.status(id).unwrap().unwrap();
    assert!(ids.iter().all(|id| status(*id).state == State::Running));
    process.0.kill().unwrap();
    let killed = Instant::now();
    queue.start().unwrap();
    eventually("both are done", || is_drained(&queue));
    let took = killed.elapsed();
    // The lease was renewed within its last third; then to the second's end.
    assert!(took > Duration::from_millis(1500), "{took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    for id in ids {
        let status = status(id);
        assert_eq!((status.state, status.attempts), (State::Done, 2));
    }
}

#[test]
fn a_job_that_kills_its_process_is_dead_in_time() {
    if let Some((_, folder)) = role() {
        let queue = builder(1).sqlite(path(&folder)).unwrap();
        queue.start().unwrap();
        loop {
            std::thread::park();
        }
    }
    let at = Place::new();
    let queue = builder(1).sqlite(at.path()).unwrap();
    let how = Submission::new().max_attempts(1).key("killer");
    let note = Note { hangs: true, ..at.note(0) };
    let id = queue.submit_with(note, how.clone()).unwrap();
    let test = "a_job_that_kills_its_process_is_dead_in_time";
    let mut process = at.process(test, "works");
    eventually("it is begun", || at.begun().len() == 1);
    process.0.kill().unwrap();
    queue.start().unwrap();
    eventually("it is dead", || is_drained(&queue));
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Dead, 1));
    let error = status.last_error.unwrap();
    assert!(error.contains("its worker vanished"), "{error}");
    assert!(status.job.unwrap().contains("ledger"));
    // Its key is still its own; and it can be driven again.
    assert_eq!(queue.submit_with(at.note(1), how).unwrap(), id);
    assert_eq!(queue.retry(Filter::new().state(State::Dead)).unwrap(), 1);
    eventually("it is begun again", || at.begun()[&0] == 2);
    // It hangs in its first attempt, which this is again.
    let hangs = queue.stop_within(Duration::from_millis(10));
    assert_eq!(hangs.abandoned, 1);
}

#[test]
fn what_was_stored_is_there_when_the_file_is_opened_again() {
    let at = Place::new();
    let queue = builder(1).sqlite(at.path()).unwrap();
    let how = Submission::new().key("one").priority(3);
    let id = queue.submit_with(at.note(1), how).unwrap();
    queue.stop();
    drop(queue);
    let queue = builder(1).sqlite(at.path()).unwrap();
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.priority), (State::Ready, 3));
    queue.start().unwrap();
    eventually("it is done", || is_drained(&queue));
    assert_eq!(queue.output::<u32>(id).unwrap(), Some(1));
    drop(queue);
    let queue = builder(1).sqlite(at.path()).unwrap();
    assert_eq!(queue.output::<u32>(id).unwrap(), Some(1));
}

#[test]
fn a_transaction_of_the_application_holds_its_jobs() {
    let at = Place::new();
    let mut conn = Connection::open(at.path()).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    conn.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        .unwrap();
    sqlite::attach(&conn).unwrap();
    sqlite::attach(&conn).unwrap();
    // With this poll nobody would find a job by chance.
    let queue = builder(1).poll(Duration::from_secs(60));
    let queue = queue.sqlite(at.path()).unwrap();
    queue.start().unwrap();
    let mut submit = |number: u32, commits: bool| {
        let tx = conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        tx.execute("INSERT OR IGNORE INTO orders (id) VALUES (?1)", [number])
            .unwrap();
        let how = Submission::new().key(number.to_string());
        let id = sqlite::submit_in(&tx, &at.note(number), how).unwrap();
        if commits {
            tx.commit().unwrap();
        } else {
            tx.rollback().unwrap();
        }
        id
    };
    let gone = submit(1, false);
    let start = Instant::now();
    let id = submit(2, true);
    eventually("it is done", || is_drained(&queue) && at.begun().len() == 1);
    assert!(start.elapsed() < Duration::from_secs(20), "nobody was woken");
    assert_eq!(at.begun(), HashMap::from([(2, 1)]));
    assert_eq!(queue.output::<u32>(id).unwrap(), Some(2));
    // The number is free again, as the key is.
    assert_eq!(gone, id);
    assert_ne!(submit(1, true), id);
    assert_eq!(submit(2, true), id);
    queue.stop();
    let orders: i64 = conn
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(orders, 2);
}

#[test]
fn what_is_of_another_form_is_dead_with_a_reason() {
    let at = Place::new();
    let queue = builder(1).sqlite(at.path()).unwrap();
    let conn = Connection::open(at.path()).unwrap();
    sqlite::attach(&conn).unwrap();
    for payload in ["{\"v\":7,\"at\":0,\"job\":1}", "7", "{"] {
        let sql = "SELECT honker_enqueue('note', ?1, NULL, NULL, 0, 5, NULL)";
        conn.query_row(sql, [payload], |_| Ok(())).unwrap();
    }
    queue.start().unwrap();
    eventually("they are dead", || queue.counts().unwrap().dead == 3);
    let dead = queue.list(Filter::new()).unwrap();
    for status in &dead {
        assert_eq!((status.state, status.attempts), (State::Dead, 1));
        assert!(status.last_error.is_some());
    }
    let error = dead[0].last_error.as_deref().unwrap();
    assert!(error.contains("form 7"), "{error}");
}

/// The system lets a process write so much to a file, and no more.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_takes_no_job_and_loses_none() {
    let test = "a_disk_that_is_full_takes_no_job_and_loses_none";
    if let Some((_, folder)) = role() {
        let queue = builder(1).sqlite(path(&folder)).unwrap();
        let ledger = folder.join("ledger");
        let mut accepted = 0;
        for number in 0..100_000 {
            let note = Note { number, ledger: ledger.clone(), hangs: false };
            match queue.submit(note) {
                Ok(_) => accepted += 1,
                Err(refused) => {
                    let error = refused.error.to_string();
                    assert!(error.contains("jobs.db"), "{error}");
                    assert!(refused.error.is_transient(), "{error}");
                    break;
                }
            }
        }
        fs::write(folder.join("accepted"), accepted.to_string()).unwrap();
        return;
    }
    let at = Place::new();
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$@\"", "sh"])
        .arg(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, "writes")
        .env(FOLDER, at.0.path())
        .stdout(Stdio::null());
    Process(command.spawn().unwrap()).ends();
    let accepted = fs::read_to_string(at.0.path().join("accepted")).unwrap();
    let accepted: u64 = accepted.parse().unwrap();
    assert!((1..100_000).contains(&accepted), "{accepted}");
    let queue = builder(2).backoff(Backoff::default());
    let queue = queue.sqlite(at.path()).unwrap();
    assert_eq!(queue.counts().unwrap().ready, accepted);
    queue.start().unwrap();
    eventually("all are done", || is_drained(&queue));
    assert_eq!(at.begun().len() as u64, accepted);
}
