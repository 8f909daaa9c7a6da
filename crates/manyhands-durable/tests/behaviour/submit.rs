//! How a job is submitted.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use manyhands_durable::{Error, Failure, Filter, State, Submission};

use crate::lab::{Lab, reaches};
use crate::place::{Place, quick};

fn key(key: &str) -> Submission {
    Submission::new().key(key)
}

pub(crate) fn the_same_key_is_the_same_job_until_it_is_purged(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let id = queue.submit_with(lab.task("a"), key("k")).unwrap();
    let other = queue.submit_with(lab.task("b"), key("l")).unwrap();
    assert_ne!(id, other);
    let again = || queue.submit_with(lab.task("again"), key("k")).unwrap();
    assert_eq!(again(), id);

    queue.start().unwrap();
    reaches(&queue, id, State::Done);
    assert_eq!(again(), id);
    assert_eq!(queue.purge(Filter::new().ids([id])).unwrap(), 1);
    let next = again();

    assert_ne!(next, id);
    reaches(&queue, next, State::Done);
    reaches(&queue, other, State::Done);
    let mut names = lab.names();
    names.sort();
    assert_eq!(names, ["a", "again", "b"]);
}

pub(crate) fn a_key_is_free_again_once_its_job_is_cancelled(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let id = queue.submit_with(lab.task("a"), key("k")).unwrap();
    assert!(queue.cancel(id).unwrap());
    assert_ne!(queue.submit_with(lab.task("b"), key("k")).unwrap(), id);
}

pub(crate) fn a_batch_has_one_job_a_key(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let before = queue.submit_with(lab.task("x"), key("x")).unwrap();
    let batch = ["x", "y", "y"].map(|name| (lab.task(name), key(name)));
    let ids = queue.submit_all(batch).unwrap();
    assert_eq!((ids[0], ids[1]), (before, ids[2]));
    assert_eq!(queue.counts().unwrap().ready, 2);
}

pub(crate) fn a_batch_is_stored_as_a_whole_or_not_at_all(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let named = |name: String| (lab.task(name), Submission::new());
    let bad = (0..10).map(|i| match i {
        9 => named("x".repeat(2 << 20)),
        i => named(i.to_string()),
    });
    assert!(matches!(queue.submit_all(bad), Err(Error::Invalid(_))));
    assert_eq!(queue.counts().unwrap().unfinished(), 0);

    let ids = queue.submit_all((0..10).map(|i| named(i.to_string())));
    let ids = ids.unwrap();
    assert_eq!(queue.counts().unwrap().ready, 10);
    for (i, id) in ids.into_iter().enumerate() {
        let job = queue.status(id).unwrap().unwrap().job.unwrap();
        assert!(job.contains(&format!("\"name\":\"{i}\"")), "{job}");
    }
}

pub(crate) fn an_empty_batch_is_nothing(place: &Place) {
    let queue = place.open(quick());
    assert!(queue.submit_all([]).unwrap().is_empty());
}

pub(crate) fn a_job_waits_for_its_delay(place: &Place) {
    const DELAY: Duration = Duration::from_secs(1);
    let lab = Lab::idle();
    let queue = place.started(1);
    let began = Instant::now();
    let how = Submission::new().after(DELAY);
    let id = queue.submit_with(lab.task("a"), how).unwrap();
    assert_eq!(queue.status(id).unwrap().unwrap().state, State::Scheduled);
    let begun = lab.wait_for(1);
    let waited = begun[0].at - began;
    assert!(waited >= DELAY, "only {waited:?}");
}

pub(crate) fn a_job_waits_for_its_time(place: &Place) {
    let lab = Lab::idle();
    let queue = place.started(1);
    let time = SystemTime::now() + Duration::from_millis(1100);
    let how = Submission::new().at(time);
    let id = queue.submit_with(lab.task("a"), how).unwrap();
    assert_eq!(queue.status(id).unwrap().unwrap().state, State::Scheduled);
    lab.wait_for(1);
    // A store may keep times in milliseconds.
    assert!(SystemTime::now() + Duration::from_millis(1) >= time);
}

pub(crate) fn a_time_that_has_passed_is_now(place: &Place) {
    let lab = Lab::idle();
    let queue = place.started(1);
    let how = Submission::new().at(SystemTime::UNIX_EPOCH);
    let id = queue.submit_with(lab.task("a"), how).unwrap();
    reaches(&queue, id, State::Done);
}

pub(crate) fn the_greater_priority_is_first_then_the_older(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let jobs = [
        ("d", 0),
        ("e", 0),
        ("a", i16::MAX),
        ("f", -1),
        ("c", 1),
        ("g", i16::MIN),
        ("b", 100),
    ];
    for (name, priority) in jobs {
        let how = Submission::new().priority(priority);
        let id = queue.submit_with(lab.task(name), how).unwrap();
        let status = queue.status(id).unwrap().unwrap();
        assert_eq!(status.priority, priority);
    }
    queue.start().unwrap();
    lab.wait_for(jobs.len());
    assert_eq!(lab.names(), ["a", "b", "c", "d", "e", "f", "g"]);
}

pub(crate) fn serial_jobs_run_one_at_a_time_in_order(place: &Place) {
    let running: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let lab = Lab::new(move |name, attempt| {
        let word = attempt.serial().unwrap().to_owned();
        *running.lock().unwrap().entry(word.clone()).or_default() += 1;
        // Long enough for another to begin beside it, if it may.
        thread::sleep(Duration::from_millis(5));
        let mut running = running.lock().unwrap();
        let beside = running.get_mut(&word).unwrap();
        let together = *beside;
        *beside -= 1;
        if together > 1 {
            return Err(Failure::permanent(format!("{together} at once")));
        }
        // Some come back later, and are no less alone.
        if name.ends_with('3') && attempt.number() == 1 {
            return Err(Failure::retry("again"));
        }
        Ok(None)
    });
    let queue = place.open(quick().workers(4));
    let mut ids = Vec::new();
    for number in 0..8 {
        for word in ["x", "y"] {
            let task = lab.task(format!("{word}{number}"));
            let how = Submission::new().serial(word).priority(number);
            ids.push(queue.submit_with(task, how).unwrap());
        }
    }
    queue.start().unwrap();
    for id in ids {
        reaches(&queue, id, State::Done);
    }
    for word in ["x", "y"] {
        let first = lab
            .begun()
            .into_iter()
            .filter(|it| it.name.starts_with(word) && it.attempt == 1);
        let order: Vec<_> = first.map(|it| it.name).collect();
        let expected: Vec<_> =
            (0..8).map(|number| format!("{word}{number}")).collect();
        assert_eq!(order, expected);
    }
}

pub(crate) fn a_serial_job_that_waits_for_its_retry_holds_up_no_other(
    place: &Place,
) {
    let lab = Lab::new(|name, attempt| match (name, attempt.number()) {
        ("a", 1) => {
            Err(Failure::retry("later").after(Duration::from_secs(60)))
        }
        _ => Ok(None),
    });
    let queue = place.started(2);
    let serial = || Submission::new().serial("s");
    let a = queue.submit_with(lab.task("a"), serial()).unwrap();
    let b = queue.submit_with(lab.task("b"), serial()).unwrap();
    reaches(&queue, b, State::Done);
    assert_eq!(queue.status(a).unwrap().unwrap().state, State::Scheduled);
    assert_eq!(lab.names(), ["a", "b"]);
}

pub(crate) fn submitting_without_blocking_stores_it_too(place: &Place) {
    let lab = Lab::idle();
    let queue = place.started(1);
    let id = block_on(queue.submit_async(lab.task("a"), key("k"))).unwrap();
    reaches(&queue, id, State::Done);
    // Asked at once, and not taken back.
    drop(queue.submit_async(lab.task("b"), Submission::new()));
    lab.wait_for(2);
    let long = lab.task("x".repeat(2 << 20));
    let refused = block_on(queue.submit_async(long, Submission::new()));
    assert!(matches!(refused.unwrap_err().error, Error::Invalid(_)));
    queue.stop();
    let refused =
        block_on(queue.submit_async(lab.task("c"), Submission::new()));
    let refused = refused.unwrap_err();
    assert_eq!((refused.error, refused.job), (Error::Stopped, lab.task("c")));
}

pub(crate) fn a_job_that_is_too_long_is_refused_and_comes_back(place: &Place) {
    let lab = Lab::idle();
    let queue = place.open(quick());
    let name = "x".repeat(2 << 20);
    let refused = queue.submit(lab.task(&name)).unwrap_err();
    assert!(matches!(refused.error, Error::Invalid(_)));
    assert_eq!(refused.job, lab.task(&name));
    // As long as it may be.
    let name = "x".repeat((1 << 20) - 100);
    let id = queue.submit(lab.task(&name)).unwrap();
    queue.start().unwrap();
    reaches(&queue, id, State::Done);
    assert_eq!(lab.names(), [name]);
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let began = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        assert!(began.elapsed() < crate::lab::PATIENCE, "not stored");
        thread::park_timeout(Duration::from_secs(1));
    }
}
