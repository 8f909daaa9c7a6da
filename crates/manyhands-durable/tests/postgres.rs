//! The queue in PostgreSQL, as its users see it.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod server;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use manyhands_durable::postgres::submit_in;
use manyhands_durable::{
    Admin, Attempt, Backoff, Builder, DurableJob, Error, Failure, Filter,
    JobId, JobQueue, Rate, State, Submission,
};
use serde::{Deserialize, Serialize};

use server::{Database, database};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// What a job does, and of which test it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Act {
    test: String,
    name: String,
    what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum What {
    Return,
    Fail,
    FailFor {
        times: u32,
    },
    Permanent,
    /// Waits until the test says so.
    Wait,
    /// In a child, says that it has begun, and ends when told; elsewhere
    /// returns at once.
    InChild,
}

/// What a test is told by its jobs.
#[derive(Debug)]
struct Told {
    name: String,
    attempt: u32,
    at: Instant,
}

static TESTS: LazyLock<Mutex<HashMap<String, mpsc::Sender<Told>>>> =
    LazyLock::new(Mutex::default);
/// In a child, that the attempt has ended.
static ENDED: AtomicBool = AtomicBool::new(false);
static WAITING: LazyLock<Mutex<HashMap<String, mpsc::Receiver<()>>>> =
    LazyLock::new(Mutex::default);

fn listen(test: &str) -> mpsc::Receiver<Told> {
    let (tell, told) = mpsc::channel();
    TESTS.lock().unwrap().insert(test.into(), tell);
    told
}

/// Lets a job go on that waits.
fn latch(name: &str) -> mpsc::Sender<()> {
    let (go, wait) = mpsc::channel();
    WAITING.lock().unwrap().insert(name.into(), wait);
    go
}

impl DurableJob for Act {
    const KIND: &'static str = "act";
    const MAX_ATTEMPTS: u32 = 3;
    type Output = Option<String>;

    fn run(self, attempt: &Attempt) -> Result<Option<String>, Failure> {
        let number = attempt.number();
        if let Some(tell) = TESTS.lock().unwrap().get(&self.test) {
            let name = self.name.clone();
            let at = Instant::now();
            let _ = tell.send(Told { name, attempt: number, at });
        }
        match self.what {
            What::Return => Ok(Some(self.name)),
            What::Fail => Err(Failure::retry("not today")),
            What::FailFor { times } if number <= times => {
                Err(Failure::retry("not yet"))
            }
            What::FailFor { .. } => Ok(None),
            What::Permanent => Err(Failure::permanent("never")),
            What::Wait => {
                let wait = WAITING.lock().unwrap().remove(&self.name);
                if let Some(wait) = wait {
                    let _ = wait.recv_timeout(LONG);
                }
                Ok(None)
            }
            What::InChild if std::env::var_os("PG_CHILD").is_some() => {
                say(&format!("begun {}", attempt.id()));
                let mut line = String::new();
                std::io::stdin().read_line(&mut line)?;
                ENDED.store(true, Ordering::SeqCst);
                Ok(Some("child".into()))
            }
            What::InChild => {
                let wait = WAITING.lock().unwrap().remove(&self.name);
                if let Some(wait) = wait {
                    let _ = wait.recv_timeout(LONG);
                }
                Ok(Some("parent".into()))
            }
        }
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{what}").unwrap();
    out.flush().unwrap();
}

fn act(test: &str, name: &str, what: What) -> Act {
    Act { test: test.into(), name: name.into(), what }
}

fn builder(workers: usize) -> Builder<Act> {
    JobQueue::builder()
        .workers(workers)
        .lease(Duration::from_secs(3))
        .poll(Duration::from_millis(200))
        .backoff(Backoff::exponential(
            Duration::from_millis(50),
            Duration::from_millis(200),
        ))
}

fn queue(db: &Database, workers: usize) -> JobQueue<Act> {
    builder(workers).postgres(db.url()).unwrap()
}

fn next(told: &mpsc::Receiver<Told>) -> Told {
    told.recv_timeout(LONG).expect("a job that is told of")
}

/// Waits until it holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn wait_for(queue: &JobQueue<Act>, id: JobId, state: State) {
    let found = || queue.status(id).unwrap().map(|it| it.state);
    until(&format!("job {id} is {state}, not {:?}", found()), || {
        found() == Some(state)
    });
}

#[test]
fn a_job_is_stored_run_and_kept_with_its_output() {
    let Some(db) = database("a_job_is_stored") else { return };
    let told = listen("stored");
    let queue = queue(&db, 2);
    let how = Submission::new().trace_parent("00-1-2-01").priority(7);
    let job = act("stored", "one", What::Return);
    let id = queue.submit_with(job, how).unwrap();
    let before = queue.status(id).unwrap().unwrap();
    assert_eq!(before.state, State::Ready);
    assert_eq!(before.priority, 7);
    assert!(before.job.unwrap().contains("\"one\""));
    queue.start().unwrap();
    assert_eq!(next(&told).attempt, 1);
    wait_for(&queue, id, State::Done);
    let after = queue.status(id).unwrap().unwrap();
    assert_eq!((after.attempts, after.max_attempts), (1, 3));
    assert_eq!(after.priority, 7);
    assert_eq!(after.trace_parent.as_deref(), Some("00-1-2-01"));
    assert_eq!(after.job, None);
    assert_eq!(queue.output::<String>(id).unwrap().unwrap(), "one");
    let counts = queue.counts().unwrap();
    assert_eq!((counts.done, counts.unfinished()), (1, 0));
    queue.stop();
}

#[test]
fn a_key_is_one_job_however_many_ask() {
    let Some(db) = database("a_key_is_one_job") else { return };
    let queues = [queue(&db, 1), queue(&db, 1)];
    for round in 0..20 {
        let ids: Vec<JobId> = thread::scope(|scope| {
            let asked: Vec<_> = (0..4)
                .map(|n| {
                    let queue = &queues[n % 2];
                    scope.spawn(move || {
                        let job = act("key", "one", What::Return);
                        let how =
                            Submission::new().key(format!("key {round}"));
                        queue.submit_with(job, how).unwrap()
                    })
                })
                .collect();
            asked.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    let jobs = ["a", "b", "a", "key 0"].map(|key| {
        (act("key", key, What::Return), Submission::new().key(key))
    });
    let ids = queues[0].submit_all(jobs).unwrap();
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(queues[0].counts().unwrap().ready, 22);
    // Until it is purged; also when it is done.
    queues[0].start().unwrap();
    wait_for(&queues[0], ids[0], State::Done);
    let job = || act("key", "a", What::Return);
    let how = || Submission::new().key("a");
    assert_eq!(queues[0].submit_with(job(), how()).unwrap(), ids[0]);
    let purged = queues[0].purge(Filter::new().ids([ids[0]])).unwrap();
    assert_eq!(purged, 1);
    assert_ne!(queues[0].submit_with(job(), how()).unwrap(), ids[0]);
}

#[test]
fn what_is_stored_at_once_has_its_ids_in_order() {
    let Some(db) = database("ids_in_order") else { return };
    let queue = queue(&db, 1);
    let job = |n: usize| act("order", &format!("{n}"), What::Return);
    // Tables that the planner knows nothing of, then small ones that it does.
    for analyze in [false, true, true] {
        if analyze {
            db.run("analyze");
        }
        for (jobs, words) in [(10, 3), (10, 1), (400, 7), (2000, 1000)] {
            let jobs = (0..jobs).map(|n| {
                let word = format!("word {}", n * 7919 % words);
                (job(n), Submission::new().serial(word))
            });
            let ids = queue.submit_all(jobs).unwrap();
            assert!(ids.is_sorted(), "{words} words: {ids:?}");
        }
    }
    // Also of what is new among keys that were there, or are there twice.
    let keyed = |n: usize| (job(n), Submission::new().key(format!("{n}")));
    let known = queue.submit_all([5, 3].map(keyed)).unwrap();
    let ids = [9, 5, 8, 9, 7, 3, 8, 6].map(keyed);
    let ids = queue.submit_all(ids).unwrap();
    assert_eq!((ids[1], ids[5]), (known[0], known[1]));
    assert_eq!((ids[3], ids[6]), (ids[0], ids[2]));
    let new = [ids[0], ids[2], ids[4], ids[7]];
    assert!(new.is_sorted() && known[1] < new[0], "{ids:?}");
    for (id, n) in [(new[0], 9), (new[1], 8), (new[2], 7), (new[3], 6)] {
        let key = queue.status(id).unwrap().unwrap().key;
        assert_eq!(key, Some(format!("{n}")));
    }
}

#[test]
fn serial_words_without_jobs_are_removed() {
    let Some(db) = database("serial_words") else { return };
    let queue = queue(&db, 4);
    let job = || act("words", "one", What::Return);
    let word = |word: String| Submission::new().serial(word);
    for n in 0..2 {
        let jobs = (n * 3000..(n + 1) * 3000)
            .map(|n| (job(), word(format!("word {n}"))));
        queue.submit_all(jobs).unwrap();
    }
    let later = word("later".into()).after(Duration::from_secs(3600));
    queue.submit_with(job(), later).unwrap();
    let words = || {
        db.ask::<i64>(
            "select count(*) from graphile_worker.\
            _private_job_queues",
        )
    };
    assert_eq!(words(), 6001);
    queue.start().unwrap();
    until("one word is left", || words() == 1);
    assert_eq!(queue.counts().unwrap().scheduled, 1);
    // Nobody's is, who stores one in a transaction that began before.
    db.run_async(async |client| {
        let new = "select manyhands.submit('act', '{}', \
            serial => 'mine', delay => '1 h')";
        client.batch_execute(new).await.unwrap();
        client
            .batch_execute("begin isolation level repeatable read; select 1")
            .await
            .unwrap();
        // On threads that have no runtime.
        let prune = || {
            let sql = "select removed from manyhands.prune(1000, 0)";
            thread::scope(|it| it.spawn(|| db.ask::<i32>(sql)).join().unwrap())
        };
        let delete = "delete from graphile_worker._private_jobs \
            where payload->>'serial' = 'mine'";
        thread::scope(|it| it.spawn(|| db.run(delete)).join().unwrap());
        // Whose view is an old one removes nothing.
        let row = "select removed from manyhands.prune(1000, 0)";
        let row = client.query_one(row, &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), 0);
        until("it is removed", || prune() == 1);
        let error = client.batch_execute(new).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "40001");
        client.batch_execute("rollback; begin").await.unwrap();
        client.batch_execute(new).await.unwrap();
        assert_eq!(prune(), 0);
        client.batch_execute("commit").await.unwrap();
        assert_eq!(prune(), 0);
    });
    assert_eq!(words(), 2);
}

#[test]
fn what_lost_to_another_transaction_is_asked_again() {
    let Some(db) = database("asked_again") else { return };
    let queue = queue(&db, 1);
    let job = || act("again", "one", What::Return);
    let first = queue.submit(job()).unwrap();
    let second = queue.submit(job()).unwrap();
    db.run(
        "update graphile_worker._private_jobs set attempts = max_attempts;
         create sequence refused;
         create function refuse() returns trigger language plpgsql as $$
         begin
             -- A sequence is not rolled back.
             if nextval('refused') % 3 <> 0 then
                 raise exception 'not now' using errcode = tg_argv[0];
             end if;
             return coalesce(new, old);
         end $$;
         create trigger refuse before insert or delete
         on graphile_worker._private_jobs
         for each row execute function refuse('40P01');
         create trigger refuse_change before update
         on graphile_worker._private_jobs
         for each row execute function refuse('40001');",
    );
    queue.submit(job()).unwrap();
    let retried = queue.retry(Filter::new().ids([first])).unwrap();
    assert_eq!(retried, 1);
    assert!(queue.cancel(first).unwrap());
    assert_eq!(queue.purge(Filter::new().ids([second])).unwrap(), 1);
    assert_eq!(queue.counts().unwrap().ready, 1);
    // And not for ever.
    db.run("alter sequence refused increment by 3 restart with 1");
    let error = queue.submit(job()).unwrap_err().error;
    assert!(matches!(error, Error::Store(_)), "{error:?}");
}

#[test]
fn many_are_driven_again_and_purged_in_portions() {
    let Some(db) = database("in_portions") else { return };
    const JOBS: u64 = 12_000;
    let queue = queue(&db, 1);
    let job = act("portions", "one", What::Return);
    let how = |n| Submission::new().key(format!("{n}"));
    for n in (0..JOBS).step_by(4000) {
        let jobs = (n..n + 4000).map(|n| (job.clone(), how(n)));
        queue.submit_all(jobs).unwrap();
    }
    let die = "update graphile_worker._private_jobs \
        set attempts = max_attempts";
    db.run(die);
    let both = |change: &(dyn Fn() -> u64 + Sync)| -> u64 {
        thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(change));
            both.map(|it| it.join().unwrap()).iter().sum()
        })
    };
    let retried = queue.retry(Filter::new().limit(5001)).unwrap();
    assert_eq!(retried, 5001);
    let again = || queue.retry(Filter::new()).unwrap();
    assert_eq!(both(&again), JOBS - 5001);
    assert_eq!(queue.counts().unwrap().ready, JOBS);
    db.run(die);
    let dead = Filter::new().state(State::Dead);
    let purged = queue.purge(dead.clone().limit(5001)).unwrap();
    assert_eq!(purged, 5001);
    let purge = || queue.purge(dead.clone()).unwrap();
    assert_eq!(both(&purge), JOBS - 5001);
    assert_eq!(queue.counts().unwrap().dead, 0);
    let left = "select (select count(*) from manyhands.keys) \
        + (select count(*) from graphile_worker._private_jobs)";
    assert_eq!(db.ask::<i64>(left), 0);
}

#[test]
fn of_a_serial_word_one_runs_at_a_time_in_order() {
    let Some(db) = database("of_a_serial_word") else { return };
    let told = listen("serial");
    let queues = [queue(&db, 4), queue(&db, 4)];
    let mut going = Vec::new();
    for n in 0..8 {
        let name = format!("serial {n}");
        going.push(latch(&name));
        // The last is the most urgent, and comes last all the same.
        let how = Submission::new().serial("word").priority(n);
        queues[0].submit_with(act("serial", &name, What::Wait), how).unwrap();
    }
    // A long word is one as well.
    let long = Submission::new().serial("w".repeat(256));
    let other = act("other serial", "long", What::Return);
    let other = queues[0].submit_with(other, long).unwrap();
    queues.iter().for_each(|queue| queue.start().unwrap());
    wait_for(&queues[0], other, State::Done);
    for (n, go) in going.into_iter().enumerate() {
        assert_eq!(next(&told).name, format!("serial {n}"));
        let early = told.recv_timeout(Duration::from_millis(50));
        assert!(early.is_err(), "beside {n}: {early:?}");
        go.send(()).unwrap();
    }
    until("all are done", || queues[0].counts().unwrap().done == 9);
}

#[test]
fn the_urgent_run_first_then_the_old() {
    let Some(db) = database("the_urgent_run_first") else { return };
    let told = listen("priority");
    let queue = queue(&db, 1);
    for (name, priority) in
        [("a", 0), ("b", -5), ("c", 9), ("d", 0), ("e", 9), ("f", -32768)]
    {
        let how = Submission::new().priority(priority);
        let job = act("priority", name, What::Return);
        queue.submit_with(job, how).unwrap();
    }
    queue.start().unwrap();
    let names: String = (0..6).map(|_| next(&told).name).collect();
    assert_eq!(names, "cead".to_owned() + "bf");
}

#[test]
fn a_delayed_job_waits_for_its_time() {
    let Some(db) = database("a_delayed_job") else { return };
    let told = listen("delay");
    // Known without polling.
    let queue =
        builder(2).poll(Duration::from_secs(60)).postgres(db.url()).unwrap();
    queue.start().unwrap();
    let delay = Duration::from_millis(700);
    let begun = Instant::now();
    let how = Submission::new().after(delay);
    let id = queue.submit_with(act("delay", "d", What::Return), how).unwrap();
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!(status.state, State::Scheduled);
    let at = next(&told).at;
    assert!(at - begun >= delay, "{:?} too soon", at - begun);
    assert!(at - begun < delay * 5, "{:?}", at - begun);
}

#[test]
fn a_failed_job_comes_back_after_its_backoff_until_it_is_dead() {
    let Some(db) = database("a_failed_job") else { return };
    let told = listen("fail");
    let queue = queue(&db, 2);
    let id = queue.submit(act("fail", "f", What::Fail)).unwrap();
    let other = act("other", "g", What::FailFor { times: 2 });
    let other = queue.submit(other).unwrap();
    let never = queue.submit(act("other", "h", What::Permanent)).unwrap();
    queue.start().unwrap();
    let times: Vec<Told> = (0..3).map(|_| next(&told)).collect();
    let numbers: Vec<u32> = times.iter().map(|it| it.attempt).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(times[1].at - times[0].at >= Duration::from_millis(50));
    assert!(times[2].at - times[1].at >= Duration::from_millis(100));
    wait_for(&queue, id, State::Dead);
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!(status.attempts, 3);
    assert_eq!(status.last_error.as_deref(), Some("not today"));
    assert!(status.finished_at.is_some());
    wait_for(&queue, other, State::Done);
    wait_for(&queue, never, State::Dead);
    let never = queue.status(never).unwrap().unwrap();
    assert_eq!(never.last_error.as_deref(), Some("never"));
    // Driven again, each once, under its id.
    let admin = Admin::open(db.url()).unwrap();
    queue.pause().unwrap();
    let dead = Filter::new().state(State::Dead).kind("act");
    assert_eq!(admin.list(&dead).unwrap().len(), 2);
    let again: u64 = thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| admin.retry(&dead)));
        both.map(|it| it.join().unwrap().unwrap()).iter().sum()
    });
    assert_eq!(again, 2);
    assert_eq!(queue.status(id).unwrap().unwrap().attempts, 0);
    queue.resume().unwrap();
    assert_eq!(next(&told).attempt, 1);
    wait_for(&queue, id, State::Dead);
    assert!(admin.cancel(id).unwrap());
    assert!(!admin.cancel(id).unwrap());
    assert_eq!(admin.status(id).unwrap(), None);
}

#[test]
fn all_priorities_are_found_from_wherever_it_is_looked() {
    let Some(db) = database("all_priorities") else { return };
    let queue = queue(&db, 1);
    let due = [-32768, -2, 0, 1, 9, 32767];
    for priority in due {
        let how = Submission::new().priority(priority);
        let job = act("levels", "now", What::Return);
        queue.submit_with(job, how.clone()).unwrap();
        let later = how.after(Duration::from_secs(3600));
        let job = act("levels", "later", What::Return);
        queue.submit_with(job, later).unwrap();
    }
    // The engine's are the other way round.
    let all: Vec<i16> = due.iter().rev().map(|it| !it).collect();
    for known in (-3..3).chain([-10, -32768, 32767]) {
        for since in ["-infinity", "now", "infinity"] {
            let found = db.ask::<Vec<i16>>(&format!(
                "select due from manyhands.levels(1, -32769, {known}, \
                 '{since}')"
            ));
            assert_eq!(found, all, "{known} since {since}");
        }
    }
}

#[test]
fn a_claim_looks_at_no_backlog() {
    let Some(db) = database("looks_at_no_backlog") else { return };
    let told = listen("backlog");
    let first = queue(&db, 1);
    for priority in [-1, 0, 5] {
        let later = Submission::new().after(Duration::from_secs(3600));
        let how = later.priority(priority);
        let job = act("none", "later", What::Return);
        let jobs = (0..5000).map(|_| (job.clone(), how.clone()));
        first.submit_all(jobs).unwrap();
    }
    drop(first);
    // Blocks of the index by which jobs are claimed. They are counted once who
    // read them is gone.
    let read = || {
        let others = "select count(*) from pg_stat_activity \
            where application_name = 'manyhands' \
            and datname = current_database()";
        until("nobody is there", || db.ask::<i64>(others) == 0);
        db.ask::<i64>(
            "select pg_stat_get_blocks_fetched(indexrelid) \
             from pg_stat_user_indexes \
             where indexrelname = 'manyhands_claim'",
        )
    };
    let before = read();
    let second = queue(&db, 1);
    second.start().unwrap();
    const JOBS: i64 = 20;
    for n in 0..JOBS {
        let how = Submission::new().priority(i16::try_from(n).unwrap());
        let job = act("backlog", "now", What::Return);
        let id = second.submit_with(job, how).unwrap();
        assert_eq!(next(&told).attempt, 1);
        wait_for(&second, id, State::Done);
    }
    drop(second);
    let size = db.ask::<i64>(
        "select pg_relation_size('graphile_worker.manyhands_claim') / 8192",
    );
    let each = (read() - before) / JOBS;
    assert!(each < size / 2, "{each} blocks a job, of {size}");
}

#[test]
fn a_schedule_that_fell_due_comes_once_for_all() {
    let Some(db) = database("a_schedule") else { return };
    let told = listen("cron");
    let build = || {
        let job = act("cron", "tick", What::Return);
        builder(1).cron("hourly", "0 * * * *", job)
    };
    let first = build().postgres(db.url()).unwrap();
    first.start().unwrap();
    first.stop();
    db.run("update manyhands.schedules set next_at = now() - interval '5 h'");
    let queues = [(); 2].map(|()| build().postgres(db.url()).unwrap());
    queues.iter().for_each(|queue| queue.start().unwrap());
    assert_eq!(next(&told).name, "tick");
    let more = told.recv_timeout(Duration::from_secs(2));
    // Unless an hour just began.
    assert!(more.is_err(), "{more:?}");
    let is_next = "select next_at > now() and next_at <= now() + \
        interval '1 h' from manyhands.schedules";
    assert!(db.ask::<bool>(is_next));
}

#[test]
fn a_pause_is_known_everywhere_within_a_second() {
    let Some(db) = database("a_pause") else { return };
    let told = listen("pause");
    let (here, there) = (queue(&db, 1), queue(&db, 1));
    there.start().unwrap();
    here.pause().unwrap();
    thread::sleep(Duration::from_secs(1));
    here.submit(act("pause", "p", What::Return)).unwrap();
    let early = told.recv_timeout(Duration::from_millis(700));
    assert!(early.is_err(), "{early:?}");
    assert!(here.counts().unwrap().is_paused);
    here.resume().unwrap();
    let resumed = Instant::now();
    assert!(next(&told).at - resumed < Duration::from_secs(1));
}

#[test]
fn a_limit_is_of_all_processes_together() {
    let Some(db) = database("a_limit") else { return };
    let told = listen("limit");
    let build = || builder(4).limit(3).postgres(db.url()).unwrap();
    let queues = [build(), build()];
    let mut going = HashMap::new();
    for n in 0..10 {
        let name = format!("limit {n}");
        going.insert(name.clone(), latch(&name));
        queues[0].submit(act("limit", &name, What::Wait)).unwrap();
    }
    queues.iter().for_each(|queue| queue.start().unwrap());
    let mut running: Vec<String> = (0..3).map(|_| next(&told).name).collect();
    while let Some(name) = running.pop() {
        let early = told.recv_timeout(Duration::from_millis(100));
        assert!(early.is_err(), "over the limit: {early:?}");
        going.remove(&name).unwrap().send(()).unwrap();
        if going.len() > running.len() {
            running.push(next(&told).name);
        }
    }
    assert!(going.is_empty(), "{:?}", going.keys());
}

#[test]
fn a_rate_is_of_all_processes_together() {
    let Some(db) = database("a_rate") else { return };
    let told = listen("rate");
    let rate = Rate::new(10, Duration::from_secs(1)).unwrap();
    let build = || builder(4).rate(rate).postgres(db.url()).unwrap();
    let queues = [build(), build()];
    for _ in 0..12 {
        queues[0].submit(act("rate", "r", What::Return)).unwrap();
    }
    queues.iter().for_each(|queue| queue.start().unwrap());
    let mut times: Vec<Instant> = (0..12).map(|_| next(&told).at).collect();
    times.sort();
    let took = times[11] - times[0];
    assert!(took >= Duration::from_millis(1000), "{took:?}");
    assert!(took <= Duration::from_millis(4000), "{took:?}");
}

#[test]
fn of_two_ends_of_one_job_that_which_holds_it_counts() {
    let Some(db) = database("two_ends") else { return };
    let queue = queue(&db, 1);
    let id = queue.submit(act("ends", "two", What::Return)).unwrap().get();
    // A process that was stopped for longer than its lease, and has claimed
    // the same job again, writes both at once.
    let row = db.run_async(async |client| {
        let held = "update graphile_worker._private_jobs \
            set locked_by = 'w', locked_at = now(), attempts = 2 \
            where id = $1 returning locked_at";
        let held = client.query_one(held, &[&id]).await.unwrap();
        let now: SystemTime = held.get(0);
        let before = now - Duration::from_secs(60);
        let rows = client
            .query(
                include_str!("../src/postgres/settle.sql"),
                &[
                    &"w",
                    &[id, id].as_slice(),
                    &[1, 2].as_slice(),
                    &[before, now].as_slice(),
                    &[2_i16, 2].as_slice(),
                    &[Some("first"), Some("second")].as_slice(),
                    &[0_i64, 0].as_slice(),
                ],
            )
            .await
            .unwrap();
        assert_eq!(rows.len(), 1);
        (rows[0].get::<_, i64>(0), rows[0].get::<_, i32>(1))
    });
    assert_eq!(row, (id, 2));
    let status = queue.status(JobId::new(id)).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Dead, 2));
    assert_eq!(status.last_error.as_deref(), Some("second"));
}

#[test]
fn a_stop_gives_back_what_does_not_end() {
    let Some(db) = database("a_stop") else { return };
    let told = listen("stop");
    let go = latch("stop");
    let first = queue(&db, 1);
    let id = first.submit(act("stop", "stop", What::Wait)).unwrap();
    first.start().unwrap();
    assert_eq!(next(&told).attempt, 1);
    let stopped = first.stop_within(Duration::from_millis(50));
    assert_eq!(stopped.abandoned, 1);
    let status = first.status(id).unwrap().unwrap();
    // It began, so it counts.
    assert_eq!((status.state, status.attempts), (State::Ready, 1));
    let second = queue(&db, 1);
    second.start().unwrap();
    assert_eq!(next(&told).attempt, 2);
    wait_for(&second, id, State::Done);
    go.send(()).unwrap();
}

#[test]
fn a_job_is_there_if_the_callers_transaction_is() {
    let Some(db) = database("a_callers_transaction") else { return };
    let told = listen("transaction");
    let queue = queue(&db, 1);
    queue.start().unwrap();
    let id = db.run_async(async |client| {
        let dropped = client.transaction().await.unwrap();
        let job = act("transaction", "dropped", What::Return);
        submit_in(&dropped, &job, Submission::new()).await.unwrap();
        dropped.rollback().await.unwrap();
        let kept = client.transaction().await.unwrap();
        let job = act("transaction", "kept", What::Return);
        let how = Submission::new().key("k");
        let id = submit_in(&kept, &job, how.clone()).await.unwrap();
        assert_eq!(submit_in(&kept, &job, how).await.unwrap(), id);
        kept.commit().await.unwrap();
        id
    });
    assert_eq!(next(&told).name, "kept");
    wait_for(&queue, id, State::Done);
    // From the database itself, and what is no job.
    let id = db.ask::<i64>(
        "select manyhands.submit('act', '{\"test\": \"transaction\", \
         \"name\": \"sql\", \"what\": \"Return\"}', serial => 's')",
    );
    assert_eq!(next(&told).name, "sql");
    wait_for(&queue, JobId::new(id), State::Done);
    let id = db.ask::<i64>("select manyhands.submit('act', '{\"x\": 1}')");
    wait_for(&queue, JobId::new(id), State::Dead);
    let id = db
        .ask::<i64>("select id from graphile_worker.add_job('act', '[1, 2]')");
    wait_for(&queue, JobId::new(id), State::Dead);
    assert!(told.try_recv().is_err());
}

#[test]
fn no_error_shows_the_password() {
    for url in [
        "postgres://ada:hunter2@127.0.0.1:1/none",
        "postgres://ada:hunter2@127.0.0.1:no/none",
        "postgres://ada:hunter2@/none?port=hunter2",
    ] {
        let error = builder(1).postgres(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let Some(db) = database("no_error_shows") else { return };
    let (_, place) = db.url().rsplit_once('@').unwrap();
    let url = format!("postgres://ada:hunter2@{place}");
    let error = builder(1).postgres(&url).unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

/// Runs `child` of this file in a process of its own.
fn spawn(db: &Database, role: &str) -> (Child, mpsc::Receiver<String>) {
    spawn_with(db.url(), role, "")
}

fn spawn_with(
    url: &str,
    role: &str,
    authority: &str,
) -> (Child, mpsc::Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env("PG_CHILD", role)
        .env("PG_URL", url)
        .env("PGSSLROOTCERT", authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    (child, told)
}

#[test]
#[ignore = "run by others, in a process of its own"]
fn child() {
    let Ok(role) = std::env::var("PG_CHILD") else { return };
    let url = std::env::var("PG_URL").unwrap();
    let open = || builder(2).postgres(&url);
    if role == "ask" {
        // Async code may open a queue, and drop it, if it can wait.
        let runtime = tokio::runtime::Builder::new_current_thread();
        let answer = { runtime }.build().unwrap().block_on(async {
            match open() {
                Ok(queue) => match queue.submit(act("a", "a", What::Return)) {
                    Ok(_) => "stored".into(),
                    Err(refused) => refused.to_string(),
                },
                Err(error) => error.to_string(),
            }
        });
        return say(&format!("answer: {answer}"));
    }
    let queue = open().unwrap();
    match role.as_str() {
        "open" => {
            queue.submit(act("open", "o", What::Return)).unwrap();
        }
        "work" => {
            queue.start().unwrap();
            until("it has ended", || ENDED.load(Ordering::SeqCst));
            let stopped = queue.stop();
            say(&format!("stopped {}", stopped.finished));
        }
        _ => panic!("{role}"),
    }
}

fn heard(told: &mpsc::Receiver<String>, what: &str) -> String {
    loop {
        let line = told.recv_timeout(LONG).expect(what);
        if line.starts_with(what) {
            return line;
        }
    }
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn a_killed_workers_job_is_anothers_after_the_lease() {
    let Some(db) = database("a_killed_workers_job") else { return };
    let queue = queue(&db, 1);
    let serial = Submission::new().serial("s");
    let job = act("killed", "k", What::InChild);
    let id = queue.submit_with(job, serial.clone()).unwrap();
    let last = Submission::new().max_attempts(1);
    let job = act("killed", "l", What::InChild);
    let last = queue.submit_with(job, last).unwrap();
    let (mut child, told) = spawn(&db, "work");
    heard(&told, "begun");
    heard(&told, "begun");
    signal(&child, "-KILL");
    child.wait().unwrap();
    let killed = Instant::now();
    let job = act("killed", "m", What::Return);
    let after = queue.submit_with(job, serial).unwrap();
    queue.start().unwrap();
    wait_for(&queue, id, State::Done);
    assert!(killed.elapsed() < Duration::from_secs(6));
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!(status.attempts, 2);
    assert_eq!(status.last_error.as_deref(), Some("its worker vanished"));
    wait_for(&queue, after, State::Done);
    // It had no attempt left.
    wait_for(&queue, last, State::Dead);
    let status = queue.status(last).unwrap().unwrap();
    assert_eq!(status.last_error.as_deref(), Some("its worker vanished"));
}

#[test]
fn what_a_vanished_worker_held_does_not_seem_to_run() {
    let Some(db) = database("seem_to_run") else { return };
    let queue = queue(&db, 1);
    let job = act("seem", "s", What::InChild);
    let id = queue.submit(job.clone()).unwrap();
    let last = Submission::new().max_attempts(1);
    let last = queue.submit_with(job, last).unwrap();
    let (mut child, told) = spawn(&db, "work");
    heard(&told, "begun");
    heard(&told, "begun");
    assert_eq!(queue.counts().unwrap().running, 2);
    signal(&child, "-KILL");
    child.wait().unwrap();
    // Nobody works on it now.
    let admin = Admin::open(db.url()).unwrap();
    wait_for(&queue, id, State::Ready);
    wait_for(&queue, last, State::Dead);
    assert_eq!(admin.counts().unwrap()[0].running, 0);
    let status = admin.status(last).unwrap().unwrap();
    assert_eq!(status.last_error.as_deref(), Some("its worker vanished"));
    assert_eq!(admin.retry(&Filter::new()).unwrap(), 1);
    // Who may only read is told what there is.
    db.run(&format!(
        "update graphile_worker._private_jobs
         set locked_by = 'nobody', locked_at = now() - interval '1 day'
         where id = {last}"
    ));
    let read_only = "?options=-c%20default_transaction_read_only%3Don";
    let reader = Admin::open(&(db.url().to_owned() + read_only)).unwrap();
    assert!(reader.retry(&Filter::new()).is_err());
    assert_eq!(reader.counts().unwrap()[0].running, 1);
    assert_eq!(admin.counts().unwrap()[0].running, 0);
}

#[test]
fn what_a_worker_writes_after_its_lease_is_refused() {
    let Some(db) = database("after_its_lease") else { return };
    let here = listen("late");
    let go = latch("late");
    let queue = queue(&db, 1);
    let id = queue.submit(act("late", "late", What::InChild)).unwrap();
    let (mut child, told) = spawn(&db, "work");
    heard(&told, "begun");
    signal(&child, "-STOP");
    queue.start().unwrap();
    assert_eq!(next(&here).attempt, 2);
    // While another attempt runs, the first one ends.
    signal(&child, "-CONT");
    child.stdin.take().unwrap().write_all(b"end\n").unwrap();
    heard(&told, "stopped");
    assert!(child.wait().unwrap().success());
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Running, 2));
    go.send(()).unwrap();
    wait_for(&queue, id, State::Done);
    assert_eq!(queue.output::<String>(id).unwrap().unwrap(), "parent");
    assert_eq!(queue.counts().unwrap().done, 1);
}

#[test]
fn processes_open_a_new_database_at_once() {
    let Some(db) = database("open_at_once") else { return };
    let children: Vec<_> = (0..4).map(|_| spawn(&db, "open")).collect();
    for (mut child, _) in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(queue(&db, 1).counts().unwrap().ready, 4);
}

#[test]
fn a_lost_listener_listens_again() {
    let Some(db) = database("a_lost_listener") else { return };
    let told = listen("listener");
    let slow = builder(1)
        .poll(Duration::from_secs(60))
        .lease(LONG)
        .postgres(db.url());
    let slow = slow.unwrap();
    slow.start().unwrap();
    let listener = "select max(pid) from pg_stat_activity \
        where query ilike 'listen%' and datname = current_database()";
    until("one listens", || db.ask::<Option<i32>>(listener).is_some());
    let pid = db.ask::<Option<i32>>(listener).unwrap();
    assert!(db.ask::<bool>(&format!("select pg_terminate_backend({pid})")));
    until("another listens", || {
        db.ask::<Option<i32>>(listener).is_some_and(|it| it != pid)
    });
    // By another's connections.
    let id = db.ask::<i64>(
        "select manyhands.submit('act', '{\"test\": \"listener\", \
         \"name\": \"heard\", \"what\": \"Return\"}')",
    );
    let asked = Instant::now();
    assert_eq!(next(&told).name, "heard");
    assert!(asked.elapsed() < Duration::from_secs(5));
    wait_for(&slow, JobId::new(id), State::Done);
}

#[test]
fn a_servers_certificate_is_verified() {
    let Some(mut server) = server::private("a_servers_certificate") else {
        return;
    };
    let authority = server.use_tls();
    let answer = |host: &str, mode: &str, authority: &str| {
        let url = server.url().replace("127.0.0.1", host);
        let (mut child, told) = spawn_with(&(url + mode), "ask", authority);
        let answer = heard(&told, "answer: ");
        assert!(child.wait().unwrap().success());
        answer.replace("answer: ", "")
    };
    for mode in ["", "?sslmode=disable", "?sslmode=prefer"] {
        assert_eq!(answer("127.0.0.1", mode, ""), "stored", "{mode}");
    }
    for mode in ["?sslmode=require", "?sslmode=verify-full"] {
        let refused = answer("localhost", mode, "");
        assert!(refused.contains("PGSSLROOTCERT names"), "{refused}");
        assert!(refused.contains("UnknownIssuer"), "{refused}");
        assert_eq!(answer("localhost", mode, &authority), "stored", "{mode}");
        // It is another's certificate.
        let refused = answer("127.0.0.1", mode, &authority);
        assert!(refused.contains("TLS handshake"), "{refused}");
    }
    let refused = answer("localhost", "", "/none");
    assert!(refused.contains("could not read PGSSLROOTCERT"), "{refused}");
}

#[test]
fn a_restarted_server_loses_nothing() {
    let Some(mut server) = server::private("a_restarted_server") else {
        return;
    };
    let url = server.url();
    let queue = builder(4).postgres(&url).unwrap();
    queue.start().unwrap();
    const JOBS: u64 = 400;
    thread::scope(|scope| {
        let submitting = scope.spawn(|| {
            for n in 0..JOBS {
                let begun = Instant::now();
                loop {
                    let how = Submission::new().key(format!("{n}"));
                    let job = act("restart", "r", What::FailFor { times: 1 });
                    match queue.submit_with(job, how) {
                        Ok(_) => break,
                        Err(refused) => {
                            assert!(refused.error.is_transient());
                            assert!(begun.elapsed() < LONG);
                            thread::sleep(Duration::from_millis(50));
                        }
                    }
                }
            }
        });
        for how in ["immediate", "fast"] {
            thread::sleep(Duration::from_millis(300));
            server.stop(how);
            thread::sleep(Duration::from_millis(700));
            server.start();
        }
        submitting.join().unwrap();
    });
    until("all are done", || queue.counts().is_ok_and(|it| it.done == JOBS));
    let counts = queue.counts().unwrap();
    assert_eq!((counts.unfinished(), counts.dead), (0, 0));
    queue.stop();
}
