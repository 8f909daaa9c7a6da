//! The queue on a PostgreSQL server: what is its own, and the facts of the
//! engine that it rests on.

#![cfg(feature = "postgres")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use manyhands_durable::{
    Attempt, Backoff, Builder, DurableJob, Failure, Filter, JobId, JobQueue,
    Rate, State, Submission,
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

#[test]
fn a_key_is_one_job_until_it_is_purged() {
    let test = "key";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let submit = || {
        let how = Submission::new().key("it's \"one\"");
        queue.submit_with(task(test, "a", Act::Give(1)), how).unwrap()
    };
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(submit)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    queue.start().unwrap();
    wait_for_state(&queue, ids[0], State::Done);
    assert_eq!(submit(), ids[0], "also when it is done");
    let done = queue.status(ids[0]).unwrap().unwrap();
    assert_eq!(done.key.as_deref(), Some("it's \"one\""));
    assert_eq!(queue.purge(Filter::new()).unwrap(), 1);
    assert_ne!(submit(), ids[0]);
}

#[test]
fn serial_jobs_run_one_at_a_time_in_their_order() {
    let test = "serial";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(8));
    let serial = || Submission::new().serial("s");
    let job = |n: usize| {
        (task(test, format!("{n}"), Act::Sleep { millis: 1 }), serial())
    };
    queue.submit_all((0..20).map(job)).unwrap();
    for n in 20..30 {
        let (task, how) = job(n);
        queue.submit_with(task, how).unwrap();
    }
    queue.start().unwrap();
    wait_until("all are done", || queue.counts().unwrap().done == 30);
    let wanted: Vec<_> = (0..30)
        .flat_map(|n| [format!("begin {n}"), format!("end {n}")])
        .collect();
    assert_eq!(BOARD.of(test), wanted);
}

#[test]
fn the_greater_priority_runs_first() {
    let test = "priority";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(1));
    let jobs = [0, i16::MIN, 7, i16::MAX, -3, 7].map(|priority| {
        let how = Submission::new().priority(priority);
        (task(test, format!("{priority}"), Act::Give(0)), how)
    });
    let ids = queue.submit_all(jobs).unwrap();
    let status = queue.status(ids[3]).unwrap().unwrap();
    assert_eq!(status.priority, i16::MAX);
    queue.start().unwrap();
    wait_until("all are done", || queue.counts().unwrap().done == 6);
    let mut begun = BOARD.of(test);
    begun.retain(|it| it.starts_with("begin"));
    let wanted = ["32767", "7", "7", "0", "-3", "-32768"];
    assert_eq!(begun, wanted.map(|it| format!("begin {it}")));
}

#[test]
fn a_job_for_later_waits_for_its_time() {
    let test = "later";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(1));
    queue.start().unwrap();
    let delay = Duration::from_millis(600);
    let after = Submission::new().after(delay);
    let at = Submission::new().at(SystemTime::now() + delay);
    let began = Instant::now();
    let ids = [after, at].map(|how| {
        queue.submit_with(task(test, "a", Act::Give(0)), how).unwrap()
    });
    for id in ids {
        let status = queue.status(id).unwrap().unwrap();
        assert_eq!(status.state, State::Scheduled);
    }
    BOARD.wait_for(test, "begin a", 1);
    // `at` is by the server's clock, which shows milliseconds.
    assert!(began.elapsed() >= delay - Duration::from_millis(2));
    BOARD.wait_for(test, "begin a", 2);
}

#[test]
fn a_failure_waits_for_the_backoff_that_was_said() {
    let test = "backoff";
    let Some(database) = database(test) else { return };
    let first = Duration::from_secs(300);
    let queue = database.queue::<Task>(|it| {
        it.workers(1).backoff(Backoff::exponential(first, first * 8))
    });
    let id = queue.submit(task(test, "a", Act::Fail)).unwrap();
    let longer = queue
        .submit(task(test, "b", Act::FailFor { millis: 3_600_000 }))
        .unwrap();
    queue.start().unwrap();
    for (id, least) in [(id, first), (longer, Duration::from_secs(3600))] {
        wait_for_state(&queue, id, State::Scheduled);
        let status = queue.status(id).unwrap().unwrap();
        assert_eq!(status.attempts, 1);
        let wait = status.run_at.duration_since(SystemTime::now()).unwrap();
        let slack = Duration::from_secs(30);
        assert!(wait > least - slack, "{wait:?}");
        assert!(wait < least + least / 10 + slack, "{wait:?}");
    }
    let error = queue.status(id).unwrap().unwrap().last_error;
    assert_eq!(error.as_deref(), Some("as told"));
    // The second wait is twice the first.
    database.sql("update graphile_worker._private_jobs set run_at = now()");
    BOARD.wait_for(test, "end a", 2);
    wait_for_state(&queue, id, State::Scheduled);
    let run_at = queue.status(id).unwrap().unwrap().run_at;
    let wait = run_at.duration_since(SystemTime::now()).unwrap();
    assert!(wait > first * 2 - Duration::from_secs(30), "{wait:?}");
}

#[test]
fn a_failed_job_is_tried_again_until_it_is_done() {
    let test = "again";
    let Some(database) = database(test) else { return };
    let short = Duration::from_millis(20);
    let queue = database.queue::<Task>(|it| {
        it.workers(2).backoff(Backoff::exponential(short, short))
    });
    queue.start().unwrap();
    let how = Submission::new().serial("one");
    let id = queue.submit_with(task(test, "a", Act::FailOnce), how).unwrap();
    wait_for_state(&queue, id, State::Done);
    assert_eq!(queue.status(id).unwrap().unwrap().attempts, 2);
    let locked = "select count(*) from graphile_worker._private_job_queues \
                  where locked_by is not null";
    assert_eq!(database.one(locked), "0");
}

#[test]
fn dead_letters_are_kept_and_driven_again_once() {
    let test = "dead";
    let Some(database) = database(test) else { return };
    let short = Duration::from_millis(10);
    let queue = database.queue::<Task>(|it| {
        it.workers(2).backoff(Backoff::exponential(short, short))
    });
    queue.start().unwrap();
    let die = queue.submit(task(test, "die", Act::Die)).unwrap();
    let twice = Submission::new().max_attempts(2);
    let fail = queue
        .submit_with(task(test, "fail", Act::Fail), twice.clone())
        .unwrap();
    let panic =
        queue.submit_with(task(test, "panic", Act::Panic), twice).unwrap();
    let seen = [
        (die, 1, "no use"),
        (fail, 2, "as told"),
        (panic, 2, "panicked: as told"),
    ];
    for (id, attempts, error) in seen {
        wait_for_state(&queue, id, State::Dead);
        let dead = queue.status(id).unwrap().unwrap();
        assert_eq!(dead.attempts, attempts);
        assert_eq!(dead.last_error.as_deref(), Some(error));
        assert!(dead.job.is_some() && dead.finished_at.is_some());
    }
    assert_eq!(queue.status(die).unwrap().unwrap().max_attempts, 10);
    let old = Filter::new().older_than(Duration::from_secs(60));
    assert_eq!(queue.retry(old).unwrap(), 0);
    assert_eq!(queue.retry(Filter::new().ids([die, fail])).unwrap(), 2);
    BOARD.wait_for(test, "begin die", 2);
    BOARD.wait_for(test, "begin fail", 4);
    wait_for_state(&queue, fail, State::Dead);
    wait_for_state(&queue, die, State::Dead);
    assert_eq!(queue.status(fail).unwrap().unwrap().attempts, 2);
    assert_eq!(queue.counts().unwrap().dead, 3);
    assert!(queue.cancel(panic).unwrap());
    assert!(!queue.cancel(panic).unwrap());
    assert_eq!(queue.purge(Filter::new().state(State::Dead)).unwrap(), 2);
    assert_eq!(queue.counts().unwrap().dead, 0);
}

#[test]
fn what_is_no_job_is_dead_with_a_reason() {
    let test = "unreadable";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let deep = format!(
        "{{\"v\":1,\"at\":0,\"job\":{}{}}}",
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let payloads = [
        "{}",
        "7",
        "{\"v\":99,\"at\":0,\"job\":1}",
        "{\"v\":1,\"at\":0,\"job\":\"\\u0000\"}",
        &deep,
    ];
    for payload in payloads {
        database.sql(&format!(
            "select graphile_worker.add_job('task', '{payload}')"
        ));
    }
    let good = queue.submit(task(test, "a", Act::Give(1))).unwrap();
    queue.start().unwrap();
    wait_for_state(&queue, good, State::Done);
    wait_until("all are dead", || {
        queue.counts().unwrap().dead == payloads.len() as u64
    });
    for dead in queue.list(Filter::new().state(State::Dead)).unwrap() {
        assert_eq!(dead.attempts, 1);
        let error = dead.last_error.unwrap();
        assert!(error.contains("stored") || error.contains("job"), "{error}");
    }
}

#[test]
fn numbers_are_read_as_they_were_written() {
    let test = "numbers";
    let Some(database) = database(test) else { return };

    #[derive(Serialize, Deserialize)]
    struct Numbers(f64, u64, i64, String);

    impl DurableJob for Numbers {
        const KIND: &'static str = "numbers";
        type Output = (f64, u64, i64, String);

        fn run(self, _: &Attempt) -> Result<Self::Output, Failure> {
            Ok((self.0, self.1, self.2, self.3))
        }
    }

    let queue = database.queue::<Numbers>(|it| it.workers(1));
    let values =
        (1.0 / 3.0, u64::MAX, i64::MIN, "\u{1f980} \\ \" ' $1".to_owned());
    let (a, b, c, d) = values.clone();
    let id = queue.submit(Numbers(a, b, c, d)).unwrap();
    queue.start().unwrap();
    wait_until("it is done", || queue.counts().unwrap().done == 1);
    let given = queue.output::<(f64, u64, i64, String)>(id).unwrap().unwrap();
    assert_eq!(given, values);
}

#[test]
fn a_paused_kind_begins_nothing() {
    let test = "pause";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let other = database.queue::<Task>(|it| it.workers(2));
    queue.pause().unwrap();
    other.start().unwrap();
    queue.start().unwrap();
    // Known everywhere within a second.
    std::thread::sleep(Duration::from_secs(1));
    let id = queue.submit(task(test, "a", Act::Give(1))).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Ready, 0));
    assert!(queue.counts().unwrap().is_paused);
    other.resume().unwrap();
    wait_for_state(&queue, id, State::Done);
}

#[test]
fn a_limit_is_of_all_processes_together() {
    let test = "limit";
    let Some(database) = database(test) else { return };
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);

    #[derive(Serialize, Deserialize)]
    struct Counted;

    impl DurableJob for Counted {
        const KIND: &'static str = "counted";
        type Output = ();

        fn run(self, _: &Attempt) -> Result<(), Failure> {
            let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(15));
            NOW.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    }

    let queues = [(); 2]
        .map(|()| database.queue::<Counted>(|it| it.workers(4).limit(3)));
    let jobs = (0..60).map(|_| (Counted, Submission::new()));
    queues[0].submit_all(jobs).unwrap();
    for queue in &queues {
        queue.start().unwrap();
    }
    wait_until("all are done", || queues[0].counts().unwrap().done == 60);
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
}

#[test]
fn a_rate_is_of_all_processes_together() {
    let test = "rate";
    let Some(database) = database(test) else { return };
    static STARTS: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

    #[derive(Serialize, Deserialize)]
    struct Timed;

    impl DurableJob for Timed {
        const KIND: &'static str = "timed";
        type Output = ();

        fn run(self, _: &Attempt) -> Result<(), Failure> {
            STARTS.lock().unwrap().push(Instant::now());
            Ok(())
        }
    }

    let rate = Rate::new(20, Duration::from_secs(1)).unwrap();
    let queues = [(); 2]
        .map(|()| database.queue::<Timed>(|it| it.workers(4).rate(rate)));
    let jobs = (0..21).map(|_| (Timed, Submission::new()));
    queues[0].submit_all(jobs).unwrap();
    for queue in &queues {
        queue.start().unwrap();
    }
    wait_until("all are done", || queues[0].counts().unwrap().done == 21);
    let mut starts = STARTS.lock().unwrap().clone();
    starts.sort();
    let took = starts[20] - starts[0];
    assert!(took >= Duration::from_millis(980), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_schedule_comes_once_for_all_processes() {
    let test = "cron";
    let Some(database) = database(test) else { return };
    let queues = [(); 2].map(|()| {
        database.queue::<Task>(|it| {
            it.workers(1).cron(
                "hourly",
                "0 * * * *",
                task(test, "a", Act::Give(1)),
            )
        })
    });
    for queue in &queues {
        queue.start().unwrap();
    }
    let next = "select count(*) from manyhands.schedules \
                where next_at > now() and next_at <= now() + interval '1 hour'";
    assert_eq!(database.one(next), "1");
    // Hours pass while nobody works.
    database.sql(
        "update manyhands.schedules set next_at = now() - interval '5 hours'",
    );
    BOARD.wait_for(test, "end a", 1);
    wait_until("it is done", || queues[0].counts().unwrap().done == 1);
    std::thread::sleep(Duration::from_secs(1));
    let counts = queues[0].counts().unwrap();
    assert_eq!((counts.done, counts.unfinished()), (1, 0));
    assert_eq!(database.one(next), "1");
    // One that is not named any more ends.
    let without = database.queue::<Task>(|it| it.workers(1));
    without.start().unwrap();
    assert_eq!(database.one("select count(*) from manyhands.schedules"), "0");
}

#[test]
fn a_stop_gives_back_what_it_has_not_begun() {
    let test = "stop";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let jobs = (0..40)
        .map(|n| (task(test, format!("{n}"), Act::Wait), Submission::new()));
    let ids = queue.submit_all(jobs).unwrap();
    queue.start().unwrap();
    BOARD.wait_for(test, "begin 0", 1);
    BOARD.wait_for(test, "begin 1", 1);
    let stopped = std::thread::scope(|scope| {
        let stop = scope.spawn(|| queue.stop());
        std::thread::sleep(Duration::from_millis(300));
        BOARD.post(test, "go");
        stop.join().unwrap()
    });
    assert_eq!((stopped.finished, stopped.abandoned), (2, 0));
    let all = queue.list(Filter::new().ids(ids)).unwrap();
    let done = all.iter().filter(|it| it.state == State::Done).count();
    let ready = all
        .iter()
        .filter(|it| it.state == State::Ready && it.attempts == 0)
        .count();
    assert_eq!((done, ready), (2, 38), "{all:?}");
    assert_eq!(
        database.one("select count(*) from graphile_worker._private_workers"),
        "0"
    );
}

#[test]
fn a_stop_whose_grace_is_over_gives_back_what_runs() {
    let test = "grace";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(2));
    let id = queue.submit(task(test, "a", Act::Wait)).unwrap();
    queue.start().unwrap();
    BOARD.wait_for(test, "begin a", 1);
    let began = Instant::now();
    let stopped = queue.stop_within(Duration::from_millis(200));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!((stopped.finished, stopped.abandoned), (0, 1));
    // Its token ended it. What it gave is not written.
    BOARD.wait_for(test, "end a", 1);
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Ready, 0));
}

#[test]
fn a_job_is_there_with_the_callers_transaction_or_not_at_all() {
    use manyhands_durable::postgres::submit_in;

    let test = "transaction";
    let Some(database) = database(test) else { return };
    let queue = database.queue::<Task>(|it| it.workers(1));
    database.sql("create table customers (mail text)");
    block_on(async {
        let (mut client, connection) =
            tokio_postgres::connect(&database.url, tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        for is_kept in [false, true] {
            let transaction = client.transaction().await.unwrap();
            transaction
                .execute("insert into customers values ('ada')", &[])
                .await
                .unwrap();
            let job = task(test, format!("{is_kept}"), Act::Give(1));
            let how = Submission::new().key("ada").trace_parent("00-1-2-03");
            let id = submit_in(&transaction, &job, how).await.unwrap();
            if is_kept {
                transaction.commit().await.unwrap();
                let there = queue.status(id).unwrap().unwrap();
                assert_eq!(there.trace_parent.as_deref(), Some("00-1-2-03"));
            } else {
                transaction.rollback().await.unwrap();
                assert_eq!(queue.status(id).unwrap(), None);
            }
        }
    });
    queue.start().unwrap();
    wait_until("it is done", || queue.counts().unwrap().done == 1);
    assert_eq!(BOARD.of(test), ["begin true", "end true"]);
    // By the function alone: a trigger, another language.
    let id = database.one(
        "select manyhands.submit('task', '{\"test\": \"transaction\", \
         \"name\": \"sql\", \"act\": {\"Give\": 3}}', serial => 's')",
    );
    let id = JobId::new(id.parse().unwrap());
    wait_for_state(&queue, id, State::Done);
    assert_eq!(queue.output::<i64>(id).unwrap(), Some(3));
}

#[test]
fn calls_work_inside_of_async_code_too() {
    let test = "async";
    let Some(database) = database(test) else { return };
    block_on(async {
        let queue = database.queue::<Task>(|it| it.workers(1));
        queue.start().unwrap();
        let give = task(test, "a", Act::Give(5));
        let id = queue.submit_async(give, Submission::new()).await.unwrap();
        BOARD.wait_for(test, "end a", 1);
        wait_for_state(&queue, id, State::Done);
        queue.stop();
        drop(queue);
    });
}

#[test]
fn no_error_shows_the_password() {
    let mut urls = vec![
        "postgres://hands:s3cret@127.0.0.1:1/postgres".to_owned(),
        "postgres://hands:s3cret@127.0.0.1:x1/postgres".to_owned(),
        "postgres://hands:s3cret@127.0.0.1/postgres?what=s3cret".to_owned(),
        "postgres://hands:s3cret@no such host/postgres".to_owned(),
    ];
    if let Ok(server) = std::env::var(SERVER) {
        urls.push(server.replace("hands@", "nobody:s3cret@"));
    }
    for url in urls {
        let refused = JobQueue::<Task>::postgres(&url, 1).unwrap_err();
        let words = format!("{refused} {refused:?}");
        assert!(!words.contains("s3cret"), "{words}");
    }
}

#[test]
fn several_processes_may_open_a_new_database_at_once() {
    let test = "open";
    let Some(database) = database(test) else { return };
    std::thread::scope(|scope| {
        for n in 0..6 {
            let database = &database;
            scope.spawn(move || {
                let queue = database.queue::<Task>(|it| it.workers(1));
                queue.submit(task("open", "a", Act::Give(n))).unwrap();
            });
        }
    });
    assert_eq!(
        database.one("select count(*) from graphile_worker._private_jobs"),
        "6"
    );
}

/// A job that is told by files what to do, so that other processes can run
/// it.
#[derive(Serialize, Deserialize)]
struct Held {
    dir: PathBuf,
    name: String,
    kills: bool,
}

impl Held {
    fn submit(queue: &JobQueue<Self>, dir: &Path, name: &str) -> JobId {
        let (dir, name) = (dir.into(), name.into());
        queue.submit(Self { dir, name, kills: false }).unwrap()
    }
}

impl DurableJob for Held {
    const KIND: &'static str = "held";
    const MAX_ATTEMPTS: u32 = 2;
    type Output = u32;

    /// Ends when the file `go PID` is there.
    fn run(self, attempt: &Attempt) -> Result<u32, Failure> {
        let me = std::process::id();
        let say = |what: &str| {
            let file = format!("{what} {} {me}", self.name);
            std::fs::write(self.dir.join(file), b"").unwrap();
        };
        say("begin");
        if self.kills {
            std::process::abort();
        }
        let go = self.dir.join(format!("go {me}"));
        let began = Instant::now();
        while !go.exists() && began.elapsed() < PATIENCE * 2 {
            if attempt.token().is_cancelled() {
                say("cancelled");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        say("end");
        Ok(me)
    }
}

const LEASE: Duration = Duration::from_secs(3);

fn held(url: &str, workers: usize) -> JobQueue<Held> {
    let builder = JobQueue::builder().workers(workers).lease(LEASE);
    builder.poll(Duration::from_millis(50)).postgres(url).unwrap()
}

/// Another process with workers. It is killed with the test.
struct Process(Child);

impl Process {
    fn start(url: &str, workers: usize) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "another_process"])
            .env("MANYHANDS_TEST_CHILD", format!("{workers} {url}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
#[ignore = "what the other processes run"]
fn another_process() {
    let Ok(what) = std::env::var("MANYHANDS_TEST_CHILD") else { return };
    let (workers, url) = what.split_once(' ').unwrap();
    let queue = held(url, workers.parse().unwrap());
    queue.start().unwrap();
    std::thread::sleep(Duration::from_secs(120));
}

#[test]
fn a_killed_process_loses_no_job() {
    let test = "killed";
    let Some(database) = database(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let queue = held(&database.url, 8);
    let ids: Vec<_> = (0..8)
        .map(|n| Held::submit(&queue, dir.path(), &n.to_string()))
        .collect();
    let process = Process::start(&database.url, 4);
    let begun = |n: usize| {
        let name = format!("begin {n} {}", process.0.id());
        dir.path().join(name).exists()
    };
    wait_until("four have begun", || {
        (0..8).filter(|n| begun(*n)).count() == 4
    });
    assert_eq!(queue.counts().unwrap().running, 4, "nothing is hoarded");
    process.signal("-KILL");
    let killed = Instant::now();
    let go = format!("go {}", std::process::id());
    std::fs::write(dir.path().join(go), b"").unwrap();
    queue.start().unwrap();
    wait_until("all are done", || queue.counts().unwrap().done == 8);
    // The lease, a third of it until somebody looks, and a poll; and as much
    // for a slow machine.
    assert!(killed.elapsed() < LEASE * 2 + Duration::from_secs(2));
    for (n, id) in ids.into_iter().enumerate() {
        let done = queue.status(id).unwrap().unwrap();
        assert_eq!(done.attempts, if begun(n) { 2 } else { 1 });
        let error = "its worker vanished, in attempt 1".to_owned();
        assert_eq!(done.last_error, begun(n).then_some(error));
    }
}

#[test]
fn a_job_that_kills_its_process_is_dead_in_time() {
    let test = "poison";
    let Some(database) = database(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let queue = held(&database.url, 1);
    let poison =
        Held { dir: dir.path().into(), name: "p".into(), kills: true };
    let id = queue.submit(poison).unwrap();
    let mut processes = Vec::new();
    for attempt in 1..=2 {
        let mut process = Process::start(&database.url, 1);
        wait_until(&format!("attempt {attempt} kills"), || {
            process.0.try_wait().unwrap().is_some()
        });
        processes.push(process);
    }
    let _third = Process::start(&database.url, 1);
    wait_until("it is dead", || {
        queue.status(id).unwrap().unwrap().state == State::Dead
    });
    let dead = queue.status(id).unwrap().unwrap();
    assert_eq!(dead.attempts, 2);
    let error = dead.last_error.unwrap();
    assert_eq!(error, "its worker vanished, in attempt 2");
}

#[test]
fn what_a_stopped_process_writes_after_its_lease_is_refused() {
    let test = "zombie";
    let Some(database) = database(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let queue = held(&database.url, 1);
    let id = Held::submit(&queue, dir.path(), "a");
    let zombie = Process::start(&database.url, 1);
    let there = |what: &str, pid: u32| {
        dir.path().join(format!("{what} {pid}")).exists()
    };
    let (me, other) = (std::process::id(), zombie.0.id());
    wait_until("it has begun there", || there("begin a", other));
    zombie.signal("-STOP");
    queue.start().unwrap();
    wait_until("it has begun here", || there("begin a", me));
    let held = "select locked_by || attempts \
                from graphile_worker._private_jobs";
    let holder = database.one(held);
    zombie.signal("-CONT");
    wait_until("it is told there", || there("cancelled a", other));
    std::fs::write(dir.path().join(format!("go {other}")), b"").unwrap();
    wait_until("it has ended there", || there("end a", other));
    // Another is begun and done there, so that what came of the first has been
    // refused by then.
    let next = Held::submit(&queue, dir.path(), "b");
    wait_until("the next is done there", || {
        queue.status(next).unwrap().unwrap().state == State::Done
    });
    assert_eq!(queue.output::<u32>(next).unwrap(), Some(other));
    assert_eq!(database.one(held), holder);
    std::fs::write(dir.path().join(format!("go {me}")), b"").unwrap();
    wait_until("it is done here", || {
        queue.status(id).unwrap().unwrap().state == State::Done
    });
    assert_eq!(queue.output::<u32>(id).unwrap(), Some(me));
    assert_eq!(queue.status(id).unwrap().unwrap().attempts, 2);
}

#[test]
fn cut_connections_lose_and_strand_nothing() {
    let test = "cut";
    let Some(database) = database(test) else { return };
    let short = Duration::from_millis(10);
    let queue = database.queue::<Task>(|it| {
        it.workers(4).lease(LEASE).backoff(Backoff::exponential(short, short))
    });
    let jobs = (0..600).map(|n| {
        let act = Act::Sleep { millis: n % 7 };
        (task(test, format!("{n}"), act), Submission::new())
    });
    queue.submit_all(jobs).unwrap();
    queue.start().unwrap();
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(50));
        sql(
            &database.server,
            &format!(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = '{}'",
                database.name
            ),
        );
    }
    wait_until("all are done", || {
        queue.counts().is_ok_and(|it| it.done == 600)
    });
    // What was woken before is woken now.
    let began = Instant::now();
    queue.submit(task(test, "last", Act::Give(1))).unwrap();
    BOARD.wait_for(test, "end last", 1);
    assert!(began.elapsed() < Duration::from_secs(2));
    let stopped = queue.stop();
    assert_eq!(stopped.abandoned, 0);
}

/// A server of its own.
struct Server {
    dir: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// `None` if the programs are not where Debian has them.
    fn start() -> Option<Self> {
        const BIN: &str = "/usr/lib/postgresql/15/bin";
        if !Path::new(BIN).join("initdb").exists() {
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .unwrap()
            .port();
        let server = Self { dir: tempfile::tempdir().unwrap(), port };
        // Its own user is to write there.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(server.dir.path(), open).unwrap();
        server.run("initdb", &["-A", "trust", "-U", "hands", "-N"]);
        server.up();
        Some(server)
    }

    fn run(&self, program: &str, args: &[&str]) {
        let program = format!("/usr/lib/postgresql/15/bin/{program}");
        // It does not run as root.
        let is_root =
            Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=nobody",
                "--regid=nogroup",
                "--clear-groups",
                &program,
            ]);
            command
        } else {
            Command::new(program)
        };
        let data = self.dir.path().join("data");
        let done = command
            .arg("-D")
            .arg(data)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "{args:?}");
    }

    fn up(&self) {
        let socket = self.dir.path().display();
        let options = format!(
            "-p {} -k {socket} -c listen_addresses=127.0.0.1 -c fsync=off",
            self.port
        );
        let log = self.dir.path().join("log");
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &["-w", "-l", log, "-o", &options, "start"]);
    }

    fn down(&self) {
        self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]);
    }

    fn url(&self) -> String {
        format!("postgres://hands@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log"));
            println!("{}", log.unwrap_or_default());
        }
        let data = self.dir.path().join("data/postmaster.pid");
        if data.exists() {
            self.down();
        }
    }
}

#[test]
fn workers_go_on_by_themselves_when_the_server_is_back() {
    let test = "restart";
    if std::env::var(SERVER).is_err() {
        database(test);
        return;
    }
    let Some(server) = Server::start() else {
        println!("skipped: {test}: no programs of PostgreSQL 15");
        return;
    };
    let queue = JobQueue::<Task>::builder()
        .workers(4)
        .lease(LEASE)
        .poll(Duration::from_millis(50))
        .postgres(&server.url())
        .unwrap();
    let jobs = (0..400).map(|n| {
        let act = Act::Sleep { millis: 4 };
        (task(test, format!("{n}"), act), Submission::new())
    });
    queue.submit_all(jobs).unwrap();
    // One that runs all the while, and whose result is written once the
    // server is back.
    let first = Submission::new().priority(1);
    let long =
        queue.submit_with(task(test, "long", Act::Wait), first).unwrap();
    queue.start().unwrap();
    BOARD.wait_for(test, "begin long", 1);
    BOARD.wait_for(test, "end 30", 1);
    server.down();
    let refused = queue.submit(task(test, "no", Act::Give(1))).unwrap_err();
    assert!(refused.error.is_transient(), "{refused:?}");
    BOARD.post(test, "go");
    std::thread::sleep(Duration::from_millis(700));
    server.up();
    wait_until("all are done", || {
        queue.counts().is_ok_and(|it| it.done == 401)
    });
    assert_eq!(queue.status(long).unwrap().unwrap().attempts, 1);
    queue.stop();
    // Gone for good, it holds up no stop.
    queue.pause().unwrap();
    let queue = JobQueue::<Task>::builder()
        .workers(1)
        .lease(LEASE)
        .postgres(&server.url())
        .unwrap();
    queue.start().unwrap();
    server.down();
    let began = Instant::now();
    queue.stop();
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

/// The facts of the engine that the adapter is made for: if one of these
/// changes, it is to be thought over.
#[test]
fn the_engine_completes_without_a_look_and_fails_with_one() {
    use graphile_worker::{
        Database as Driver, IntoTaskHandlerResult, TaskHandler, WorkerContext,
        WorkerOptions, tokio_postgres::TokioPostgresDatabase,
    };

    let test = "engine";
    let Some(database) = database(test) else { return };

    #[derive(Serialize, Deserialize)]
    struct Stolen {
        fails: bool,
    }

    impl TaskHandler for Stolen {
        const IDENTIFIER: &'static str = "stolen";

        async fn run(self, it: WorkerContext) -> impl IntoTaskHandlerResult {
            // Meanwhile it is another's.
            use graphile_worker::DbExecutor;
            let steal = "update graphile_worker._private_jobs \
                         set locked_by = 'another'";
            it.database().execute(steal, Default::default()).await.unwrap();
            if self.fails { Err("as told") } else { Ok(()) }
        }
    }

    block_on(async {
        let driver =
            TokioPostgresDatabase::from_url(&database.url, 4).unwrap();
        let worker = WorkerOptions::default()
            .database(Driver::new(driver))
            .listen_os_shutdown_signals(false)
            .define_job::<Stolen>()
            .init()
            .await
            .unwrap();
        let utils = worker.create_utils();
        let add = |fails| {
            utils
                .add_job(Stolen { fails }, graphile_worker::JobSpec::default())
        };
        let failed = add(true).await.unwrap();
        worker.run_once().await.unwrap();
        let left = "select id || locked_by || coalesce(last_error, '') \
                    from graphile_worker._private_jobs";
        let id = *failed.id();
        // Another runtime's, so on another thread.
        let left = || {
            std::thread::scope(|scope| {
                scope.spawn(|| database.sql(left)).join().unwrap()
            })
        };
        assert_eq!(left()[0][0], Some(format!("{id}another")));
        add(false).await.unwrap();
        worker.run_once().await.unwrap();
        // Gone, whoever had it.
        let ids = left();
        assert_eq!(ids.len(), 1, "{ids:?}");
    });
}
