//! The queue on a PostgreSQL server: what is its own, and the facts of the
//! engine that it rests on.

#![cfg(feature = "postgres")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use manyhands_durable::{
    Attempt, Backoff, Builder, DurableJob, Error, Failure, Filter, JobId,
    JobQueue, Rate, State, Submission,
};
use serde::{Deserialize, Serialize};

const SERVER: &str = "MANYHANDS_TEST_POSTGRES";

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// A database of its own, gone with the test.
struct Database {
    url: String,
    server: String,
    name: String,
}

/// `None` where there is no server, which is said.
fn database(test: &str) -> Option<Database> {
    let Ok(server) = std::env::var(SERVER) else {
        println!(
            "skipped: {test}: set {SERVER} to a server's URL, as \
             .ci/postgres does"
        );
        return None;
    };
    Some(database_at(&server))
}

fn database_at(server: &str) -> Database {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let name = format!(
        "mh_{:x}_{:x}_{}",
        std::process::id(),
        now.unwrap().subsec_nanos(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    sql(server, &format!("create database {name}"));
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    Database { url, server: server.into(), name }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop =
            format!("drop database if exists {} with (force)", self.name);
        try_sql(&self.server, &drop).ok();
    }
}

impl Database {
    fn sql(&self, text: &str) -> Vec<Vec<Option<String>>> {
        sql(&self.url, text)
    }

    /// The only field of the only row.
    fn one(&self, text: &str) -> String {
        let rows = self.sql(text);
        rows[0][0].clone().unwrap_or_default()
    }

    fn queue<J: DurableJob>(
        &self,
        with: impl FnOnce(Builder<J>) -> Builder<J>,
    ) -> JobQueue<J> {
        let builder = JobQueue::builder().poll(Duration::from_millis(50));
        with(builder).postgres(&self.url).unwrap()
    }
}

fn sql(url: &str, text: &str) -> Vec<Vec<Option<String>>> {
    try_sql(url, text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn try_sql(
    url: &str,
    text: &str,
) -> Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> {
    block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let all = client.simple_query(text).await?;
        let rows = all.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(
                (0..row.len()).map(|at| row.get(at).map(Into::into)).collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Waits until `what` is so, and fails with `seen` if it is not in time.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What jobs did, by the test's name: tests share the process.
#[derive(Default)]
struct Board {
    events: Mutex<HashMap<String, Vec<String>>>,
    changed: Condvar,
}

static BOARD: LazyLock<Board> = LazyLock::new(Board::default);

impl Board {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, test: &str, event: impl Into<String>) {
        self.lock().entry(test.into()).or_default().push(event.into());
        self.changed.notify_all();
    }

    fn of(&self, test: &str) -> Vec<String> {
        self.lock().get(test).cloned().unwrap_or_default()
    }

    /// Waits until `event` was posted so often.
    #[track_caller]
    fn wait_for(&self, test: &str, event: &str, times: usize) {
        let began = Instant::now();
        let mut events = self.lock();
        loop {
            let seen = events
                .get(test)
                .map_or(0, |all| all.iter().filter(|it| *it == event).count());
            if seen >= times {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "'{event}' {seen} times and not {times}: {:?}",
                events.get(test)
            );
            events = self
                .changed
                .wait_timeout(events, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// A job that does as it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Task {
    test: String,
    name: String,
    act: Act,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Act {
    Give(i64),
    Fail,
    FailOnce,
    FailFor {
        millis: u64,
    },
    Die,
    Panic,
    /// Until somebody posts `go`, or its token is cancelled.
    Wait,
    Sleep {
        millis: u64,
    },
}

impl DurableJob for Task {
    const KIND: &'static str = "task";
    type Output = Option<i64>;

    fn run(self, attempt: &Attempt) -> Result<Option<i64>, Failure> {
        let Self { test, name, act } = self;
        BOARD.post(&test, format!("begin {name}"));
        let done =
            match act {
                Act::Give(number) => Ok(Some(number)),
                Act::Fail => Err(Failure::retry("as told")),
                Act::FailOnce if attempt.number() > 1 => Ok(None),
                Act::FailOnce => Err(Failure::retry("as told")),
                Act::FailFor { millis } => Err(Failure::retry("later")
                    .after(Duration::from_millis(millis))),
                Act::Die => Err(Failure::permanent("no use")),
                Act::Panic => panic!("as told"),
                Act::Wait => {
                    let began = Instant::now();
                    while !BOARD.of(&test).contains(&"go".into())
                        && !attempt.token().is_cancelled()
                        && began.elapsed() < PATIENCE
                    {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    Ok(None)
                }
                Act::Sleep { millis } => {
                    std::thread::sleep(Duration::from_millis(millis));
                    Ok(None)
                }
            };
        BOARD.post(&test, format!("end {name}"));
        done
    }
}

fn task(test: &str, name: impl Into<String>, act: Act) -> Task {
    Task { test: test.into(), name: name.into(), act }
}

#[track_caller]
fn wait_for_state(queue: &JobQueue<Task>, id: JobId, state: State) {
    wait_until(&format!("job {id} is {state}"), || {
        queue.status(id).unwrap().is_some_and(|it| it.state == state)
    });
}

#[test]
fn a_job_runs_and_what_it_gave_is_kept() {
    let test = "done";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let id = queue.submit(task(test, "a", Act::Give(42))).unwrap();
    let ready = queue.status(id).unwrap().unwrap();
    assert_eq!((ready.state, ready.attempts), (State::Ready, 0));
    assert!(ready.job.unwrap().contains("\"Give\""));
    queue.start().unwrap();
    wait_for_state(&queue, id, State::Done);
    let done = queue.status(id).unwrap().unwrap();
    assert_eq!((done.attempts, done.max_attempts), (1, 10));
    assert_eq!(done.job, None);
    assert!(done.finished_at.unwrap() >= done.submitted_at);
    assert_eq!(queue.output::<i64>(id).unwrap(), Some(42));
    let counts = queue.counts().unwrap();
    assert_eq!((counts.done, counts.unfinished()), (1, 0));
    let stopped = queue.stop();
    assert_eq!((stopped.given_back, stopped.abandoned), (0, 0));
    assert_eq!(queue.purge(Filter::new()).unwrap(), 1);
    assert_eq!(queue.status(id).unwrap(), None);
}

#[test]
fn many_are_stored_together_in_their_order() {
    let test = "many";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(4));
    let jobs = (0..500).map(|n| {
        let how = match n % 5 {
            0 => Submission::new().key(format!("key {}", n % 50)),
            1 => Submission::new().serial(format!("serial {}", n % 3)),
            2 => Submission::new().after(Duration::from_millis(300)),
            3 => Submission::new().priority(n as i16),
            _ => Submission::new(),
        };
        (task(test, format!("{n}"), Act::Give(n)), how)
    });
    let ids = queue.submit_all(jobs).unwrap();
    assert_eq!(ids.len(), 500);
    for (n, id) in ids.iter().enumerate() {
        if n % 5 == 0 {
            assert_eq!(*id, ids[n % 50], "the key of {n}");
        }
    }
    queue.start().unwrap();
    // A hundred have a key, and ten a key of their own.
    wait_until("all are done", || queue.counts().unwrap().done == 410);
    for (n, id) in ids.iter().enumerate() {
        let n = if n % 5 == 0 { n % 50 } else { n };
        assert_eq!(queue.output::<usize>(*id).unwrap(), Some(n));
    }
}
