//! The store by itself, without workers.

use std::num::NonZeroUsize;
use std::sync::mpsc;

use super::*;
use crate::Rate;
use crate::envelope::Envelope;
use crate::store::Settlement;

mod measure;
mod plans;
mod trouble;

const LEASE: Duration = Duration::from_secs(30);

struct Place {
    folder: tempfile::TempDir,
    store: Sqlite,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("jobs.db")).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("jobs.db")
    }

    fn conn(&self) -> Connection {
        let conn = Connection::open(self.path()).unwrap();
        conn.busy_timeout(Duration::from_secs(10)).unwrap();
        attach(&conn).unwrap();
        conn
    }
}

impl std::ops::Deref for Place {
    type Target = Sqlite;
    fn deref(&self) -> &Sqlite {
        &self.store
    }
}

fn job(kind: &str, body: &str, how: Submission) -> NewJob {
    check::written_job(kind, body.into(), how, 3).unwrap()
}

impl Sqlite {
    fn put_all(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>, Error> {
        let (tell, told) = mpsc::channel();
        self.submit(
            jobs,
            Box::new(move |ids| {
                let _ = tell.send(ids);
            }),
        );
        told.recv_timeout(Duration::from_secs(60)).expect("an answer")
    }

    fn put(&self, how: Submission) -> JobId {
        self.put_all(vec![job("k", "1", how)]).unwrap()[0]
    }

    fn take_by(&self, token: &str, most: usize) -> Claimed {
        self.claim(ask(token, most)).unwrap()
    }

    fn take(&self, most: usize) -> Vec<JobId> {
        let claimed = self.take_by("t", most);
        claimed.jobs.iter().map(|given| given.id).collect()
    }

    fn end(&self, token: &str, id: JobId, what: Settlement) -> bool {
        let hold = Hold { id, token: token.into() };
        self.settle(vec![Settled { hold, what }]).unwrap()[0]
    }

    fn at(&self, id: JobId) -> Status {
        self.status(id).unwrap().expect("a status")
    }

    fn state(&self, id: JobId) -> State {
        self.at(id).state
    }
}

fn ask(token: &str, most: usize) -> Ask<'_> {
    Ask { kind: "k", token, most, lease: LEASE, limit: None, rate: None }
}

fn done() -> Settlement {
    let retention = Duration::from_secs(3600);
    Settlement::Done { output: Some("7".into()), retention }
}

fn failed(delay: Duration) -> Settlement {
    Settlement::Retry { error: "no luck".into(), delay }
}

fn dead() -> Settlement {
    Settlement::Dead { error: "hopeless".into() }
}

/// Until the engine's second is another: what expires, expires with it.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_job_is_ready_runs_and_is_done() {
    let at = Place::new();
    let how = Submission::new().key("one").trace_parent("00-1");
    let id = at.put(how.clone());
    assert_eq!(at.state(id), State::Ready);
    assert_eq!(at.put(how), id, "the key is the job's");
    let claimed = at.take_by("t", 8);
    let [given] = claimed.jobs.as_slice() else { panic!("{claimed:?}") };
    assert_eq!((given.id, given.attempt, given.max_attempts), (id, 1, 3));
    let envelope = Envelope::open(&given.stored).unwrap();
    assert_eq!(envelope.job.get(), "1");
    assert_eq!(at.state(id), State::Running);
    assert!(!at.cancel(id).unwrap(), "it runs");
    assert!(!at.end("other", id, done()), "it is not theirs");
    assert!(at.end("t", id, done()));
    assert!(!at.end("t", id, done()), "it is done");
    let status = at.at(id);
    assert_eq!(status.state, State::Done);
    assert_eq!(status.output.as_deref(), Some("7"));
    assert_eq!(status.key.as_deref(), Some("one"));
    assert_eq!(status.trace_parent.as_deref(), Some("00-1"));
    assert_eq!((status.attempts, status.job), (1, None));
    assert_eq!(at.put(Submission::new().key("one")), id);
    assert_eq!(at.purge(&Filter::new().kind("k")).unwrap(), 1);
    assert_ne!(at.put(Submission::new().key("one")), id);
}

#[test]
fn the_greatest_priority_is_first_then_the_oldest() {
    let at = Place::new();
    let first = at.put(Submission::new());
    let second = at.put(Submission::new());
    let low = at.put(Submission::new().priority(-1));
    let high = at.put(Submission::new().priority(7));
    assert_eq!(at.take(3), [high, first, second]);
    assert_eq!(at.take(3), [low]);
}

#[test]
fn nothing_runs_before_its_time() {
    let at = Place::new();
    let delay = Duration::from_millis(300);
    let start = Instant::now();
    let id = at.put(Submission::new().after(delay));
    assert_eq!(at.state(id), State::Scheduled);
    until("due", || {
        let claimed = at.take_by("t", 8);
        let early = start.elapsed() < delay;
        assert!(!early || claimed.jobs.is_empty(), "too early");
        if claimed.jobs.is_empty() {
            let again = claimed.again.expect("it will be due");
            assert!(again <= delay, "{again:?}");
        }
        !claimed.jobs.is_empty()
    });
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_failure_waits_and_the_last_is_dead_with_its_error() {
    let at = Place::new();
    let id = at.put(Submission::new().max_attempts(2));
    assert_eq!(at.take(1), [id]);
    assert!(at.end("t", id, failed(Duration::from_millis(200))));
    let status = at.at(id);
    assert_eq!(status.state, State::Scheduled);
    assert_eq!(status.last_error.as_deref(), Some("no luck"));
    assert_eq!(at.take(1), []);
    until("the second attempt", || at.take(1) == [id]);
    assert!(at.end("t", id, failed(Duration::ZERO)));
    let status = at.at(id);
    assert_eq!((status.state, status.attempts), (State::Dead, 2));
    assert_eq!(status.last_error.as_deref(), Some("no luck"));
    assert_eq!(status.job.as_deref(), Some("1"));
    assert!(status.finished_at.is_some());
    // Once, however often it is asked for.
    let these = Filter::new().kind("k");
    assert_eq!(at.retry(&these).unwrap(), 1);
    assert_eq!(at.retry(&these).unwrap(), 0);
    let status = at.at(id);
    assert_eq!((status.state, status.attempts), (State::Ready, 0));
    assert_eq!(status.last_error.as_deref(), Some("no luck"));
    assert_eq!(at.take(1), [id]);
    assert!(at.end("t", id, dead()));
    assert_eq!(at.at(id).last_error.as_deref(), Some("hopeless"));
}

#[test]
fn what_is_given_back_was_not_tried() {
    let at = Place::new();
    let id = at.put(Submission::new().max_attempts(1));
    for _ in 0..3 {
        assert_eq!(at.take(1), [id]);
        assert!(at.end("t", id, Settlement::GiveBack));
        let status = at.at(id);
        assert_eq!((status.state, status.attempts), (State::Ready, 0));
    }
}

#[test]
fn a_lease_that_is_over_is_anothers_and_counts() {
    let at = Place::new();
    let id = at.put(Submission::new().max_attempts(2).key("x"));
    let lease = Duration::from_millis(900);
    let short = |token| Ask { lease, ..ask(token, 8) };
    let start = Instant::now();
    assert_eq!(at.claim(short("a")).unwrap().jobs.len(), 1);
    let mut again = Vec::new();
    until("the lease's end", || {
        again = at.claim(short("b")).unwrap().jobs;
        !again.is_empty()
    });
    assert!(start.elapsed() >= lease, "no lease is shorter");
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!((again[0].id, again[0].attempt), (id, 2));
    assert!(!at.end("a", id, done()), "the zombie's word does not count");
    let hold = Hold { id, token: "a".into() };
    assert_eq!(at.extend(&[hold], LEASE).unwrap(), [false]);
    // And now the second is gone as well.
    until("its death", || at.state(id) == State::Dead);
    let seen = at.at(id);
    assert_eq!(at.counts().unwrap()[0].dead, 1);
    assert!(at.take(8).is_empty());
    let status = at.at(id);
    assert_eq!((status.state, status.attempts), (State::Dead, 2));
    let error = status.last_error.as_deref().unwrap();
    assert!(error.starts_with("its worker vanished"), "{error}");
    assert_eq!(seen.last_error, status.last_error);
    assert_eq!(at.put(Submission::new().key("x")), id, "its key stays");
    let listed = at.list(&Filter::new().state(State::Dead)).unwrap();
    assert_eq!(listed, [status]);
}

#[test]
fn an_extended_lease_holds() {
    let at = Place::new();
    let id = at.put(Submission::new());
    let lease = Duration::from_secs(1);
    at.claim(Ask { lease, ..ask("a", 1) }).unwrap();
    let start = Instant::now();
    let hold = Hold { id, token: "a".into() };
    while start.elapsed() < Duration::from_millis(2500) {
        let kept = at.extend(std::slice::from_ref(&hold), lease).unwrap();
        assert_eq!(kept, [true]);
        assert!(at.take(1).is_empty());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(at.end("a", id, done()));
}

#[test]
fn one_of_a_serial_word_runs_at_a_time_in_order() {
    let at = Place::new();
    let serial = || Submission::new().serial("s");
    let one = at.put(serial().max_attempts(2));
    let two = at.put(serial().priority(9));
    let three = at.put(serial());
    let other = at.put(Submission::new().serial("other"));
    assert_eq!(at.take(8), [one, other]);
    assert_eq!(at.state(two), State::Ready, "it waits for its turn");
    // One that failed holds up no other until it is time for it,
    assert!(at.end("t", one, failed(Duration::from_millis(50))));
    assert_eq!(at.take(8), [two]);
    // and is alone as well when it is.
    until("its time", || at.state(one) == State::Ready);
    assert_eq!(at.take(8), []);
    assert!(at.end("t", two, Settlement::GiveBack));
    assert_eq!(at.take(8), [two]);
    assert!(at.end("t", two, done()));
    assert_eq!(at.take(8), [one], "before those that were never begun");
    assert!(at.end("t", one, failed(Duration::ZERO)));
    assert_eq!(at.state(one), State::Dead);
    assert_eq!(at.take(8), [three]);
    let four = at.put(serial());
    let five = at.put(serial());
    // A dead one driven again is behind those that wait.
    assert_eq!(at.retry(&Filter::new().ids([one])).unwrap(), 1);
    assert_eq!(at.take(8), []);
    assert!(at.end("t", three, done()));
    assert!(at.cancel(five).unwrap());
    assert_eq!(at.take(8), [four]);
    let six = at.put(serial());
    assert!(at.end("t", four, dead()));
    assert_eq!(at.take(8), [one]);
    assert!(at.cancel(six).unwrap());
    assert!(at.end("t", one, done()));
    let seven = at.put(serial());
    assert_eq!(at.take(8), [seven]);
}

#[test]
fn what_comes_back_to_its_line_is_not_sought_among_all_that_do_not() {
    const OTHERS: i32 = 2000;
    let at = Place::new();
    let id = at.put(Submission::new().serial("s"));
    assert_eq!(at.take(1), [id]);
    assert!(at.end("t", id, failed(Duration::from_millis(20))));
    // They failed too, each of a line of its own, and come much later.
    at.conn()
        .execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (
               SELECT 1000 UNION ALL SELECT i + 1 FROM n LIMIT {OTHERS})
             INSERT INTO _honker_live (id, queue, payload, run_at, attempts)
             SELECT i, 'k/later', '1', unixepoch() * 1000 + 999999, 1 FROM n;
             INSERT INTO manyhands_serial (kind, serial, turn, id)
             SELECT 'k', id, 2, id FROM _honker_live WHERE id >= 1000",
        ))
        .unwrap();
    until("its time", || at.take(1) == [id]);
    let steps = at.writer.call(|conn| {
        let find = conn.prepare_cached(line::AWAY)?;
        Ok((find.get_status(rusqlite::StatementStatus::VmStep), false))
    });
    let steps = steps.unwrap();
    assert!((1..OTHERS).contains(&steps), "{steps} steps");
}

#[test]
fn a_line_goes_on_when_a_worker_vanished() {
    let at = Place::new();
    let serial = || Submission::new().serial("s").max_attempts(1);
    let one = at.put(serial());
    let two = at.put(serial());
    let lease = Duration::from_millis(1);
    assert_eq!(at.claim(Ask { lease, ..ask("a", 8) }).unwrap().jobs.len(), 1);
    let mut taken = Vec::new();
    until("the next", || {
        taken = at.take(8);
        !taken.is_empty()
    });
    assert_eq!(taken, [two]);
    assert_eq!(at.state(one), State::Dead);
}

#[test]
fn the_first_of_a_line_keeps_the_others_waiting_for_its_time() {
    let at = Place::new();
    let serial = || Submission::new().serial("s");
    let one = at.put(serial().after(Duration::from_secs(3600)));
    let two = at.put(serial().after(Duration::from_secs(7200)));
    let three = at.put(serial());
    assert_eq!(at.take(8), []);
    assert_eq!(at.state(two), State::Scheduled);
    assert_eq!(at.state(three), State::Ready);
    assert!(at.cancel(one).unwrap());
    assert_eq!(at.take(8), []);
    assert!(at.cancel(two).unwrap());
    assert_eq!(at.take(8), [three]);
}

#[test]
fn a_limit_is_of_all_and_a_pause_is_of_the_kind() {
    let at = Place::new();
    let ids: Vec<_> = (0..5).map(|_| at.put(Submission::new())).collect();
    let limited = Ask { limit: NonZeroUsize::new(2), ..ask("t", 8) };
    assert_eq!(at.claim(limited).unwrap().jobs.len(), 2);
    let other = Sqlite::open(&at.path()).unwrap();
    assert!(other.claim(limited).unwrap().jobs.is_empty());
    assert!(at.end("t", ids[0], done()));
    assert_eq!(other.claim(limited).unwrap().jobs.len(), 1);
    other.set_paused("k", true).unwrap();
    let none = at.take_by("t", 8);
    assert!(none.jobs.is_empty() && none.again.is_none(), "{none:?}");
    assert!(at.counts().unwrap()[0].is_paused);
    at.set_paused("k", false).unwrap();
    assert_eq!(at.take(8).len(), 2);
}

#[test]
fn a_rate_spaces_starts() {
    let at = Place::new();
    for _ in 0..6 {
        at.put(Submission::new());
    }
    let rate = Rate::new(10, Duration::from_secs(1));
    let asked = Ask { rate, ..ask("t", 8) };
    let mut starts = Vec::new();
    until("five starts", || {
        let claimed = at.claim(asked).unwrap();
        assert!(claimed.jobs.len() <= 1, "{claimed:?}");
        if claimed.jobs.len() == 1 {
            starts.push(Instant::now());
        }
        assert!(claimed.again.unwrap() <= Duration::from_millis(101));
        starts.len() == 5
    });
    let took = *starts.last().unwrap() - starts[0];
    assert!(took >= Duration::from_millis(395), "{took:?}");
}

#[test]
fn what_is_not_text_or_of_another_form_stops_nothing() {
    let at = Place::new();
    let conn = at.conn();
    conn.execute_batch(
        "INSERT INTO _honker_live (queue, payload, priority)
         VALUES ('k', x'ff00fe', 5), ('k', CAST(x'ff' AS TEXT), 4),
           ('k', '{\"v\":99,\"job\":1}', 3)",
    )
    .unwrap();
    let good = at.put(Submission::new());
    let claimed = at.take_by("t", 8).jobs;
    assert_eq!(claimed.len(), 2, "{claimed:?}");
    assert_eq!(claimed[1].id, good);
    let error = Envelope::open(&claimed[0].stored).unwrap_err();
    assert!(error.contains("form 99"), "{error}");
    assert!(at.end("t", claimed[0].id, Settlement::Dead { error }));
    let dead = at.list(&Filter::new().state(State::Dead)).unwrap();
    assert_eq!(dead.len(), 3, "{dead:?}");
    assert!(dead.iter().all(|status| status.last_error.is_some()));
    assert_eq!(at.counts().unwrap()[0].dead, 3);
}

#[test]
fn a_batch_is_all_or_nothing_and_others_are_not_undone() {
    let at = Place::new();
    // A kind too many for the engine's table, by a trigger of the test.
    at.conn()
        .execute_batch(
            "CREATE TRIGGER no BEFORE INSERT ON _honker_live
             WHEN new.queue LIKE 'bad%'
             BEGIN SELECT raise(ABORT, 'not here'); END",
        )
        .unwrap();
    let how = Submission::new;
    let (tell, told) = mpsc::channel();
    // A slow one first, so that the others are committed together.
    let blocker = at.conn();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    for kind in ["k", "bad", "k"] {
        let jobs = vec![job("k", "1", how()), job(kind, "2", how())];
        let tell = tell.clone();
        at.submit(
            jobs,
            Box::new(move |ids| {
                let _ = tell.send(ids);
            }),
        );
    }
    blocker.execute_batch("COMMIT").unwrap();
    let answers: Vec<_> = (0..3)
        .map(|_| told.recv_timeout(Duration::from_secs(20)).unwrap())
        .collect();
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    let error = answers[1].clone().unwrap_err();
    let path = at.path().display().to_string();
    assert!(error.to_string().contains(&path), "{error}");
    assert_eq!(at.counts().unwrap()[0].ready, 4);
}

#[test]
fn lists_are_pages_in_order_of_id() {
    let at = Place::new();
    let ids: Vec<_> = (0..9).map(|_| at.put(Submission::new())).collect();
    at.put_all(vec![job("other", "1", Submission::new())]).unwrap();
    let taken = at.take(3);
    assert!(at.end("t", taken[0], done()));
    assert!(at.end("t", taken[1], dead()));
    let all = at.list(&Filter::new().kind("k")).unwrap();
    let listed: Vec<_> = all.iter().map(|status| status.id).collect();
    assert_eq!(listed, ids);
    let mut pages = Vec::new();
    let mut page = Filter::new().kind("k").limit(2);
    loop {
        let some = at.list(&page).unwrap();
        let Some(last) = some.last() else { break };
        page = page.after(last.id);
        pages.extend(some);
    }
    assert_eq!(pages, all);
    for state in State::ALL {
        let some = at.list(&Filter::new().kind("k").state(state)).unwrap();
        let of = all.iter().filter(|it| it.state == state).cloned();
        assert_eq!(some, of.collect::<Vec<_>>(), "{state}");
    }
    let counts = at.counts().unwrap();
    let [mine, other] = counts.as_slice() else { panic!("{counts:?}") };
    assert_eq!((mine.ready, mine.running), (6, 1));
    assert_eq!((mine.done, mine.dead, other.ready), (1, 1, 1));
    let old = Filter::new().older_than(Duration::from_secs(3600));
    assert_eq!(at.list(&old).unwrap(), []);
    assert_eq!(at.purge(&old).unwrap(), 0);
    let now = Filter::new().older_than(Duration::ZERO);
    assert_eq!(at.list(&now).unwrap().len(), 2);
    let one = now.limit(1);
    assert_eq!(at.purge(&one).unwrap(), 1);
    assert_eq!(at.purge(&one).unwrap(), 1);
    assert_eq!(at.purge(&one).unwrap(), 0);
}

#[test]
fn what_is_done_is_forgotten_after_its_retention() {
    let at = Place::new();
    let id = at.put(Submission::new().key("x"));
    let next = at.put(Submission::new());
    assert_eq!(at.take(2), [id, next]);
    let retention = Duration::ZERO;
    let gone = Settlement::Done { output: None, retention };
    assert!(at.end("t", id, gone.clone()));
    assert!(at.end("t", next, gone));
    assert_eq!(at.status(id).unwrap(), None);
    assert_ne!(at.put(Submission::new().key("x")), id);
}

#[test]
fn a_waiting_worker_is_woken_by_others_too() {
    let at = Place::new();
    let other = Sqlite::open(&at.path()).unwrap();
    let far = Instant::now() + Duration::from_secs(20);
    let mut seen = at.wait(u64::MAX, far);
    for from in [&at.store, &other] {
        // What came before is seen first.
        let soon = Instant::now() + Duration::from_millis(100);
        seen = at.wait(seen, soon);
        seen = at.wait(seen, Instant::now() + Duration::from_millis(100));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| at.wait(seen, far));
            from.put(Submission::new());
            assert_ne!(waits.join().unwrap(), seen);
        });
        assert!(Instant::now() < far, "it was not woken");
    }
    let soon = Instant::now() + Duration::from_millis(100);
    seen = at.wait(seen, soon);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| at.wait(seen, far));
        at.wake();
        waits.join().unwrap();
    });
    assert!(Instant::now() < far, "it was not woken");
}

#[test]
fn a_schedule_comes_once_in_all_processes() {
    let at = Place::new();
    let other = Sqlite::open(&at.path()).unwrap();
    let schedule = |name: &str| Schedule {
        name: name.into(),
        cron: "* * * * *".into(),
        job: job("k", "1", Submission::new()),
    };
    let both = [schedule("a"), schedule("b")];
    at.schedule("k", &both).unwrap();
    other.schedule("k", &both).unwrap();
    assert!(at.tick("k").unwrap().unwrap() <= Duration::from_secs(60));
    assert_eq!(at.tick("none").unwrap(), None);
    // As if nobody had worked for an hour.
    at.conn()
        .execute_batch("UPDATE manyhands_schedules SET next = next - 3600000")
        .unwrap();
    // Who works again names them first.
    at.schedule("k", &both).unwrap();
    let ticks = std::thread::scope(|scope| {
        let ticks = [&at.store, &other].map(|it| scope.spawn(|| it.tick("k")));
        ticks.map(|tick| tick.join().unwrap().unwrap())
    });
    assert!(ticks.iter().all(|next| !next.unwrap().is_zero()), "{ticks:?}");
    assert_eq!(at.counts().unwrap()[0].ready, 2);
    at.schedule("k", &[]).unwrap();
    assert_eq!(other.tick("k").unwrap(), None);
}

#[test]
fn who_reads_for_long_keeps_nobody_from_claiming() {
    let at = Place::new();
    let id = at.put(Submission::new());
    let reads = lock(&at.reader);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            at.tick("k").unwrap();
            tell.send(at.take(8)).unwrap();
        });
        let taken = told.recv_timeout(Duration::from_secs(20));
        drop(reads);
        assert_eq!(taken, Ok(vec![id]));
    });
}
